/* SPDX-License-Identifier: BSD-3-Clause */
/* Commands and stored messages, for all that speak to Redis here. Errors are -EIO and -ENOMEM. */
#ifndef RASAD_TOOLS_RASAD_DESK_STORE_H
#define RASAD_TOOLS_RASAD_DESK_STORE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <protobuf-c/protobuf-c.h>

#include "engine/publish/redis.h"
#include "proto/rasad/v1/card.pb-c.h"

struct desk;

struct bytes {
	uint8_t *data; /* owned */
	size_t n;
};

/* Queues a command of texts, NULL at the end. */
int store_append(struct redis *redis, const char *const *arguments);
/* One command, whose reply is of no interest but for its being refused: then -EPROTO. */
int store_do(struct redis *redis, const char *const *arguments);

/* Within bounds; NULL when the reply is no such message. */
ProtobufCMessage *store_unpack(const ProtobufCMessageDescriptor *type,
			       const struct redis_reply *reply);
/* {NULL} when there is no memory. */
struct bytes store_pack(const ProtobufCMessage *message);
ProtobufCMessage *store_copy(const ProtobufCMessage *message);

/* TIME, for desk_wall_ms: queue it with other questions, then read it. */
int store_ask_time(struct redis *redis);
int store_read_time(struct desk *desk, struct redis *redis);

/* HGET of a card; and its reply: the card that is still good, or NULL. */
int store_ask_card(struct redis *redis, const char *sub_id);
int store_read_card(struct desk *desk, struct redis *redis, Rasad__V1__SubscriberCard **card);

/* Of the fields t v k p of an entry; NULL when it is not there. */
const struct redis_reply *store_field(const struct redis_reply *entry, const char *name);

#endif
