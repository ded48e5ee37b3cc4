/* SPDX-License-Identifier: BSD-3-Clause */
#include "tests/engine/publish/publisher.h"

#include <errno.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

#include "engine/publish/keyspace.h"
#include "engine/publish/redis.h"
#include "tests/engine/publish/sample.h"

struct server server;
struct redis *redis;

int set_up(void **state)
{
	(void)state;
	char error[REDIS_ERROR_SIZE];
	server = (struct server){0};
	server_start(&server);
	redis = redis_open(server.url, error);
	return redis ? 0 : -1;
}

int tear_down(void **state)
{
	(void)state;
	redis = redis_close(redis);
	server_fini(&server);
	return 0;
}

struct publisher *open_publisher(struct publish_options options)
{
	struct publish_error error;

	options.url = options.url ? options.url : server.url;
	options.collector = "pcap:test";
	options.version = "test";
	struct publisher *publisher = publish_open(&options, &error);
	if (!publisher)
		fail_msg("%s", error.text);
	return publisher;
}

struct publish_counters close_publisher(struct publisher *publisher)
{
	struct publish_counters counters;
	struct publish_error error = {"?"};

	if (publish_close(publisher, CLOSE_MS, &counters, &error))
		fail_msg("%s", error.text);
	return counters;
}

void take_event(struct publisher *publisher, int64_t unix_ns, const char *line)
{
	struct report_session_event event = sample_event();
	struct report report = {.kind = REPORT_SESSION_EVENT, .session_event = &event};

	event.unix_ns = unix_ns;
	event.who.line = line;
	publish_take(publisher, &report);
}

void take_subscriber(struct publisher *publisher, const struct report_subscriber *subscriber)
{
	struct report report = {.kind = REPORT_SUBSCRIBER, .subscriber = subscriber};

	publish_take(publisher, &report);
}

long long stream_length(void)
{
	struct redis_reply *reply = server_ask(redis, (const char *[]){"XLEN", STREAM, NULL});
	long long n = redis_integer(reply);

	redis_reply_free(reply);
	return n;
}

/* A stretch of a capture: n events, one each 100 ms, from start_ms. */
struct publish_counters publish_capture(int64_t start_ms, int n, const char *line)
{
	struct publisher *publisher = open_publisher((struct publish_options){.lossless = true});

	for (int i = 0; i < n; i++)
		take_event(publisher, (start_ms + 100 * i) * MS, line);
	return close_publisher(publisher);
}

static int by_text(const void *a, const void *b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* All k of the stream differ. */
void assert_no_duplicates(long long expected)
{
	struct redis_reply *all =
		server_ask(redis, (const char *[]){"XRANGE", STREAM, "-", "+", NULL});
	size_t n = redis_count(all);
	const char **keys = calloc(n + 1, sizeof(*keys));

	assert_int_equal(n, expected);
	for (size_t i = 0; i < n; i++)
		keys[i] =
			redis_text(redis_element(redis_element(redis_element(all, i), 1), 5), NULL);
	qsort(keys, n, sizeof(*keys), by_text);
	for (size_t i = 1; i < n; i++)
		assert_string_not_equal(keys[i - 1], keys[i]);
	free(keys);
	redis_reply_free(all);
}

void wait_for_length(long long at_least)
{
	time_t start = time(NULL);

	while (stream_length() < at_least) {
		assert_true(time(NULL) - start < 15);
		nanosleep(&(struct timespec){.tv_nsec = 5000000}, NULL);
	}
}

void restart_server(void)
{
	char error[REDIS_ERROR_SIZE];

	redis = redis_close(redis);
	server_kill(&server);
	server_start(&server);
	redis = redis_open(server.url, error);
	assert_non_null(redis);
}

const char *get_value(const char *key, size_t *n, struct redis_reply **reply)
{
	*reply = server_ask(redis, (const char *[]){"GET", key, NULL});
	if (redis_type(*reply) != REDIS_TEXT)
		fail_msg("%s is not there", key);
	return redis_text(*reply, n);
}

static void assert_said(const char *key, const char *type, const struct redis_reply *reply,
			const char *expected)
{
	size_t n;
	const char *bytes = redis_text(reply, &n), *text = protoc_decode(type, bytes, n);

	if (!strstr(text, expected))
		fail_msg("%s: expected %s in\n%s", key, expected, text);
}

void assert_value(const char *key, const char *type, const char *expected)
{
	struct redis_reply *reply;
	size_t n;

	get_value(key, &n, &reply);
	assert_said(key, type, reply, expected);
	redis_reply_free(reply);
}

/* By the contract: one HGET. NULL: no card. */
struct redis_reply *get_card(const char *line)
{
	keyspace_key key;
	char sub_id[KEYSPACE_SUB_ID_SIZE];

	keyspace_sub_id(line, sub_id);
	keyspace_card(sub_id, key);
	struct redis_reply *reply = server_ask(redis, (const char *[]){"HGET", key, sub_id, NULL});
	if (redis_type(reply) == REDIS_TEXT)
		return reply;
	redis_reply_free(reply);
	return NULL;
}

void assert_card(const char *line, const char *expected)
{
	struct redis_reply *reply = get_card(line);

	if (!reply)
		fail_msg("%s has no card", line);
	assert_said(line, "SubscriberCard", reply, expected);
	redis_reply_free(reply);
}

void assert_ttl(const char *key, long long low, long long high)
{
	struct redis_reply *reply = server_ask(redis, (const char *[]){"TTL", key, NULL});

	assert_in_range(redis_integer(reply) + 10, low + 10, high + 10); /* -1: no TTL */
	redis_reply_free(reply);
}

void take_line(struct publisher *publisher, const char *line, const char *user)
{
	struct report_subscriber subscriber = sample_subscriber();

	subscriber.who.line = line;
	subscriber.who.subscriber = user;
	subscriber.who.cpe_mac = ""; /* its own alone: indexes that all share are slow */
	subscriber.n_ipv4 = subscriber.n_ipv6 = 0;
	take_subscriber(publisher, &subscriber);
}

void take_minute(struct publisher *publisher, int minute, int line)
{
	char name[24];
	struct report_minute record = sample_minute();

	snprintf(name, sizeof(name), "line %d", line);
	record.line = name;
	record.start_unix_ns = (1000 + minute) * 60000 * (int64_t)MS;
	record.packets_down = (uint64_t)line;
	publish_take(publisher, &(struct report){.kind = REPORT_MINUTE, .minute = &record});
}

void take_minutes(struct publisher *publisher, int first, int minutes, int lines)
{
	for (int minute = first; minute < first + minutes; minute++)
		for (int line = 0; line < lines; line++)
			take_minute(publisher, minute, line);
}
