/* SPDX-License-Identifier: BSD-3-Clause */
/* Minutes through the publisher into a real redis-server; judged by protoc. */
#include "engine/publish/minutes.h"

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
#include "tests/engine/publish/publisher.h"
#include "tests/engine/publish/sample.h"
#include "tests/engine/publish/server.h"

#define MINUTES "rasad:{e00}:min"

static struct redis_reply *all_minutes(void)
{
	return server_ask(redis, (const char *[]){"XRANGE", MINUTES, "-", "+", NULL});
}

static size_t count_of(const char *text, const char *part)
{
	size_t n = 0;

	for (; (text = strstr(text, part)); text++)
		n++;
	return n;
}

/* Every entry: rising ids, distinct k, and as many records as expected in all. */
static void assert_minutes(size_t entries, size_t records)
{
	struct redis_reply *all = all_minutes();
	size_t n_records = 0;

	assert_int_equal(redis_count(all), entries);
	for (size_t i = 0; i < entries; i++) {
		const struct redis_reply *fields = redis_element(redis_element(all, i), 1);
		size_t n;
		assert_string_equal(redis_text(redis_element(fields, 1), NULL), "MinuteBatch");
		const char *bytes = redis_text(redis_element(fields, 7), &n);
		n_records += count_of(protoc_decode("MinuteBatch", bytes, n), "\nminutes {") + 1;
	}
	assert_int_equal(n_records, records);
	redis_reply_free(all);
}

static void test_minutes_are_packed(void **state)
{
	(void)state;
	struct publisher *publisher = open_publisher((struct publish_options){.lossless = true});

	take_minutes(publisher, 0, 2, 130);
	struct publish_counters counters = close_publisher(publisher);
	assert_int_equal(counters.minutes_published, 260);
	assert_minutes(6, 260);
	static const char *const ids[] = {"60060000-0", "60060000-1", "60060000-2",
					  "60120000-0", "60120000-1", "60120000-2"};
	struct redis_reply *all = all_minutes();
	for (size_t i = 0; i < 6; i++)
		assert_string_equal(redis_text(redis_element(redis_element(all, i), 0), NULL),
				    ids[i]);
	const struct redis_reply *fields = redis_element(redis_element(all, 3), 1);
	assert_memory_equal(redis_text(redis_element(fields, 5), NULL), "60060000:0:", 11);
	redis_reply_free(all);
}

/* What is measured is not held back until the next minute. */
static void test_health_closes_the_batch(void **state)
{
	(void)state;
	struct publisher *publisher = open_publisher((struct publish_options){0});
	struct publish_counters counters;
	struct report_health health = sample_health();

	take_minute(publisher, 0, 1);
	publish_take(publisher, &(struct report){.kind = REPORT_HEALTH, .health = &health});
	do
		publish_counters(publisher, &counters);
	while (!counters.minutes_published);
	take_minute(publisher, 0, 2);
	close_publisher(publisher);
	assert_minutes(2, 2);
	assert_value("rasad:{h}:health:pcap:test", "CollectorHealth", "minutes_published: 2\n");
}

static void test_second_run_adds_no_minutes(void **state)
{
	(void)state;
	for (int run = 0; run < 2; run++) {
		struct publisher *publisher =
			open_publisher((struct publish_options){.lossless = true});
		take_minutes(publisher, 0, 3, 100);
		struct publish_counters counters = close_publisher(publisher);
		assert_int_equal(counters.minutes_published, run ? 0 : 300);
		assert_int_equal(counters.minutes_already_published, run ? 300 : 0);
	}
	assert_minutes(6, 300);
	/* Another capture of the same time, with other lines, is not the same. */
	struct publisher *publisher = open_publisher((struct publish_options){.lossless = true});
	for (int line = 500; line < 510; line++)
		take_minute(publisher, 1, line);
	assert_int_equal(close_publisher(publisher).minutes_published, 10);
	assert_minutes(7, 310);
}

static void test_minutes_survive_a_killed_server(void **state)
{
	(void)state;
	struct publisher *publisher =
		open_publisher((struct publish_options){.lossless = true, .queue_bytes = 1 << 18});

	for (int minute = 0; minute < 30; minute++) {
		take_minutes(publisher, minute, 1, 640);
		if (minute % 10 == 5)
			restart_server();
	}
	struct publish_counters counters = close_publisher(publisher);
	assert_true(counters.reconnects >= 2);
	assert_int_equal(counters.minutes_published + counters.minutes_already_published, 30 * 640);
	struct redis_reply *n = server_ask(redis, (const char *[]){"XLEN", MINUTES, NULL});
	assert_int_equal(redis_integer(n), 300);
	redis_reply_free(n);
}

/* A full server takes nothing; when it has room again everything comes, in order and once. */
static void test_full_server_delays_minutes(void **state)
{
	(void)state;
	struct publisher *publisher = open_publisher((struct publish_options){0});
	struct publish_error error;

	redis_reply_free(
		server_ask(redis, (const char *[]){"CONFIG", "SET", "maxmemory", "1", NULL}));
	take_minutes(publisher, 0, 2, 128);
	while (!publish_trouble(publisher, &error))
		nanosleep(&(struct timespec){.tv_nsec = 1000000}, NULL);
	assert_non_null(strstr(error.text, "memory is full"));
	redis_reply_free(
		server_ask(redis, (const char *[]){"CONFIG", "SET", "maxmemory", "0", NULL}));
	assert_int_equal(close_publisher(publisher).minutes_published, 256);
	assert_minutes(4, 256);
}

/* Minutes go before cards, by the record. */
static void test_overflow_sheds_minutes_before_cards(void **state)
{
	(void)state;
	struct publisher *publisher =
		open_publisher((struct publish_options){.queue_bytes = 4 << 20});
	struct publish_counters counters;
	struct publish_error error = {""};

	kill(server.pid, SIGSTOP);
	take_minutes(publisher, 0, 400, 128);
	for (int i = 0; i < 100; i++) {
		char line[24];
		snprintf(line, sizeof(line), "line %d", i);
		take_line(publisher, line, "u");
	}
	kill(server.pid, SIGCONT);
	assert_int_equal(publish_close(publisher, CLOSE_MS, &counters, &error), -EIO);
	assert_int_equal(counters.cards_published, 100);
	assert_int_equal(counters.cards_shed, 0);
	assert_true(counters.minutes_shed > 6400);
	assert_int_equal(counters.minutes_shed + counters.minutes_published, 51200);
	assert_non_null(strstr(error.text, " minutes"));
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
	const struct CMUnitTest tests[] = {
		TEST(test_minutes_are_packed),
		TEST(test_health_closes_the_batch),
		TEST(test_second_run_adds_no_minutes),
		TEST(test_minutes_survive_a_killed_server),
		TEST(test_full_server_delays_minutes),
		TEST(test_overflow_sheds_minutes_before_cards),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
