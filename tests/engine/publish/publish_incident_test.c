/* SPDX-License-Identifier: BSD-3-Clause */
/* Incidents and gaps against a real redis-server; what arrives is judged by protoc and the .proto. */
#include "engine/publish/publish.h"

#include <errno.h>
#include <pthread.h>
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

#define ID	"01HF7YAT31"
#define KEY	"rasad:{i}:inc:" ID
#define MEMBERS "rasad:{i}:inc:" ID ":mem"
#define OPEN	"rasad:{i}:inc:open"
#define EVENTS	"rasad:{i}:inc:ev"
#define DAYS_30 2592000

static void take(struct publisher *publisher, const char *id, uint32_t revision,
		 enum incident_state state)
{
	struct report_incident incident = sample_incident();

	incident.incident_id = id;
	incident.revision = revision;
	incident.state = state;
	incident.changed_unix_ns += (int64_t)revision * MS;
	publish_take(publisher, &(struct report){.kind = REPORT_INCIDENT, .incident = &incident});
}

static void take_life(struct publisher *publisher, const char *id, uint32_t revisions)
{
	for (uint32_t revision = 1; revision <= revisions; revision++)
		take(publisher, id, revision,
		     revision == 1	     ? INCIDENT_OPEN
		     : revision == revisions ? INCIDENT_CLEARED
					     : INCIDENT_UPDATED);
}

static struct redis_reply *entries(void)
{
	return server_ask(redis, (const char *[]){"XRANGE", EVENTS, "-", "+", NULL});
}

static const char *entry_text(const struct redis_reply *all, size_t entry, size_t field)
{
	return redis_text(redis_element(redis_element(redis_element(all, entry), 1), field), NULL);
}

/* Every k of the stream, in order, in one text. */
static const char *story(void)
{
	static char text[65536];
	struct redis_reply *all = entries();
	size_t n = 0;

	*text = 0;
	for (size_t i = 0; i < redis_count(all); i++)
		n += (size_t)snprintf(text + n, sizeof(text) - n, "%s%s", i ? " " : "",
				      entry_text(all, i, 5));
	redis_reply_free(all);
	return text;
}

static long long integer(const char *const *arguments)
{
	struct redis_reply *reply = server_ask(redis, arguments);
	long long n = redis_integer(reply);

	redis_reply_free(reply);
	return n;
}

static void assert_score(const char *id, const char *expected)
{
	struct redis_reply *reply = server_ask(redis, (const char *[]){"ZSCORE", OPEN, id, NULL});

	assert_string_equal(redis_text(reply, NULL), expected);
	redis_reply_free(reply);
}

static void set_value(const char *key, const char *value)
{
	redis_reply_free(server_ask(redis, (const char *[]){"SET", key, value, NULL}));
}

/* --- a life --- */

static void test_open_and_clear(void **state)
{
	(void)state;
	struct publisher *publisher = open_publisher(
		(struct publish_options){.shard = 7, .epoch_unix_ms = 1700000000000});
	take(publisher, ID, 1, INCIDENT_OPEN);
	assert_int_equal(close_publisher(publisher).incidents_published, 1);

	assert_value(KEY, "Incident", "incident_id: \"" ID "\"\nrevision: 1\n");
	assert_value(KEY, "Incident",
		     "producer: \"e07\"\nepoch: 1700000000000\n"
		     "collector: \"pcap:test\"\n");
	assert_value(MEMBERS, "MemberSet", "revision: 1\ndown: 2057093454605787745\n");
	assert_ttl(KEY, -1, -1);
	assert_ttl(MEMBERS, -1, -1);
	assert_score(ID, "41699999991"); /* MAJOR is 4 */
	struct redis_reply *all = entries();
	assert_int_equal(redis_count(all), 1);
	assert_string_equal(redis_text(redis_element(redis_element(all, 0), 0), NULL),
			    "1700000000124-0");
	const char *const expected[] = {"t", "Incident", "v", "1", "k", ID ":1", "p"};
	for (size_t i = 0; i < 7; i++)
		assert_string_equal(entry_text(all, 0, i), expected[i]);
	redis_reply_free(all);

	publisher = open_publisher((struct publish_options){
		.shard = 7, .epoch_unix_ms = 1700000000000, .lossless = true});
	take(publisher, ID, 2, INCIDENT_CLEARED);
	close_publisher(publisher);
	assert_ttl(KEY, DAYS_30 - 60, DAYS_30);
	assert_ttl(MEMBERS, DAYS_30 - 60, DAYS_30);
	assert_int_equal(integer((const char *[]){"ZCARD", OPEN, NULL}), 0);
	assert_value(KEY, "Incident", "state: INCIDENT_STATE_CLEARED\n");

	/* The same fault again: it stays again. */
	publisher = open_publisher((struct publish_options){
		.shard = 7, .epoch_unix_ms = 1700000000000, .lossless = true});
	take(publisher, ID, 3, INCIDENT_UPDATED);
	close_publisher(publisher);
	assert_ttl(KEY, -1, -1);
	assert_ttl(MEMBERS, -1, -1);
	assert_int_equal(integer((const char *[]){"ZCARD", OPEN, NULL}), 1);
	assert_string_equal(story(), ID ":1 " ID ":2 " ID ":3");
}

