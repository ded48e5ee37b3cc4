/* SPDX-License-Identifier: BSD-3-Clause */
#include "engine/publish/deliver.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "engine/publish/deliver_cards.h"
#include "engine/publish/deliver_incident.h"
#include "engine/publish/deliver_indexes.h"
#include "engine/publish/deliver_parts.h"
#include "engine/publish/deliver_stream.h"

int deliver_lost_connection(struct delivery *delivery)
{
	snprintf(delivery->error, sizeof(delivery->error), "%.200s", redis_error(delivery->redis));
	return -EIO;
}

int deliver_refused(struct delivery *delivery, const struct redis_reply *reply)
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

int64_t deliver_now_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

int deliver_take_time(struct delivery *delivery, const struct redis_reply *reply)
{
	if (redis_type(reply) == REDIS_REFUSED)
		return deliver_refused(delivery, reply);
	long long s = atoll(redis_text(redis_element(reply, 0), NULL));
	long long us = atoll(redis_text(redis_element(reply, 1), NULL));
	delivery->clock_offset_ms = s * 1000 + us / 1000 - deliver_now_ms();
	return 0;
}

/* --- connection --- */

/* Where the server's clock stands against ours: cards are stamped by it. */
static int read_clock(struct delivery *delivery)
{
	struct redis_reply *reply;

	if (redis_ask(delivery->redis, &reply, (const char *[]){"TIME", NULL}))
		return deliver_lost_connection(delivery);
	int status = deliver_take_time(delivery, reply);
	redis_reply_free(reply);
	return status;
}

int deliver_connect(struct delivery *delivery, const char *url)
{
	deliver_disconnect(delivery);
	delivery->redis = redis_open(url, delivery->error);
	if (!delivery->redis)
		return -EIO;
	if (stream_read_top(delivery, ITEM_INCIDENT) || stream_read_top(delivery, ITEM_EVENT) ||
	    stream_read_top(delivery, ITEM_MINUTES) || read_clock(delivery)) {
		deliver_disconnect(delivery);
		return -EIO;
	}
	deliver_forget_indexes(delivery); /* who knows what the server still has */
	stream_mark_lost(delivery);
	return 0;
}

void deliver_disconnect(struct delivery *delivery)
{
	delivery->redis = redis_close(delivery->redis);
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

/* Lists a key in the sorted set of its kind, by now: readers need no scan over all keys. */
static int append_listing(struct delivery *delivery, const char *set, const char *name)
{
	char ms[24];

	snprintf(ms, sizeof(ms), "%lld", (long long)(deliver_now_ms() + delivery->clock_offset_ms));
	return deliver_append(delivery, (const char *[]){"ZADD", set, ms, name, NULL});
}

int deliver_value(struct delivery *delivery, const char *key, const uint8_t *value, size_t n,
		  const char *ttl_s)
{
	static const char health[] = "rasad:{h}:health:";
	bool listed = !strncmp(key, health, sizeof(health) - 1);
	int status = deliver_append_set(delivery, key, value, n, ttl_s);

	if (listed && !status)
		status = append_listing(delivery, KEYSPACE_COLLECTORS, key + sizeof(health) - 1);
	return status ? status : deliver_read_sets(delivery, 1 + listed);
}

static int deliver_nodes(struct delivery *delivery, struct item **items, size_t n)
{
	static const char node[] = "rasad:{n}:node:";
	uint64_t refused_before = delivery->refused;

	for (size_t i = 0; i < n; i++)
		if (deliver_append_set(delivery, items[i]->name, items[i]->payload,
				       items[i]->n_payload, KEYSPACE_NODE_TTL_S) ||
		    append_listing(delivery, KEYSPACE_NODES, items[i]->name + sizeof(node) - 1))
			return -ENOMEM;
	int status = deliver_read_sets(delivery, 2 * n);
	for (size_t i = 0; i < n && !status; i++)
		items[i]->settled = true;
	if (!status)
		delivery->nodes_published += n - (delivery->refused - refused_before);
	return status;
}

int deliver_items(struct delivery *delivery, struct item **items, size_t n)
{
	switch (n ? items[0]->class : ITEM_CLASSES) {
	case ITEM_INCIDENT:
		return deliver_incidents(delivery, items, n);
	case ITEM_EVENT:
	case ITEM_MINUTES:
		return deliver_entries(delivery, items, n);
	case ITEM_CARD:
		return deliver_cards(delivery, items, n);
	case ITEM_NODE:
		return deliver_nodes(delivery, items, n);
	default:
		return 0;
	}
}

/* --- the tails --- */

static void keep_in(struct tail *tail, size_t size, struct item *item)
{
	struct item **place = &tail->items[tail->at++ % size];

	free(*place);
	*place = item;
}

/* The members of an incident may be many, and the newest revision has them all. */
static void forget_members(struct tail *tail, const struct item *newest)
{
	for (size_t i = 0; i < DELIVER_INCIDENTS_TAIL && newest->incident.n_members; i++) {
		struct item *item = tail->items[i];
		if (!item || !item->incident.n_members || !item_is_same_incident(item, newest))
			continue;
		item->incident.n_members = 0;
		tail->items[i] = item_trim(item);
	}
}

void deliver_keep(struct delivery *delivery, struct item *item)
{
	if (item->class == ITEM_INCIDENT) {
		forget_members(&delivery->incidents, item);
		keep_in(&delivery->incidents, DELIVER_INCIDENTS_TAIL, item);
	} else if (item->class == ITEM_EVENT)
		keep_in(&delivery->events, DELIVER_TAIL, item);
	else if (item->class == ITEM_MINUTES)
		keep_in(&delivery->minutes, DELIVER_MINUTES_TAIL, item);
	else
		free(item);
}

/* In the order in which they were acknowledged. */
static int deliver_lost_of(struct delivery *delivery, struct tail *tail, size_t size)
{
	for (size_t start = 0; start < size; start += DELIVER_BATCH) {
		struct item *lost[DELIVER_BATCH];
		size_t n = 0;
		for (size_t i = start; i < start + DELIVER_BATCH && i < size; i++) {
			struct item *item = tail->items[(tail->at + i) % size];
			if (item && !item->settled)
				lost[n++] = item;
		}
		int status = deliver_items(delivery, lost, n);
		if (status)
			return status;
	}
	return 0;
}

int deliver_lost(struct delivery *delivery)
{
	if (!delivery->has_lost)
		return 0;
	int status = deliver_lost_of(delivery, &delivery->incidents, DELIVER_INCIDENTS_TAIL);
	status = status ? status : deliver_lost_of(delivery, &delivery->events, DELIVER_TAIL);
	status = status ? status
			: deliver_lost_of(delivery, &delivery->minutes, DELIVER_MINUTES_TAIL);
	delivery->has_lost = status;
	return status;
}

void deliver_fini(struct delivery *delivery)
{
	deliver_disconnect(delivery);
	deliver_forget_indexes(delivery);
	for (size_t i = 0; i < DELIVER_TAIL; i++) {
		free(delivery->events.items[i]);
		free(delivery->minutes.items[i]);
		free(delivery->incidents.items[i]);
	}
	delivery->events = delivery->minutes = delivery->incidents = (struct tail){0};
}
