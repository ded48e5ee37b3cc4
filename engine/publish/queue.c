/* SPDX-License-Identifier: BSD-3-Clause */
#include "engine/publish/queue.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define CHAINS_PER_BUCKET (QUEUE_CHAINS / KEYSPACE_BUCKETS)
#define ROOM_STEP	  128

/* An item with room for n bytes: the first spare one, or a new one in its place. */
static struct item *item_with_room(struct item **spares, size_t n)
{
	struct item *item = spares ? *spares : NULL;

	if (item)
		*spares = item->next;
	if (item && item->room >= n)
		return item;
	free(item);
	n = (n + ROOM_STEP - 1) / ROOM_STEP * ROOM_STEP;
	item = malloc(sizeof(*item) + n);
	if (item)
		item->room = n;
	return item;
}

struct item *item_renew(struct item **spares, enum item_class class, const char *name,
			size_t name_size, const uint8_t *payload, size_t n_payload)
{
	struct item *item = item_with_room(spares, name_size + n_payload);

	if (!item)
		return NULL;
	*item = (struct item){.class = class,
			      .size = sizeof(*item) + name_size + n_payload,
			      .room = item->room,
			      .records = 1,
			      .n_payload = n_payload};
	memcpy(item->bytes, name, name_size);
	if (n_payload)
		memcpy(item->bytes + name_size, payload, n_payload);
	item->name = item->bytes;
	item->payload = (uint8_t *)item->bytes + name_size;
	return item;
}

struct item *item_new(enum item_class class, const char *name, size_t name_size,
		      const uint8_t *payload, size_t n_payload)
{
	return item_renew(NULL, class, name, name_size, payload, n_payload);
}

struct item *item_incident(const char *id, uint32_t revision, const uint8_t *bytes,
			   size_t n_incident, size_t n_members)
{
	char k[KEYSPACE_INCIDENT_ID_MAX + 12];
	int n_k = snprintf(k, sizeof(k), "%.*s:%" PRIu32, KEYSPACE_INCIDENT_ID_MAX, id, revision);
	struct item *item =
		item_new(ITEM_INCIDENT, k, (size_t)n_k + 1, bytes, n_incident + n_members);

	if (!item)
		return NULL;
	item->type = "Incident";
	item->n_payload = n_incident;
	item->incident.revision = revision;
	item->incident.n_id = (uint32_t)strcspn(k, ":");
	item->incident.n_members = n_members;
	return item;
}

bool item_is_same_incident(const struct item *a, const struct item *b)
{
	return a->incident.n_id == b->incident.n_id && !memcmp(a->name, b->name, a->incident.n_id);
}

/* The name is the first of the bytes. */
struct item *item_trim(struct item *item)
{
	size_t name_size = (size_t)((char *)item->payload - item->bytes);
	struct item *smaller = realloc(item, sizeof(*item) + name_size + item->n_payload);

	item = smaller ? smaller : item;
	item->name = item->bytes;
	item->payload = (uint8_t *)item->bytes + name_size;
	return item;
}

void items_free(struct item *list)
{
	for (struct item *next; list; list = next) {
		next = list->next;
		free(list);
	}
}

static bool can_coalesce(const struct item *item)
{
	return item->class == ITEM_CARD || item->class == ITEM_NODE;
}

/* The chains of one bucket of cards stand side by side. */
static struct item **chain(struct queue *queue, enum item_class class, uint64_t coalesce_key)
{
	uint64_t number = coalesce_key % KEYSPACE_BUCKETS * CHAINS_PER_BUCKET +
			  coalesce_key / KEYSPACE_BUCKETS % CHAINS_PER_BUCKET;

	return &queue->chains[class == ITEM_CARD ? 0 : 1][number];
}

static struct item **chain_of(struct queue *queue, const struct item *item)
{
	return chain(queue, item->class, item->coalesce_key);
}

static uint64_t bucket_of(const struct item *card)
{
	return card->coalesce_key % KEYSPACE_BUCKETS;
}

static void append(struct queue *queue, struct item *item)
{
	item->next = NULL;
	item->previous = queue->lists[item->class].last;
	if (item->previous)
		item->previous->next = item;
	else
		queue->lists[item->class].first = item;
	queue->lists[item->class].last = item;
	queue->lists[item->class].n++;
	if (item->class == ITEM_CARD)
		queue->cards_of[bucket_of(item)]++;
	if (can_coalesce(item)) {
		item->same_chain = *chain_of(queue, item);
		*chain_of(queue, item) = item;
	}
}

static void forget_in_chain(struct queue *queue, struct item *item)
{
	struct item **link = chain_of(queue, item);

	while (*link != item)
		link = &(*link)->same_chain;
	*link = item->same_chain;
}

