/* SPDX-License-Identifier: BSD-3-Clause */
#include "engine/publish/deliver_incident.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "engine/publish/deliver.h"
#include "engine/publish/deliver_parts.h"
#include "engine/publish/deliver_stream.h"
#include "engine/publish/keyspace.h"
#include "proto/bounded.h"
#include "proto/rasad/v1/incident.pb-c.h"

#define ATTEMPTS 16 /* others write between our question and our answer */
#define RACED	 1

struct names {
	char id[KEYSPACE_INCIDENT_ID_MAX + 1];
	keyspace_key incident, members;
};

static void name_keys(const struct item *item, struct names *names)
{
	snprintf(names->id, sizeof(names->id), "%.*s", (int)item->incident.n_id, item->name);
	keyspace_incident(names->id, names->incident);
	keyspace_incident_members(names->id, names->members);
}

/* --- the question --- */

/* 0: there is none; what is no Incident is none. */
static uint32_t stored_revision(const struct redis_reply *reply)
{
	size_t n;
	const char *bytes = redis_text(reply, &n);
	Rasad__V1__Incident *incident = (Rasad__V1__Incident *)bounded_unpack(
		&rasad__v1__incident__descriptor, (const uint8_t *)bytes, n);
	uint32_t revision = incident ? incident->revision : 0;

	if (incident)
		protobuf_c_message_free_unpacked(&incident->base, NULL);
	return revision;
}

/* Reads the replies to WATCH, GET and XINFO. All of them, or the connection is lost. */
static int read_answers(struct delivery *delivery, uint32_t *revision, struct stream_id *top)
{
	struct redis_reply *replies[3] = {0};
	int status = 0;

	for (size_t i = 0; i < 3 && !status; i++)
		if (redis_next(delivery->redis, &replies[i]))
			status = deliver_lost_connection(delivery);
	for (size_t i = 0; i < 2 && !status; i++)
		if (redis_type(replies[i]) == REDIS_REFUSED)
			status = deliver_refused(delivery, replies[i]);
	status = status ? status : stream_parse_top(delivery, replies[2], top);
	*revision = status ? 0 : stored_revision(replies[1]);
	for (size_t i = 0; i < 3; i++)
		redis_reply_free(replies[i]);
	return status;
}

static int ask(struct delivery *delivery, const struct names *names, uint32_t *revision,
	       struct stream_id *top)
{
	if (deliver_append(delivery,
			   (const char *[]){"WATCH", names->incident, KEYSPACE_INCIDENTS, NULL}) ||
	    deliver_append(delivery, (const char *[]){"GET", names->incident, NULL}) ||
	    deliver_append(delivery, (const char *[]){"XINFO", "STREAM", KEYSPACE_INCIDENTS, NULL}))
		return -ENOMEM;
	return read_answers(delivery, revision, top);
}

static int unwatch(struct delivery *delivery)
{
	struct redis_reply *reply;

	if (redis_ask(delivery->redis, &reply, (const char *[]){"UNWATCH", NULL}))
		return deliver_lost_connection(delivery);
	redis_reply_free(reply);
	return 0;
}

/* --- the transaction --- */

static int append_members(struct delivery *delivery, const struct item *item, const char *key,
			  const char *ttl_s)
{
	if (item->incident.n_members)
		return deliver_append_set(delivery, key, item->payload + item->n_payload,
					  item->incident.n_members, ttl_s);
	return deliver_append(delivery, ttl_s ? (const char *[]){"EXPIRE", key, ttl_s, NULL}
					      : (const char *[]){"PERSIST", key, NULL});
}

static int append_open(struct delivery *delivery, const struct item *item, const char *id)
{
	char score[24];

	if (!item->incident.open)
		return deliver_append(delivery,
				      (const char *[]){"ZREM", KEYSPACE_INCIDENTS_OPEN, id, NULL});
	snprintf(score, sizeof(score), "%" PRIu64, item->incident.score);
	return deliver_append(delivery,
			      (const char *[]){"ZADD", KEYSPACE_INCIDENTS_OPEN, score, id, NULL});
}

static int append_revision(struct delivery *delivery, const struct item *item,
			   const struct names *names, struct stream_id id)
{
	const char *ttl_s = item->incident.open ? NULL : KEYSPACE_INCIDENT_TTL_S;

	if (deliver_append(delivery, (const char *[]){"MULTI", NULL}) ||
	    deliver_append_set(delivery, names->incident, item->payload, item->n_payload, ttl_s) ||
	    append_members(delivery, item, names->members, ttl_s) ||
	    append_open(delivery, item, names->id) || stream_append_entry(delivery, item, id) ||
	    deliver_append(delivery, (const char *[]){"EXEC", NULL}))
		return -ENOMEM;
	return 0;
}

/* What EXEC says. A command that is refused within (a key of another type) does not undo the rest. */
static int judge(struct delivery *delivery, const struct redis_reply *exec)
{
	if (redis_type(exec) == REDIS_REFUSED)
		return deliver_refused(delivery, exec);
	if (redis_type(exec) == REDIS_NIL)
		return RACED;
	for (size_t i = 0; i < redis_count(exec); i++)
		if (redis_type(redis_element(exec, i)) == REDIS_REFUSED) {
			redis_explain(redis_text(redis_element(exec, i), NULL), delivery->error);
			delivery->refused++;
		}
	return 0;
}

/* Reads MULTI, four times QUEUED, EXEC. */
static int read_exec(struct delivery *delivery)
{
	struct redis_reply *reply;
	int status = 0;

	for (int i = 0; i < 6; i++) {
		if (redis_next(delivery->redis, &reply))
			return deliver_lost_connection(delivery);
		if (i == 5)
			status = judge(delivery, reply);
		redis_reply_free(reply);
	}
	return status;
}

/* --- a revision --- */

/* Rising: a stream takes nothing else. */
static struct stream_id id_after(struct stream_id top, uint64_t ms)
{
	return ms > top.ms ? (struct stream_id){ms, 0} : (struct stream_id){top.ms, top.seq + 1};
}

static int attempt(struct delivery *delivery, struct item *item, const struct names *names)
{
	uint32_t revision;
	struct stream_id top;
	int status = ask(delivery, names, &revision, &top);

	if (status || revision >= item->incident.revision) {
		if (!status)
			stream_settle(delivery, item, top, !item->sent);
		return status == -EIO || status == -ENOMEM ? status
		       : unwatch(delivery)		   ? -EIO
							   : status;
	}
	struct stream_id id = id_after(top, item->id.ms);
	status = append_revision(delivery, item, names, id);
	status = status ? status : read_exec(delivery);
	if (!status)
		stream_settle(delivery, item, id, false);
	item->sent |= status != RACED; /* then it certainly did not arrive */
	return status;
}

static int deliver_revision(struct delivery *delivery, struct item *item)
{
	struct names names;

	name_keys(item, &names);
	for (int i = 0; i < ATTEMPTS; i++) {
		int status = attempt(delivery, item, &names);
		if (status != RACED)
			return status;
	}
	snprintf(delivery->error, sizeof(delivery->error),
		 "others write to the stream of incidents without a pause");
	return -EAGAIN;
}

int deliver_incidents(struct delivery *delivery, struct item **items, size_t n)
{
	int status = 0;

	for (size_t i = 0; i < n && !status; i++)
		if (!items[i]->settled)
			status = deliver_revision(delivery, items[i]);
	return status;
}
