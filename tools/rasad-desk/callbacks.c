/* SPDX-License-Identifier: BSD-3-Clause */
#include "tools/rasad-desk/callbacks.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "engine/match/verify.h"
#include "engine/publish/keyspace.h"
#include "proto/rasad/v1/card.pb-c.h"
#include "tools/lib/call_keys.h"
#include "tools/rasad-desk/again.h"
#include "tools/rasad-desk/store.h"

#define SLICE	 256
#define FIRST_MS 2000
#define STATES	 9			 /* of VerifyState */
#define MORE_NS	 (5 * 60 * 1000000000ll) /* after the window: who came late has ended too */
#define END_MS	 (2 * 3600 * 1000ll)	 /* whatever the clock of the packets does */

typedef Rasad__V1__VerifyResult Result;

/* Once through all lines of an incident. */
struct pass {
	struct job *job;
	Rasad__V1__Incident *incident; /* owned copy */
	uint64_t *sub_ids;	       /* owned */
	struct caller *callers;	       /* owned */
	size_t n, at, n_callers;
	uint64_t states[STATES];
};

static struct pass *pass_free(struct pass *pass)
{
	if (!pass)
		return NULL;
	if (pass->incident)
		rasad__v1__incident__free_unpacked(pass->incident, NULL);
	free(pass->sub_ids);
	free(pass->callers);
	free(pass);
	return NULL;
}

void callbacks_fini(struct callbacks *callbacks)
{
	callbacks->pass = pass_free(callbacks->pass);
	memset(callbacks->jobs, 0, sizeof(callbacks->jobs));
}

void callbacks_add(struct callbacks *callbacks, struct desk *desk, const char *incident_id)
{
	struct job *place = NULL;

	for (size_t i = 0; i < CALLBACKS_JOBS_MAX; i++) {
		struct job *job = &callbacks->jobs[i];
		if (!strcmp(job->incident_id, incident_id))
			return;
		if (!place && !*job->incident_id)
			place = job;
	}
	if (!place) {
		count(&desk->counters.jobs_refused);
		return;
	}
	snprintf(place->incident_id, sizeof(place->incident_id), "%s", incident_id);
	place->next_ms = desk_now_ms() + FIRST_MS;
	place->end_ms = desk_now_ms() + END_MS;
}

/* --- a pass --- */

static bool is_over(const Rasad__V1__Incident *incident)
{
	return incident->state == RASAD__V1__INCIDENT_STATE__INCIDENT_STATE_CLEARED;
}

static bool copy_members(struct pass *pass, const Rasad__V1__MemberSet *members)
{
	pass->n = members ? members->n_down + members->n_recovered : 0;
	pass->sub_ids = calloc(pass->n + 1, sizeof(*pass->sub_ids));
	if (!pass->sub_ids)
		return false;
	if (members && members->n_down)
		memcpy(pass->sub_ids, members->down, members->n_down * sizeof(uint64_t));
	if (members && members->n_recovered)
		memcpy(pass->sub_ids + members->n_down, members->recovered,
		       members->n_recovered * sizeof(uint64_t));
	return true;
}

/* NULL: the incident is not over, or not here any more, or there is no memory. */
static struct pass *pass_new(struct desk *desk, const char *incident_id)
{
	struct pass *pass = calloc(1, sizeof(*pass));

	if (!pass)
		return NULL;
	pthread_mutex_lock(&desk->lock);
	const Rasad__V1__Incident *incident = book_find(desk->book, incident_id);
	bool good = incident && !strcmp(incident->incident_id, incident_id) && is_over(incident) &&
		    copy_members(pass, book_members(desk->book, incident_id));
	if (good) {
		pass->incident = (Rasad__V1__Incident *)store_copy(&incident->base);
		pass->callers = callers_copy(&desk->callers, incident_id, &pass->n_callers);
	}
	pthread_mutex_unlock(&desk->lock);
	return pass->incident ? pass : pass_free(pass);
}

