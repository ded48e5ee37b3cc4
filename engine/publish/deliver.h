/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What is said to Redis, in what order, and what each answer means. Publishing thread only.
 *
 * An event reaches its stream once, however often it is sent. Its id is its own: packet time in
 * ms and a sequence within it, so the same capture gives the same ids; its key k names it. Redis
 * takes ids in rising order only, so an id that is refused as "equal or smaller" has one of three
 * stories:
 *   - the entry of that id has this k: it is there (a reply was lost, or the capture is published
 *     a second time);
 *   - the key rasad:{eXX}:k:<k> exists: it is there under another id, see below;
 *   - else it came late (a capture older than what the stream holds, or one that overlaps it): it
 *     takes the next id after the newest, and the key is set in the same transaction, so that a
 *     second run finds it. Only such events need a key; a live engine never sets one.
 * Limits: the key lives a week, and what the stream has trimmed it cannot recognise; consumers
 * tell a repeated entry by k in any case.
 *
 * A server that was killed may forget its last moments. The newest acknowledged events are kept,
 * and those that a reconnected server no longer has are sent again.
 */
#ifndef RASAD_ENGINE_PUBLISH_DELIVER_H
#define RASAD_ENGINE_PUBLISH_DELIVER_H

#include <stddef.h>
#include <stdint.h>

#include "engine/publish/queue.h"
#include "engine/publish/redis.h"

struct codec;
struct inventory;

#define DELIVER_BATCH 512
#define DELIVER_TAIL  4096 /* acknowledged events that are kept */

struct delivery {
	struct redis *redis; /* NULL: not connected */
	unsigned shard;
	struct stream_id top; /* the newest id of the stream */
	struct codec *codec;
	char error[REDIS_ERROR_SIZE]; /* after a call that returned negative */
	struct item *tail[DELIVER_TAIL];
	size_t tail_at;
	uint64_t events_published, events_already_published, events_moved;
	uint64_t cards_published, nodes_published, refused;
};

/*
 * Connects, asks for the newest id, and finds out which kept events the server has lost. Returns
 * 0, or -EIO with error set.
 */
int deliver_connect(struct delivery *delivery, const char *url);
void deliver_disconnect(struct delivery *delivery);

/*
 * Delivers items of one class. Returns 0 when all are settled; -EAGAIN when the server does not
 * take them now; anything else when the connection is lost or unusable. Then call again, after a
 * pause or with a new connection: what is settled is not sent twice. Cards and nodes which the server refuses are settled
 * and counted as refused: a later one replaces them.
 */
int deliver_items(struct delivery *delivery, struct item **items, size_t n);

/* Takes over a settled item: keeps an event for a while, frees the rest. */
void deliver_keep(struct delivery *delivery, struct item *item);

/* After a reconnect: sends the lost events again. Returns like deliver_items. */
int deliver_lost(struct delivery *delivery);

/* SET key value EX ttl_s (NULL: for ever). Returns 0 even if refused (counted), or -EIO. */
int deliver_value(struct delivery *delivery, const char *key, const uint8_t *value, size_t n,
		  const char *ttl_s);

void deliver_fini(struct delivery *delivery);

#endif
