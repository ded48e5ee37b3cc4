/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The face between collectors and engine: bursts of decoded packets.
 *
 * A collector reads frames, decodes each with engine/decode.h into the next slot of its burst and
 * hands the burst over. `frame` is only good while the burst is being handled; the engine reads it
 * for control packets, and where it asks for what is `unfilled`. A source belongs to one thread.
 */
#ifndef RASAD_ENGINE_SOURCE_H
#define RASAD_ENGINE_SOURCE_H

#include <stdbool.h>
#include <stdint.h>

#include "ebpf/pkt.h"

enum { BURST_MAX = 128, BURST_NEWS = 8 };

enum tap_news_kind { TAP_SILENT = 1, TAP_CLOCK, TAP_SPEAKS };

/* Before packet `at`: a tap saw nothing since `since_ns`, or its clock stepped; or it sees again. */
struct tap_news {
	uint8_t at, tap; /* tap 0: the whole stream, else one of its taps, from 1 */
	uint8_t kind;	 /* enum tap_news_kind */
	uint64_t since_ns;
};

/*
 * What the engine adds (engine/stamp.h): packet time followed with caution, and each packet's place
 * in the stream. As a rule both follow from the packets: their own time stamps, and one place after
 * the other from `first_order`; where they do not, `odd` is set and the arrays say it.
 */
struct burst {
	uint32_t n;
	_Alignas(64) struct pkt pkt[BURST_MAX];
	struct pkt_extra
		extra[BURST_MAX]; /* of most packets filled in when asked for: burst_extra */
	bool unfilled[BURST_MAX]; /* is not, and the frame is still there */
	const uint8_t *frame[BURST_MAX];
	uint64_t first_order, last_clock_ns;
	bool odd;
	uint64_t clock_ns[BURST_MAX], order[BURST_MAX];
	uint32_t n_news; /* only of a burst that is odd */
	struct tap_news news[BURST_NEWS];
};

/* Fills in what belongs to packet `i` from its frame. */
void burst_fill(struct burst *burst, uint32_t i);

static inline const struct pkt_extra *burst_extra(struct burst *burst, uint32_t i)
{
	if (burst->unfilled[i])
		burst_fill(burst, i);
	return &burst->extra[i];
}

static inline uint64_t burst_clock_ns(const struct burst *burst, uint32_t i)
{
	return burst->odd ? burst->clock_ns[i] : burst->pkt[i].ts_ns;
}

static inline uint64_t burst_order(const struct burst *burst, uint32_t i)
{
	return burst->odd ? burst->order[i] : burst->first_order + i;
}

/* A counter of the collector's own, for health: "port0_imissed". */
struct source_counter {
	char name[32];
	uint64_t value;
};

enum { SOURCE_MAX_COUNTERS = 128 };

struct source_stats {
	uint64_t packets, bytes;
	uint64_t dropped;    /* lost by kernel or NIC before they were seen here */
	uint64_t ac_refused; /* more concentrators than the decoder remembers */
	uint64_t verdicts[VERDICT_COUNT];
	uint64_t control[32]; /* by enum decode_control */
	struct source_counter counters[SOURCE_MAX_COUNTERS];
	uint32_t n_counters;
};

enum source_status { SOURCE_MORE, SOURCE_IDLE, SOURCE_END };

/* One open source. `next` fills the burst (n may be 0 with SOURCE_IDLE) or returns -errno. */
struct source {
	int (*next)(struct source *source, struct burst *burst);
	void (*close)(struct source *source);
	/* NULL, or: nothing more shall come. `next` gives what is there already, then SOURCE_END. Called
	 * once, by the thread that calls `next`. */
	void (*stop)(struct source *source);
	const struct source_stats *(*stats)(struct source *source);
	/* Of a source with several taps (capture files): pkt_extra.tap is theirs. */
	uint32_t n_taps;    /* 0 or 1: the source is one */
	uint64_t taps_over; /* bits: have ended, and will not speak again */
	const char *(*tap_name)(const struct source *source, uint32_t tap);
	bool part;    /* others have the rest of its tap: its silence is not the tap's */
	bool sharded; /* of several sources: all packets of a line come out of the same one */
};

#endif
