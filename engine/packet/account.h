/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What a packet means to its line: the counters, the sign of life, and what analysis must be told
 * at once: a session or an address not seen before, demand that finds no answer.
 */
#ifndef RASAD_ENGINE_PACKET_ACCOUNT_H
#define RASAD_ENGINE_PACKET_ACCOUNT_H

#include <stdbool.h>
#include <stdint.h>

#include "engine/packet/worker.h"

/* A new signal about the line, for the caller to complete and ring_commit; NULL when the outbox is
 * full, counted. */
struct signal *account_signal(struct worker *w, enum signal_kind kind, uint32_t line,
			      const struct pkt *p);

/* --- what is rare ----------------------------------------------------------------------------- */

/* The pulse is of another window, or a counter of it is full. */
void account_turn(struct worker *w, uint32_t line);

/* The line speaks, and somebody waits for it. */
void account_answered(struct worker *w, uint32_t line, const struct pkt *p);

/* Upstream traffic in another session than the last. */
void account_session(struct worker *w, uint32_t line, const struct pkt *p,
		     const struct pkt_extra *x);

/* --- every packet ----------------------------------------------------------------------------- */

/* One packet adds no more segments than fit in the largest at the least MSS. */
enum { ACCOUNT_DATA_FULL = 0xffff - 0xffff / METER_LEAST_MSS - 1 };

/* Counts the packet to its line. `way`: UP or DOWN. */
static inline void account_packet(struct worker *w, uint32_t line, int way, const struct pkt *p)
{
	struct pulse *pulse = line_pulse(&w->meter.lines, line);
	if (__builtin_expect((pulse->state & PULSE_LISTED) != w->window.mark ||
				     pulse->packets[way] == UINT16_MAX ||
				     pulse->data[way] > ACCOUNT_DATA_FULL,
			     0))
		account_turn(w, line);
	if (way == UP) {
		uint32_t tick = meter_tick(p->ts_ns);
		if (pulse->state & (PULSE_WATCH | PULSE_WAIT))
			account_answered(w, line, p);
		w->window.heard += (int32_t)(pulse->up_tick - w->window.second_tick) < 0;
		/* first of its window, or not older than the last */
		if (!pulse->packets[UP] || (int32_t)(tick - pulse->up_tick) > 0)
			pulse->up_tick = tick;
	}
	pulse->packets[way]++;
	pulse->bytes[way] += p->wire_len;
}

/* The same for traffic, which upstream also tells the session in use. */
static inline void account_traffic(struct worker *w, uint32_t line, int way, const struct pkt *p,
				   const struct pkt_extra *x)
{
	account_packet(w, line, way, p);
	if (way == UP && p->flags & PKT_PPPOE &&
	    line_pulse(&w->meter.lines, line)->session_id != p->session_id)
		account_session(w, line, p, x);
}

/* Upstream IP: the subscriber uses this address. */
void account_address(struct worker *w, uint32_t line, const struct pkt *p,
		     const struct pkt_extra *x);

/* Downstream traffic owes an answer (algorithms.md 2.1.1). `flow`: any hash of its flow; `resent`:
 * it was asked before. */
void account_unanswered(struct worker *w, uint32_t line, const struct pkt *p, uint32_t flow,
			bool resent);

#endif
