/* SPDX-License-Identifier: BSD-3-Clause */
#include "engine/publish/deliver.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "engine/publish/deliver_cards.h"
#include "engine/publish/keyspace.h"

#define ID_SIZE	     48
#define SCHEMA_MAJOR "1"

static const char *format_id(struct stream_id id, char out[ID_SIZE])
{
	snprintf(out, ID_SIZE, "%" PRIu64 "-%" PRIu64, id.ms, id.seq);
	return out;
}

static bool parse_id(const char *text, struct stream_id *id)
{
	return sscanf(text, "%" SCNu64 "-%" SCNu64, &id->ms, &id->seq) == 2;
}

static bool is_newer(struct stream_id a, struct stream_id b)
{
	return a.ms != b.ms ? a.ms > b.ms : a.seq > b.seq;
}

int deliver_lost_connection(struct delivery *delivery)
{
	snprintf(delivery->error, sizeof(delivery->error), "%.200s", redis_error(delivery->redis));
	return -EIO;
}

static int refused(struct delivery *delivery, const struct redis_reply *reply)
{
	redis_explain(redis_text(reply, NULL), delivery->error);
	return -EAGAIN;
}

int deliver_append(struct delivery *delivery, const char *const *texts)
{
	size_t lengths[16], n = 0;

	for (; texts[n]; n++)
		lengths[n] = strlen(texts[n]);
	return redis_append(delivery->redis, n, texts, lengths);
}

/* --- connection --- */

/* Reads last-generated-id from XINFO STREAM; a stream that is not there yet has none. */
static int read_top(struct delivery *delivery)
{
	keyspace_key stream;
	struct redis_reply *reply;

	keyspace_events(delivery->shard, stream);
	if (redis_ask(delivery->redis, &reply, (const char *[]){"XINFO", "STREAM", stream, NULL}))
		return deliver_lost_connection(delivery);
	int status = 0;
	delivery->top = (struct stream_id){0};
	if (redis_type(reply) == REDIS_REFUSED) {
		if (strncmp(redis_text(reply, NULL), "ERR no such key", 15))
			status = refused(delivery, reply);
	}
	for (size_t i = 0; i + 1 < redis_count(reply); i += 2)
		if (!strcmp(redis_text(redis_element(reply, i), NULL), "last-generated-id"))
			parse_id(redis_text(redis_element(reply, i + 1), NULL), &delivery->top);
	redis_reply_free(reply);
	return status;
}

/* What was acknowledged and is above the newest id now, the server has lost. */
static void mark_lost(struct delivery *delivery)
{
	for (size_t i = 0; i < DELIVER_TAIL; i++)
		if (delivery->tail[i] && is_newer(delivery->tail[i]->stored, delivery->top))
			delivery->tail[i]->settled = false;
}

int deliver_connect(struct delivery *delivery, const char *url)
{
	deliver_disconnect(delivery);
	delivery->redis = redis_open(url, delivery->error);
	if (!delivery->redis)
		return -EIO;
	if (read_top(delivery)) {
		deliver_disconnect(delivery);
		return -EIO;
	}
	mark_lost(delivery);
	return 0;
}

void deliver_disconnect(struct delivery *delivery)
{
	delivery->redis = redis_close(delivery->redis);
}

/* --- events --- */

static int append_xadd(struct delivery *delivery, const struct item *item, struct stream_id id)
{
	keyspace_key stream;
	char id_text[ID_SIZE];

	keyspace_events(delivery->shard, stream);
	format_id(id, id_text);
	const char *arguments[] = {"XADD",
				   stream,
				   "MAXLEN",
				   "~",
				   KEYSPACE_STREAM_MAXLEN,
				   id_text,
				   "t",
				   item->type,
				   "v",
				   SCHEMA_MAJOR,
				   "k",
				   item->names,
				   "p",
				   (const char *)item->payload};
	size_t n = sizeof(arguments) / sizeof(*arguments),
	       lengths[sizeof(arguments) / sizeof(*arguments)];
	for (size_t i = 0; i + 1 < n; i++)
		lengths[i] = strlen(arguments[i]);
	lengths[n - 1] = item->n_payload;
	return redis_append(delivery->redis, n, arguments, lengths);
}

static void settle_event(struct delivery *delivery, struct item *item, struct stream_id stored,
			 bool already)
{
	item->settled = true;
	item->stored = stored;
	if (is_newer(stored, delivery->top))
		delivery->top = stored;
	if (item->counted)
		return;
	item->counted = true;
	if (already)
		delivery->events_already_published++;
	else
		delivery->events_published++;
}

static bool is_collision(const struct redis_reply *reply)
{
	return redis_type(reply) == REDIS_REFUSED &&
	       strstr(redis_text(reply, NULL), "equal or smaller");
}

