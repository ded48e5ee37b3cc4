/* SPDX-License-Identifier: BSD-3-Clause */
#include "engine/publish/messages_parts.h"

#include <string.h>

#include <protobuf-c/protobuf-c.h>

#include "proto/utf8.h"

char *message_text(struct arena *arena, const char *from)
{
	size_t n = from ? strlen(from) : 0;

	if (!n)
		return (char *)protobuf_c_empty_string;
	if (utf8_is_valid(from, n))
		return (char *)from;
	char *clean = arena_take(arena, 3 * n + 1);
	if (!clean)
		return (char *)protobuf_c_empty_string;
	utf8_clean(from, n, clean);
	return clean;
}

char **message_texts(struct arena *arena, const char *const *from, size_t *n)
{
	char **to = arena_take(arena, *n * sizeof(*to));

	if (!to)
		*n = 0;
	for (size_t i = 0; i < *n; i++)
		to[i] = message_text(arena, from[i]);
	return to;
}