static Result *judge(struct desk *desk, const Rasad__V1__Incident *incident, const char *sub_id,
		     const Rasad__V1__SubscriberCard *card, int64_t call_unix_ns)
{
	const struct verify_input input = {
		.incident = incident,
		.sub_id = sub_id,
		.card = card,
		.now_unix_ns = desk_time(desk),
		.wall_unix_ms = desk_wall_ms(desk),
		.call_unix_ns = call_unix_ns,
	};

	return verify_line(&input);
}

/* The line moves to the set where it belongs. Two replies. */
static int store_result(struct redis *redis, const char *incident_id, const Result *result)
{
	char list[CALL_KEY_SIZE], rest[CALL_KEY_SIZE], score[32];
	bool call = result->call_back;

	snprintf(list, sizeof(list), VERIFY_LIST, incident_id);
	snprintf(rest, sizeof(rest), VERIFY_REST, incident_id);
	if (call)
		snprintf(score, sizeof(score), "%.17g", verify_priority(result));
	else
		snprintf(score, sizeof(score), "%d", (int)result->state);
	int status = store_append(
		redis, (const char *[]){"ZADD", call ? list : rest, score, result->sub_id, NULL});
	return status ? status
		      : store_append(redis, (const char *[]){"ZREM", call ? rest : list,
							     result->sub_id, NULL});
}

static int drain(struct redis *redis, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		struct redis_reply *reply;
		if (redis_next(redis, &reply))
			return -EIO;
		redis_reply_free(reply);
	}
	return 0;
}

/* Reads all cards of the slice, then queues where the lines belong. */
static int look_at(struct pass *pass, struct desk *desk, struct redis *redis, size_t n)
{
	Result *results[SLICE] = {NULL};
	size_t n_results = 0;
	int status = 0;

	for (size_t i = 0; i < n && !status; i++) {
		char sub_id[KEYSPACE_SUB_ID_SIZE];
		uint64_t id = pass->sub_ids[pass->at + i];
		Rasad__V1__SubscriberCard *card;
		keyspace_sub_id_of(id, sub_id);
		status = store_read_card(desk, redis, &card);
		Result *result = status ? NULL
					: judge(desk, pass->incident, sub_id, card,
						callers_find(pass->callers, pass->n_callers, id));
		if (result)
			results[n_results++] = result;
		if (card)
			rasad__v1__subscriber_card__free_unpacked(card, NULL);
	}
	for (size_t i = 0; i < n_results; i++) {
		pass->states[(unsigned)results[i]->state % STATES]++;
		status = status ? status
				: store_result(redis, pass->incident->incident_id, results[i]);
		rasad__v1__verify_result__free_unpacked(results[i], NULL);
	}
	return status ? status : drain(redis, 2 * n_results);
}

static int slice(struct pass *pass, struct desk *desk, struct redis *redis)
{
	size_t n = pass->n - pass->at < SLICE ? pass->n - pass->at : SLICE;
	int status = store_ask_time(redis);

	for (size_t i = 0; i < n && !status; i++) {
		char sub_id[KEYSPACE_SUB_ID_SIZE];
		keyspace_sub_id_of(pass->sub_ids[pass->at + i], sub_id);
		status = store_ask_card(redis, sub_id);
	}
	status = status ? status : store_read_time(desk, redis);
	status = status ? status : look_at(pass, desk, redis, n);
	pass->at += n;
	atomic_fetch_add(&desk->counters.lines_verified, n);
	return status;
}

/* --- its end --- */

static const char *state_name(unsigned state)
{
	const ProtobufCEnumValue *value = protobuf_c_enum_descriptor_get_value(
		&rasad__v1__verify_state__descriptor, (int)state);

	return value ? value->name + sizeof("VERIFY_STATE_") - 1 : "";
}

static struct bytes pack_states(const struct pass *pass, int64_t now)
{
	Rasad__V1__CallbackList list = RASAD__V1__CALLBACK_LIST__INIT;
	Rasad__V1__CallbackList__StatesEntry entries[STATES], *pointers[STATES];

