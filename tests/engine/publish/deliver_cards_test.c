/* SPDX-License-Identifier: BSD-3-Clause */
/* Cards, their buckets and their indexes, in a real redis-server; judged by protoc. */
#include "engine/publish/deliver_cards.h"

#include <errno.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

#include "engine/base/inventory.h"
#include "engine/publish/encode_card.h"
#include "engine/publish/keyspace.h"
#include "engine/publish/redis.h"
#include "tests/engine/publish/publisher.h"
#include "tests/engine/publish/sample.h"
#include "tests/engine/publish/server.h"

static void assert_index(enum keyspace_index kind, const char *name, const char *const *lines)
{
	keyspace_key key;
	char expected[512] = "", sub_id[KEYSPACE_SUB_ID_SIZE];

	for (; *lines; lines++) {
		keyspace_sub_id(*lines, sub_id);
		sprintf(expected + strlen(expected), "sub_ids: \"%s\"\n", sub_id);
	}
	keyspace_index(kind, name, key);
	assert_value(key, "SubscriberIndex", expected);
	assert_ttl(key, kind == KEYSPACE_PHONE ? -1 : 86300, kind == KEYSPACE_PHONE ? -1 : 86400);
}

/* How long the card still claims to be watched, on the clock of Redis. */
static long long valid_for_ms(const char *line)
{
	struct redis_reply *card = get_card(line),
			   *time_now = server_ask(redis, (const char *[]){"TIME", NULL});
	size_t n;
	const char *bytes = redis_text(card, &n),
		   *valid = strstr(protoc_decode("SubscriberCard", bytes, n),
				   "\nvalid_until_unix_ms: ");
	assert_non_null(valid);
	long long until_ms = atoll(valid + strlen("\nvalid_until_unix_ms: "));
	long long now_ms = atoll(redis_text(redis_element(time_now, 0), NULL)) * 1000 +
			   atoll(redis_text(redis_element(time_now, 1), NULL)) / 1000;
	redis_reply_free(card);
	redis_reply_free(time_now);
	return until_ms - now_ms;
}

static void test_card_and_indexes(void **state)
{
	(void)state;
	static const char csv[] = "line,phone,exchange,plan_down_kbps\n"
				  "DSLAM-101 eth 0/1/1:11,021-88776655,Azadi,16000\n"
				  "other,02188776655,Azadi,\n";
	struct inventory *inventory = inventory_parse(csv, sizeof(csv) - 1, "test.csv", stderr);
	struct publisher *publisher =
		open_publisher((struct publish_options){.inventory = inventory});
	struct report_subscriber one = sample_subscriber(), two = sample_subscriber();
	two.who.line = two.who.circuit_id = "other";
	two.ipv4 = (const char *const[]){"100.64.1.12"};
	take_subscriber(publisher, &one);
	take_subscriber(publisher, &two);
	struct publish_counters counters = close_publisher(publisher);
	inventory_free(inventory);

	assert_int_equal(counters.cards_published, 2);
	keyspace_key key;
	char sub_id[KEYSPACE_SUB_ID_SIZE];
	keyspace_sub_id(one.who.line, sub_id);
	keyspace_card(sub_id, key);
	assert_card(one.who.line, "phone: \"+982188776655\"\n");
	assert_card(one.who.line, "plan_down_kbps: 16000\n");
	assert_card(one.who.line, "last_down_cause: DROP_CAUSE_LINE_LOST\n");
	assert_card(one.who.line, "state: LINE_STATE_UP\n");
	assert_card("other", "state: LINE_STATE_UP\n");
	assert_ttl(key, 850, 900);
	assert_in_range(valid_for_ms(one.who.line), 850000, 900000);
	const char *const both[] = {one.who.line, "other", NULL}, *const first[] = {one.who.line,
										    NULL};
	assert_index(KEYSPACE_USER, "u101-11@isp.test", both);
	assert_index(KEYSPACE_MAC, "02:5a:00:01:01:0b", both);
	assert_index(KEYSPACE_CIRCUIT, one.who.line, first);
	assert_index(KEYSPACE_IP, "100.64.1.11", first);
	assert_index(KEYSPACE_IP, "2001:db8:1100::/56", both);
	assert_index(KEYSPACE_PHONE, "+982188776655", both);
}

