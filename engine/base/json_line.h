/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Reads one flat JSON object (RFC 8259), a line of an NDJSON stream, member by member and in place.
 *
 * A day of a million lines is a gigabyte of events: a tree of values would cost ten times as much
 * as what is done with them. Members that are objects or arrays are stepped over. Untrusted input:
 * every byte is checked, nesting is limited.
 */
#ifndef RASAD_ENGINE_BASE_JSON_LINE_H
#define RASAD_ENGINE_BASE_JSON_LINE_H

#include <stdbool.h>
#include <stdint.h>

enum json_kind { JSON_END, JSON_TEXT, JSON_NUMBER, JSON_WORD, JSON_NESTED, JSON_WRONG };

struct json_line {
	char *at, *end;
	bool begun;
	char delimiter;	   /* behind the last value, when that was read with it */
	const char *wrong; /* what is wrong with it, after JSON_WRONG */
};

/* `key` and `text` are zero-terminated, in the line, unescaped. A number or word (true, false,
 * null) has its spelling in `text`; a whole number that fits has its value too. */
struct json_member {
	const char *key, *text;
	int64_t number;
	bool whole; /* `number` is the value */
};

/* line[length] must be writable: it takes the last terminator. */
struct json_line json_line_begin(char *line, uint64_t length);
enum json_kind json_line_next(struct json_line *line, struct json_member *member);

#endif