	list.incident_id = pass->incident->incident_id;
	list.states = pointers;
	list.has_verified_unix_ns_case =
		RASAD__V1__CALLBACK_LIST__HAS_VERIFIED_UNIX_NS_VERIFIED_UNIX_NS;
	list.verified_unix_ns = now;
	for (unsigned i = 1; i < STATES; i++) {
		if (!pass->states[i])
			continue;
		Rasad__V1__CallbackList__StatesEntry *entry = &entries[list.n_states];
		rasad__v1__callback_list__states_entry__init(entry);
		entry->key = (char *)state_name(i);
		entry->value = pass->states[i];
		pointers[list.n_states++] = entry;
	}
	return store_pack(&list.base);
}

static int store_states(const struct pass *pass, struct desk *desk, struct redis *redis)
{
	char key[CALL_KEY_SIZE], list[CALL_KEY_SIZE], rest[CALL_KEY_SIZE];
	const char *id = pass->incident->incident_id;
	struct bytes bytes = pack_states(pass, desk_time(desk));

	if (!bytes.data)
		return -ENOMEM;
	snprintf(key, sizeof(key), VERIFY_STATES, id);
	snprintf(list, sizeof(list), VERIFY_LIST, id);
	snprintf(rest, sizeof(rest), VERIFY_REST, id);
	int status = redis_append(
		redis, 5, (const char *[]){"SET", key, (char *)bytes.data, "EX", VERIFY_TTL_S},
		(const size_t[]){3, strlen(key), bytes.n, 2, strlen(VERIFY_TTL_S)});
	free(bytes.data);
	status = status ? status
			: store_append(redis, (const char *[]){"EXPIRE", list, VERIFY_TTL_S, NULL});
	status = status ? status
			: store_append(redis, (const char *[]){"EXPIRE", rest, VERIFY_TTL_S, NULL});
	return status ? status : drain(redis, 3);
}

static int end_pass(struct callbacks *callbacks, struct desk *desk, struct redis *redis)
{
	struct pass *pass = callbacks->pass;
	struct job *job = pass->job;
	int status = store_states(pass, desk, redis);
	int64_t done_ns = pass->incident->clear_unix_ns + VERIFY_WINDOW_NS + MORE_NS;

	job->next_ms = desk_now_ms() + callbacks->every_ms;
	if (desk_time(desk) > done_ns || desk_now_ms() > job->end_ms) {
		*job = (struct job){0};
		if (!status)
			status = again_plan(desk, redis, pass->incident->incident_id, pass->callers,
					    pass->n_callers);
	}
	callbacks->pass = pass_free(pass);
	return status;
}

static struct pass *begin_pass(struct callbacks *callbacks, struct desk *desk)
{
	int64_t now_ms = desk_now_ms();

	for (size_t i = 0; i < CALLBACKS_JOBS_MAX; i++) {
		struct job *job = &callbacks->jobs[i];
		if (!*job->incident_id || job->next_ms > now_ms)
			continue;
		struct pass *pass = pass_new(desk, job->incident_id);
		if (pass) {
			pass->job = job;
			return pass;
		}
		*job = (struct job){0}; /* it opened again, or is forgotten */
	}
	return NULL;
}

int callbacks_step(struct callbacks *callbacks, struct desk *desk, struct redis *redis)
{
	if (!callbacks->pass)
		callbacks->pass = begin_pass(callbacks, desk);
	if (!callbacks->pass)
		return 0;
	int status = slice(callbacks->pass, desk, redis);
	if (!status && callbacks->pass->at == callbacks->pass->n)
		status = end_pass(callbacks, desk, redis);
	return status ? status : 1;
}

/* --- reading --- */