/* A shared name stays shared when its lines are refreshed one by one. */
static void test_index_is_merged(void **state)
{
	(void)state;
	for (int round = 0; round < 3; round++) {
		struct publisher *publisher = open_publisher((struct publish_options){0});
		struct report_subscriber subscriber = sample_subscriber();
		subscriber.who.line = round % 2 ? "odd" : "even";
		take_subscriber(publisher, &subscriber);
		close_publisher(publisher);
	}
	assert_index(KEYSPACE_USER, "u101-11@isp.test", (const char *const[]){"odd", "even", NULL});
}

/* Commands of this name that the server has run. */
static long long calls_of(const char *command)
{
	char section[64];
	struct redis_reply *info =
		server_ask(redis, (const char *[]){"INFO", "commandstats", NULL});
	snprintf(section, sizeof(section), "cmdstat_%s:calls=", command);
	const char *found = strstr(redis_text(info, NULL), section);
	long long n = found ? atoll(found + strlen(section)) : 0;

	redis_reply_free(info);
	return n;
}

static void wait_for_cards(struct publisher *publisher, uint64_t at_least)
{
	struct publish_counters counters;
	time_t start = time(NULL);

	do {
		publish_counters(publisher, &counters);
		assert_true(time(NULL) - start < 15);
		nanosleep(&(struct timespec){.tv_nsec = 1000000}, NULL);
	} while (counters.cards_published < at_least);
}

/* What waits together goes together; every card arrives, each in its bucket. */
static void test_cards_share_buckets(void **state)
{
	(void)state;
	enum { LINES = 20000 };
	struct publisher *publisher = open_publisher((struct publish_options){0});
	char line[24];

	kill(server.pid, SIGSTOP);
	for (int i = 0; i < LINES; i++) {
		snprintf(line, sizeof(line), "line %d", i);
		take_line(publisher, line, line);
	}
	kill(server.pid, SIGCONT);
	assert_int_equal(close_publisher(publisher).cards_published, LINES);
	assert_true(calls_of("hset") < LINES / 3);
	assert_int_equal(calls_of("expire"), calls_of("hset"));
	for (int i = 0; i < LINES; i += 997) {
		char expected[64];
		snprintf(line, sizeof(line), "line %d", i);
		snprintf(expected, sizeof(expected), "line: \"%s\"\n", line);
		assert_card(line, expected);
	}
}

/* As the analysis refreshes them, bucket after bucket: no waiting for others, and large commands. */
static void test_cards_in_order_of_buckets(void **state)
{
	(void)state;
	enum { LINES = 10000, FIRST_BUCKETS = 16 };
	struct publisher *publisher = open_publisher((struct publish_options){.lossless = true});
	char line[24];
	uint64_t n = 0;

	for (uint8_t bucket = 0; bucket < FIRST_BUCKETS; bucket++)
		for (int i = 0; i < LINES * 10; i++) {
			snprintf(line, sizeof(line), "line %d", i);
			if (keyspace_bucket_of(line) != bucket)
				continue;
			take_line(publisher, line, "u");
			n++;
		}
	assert_int_equal(close_publisher(publisher).cards_published, n);
	assert_true((uint64_t)calls_of("hset") <= n / 16);
	assert_int_equal(calls_of("expire"), calls_of("hset"));
	for (int i = 0; i < LINES; i += 37) {
		snprintf(line, sizeof(line), "line %d", i);
		struct redis_reply *card = get_card(line);
		assert_true(!card == (keyspace_bucket_of(line) >= FIRST_BUCKETS));
		redis_reply_free(card);
	}
}

/* A card that is refreshed costs no index, until its names change. */
static void test_refresh_leaves_indexes_alone(void **state)
{
	(void)state;
	struct publisher *publisher = open_publisher((struct publish_options){0});

	take_line(publisher, "a", "u1");
	wait_for_cards(publisher, 1);
	for (uint64_t i = 0; i < 10; i++) {
		take_line(publisher, "a", "u1");
		wait_for_cards(publisher, i + 2);
	}
	long long sets = calls_of("set");
	assert_int_equal(sets, 3); /* user, circuit-id, line: once */
	take_line(publisher, "a", "u2");
	close_publisher(publisher);
	assert_true(calls_of("set") >= sets + 3);
	assert_index(KEYSPACE_USER, "u2", (const char *const[]){"a", NULL});
}

