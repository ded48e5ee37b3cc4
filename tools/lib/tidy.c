/* SPDX-License-Identifier: BSD-3-Clause */
#include "tools/lib/tidy.h"

#include <stdbool.h>
#include <string.h>

#include "proto/utf8.h"

/* C0, DEL and C1 controls, and the bidi overrides that make a line read as another. */
static bool is_harmful(const char *at, size_t length)
{
	unsigned char first = (unsigned char)at[0];

	if (length == 1)
		return first < 0x20 || first == 0x7f;
	if (length == 2)
		return first == 0xC2 && (unsigned char)at[1] < 0xA0;
	return length == 3 && !memcmp(at, "\xE2\x80", 2) && (unsigned char)at[2] >= 0xAA &&
	       (unsigned char)at[2] <= 0xAE;
}

void tidy_text(char *to, size_t room, const char *from)
{
	for (size_t length, n = strlen(from); n; from += length, n -= length) {
		length = utf8_length(from, n);
		bool bad = !length || is_harmful(from, length);
		size_t put = bad ? sizeof(UTF8_REPLACEMENT) - 1 : length;
		if (put >= room)
			break;
		memcpy(to, bad ? UTF8_REPLACEMENT : from, put);
		to += put;
		room -= put;
		length = length ? length : 1;
	}
	*to = 0;
}
