/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What a packet means to its line: the counters, the sign of life, and what analysis must be told
 * at once: a session or an address not seen before, demand that finds no answer.
 */
#ifndef RASAD_ENGINE_PACKET_ACCOUNT_H
#define RASAD_ENGINE_PACKET_ACCOUNT_H

#include <stdbool.h>
#include <stdint.h>

#include "engine/base/hot.h"
#include "engine/packet/demand.h"
#include "engine/packet/worker.h"

/* A new signal about the line, for the caller to complete and ring_commit; NULL when the outbox is
 * full, counted. */
struct signal *account_signal(struct worker *w, enum signal_kind kind, uint32_t line,
			      const struct pkt *p);

/* --- what is rare ----------------------------------------------------------------------------- */

/* The pulse is of another window, or a counter of it is full. */
void account_turn(struct worker *w, uint32_t line);

/* The line speaks: analysis waits for that, or its pauses are long. */
void account_answered(struct worker *w, uint32_t line, const struct pkt *p);

/* Enough packets wait, of several flows or resent often enough: have they waited for longer than
 * the line has ever let wait? */
void account_overdue(struct worker *w, uint32_t line, const struct pkt *p);

/* Upstream traffic in another session than the last. */
void account_session(struct worker *w, uint32_t line, const struct pkt *p,
		     const struct pkt_extra *x);

/* --- every packet ----------------------------------------------------------------------------- */

/* One packet adds no more segments than fit in the largest at the least MSS. */
enum { ACCOUNT_DATA_FULL = 0xffff - 0xffff / METER_LEAST_MSS - 1 };

enum {
	ACCOUNT_GAP_MS = 750, /* shorter pauses of a line move nobody's patience */
	ACCOUNT_GAP_TICKS = ACCOUNT_GAP_MS * (1000000 / HIST_TICK_NS),
};

/* What an upstream packet ends, as a rule: a short wait of somebody downstream. */
HOT_INLINE void account_up(struct worker *w, uint32_t line, struct pulse *pulse,
			   const struct pkt *p)
{
	uint32_t tick = meter_tick(p->ts_ns), ticks = tick - pulse->up_tick;
	if (__builtin_expect(
		    pulse->state & PULSE_WATCH || ticks > ACCOUNT_GAP_TICKS || pulse->gap_ms, 0))
		account_answered(w, line, p);
	pulse->state &= PULSE_KEPT;
	w->window.heard += (int32_t)(pulse->up_tick - w->window.second_tick) < 0;
	/* first of its window, or not older than the last */
	pulse->up_tick = !pulse->packets[UP] || (int32_t)ticks > 0 ? tick : pulse->up_tick;
}

/* Counts the packet to its line, whose pulse this is. `way`: UP or DOWN. */
HOT_INLINE void account_packet(struct worker *w, uint32_t line, struct pulse *pulse, int way,
			       const struct pkt *p)
{
	if (__builtin_expect((pulse->state & PULSE_LISTED) != w->window.mark ||
				     pulse->packets[way] == UINT16_MAX ||
				     pulse->data[way] > ACCOUNT_DATA_FULL,
			     0))
		account_turn(w, line);
	if (way == UP)
		account_up(w, line, pulse, p);
	pulse->packets[way]++;
	pulse->bytes[way] += p->wire_len;
}

/* Upstream traffic is in another session than the last: account_session is due. */
HOT_INLINE bool account_is_other_session(const struct pulse *pulse, const struct pkt *p)
{
	return p->flags & PKT_PPPOE && pulse->session_id != p->session_id;
}

/* A frame from the Internet came down. */
HOT_INLINE void account_heard(struct worker *w, uint32_t line, struct pulse *pulse,
			      const struct pkt *p)
{
	if (__builtin_expect(!pulse->down_at, 0))
		demand_answered(w, line, p);
	pulse->down_at = line_beat(p->ts_ns);
}

/* Upstream IP: the subscriber uses this address. */
void account_address(struct worker *w, uint32_t line, const struct pkt *p,
		     const struct pkt_extra *x);

/* The state of a line when one more packet waits for its answer. */
HOT_INLINE uint32_t account_wait(uint32_t state, uint64_t ts_ns, uint32_t flow, bool resent)
{
	uint32_t since = (uint32_t)(ts_ns >> PULSE_SINCE_NS_SHIFT) << PULSE_SINCE_SHIFT;
	uint32_t first = (state & PULSE_KEPT) | flow << PULSE_FLOW_SHIFT | since;
	uint32_t many = (state >> PULSE_FLOW_SHIFT & 63) != flow ? PULSE_MANY : 0;
	uint32_t next = state & PULSE_WAIT ? state | many : first;
	next += (next & PULSE_WAIT) < 4 * PULSE_WAITING ? PULSE_WAITING : 0;
	next += resent && (next & PULSE_RESENDS) != PULSE_RESENDS ? PULSE_RESEND : 0;
	return next;
}

/* Downstream traffic owes an answer (algorithms.md 2.1.1). `flow`: any hash of its flow; `resent`:
 * it was asked before. */
HOT_INLINE void account_unanswered(struct worker *w, uint32_t line, struct pulse *pulse,
				   const struct pkt *p, uint32_t flow, bool resent)
{
	uint32_t state = account_wait(pulse->state, p->ts_ns, flow & 63, resent);
	pulse->state = state;
	if (__builtin_expect(
		    (state & (PULSE_WAIT | PULSE_TOLD)) == 4 * PULSE_WAITING &&
			    (state & PULSE_MANY || (state & PULSE_RESENDS) == PULSE_RESENDS),
		    0))
		account_overdue(w, line, p);
}

#endif
