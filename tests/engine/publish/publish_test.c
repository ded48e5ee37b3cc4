/* SPDX-License-Identifier: BSD-3-Clause */
/* The publisher against a real redis-server; what arrives is judged by protoc and the .proto. */
#include "engine/publish/publish.h"

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

static void test_event_arrives(void **state)
{
	(void)state;
	struct publisher *publisher = open_publisher((struct publish_options){0});
	take_event(publisher, SAMPLE_UNIX_NS, "DSLAM-101 eth 0/1/1:11");
	struct report_flap_summary flap = sample_flap();
	publish_take(publisher,
		     &(struct report){.kind = REPORT_FLAP_SUMMARY, .flap_summary = &flap});
	struct publish_counters counters = close_publisher(publisher);

	assert_int_equal(counters.events_published, 2);
	struct redis_reply *all =
		server_ask(redis, (const char *[]){"XRANGE", STREAM, "-", "+", NULL});
	assert_int_equal(redis_count(all), 2);
	const struct redis_reply *entry = redis_element(all, 0);
	assert_string_equal(redis_text(redis_element(entry, 0), NULL), "1700000000123-0");
	assert_string_equal(redis_text(redis_element(redis_element(all, 1), 0), NULL),
			    "1700000000123-1");
	const struct redis_reply *fields = redis_element(entry, 1);
	assert_int_equal(redis_count(fields), 8);
	const char *const names[] = {"t", "v", "k", "p"};
	for (size_t i = 0; i < 4; i++)
		assert_string_equal(redis_text(redis_element(fields, 2 * i), NULL), names[i]);
	assert_string_equal(redis_text(redis_element(fields, 1), NULL), "SessionEvent");
	size_t n;
	const char *payload = redis_text(redis_element(fields, 7), &n);
	const char *text = protoc_decode("SessionEvent", payload, n);
	assert_non_null(strstr(text, "unix_ns: 1700000000123456789\n"));
	assert_non_null(strstr(text, "line: \"DSLAM-101 eth 0/1/1:11\"\n"));
	assert_non_null(strstr(text, "kind: SESSION_EVENT_KIND_DOWN\n"));
	assert_non_null(strstr(text, "cause: DROP_CAUSE_LINE_LOST\n"));
	assert_null(strstr(text, "setup_ms"));
	redis_reply_free(all);
}

static void test_second_run_adds_nothing(void **state)
{
	(void)state;
	struct publish_counters first = publish_capture(1000, 2000, "a");
	struct publish_counters second = publish_capture(1000, 2000, "a");

	assert_int_equal(first.events_published, 2000);
	assert_int_equal(first.events_already_published, 0);
	assert_int_equal(second.events_published, 0);
	assert_int_equal(second.events_already_published, 2000);
	assert_no_duplicates(2000);
}

static void test_stopped_run_is_completed(void **state)
{
	(void)state;
	publish_capture(1000, 700, "a");
	struct publish_counters second = publish_capture(1000, 2000, "a");

	assert_int_equal(second.events_published, 1300);
	assert_int_equal(second.events_already_published, 700);
	assert_no_duplicates(2000);
}

/* b lies before, within and after a, and many of its ids are taken. */
static void test_overlapping_captures(void **state)
{
	(void)state;
	publish_capture(50000, 1000, "a");
	struct publish_counters b = publish_capture(20000, 1500, "b");
	assert_int_equal(b.events_published, 1500);
	assert_true(b.events_moved > 1000);
	assert_no_duplicates(2500);

	b = publish_capture(20000, 1500, "b");
	assert_int_equal(b.events_published, 0);
	assert_int_equal(b.events_already_published, 1500);
	struct publish_counters a = publish_capture(50000, 1000, "a");
	assert_int_equal(a.events_already_published, 1000);
	assert_no_duplicates(2500);
}

