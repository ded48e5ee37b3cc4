/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What is said to Redis, in what order, and what each answer means. Publishing thread only.
 *
 * How an entry gets into its stream once only: deliver_stream.h. How cards are packed into
 * buckets, and when an index is due: deliver_cards.h, deliver_indexes.h. Incidents:
 * deliver_incident.h.
 *
 * A server that was killed may forget its last moments. The newest acknowledged events and minutes
 * are kept, and those that a reconnected server no longer has are sent again. Cards and indexes
 * come again by themselves.
 */
#ifndef RASAD_ENGINE_PUBLISH_DELIVER_H
#define RASAD_ENGINE_PUBLISH_DELIVER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "engine/base/map.h"
#include "engine/publish/codec.h"
#include "engine/publish/keyspace.h"
#include "engine/publish/queue.h"
#include "engine/publish/redis.h"

#define DELIVER_BATCH	       512
#define DELIVER_TAIL	       4096 /* acknowledged events that are kept */
#define DELIVER_MINUTES_TAIL   1024 /* batches of minutes: 14 MB */
#define DELIVER_INCIDENTS_TAIL 256  /* revisions; only the newest of an incident with its members */

struct delivery {
	struct redis *redis; /* NULL: not connected */
	unsigned shard;
	struct stream_id top[ITEM_CLASSES]; /* the newest ids of the streams */
	struct map told[KEYSPACE_BUCKETS]; /* indexes: hash of a line's names -> when, in seconds */
	int64_t clock_offset_ms;	   /* from our monotonic clock to the server's */
	int64_t swept_ms; /* when we last looked for dead cards, and where to go on */
	unsigned sweep_bucket;
	char sweep_cursor[24];
	struct codec *codec;
	struct codec_producer producer; /* who we are, to readers of incidents */
	bool withdraw;			/* what our predecessors left open: still to be done */
	char error[REDIS_ERROR_SIZE];	/* after a call that returned negative */
	struct tail {
		struct item *items[DELIVER_TAIL];
		size_t at;
	} events, minutes, incidents;
	bool has_lost; /* some of them are to be sent again */
	uint64_t events_published, events_already_published, events_moved;
	uint64_t minutes_published, minutes_already_published; /* records */
	uint64_t incidents_published, incidents_already_published, incidents_withdrawn;
	uint64_t cards_published, cards_removed, nodes_published, refused;
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
 * pause or with a new connection: what is settled is not sent twice. Cards and nodes that the server
 * refuses are settled and counted as refused: a later one replaces them.
 */
int deliver_items(struct delivery *delivery, struct item **items, size_t n);

/* Takes over a settled item: keeps an entry of a stream for a while, frees the rest. */
void deliver_keep(struct delivery *delivery, struct item *item);

/* After a reconnect: sends the lost events again. Returns like deliver_items. */
int deliver_lost(struct delivery *delivery);

/* SET key value EX ttl_s (NULL: for ever). Returns 0 even if refused (counted), or -EIO. */
int deliver_value(struct delivery *delivery, const char *key, const uint8_t *value, size_t n,
		  const char *ttl_s);

void deliver_fini(struct delivery *delivery);

#endif
