/* SPDX-License-Identifier: BSD-3-Clause */
#include "engine/publish/queue.h"

#include <stdlib.h>
#include <string.h>

struct item *item_new(enum item_class class, const char *names, size_t names_size,
		      const uint8_t *payload, size_t n_payload)
{
	size_t size = sizeof(struct item) + names_size + n_payload;
	struct item *item = malloc(size);

	if (!item)
		return NULL;
	*item = (struct item){.class = class, .size = size, .n_payload = n_payload};
	memcpy(item->bytes, names, names_size);
	if (n_payload)
		memcpy(item->bytes + names_size, payload, n_payload);
	item->names = item->bytes;
	item->payload = (const uint8_t *)item->bytes + names_size;
	for (size_t i = 0; i < names_size; i++)
		item->n_names += !names[i];
	return item;
}

static struct item **bucket(struct queue *queue, const struct item *item)
{
	return &queue->buckets[(item->coalesce_key ^ item->class) % QUEUE_BUCKETS];
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
	if (item->class != ITEM_EVENT) {
		item->same_bucket = *bucket(queue, item);
		*bucket(queue, item) = item;
	}
}

static void forget_in_bucket(struct queue *queue, struct item *item)
{
	struct item **link = bucket(queue, item);

	while (*link != item)
		link = &(*link)->same_bucket;
	*link = item->same_bucket;
}

static void unlink_item(struct queue *queue, struct item *item)
{
	*(item->previous ? &item->previous->next : &queue->lists[item->class].first) = item->next;
	*(item->next ? &item->next->previous : &queue->lists[item->class].last) = item->previous;
	queue->lists[item->class].n--;
	if (item->class != ITEM_EVENT)
		forget_in_bucket(queue, item);
}

static void drop(struct queue *queue, struct item *item)
{
	queue->shed[item->class]++;
	queue->bytes -= item->size;
	unlink_item(queue, item);
	free(item);
}

bool queue_has_room(const struct queue *queue, size_t size)
{
	return !queue->bytes || queue->bytes + size <= queue->capacity;
}

/* Drops what is worth less than, or older than, an item of this class. */
static bool make_room(struct queue *queue, enum item_class class, size_t size)
{
	for (int worth = ITEM_NODE; worth > ITEM_EVENT && worth >= (int)class; worth--)
		while (!queue_has_room(queue, size) && queue->lists[worth].first)
			drop(queue, queue->lists[worth].first);
	return queue_has_room(queue, size);
}

/* The item that is waiting under the same key, or NULL. */
static struct item *predecessor(struct queue *queue, const struct item *item)
{
	struct item *found = item->class == ITEM_EVENT ? NULL : *bucket(queue, item);

	while (found && (found->coalesce_key != item->coalesce_key || found->class != item->class))
		found = found->same_bucket;
	return found;
}

static void take_place_of(struct queue *queue, struct item *item, struct item *old)
{
	forget_in_bucket(queue, old);
	item->next = old->next;
	item->previous = old->previous;
	*(item->previous ? &item->previous->next : &queue->lists[item->class].first) = item;
	*(item->next ? &item->next->previous : &queue->lists[item->class].last) = item;
	item->same_bucket = *bucket(queue, item);
	*bucket(queue, item) = item;
	queue->bytes += item->size - old->size; /* a few bytes over the bound do no harm */
	queue->coalesced++;
	free(old);
}

void queue_push(struct queue *queue, struct item *item)
{
	struct item *old = predecessor(queue, item);

	if (old) {
		take_place_of(queue, item, old);
		return;
	}
	if (!make_room(queue, item->class, item->size)) {
		queue->shed[item->class]++;
		free(item);
		return;
	}
	queue->bytes += item->size;
	append(queue, item);
}

size_t queue_take(struct queue *queue, struct item **items, size_t max)
{
	size_t n = 0;

	for (int class = ITEM_EVENT; class < ITEM_CLASSES && !n; class ++)
		for (; n < max && queue->lists[class].first; n++) {
			items[n] = queue->lists[class].first;
			unlink_item(queue, items[n]);
		}
	return n;
}

void queue_release(struct queue *queue, size_t size)
{
	queue->bytes -= size;
}

bool queue_is_empty(const struct queue *queue)
{
	for (int class = ITEM_EVENT; class < ITEM_CLASSES; class ++)
		if (queue->lists[class].first)
			return false;
	return true;
}

void queue_fini(struct queue *queue)
{
	for (int class = ITEM_EVENT; class < ITEM_CLASSES; class ++)
		for (struct item *item = queue->lists[class].first, *next; item; item = next) {
			next = item->next;
			free(item);
		}
	*queue = (struct queue){0};
}
