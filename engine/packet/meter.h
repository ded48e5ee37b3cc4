/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What the meters of one worker share: the pools, the lines, and where a sample goes.
 *
 * Time on the packet path is a 32-bit tick of 128 ns (wraps in 9 minutes; a flow that was silent
 * for longer than METER_STALE_NS forgets its open samples).
 */
#ifndef RASAD_ENGINE_PACKET_METER_H
#define RASAD_ENGINE_PACKET_METER_H

#include <stdbool.h>
#include <stdint.h>

#include "engine/base/hist.h"
#include "engine/base/pool.h"
#include "engine/packet/extra.h"
#include "engine/packet/flow.h"
#include "engine/packet/line.h"
#include "engine/packet/mirror.h"

#define METER_STALE_NS 60000000000ull

enum { /* limits of one direction of one flow */
       METER_MAX_SEG_CHUNKS = 256,
       METER_MAX_HOLES = 512,
       METER_MAX_RESENDS = 256,
       METER_SAMPLES_PER_CHUNK = 14,
       METER_LEAST_MSS = 4, /* whatever was offered */
};

/* No delayed-ACK timer is shorter than that, so a bare ACK that is no later cannot have waited for
 * one (Linux: 40 ms, others longer). */
enum { METER_SHORTEST_DELAY_TICKS = 20000000 / HIST_TICK_NS };

enum sample_class {
	SAMPLE_PROMPT, /* acknowledged at once */
	SAMPLE_SINGLE, /* one segment: the receiver may have waited for another */
	SAMPLE_RIDING, /* one segment, acknowledged with data: it may have waited for the data */
};

/* Logged samples of a flow side, for exact quantiles in a flow report. 64 bytes. */
struct sample_chunk {
	uint32_t prev, n;
	uint32_t value[METER_SAMPLES_PER_CHUNK]; /* ticks << 2 | class */
};

/* A sample on its way to its line: the worker passes them on after each burst, when what they
 * touch has been fetched. */
struct meter_sample {
	uint32_t line, ticks;
	enum line_hist hist;
};

enum { METER_QUEUE = 512 };

struct meter {
	struct pool segs, holes, resends, extras, logs, log_samples;
	struct pool samples; /* struct line_samples (window.h) */
	struct line_table lines;
	struct meter_sample queue[METER_QUEUE];
	uint32_t n_queue;
	bool keep_logs;		   /* keep each flow and each of its samples */
	uint64_t queue_refused;	   /* more samples in a burst than METER_QUEUE */
	uint64_t segments_refused; /* a direction had METER_MAX_SEG_CHUNKS outstanding */
	uint64_t holes_refused;	   /* a direction had METER_MAX_HOLES open */
	uint64_t resends_refused;  /* a direction had METER_MAX_RESENDS unsettled */
	uint64_t acked_unseen;	   /* segments acknowledged that never passed the tap */
	struct mirror mirror;
};

/* Pools for that many lines and flows at most; 0 or -ENOMEM. */
int meter_init(struct meter *meter, uint32_t max_lines, uint32_t max_flows, bool keep_logs);
void meter_fini(struct meter *meter);

static inline uint32_t meter_tick(uint64_t ts_ns)
{
	return (uint32_t)(ts_ns / HIST_TICK_NS);
}

/* The subscriber sends in this direction. */
static inline bool flow_dir_is_up(const struct flow *f, int dir)
{
	return (f->sub_is_b ? 1 : 0) == dir;
}

static inline int flow_dir_way(const struct flow *f, int dir)
{
	return flow_dir_is_up(f, dir) ? UP : DOWN;
}

/* The MSS that the receiver of this direction offered; 0: not seen. */
static inline uint32_t meter_offered_mss(const struct flow_dir *d)
{
	return d->mss4 == 4095 ? 65535 : d->mss4 * 4u;
}

/* Largest payload that one packet of this direction carries on the wire. */
static inline uint32_t meter_mss(const struct flow_dir *d)
{
	uint32_t offered = meter_offered_mss(d);
	return d->largest ? d->largest : offered ? offered : 1460;
}

/* Packets in MSS units, so that offloaded super-segments count as on the wire. */
uint32_t meter_super_segments(const struct flow_dir *d, uint32_t bytes);

static inline uint32_t meter_segments(const struct flow_dir *d, uint32_t bytes)
{
	return bytes <= 1460 ? 1 : meter_super_segments(d, bytes);
}

/*
 * One round trip, from `sent` to `now`, from the tap to the receiver of `dir`'s data and back. The
 * flow's log takes every one; its line takes one in 8 ms, so that a burst, whose ACKs come one
 * behind the other, weighs no more than the time that it lasts.
 */
void meter_sample(struct meter *meter, struct flow *f, int dir, uint32_t sent, uint32_t now,
		  enum sample_class class);

/* A latency of a line that is not a flow's. */
void meter_line_sample(struct meter *meter, uint32_t line, enum line_hist hist, uint32_t ticks);

#endif
