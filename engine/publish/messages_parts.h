/* SPDX-License-Identifier: BSD-3-Clause */
/* What record -> message has in common over all messages. */
#ifndef RASAD_ENGINE_PUBLISH_MESSAGES_PARTS_H
#define RASAD_ENGINE_PUBLISH_MESSAGES_PARTS_H

#include <stddef.h>

#include "engine/publish/arena.h"

/* A new message of its type, or leaves the function. */
#define NEW(arena, type)                                                                           \
	({                                                                                         \
		Rasad__V1__##type *new_message = arena_take(arena, sizeof(*new_message));          \
		if (!new_message)                                                                  \
			return NULL;                                                               \
		new_message;                                                                       \
	})

/* proto3 `optional` by hand: the member of a oneof of one. */
#define SET(message, TYPE, FIELD, field, number)                                                   \
	do {                                                                                       \
		(message)->has_##field##_case = RASAD__V1__##TYPE##__HAS_##FIELD##_##FIELD;        \
		(message)->field = (number);                                                       \
	} while (0)

#define SET_TIME(message, TYPE, FIELD, field, time)                                                \
	do {                                                                                       \
		if ((time) != REPORT_ABSENT)                                                       \
			SET(message, TYPE, FIELD, field, time);                                    \
	} while (0)

#define SET_NONZERO(message, TYPE, FIELD, field, number)                                           \
	do {                                                                                       \
		if (number)                                                                        \
			SET(message, TYPE, FIELD, field, number);                                  \
	} while (0)

/* UTF-8 of any bytes; NULL is "". It may be `from` itself: protobuf-c wants char *, and does not
 * write to it. */
char *message_text(struct arena *arena, const char *from);
/* *n becomes 0 without memory. */
char **message_texts(struct arena *arena, const char *const *from, size_t *n);

#endif
