/* SPDX-License-Identifier: BSD-3-Clause */
#include "engine/publish/deliver_cards.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "engine/publish/deliver.h"
#include "engine/publish/deliver_indexes.h"
#include "engine/publish/deliver_parts.h"
#include "engine/publish/encode_card.h"
#include "engine/publish/keyspace.h"
#include "engine/publish/sweep.h"

#define RUNS_AT_ONCE 4

static unsigned bucket_of(const struct item *item)
{
	return item->coalesce_key % KEYSPACE_BUCKETS;
}

/* The end of the run of cards that go in one command. The queue has put those of a bucket together. */
static size_t run_end(struct item *const *items, size_t start, size_t n)
{
	size_t end = start + 1;

	while (end < n && end - start < CARDS_AT_ONCE &&
	       bucket_of(items[end]) == bucket_of(items[start]))
		end++;
	return end;
}

static int append_expire(struct delivery *delivery, const char *key)
{
	char ttl_s[16];

	snprintf(ttl_s, sizeof(ttl_s), "%d", KEYSPACE_CARD_TTL_S);
	return deliver_append(delivery, (const char *[]){"EXPIRE", key, ttl_s, NULL});
}

static int append_run(struct delivery *delivery, struct item **items, size_t n)
{
	const char *arguments[2 + 2 * CARDS_AT_ONCE] = {"HSET"};
	size_t lengths[2 + 2 * CARDS_AT_ONCE] = {4}, at = 2;
	int64_t now_ms = deliver_now_ms() + delivery->clock_offset_ms;
	keyspace_key key;

	keyspace_bucket(bucket_of(items[0]), key);
	arguments[1] = key;
	lengths[1] = strlen(key);
	for (size_t i = 0; i < n; i++, at += 2) {
		struct item *item = items[i];
		encode_card_stamp(item->payload, item->n_payload,
				  now_ms + KEYSPACE_CARD_TTL_S * 1000);
		arguments[at] = item->name;
		lengths[at] = KEYSPACE_SUB_ID_SIZE - 1;
		arguments[at + 1] = (const char *)item->payload;
		lengths[at + 1] = item->n_payload;
	}
	int status = redis_append(delivery->redis, at, arguments, lengths);
	return status ? status : append_expire(delivery, key);
}

/*
 * Which cards of a run need their indexes: those whose names were not told lately; and all of them
 * when cards that we had put there were not, for then the server has lost more than cards. *due:
 * where the next one goes.
 */
static void list_due(const struct delivery *delivery, struct item **items, size_t n,
		     long long added, struct item ***due)
{
	struct item **first = *due;
	long long n_untold = 0;

	for (size_t i = 0; i < n; i++) {
		enum index_state state = index_state(delivery, items[i]);
		n_untold += state == INDEX_UNTOLD;
		if (state != INDEX_FRESH)
			*(*due)++ = items[i];
	}
	if (added > n_untold) {
		memcpy(first, items, n * sizeof(*items));
		*due = first + n;
	}
}

/* Reads the replies to the HSET and the EXPIRE of a run. */
static int read_run(struct delivery *delivery, struct item **items, size_t n, struct item ***due)
{
	struct redis_reply *reply;

	if (redis_next(delivery->redis, &reply))
		return deliver_lost_connection(delivery);
	if (redis_type(reply) == REDIS_REFUSED) {
		redis_explain(redis_text(reply, NULL), delivery->error);
		delivery->refused += n;
	} else {
		delivery->cards_published += n;
		list_due(delivery, items, n, redis_integer(reply), due);
	}
	redis_reply_free(reply);
	if (redis_next(delivery->redis, &reply)) /* the bucket is there, or its HSET was refused */
		return deliver_lost_connection(delivery);
	redis_reply_free(reply);
	return 0;
}

static int read_time(struct delivery *delivery)
{
	struct redis_reply *reply;

	if (redis_next(delivery->redis, &reply))
		return deliver_lost_connection(delivery);
	int status = deliver_take_time(delivery, reply);
	redis_reply_free(reply);
	return status;
}

static int append_cards(struct delivery *delivery, struct item **items, size_t n)
{
	for (size_t i = 0, end, runs = 0; i < n; i = end) {
		end = run_end(items, i, n);
		if (append_run(delivery, items + i, end - i))
			return -ENOMEM;
		/* Redis begins while we write the next ones. */
		if (++runs % RUNS_AT_ONCE == 0 && redis_flush(delivery->redis))
			return deliver_lost_connection(delivery);
	}
	return deliver_append(delivery, (const char *[]){"TIME", NULL});
}

static int read_cards(struct delivery *delivery, struct item **items, size_t n, struct item **due,
		      size_t *n_due)
{
	struct item **next = due;

	for (size_t i = 0, end; i < n; i = end) {
		end = run_end(items, i, n);
		int status = read_run(delivery, items + i, end - i, &next);
		if (status)
			return status;
	}
	*n_due = (size_t)(next - due);
	return read_time(delivery);
}

int deliver_cards(struct delivery *delivery, struct item **items, size_t n)
{
	struct item *due[DELIVER_BATCH];
	size_t n_due = 0;
	int status = append_cards(delivery, items, n);

	status = status ? status : read_cards(delivery, items, n, due, &n_due);
	status = status ? status : deliver_indexes(delivery, due, n_due);
	for (size_t i = 0; i < n && !status; i++)
		items[i]->settled = true;
	return status ? status : sweep(delivery);
}
