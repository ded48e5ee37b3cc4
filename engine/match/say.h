/* SPDX-License-Identifier: BSD-3-Clause */
/* The sentence of an answer, in both languages, and what to do next. */
#ifndef RASAD_ENGINE_MATCH_SAY_H
#define RASAD_ENGINE_MATCH_SAY_H

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "engine/match/texts.h"

struct Rasad__V1__CallMatch;
struct Rasad__V1__Incident;
struct Rasad__V1__Reason;
struct build;
struct draft;
struct scene;

/*
 * Sets text_fa, text_en, actions, recommended_action(_fa) and cannot_see by the verdict. Drafts are
 * sorted, best first; scene is NULL when there is no line (n is 0 then, or incidents of the area).
 */
void say_answer(struct build *build, struct Rasad__V1__CallMatch *match, const struct scene *scene,
		const struct draft *drafts, size_t n, int64_t now_unix_ns);

/* The part of say_answer that is about what to do: actions and recommended_action(_fa). */
void say_next(struct build *build, struct Rasad__V1__CallMatch *match, const struct scene *scene,
	      const struct draft *drafts, size_t n);

/* The phone has other_lines: says so in the texts, and that the line is to be asked for. */
void say_other_lines(struct build *build, struct Rasad__V1__CallMatch *match);

/* "card DSLAM-1/3", as in a sentence. */
void say_group(FILE *out, enum text_language language, const char *type, const char *name);

/* The code of what to do about an incident of this class. */
const char *say_class_action(const struct Rasad__V1__Incident *incident);

/* A reason in words: value with its unit, usual value, number of samples filled in. */
void say_reason(FILE *out, enum text_language language, const struct Rasad__V1__Reason *reason);

#endif