/* An emptied server is told everything again, with the connection intact. */
static void test_flushed_server_gets_indexes_again(void **state)
{
	(void)state;
	struct publisher *publisher = open_publisher((struct publish_options){0});

	take_line(publisher, "a", "u1");
	wait_for_cards(publisher, 1);
	redis_reply_free(server_ask(redis, (const char *[]){"FLUSHALL", NULL}));
	take_line(publisher, "a", "u1");
	close_publisher(publisher);
	assert_card("a", "line: \"a\"\n");
	assert_index(KEYSPACE_USER, "u1", (const char *const[]){"a", NULL});
}

/* Two lines of one bucket: found by trying. */
static void find_neighbours(char one[24], char other[24])
{
	keyspace_key wanted, key;
	char sub_id[KEYSPACE_SUB_ID_SIZE];

	snprintf(one, 24, "neighbour");
	keyspace_sub_id(one, sub_id);
	keyspace_card(sub_id, wanted);
	for (int i = 0;; i++) {
		snprintf(other, 24, "line %d", i);
		keyspace_sub_id(other, sub_id);
		keyspace_card(sub_id, key);
		if (!strcmp(key, wanted))
			return;
	}
}

/* A line that is gone does not live on in the bucket of one that is watched. */
static void test_dead_neighbour_stays_dead(void **state)
{
	(void)state;
	char gone[24], there[24];
	struct publisher *publisher = open_publisher((struct publish_options){0});

	find_neighbours(gone, there);
	take_line(publisher, gone, "u1");
	wait_for_cards(publisher, 1);
	struct redis_reply *before = get_card(gone);
	take_line(publisher, there, "u2");
	close_publisher(publisher);
	struct redis_reply *after = get_card(gone);
	size_t n_before, n_after;
	const char *bytes = redis_text(before, &n_before);
	assert_memory_equal(bytes, redis_text(after, &n_after), n_before);
	assert_int_equal(n_before, n_after);
	redis_reply_free(before);
	redis_reply_free(after);
}

/* A line of the bucket that is looked at first. */
static const char *line_of_first_bucket(int from, char line[24])
{
	char sub_id[KEYSPACE_SUB_ID_SIZE];

	do {
		snprintf(line, 24, "line %d", from++);
		keyspace_sub_id(line, sub_id);
	} while (strcmp(sub_id + 14, "00"));
	return line;
}

/* As another engine may have left it: good for so long, on the clock of Redis. */
static void put_card(const char *line, int64_t good_for_ms)
{
	struct report_subscriber subscriber = sample_subscriber();
	uint8_t card[4096];
	char sub_id[KEYSPACE_SUB_ID_SIZE];
	struct redis_reply *reply = server_ask(redis, (const char *[]){"TIME", NULL});
	int64_t now_ms = atoll(redis_text(redis_element(reply, 0), NULL)) * 1000;

	redis_reply_free(reply);
	subscriber.who.line = line;
	struct encoded_names names;
	uint8_t *end =
		encode_card(&subscriber, NULL, keyspace_hash(line, strlen(line)), card, &names);
	encode_card_stamp(card, (size_t)(end - card), now_ms + good_for_ms);
	keyspace_sub_id(line, sub_id);
	const char *arguments[] = {"HSET", "rasad:{s00}:cards", sub_id, (const char *)card};
	size_t lengths[] = {4, 17, 16, (size_t)(end - card)};
	assert_int_equal(redis_append(redis, 4, arguments, lengths), 0);
	assert_int_equal(redis_next(redis, &reply), 0);
	redis_reply_free(reply);
}

static bool has_card(const char *line)
{
	struct redis_reply *card = get_card(line);

	redis_reply_free(card);
	return card;
}

