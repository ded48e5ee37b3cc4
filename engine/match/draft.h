/* SPDX-License-Identifier: BSD-3-Clause */
/* A hypothesis while it collects its terms: between the scoring of incidents, of the line's own
 * troubles, and the answer. */
#ifndef RASAD_ENGINE_MATCH_DRAFT_H
#define RASAD_ENGINE_MATCH_DRAFT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "engine/match/facts.h"
#include "engine/match/score.h"

struct Rasad__V1__Reason;

#define DRAFT_TERMS_MAX 16
#define DRAFT_OWN	6 /* hypotheses beside incidents */
#define DRAFTS_MAX	(SCORE_INCIDENTS_MAX + DRAFT_OWN)

struct draft_number {
	bool known;
	double is;
};

struct draft_term {
	const char *code;
	double weight;
	struct draft_number value, baseline;
	const char *unit; /* "ms", "s", "kbps", "share", "dB", or NULL: a bare number */
	struct draft_number n;
};

struct draft {
	int kind;			       /* enum HypothesisKind */
	const struct score_incident *incident; /* of INCIDENT */
	struct draft_term terms[DRAFT_TERMS_MAX];
	unsigned n_terms;
	double score, posterior;
};

/* What scoring looks at. */
struct scene {
	const struct score_input *input;
	struct facts facts;
	int complaint;	   /* enum Complaint */
	bool bad_member;   /* an incident has the line among those that are bad now */
	bool any_incident; /* there are candidates */
	bool was_hit;	   /* one of them has the line among its members, down or recovered */
	bool own_drop;	   /* the line was down within two hours, and no incident explains it */
};

/* Adds a term. What does not fit is added to the score all the same. */
void draft_add(struct draft *draft, struct draft_term term);

#define TERM(code_, weight_, ...)                                                                  \
	((struct draft_term){.code = (code_), .weight = (weight_), ##__VA_ARGS__})
#define IS(number)                                                                                 \
	{                                                                                          \
		true, (double)(number)                                                             \
	}

/* The terms of an incident. */
void draft_incident(struct draft *draft, const struct scene *scene,
		    const struct score_incident *incident);
/* True when the incident has made the line bad, and it still is. */
bool draft_is_bad_member(const struct scene *scene, const struct score_incident *incident);
/* The six others, in the order of enum HypothesisKind. */
void draft_own(struct draft drafts[DRAFT_OWN], const struct scene *scene);

/* The first term with this code, or NULL. */
const struct draft_term *draft_find(const struct draft *draft, const char *code);

#endif
