/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What people read, in Persian and in English, from one catalogue keyed by code: reasons, verdicts,
 * actions, blind spots.
 *
 * Persian texts have Persian digits, Jalali dates and the time of Tehran; what is Latin inside them
 * (names of nodes, units) stands between U+2068 and U+2069, so that it cannot turn the sentence
 * around. English texts have ASCII digits, ISO dates, the same time. Names come from the network:
 * control characters and bidi marks in them are taken away.
 */
#ifndef RASAD_ENGINE_MATCH_TEXTS_H
#define RASAD_ENGINE_MATCH_TEXTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

enum text_language { TEXT_FA, TEXT_EN };

enum text_kind {
	TEXT_NAME,     /* of an element, a line, a user: isolated */
	TEXT_WORDS,    /* a part of the sentence, in its language already: as it is */
	TEXT_COUNT,    /* 1,204 */
	TEXT_DECIMAL,  /* 0.02, at most two decimals */
	TEXT_PERCENT,  /* number is a share of 1: 85 */
	TEXT_TIME,     /* unix_ns: 14:05; with the date unless it is today (relative to now) */
	TEXT_DURATION, /* seconds: 6 d 4 h */
	TEXT_RATE,     /* kbit/s: 15.7 Mb/s */
};

/* A value for the placeholder {name}. */
struct text_value {
	const char *name;
	enum text_kind kind;
	const char *text;    /* TEXT_NAME, TEXT_WORDS */
	double number;	     /* TEXT_COUNT, _DECIMAL, _PERCENT, _DURATION, _RATE */
	int64_t unix_ns;     /* TEXT_TIME */
	int64_t now_unix_ns; /* TEXT_TIME */
};

/* The text as it stands in the catalogue, or NULL for a code that is not in it. */
const char *text_template(enum text_language language, const char *code);

/*
 * Writes the text of a code. Returns 0, -ENOENT (no such code; writes nothing) or -EINVAL (a
 * placeholder without value: "?" is written there).
 */
int text_write(FILE *out, enum text_language language, const char *code,
	       const struct text_value *values, size_t n);

/* One value, as it would stand in a text. */
void text_write_value(FILE *out, enum text_language language, const struct text_value *value);

/* Walks the catalogue: the code at index, or NULL past the end. */
const char *text_code(size_t index);

#endif
