/* SPDX-License-Identifier: BSD-3-Clause */
/* The subscriber card of the call-centre tier, and a verdict, for a terminal (6.2). */
#ifndef RASAD_ENGINE_MATCH_CARD_TEXT_H
#define RASAD_ENGINE_MATCH_CARD_TEXT_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "engine/match/texts.h"

struct Rasad__V1__CallMatch;
struct Rasad__V1__SubscriberCard;

struct card_text_options {
	enum text_language language;
	bool colour; /* ANSI */
	int64_t now_unix_ns, wall_unix_ms;
};

/*
 * One screen: verdict (match may be NULL), service, session, latency by segment against the usual,
 * loss by side, speed, the last 24 h, recent changes, next step, and what we cannot see. In Persian
 * each line starts with a right-to-left mark, so that a terminal with bidi shows it right.
 */
void card_text(FILE *out, const struct Rasad__V1__SubscriberCard *card,
	       const struct Rasad__V1__CallMatch *match, const struct card_text_options *options);

/* The verdict alone: the sentence, its probability, the hypotheses with their reasons, what next. */
void match_text(FILE *out, const struct Rasad__V1__CallMatch *match,
		const struct card_text_options *options);

#endif
