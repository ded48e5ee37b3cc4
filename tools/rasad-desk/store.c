/* SPDX-License-Identifier: BSD-3-Clause */
#include "tools/rasad-desk/store.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "engine/publish/keyspace.h"
#include "proto/bounded.h"
#include "proto/rasad/v1/card.pb-c.h"
#include "tools/rasad-desk/desk.h"

#define ARGUMENTS_MAX 16

int store_append(struct redis *redis, const char *const *arguments)
{
	size_t lengths[ARGUMENTS_MAX], n = 0;

	for (; arguments[n] && n < ARGUMENTS_MAX; n++)
		lengths[n] = strlen(arguments[n]);
	return redis_append(redis, n, arguments, lengths);
}

int store_do(struct redis *redis, const char *const *arguments)
{
	struct redis_reply *reply;
	int status = redis_ask(redis, &reply, arguments);

	if (!status && redis_type(reply) == REDIS_REFUSED)
		status = -EPROTO;
	redis_reply_free(reply);
	return status;
}

ProtobufCMessage *store_unpack(const ProtobufCMessageDescriptor *type,
			       const struct redis_reply *reply)
{
	size_t n;
	const char *bytes = redis_text(reply, &n);

	if (redis_type(reply) != REDIS_TEXT)
		return NULL;
	return bounded_unpack(type, (const uint8_t *)bytes, n);
}

struct bytes store_pack(const ProtobufCMessage *message)
{
	size_t n = protobuf_c_message_get_packed_size(message);
	struct bytes bytes = {.data = malloc(n + 1), .n = n};

	if (bytes.data)
		protobuf_c_message_pack(message, bytes.data);
	return bytes;
}

ProtobufCMessage *store_copy(const ProtobufCMessage *message)
{
	struct bytes bytes = store_pack(message);
	ProtobufCMessage *copy = bytes.data ? protobuf_c_message_unpack(message->descriptor, NULL,
									bytes.n, bytes.data)
					    : NULL;

	free(bytes.data);
	return copy;
}

int store_ask_time(struct redis *redis)
{
	return store_append(redis, (const char *[]){"TIME", NULL});
}

int store_read_time(struct desk *desk, struct redis *redis)
{
	struct redis_reply *reply;

	if (redis_next(redis, &reply))
		return -EIO;
	if (redis_count(reply) == 2)
		atomic_store(&desk->clock_offset_ms,
			     atoll(redis_text(redis_element(reply, 0), NULL)) * 1000 +
				     atoll(redis_text(redis_element(reply, 1), NULL)) / 1000 -
				     desk_now_ms());
	redis_reply_free(reply);
	return 0;
}

int store_ask_card(struct redis *redis, const char *sub_id)
{
	keyspace_key key;

	keyspace_card(sub_id, key);
	return store_append(redis, (const char *[]){"HGET", key, sub_id, NULL});
}

int store_read_card(struct desk *desk, struct redis *redis, Rasad__V1__SubscriberCard **card)
{
	struct redis_reply *reply;

	*card = NULL;
	if (redis_next(redis, &reply))
		return -EIO;
	*card = (Rasad__V1__SubscriberCard *)store_unpack(&rasad__v1__subscriber_card__descriptor,
							  reply);
	redis_reply_free(reply);
	if (!*card)
		return 0;
	if ((*card)->summary && (*card)->valid_until_unix_ms > desk_wall_ms(desk)) {
		desk_saw_time(desk, (*card)->unix_ns);
		return 0;
	}
	rasad__v1__subscriber_card__free_unpacked(*card, NULL);
	*card = NULL;
	return 0;
}

const struct redis_reply *store_field(const struct redis_reply *entry, const char *name)
{
	const struct redis_reply *fields = redis_element(entry, 1);

	for (size_t i = 0; i + 1 < redis_count(fields); i += 2)
		if (!strcmp(redis_text(redis_element(fields, i), NULL), name))
			return redis_element(fields, i + 1);
	return NULL;
}
