/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What peers say, made safe: the JSON of a call (the one room of jansson), and paths. Strict, with
 * a sentence that names the field: a misspelt field that is passed over is a call gone wrong.
 */
#ifndef RASAD_TOOLS_RASAD_DESK_REQUEST_H
#define RASAD_TOOLS_RASAD_DESK_REQUEST_H

#include <stdbool.h>
#include <stddef.h>

#include "proto/rasad/v1/call.pb-c.h"

struct request_error {
	char what[256], expected[256];
};

/* A CallEvent of the proto3 JSON mapping; "type" may be there. NULL with error filled in. */
Rasad__V1__CallEvent *request_parse_call(const char *json, size_t n, struct request_error *error);

/*
 * Fills in a call_id ("" becomes 32 hex digits of chance) and the time, and checks what any way in
 * must check. false with error filled in.
 */
bool request_complete_call(Rasad__V1__CallEvent *call, struct request_error *error);

/* 1 to 128 bytes of UTF-8 without controls. */
bool request_is_call_id(const char *text);

/*
 * Splits "/v1/calls/a%2Fb" into its decoded segments, in place. Returns their number, 0 for what
 * is no path: bad escapes, a NUL, invalid UTF-8, more than `max` of them.
 */
size_t request_split_path(char *path, char **segments, size_t max);

#endif