static void test_second_run_adds_nothing(void **state)
{
	(void)state;
	for (int run = 0; run < 2; run++) {
		struct publisher *publisher =
			open_publisher((struct publish_options){.lossless = true});
		take_life(publisher, "a", 5);
		take_life(publisher, "b", 3);
		take(publisher, "c", 1, INCIDENT_OPEN);
		struct publish_counters counters = close_publisher(publisher);
		assert_int_equal(counters.incidents_published, run ? 0 : 9);
		assert_int_equal(counters.incidents_already_published, run ? 9 : 0);
		assert_int_equal(counters.incidents_withdrawn, 0);
	}
	assert_string_equal(story(), "a:1 a:2 a:3 a:4 a:5 b:1 b:2 b:3 c:1");
	assert_int_equal(integer((const char *[]){"ZCARD", OPEN, NULL}), 1);
}

/* An older revision that comes late changes nothing, neither the key nor the stream. */
static void test_never_backwards(void **state)
{
	(void)state;
	struct publisher *publisher = open_publisher((struct publish_options){0});
	take(publisher, ID, 4, INCIDENT_CLEARED);
	take(publisher, ID, 3, INCIDENT_UPDATED);
	assert_int_equal(close_publisher(publisher).incidents_already_published, 1);
	assert_value(KEY, "Incident", "revision: 4\n");
	assert_ttl(KEY, DAYS_30 - 60, DAYS_30);
	assert_int_equal(integer((const char *[]){"ZCARD", OPEN, NULL}), 0);
	assert_string_equal(story(), ID ":4");
}

/* The newest id lies in the future, of whoever wrote it: entries go behind it. */
static void test_id_collision(void **state)
{
	(void)state;
	redis_reply_free(server_ask(
		redis, (const char *[]){"XADD", EVENTS, "1900000000000-5", "k", "x", NULL}));
	struct publisher *publisher = open_publisher((struct publish_options){0});
	take_life(publisher, ID, 2);
	assert_int_equal(close_publisher(publisher).incidents_published, 2);
	struct redis_reply *all = entries();
	assert_string_equal(redis_text(redis_element(redis_element(all, 2), 0), NULL),
			    "1900000000000-7");
	redis_reply_free(all);
}

/* --- races --- */

static void *write_life(void *context)
{
	take_life(context, ID, 200);
	return NULL;
}

/*
 * Two publishers of the same incident, and one of others: every revision is in the stream once,
 * in rising order, and the last one is what stays.
 */
static void test_racing_publishers(void **state)
{
	(void)state;
	struct publisher *publishers[2];
	pthread_t threads[2];
	struct publish_counters sum[2];

	for (int i = 0; i < 2; i++) {
		publishers[i] = open_publisher(
			(struct publish_options){.shard = (unsigned)i, .lossless = true});
		assert_int_equal(pthread_create(&threads[i], NULL, write_life, publishers[i]), 0);
	}
	struct publisher *other =
		open_publisher((struct publish_options){.shard = 9, .lossless = true});
	take_life(other, "other", 100);
	for (int i = 0; i < 2; i++) {
		pthread_join(threads[i], NULL);
		sum[i] = close_publisher(publishers[i]);
	}
	assert_int_equal(close_publisher(other).incidents_published, 100);
	assert_int_equal(sum[0].incidents_published + sum[1].incidents_published, 200);
	assert_value(KEY, "Incident", "revision: 200\n");
	struct redis_reply *all = entries();
	unsigned next[2] = {1, 1};
	for (size_t i = 0; i < redis_count(all); i++) {
		const char *k = entry_text(all, i, 5);
		unsigned *expected = &next[*k == 'o'];
		assert_int_equal(strtoul(strchr(k, ':') + 1, NULL, 10), (*expected)++);
	}
	assert_int_equal(redis_count(all), 300);
	redis_reply_free(all);
}

struct reader {
	struct server *server;
	volatile bool stop;
	unsigned read, missing;
};

