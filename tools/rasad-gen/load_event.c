/* SPDX-License-Identifier: BSD-3-Clause */
#include "tools/rasad-gen/load_event.h"

#include <stdlib.h>
#include <string.h>

#include "tools/rasad-gen/mem.h"

#define BUCKET_BITS  10 /* 1024 ns */
#define BUCKETS	     (1u << 19)
#define AHEAD	     16 /* buckets */
#define NONE	     UINT32_MAX
#define FIRST_EVENTS 4096

_Static_assert(LOAD_EVENT_MIN_NS >= (AHEAD + 2) << BUCKET_BITS, "never behind the cursor");
_Static_assert(LOAD_EVENT_MAX_NS <= (uint64_t)(BUCKETS - AHEAD - 2) << BUCKET_BITS, "one turn");

void load_events_init(struct load_events *e)
{
	*e = (struct load_events){.free = NONE, .soon_head = NONE, .soon_tail = NONE};
	e->bucket = mem_new_large(BUCKETS, sizeof(*e->bucket));
	memset(e->bucket, 0xff, BUCKETS * sizeof(*e->bucket));
}

void load_events_fini(struct load_events *e)
{
	free(e->bucket);
	free(e->pool);
	*e = (struct load_events){0};
}

static uint32_t take_node(struct load_events *e)
{
	uint32_t n = e->free;

	if (n != NONE) {
		e->free = e->pool[n].next;
		return n;
	}
	if (e->used == e->capacity) {
		e->capacity = e->capacity ? 2 * e->capacity : FIRST_EVENTS;
		e->pool = mem_grow(e->pool, e->capacity, sizeof(*e->pool));
	}
	return e->used++;
}

void load_events_plan(struct load_events *e, uint64_t now_ns, const struct load_event *event)
{
	uint32_t n = take_node(e), *bucket;
	struct load_event *at = &e->pool[n];
	uint64_t due_ns = event->due_ns, last_ns = now_ns + LOAD_EVENT_MAX_NS;

	if (due_ns < now_ns + LOAD_EVENT_MIN_NS)
		due_ns = now_ns + LOAD_EVENT_MIN_NS;
	if (due_ns > last_ns)
		due_ns = last_ns;
	if (!e->pending && e->cursor < now_ns >> BUCKET_BITS) /* nothing to find until now */
		e->cursor = now_ns >> BUCKET_BITS;
	bucket = &e->bucket[due_ns >> BUCKET_BITS & (BUCKETS - 1)];
	*at = *event;
	at->due_ns = due_ns;
	at->next = *bucket;
	*bucket = n;
	e->pending++;
}

/* Puts a bucket behind what comes soon, oldest first. */
static void take_bucket(struct load_events *e, uint32_t *bucket, const void *flows, uint32_t bytes)
{
	uint32_t n = *bucket, last = n, reversed = NONE;

	*bucket = NONE;
	while (n != NONE) {
		uint32_t next = e->pool[n].next;

		__builtin_prefetch((const char *)flows + (uint64_t)e->pool[n].who * bytes, 1);
		e->pool[n].next = reversed;
		reversed = n;
		n = next;
		e->pending--;
	}
	if (e->soon_tail == NONE)
		e->soon_head = reversed;
	else
		e->pool[e->soon_tail].next = reversed;
	e->soon_tail = last;
}

int load_events_due(struct load_events *e, uint64_t now_ns, struct load_event *event,
		    const void *flows, uint32_t flow_bytes)
{
	uint64_t last = (now_ns >> BUCKET_BITS) + AHEAD;
	uint32_t n;

	for (; e->pending && e->cursor <= last; e->cursor++) {
		uint32_t *bucket = &e->bucket[e->cursor & (BUCKETS - 1)];

		if (*bucket != NONE)
			take_bucket(e, bucket, flows, flow_bytes);
	}
	n = e->soon_head;
	if (n == NONE || e->pool[n].due_ns > now_ns)
		return 0;
	*event = e->pool[n];
	e->soon_head = event->next;
	if (e->soon_head == NONE)
		e->soon_tail = NONE;
	e->pool[n].next = e->free;
	e->free = n;
	return 1;
}

uint64_t load_events_next_ns(const struct load_events *e)
{
	uint64_t bucket = e->cursor;

	if (e->soon_head != NONE)
		return e->pool[e->soon_head].due_ns;
	if (!e->pending)
		return UINT64_MAX;
	while (e->bucket[bucket & (BUCKETS - 1)] == NONE)
		bucket++;
	return bucket << BUCKET_BITS;
}
