/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Who calls: what the ticket tier typed, as names by which a line can be found.
 *
 * People type digits in three scripts, with and without country code, and put the number of the
 * DSL line or the user name in whatever field is there. A phone may own several lines, a line has
 * one card; looking names up in indexes is the caller's work.
 */
#ifndef RASAD_ENGINE_MATCH_IDENTITY_H
#define RASAD_ENGINE_MATCH_IDENTITY_H

#include <stddef.h>

struct Rasad__V1__CallEvent;

#define IDENTITY_KEYS_MAX  5
#define IDENTITY_TEXT_SIZE 256

/* The index to ask. */
enum identity_kind {
	IDENTITY_ACCOUNT, /* PPP user name */
	IDENTITY_PHONE,	  /* E.164; the numbers of DSL lines are in the same index */
	IDENTITY_CIRCUIT, /* access-loop circuit-id or line name */
};

struct identity_key {
	enum identity_kind kind;
	char text[IDENTITY_TEXT_SIZE];
};

/*
 * The names of a call, in the order to try them: account, number of the line, phone. The first
 * that names a line wins. Returns their number, 0 when the call names nobody.
 */
size_t identity_keys(const struct Rasad__V1__CallEvent *call,
		     struct identity_key keys[IDENTITY_KEYS_MAX]);

/*
 * Copies text with Persian and Arabic-Indic digits as ASCII, bidi marks and outer blanks taken
 * away; a text that does not fit is cut. Returns the length.
 */
size_t identity_clean(const char *text, char *out, size_t size);

#endif
