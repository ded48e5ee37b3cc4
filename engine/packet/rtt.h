/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Round trips from sequence numbers (measurement.md, definitions 1 to 3).
 *
 * Each first transmission that passes the tap is remembered as a segment until it is
 * acknowledged. An ACK that advances samples the last segment it covers; whether it was sent at
 * once or may have waited is the sample's class. Nothing is sampled over
 * a resend or a hole (Karn's rule by collapsing range, as in Dart), but during loss the right
 * edge of a new SACK block times the segment that it names.
 *
 * Up to two segments under way live in the flow's own record (flow.h), contiguous from una to
 * nxt; with more, or with marks on them, they spill into chunks of a shared pool, and stay there
 * until the last of them is acknowledged. The chunk given back last is taken first, so a short
 * queue stays in the cache.
 */
#ifndef RASAD_ENGINE_PACKET_RTT_H
#define RASAD_ENGINE_PACKET_RTT_H

#include <stdbool.h>
#include <stdint.h>

#include "engine/base/hot.h"
#include "engine/packet/flow.h"
#include "engine/packet/mini.h"

struct meter;

enum {			    /* seg.flags */
       SEG_RESENT = 1 << 0, /* ambiguous: never sampled */
       SEG_SACKED = 1 << 1,
       SEG_SAMPLED = 1 << 2, /* a super-segment, timed by its first partial ACK */
       SEG_SYN = 1 << 3,
};

struct seg {
	uint32_t start, end;
	uint32_t tick;
	uint32_t flags;
};

enum { SEGS_PER_CHUNK = 15 };

/* flow_dir.stride before the first ACK, of a sender that nobody acknowledges on this tap. */
enum { RTT_UNANSWERED = 0xffff };

enum ack_reason { /* what the ACK came with */
		  ACK_BARE,
		  ACK_RIDES, /* data: it may have waited for that */
		  ACK_OPENS, /* SYN or FIN, which do not wait */
};

struct seg_chunk {
	uint32_t prev, next;
	uint16_t first, n;
	uint32_t unused;
	struct seg seg[SEGS_PER_CHUNK];
};
_Static_assert(sizeof(struct seg_chunk) == 256, "four cache lines");

/* Remembers a first transmission [start, end) at the right end of direction `dir`, whose nxt,
 * una and last_tick are still those of before. flags: SEG_RESENT or SEG_SYN. */
void rtt_sent(struct meter *m, struct flow *f, int dir, const struct seg *seg);

/* The same for data of `len` bytes at nxt, of a flow without extra; false: it takes rtt_sent. */
HOT_INLINE bool rtt_sent_next(struct flow_dir *d, uint32_t len, uint32_t tick)
{
	uint16_t ago = 0;
	if (d->newest_len) {
		if (d->older_ago || d->nxt - d->newest_len != d->una ||
		    d->stride == RTT_UNANSWERED || (int32_t)(tick - d->last_tick) < 0)
			return false;
		ago = mini_of(tick - d->last_tick);
		ago = ago ? ago : 1;
	}
	d->older_ago = ago;
	d->newest_len = (uint16_t)len;
	d->is_syn = 0;
	return true;
}

/* Drops everything outstanding (the flow went on without us). */
void rtt_forget(struct meter *m, struct flow *f, int dir);

/* The receiver has reported the outstanding segment that holds [seq, end) by SACK. */
bool rtt_is_sacked(const struct meter *m, const struct flow *f, int dir, uint32_t seq,
		   uint32_t end);

/* Marks the segments in [start, end) resent: they are ambiguous. */
void rtt_resent(struct meter *m, struct flow *f, int dir, uint32_t start, uint32_t end);

/* [start, end) was sent again or late: an ACK that covers part of it may answer either copy, or
 * have waited for it, and is not timed. */
void rtt_taint(struct meter *m, struct flow *f, int dir, uint32_t start, uint32_t end);

/* The other side acknowledged direction `dir` up to `ack`, past d->una. `clean`: no hole lies
 * below the ACK. Advances una. */
void rtt_acked(struct meter *m, struct flow *f, int dir, uint32_t ack, uint32_t tick,
	       enum ack_reason reason, bool clean);

/* The same for an ACK of all that was sent, of a flow without extra, where the newest segment can be
 * timed: `covered` bytes. */
void rtt_acked_all(struct meter *m, struct flow *f, int dir, uint32_t tick, enum ack_reason reason);

/* A SACK block [left, right) for direction `dir`; `duplicate_ack`: the ACK itself did not move. */
void rtt_sacked(struct meter *m, struct flow *f, int dir, uint32_t left, uint32_t right,
		uint32_t tick, bool duplicate_ack);

#endif