static Rasad__V1__CallbackList *read_states(struct redis *redis, const char *incident_id)
{
	char key[CALL_KEY_SIZE];
	struct redis_reply *reply;

	snprintf(key, sizeof(key), VERIFY_STATES, incident_id);
	if (redis_ask(redis, &reply, (const char *[]){"GET", key, NULL}))
		return NULL;
	ProtobufCMessage *list = store_unpack(&rasad__v1__callback_list__descriptor, reply);
	redis_reply_free(reply);
	return (Rasad__V1__CallbackList *)list;
}

static int ask_lines(struct redis *redis, const char *incident_id, const char *state, size_t limit,
		     struct redis_reply **lines)
{
	char key[CALL_KEY_SIZE], count_text[24], name[48];

	snprintf(count_text, sizeof(count_text), "%zu", limit);
	if (!state) {
		snprintf(key, sizeof(key), VERIFY_LIST, incident_id);
		return redis_ask(redis, lines,
				 (const char *[]){"ZRANGEBYSCORE", key, "-inf", "+inf", "LIMIT",
						  "0", count_text, NULL});
	}
	snprintf(name, sizeof(name), "VERIFY_STATE_%.30s", state);
	const ProtobufCEnumValue *value = protobuf_c_enum_descriptor_get_value_by_name(
		&rasad__v1__verify_state__descriptor, name);
	snprintf(name, sizeof(name), "%d", value ? value->value : 0);
	snprintf(key, sizeof(key), VERIFY_REST, incident_id);
	return redis_ask(
		redis, lines,
		(const char *[]){"ZRANGEBYSCORE", key, name, name, "LIMIT", "0", count_text, NULL});
}

/* As they are now; of those to call, only who may still be called. */
static int judge_lines(struct pass *pass, struct desk *desk, struct redis *redis,
		       const struct redis_reply *lines, bool callable,
		       Rasad__V1__CallbackList *list)
{
	size_t n = redis_count(lines);
	int status = store_ask_time(redis);

	for (size_t i = 0; i < n && !status; i++)
		status = store_ask_card(redis, redis_text(redis_element(lines, i), NULL));
	status = status ? status : store_read_time(desk, redis);
	list->results = calloc(n + 1, sizeof(*list->results));
	for (size_t i = 0; i < n && !status && list->results; i++) {
		const char *sub_id = redis_text(redis_element(lines, i), NULL);
		Rasad__V1__SubscriberCard *card;
		status = store_read_card(desk, redis, &card);
		int64_t called = callers_find(pass->callers, pass->n_callers, book_sub_id(sub_id));
		Result *result = status ? NULL : judge(desk, pass->incident, sub_id, card, called);
		if (card)
			rasad__v1__subscriber_card__free_unpacked(card, NULL);
		if (result && result->call_back == callable)
			list->results[list->n_results++] = result;
		else if (result)
			rasad__v1__verify_result__free_unpacked(result, NULL);
	}
	return status ? status : list->results ? 0 : -ENOMEM;
}

int callbacks_read(struct desk *desk, struct redis *redis, const char *incident_id,
		   const char *state, size_t limit, Rasad__V1__CallbackList **list)
{
	struct redis_reply *lines = NULL;
	struct pass *pass = pass_new(desk, incident_id);
	int status = pass ? 0 : -ENOENT;

	*list = status ? NULL : read_states(redis, incident_id);
	if (!status && !*list) { /* no pass has ended yet */
		*list = calloc(1, sizeof(**list));
		if (*list)
			rasad__v1__callback_list__init(*list);
		char *id = *list ? strdup(incident_id) : NULL;
		if (id)
			(*list)->incident_id = id;
		status = id ? 0 : -ENOMEM;
	}
	if (!status && ask_lines(redis, incident_id, state, limit, &lines))
		status = -EIO;
	status = status ? status : judge_lines(pass, desk, redis, lines, !state, *list);
	redis_reply_free(lines);
	pass_free(pass);
	if (status && *list) {
		rasad__v1__callback_list__free_unpacked(*list, NULL);
		*list = NULL;
	}
	if (!status)
		verify_sort((*list)->results, (*list)->n_results);
	return status;
}
