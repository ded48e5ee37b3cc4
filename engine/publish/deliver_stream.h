/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Entries of streams, events and batches of minutes: each of them once.
 *
 * An entry reaches its stream once, however often it is sent. Its id is its own: packet time in
 * ms and a sequence within it, so the same capture gives the same ids; its key k names it. Redis
 * takes ids in rising order only, so an id that is refused as "equal or smaller" has one of three
 * stories:
 *   - the entry of that id has this k: it is there (a reply was lost, or the capture is published
 *     a second time);
 *   - the key rasad:{eXX}:k:<k> exists: it is there under another id, see below;
 *   - else it came late (a capture older than what the stream holds, or one that overlaps it): it
 *     takes the next id after the newest, and the key is set in the same transaction, so that a
 *     second run finds it. Only such entries need a key; a live engine never sets one.
 * Limits: the key lives a week, and what the stream has trimmed it cannot recognise; consumers
 * tell a repeated entry by k in any case.
 */
#ifndef RASAD_ENGINE_PUBLISH_DELIVER_STREAM_H
#define RASAD_ENGINE_PUBLISH_DELIVER_STREAM_H

#include <stddef.h>

#include "engine/publish/queue.h"

struct delivery;
struct redis_reply;

/* Asks for the newest id of the stream of this class. Returns like deliver_items. */
int stream_read_top(struct delivery *delivery, enum item_class class);
/* What was acknowledged and is above the newest id now, the server has lost. */
void stream_mark_lost(struct delivery *delivery);

/* The newest id, by a reply to XINFO STREAM. Returns 0 or -EAGAIN. */
int stream_parse_top(struct delivery *delivery, const struct redis_reply *xinfo,
		     struct stream_id *top);
/* Queues the XADD of an item under this id. */
int stream_append_entry(struct delivery *delivery, const struct item *item, struct stream_id id);
/* The item is in its stream under the id; `already`: not by us. */
void stream_settle(struct delivery *delivery, struct item *item, struct stream_id stored,
		   bool already);

/* Items of one class, ITEM_EVENT or ITEM_MINUTES. Returns like deliver_items. */
int deliver_entries(struct delivery *delivery, struct item **items, size_t n);

#endif
