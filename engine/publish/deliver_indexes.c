/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Within a batch the references are sorted by index key, so that a key is read and written once,
 * whichever cards share it.
 */
#include "engine/publish/deliver_indexes.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "engine/publish/card_names.h"
#include "engine/publish/codec.h"
#include "engine/publish/deliver.h"
#include "engine/publish/deliver_parts.h"
#include "engine/publish/keyspace.h"

#define TOLD_MAX 16384 /* name sets of a bucket: 64 MB in all buckets, twice that while they grow */
#define RENEW_S	 (KEYSPACE_INDEX_TTL_S / 4)
#define AT_ONCE	 64 /* cards: some 450 indexes, and 8 KiB of names each */

struct reference {
	const char *key;
	const char *sub_id;
};

struct references {
	struct card_names names[AT_ONCE];
	struct reference list[AT_ONCE * CARD_NAMES_MAX];
	size_t n;
};

/* --- what was told --- */

static uint32_t now_s(void)
{
	return (uint32_t)(deliver_now_ms() / 1000);
}

static uint64_t told_key(const struct item *card)
{
	return card->names ? card->names : 1; /* a map has no key 0 */
}

enum index_state index_state(const struct delivery *delivery, const struct item *card)
{
	const struct map *told = &delivery->told[card->coalesce_key % KEYSPACE_BUCKETS];
	const uint32_t *told_s = map_find(told, told_key(card));

	if (!told_s)
		return INDEX_UNTOLD;
	return now_s() - *told_s < RENEW_S + card->names % RENEW_S ? INDEX_FRESH : INDEX_DUE;
}

/* Without memory it is not remembered, and told again: no harm. */
static void remember(struct delivery *delivery, struct item *const *cards, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		struct map *told = &delivery->told[cards[i]->coalesce_key % KEYSPACE_BUCKETS];
		if (told->used > TOLD_MAX)
			map_fini(told);
		map_put(told, told_key(cards[i]), now_s());
	}
}

void deliver_forget_indexes(struct delivery *delivery)
{
	for (size_t i = 0; i < KEYSPACE_BUCKETS; i++)
		map_fini(&delivery->told[i]);
}

/* --- telling --- */

static int by_key(const void *a, const void *b)
{
	return strcmp(((const struct reference *)a)->key, ((const struct reference *)b)->key);
}

/* All index keys of the cards, sorted. */
static void collect(struct references *all, struct item *const *cards, size_t n)
{
	all->n = 0;
	for (size_t i = 0; i < n; i++) {
		struct card_names *names = &all->names[i];
		const char *key = names->text;
		card_names_read(cards[i]->payload, cards[i]->n_payload, names);
		for (size_t k = 0; k < names->n; k++, key += strlen(key) + 1)
			all->list[all->n++] = (struct reference){key, cards[i]->name};
	}
	qsort(all->list, all->n, sizeof(*all->list), by_key);
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
	char ttl_s[16];
	struct codec_bytes value = {0};
	const char *bytes = redis_text(held, &n_held);

	if (redis_type(held) != REDIS_TEXT)
		n_held = 0;
	snprintf(ttl_s, sizeof(ttl_s), "%d", KEYSPACE_INDEX_TTL_S);
	int status = codec_index_add(delivery->codec, (const uint8_t *)bytes, n_held, run[0].sub_id,
				     &value);
	for (size_t i = 1; i < n && !status; i++)
		status = codec_index_add(delivery->codec, value.data, value.length, run[i].sub_id,
					 &value);
	return status ? status
		      : deliver_append_set(delivery, run[0].key, value.data, value.length, ttl_s);
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

static int tell(struct delivery *delivery, struct references *all, struct item *const *cards,
		size_t n)
{
	size_t n_keys;

	collect(all, cards, n);
	int status = append_reads(delivery, all);
	status = status ? status : merge_indexes(delivery, all, &n_keys);
	uint64_t refused_before = delivery->refused;
	status = status ? status : deliver_read_sets(delivery, n_keys);
	if (!status && delivery->refused == refused_before)
		remember(delivery, cards, n);
	return status;
}

int deliver_indexes(struct delivery *delivery, struct item **cards, size_t n)
{
	struct references *all = n ? malloc(sizeof(*all)) : NULL;
	int status = n && !all ? -ENOMEM : 0;

	for (size_t i = 0; i < n && !status; i += AT_ONCE)
		status = tell(delivery, all, cards + i, n - i < AT_ONCE ? n - i : AT_ONCE);
	free(all);
	return status;
}