/*
 * First pass: every event under its own id. Those whose id was refused are left unsettled in
 * collided; their number is *n_collided. All replies are read, or the connection is lost.
 */
static int add_events(struct delivery *delivery, struct item **items, size_t n,
		      struct item **collided, size_t *n_collided)
{
	int status = 0;

	*n_collided = 0;
	for (size_t i = 0; i < n; i++)
		if (!items[i]->settled && append_xadd(delivery, items[i], items[i]->id))
			return -ENOMEM;
	for (size_t i = 0; i < n; i++) {
		struct redis_reply *reply;
		if (items[i]->settled)
			continue;
		if (redis_next(delivery->redis, &reply))
			return deliver_lost_connection(delivery);
		if (is_collision(reply))
			collided[(*n_collided)++] = items[i];
		else if (redis_type(reply) == REDIS_REFUSED)
			status = refused(delivery, reply);
		else
			settle_event(delivery, items[i], items[i]->id, false);
		redis_reply_free(reply);
	}
	return status;
}

/* The k of the only entry in an XRANGE reply is the event's. */
static bool holds_event(const struct redis_reply *range, const struct item *item)
{
	const struct redis_reply *fields = redis_element(redis_element(range, 0), 1);

	for (size_t i = 0; i + 1 < redis_count(fields); i += 2)
		if (!strcmp(redis_text(redis_element(fields, i), NULL), "k"))
			return !strcmp(redis_text(redis_element(fields, i + 1), NULL), item->names);
	return false;
}

static int append_questions(struct delivery *delivery, const struct item *item)
{
	keyspace_key stream, moved;
	char id[ID_SIZE];

	keyspace_events(delivery->shard, stream);
	keyspace_moved(delivery->shard, item->names, moved);
	format_id(item->id, id);
	int status = deliver_append(delivery, (const char *[]){"XRANGE", stream, id, id, NULL});
	return status ? status : deliver_append(delivery, (const char *[]){"GET", moved, NULL});
}

/* Settles the event if either answer says that it is there. */
static int judge(struct delivery *delivery, struct item *item, const struct redis_reply *range,
		 const struct redis_reply *moved)
{
	struct stream_id id = item->id;

	if (redis_type(range) == REDIS_REFUSED || redis_type(moved) == REDIS_REFUSED)
		return refused(delivery, redis_type(range) == REDIS_REFUSED ? range : moved);
	if (holds_event(range, item) ||
	    (redis_type(moved) == REDIS_TEXT && parse_id(redis_text(moved, NULL), &id)))
		settle_event(delivery, item, id, !item->sent);
	return 0;
}

/* Second pass: which of the collided events are there already? */
static int look_up(struct delivery *delivery, struct item **collided, size_t n)
{
	int status = 0;

	for (size_t i = 0; i < n; i++)
		if (append_questions(delivery, collided[i]))
			return -ENOMEM;
	for (size_t i = 0; i < n; i++) {
		struct redis_reply *range, *moved = NULL;
		if (redis_next(delivery->redis, &range))
			return deliver_lost_connection(delivery);
		int lost = redis_next(delivery->redis, &moved);
		int judged = lost ? deliver_lost_connection(delivery)
				  : judge(delivery, collided[i], range, moved);
		redis_reply_free(range);
		redis_reply_free(moved);
		if (lost)
			return judged;
		status = judged ? judged : status;
	}
	return status;
}

static int append_move(struct delivery *delivery, const struct item *item)
{
	keyspace_key moved;
	char id[ID_SIZE];

	keyspace_moved(delivery->shard, item->names, moved);
	format_id(item->stored, id);
	int status = deliver_append(delivery, (const char *[]){"MULTI", NULL});
	status = status ? status : append_xadd(delivery, item, item->stored);
	status = status ? status
			: deliver_append(delivery, (const char *[]){"SET", moved, id, "EX",
								    KEYSPACE_MOVED_TTL_S, NULL});
	return status ? status : deliver_append(delivery, (const char *[]){"EXEC", NULL});
}

/* Reads MULTI, QUEUED, QUEUED and leaves the reply of EXEC. */
static int read_exec(struct delivery *delivery, struct redis_reply **exec)
{
	for (int i = 0; i < 4; i++) {
		if (redis_next(delivery->redis, exec))
			return deliver_lost_connection(delivery);
		if (i < 3)
			redis_reply_free(*exec);
	}
	return 0;
}

/*
 * The key was set, the entry was not added: somebody else writes to this stream. The key must not
 * stay, or the event would count as published.
 */
static int undo_move(struct delivery *delivery, const struct item *item)
{
	keyspace_key moved;
	struct redis_reply *reply;

	keyspace_moved(delivery->shard, item->names, moved);
	if (redis_ask(delivery->redis, &reply, (const char *[]){"DEL", moved, NULL}))
		return deliver_lost_connection(delivery);
	redis_reply_free(reply);
	snprintf(delivery->error, sizeof(delivery->error),
		 "another publisher writes to the stream of shard %02x", delivery->shard);
	return read_top(delivery) == -EIO ? -EIO : -EAGAIN;
}