static bool finds(struct redis *connection, const char *k)
{
	char key[128];
	struct redis_reply *reply;

	snprintf(key, sizeof(key), "rasad:{i}:inc:%.*s:mem", (int)strcspn(k, ":"), k);
	bool lost = redis_ask(connection, &reply, (const char *[]){"GET", key, NULL});
	bool found = !lost && redis_type(reply) == REDIS_TEXT;
	redis_reply_free(reply);
	return found;
}

static void *follow(void *context)
{
	struct reader *reader = context;
	char error[REDIS_ERROR_SIZE], last[64] = "0";
	struct redis *connection = redis_open(reader->server->url, error);

	while (connection && !reader->stop) {
		struct redis_reply *reply;
		if (redis_ask(connection, &reply,
			      (const char *[]){"XREAD", "BLOCK", "50", "STREAMS", EVENTS, last,
					       NULL}))
			break;
		const struct redis_reply *news = redis_element(redis_element(reply, 0), 1);
		for (size_t i = 0; i < redis_count(news); i++) {
			reader->missing += !finds(connection, entry_text(news, i, 5));
			reader->read++;
			snprintf(last, sizeof(last), "%s",
				 redis_text(redis_element(redis_element(news, i), 0), NULL));
		}
		redis_reply_free(reply);
	}
	redis_close(connection);
	return NULL;
}

/* Whoever hears of an incident finds it. */
static void test_reader_finds_the_key(void **state)
{
	(void)state;
	struct reader reader = {.server = &server};
	pthread_t thread;
	assert_int_equal(pthread_create(&thread, NULL, follow, &reader), 0);
	struct publisher *publisher = open_publisher((struct publish_options){.lossless = true});
	for (int i = 0; i < 300; i++) {
		char id[16];
		snprintf(id, sizeof(id), "i%d", i);
		take(publisher, id, 1, INCIDENT_OPEN);
	}
	close_publisher(publisher);
	for (time_t start = time(NULL); reader.read < 300 && time(NULL) - start < 15;)
		nanosleep(&(struct timespec){.tv_nsec = 1000000}, NULL);
	reader.stop = true;
	pthread_join(thread, NULL);
	assert_int_equal(reader.read, 300);
	assert_int_equal(reader.missing, 0);
}

/* --- servers that die --- */

static void test_killed_server_loses_nothing(void **state)
{
	(void)state;
	struct publisher *publisher = open_publisher((struct publish_options){.lossless = true});
	for (uint32_t i = 1; i <= 900; i++) {
		take(publisher, ID, i, i == 1 ? INCIDENT_OPEN : INCIDENT_UPDATED);
		if (i % 300 == 150) {
			struct redis_reply *reply;
			do { /* in the middle of its work */
				reply = server_ask(redis, (const char *[]){"XLEN", EVENTS, NULL});
				long long n = redis_integer(reply);
				redis_reply_free(reply);
				if (n >= i / 2)
					break;
			} while (true);
			restart_server();
		}
	}
	struct publish_counters counters = close_publisher(publisher);
	assert_true(counters.reconnects >= 2);
	assert_int_equal(counters.incidents_published + counters.incidents_already_published, 900);
	struct redis_reply *all = entries();
	assert_int_equal(redis_count(all), 900);
	for (uint32_t i = 0; i < 900; i++)
		assert_int_equal(strtoul(strchr(entry_text(all, i, 5), ':') + 1, NULL, 10), i + 1);
	redis_reply_free(all);
	assert_value(KEY, "Incident", "revision: 900\n");
}

/* A server that comes back empty is told again: what is open, and what was. */
static void test_forgetful_server(void **state)
{
	(void)state;
	char command[256], error[REDIS_ERROR_SIZE];
	struct publisher *publisher = open_publisher((struct publish_options){0});
	take(publisher, ID, 1, INCIDENT_OPEN);
	take(publisher, ID, 2, INCIDENT_UPDATED);
	take_life(publisher, "other", 2);
	take_event(publisher, MS, "a");
	wait_for_length(1); /* incidents go first */
	redis = redis_close(redis);
	server_kill(&server);
	snprintf(command, sizeof(command), "rm -r %s/appendonlydir", server.folder);
	assert_int_equal(system(command), 0);
	server_start(&server);
	redis = redis_open(server.url, error);
	take_event(publisher, 2 * MS, "a");
	assert_int_equal(close_publisher(publisher).incidents_published, 4);
	assert_string_equal(story(), ID ":1 " ID ":2 other:1 other:2");
	assert_value(MEMBERS, "MemberSet", "revision: 2\n");
	assert_int_equal(integer((const char *[]){"ZCARD", OPEN, NULL}), 1);
	assert_ttl("rasad:{i}:inc:other:mem", DAYS_30 - 60, DAYS_30);
}

