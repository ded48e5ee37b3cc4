/* SPDX-License-Identifier: BSD-3-Clause */
#include "tools/rasad-desk/load.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "engine/publish/keyspace.h"
#include "tools/rasad-desk/store.h"

#define BATCH 64 /* sets of members may be half a megabyte each */

void wanted_fini(struct wanted *wanted)
{
	free(wanted->ids);
	*wanted = (struct wanted){0};
}

static void want(struct desk *desk, struct wanted *wanted, const char *id)
{
	if (strlen(id) >= DESK_ID_SIZE) {
		count(&desk->counters.garbled);
		return;
	}
	for (size_t i = wanted->n; i > 0 && wanted->n - i < BATCH; i--)
		if (!strcmp(wanted->ids[i - 1], id))
			return;
	if (wanted->n == wanted->capacity) {
		size_t capacity = wanted->capacity ? 2 * wanted->capacity : 64;
		void *more = realloc(wanted->ids, capacity * sizeof(*wanted->ids));
		if (!more)
			return;
		wanted->ids = more;
		wanted->capacity = capacity;
	}
	snprintf(wanted->ids[wanted->n++], DESK_ID_SIZE, "%s", id);
}

/* --- into the book --- */

/* The book has seen it; what the duty must know of it is noted. */
static void note(struct desk *desk, const char *id, enum book_change change)
{
	if (change != BOOK_NONE)
		desk_note_change(desk, id, change == BOOK_CLEARED);
}

static void take_incident(struct desk *desk, Rasad__V1__Incident *incident)
{
	char id[DESK_ID_SIZE];

	snprintf(id, sizeof(id), "%s", incident->incident_id);
	desk_saw_time(desk, incident->changed_unix_ns);
	pthread_mutex_lock(&desk->lock);
	note(desk, id, book_take_incident(desk->book, incident));
	pthread_mutex_unlock(&desk->lock);
}

static void take_members(struct desk *desk, Rasad__V1__MemberSet *members)
{
	char id[DESK_ID_SIZE];

	snprintf(id, sizeof(id), "%s", members->incident_id);
	pthread_mutex_lock(&desk->lock);
	note(desk, id, book_take_members(desk->book, members));
	pthread_mutex_unlock(&desk->lock);
}

/* --- entries --- */

static ProtobufCMessage *unpack_entry(struct desk *desk, const struct redis_reply *entry,
				      const ProtobufCMessageDescriptor *type)
{
	if (strcmp(redis_text(store_field(entry, "t"), NULL), type->short_name))
		return NULL; /* of another kind */
	ProtobufCMessage *message = store_unpack(type, store_field(entry, "p"));
	if (!message)
		count(&desk->counters.garbled);
	return message;
}

void load_incident(struct desk *desk, const struct redis_reply *entry, struct wanted *wanted)
{
	Rasad__V1__Incident *incident =
		(Rasad__V1__Incident *)unpack_entry(desk, entry, &rasad__v1__incident__descriptor);

	count(&desk->counters.incidents_seen);
	if (!incident)
		return;
	want(desk, wanted, incident->incident_id);
	take_incident(desk, incident);
}

/*
 * What is kept of an answer for two hours: who, where and what. Its words and reasons are in Redis,
 * and would take most of a gigabyte of memory for 200,000 calls. Points into the match.
 */
static Rasad__V1__CallMatch without_words(const Rasad__V1__CallMatch *match)
{
	static char nothing[] = "";
	Rasad__V1__CallMatch slim = *match;

	slim.n_hypotheses = slim.n_cannot_see = slim.n_actions = slim.n_other_lines = 0;
	slim.text_fa = slim.text_en = nothing;
	slim.recommended_action = slim.recommended_action_fa = nothing;
	slim.call = NULL;
	return slim;
}

void load_answer(struct desk *desk, const struct redis_reply *entry)
{
	Rasad__V1__CallMatch *match = (Rasad__V1__CallMatch *)unpack_entry(
		desk, entry, &rasad__v1__call_match__descriptor);

	count(&desk->counters.answers_seen);
	if (!match)
		return;
	const Rasad__V1__CallMatch slim = without_words(match);
	pthread_mutex_lock(&desk->lock);
	calls_add(desk->calls, match->call, &slim);
	callers_add(&desk->callers, match);
	pthread_mutex_unlock(&desk->lock);
	pthread_mutex_lock(&desk->surge_lock);
	surge_call(desk->surge, match);
	pthread_mutex_unlock(&desk->surge_lock);
	rasad__v1__call_match__free_unpacked(match, NULL);
}

/* --- stored values --- */

int load_open(struct desk *desk, struct redis *redis, struct wanted *wanted)
{
	struct redis_reply *ids;

	if (redis_ask(redis, &ids,
		      (const char *[]){"ZRANGE", KEYSPACE_INCIDENTS_OPEN, "0", "-1", NULL}))
		return -EIO;
	for (size_t i = 0; i < redis_count(ids); i++)
		want(desk, wanted, redis_text(redis_element(ids, i), NULL));
	redis_reply_free(ids);
	return 0;
}

static int ask(struct redis *redis, void (*name)(const char *id, keyspace_key out), const char *id)
{
	keyspace_key key;

	name(id, key);
	return store_append(redis, (const char *[]){"GET", key, NULL});
}

static int ask_batch(struct redis *redis, const struct wanted *wanted, size_t from, size_t to,
		     bool with_incidents)
{
	int status = 0;

	for (size_t i = from; i < to && !status; i++) {
		if (with_incidents)
			status = ask(redis, keyspace_incident, wanted->ids[i]);
		status = status ? status : ask(redis, keyspace_incident_members, wanted->ids[i]);
	}
	return status;
}

static int read_one(struct desk *desk, struct redis *redis, bool is_incident)
{
	struct redis_reply *reply;
	const ProtobufCMessageDescriptor *type =
		is_incident ? &rasad__v1__incident__descriptor : &rasad__v1__member_set__descriptor;

	if (redis_next(redis, &reply))
		return -EIO;
	ProtobufCMessage *message = store_unpack(type, reply);
	if (!message && redis_type(reply) != REDIS_NIL)
		count(&desk->counters.garbled);
	redis_reply_free(reply);
	if (message && is_incident)
		take_incident(desk, (Rasad__V1__Incident *)message);
	else if (message)
		take_members(desk, (Rasad__V1__MemberSet *)message);
	return 0;
}

int load_wanted(struct desk *desk, struct redis *redis, struct wanted *wanted, bool with_incidents)
{
	int status = 0;

	for (size_t from = 0; from < wanted->n && !status; from += BATCH) {
		size_t to = from + BATCH < wanted->n ? from + BATCH : wanted->n;
		status = ask_batch(redis, wanted, from, to, with_incidents);
		for (size_t i = from; i < to && !status; i++) {
			if (with_incidents)
				status = read_one(desk, redis, true);
			status = status ? status : read_one(desk, redis, false);
		}
	}
	wanted->n = 0;
	return status;
}
