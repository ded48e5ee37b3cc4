/* SPDX-License-Identifier: BSD-3-Clause */
/* One call, scored; and what the answer says. */
#ifndef RASAD_TESTS_ENGINE_MATCH_ANSWER_H
#define RASAD_TESTS_ENGINE_MATCH_ANSWER_H

#include "engine/match/score.h"
#include "tests/engine/match/fixture.h"

#define VERDICT(name) RASAD__V1__VERDICT__VERDICT_##name
#define KIND(name)    RASAD__V1__HYPOTHESIS_KIND__HYPOTHESIS_KIND_##name
#define CARD1	      "'group_type':'card','group':'DSLAM-1/3'"
#define GROUPS	      ",'groups':[{" CARD1 "},{'group_type':'access_node','group':'DSLAM-1'}]"

struct told {
	const char *complaint;
	const Rasad__V1__SubscriberCard *card;
	const struct score_incident *incidents;
	size_t n;
	const Rasad__V1__NodeSummary *siblings;
	const char *more; /* of the call */
};

/* Checks, too, that all of it can be said in both languages. Kept until fixture_free. */
const Rasad__V1__CallMatch *answer(struct told told);

/* Of a hypothesis; ref may be NULL. -1: it is not there. */
double posterior(const Rasad__V1__CallMatch *match, int kind, const char *ref);
/* The first with this code, of any hypothesis; or NULL. */
const Rasad__V1__Reason *reason(const Rasad__V1__CallMatch *match, const char *code);
void near(double is, double expected, double within);

/* A cable cut half an hour ago that has hit 140 of 150 lines. */
struct score_incident cable_cut(enum membership membership);

#endif
