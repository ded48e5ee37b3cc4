/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A line under test: control messages in, one call each, and the news that the session state
 * machine told, in order. Time stands still but for dial_wait, which runs the timers.
 */
#ifndef RASAD_TESTS_ENGINE_ANALYSIS_DIAL_H
#define RASAD_TESTS_ENGINE_ANALYSIS_DIAL_H

#include <stdint.h>

#include "engine/analysis/session.h"

enum { DIAL_MAX_NEWS = 64, DIAL_MAGIC_AC = 0x11223344, DIAL_MAGIC_CPE = 0x55667788 };

#define DIAL_S	   1000000000ull
#define DIAL_START (1700000000ull * DIAL_S)

struct dial_news {
	uint64_t at_ns;
	struct session_news news;
	char text[128];
};

struct dial {
	struct subject subject;
	uint64_t now_ns, last_up_ns; /* of the line: the last upstream frame */
	uint8_t cpe, ac;	     /* last byte of the MACs */
	uint16_t id;
	uint32_t n;
	struct dial_news news[DIAL_MAX_NEWS];
};

void dial_start(struct dial *d);
void dial_stop(struct dial *d);

/* Lets time pass; timers run when they are due. */
void dial_wait(struct dial *d, uint64_t ns);

void dial_say(struct dial *d, uint8_t kind, uint8_t code, uint8_t dir, const char *text);
void dial_lcp(struct dial *d, uint8_t code, uint8_t dir, uint32_t magic);
/* Upstream data in the current session. */
void dial_data(struct dial *d);
/* A frame that answers: what the worker tells after an echo or an unanswered demand. */
void dial_upstream(struct dial *d);
void dial_unanswered(struct dial *d);
/* All lines ask their BRAS in vain since `since_ns`. */
void dial_bras_silent(struct dial *d, uint64_t since_ns);
/* Nobody sees the line for so long. */
void dial_blind(struct dial *d, uint64_t ns);

/* PADI to PADS with this id; then LCP, PAP and IPCP, a second all in all. */
void dial_discovery(struct dial *d, uint16_t id);
void dial_negotiation(struct dial *d);
void dial_up(struct dial *d, uint16_t id);

/* The one piece of news since the last call; fails when there is none or more than one. */
const struct dial_news *dial_only_news(struct dial *d);
const struct dial_news *dial_expect(struct dial *d, enum session_event_kind kind,
				    enum drop_cause cause);
void dial_expect_nothing(struct dial *d);

#endif
