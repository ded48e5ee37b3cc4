/* SPDX-License-Identifier: BSD-3-Clause */
/* Reading from Redis: whatever stands there is foreign, so it is unpacked within bounds. */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "engine/publish/redis.h"
#include "proto/bounded.h"
#include "tools/rasadctl/ctl.h"

#define ARGUMENTS_MAX 600

void complain(const char *format, ...)
{
	va_list arguments;

	fflush(stdout);
	fputs("rasadctl: ", stderr);
	va_start(arguments, format);
	vfprintf(stderr, format, arguments);
	va_end(arguments);
	fputc('\n', stderr);
}

bool ctl_send(struct ctl *ctl, const char *const *arguments)
{
	size_t lengths[ARGUMENTS_MAX], n = 0;

	for (; arguments[n]; n++)
		lengths[n] = strlen(arguments[n]);
	if (!redis_append(ctl->redis, n, arguments, lengths))
		return true;
	complain("out of memory");
	return false;
}

struct redis_reply *ctl_next(struct ctl *ctl)
{
	struct redis_reply *reply;
	char words[REDIS_ERROR_SIZE];

	if (redis_next(ctl->redis, &reply)) {
		complain("Redis: %s", redis_error(ctl->redis));
		return NULL;
	}
	if (redis_type(reply) != REDIS_REFUSED)
		return reply;
	redis_explain(redis_text(reply, NULL), words);
	complain("Redis: %s", words);
	redis_reply_free(reply);
	return NULL;
}

static bool take_keys(struct ctl *ctl, const struct redis_reply *keys, take_key take, void *context)
{
	for (size_t i = 0; i < redis_count(keys); i++)
		if (!take(ctl, redis_text(redis_element(keys, i), NULL), context))
			return false;
	return true;
}

bool ctl_scan(struct ctl *ctl, const char *pattern, take_key take, void *context)
{
	char cursor[24] = "0";
	bool good;

	do {
		if (!ctl_send(ctl, (const char *[]){"SCAN", cursor, "MATCH", pattern, "COUNT",
						    "1000", NULL}))
			return false;
		struct redis_reply *reply = ctl_next(ctl);
		if (!reply)
			return false;
		snprintf(cursor, sizeof(cursor), "%s", redis_text(redis_element(reply, 0), NULL));
		good = take_keys(ctl, redis_element(reply, 1), take, context);
		redis_reply_free(reply);
	} while (good && strcmp(cursor, "0"));
	return good;
}

ProtobufCMessage *ctl_unpack(const ProtobufCMessageDescriptor *type,
			     const struct redis_reply *reply)
{
	size_t n;
	const char *bytes = redis_text(reply, &n);

	if (redis_type(reply) != REDIS_TEXT)
		return NULL;
	return bounded_unpack(type, (const uint8_t *)bytes, n);
}

bool ctl_ask_time(struct ctl *ctl)
{
	return ctl_send(ctl, (const char *[]){"TIME", NULL});
}

bool ctl_read_time(struct ctl *ctl)
{
	struct redis_reply *reply = ctl_next(ctl);

	if (!reply)
		return false;
	ctl->redis_now_ms = atoll(redis_text(redis_element(reply, 0), NULL)) * 1000 +
			    atoll(redis_text(redis_element(reply, 1), NULL)) / 1000;
	redis_reply_free(reply);
	return true;
}

Rasad__V1__SubscriberCard *ctl_unpack_card(const struct ctl *ctl, const struct redis_reply *reply)
{
	Rasad__V1__SubscriberCard *card = (Rasad__V1__SubscriberCard *)ctl_unpack(
		&rasad__v1__subscriber_card__descriptor, reply);

	if (card && card->summary && card->valid_until_unix_ms > ctl->redis_now_ms)
		return card;
	if (card)
		protobuf_c_message_free_unpacked(&card->base, NULL);
	return NULL;
}

void ctl_print_json(struct ctl *ctl, const ProtobufCMessage *message)
{
	ctl->buffer.length = 0;
	if (!json_append_line(&ctl->buffer, message))
		fwrite(ctl->buffer.text, ctl->buffer.length, 1, stdout);
}
