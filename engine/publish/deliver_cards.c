/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A card is one SET. Each index that leads to it is read, added to, and written back: a name may
 * own several lines, even lines of another engine, and Redis remembers that across restarts
 * where a table in memory would not. Within a batch the cards are sorted by index key, so that a
 * key is read and written once, whichever cards share it.
 */
#include "engine/publish/deliver_cards.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "engine/publish/codec.h"
#include "engine/publish/deliver.h"
#include "engine/publish/keyspace.h"

struct reference {
	const char *key;
	const char *sub_id; /* 16 digits at the end of the card's key */
};

struct references {
	struct reference *list;
	size_t n;
};

static int by_key(const void *a, const void *b)
{
	return strcmp(((const struct reference *)a)->key, ((const struct reference *)b)->key);
}

static const char *sub_id_of(const struct item *item)
{
	return item->names + strlen(item->names) - (KEYSPACE_SUB_ID_SIZE - 1);
}

/* All index keys of the cards, sorted. list == NULL: out of memory. */
static struct references collect(struct item **items, size_t n)
{
	struct references all = {0};
	size_t capacity = 1;

	for (size_t i = 0; i < n; i++)
		capacity += items[i]->n_names;
	all.list = calloc(capacity, sizeof(*all.list));
	if (!all.list)
		return all;
	for (size_t i = 0; i < n; i++) {
		const char *name = items[i]->names;
		for (size_t k = 1; k < items[i]->n_names; k++) {
			name += strlen(name) + 1;
			all.list[all.n++] = (struct reference){name, sub_id_of(items[i])};
		}
	}
	qsort(all.list, all.n, sizeof(*all.list), by_key);
	return all;
}

/* The end of the run of equal keys that begins at start. */
static size_t run_end(const struct references *all, size_t start)
{
	size_t end = start + 1;

	while (end < all->n && !strcmp(all->list[end].key, all->list[start].key))
		end++;
	return end;
}

static int append_reads(struct delivery *delivery, const struct references *all)
{
	for (size_t i = 0; i < all->n; i = run_end(all, i))
		if (deliver_append(delivery, (const char *[]){"GET", all->list[i].key, NULL}))
			return -ENOMEM;
	return 0;
}

/* Queues SET of one index: what it held, and the lines of the run. */
static int append_index(struct delivery *delivery, const struct reference *run, size_t n,
			const struct redis_reply *held)
{
	size_t n_held;
	struct codec_bytes value = {0};
	const char *bytes = redis_text(held, &n_held);

	if (redis_type(held) != REDIS_TEXT)
		n_held = 0;
	int status = codec_index_add(delivery->codec, (const uint8_t *)bytes, n_held, run[0].sub_id,
				     &value);
	for (size_t i = 1; i < n && !status; i++)
		status = codec_index_add(delivery->codec, value.data, value.length, run[i].sub_id,
					 &value);
	return status ? status
		      : deliver_append_set(delivery, run[0].key, value.data, value.length,
					   KEYSPACE_CARD_TTL_S);
}

/* Reads the indexes and queues them with their additions. Their number goes to *n_keys. */
static int merge_indexes(struct delivery *delivery, const struct references *all, size_t *n_keys)
{
	*n_keys = 0;
	/* The next reply is read before its SET is queued: one pipeline carries both ways. */
	for (size_t i = 0, end; i < all->n; i = end, ++*n_keys) {
		struct redis_reply *held;
		end = run_end(all, i);
		if (redis_next(delivery->redis, &held))
			return deliver_lost_connection(delivery);
		int status = append_index(delivery, &all->list[i], end - i, held);
		redis_reply_free(held);
		if (status)
			return status;
	}
	return 0;
}

static int deliver_with_indexes(struct delivery *delivery, struct item **items, size_t n,
				const struct references *all)
{
	size_t n_keys;
	int status = append_reads(delivery, all);

	status = status ? status : merge_indexes(delivery, all, &n_keys);
	if (status)
		return status;
	for (size_t i = 0; i < n; i++)
		if (deliver_append_set(delivery, items[i]->names, items[i]->payload,
				       items[i]->n_payload, KEYSPACE_CARD_TTL_S))
			return -ENOMEM;
	status = deliver_read_sets(delivery, n_keys);
	uint64_t refused_before = delivery->refused;
	status = status ? status : deliver_read_sets(delivery, n);
	if (!status)
		delivery->cards_published += n - (delivery->refused - refused_before);
	return status;
}

int deliver_cards(struct delivery *delivery, struct item **items, size_t n)
{
	struct references all = collect(items, n);

	if (!all.list)
		return -ENOMEM;
	int status = deliver_with_indexes(delivery, items, n, &all);
	for (size_t i = 0; i < n && !status; i++)
		items[i]->settled = true;
	free(all.list);
	return status;
}