/* A server that hangs, and no room: events and cards go, the incident's life does not. */
static void test_overflow_keeps_incidents(void **state)
{
	(void)state;
	struct publisher *publisher =
		open_publisher((struct publish_options){.queue_bytes = 65536});
	take_event(publisher, MS, "first");
	wait_for_length(1);
	kill(server.pid, SIGSTOP);
	take_event(publisher, 2 * MS, "in the hand of the thread");
	for (int i = 0; i < 500; i++)
		take_event(publisher, (3 + i) * (int64_t)MS, "shed");
	take_life(publisher, "a", 400);
	take_life(publisher, "b", 400);
	kill(server.pid, SIGCONT);
	struct publish_counters counters;
	struct publish_error error = {""};
	assert_int_equal(publish_close(publisher, CLOSE_MS, &counters, &error), -EIO);
	assert_non_null(strstr(error.text, "0 incidents, "));
	assert_true(counters.events_shed > 0);
	assert_true(counters.incidents_coalesced > 700);
	assert_int_equal(counters.incidents_published + counters.incidents_coalesced, 800);
	assert_int_equal(counters.incidents_shed, 0);
	const char *told = story();
	assert_non_null(strstr(told, "a:1 "));
	assert_non_null(strstr(told, "a:400"));
	assert_non_null(strstr(told, "b:1 "));
	assert_non_null(strstr(told, "b:400"));
}

/* Keys of somebody else's making: told, never a crash, and the rest goes on. */
static void test_foreign_values(void **state)
{
	(void)state;
	set_value(KEY, "no incident");
	set_value(OPEN, "no set");
	struct publisher *publisher = open_publisher((struct publish_options){.lossless = true});
	take(publisher, ID, 1, INCIDENT_OPEN);
	struct publish_counters counters;
	struct publish_error error = {""};
	assert_int_equal(publish_close(publisher, CLOSE_MS, &counters, &error), -EIO);
	assert_int_equal(counters.incidents_published, 1);
	assert_int_equal(counters.refused, 1);
	assert_value(KEY, "Incident", "revision: 1\n");
	assert_string_equal(story(), ID ":1");
}

static void test_wrong_id(void **state)
{
	(void)state;
	static const char *const wrong[] = {"", "a:b", "open", "ev", "a b", "a\033"};
	struct publisher *publisher = open_publisher((struct publish_options){0});
	for (size_t i = 0; i < sizeof(wrong) / sizeof(*wrong); i++)
		take(publisher, wrong[i], 1, INCIDENT_OPEN);
	struct publish_counters counters;
	assert_int_equal(publish_close(publisher, CLOSE_MS, &counters, NULL), -EIO);
	assert_int_equal(counters.incidents_shed, 6);
	assert_int_equal(integer((const char *[]){"EXISTS", EVENTS, OPEN, NULL}), 0);
}

/* --- the dead --- */

static struct publish_counters leave_open(unsigned shard, uint64_t epoch, bool capture,
					  const char *id)
{
	struct publisher *publisher = open_publisher((struct publish_options){
		.shard = shard, .epoch_unix_ms = epoch, .lossless = capture});

	if (id)
		take(publisher, id, 2, INCIDENT_UPDATED);
	return close_publisher(publisher);
}

/* What a dead engine left open, its successor ends: neither as repaired nor as going on. */
static void test_predecessors_incidents_are_withdrawn(void **state)
{
	(void)state;
	leave_open(7, 1, false, ID);
	assert_int_equal(leave_open(7, 2, true, NULL).incidents_withdrawn, 0);	/* a capture */
	assert_int_equal(leave_open(7, 1, false, NULL).incidents_withdrawn, 0); /* its own */
	assert_int_equal(integer((const char *[]){"ZCARD", OPEN, NULL}), 1);
	assert_int_equal(leave_open(7, 2, false, "new").incidents_withdrawn, 1);

	assert_value(KEY, "Incident", "revision: 3\nstate: INCIDENT_STATE_RETRACTED\n");
	assert_value(KEY, "Incident", "severity: SEVERITY_INDETERMINATE\n");
	assert_value(KEY, "Incident", "what: \"watch lost\"");
	assert_value(KEY, "Incident", "epoch: 2\n");
	assert_value(KEY, "Incident", "class: INCIDENT_CLASS_NODE_OR_UPLINK\n");
	assert_ttl(KEY, DAYS_30 - 60, DAYS_30);
	assert_ttl(MEMBERS, DAYS_30 - 60, DAYS_30);
	assert_string_equal(story(), ID ":2 " ID ":3 new:2");
	assert_int_equal(integer((const char *[]){"ZCARD", OPEN, NULL}), 1);
	assert_int_equal(leave_open(7, 3, false, NULL).incidents_withdrawn, 1);
	assert_int_equal(leave_open(7, 4, false, NULL).incidents_withdrawn, 0);
}