static void test_killed_server_loses_nothing(void **state)
{
	(void)state;
	struct publisher *publisher =
		open_publisher((struct publish_options){.lossless = true, .queue_bytes = 65536});
	for (int i = 0; i < 30000; i++) {
		take_event(publisher, (1000 + i / 3) * (int64_t)MS + i % 3, "a");
		if (i == 5000)
			wait_for_length(4000);
		if (i == 5000 || i == 12000 || i == 12500)
			restart_server();
	}
	struct publish_counters counters = close_publisher(publisher);

	assert_true(counters.reconnects >= 2);
	assert_int_equal(counters.events_published + counters.events_already_published, 30000);
	assert_int_equal(counters.events_shed, 0);
	assert_no_duplicates(30000);
}

/* The file that the server trusts lacks what it has acknowledged last: as after a power cut. */
static void test_forgetful_server(void **state)
{
	(void)state;
	char command[256];
	struct publisher *publisher = open_publisher((struct publish_options){0});
	for (int i = 0; i < 1000; i++)
		take_event(publisher, (1000 + i) * (int64_t)MS, "a");
	wait_for_length(1000);
	redis = redis_close(redis);
	server_kill(&server);
	snprintf(command, sizeof(command), "rm -r %s/appendonlydir", server.folder);
	assert_int_equal(system(command), 0);
	server_start(&server);
	char error[REDIS_ERROR_SIZE];
	redis = redis_open(server.url, error);
	take_event(publisher, 5000 * (int64_t)MS, "a");
	struct publish_counters counters = close_publisher(publisher);
	assert_int_equal(counters.events_published, 1001);
	assert_no_duplicates(1001);
}

/* --- overflow --- */

/* A server that hangs: nothing waits, cards go first, every event arrives, all is counted. */
static void test_overflow_sheds_cards_first(void **state)
{
	(void)state;
	struct publisher *publisher =
		open_publisher((struct publish_options){.queue_bytes = 1 << 20});
	kill(server.pid, SIGSTOP);
	for (int i = 0; i < 2000; i++) {
		char line[24];
		struct report_subscriber subscriber = sample_subscriber();
		snprintf(line, sizeof(line), "line %d", i);
		subscriber.who.line = line;
		take_subscriber(publisher, &subscriber);
		take_event(publisher, (1000 + i) * (int64_t)MS, line);
	}
	kill(server.pid, SIGCONT);
	struct publish_counters counters;
	struct publish_error error = {""};
	assert_int_equal(publish_close(publisher, CLOSE_MS, &counters, &error), -EIO);

	assert_int_equal(counters.events_published, 2000);
	assert_int_equal(counters.events_shed, 0);
	assert_true(counters.cards_shed > 0);
	assert_int_equal(counters.cards_shed + counters.cards_published, 2000);
	assert_non_null(strstr(error.text, "0 events"));
	assert_no_duplicates(2000);
}

/* Redis stays away: lossless waits for its patience, no longer, and says what is missing. */
static void test_patience_ends(void **state)
{
	(void)state;
	struct publisher *publisher = open_publisher((struct publish_options){
		.lossless = true, .queue_bytes = 4096, .patience_ms = 200});
	redis = redis_close(redis);
	server_kill(&server);
	for (int i = 0; i < 100; i++)
		take_event(publisher, (1000 + i) * (int64_t)MS, "a");
	struct publish_counters counters;
	struct publish_error error = {""};
	assert_int_equal(publish_close(publisher, 100, &counters, &error), -EIO);
	assert_int_equal(counters.events_published + counters.events_queued + counters.events_shed,
			 100);
	assert_non_null(strstr(error.text, "100 events"));
	assert_non_null(strstr(error.text, server.folder));
}

/* --- health, nodes --- */

