/* SPDX-License-Identifier: BSD-3-Clause */
/* A call_event as JSON, from whoever may post one: read, bounded and checked. */
#ifndef RASAD_ENGINE_MATCH_CALL_JSON_H
#define RASAD_ENGINE_MATCH_CALL_JSON_H

#include <stddef.h>
#include <stdint.h>

struct Rasad__V1__CallEvent;

#define CALL_JSON_BYTES_MAX  16384
#define CALL_JSON_ERROR_SIZE 160
#define CALL_ID_MAX	     64 /* printable ASCII without blanks: it becomes part of a key */

/*
 * Needs a phone, line_number or account; a complaint that is left out is OTHER; a unix_ns that is
 * left out is now_unix_ns. call_id may be left out (""): the caller gives it one. Returns NULL with
 * a sentence in `error` that names the field. Free with rasad__v1__call_event__free_unpacked.
 */
struct Rasad__V1__CallEvent *call_from_json(const char *text, size_t n, int64_t now_unix_ns,
					    char error[CALL_JSON_ERROR_SIZE]);

/* The same checks for a CallEvent that came as protobuf (stream). NULL when it is good, else why. */
const char *call_check(const struct Rasad__V1__CallEvent *call);

#endif
