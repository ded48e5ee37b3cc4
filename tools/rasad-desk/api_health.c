/* SPDX-License-Identifier: BSD-3-Clause */
/* Elements of the network, and how collectors and this desk are doing. */
#include <inttypes.h>
#include <stdio.h>

#include "engine/publish/keyspace.h"
#include "proto/rasad/v1/desk.pb-c.h"
#include "tools/rasad-desk/api.h"
#include "tools/rasad-desk/store.h"
#include "version.h"

#define COLLECTORS_MAX 256
#define HEALTH_AGE_MS  30000

void api_list_nodes(struct api_call *call)
{
	Rasad__V1__NodeList list = RASAD__V1__NODE_LIST__INIT;
	struct desk *desk = call->desk;

	if (!atomic_load(&desk->current)) {
		api_fail(call, 503, "", "monitoring unavailable: Redis is away");
		return;
	}
	pthread_mutex_lock(&desk->lock);
	list.nodes = desk->nodes.list;
	list.n_nodes = desk->nodes.n;
	api_give(call, 200, &list.base);
	pthread_mutex_unlock(&desk->lock);
}

/* --- health --- */

struct collectors {
	Rasad__V1__CollectorHealth *list[COLLECTORS_MAX]; /* owned */
	size_t n;
};

static int read_collectors(struct desk *desk, struct redis *redis, const struct redis_reply *names,
			   struct collectors *collectors)
{
	size_t n = redis_count(names) < COLLECTORS_MAX ? redis_count(names) : COLLECTORS_MAX;
	int status = 0;

	if (redis_count(names) > n)
		count(&desk->counters.lists_cut);
	for (size_t i = 0; i < n && !status; i++) {
		keyspace_key key;
		keyspace_health(redis_text(redis_element(names, i), NULL), key);
		status = store_append(redis, (const char *[]){"GET", key, NULL});
	}
	for (size_t i = 0; i < n && !status; i++) {
		struct redis_reply *reply;
		status = redis_next(redis, &reply);
		ProtobufCMessage *health =
			store_unpack(&rasad__v1__collector_health__descriptor, reply);
		redis_reply_free(reply);
		if (health)
			collectors->list[collectors->n++] = (Rasad__V1__CollectorHealth *)health;
	}
	return status;
}

static bool ask_collectors(struct desk *desk, struct collectors *collectors)
{
	char oldest[24];
	struct redis_reply *names;
	struct redis *redis = links_take(&desk->links);

	if (!redis)
		return false;
	snprintf(oldest, sizeof(oldest), "%" PRId64, desk_wall_ms(desk) - HEALTH_AGE_MS);
	int status = redis_ask(
		redis, &names,
		(const char *[]){"ZRANGEBYSCORE", KEYSPACE_COLLECTORS, oldest, "+inf", NULL});
	status = status ? status : read_collectors(desk, redis, names, collectors);
	redis_reply_free(names);
	links_give(&desk->links, redis, !status);
	return !status;
}

static uint64_t answered(const struct counters *counters)
{
	uint64_t sum = 0;

	for (int i = 0; i < COUNTERS_VERDICTS; i++)
		sum += counted(&counters->verdicts[i]);
	return sum;
}

void api_get_health(struct api_call *call)
{
	Rasad__V1__DeskHealth health = RASAD__V1__DESK_HEALTH__INIT;
	struct desk *desk = call->desk;
	struct collectors collectors = {.n = 0};

	health.redis = ask_collectors(desk, &collectors);
	health.version = RASAD_VERSION;
	health.desk = desk->name;
	health.current = atomic_load(&desk->current);
	health.leader = atomic_load(&desk->leader);
	health.calls_answered = answered(&desk->counters);
	health.collectors = collectors.list;
	health.n_collectors = collectors.n;
	health.unix_ns = desk_time(desk);
	pthread_mutex_lock(&desk->lock);
	health.incidents_open = book_counts(desk->book).open;
	health.calls_live = calls_counts(desk->calls, health.unix_ns).live;
	pthread_mutex_unlock(&desk->lock);
	bool good = health.redis && health.current;
	api_give(call, good ? 200 : 503, &health.base);
	call->response->retry_after_s = good ? 0 : 1;
	for (size_t i = 0; i < collectors.n; i++)
		rasad__v1__collector_health__free_unpacked(collectors.list[i], NULL);
}
