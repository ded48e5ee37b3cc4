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

/* Counts the packet to its line. `dir` is the direction, not unknown. */
void account_packet(struct worker *w, uint32_t line, uint8_t dir, const struct pkt *p);

/* The same for traffic, which upstream also tells the session in use. */
void account_traffic(struct worker *w, uint32_t line, uint8_t dir, const struct pkt *p,
		     const struct pkt_extra *x);

/* Upstream IP: the subscriber uses this address. */
void account_address(struct worker *w, uint32_t line, const struct pkt *p,
		     const struct pkt_extra *x);

/* Downstream traffic owes an answer (algorithms.md 2.1.1); `resent`: it was asked before. */
void account_unanswered(struct worker *w, uint32_t line, const struct pkt *p, bool resent);

#endif