/* Long dead cards go; the living, the just ended, and what is no card stay. */
static void test_dead_cards_are_removed(void **state)
{
	(void)state;
	char dead[24], ended[24], alive[24];

	put_card(line_of_first_bucket(0, dead), -901000);
	put_card(line_of_first_bucket(10000, ended), -60000);
	put_card(line_of_first_bucket(20000, alive), 60000);
	redis_reply_free(server_ask(redis, (const char *[]){"HSET", "rasad:{s00}:cards",
							    "0123456789abcdef", "what", NULL}));
	struct publisher *publisher = open_publisher((struct publish_options){0});
	take_line(publisher, "a", "u");
	struct publish_counters counters = close_publisher(publisher);
	assert_int_equal(counters.cards_removed, 1);
	assert_false(has_card(dead));
	assert_true(has_card(ended));
	assert_true(has_card(alive));
	struct redis_reply *n =
		server_ask(redis, (const char *[]){"HLEN", "rasad:{s00}:cards", NULL});
	assert_int_equal(redis_integer(n), 3);
	redis_reply_free(n);
}

/* A full server refuses cards: counted, the connection stays, the next ones arrive. */
static void test_full_server_refuses_cards(void **state)
{
	(void)state;
	struct publisher *publisher = open_publisher((struct publish_options){0});
	struct publish_counters counters;
	struct publish_error error = {""};

	redis_reply_free(
		server_ask(redis, (const char *[]){"CONFIG", "SET", "maxmemory", "1", NULL}));
	take_line(publisher, "a", "u1");
	do
		publish_counters(publisher, &counters);
	while (!counters.refused);
	assert_null(get_card("a"));
	redis_reply_free(
		server_ask(redis, (const char *[]){"CONFIG", "SET", "maxmemory", "0", NULL}));
	take_line(publisher, "a", "u1");
	assert_int_equal(publish_close(publisher, CLOSE_MS, &counters, &error), -EIO);
	assert_non_null(strstr(error.text, "1 values refused"));
	assert_int_equal(counters.cards_published, 1);
	assert_int_equal(counters.reconnects, 0);
	assert_card("a", "line: \"a\"\n");
	assert_index(KEYSPACE_USER, "u1", (const char *const[]){"a", NULL});
}

static void test_cards_survive_restart(void **state)
{
	(void)state;
	enum { LINES = 6000 };
	struct publisher *publisher =
		open_publisher((struct publish_options){.lossless = true, .queue_bytes = 1 << 20});

	for (int i = 0; i < LINES; i++) {
		char line[24];
		snprintf(line, sizeof(line), "line %d", i);
		take_line(publisher, line, "u");
		if (i == LINES / 2)
			restart_server();
	}
	struct publish_counters counters = close_publisher(publisher);
	assert_true(counters.reconnects >= 1);
	for (int i = 0; i < LINES; i += 499) {
		char line[24];
		snprintf(line, sizeof(line), "line %d", i);
		struct redis_reply *card = get_card(line);
		assert_non_null(card);
		redis_reply_free(card);
	}
}

static void test_cards_coalesce(void **state)
{
	(void)state;
	struct publisher *publisher = open_publisher((struct publish_options){0});
	kill(server.pid, SIGSTOP);
	for (int i = 1; i <= 10000; i++) {
		struct report_subscriber subscriber = sample_subscriber();
		subscriber.packets_up = (uint64_t)i;
		take_subscriber(publisher, &subscriber);
	}
	kill(server.pid, SIGCONT);
	struct publish_counters counters = close_publisher(publisher);
	assert_int_equal(counters.cards_published + counters.cards_coalesced, 10000);
	assert_true(counters.cards_published < 100);
	assert_card(sample_subscriber().who.line, "packets_up: 10000\n");
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
	const struct CMUnitTest tests[] = {
		TEST(test_card_and_indexes),
		TEST(test_index_is_merged),
		TEST(test_cards_share_buckets),
		TEST(test_cards_in_order_of_buckets),
		TEST(test_refresh_leaves_indexes_alone),
		TEST(test_flushed_server_gets_indexes_again),
		TEST(test_dead_neighbour_stays_dead),
		TEST(test_dead_cards_are_removed),
		TEST(test_full_server_refuses_cards),
		TEST(test_cards_survive_restart),
		TEST(test_cards_coalesce),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
