/* SPDX-License-Identifier: BSD-3-Clause */
#include "tools/rasad-desk/again.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "engine/match/verify.h"
#include "engine/publish/keyspace.h"
#include "proto/rasad/v1/card.pb-c.h"
#include "tools/lib/call_keys.h"
#include "tools/rasad-desk/store.h"

#define BATCH	  "64"
#define NS_PER_MS 1000000

int again_plan(struct desk *desk, struct redis *redis, const char *incident_id,
	       const struct caller *callers, size_t n)
{
	char due[24], member[160], sub_id[KEYSPACE_SUB_ID_SIZE];
	int status = 0;

	snprintf(due, sizeof(due), "%" PRId64,
		 (int64_t)((desk_time(desk) + VERIFY_AGAIN_NS) / NS_PER_MS));
	for (size_t i = 0; i < n && !status; i++) {
		keyspace_sub_id_of(callers[i].sub_id, sub_id);
		snprintf(member, sizeof(member), "%s %s %" PRId64, incident_id, sub_id,
			 callers[i].call_unix_ns);
		status = store_do(redis, (const char *[]){"ZADD", VERIFY_AGAIN, due, member, NULL});
	}
	return status == -EPROTO ? 0 : status;
}

/* One that is due, taken apart. */
struct again {
	char incident_id[DESK_ID_SIZE], sub_id[KEYSPACE_SUB_ID_SIZE];
	int64_t call_unix_ns;
};

static bool parse(const char *member, struct again *again)
{
	return sscanf(member, "%63s %16s %" SCNd64, again->incident_id, again->sub_id,
		      &again->call_unix_ns) == 3 &&
	       keyspace_is_incident_id(again->incident_id) &&
	       strlen(again->sub_id) == KEYSPACE_SUB_ID_SIZE - 1;
}

static int read_both(struct desk *desk, struct redis *redis, const struct again *again,
		     Rasad__V1__Incident **incident, Rasad__V1__SubscriberCard **card)
{
	keyspace_key key;
	struct redis_reply *reply;

	keyspace_incident(again->incident_id, key);
	int status = store_append(redis, (const char *[]){"GET", key, NULL});
	status = status ? status : store_ask_time(redis);
	status = status ? status : store_ask_card(redis, again->sub_id);
	if (status || redis_next(redis, &reply))
		return status ? status : -EIO;
	*incident = (Rasad__V1__Incident *)store_unpack(&rasad__v1__incident__descriptor, reply);
	redis_reply_free(reply);
	status = store_read_time(desk, redis);
	return status ? status : store_read_card(desk, redis, card);
}

static int settle(struct redis *redis, const struct again *again,
		  const Rasad__V1__VerifyResult *result)
{
	char list[CALL_KEY_SIZE], rest[CALL_KEY_SIZE], state[12];

	snprintf(list, sizeof(list), VERIFY_LIST, again->incident_id);
	snprintf(rest, sizeof(rest), VERIFY_REST, again->incident_id);
	snprintf(state, sizeof(state), "%d", (int)result->state);
	int status = store_do(redis, (const char *[]){"ZREM", list, again->sub_id, NULL});
	if (status)
		return status;
	if (verify_says_fixed(result))
		return store_do(redis, (const char *[]){"ZREM", rest, again->sub_id, NULL});
	return store_do(redis, (const char *[]){"ZADD", rest, state, again->sub_id, NULL});
}

static int look_at(struct desk *desk, struct redis *redis, const struct again *again)
{
	Rasad__V1__Incident *incident = NULL;
	Rasad__V1__SubscriberCard *card = NULL;
	int status = read_both(desk, redis, again, &incident, &card);
	const struct verify_input input = {.incident = incident,
					   .sub_id = again->sub_id,
					   .card = card,
					   .now_unix_ns = desk_time(desk),
					   .wall_unix_ms = desk_wall_ms(desk),
					   .call_unix_ns = again->call_unix_ns};
	Rasad__V1__VerifyResult *result = !status && incident ? verify_line(&input) : NULL;

	if (result) {
		status = settle(redis, again, result);
		count(&desk->counters.lines_verified);
		rasad__v1__verify_result__free_unpacked(result, NULL);
	}
	if (incident)
		rasad__v1__incident__free_unpacked(incident, NULL);
	if (card)
		rasad__v1__subscriber_card__free_unpacked(card, NULL);
	return status;
}

int again_look(struct desk *desk, struct redis *redis)
{
	char now[24];
	struct redis_reply *due;

	snprintf(now, sizeof(now), "%" PRId64, desk_time(desk) / NS_PER_MS);
	int status = redis_ask(redis, &due,
			       (const char *[]){"ZRANGEBYSCORE", VERIFY_AGAIN, "-inf", now, "LIMIT",
						"0", BATCH, NULL});
	for (size_t i = 0; i < redis_count(due) && !status; i++) {
		const char *member = redis_text(redis_element(due, i), NULL);
		struct again again;
		if (parse(member, &again))
			status = look_at(desk, redis, &again);
		else
			count(&desk->counters.garbled);
		status = status ? status
				: store_do(redis,
					   (const char *[]){"ZREM", VERIFY_AGAIN, member, NULL});
	}
	redis_reply_free(due);
	return status;
}
