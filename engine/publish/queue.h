/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What waits for Redis: bounded in bytes, events first, and what must go goes in order.
 *
 * When there is no room, node summaries go first, then the oldest cards (each of which a later
 * one replaces anyhow), and only then the event that just came. A card or node summary that is
 * still waiting is replaced by its successor in its place: latest wins, nobody loses their turn.
 * Not thread-safe: the publisher holds its lock.
 */
#ifndef RASAD_ENGINE_PUBLISH_QUEUE_H
#define RASAD_ENGINE_PUBLISH_QUEUE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum item_class { ITEM_EVENT, ITEM_CARD, ITEM_NODE, ITEM_CLASSES };

/* An id in a stream: <ms>-<seq>. */
struct stream_id {
	uint64_t ms, seq;
};

struct item {
	struct item *next, *previous, *same_bucket;
	enum item_class class;
	size_t size; /* of the whole allocation */

	uint64_t coalesce_key; /* ITEM_CARD, ITEM_NODE */

	struct stream_id id, stored; /* ITEM_EVENT: the id of its own, the one it got in the end */
	const char *type;	     /* ITEM_EVENT: message name */
	bool settled;		     /* it is in Redis, or (not an event) refused */
	bool sent;		     /* an earlier attempt may have arrived */
	bool counted;

	const char *names; /* NUL after each: the key (event: k), then the index keys of a card */
	size_t n_names;
	const uint8_t *payload;
	size_t n_payload;
	char bytes[]; /* names, payload */
};

#define QUEUE_BUCKETS 65536

struct queue {
	struct {
		struct item *first, *last;
		size_t n;
	} lists[ITEM_CLASSES];
	size_t bytes, capacity; /* bytes counts what was taken and is not yet released, too */
	uint64_t shed[ITEM_CLASSES], coalesced;
	struct item *buckets[QUEUE_BUCKETS];
};

/* names: n_names strings, each with its NUL, names_size bytes in all. NULL: out of memory. */
struct item *item_new(enum item_class class, const char *names, size_t names_size,
		      const uint8_t *payload, size_t n_payload);

/* An empty queue takes anything, so that no single item can block for ever. */
bool queue_has_room(const struct queue *queue, size_t size);
/* Owns the item from here on; it may be shed at once. */
void queue_push(struct queue *queue, struct item *item);
/* Hands over up to max items of one class, the most urgent there is. Returns their number. */
size_t queue_take(struct queue *queue, struct item **items, size_t max);
/* The bytes of a taken item are free again. */
void queue_release(struct queue *queue, size_t size);
bool queue_is_empty(const struct queue *queue);
void queue_fini(struct queue *queue);

#endif
