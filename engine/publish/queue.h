/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What waits for Redis: bounded in bytes, events first, and what must go goes in order.
 *
 * When there is no room, node summaries go first, then the oldest minutes, then the oldest cards
 * (each of which a later one replaces anyhow), and only then the event that just came. A card or
 * node summary that is still waiting is replaced by its successor in its place: latest wins, nobody
 * loses their turn. With the oldest card go all that wait for the same bucket in Redis: it is one
 * command for all of them.
 *
 * Incidents are never dropped: for one of them events go, oldest first, and then it takes more than
 * there is. What keeps them few is that, when there is no room, a revision that only says how the
 * incident goes makes way for the next one of the same incident.
 * Not thread-safe: the publisher holds its lock.
 */
#ifndef RASAD_ENGINE_PUBLISH_QUEUE_H
#define RASAD_ENGINE_PUBLISH_QUEUE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "engine/publish/keyspace.h"

/* By worth. */
enum item_class { ITEM_INCIDENT, ITEM_EVENT, ITEM_CARD, ITEM_MINUTES, ITEM_NODE, ITEM_CLASSES };

/* An id in a stream: <ms>-<seq>. */
struct stream_id {
	uint64_t ms, seq;
};

struct item {
	struct item *next, *previous, *same_chain;
	enum item_class class;
	size_t size; /* of all that is used */
	size_t room; /* in bytes */

	uint64_t coalesce_key; /* ITEM_CARD (its sub_id), ITEM_NODE */
	uint64_t names;	       /* ITEM_CARD: hash of what the line answers to */
	uint64_t records;      /* in the payload */

	struct {
		uint64_t score; /* in the set of open ones */
		uint32_t revision;
		uint32_t n_id;	    /* of the name, up to the colon */
		size_t n_members;   /* bytes of its MemberSet, behind the payload; 0: not at hand */
		bool open, passing; /* passing: neither its beginning nor its end */
	} incident;		    /* ITEM_INCIDENT */

	struct stream_id id, stored; /* of a stream: the id of its own, the one it got in the end */
	const char *type;	     /* of a stream: message name */
	bool settled;		     /* it is in Redis, or (not an event) refused */
	bool sent;		     /* an earlier attempt may have arrived */
	bool counted;

	const char *name; /* the key; of a stream: k; of a card: its sub_id */
	uint8_t *payload;
	size_t n_payload;
	char bytes[]; /* name with its NUL, payload */
};

#define QUEUE_CHAINS	  65536
#define QUEUE_MINUTES_MAX 64 /* at once: they are large */

struct queue {
	struct {
		struct item *first, *last;
		size_t n;
	} lists[ITEM_CLASSES];
	size_t bytes, capacity;	     /* bytes counts what was taken and is not yet released, too */
	uint64_t shed[ITEM_CLASSES]; /* records */
	uint64_t coalesced, incidents_coalesced;
	uint32_t cards_of[KEYSPACE_BUCKETS];  /* waiting */
	struct item *chains[2][QUEUE_CHAINS]; /* of cards, of nodes; by coalesce_key */
};

/*
 * Cards come and go by the thousand, all of much the same size: one that was delivered is the
 * memory of a later one. Takes an item from *spares (linked by next) if it is large enough.
 */
struct item *item_renew(struct item **spares, enum item_class class, const char *name,
			size_t name_size, const uint8_t *payload, size_t n_payload);
void items_free(struct item *list);

/* One record; name_size counts the NUL of the name. NULL: out of memory. */
struct item *item_new(enum item_class class, const char *name, size_t name_size,
		      const uint8_t *payload, size_t n_payload);

/* An Incident and behind it its MemberSet, named id:revision. NULL: out of memory. */
struct item *item_incident(const char *id, uint32_t revision, const uint8_t *bytes,
			   size_t n_incident, size_t n_members);

bool item_is_same_incident(const struct item *a, const struct item *b);
/* Lets go of what stands behind the payload. Not of an item in a queue: it may move. */
struct item *item_trim(struct item *item);

/* An empty queue takes anything, so that no single item can block for ever. */
bool queue_has_room(const struct queue *queue, size_t size);
/* Owns the item from here on; it may be shed at once. */
void queue_push(struct queue *queue, struct item *item);
/*
 * Hands over up to max items of one class, the most urgent there is; cards of one bucket stand
 * together. Returns their number.
 */
size_t queue_take(struct queue *queue, struct item **items, size_t max);
/* The bytes of a taken item are free again. */
void queue_release(struct queue *queue, size_t size);
/* Cards that one command takes with the oldest. */
size_t queue_oldest_bucket(const struct queue *queue);
bool queue_is_empty(const struct queue *queue);
void queue_fini(struct queue *queue);

#endif
