/* SPDX-License-Identifier: BSD-3-Clause */
#include "tools/rasad-desk/nodes.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "engine/publish/keyspace.h"
#include "tools/rasad-desk/store.h"

#define NODE_AGE_MS 300000
#define BATCH	    256

void nodes_fini(struct nodes *nodes)
{
	for (size_t i = 0; i < nodes->n; i++)
		rasad__v1__node_summary__free_unpacked(nodes->list[i], NULL);
	free(nodes->list);
	*nodes = (struct nodes){0};
}

static int compare(const Rasad__V1__NodeSummary *a, const Rasad__V1__NodeSummary *b)
{
	int types = strcmp(a->group_type, b->group_type);

	return types ? types : strcmp(a->group, b->group);
}

static int by_name(const void *a, const void *b)
{
	return compare(*(Rasad__V1__NodeSummary *const *)a, *(Rasad__V1__NodeSummary *const *)b);
}

static int ask_batch(struct redis *redis, const struct redis_reply *names, size_t from, size_t to)
{
	int status = 0;

	for (size_t i = from; i < to && !status; i++) {
		char key[KEYSPACE_KEY_MAX];
		snprintf(key, sizeof(key), "rasad:{n}:node:%.250s",
			 redis_text(redis_element(names, i), NULL));
		status = store_append(redis, (const char *[]){"GET", key, NULL});
	}
	return status;
}

static int read_batch(struct redis *redis, struct nodes *to, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		struct redis_reply *reply;
		if (redis_next(redis, &reply))
			return -EIO;
		ProtobufCMessage *node = store_unpack(&rasad__v1__node_summary__descriptor, reply);
		redis_reply_free(reply);
		if (node)
			to->list[to->n++] = (Rasad__V1__NodeSummary *)node;
	}
	return 0;
}

static int read_all(struct redis *redis, const struct redis_reply *names, struct nodes *to)
{
	size_t n = redis_count(names);
	int status = 0;

	to->list = calloc(n ? n : 1, sizeof(*to->list));
	if (!to->list)
		return -ENOMEM;
	for (size_t from = 0; from < n && !status; from += BATCH) {
		size_t end = from + BATCH < n ? from + BATCH : n;
		status = ask_batch(redis, names, from, end);
		status = status ? status : read_batch(redis, to, end - from);
	}
	return status;
}

int nodes_read(struct nodes *nodes, struct redis *redis, int64_t wall_ms)
{
	char oldest[24];
	struct redis_reply *names;
	struct nodes fresh = {0};

	snprintf(oldest, sizeof(oldest), "%" PRId64, wall_ms - NODE_AGE_MS);
	if (redis_ask(redis, &names,
		      (const char *[]){"ZRANGEBYSCORE", KEYSPACE_NODES, oldest, "+inf", NULL}))
		return -EIO;
	int status = read_all(redis, names, &fresh);
	redis_reply_free(names);
	if (status) {
		nodes_fini(&fresh);
		return status;
	}
	qsort(fresh.list, fresh.n, sizeof(*fresh.list), by_name);
	nodes_fini(nodes);
	*nodes = fresh;
	return 0;
}

const Rasad__V1__NodeSummary *nodes_find(const struct nodes *nodes, const char *group)
{
	const char *colon = strchr(group, ':');
	char type[64];
	Rasad__V1__NodeSummary wanted = {.group_type = type};
	Rasad__V1__NodeSummary *key = &wanted;

	if (!colon || (size_t)(colon - group) >= sizeof(type) || !nodes->n)
		return NULL;
	snprintf(type, sizeof(type), "%.*s", (int)(colon - group), group);
	wanted.group = (char *)colon + 1;
	Rasad__V1__NodeSummary **found =
		bsearch(&key, nodes->list, nodes->n, sizeof(*nodes->list), by_name);
	return found ? *found : NULL;
}
