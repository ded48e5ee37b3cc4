/* SPDX-License-Identifier: BSD-3-Clause */
/* Calls over HTTP. Nothing is acknowledged that is not stored. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "engine/match/call_json.h"
#include "tools/lib/call_keys.h"
#include "tools/rasad-desk/api.h"
#include "tools/rasad-desk/call.h"
#include "tools/rasad-desk/store.h"

#define RETRY_AFTER_S 1

/* Whoever gives no id cannot ask again for the same call; but it can be found. */
static bool has_id(Rasad__V1__CallEvent *call)
{
	uint64_t words[2];
	char *id = *call->call_id ? NULL : malloc(33);

	if (id && getrandom(words, sizeof(words), 0) == sizeof(words)) {
		snprintf(id, 33, "%016" PRIx64 "%016" PRIx64, words[0], words[1]);
		call->call_id = id;
	} else
		free(id);
	return *call->call_id;
}

static void give_match(struct api_call *call, enum call_outcome outcome,
		       const Rasad__V1__CallMatch *match)
{
	if (outcome == CALL_FAILED) {
		api_fail(call, 503, "", "Redis does not store the answer");
		return;
	}
	api_give(call, outcome == CALL_AWAY ? 503 : 200, &match->base);
	call->response->retry_after_s = outcome == CALL_AWAY ? RETRY_AFTER_S : 0;
}

static void answer(struct api_call *call, Rasad__V1__CallEvent *event)
{
	struct redis *redis = links_take(&call->desk->links);
	Rasad__V1__CallMatch *match;
	enum call_outcome outcome = call_answer(call->desk, redis, event, &match);
	bool current = atomic_load(&call->desk->current);

	/* Away while we still load: the connection was not used, and is whole. */
	links_give(&call->desk->links, redis,
		   outcome == CALL_ANSWERED || outcome == CALL_REPEATED ||
			   (outcome == CALL_AWAY && !current));
	give_match(call, outcome, match);
	if (match)
		rasad__v1__call_match__free_unpacked(match, NULL);
}

void api_post_call(struct api_call *call)
{
	char error[CALL_JSON_ERROR_SIZE];

	if (!call->request->has_json) {
		api_fail(call, 415, "Content-Type: application/json", "the body is no JSON");
		return;
	}
	Rasad__V1__CallEvent *event =
		call_from_json(call->request->body, call->request->n_body,
			       call->desk->packet_clock ? 0 : desk_time(call->desk), error);
	if (!event) {
		api_fail(call, 400, "a call_event", "%s", error);
		return;
	}
	const char *refused = has_id(event) ? call_refused(event) : "call_id: no random numbers";
	if (refused)
		api_fail(call, 400, "a call_event", "%s", refused);
	else
		answer(call, event);
	rasad__v1__call_event__free_unpacked(event, NULL);
}

void api_get_call(struct api_call *call)
{
	char key[CALL_KEY_SIZE];
	struct redis_reply *reply = NULL;
	struct redis *redis = api_redis(call);

	if (!redis)
		return;
	snprintf(key, sizeof(key), CALL_KEY, call->name);
	int status = redis_ask(redis, &reply, (const char *[]){"GET", key, NULL});
	links_give(&call->desk->links, redis, !status);
	ProtobufCMessage *match = store_unpack(&rasad__v1__call_match__descriptor, reply);
	if (status)
		api_fail(call, 503, "", "monitoring unavailable: Redis is away");
	else if (!match || strlen(call->name) > CALL_ID_MAX)
		api_fail(call, 404, "", "no call \"%.64s\" in the last seven days", call->name);
	else
		api_give(call, 200, match);
	redis_reply_free(reply);
	if (match)
		protobuf_c_message_free_unpacked(match, NULL);
}