static void unlink_item(struct queue *queue, struct item *item)
{
	*(item->previous ? &item->previous->next : &queue->lists[item->class].first) = item->next;
	*(item->next ? &item->next->previous : &queue->lists[item->class].last) = item->previous;
	queue->lists[item->class].n--;
	if (item->class == ITEM_CARD)
		queue->cards_of[bucket_of(item)]--;
	if (can_coalesce(item))
		forget_in_chain(queue, item);
}

static void drop(struct queue *queue, struct item *item)
{
	queue->shed[item->class] += item->records;
	queue->bytes -= item->size;
	unlink_item(queue, item);
	free(item);
}

bool queue_has_room(const struct queue *queue, size_t size)
{
	return !queue->bytes || queue->bytes + size <= queue->capacity;
}

/* Drops what is worth less than, or older than, an item of this class; but no event for an event. */
static bool make_room(struct queue *queue, enum item_class class, size_t size)
{
	int least = class == ITEM_INCIDENT ? ITEM_EVENT
		    : class == ITEM_EVENT  ? ITEM_EVENT + 1
					   : (int)class;

	for (int worth = ITEM_NODE; worth >= least; worth--)
		while (!queue_has_room(queue, size) && queue->lists[worth].first)
			drop(queue, queue->lists[worth].first);
	return queue_has_room(queue, size);
}

/* The item that is waiting under the same key, or NULL. */
static struct item *predecessor(struct queue *queue, const struct item *item)
{
	struct item *found = can_coalesce(item) ? *chain_of(queue, item) : NULL;

	while (found && found->coalesce_key != item->coalesce_key)
		found = found->same_chain;
	return found;
}

static void take_place_of(struct queue *queue, struct item *item, struct item *old)
{
	forget_in_chain(queue, old);
	item->next = old->next;
	item->previous = old->previous;
	*(item->previous ? &item->previous->next : &queue->lists[item->class].first) = item;
	*(item->next ? &item->next->previous : &queue->lists[item->class].last) = item;
	item->same_chain = *chain_of(queue, item);
	*chain_of(queue, item) = item;
	queue->bytes += item->size - old->size; /* a few bytes over the bound do no harm */
	queue->coalesced++;
	free(old);
}

/*
 * The revision before this one goes if it is in passing. It does not give its place: a later
 * revision may speak of incidents that opened meanwhile.
 */
static void drop_passing(struct queue *queue, const struct item *item)
{
	struct item *old = queue->lists[ITEM_INCIDENT].last;

	while (old && !item_is_same_incident(old, item))
		old = old->previous;
	if (!old || !old->incident.passing)
		return;
	queue->incidents_coalesced++;
	queue->bytes -= old->size;
	unlink_item(queue, old);
	free(old);
}

void queue_push(struct queue *queue, struct item *item)
{
	struct item *old = predecessor(queue, item);

	if (old) {
		take_place_of(queue, item, old);
		return;
	}
	if (item->class == ITEM_INCIDENT && !queue_has_room(queue, item->size))
		drop_passing(queue, item);
	if (!make_room(queue, item->class, item->size) && item->class != ITEM_INCIDENT) {
		queue->shed[item->class] += item->records;
		free(item);
		return;
	}
	queue->bytes += item->size;
	append(queue, item);
}

static size_t take_bucket(struct queue *queue, uint64_t bucket, struct item **items, size_t max)
{
	struct item **first = chain(queue, ITEM_CARD, bucket);
	size_t n = 0;

	for (size_t i = 0; i < CHAINS_PER_BUCKET; i++)
		for (; first[i] && n < max; n++) {
			items[n] = first[i];
			unlink_item(queue, first[i]);
		}
	return n;
}

size_t queue_take(struct queue *queue, struct item **items, size_t max)
{
	size_t n = 0;

	for (int class = 0; class < ITEM_CLASSES && !n; class ++) {
		if (class == ITEM_MINUTES && max > QUEUE_MINUTES_MAX)
			max = QUEUE_MINUTES_MAX;
		for (struct item *item; n < max && (item = queue->lists[class].first);) {
			unlink_item(queue, item);
			items[n++] = item;
			if (class == ITEM_CARD)
				n += take_bucket(queue, bucket_of(item), items + n, max - n);
		}
	}
	return n;
}

void queue_release(struct queue *queue, size_t size)
{
	queue->bytes -= size;
}

size_t queue_oldest_bucket(const struct queue *queue)
{
	const struct item *oldest = queue->lists[ITEM_CARD].first;

	return oldest ? queue->cards_of[bucket_of(oldest)] : 0;
}

bool queue_is_empty(const struct queue *queue)
{
	for (int class = 0; class < ITEM_CLASSES; class ++)
		if (queue->lists[class].first)
			return false;
	return true;
}

void queue_fini(struct queue *queue)
{
	for (int class = 0; class < ITEM_CLASSES; class ++)
		items_free(queue->lists[class].first);
	*queue = (struct queue){0};
}