/* Other shards' are theirs, until nobody has spoken for them for a day. The sample is of 2023. */
static void test_other_shards_incidents(void **state)
{
	(void)state;
	struct report_incident fresh = sample_incident();
	struct publisher *publisher = open_publisher((struct publish_options){.shard = 1});
	fresh.incident_id = "fresh";
	fresh.changed_unix_ns = time(NULL) * 1000000000;
	publish_take(publisher, &(struct report){.kind = REPORT_INCIDENT, .incident = &fresh});
	take(publisher, "old", 1, INCIDENT_OPEN);
	close_publisher(publisher);
	assert_int_equal(leave_open(2, 1, false, NULL).incidents_withdrawn, 0); /* it reports */
	redis_reply_free(
		server_ask(redis, (const char *[]){"DEL", "rasad:{h}:health:pcap:test", NULL}));
	publisher = open_publisher((struct publish_options){.shard = 2});
	struct publish_counters counters = close_publisher(publisher);
	assert_int_equal(counters.incidents_withdrawn, 1);
	assert_value("rasad:{i}:inc:old", "Incident", "INCIDENT_STATE_RETRACTED");
	assert_value("rasad:{i}:inc:fresh", "Incident", "INCIDENT_STATE_UPDATED");
}

/* A set that somebody has filled with anything does not keep the engine from its work. */
static void test_foreign_open_set(void **state)
{
	(void)state;
	static const char *const ids[] = {"ev", "open", "a:b", "", "gone", "hash", "garbage"};
	redis_reply_free(
		server_ask(redis, (const char *[]){"HSET", "rasad:{i}:inc:hash", "a", "b", NULL}));
	set_value("rasad:{i}:inc:garbage", "\xff\xff");
	for (size_t i = 0; i < sizeof(ids) / sizeof(*ids); i++)
		redis_reply_free(
			server_ask(redis, (const char *[]){"ZADD", OPEN, "1", ids[i], NULL}));
	struct publisher *publisher = open_publisher((struct publish_options){0});
	take(publisher, ID, 1, INCIDENT_OPEN);
	assert_int_equal(close_publisher(publisher).incidents_published, 1);
	assert_int_equal(integer((const char *[]){"ZCARD", OPEN, NULL}), 1);
	assert_score(ID, "41699999991");
}

/* --- gaps --- */

static void test_gap_is_an_event(void **state)
{
	(void)state;
	struct publisher *publisher = open_publisher((struct publish_options){0});
	struct report_gap gap = sample_gap();
	const struct report report = {.kind = REPORT_GAP, .gap = &gap};
	publish_take(publisher, &report);
	gap.until_unix_ns = gap.unix_ns;
	publish_take(publisher, &report);
	assert_int_equal(close_publisher(publisher).events_published, 2);
	struct redis_reply *all =
		server_ask(redis, (const char *[]){"XRANGE", STREAM, "-", "+", NULL});
	assert_string_equal(entry_text(all, 0, 1), "GapNotice");
	assert_string_not_equal(entry_text(all, 0, 5), entry_text(all, 1, 5));
	assert_non_null(strstr(entry_text(all, 0, 5), ":1700000000123456789:GAP:"));
	size_t n;
	const char *bytes =
		redis_text(redis_element(redis_element(redis_element(all, 0), 1), 7), &n);
	assert_non_null(strstr(protoc_decode("GapNotice", bytes, n), "tap: \"pcap:eth0\"\n"));
	redis_reply_free(all);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
	const struct CMUnitTest tests[] = {
		TEST(test_open_and_clear),
		TEST(test_second_run_adds_nothing),
		TEST(test_never_backwards),
		TEST(test_id_collision),
		TEST(test_racing_publishers),
		TEST(test_reader_finds_the_key),
		TEST(test_killed_server_loses_nothing),
		TEST(test_forgetful_server),
		TEST(test_overflow_keeps_incidents),
		TEST(test_foreign_values),
		TEST(test_wrong_id),
		TEST(test_predecessors_incidents_are_withdrawn),
		TEST(test_other_shards_incidents),
		TEST(test_foreign_open_set),
		TEST(test_gap_is_an_event),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
