/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Upstream demand that finds no answer: the mirror image of account_unanswered, for the faults
 * that drop no session. A line asks (SYNs, data sent again, echoes, names), and since its last
 * frame from the Internet nothing has come down: the way there is broken. Its resolver alone is
 * silent, or answers that it cannot: names are.
 *
 * Only questions look, never answers: they are rare, and what a downstream packet pays is one byte
 * (pulse.down_at). Whether there was an answer is known from when the last frame came down, in beats
 * of 134 ms; a frame in the beat of the question counts as one. Who has never been answered at all
 * is not told: a tap may see one direction only, and a resolver need not exist.
 *
 * One dead server is no fault of the line: the questions must be of two flows to two servers, and
 * all names together count as one server, as soon as one was asked for twice; then another must
 * have been asked twice, too. What the BRAS itself says (ICMP: unreachable) is no frame from the
 * Internet, and neither is the resolver's answer, for the resolver may be the ISP's own.
 */
#ifndef RASAD_ENGINE_PACKET_DEMAND_H
#define RASAD_ENGINE_PACKET_DEMAND_H

#include <stdbool.h>
#include <stdint.h>

struct pkt;
struct pkt_extra;
struct worker;

/* What is heard so long after a resolver fell silent was not under way before. */
#define DEMAND_ASIDE_NS 2000000000ull

enum { DEMAND_RESOLVERS = 2 }; /* of a line, the last used ones */

/* Of one resolver of a line. */
struct names_wait {
	uint32_t resolver; /* hash of its address; 0: none */
	uint32_t since;	   /* beat of the first question without an answer */
	uint32_t answered; /* beat of the last answer */
	uint32_t used;	   /* beat of the last question */
	uint32_t told;	   /* beat, while DEMAND_TOLD */
	uint8_t n;	   /* questions since the last answer; one that it cannot counts too */
	uint8_t flags;
};

/* What a line has asked its resolvers: pool of the worker. */
struct line_names {
	struct names_wait of[DEMAND_RESOLVERS];
};

/* The line asks, and is owed an answer; `flow`: any hash of the flow. */
void demand_asked(struct worker *w, uint32_t line, const struct pkt *p, const struct pkt_extra *x,
		  uint32_t flow);

/* The first frame from the Internet in a window, or since analysis was told that there is none. */
void demand_answered(struct worker *w, uint32_t line, const struct pkt *p);

/* A DNS packet of the line, either way. */
void demand_names(struct worker *w, uint32_t line, const struct pkt *p, const struct pkt_extra *x,
		  bool question);

/* Downstream ICMP that is no answer of the Internet: somebody on the way says that he cannot. */
bool demand_is_refusal(const struct pkt *p);

#endif
