/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Pieces of protobuf messages on the heap, so that free_unpacked frees the whole. A piece that
 * could not be had makes `failed` true, and the message as a whole is thrown away at the end.
 */
#ifndef RASAD_ENGINE_MATCH_BUILD_H
#define RASAD_ENGINE_MATCH_BUILD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

struct draft_term;
struct Rasad__V1__Reason;

struct build {
	bool failed;
};

/* Sets a string field; "" and NULL leave it empty. What was there is freed. */
void build_text(struct build *build, char **field, const char *text);
/* Appends to a repeated field of pointers. A NULL element is a failure before. */
void build_append(struct build *build, void *list, size_t *n, void *element);
void build_append_text(struct build *build, char ***list, size_t *n, const char *text);

/* A text that grows: write to build_open's stream, then build_close sets the field. */
struct build_stream {
	FILE *file;
	char *bytes;
	size_t length;
};

/* NULL: failed. */
FILE *build_open(struct build *build, struct build_stream *stream);
void build_close(struct build *build, struct build_stream *stream, char **field);

/* NULL: failed. */
struct Rasad__V1__Reason *build_reason(struct build *build, const struct draft_term *term);

#endif
