/* SPDX-License-Identifier: BSD-3-Clause */
#include "tools/rasad-replay/text_parts.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "tools/lib/tidy.h"

void *text_add_row(void **rows, size_t *n, size_t *room, size_t size)
{
	if (*n == *room) {
		size_t more = *room ? 2 * *room : 64;
		void *grown = realloc(*rows, more * size);
		if (!grown)
			return NULL;
		*rows = grown;
		*room = more;
	}
	return memset((char *)*rows + (*n)++ * size, 0, size);
}

void text_copy(char *to, size_t room, const char *from)
{
	tidy_text(to, room, from ? from : "");
}

static const char *format(int64_t unix_ns, const char *form, char to[TEXT_TIME])
{
	time_t s = (time_t)(unix_ns / 1000000000);
	struct tm tm;
	gmtime_r(&s, &tm);
	strftime(to, TEXT_TIME, form, &tm);
	return to;
}

const char *text_time(int64_t unix_ns, char to[TEXT_TIME])
{
	return format(unix_ns, "%H:%M:%S", to);
}

const char *text_date(int64_t unix_ns, char to[TEXT_TIME])
{
	return format(unix_ns, "%Y-%m-%d %H:%M:%S", to);
}
