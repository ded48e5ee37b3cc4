/* SPDX-License-Identifier: BSD-3-Clause */
#include "engine/publish/sweep.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "engine/publish/deliver.h"
#include "engine/publish/deliver_parts.h"
#include "engine/publish/encode_card.h"
#include "engine/publish/keyspace.h"
#include "proto/bounded.h"
#include "proto/rasad/v1/card.pb-c.h"

#define INTERVAL_MS  1000
#define COUNT	     "512" /* cards, more or less: HSCAN is not exact */
#define AT_ONCE	     128   /* dead cards; more wait for the next look */
#define SUB_ID_WIDTH (KEYSPACE_SUB_ID_SIZE - 1)

/* What is no card is not ours to remove. */
static bool is_dead(const struct redis_reply *card, int64_t now_ms)
{
	size_t n;
	const uint8_t *bytes = (const uint8_t *)redis_text(card, &n);
	if (encode_card_good_until(bytes, n) >= now_ms - KEYSPACE_CARD_TTL_S * 1000)
		return false; /* as nearly all: the rest need not be read */
	Rasad__V1__SubscriberCard *read = (Rasad__V1__SubscriberCard *)bounded_unpack(
		&rasad__v1__subscriber_card__descriptor, bytes, n);
	bool dead = read && *read->sub_id &&
		    read->valid_until_unix_ms < now_ms - KEYSPACE_CARD_TTL_S * 1000;

	if (read)
		protobuf_c_message_free_unpacked(&read->base, NULL);
	return dead;
}

/* Lists HDEL key and the dead fields of the page. Returns the number of arguments. */
static size_t list_dead(const struct redis_reply *page, int64_t now_ms, const char *key,
			const char **arguments)
{
	size_t n = 2;

	arguments[0] = "HDEL";
	arguments[1] = key;
	for (size_t i = 0; i + 1 < redis_count(page) && n < 2 + AT_ONCE; i += 2) {
		size_t width;
		const char *field = redis_text(redis_element(page, i), &width);
		if (width == SUB_ID_WIDTH && is_dead(redis_element(page, i + 1), now_ms))
			arguments[n++] = field;
	}
	arguments[n] = NULL;
	return n;
}

static int discard(struct delivery *delivery, size_t n)
{
	struct redis_reply *reply;

	for (; n; n--) {
		if (redis_next(delivery->redis, &reply))
			return deliver_lost_connection(delivery);
		redis_reply_free(reply);
	}
	return 0;
}

/* The watched bucket is as it was read, or EXEC does nothing. */
static int remove_dead(struct delivery *delivery, const char *const *arguments)
{
	size_t lengths[2 + AT_ONCE], n = 0;
	struct redis_reply *exec;

	for (; arguments[n]; n++)
		lengths[n] = strlen(arguments[n]);
	if (deliver_append(delivery, (const char *[]){"MULTI", NULL}) ||
	    redis_append(delivery->redis, n, arguments, lengths) ||
	    deliver_append(delivery, (const char *[]){"EXEC", NULL}))
		return -ENOMEM;
	if (discard(delivery, 2))
		return -EIO;
	if (redis_next(delivery->redis, &exec))
		return deliver_lost_connection(delivery);
	delivery->cards_removed += (uint64_t)redis_integer(redis_element(exec, 0));
	redis_reply_free(exec);
	return 0;
}

/* What is done about the page; the watch ends in any case. */
static int judge(struct delivery *delivery, const struct redis_reply *page, const char *key)
{
	const char *arguments[2 + AT_ONCE + 1];
	int64_t now_ms = deliver_now_ms() + delivery->clock_offset_ms;

	if (list_dead(page, now_ms, key, arguments) > 2)
		return remove_dead(delivery, arguments);
	if (deliver_append(delivery, (const char *[]){"UNWATCH", NULL}))
		return -ENOMEM;
	return discard(delivery, 1);
}

/* A page that could not be had is none: the next bucket. */
static void move_on(struct delivery *delivery, const struct redis_reply *scan)
{
	const char *cursor = redis_text(redis_element(scan, 0), NULL);

	snprintf(delivery->sweep_cursor, sizeof(delivery->sweep_cursor), "%s",
		 *cursor ? cursor : "0");
	if (!strcmp(delivery->sweep_cursor, "0"))
		delivery->sweep_bucket = (delivery->sweep_bucket + 1) % KEYSPACE_BUCKETS;
}

static int look(struct delivery *delivery)
{
	struct redis_reply *scan;
	const char *cursor = *delivery->sweep_cursor ? delivery->sweep_cursor : "0";
	keyspace_key key;

	keyspace_bucket(delivery->sweep_bucket, key);
	if (deliver_append(delivery, (const char *[]){"WATCH", key, NULL}) ||
	    deliver_append(delivery, (const char *[]){"HSCAN", key, cursor, "COUNT", COUNT, NULL}))
		return -ENOMEM;
	if (discard(delivery, 1))
		return -EIO;
	if (redis_next(delivery->redis, &scan))
		return deliver_lost_connection(delivery);
	int status = judge(delivery, redis_element(scan, 1), key);
	move_on(delivery, scan);
	redis_reply_free(scan);
	return status;
}

int sweep(struct delivery *delivery)
{
	if (deliver_now_ms() < delivery->swept_ms + INTERVAL_MS)
		return 0;
	delivery->swept_ms = deliver_now_ms();
	return look(delivery);
}
