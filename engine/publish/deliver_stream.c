/* SPDX-License-Identifier: BSD-3-Clause */
#include "engine/publish/deliver_stream.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "engine/publish/deliver.h"
#include "engine/publish/deliver_parts.h"
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

/* --- the two streams of a shard, and the one of incidents --- */

static void stream_key(const struct delivery *delivery, enum item_class class, keyspace_key out)
{
	if (class == ITEM_INCIDENT)
		strcpy(out, KEYSPACE_INCIDENTS);
	else if (class == ITEM_MINUTES)
		keyspace_minutes(delivery->shard, out);
	else
		keyspace_events(delivery->shard, out);
}

static const char *stream_maxlen(enum item_class class)
{
	return class == ITEM_INCIDENT  ? KEYSPACE_INCIDENTS_MAXLEN
	       : class == ITEM_MINUTES ? KEYSPACE_MINUTES_MAXLEN
				       : KEYSPACE_STREAM_MAXLEN;
}

/* A stream that is not there yet has none. */
int stream_parse_top(struct delivery *delivery, const struct redis_reply *xinfo,
		     struct stream_id *top)
{
	*top = (struct stream_id){0};
	if (redis_type(xinfo) == REDIS_REFUSED &&
	    strncmp(redis_text(xinfo, NULL), "ERR no such key", 15))
		return deliver_refused(delivery, xinfo);
	for (size_t i = 0; i + 1 < redis_count(xinfo); i += 2)
		if (!strcmp(redis_text(redis_element(xinfo, i), NULL), "last-generated-id"))
			parse_id(redis_text(redis_element(xinfo, i + 1), NULL), top);
	return 0;
}

int stream_read_top(struct delivery *delivery, enum item_class class)
{
	keyspace_key stream;
	struct redis_reply *reply;

	stream_key(delivery, class, stream);
	if (redis_ask(delivery->redis, &reply, (const char *[]){"XINFO", "STREAM", stream, NULL}))
		return deliver_lost_connection(delivery);
	int status = stream_parse_top(delivery, reply, &delivery->top[class]);
	redis_reply_free(reply);
	return status;
}

/* --- adding --- */

int stream_append_entry(struct delivery *delivery, const struct item *item, struct stream_id id)
{
	keyspace_key stream;
	char id_text[ID_SIZE];

	stream_key(delivery, item->class, stream);
	format_id(id, id_text);
	const char *arguments[] = {"XADD",
				   stream,
				   "MAXLEN",
				   "~",
				   stream_maxlen(item->class),
				   id_text,
				   "t",
				   item->type,
				   "v",
				   SCHEMA_MAJOR,
				   "k",
				   item->name,
				   "p",
				   (const char *)item->payload};
	size_t n = sizeof(arguments) / sizeof(*arguments),
	       lengths[sizeof(arguments) / sizeof(*arguments)];
	for (size_t i = 0; i + 1 < n; i++)
		lengths[i] = strlen(arguments[i]);
	lengths[n - 1] = item->n_payload;
	return redis_append(delivery->redis, n, arguments, lengths);
}

void stream_settle(struct delivery *delivery, struct item *item, struct stream_id stored,
		   bool already)
{
	item->settled = true;
	item->stored = stored;
	if (is_newer(stored, delivery->top[item->class]))
		delivery->top[item->class] = stored;
	if (item->counted)
		return;
	item->counted = true;
	if (item->class == ITEM_INCIDENT)
		++*(already ? &delivery->incidents_already_published
			    : &delivery->incidents_published);
	else if (item->class == ITEM_MINUTES)
		*(already ? &delivery->minutes_already_published : &delivery->minutes_published) +=
			item->records;
	else
		++*(already ? &delivery->events_already_published : &delivery->events_published);
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
static int add_entries(struct delivery *delivery, struct item **items, size_t n,
		       struct item **collided, size_t *n_collided)
{
	int status = 0;

	*n_collided = 0;
	for (size_t i = 0; i < n; i++)
		if (!items[i]->settled && stream_append_entry(delivery, items[i], items[i]->id))
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
			status = deliver_refused(delivery, reply);
		else
			stream_settle(delivery, items[i], items[i]->id, false);
		redis_reply_free(reply);
	}
	return status;
}

