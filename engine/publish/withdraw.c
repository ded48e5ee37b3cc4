/* SPDX-License-Identifier: BSD-3-Clause */
/* What nobody watches any more does not stay open: the rules stand in deliver_incident.h. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "engine/publish/deliver.h"
#include "engine/publish/deliver_incident.h"
#include "engine/publish/deliver_parts.h"
#include "engine/publish/keyspace.h"
#include "proto/bounded.h"
#include "proto/rasad/v1/incident.pb-c.h"

#define AT_ONCE	  64
#define NS_PER_MS 1000000
#define DAY_MS	  (24 * 3600 * 1000)

enum verdict { WATCHED, ORPHAN };

/* One question. NULL: the connection is lost, or it was refused, and *status says which. */
static struct redis_reply *ask(struct delivery *delivery, const char *const *arguments, int *status)
{
	struct redis_reply *reply;

	*status = 0;
	if (redis_ask(delivery->redis, &reply, arguments)) {
		*status = deliver_lost_connection(delivery);
		return NULL;
	}
	if (redis_type(reply) != REDIS_REFUSED)
		return reply;
	*status = deliver_refused(delivery, reply);
	redis_reply_free(reply);
	return NULL;
}

/* Does its collector report? Returns 1, 0, or negative. */
static int has_health(struct delivery *delivery, const char *collector)
{
	keyspace_key key;
	int status;

	keyspace_health(collector, key);
	struct redis_reply *reply = ask(delivery, (const char *[]){"GET", key, NULL}, &status);
	if (!reply)
		return status;
	bool there = redis_type(reply) == REDIS_TEXT;
	redis_reply_free(reply);
	return there;
}

/* Returns a verdict, or negative. */
static int judge(struct delivery *delivery, const Rasad__V1__Incident *incident)
{
	const struct codec_producer *own = &delivery->producer;

	if (!strcmp(incident->producer, own->name))
		return incident->epoch == own->epoch_unix_ms ? WATCHED : ORPHAN;
	int64_t now_ms = deliver_now_ms() + delivery->clock_offset_ms;
	if (incident->changed_unix_ns / NS_PER_MS > now_ms - DAY_MS)
		return WATCHED;
	int there = has_health(delivery, incident->collector);
	return there < 0 ? there : there ? WATCHED : ORPHAN;
}

/* Returns 1 when it has left the set, 0 when not, or negative. */
static int withdraw(struct delivery *delivery, const char *id, const uint8_t *packed, size_t n,
		    uint32_t revision)
{
	int64_t now_ms = deliver_now_ms() + delivery->clock_offset_ms;
	uint64_t before = delivery->incidents_published;
	struct codec_bytes bytes;
	int status = codec_withdraw(delivery->codec, packed, n, now_ms * NS_PER_MS,
				    &delivery->producer, &bytes);

	if (status)
		return status;
	struct item *item = item_incident(id, revision, bytes.data, bytes.length, 0);
	if (!item)
		return -ENOMEM;
	item->id.ms = (uint64_t)now_ms;
	status = deliver_incidents(delivery, &item, 1);
	bool done = delivery->incidents_published > before;
	delivery->incidents_withdrawn += done;
	if (status)
		free(item);
	else
		deliver_keep(delivery, item);
	return status ? status : done;
}

static bool is_open(const Rasad__V1__Incident *incident, const char *id)
{
	return incident && !strcmp(incident->incident_id, id) &&
	       incident->state <= RASAD__V1__INCIDENT_STATE__INCIDENT_STATE_UPDATED;
}

/* A member of the set that names no open incident. */
static int forget(struct delivery *delivery, const char *id)
{
	int status;
	struct redis_reply *reply =
		ask(delivery, (const char *[]){"ZREM", KEYSPACE_INCIDENTS_OPEN, id, NULL}, &status);
	int removed = reply ? redis_integer(reply) > 0 : status;

	redis_reply_free(reply);
	return removed;
}

/* Returns 1 when it has left the set, 0 when not, or negative. */
static int look_at(struct delivery *delivery, const char *id)
{
	keyspace_key key;
	int status;
	size_t n;

	if (!keyspace_is_incident_id(id))
		return forget(delivery, id);
	keyspace_incident(id, key);
	struct redis_reply *reply = ask(delivery, (const char *[]){"GET", key, NULL}, &status);
	if (!reply) /* refused: the key is of another type */
		return status == -EAGAIN ? forget(delivery, id) : status;
	const uint8_t *packed = (const uint8_t *)redis_text(reply, &n);
	Rasad__V1__Incident *incident =
		(Rasad__V1__Incident *)bounded_unpack(&rasad__v1__incident__descriptor, packed, n);
	if (!is_open(incident, id))
		status = forget(delivery, id);
	else if ((status = judge(delivery, incident)) == ORPHAN)
		status = withdraw(delivery, id, packed, n, incident->revision + 1);
	if (incident)
		protobuf_c_message_free_unpacked(&incident->base, NULL);
	redis_reply_free(reply);
	return status;
}

/* A page of the set from *start on, which moves past those that stay. Returns its length. */
static int look_at_page(struct delivery *delivery, size_t *start)
{
	char first[24], last[24];
	int status;

	snprintf(first, sizeof(first), "%zu", *start);
	snprintf(last, sizeof(last), "%zu", *start + AT_ONCE - 1);
	struct redis_reply *ids = ask(
		delivery, (const char *[]){"ZRANGE", KEYSPACE_INCIDENTS_OPEN, first, last, NULL},
		&status);
	for (size_t i = 0; i < redis_count(ids) && status >= 0; i++) {
		status = look_at(delivery, redis_text(redis_element(ids, i), NULL));
		*start += status == 0;
	}
	int length = (int)redis_count(ids);
	redis_reply_free(ids);
	return status < 0 ? status : length;
}

int deliver_withdrawals(struct delivery *delivery)
{
	size_t start = 0;
	int length = 1;

	while (delivery->withdraw && length > 0)
		length = look_at_page(delivery, &start);
	delivery->withdraw &= length < 0;
	return length < 0 ? length : 0;
}