/* One at a time: it is rare but for a capture older than the stream, which is not urgent. */
static int move_event(struct delivery *delivery, struct item *item)
{
	struct redis_reply *exec;

	item->stored = (struct stream_id){delivery->top.ms, delivery->top.seq + 1};
	if (append_move(delivery, item))
		return -ENOMEM;
	int status = read_exec(delivery, &exec);
	if (status)
		return status;
	if (redis_type(exec) == REDIS_REFUSED)
		status = refused(delivery, exec);
	else if (redis_type(redis_element(exec, 0)) == REDIS_REFUSED)
		status = undo_move(delivery, item);
	else {
		settle_event(delivery, item, item->stored, false);
		delivery->events_moved++;
	}
	redis_reply_free(exec);
	return status;
}

static int deliver_events(struct delivery *delivery, struct item **items, size_t n)
{
	struct item *collided[DELIVER_BATCH];
	size_t n_collided;
	int status = add_events(delivery, items, n, collided, &n_collided);

	if (status == 0 && n_collided)
		status = look_up(delivery, collided, n_collided);
	for (size_t i = 0; i < n_collided && !status; i++)
		if (!collided[i]->settled)
			status = move_event(delivery, collided[i]);
	for (size_t i = 0; i < n; i++)
		items[i]->sent = true;
	return status;
}

/* --- nodes, single values --- */

int deliver_append_set(struct delivery *delivery, const char *key, const uint8_t *value, size_t n,
		       const char *ttl_s)
{
	const char *arguments[] = {"SET", key, (const char *)value, "EX", ttl_s};
	size_t lengths[] = {3, strlen(key), n, 2, ttl_s ? strlen(ttl_s) : 0};

	return redis_append(delivery->redis, ttl_s ? 5 : 3, arguments, lengths);
}

/* Reads n replies to SET; one that is an error is counted. */
int deliver_read_sets(struct delivery *delivery, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		struct redis_reply *reply;
		if (redis_next(delivery->redis, &reply))
			return deliver_lost_connection(delivery);
		if (redis_type(reply) == REDIS_REFUSED) {
			redis_explain(redis_text(reply, NULL), delivery->error);
			delivery->refused++;
		}
		redis_reply_free(reply);
	}
	return 0;
}

int deliver_value(struct delivery *delivery, const char *key, const uint8_t *value, size_t n,
		  const char *ttl_s)
{
	int status = deliver_append_set(delivery, key, value, n, ttl_s);

	return status ? status : deliver_read_sets(delivery, 1);
}

static int deliver_nodes(struct delivery *delivery, struct item **items, size_t n)
{
	uint64_t refused_before = delivery->refused;

	for (size_t i = 0; i < n; i++)
		if (deliver_append_set(delivery, items[i]->names, items[i]->payload,
				       items[i]->n_payload, KEYSPACE_NODE_TTL_S))
			return -ENOMEM;
	int status = deliver_read_sets(delivery, n);
	for (size_t i = 0; i < n && !status; i++)
		items[i]->settled = true;
	if (!status)
		delivery->nodes_published += n - (delivery->refused - refused_before);
	return status;
}

int deliver_items(struct delivery *delivery, struct item **items, size_t n)
{
	switch (n ? items[0]->class : ITEM_CLASSES) {
	case ITEM_EVENT:
		return deliver_events(delivery, items, n);
	case ITEM_CARD:
		return deliver_cards(delivery, items, n);
	case ITEM_NODE:
		return deliver_nodes(delivery, items, n);
	default:
		return 0;
	}
}

/* --- the tail --- */

void deliver_keep(struct delivery *delivery, struct item *item)
{
	if (item->class != ITEM_EVENT) {
		free(item);
		return;
	}
	struct item **place = &delivery->tail[delivery->tail_at++ % DELIVER_TAIL];
	free(*place);
	*place = item;
}

int deliver_lost(struct delivery *delivery)
{
	for (size_t start = 0; start < DELIVER_TAIL; start += DELIVER_BATCH) {
		struct item *lost[DELIVER_BATCH];
		size_t n = 0;
		for (size_t i = start; i < start + DELIVER_BATCH; i++) {
			struct item *item = delivery->tail[(delivery->tail_at + i) % DELIVER_TAIL];
			if (item && !item->settled)
				lost[n++] = item;
		}
		int status = deliver_items(delivery, lost, n);
		if (status)
			return status;
	}
	return 0;
}

void deliver_fini(struct delivery *delivery)
{
	deliver_disconnect(delivery);
	for (size_t i = 0; i < DELIVER_TAIL; i++) {
		free(delivery->tail[i]);
		delivery->tail[i] = NULL;
	}
}