/* The k of the only entry in an XRANGE reply is the event's. */
static bool holds(const struct redis_reply *range, const struct item *item)
{
	const struct redis_reply *fields = redis_element(redis_element(range, 0), 1);

	for (size_t i = 0; i + 1 < redis_count(fields); i += 2)
		if (!strcmp(redis_text(redis_element(fields, i), NULL), "k"))
			return !strcmp(redis_text(redis_element(fields, i + 1), NULL), item->name);
	return false;
}

static int append_questions(struct delivery *delivery, const struct item *item)
{
	keyspace_key stream, moved;
	char id[ID_SIZE];

	stream_key(delivery, item->class, stream);
	keyspace_moved(delivery->shard, item->name, moved);
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
		return deliver_refused(delivery,
				       redis_type(range) == REDIS_REFUSED ? range : moved);
	if (holds(range, item) ||
	    (redis_type(moved) == REDIS_TEXT && parse_id(redis_text(moved, NULL), &id)))
		stream_settle(delivery, item, id, !item->sent);
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

	keyspace_moved(delivery->shard, item->name, moved);
	format_id(item->stored, id);
	int status = deliver_append(delivery, (const char *[]){"MULTI", NULL});
	status = status ? status : stream_append_entry(delivery, item, item->stored);
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

	keyspace_moved(delivery->shard, item->name, moved);
	if (redis_ask(delivery->redis, &reply, (const char *[]){"DEL", moved, NULL}))
		return deliver_lost_connection(delivery);
	redis_reply_free(reply);
	snprintf(delivery->error, sizeof(delivery->error),
		 "another publisher writes to the stream of shard %02x", delivery->shard);
	return stream_read_top(delivery, item->class) == -EIO ? -EIO : -EAGAIN;
}

/* One at a time: it is rare but for a capture older than the stream, which is not urgent. */
static int move(struct delivery *delivery, struct item *item)
{
	struct redis_reply *exec;
	struct stream_id top = delivery->top[item->class];

	item->stored = (struct stream_id){top.ms, top.seq + 1};
	if (append_move(delivery, item))
		return -ENOMEM;
	int status = read_exec(delivery, &exec);
	if (status)
		return status;
	if (redis_type(exec) == REDIS_REFUSED)
		status = deliver_refused(delivery, exec);
	else if (redis_type(redis_element(exec, 0)) == REDIS_REFUSED)
		status = undo_move(delivery, item);
	else {
		stream_settle(delivery, item, item->stored, false);
		delivery->events_moved += item->class == ITEM_EVENT;
	}
	redis_reply_free(exec);
	return status;
}

int deliver_entries(struct delivery *delivery, struct item **items, size_t n)
{
	struct item *collided[DELIVER_BATCH];
	size_t n_collided;
	int status = add_entries(delivery, items, n, collided, &n_collided);

	if (status == 0 && n_collided)
		status = look_up(delivery, collided, n_collided);
	for (size_t i = 0; i < n_collided && !status; i++)
		if (!collided[i]->settled)
			status = move(delivery, collided[i]);
	for (size_t i = 0; i < n; i++)
		items[i]->sent = true;
	return status;
}

static void mark_lost(struct delivery *delivery, struct tail *tail, struct stream_id top)
{
	for (size_t i = 0; i < DELIVER_TAIL; i++)
		if (tail->items[i] && is_newer(tail->items[i]->stored, top)) {
			tail->items[i]->settled = false;
			delivery->has_lost = true;
		}
}

void stream_mark_lost(struct delivery *delivery)
{
	mark_lost(delivery, &delivery->incidents, delivery->top[ITEM_INCIDENT]);
	mark_lost(delivery, &delivery->events, delivery->top[ITEM_EVENT]);
	mark_lost(delivery, &delivery->minutes, delivery->top[ITEM_MINUTES]);
}
