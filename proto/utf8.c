/* SPDX-License-Identifier: BSD-3-Clause */
#include "proto/utf8.h"

#include <stdint.h>
#include <string.h>

size_t utf8_length(const char *text, size_t n)
{
	const unsigned char *byte = (const unsigned char *)text;
	unsigned char first = byte[0];
	size_t length = first < 0x80   ? 1
			: first < 0xC2 ? 0
			: first < 0xE0 ? 2
			: first < 0xF0 ? 3
				       : 4;

	if (!length || first > 0xF4 || length > n)
		return 0;
	for (size_t i = 1; i < length; i++)
		if ((byte[i] & 0xC0) != 0x80)
			return 0;
	if ((first == 0xE0 && byte[1] < 0xA0) || (first == 0xED && byte[1] > 0x9F) ||
	    (first == 0xF0 && byte[1] < 0x90) || (first == 0xF4 && byte[1] > 0x8F))
		return 0;
	return length;
}

/* Eight bytes of ASCII, as nearly all names are. */
static bool is_plain(const char *text)
{
	uint64_t word;

	memcpy(&word, text, sizeof(word));
	return !(word & 0x8080808080808080u);
}

bool utf8_is_valid(const char *text, size_t n)
{
	for (size_t i = 0, length; i < n; i += length) {
		length = n - i >= 8 && is_plain(text + i) ? 8 : utf8_length(text + i, n - i);
		if (!length)
			return false;
	}
	return true;
}

size_t utf8_clean(const char *text, size_t n, char *out)
{
	char *at = out;

	for (size_t i = 0; i < n;) {
		size_t length = utf8_length(text + i, n - i);
		const char *from = length ? text + i : UTF8_REPLACEMENT;
		size_t put = length ? length : sizeof(UTF8_REPLACEMENT) - 1;
		memcpy(at, from, put);
		at += put;
		i += length ? length : 1;
	}
	*at = 0;
	return (size_t)(at - out);
}
