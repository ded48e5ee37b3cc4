/* SPDX-License-Identifier: BSD-3-Clause */
#include "tools/rasad-desk/request.h"

#include <stdbool.h>
#include <string.h>

#include "proto/utf8.h"

static int hex_digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	c |= 0x20;
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

static bool decode(char *text)
{
	char *to = text;

	for (const char *from = text; *from; from++) {
		if (*from != '%') {
			*to++ = *from;
			continue;
		}
		int high = hex_digit(from[1]), low = high < 0 ? -1 : hex_digit(from[2]);
		if (low < 0 || !(high | low))
			return false;
		*to++ = (char)(high << 4 | low);
		from += 2;
	}
	*to = 0;
	return true;
}

size_t request_split_path(char *path, char **segments, size_t max)
{
	size_t n = 0;
	char *rest = *path == '/' ? path + 1 : NULL;

	for (char *part; (part = strsep(&rest, "/"));) {
		if (n == max || !decode(part) || !utf8_is_valid(part, strlen(part)))
			return 0;
		segments[n++] = part;
	}
	return n;
}
