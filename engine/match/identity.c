/* SPDX-License-Identifier: BSD-3-Clause */
#include "engine/match/identity.h"

#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "engine/base/phone.h"
#include "proto/rasad/v1/call.pb-c.h"

/* U+0660.. (D9 A0) and U+06F0.. (DB B0): the digit, or -1. */
static int foreign_digit(const unsigned char *at)
{
	unsigned zero = at[0] == 0xD9 ? 0xA0 : at[0] == 0xDB ? 0xB0 : 0;

	return zero && at[1] >= zero && at[1] <= zero + 9 ? (int)(at[1] - zero) : -1;
}

/* U+200C..U+200F, U+202A..U+202E, U+2066..U+2069, U+FEFF: length of the mark, or 0. */
static size_t bidi_mark(const unsigned char *at)
{
	if (at[0] == 0xEF && at[1] == 0xBB && at[2] == 0xBF)
		return 3;
	if (at[0] != 0xE2 || (at[1] != 0x80 && at[1] != 0x81))
		return 0;
	bool mark = at[1] == 0x80
			    ? (at[2] >= 0x8C && at[2] <= 0x8F) || (at[2] >= 0xAA && at[2] <= 0xAE)
			    : at[2] >= 0xA6 && at[2] <= 0xA9;
	return mark ? 3 : 0;
}

size_t identity_clean(const char *text, char *out, size_t size)
{
	const unsigned char *at = (const unsigned char *)text;
	size_t n = 0;

	while (*at && n + 1 < size) {
		size_t mark = bidi_mark(at);
		int digit = foreign_digit(at);
		if (mark) {
			at += mark;
		} else if (digit >= 0) {
			out[n++] = (char)('0' + digit);
			at += 2;
		} else if (*at == ' ' && !n) {
			at++;
		} else {
			out[n++] = (char)*at++;
		}
	}
	while (n && strchr(" \t\r\n", out[n - 1]))
		n--;
	out[n] = 0;
	return n;
}

struct keys {
	struct identity_key *keys;
	size_t n;
};

static void add(struct keys *keys, enum identity_kind kind, const char *text)
{
	for (size_t i = 0; i < keys->n; i++)
		if (keys->keys[i].kind == kind && !strcmp(keys->keys[i].text, text))
			return;
	if (!*text || keys->n == IDENTITY_KEYS_MAX)
		return;
	struct identity_key *key = &keys->keys[keys->n++];
	key->kind = kind;
	snprintf(key->text, sizeof(key->text), "%s", text);
}

static void add_phone(struct keys *keys, const char *text)
{
	char e164[PHONE_SIZE];

	if (text && !phone_normalise(text, e164))
		add(keys, IDENTITY_PHONE, e164);
}

size_t identity_keys(const Rasad__V1__CallEvent *call, struct identity_key keys[IDENTITY_KEYS_MAX])
{
	struct keys found = {.keys = keys};
	char account[IDENTITY_TEXT_SIZE], line[IDENTITY_TEXT_SIZE], phone[IDENTITY_TEXT_SIZE];

	identity_clean(call->account, account, sizeof(account));
	identity_clean(call->line_number, line, sizeof(line));
	identity_clean(call->phone, phone, sizeof(phone));
	add(&found, IDENTITY_ACCOUNT, account);
	add_phone(&found, line);
	add(&found, IDENTITY_CIRCUIT, line);
	add_phone(&found, phone);
	/* Many ISPs give the number of the line as user name. */
	add_phone(&found, account);
	return found.n;
}