static void test_health_and_node(void **state)
{
	(void)state;
	struct publisher *publisher = open_publisher((struct publish_options){0});
	struct report_health health = sample_health();
	struct report_node node = sample_node();
	publish_take(publisher, &(struct report){.kind = REPORT_HEALTH, .health = &health});
	publish_take(publisher, &(struct report){.kind = REPORT_NODE, .node = &node});
	take_event(publisher, MS, "a");
	close_publisher(publisher);

	assert_value("rasad:{h}:health:pcap:test", "CollectorHealth", "packets: 1000\n");
	assert_value("rasad:{h}:health:pcap:test", "CollectorHealth", "events_published: 1\n");
	struct redis_reply *reply;
	size_t n;
	const char *bytes = get_value("rasad:{h}:health:pcap:test", &n, &reply);
	assert_null(strstr(protoc_decode("CollectorHealth", bytes, n), "running"));
	redis_reply_free(reply);
	assert_ttl("rasad:{h}:health:pcap:test", 20, 30);
	assert_value("rasad:{n}:node:access_node:DSLAM-101", "NodeSummary", "lines: 24\n");
	assert_ttl("rasad:{n}:node:access_node:DSLAM-101", 250, 300);
}

/* --- open --- */

static void assert_refused(const char *url, const char *word, const char *other)
{
	struct publish_error error = {""};
	struct publish_options options = {.url = url};

	assert_null(publish_open(&options, &error));
	if (!strstr(error.text, word) || !strstr(error.text, other) || strstr(error.text, "sesame"))
		fail_msg("%s: \"%s\"", url, error.text);
}

static void test_wrong_address(void **state)
{
	(void)state;
	assert_refused("unix:/nowhere/redis.sock", "/nowhere/redis.sock", "No such file");
	assert_refused("redis://127.0.0.1:1", "127.0.0.1:1", "Connection refused");
	assert_refused("redis://127.0.0.1:99999", "port", "redis://");
	assert_refused("http://127.0.0.1", "no such form", "redis://");
	assert_refused("rediss://127.0.0.1", "TLS", "stunnel");
}

static void test_password(void **state)
{
	(void)state;
	char url[256];
	redis = redis_close(redis);
	server_kill(&server);
	server.password = "open sesame";
	server_start(&server);
	assert_refused(server.url, server.folder, "needs a password");
	snprintf(url, sizeof(url), "%s?password=sesame%%21", server.url);
	assert_refused(url, server.folder, "wrong user or password");
	snprintf(url, sizeof(url), "%s?db=3&password=open%%20sesame", server.url);
	close_publisher(open_publisher((struct publish_options){.url = url}));
}

/* The user of the manual: its own keys and the commands it needs, no scripts. */
static void test_acl_user(void **state)
{
	(void)state;
	char url[256];
	redis_reply_free(server_ask(
		redis, (const char *[]){"ACL",		 "SETUSER",  "rasad",	 "on",
					">p@ss:word",	 "~rasad:*", "-@all",	 "+ping",
					"+xinfo|stream", "+xadd",    "+xrange",	 "+get",
					"+set",		 "+del",     "+multi",	 "+exec",
					"+hset",	 "+hscan",   "+hdel",	 "+expire",
					"+time",	 "+watch",   "+unwatch", "+zadd",
					"+zrem",	 "+zrange",  "+persist", NULL}));
	snprintf(url, sizeof(url), "%s?user=rasad&password=p@ss:word", server.url);
	struct publisher *publisher = open_publisher((struct publish_options){.url = url});
	struct report_subscriber subscriber = sample_subscriber();
	take_subscriber(publisher, &subscriber);
	take_event(publisher, 2000 * (int64_t)MS, "a");
	struct report_incident incident = sample_incident();
	publish_take(publisher, &(struct report){.kind = REPORT_INCIDENT, .incident = &incident});
	assert_int_equal(close_publisher(publisher).incidents_published, 1);
	publisher = open_publisher((struct publish_options){.url = url});
	take_event(publisher, 1000 * (int64_t)MS, "b");
	struct publish_counters counters = close_publisher(publisher);
	assert_int_equal(counters.events_moved, 1);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
	const struct CMUnitTest tests[] = {
		TEST(test_event_arrives),
		TEST(test_second_run_adds_nothing),
		TEST(test_stopped_run_is_completed),
		TEST(test_overlapping_captures),
		TEST(test_killed_server_loses_nothing),
		TEST(test_forgetful_server),
		TEST(test_overflow_sheds_cards_first),
		TEST(test_patience_ends),
		TEST(test_health_and_node),
		TEST(test_wrong_address),
		TEST(test_password),
		TEST(test_acl_user),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
