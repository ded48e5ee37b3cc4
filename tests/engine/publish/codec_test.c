/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Every message byte for byte as in golden/: a reader of last year still reads these bytes. What
 * the bytes mean is protoc's word, in golden/<message>.txt. After a change that is meant, write
 * them anew with RASAD_GOLDEN=write, and look at the difference.
 */
#include "engine/publish/codec.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "engine/base/inventory.h"
#include "engine/publish/encode_card.h"
#include "engine/publish/keyspace.h"
#include "engine/publish/minute_batch.h"
#include "proto/bounded.h"
#include "proto/rasad/v1/incident.pb-c.h"
#include "tests/engine/publish/sample.h"
#include "tests/engine/publish/server.h"

static struct codec *codec;

static int set_up(void **state)
{
	(void)state;
	codec = codec_new();
	return codec ? 0 : -1;
}

static int tear_down(void **state)
{
	(void)state;
	codec = codec_free(codec);
	return 0;
}

static size_t read_golden(const char *name, const char *suffix, char *out, size_t size)
{
	char path[128];

	snprintf(path, sizeof(path), "tests/engine/publish/golden/%s.%s", name, suffix);
	FILE *file = fopen(path, "rb");
	if (!file)
		fail_msg("%s: %s", path, strerror(errno));
	size_t n = fread(out, 1, size - 1, file);
	out[n] = 0;
	fclose(file);
	return n;
}

static void write_golden(const char *name, const char *suffix, const void *bytes, size_t n)
{
	char path[128];

	snprintf(path, sizeof(path), "tests/engine/publish/golden/%s.%s", name, suffix);
	FILE *file = fopen(path, "wb");
	assert_non_null(file);
	assert_int_equal(fwrite(bytes, 1, n, file), n);
	fclose(file);
}

static void assert_golden(const struct codec_bytes *packed)
{
	const char *decoded =
		protoc_decode(packed->type, (const char *)packed->data, packed->length);
	const char *mode = getenv("RASAD_GOLDEN");
	char golden[8192], meaning[8192];

	if (mode && !strcmp(mode, "write")) {
		write_golden(packed->type, "pb", packed->data, packed->length);
		write_golden(packed->type, "txt", decoded, strlen(decoded));
	}
	size_t n = read_golden(packed->type, "pb", golden, sizeof(golden));

	read_golden(packed->type, "txt", meaning, sizeof(meaning));
	assert_string_equal(decoded, meaning);
	assert_int_equal(packed->length, n);
	assert_memory_equal(packed->data, golden, n);
}

static void assert_report(const struct report *report)
{
	struct codec_bytes packed;

	assert_int_equal(codec_pack(codec, report, &packed), 0);
	assert_golden(&packed);
}

static void test_session_event(void **state)
{
	(void)state;
	struct report_session_event event = sample_event();
	assert_report(&(struct report){.kind = REPORT_SESSION_EVENT, .session_event = &event});
}

static void test_flap_summary(void **state)
{
	(void)state;
	struct report_flap_summary flap = sample_flap();
	assert_report(&(struct report){.kind = REPORT_FLAP_SUMMARY, .flap_summary = &flap});
}

static void test_subscriber_summary(void **state)
{
	(void)state;
	struct report_subscriber subscriber = sample_subscriber();
	assert_report(&(struct report){.kind = REPORT_SUBSCRIBER, .subscriber = &subscriber});
}

static void test_flow_summary(void **state)
{
	(void)state;
	struct report_flow flow = sample_flow();
	assert_report(&(struct report){.kind = REPORT_FLOW, .flow = &flow});
}

static void test_node_summary(void **state)
{
	(void)state;
	struct report_node node = sample_node();
	assert_report(&(struct report){.kind = REPORT_NODE, .node = &node});
}

static void test_minute_summary(void **state)
{
	(void)state;
	struct report_minute minute = sample_minute();
	assert_report(&(struct report){.kind = REPORT_MINUTE, .minute = &minute});
}

/* The batch is written by hand; its first record is the same as alone, another has nothing. */
static void test_minute_batch(void **state)
{
	(void)state;
	static struct minute_batch minutes;
	struct report_minute minute = sample_minute();
	struct report_minute nothing = {.start_unix_ns = minute.start_unix_ns,
					.duration_ms = minute.duration_ms,
					.line = "a"};
	assert_int_equal(minute_batch_add(&minutes, &minute), 0);
	assert_int_equal(minute_batch_add(&minutes, &nothing), 0);
	struct item *item = minute_batch_close(&minutes);
	assert_golden(&(struct codec_bytes){item->payload, item->n_payload, item->type});
	free(item);
}

/* As the replay tells it: nobody publishes it, so nobody is named. */
static void test_incident(void **state)
{
	(void)state;
	struct report_incident incident = sample_incident();
	assert_report(&(struct report){.kind = REPORT_INCIDENT, .incident = &incident});
}

static void test_member_set(void **state)
{
	(void)state;
	struct report_incident incident = sample_incident();
	struct codec_bytes packed;
	assert_int_equal(codec_members(codec, &incident, &packed), 0);
	assert_golden(&packed);
}

static void test_gap_notice(void **state)
{
	(void)state;
	struct report_gap gap = sample_gap();
	assert_report(&(struct report){.kind = REPORT_GAP, .gap = &gap});
}

static void test_topology_lint(void **state)
{
	(void)state;
	const struct report_lint_example examples[] = {
		{"DSLAM-101 eth 0/1/1:11", "DSLAM-101", "DSLAM-102"},
		{"DSLAM-101 eth 0/1/1:12", "DSLAM-101", "DSLAM-103"},
	};
	const struct report_topology_lint lint = {
		.unix_ns = 1763205622123456789,
		.kind = "node",
		.count = 7,
		.examples = examples,
		.n_examples = 2,
	};
	assert_report(&(struct report){.kind = REPORT_TOPOLOGY_LINT, .topology_lint = &lint});
}

static void test_collector_health(void **state)
{
	(void)state;
	struct report_health health = sample_health();
	assert_report(&(struct report){.kind = REPORT_HEALTH, .health = &health});
}

static void test_replay_summary(void **state)
{
	(void)state;
	struct report_health health = sample_health();
	struct codec_replay replay = {
		.health = &health,
		.files = (const char *const[]){"a.pcap", "b.pcap"},
		.n_files = 2,
		.elapsed_s = 1.25,
		.version = "1",
	};
	struct codec_bytes packed;
	assert_int_equal(codec_replay_pack(codec, &replay, &packed), 0);
	assert_golden(&packed);
}

static void test_card(void **state)
{
	(void)state;
	static const char csv[] =
		"line,subscriber,phone,exchange,node,card,port,cabinet,plan_down_kbps\r\n"
		"DSLAM-101 eth 0/1/1:11,booked,021 8877 6655,Azadi,DSLAM-101,1,11,KV7,16000\r\n";
	struct inventory *inventory = inventory_parse(csv, sizeof(csv) - 1, "test.csv", stderr);
	struct report_subscriber subscriber = sample_subscriber();
	const struct report_group groups[] = {{"access_node", "DSLAM-101"}, {"svlan", "101"}};
	static uint8_t card[8192];
	const char *line = subscriber.who.line;
	struct encoded_names names;
	subscriber.groups = groups;
	subscriber.n_groups = 2;
	subscriber.symptoms = 1 << CHANNEL_DROP | 1 << CHANNEL_DNS;
	uint8_t *end = encode_card(&subscriber, inventory_find(inventory, line),
				   keyspace_hash(line, strlen(line)), card, &names);

	assert_golden(&(struct codec_bytes){card, (size_t)(end - card), "SubscriberCard"});
	inventory_free(inventory);
}

static void test_index(void **state)
{
	(void)state;
	struct codec_bytes packed;

	assert_int_equal(codec_index_add(codec, NULL, 0, "00000000000000aa", &packed), 0);
	assert_int_equal(
		codec_index_add(codec, packed.data, packed.length, "00000000000000bb", &packed), 0);
	/* Again is not twice; it is the newest now. */
	assert_int_equal(
		codec_index_add(codec, packed.data, packed.length, "00000000000000aa", &packed), 0);
	assert_golden(&packed);
}

static void test_index_is_bounded(void **state)
{
	(void)state;
	struct codec_bytes packed = {0};
	char id[17];

	for (int i = 0; i < CODEC_INDEX_MAX + 10; i++) {
		snprintf(id, sizeof(id), "%016x", (unsigned)i);
		assert_int_equal(codec_index_add(codec, packed.data, packed.length, id, &packed),
				 0);
	}
	assert_int_equal(packed.length, CODEC_INDEX_MAX * 18);
	assert_memory_equal(packed.data,
			    "\x0a\x10"
			    "000000000000000a",
			    18); /* ten have left */
	const uint8_t broken[] = {0x0a, 0xff, 0xff};
	assert_int_equal(codec_index_add(codec, broken, sizeof(broken), id, &packed), 0);
	assert_int_equal(packed.length, 18);
}

/* --- JSON, by the same mapping --- */

static const char *json_of(const struct report *report)
{
	static char text[8192];
	FILE *file = fmemopen(text, sizeof(text), "w");

	assert_int_equal(codec_json(codec, report, file), 0);
	fclose(file);
	return text;
}

static void test_json_event(void **state)
{
	(void)state;
	struct report_session_event event = sample_event();
	assert_string_equal(
		json_of(&(struct report){.kind = REPORT_SESSION_EVENT, .session_event = &event}),
		"{\"type\":\"session_event\",\"unix_ns\":1700000000123456789,"
		"\"line\":\"DSLAM-101 eth 0/1/1:11\",\"subscriber\":\"u101-11@isp.test\","
		"\"kind\":\"DOWN\",\"cause\":\"LINE_LOST\",\"down_since_unix_ns\":1699999999123456789,"
		"\"svlan\":101,\"cvlan\":11,\"cpe_mac\":\"02:5a:00:01:01:0b\",\"pppoe_session_id\":7,"
		"\"evidence\":\"TAP\"}\n");
}

/* Nothing was measured: nothing is said but what is counted. */
static void test_absent_is_absent(void **state)
{
	(void)state;
	struct report_subscriber nothing = {
		.who = {.line = "a"},
		.down_since_unix_ns = REPORT_ABSENT,
		.last_upstream_unix_ns = REPORT_ABSENT,
	};
	assert_string_equal(
		json_of(&(struct report){.kind = REPORT_SUBSCRIBER, .subscriber = &nothing}),
		"{\"type\":\"subscriber_summary\",\"line\":\"a\",\"ipv4\":[],\"ipv6\":[],"
		"\"state\":\"UNKNOWN\",\"flaps\":0,\"auth_failures\":0,\"sessions\":[],"
		"\"packets_down\":0,\"packets_up\":0,\"bytes_down\":0,\"bytes_up\":0,"
		"\"rtt\":{},\"loss\":{},\"reordered_down\":0,\"reordered_up\":0,"
		"\"spurious_down\":0,\"spurious_up\":0,\"outages\":0,\"setup_failures\":0,"
		"\"flapping\":false,\"sessions_total\":0,\"suspected_tail_loss_down\":0,"
		"\"suspected_tail_loss_up\":0}\n");
}

static const char incident_json[] =
	"{\"type\":\"incident\",\"incident_id\":\"01HF7YAT31\",\"revision\":3,\"state\":\"UPDATED\","
	"\"class\":\"NODE_OR_UPLINK\",\"category\":\"EXCHANGE_TRANSPORT\",\"severity\":\"MAJOR\","
	"\"probable_cause\":10,\"alarm_type\":\"COMMUNICATIONS\",\"group_type\":\"access_node\","
	"\"group\":\"DSLAM-102\",\"equivalent_groups\":[\"svlan:102\"],"
	"\"onset_unix_ns\":1699999980123456789,\"open_unix_ns\":1699999991123456789,"
	"\"changed_unix_ns\":1700000000123456789,\"affected\":2,\"affected_peak\":3,"
	"\"members\":24,\"confidence\":0.98,\"evidence\":{\"k\":3,\"n\":24,\"mu\":0.01,"
	"\"fraction\":0.125,\"neg_log10_p\":7.25,\"llr\":12.5,\"runner_up\":\"card:DSLAM-102/1\","
	"\"runner_up_llr\":8.5,";

/* The names of the contract; what was not measured is absent, and zero is not absent. */
static void test_json_incident(void **state)
{
	(void)state;
	struct report_incident incident = sample_incident();
	struct report report = {.kind = REPORT_INCIDENT, .incident = &incident};
	const char *json = json_of(&report);

	assert_memory_equal(json, incident_json, strlen(incident_json));
	assert_non_null(strstr(json, "\"dedupe_key\":\"NODE_OR_UPLINK:access_node:DSLAM-102\""));
	assert_non_null(strstr(json, "\"path\":[\"country:IR\",\"exchange:Azadi\"]"));
	assert_null(strstr(json, "clear_unix_ns"));
	assert_null(strstr(json, "producer"));
	assert_null(strstr(json, "epoch"));
	incident.clear_unix_ns = 0;
	codec_speak_as(codec, &(struct codec_producer){"e07", "pcap:eth0", 5});
	json = json_of(&report);
	assert_non_null(strstr(json, "\"clear_unix_ns\":0,"));
	assert_non_null(
		strstr(json, "\"producer\":\"e07\",\"epoch\":5,\"collector\":\"pcap:eth0\"}\n"));
}

/* Nothing is known but that it is: no crash, and no claim. */
static void test_empty_incident(void **state)
{
	(void)state;
	struct report_incident incident = {.incident_id = "a",
					   .clear_unix_ns = REPORT_ABSENT,
					   .eta_90_unix_ns = REPORT_ABSENT};
	struct codec_bytes packed;
	const char *json =
		json_of(&(struct report){.kind = REPORT_INCIDENT, .incident = &incident});

	assert_non_null(strstr(json, "\"path\":[]"));
	assert_null(strstr(json, "severity"));
	assert_int_equal(codec_members(codec, &incident, &packed), 0);
	assert_int_equal(packed.length, 3);
}

/* More than a reader takes: those that are down stay, and what is left out is said. */
static void test_members_are_bounded(void **state)
{
	(void)state;
	enum { LINES = 70000, DOWN = 60000 };
	static char names[LINES][8];
	static struct report_member lines[LINES];
	struct report_incident incident = sample_incident();
	struct codec_bytes packed;

	for (int i = 0; i < LINES; i++) {
		snprintf(names[i], sizeof(names[i]), "%d", i);
		lines[i] = (struct report_member){names[i], 0, i < DOWN ? REPORT_ABSENT : 1};
	}
	incident.affected_lines = lines;
	incident.affected_total = LINES;
	assert_int_equal(codec_members(codec, &incident, &packed), 0);
	Rasad__V1__MemberSet *set = (Rasad__V1__MemberSet *)bounded_unpack(
		&rasad__v1__member_set__descriptor, packed.data, packed.length);
	assert_non_null(set);
	assert_int_equal(set->n_down, DOWN);
	assert_int_equal(set->n_down_after_s, DOWN);
	assert_int_equal(set->n_recovered, CODEC_MEMBERS_MAX - DOWN);
	assert_int_equal(set->left_out, LINES - CODEC_MEMBERS_MAX);
	for (size_t i = 1; i < DOWN; i++)
		assert_true(set->down[i - 1] < set->down[i]);
	protobuf_c_message_free_unpacked(&set->base, NULL);
}

static void test_derived_loss(void **state)
{
	(void)state;
	struct report_flow flow = sample_flow();
	const char *json = json_of(&(struct report){.kind = REPORT_FLOW, .flow = &flow});

	assert_non_null(strstr(json, "\"lost_before_tap\":7,\"lost_after_tap\":4,"));
	/* Upstream more is taken back than was given: never a wrapped number. */
	assert_non_null(strstr(json, "\"lost_before_tap\":0,\"lost_after_tap\":0,"));
	assert_non_null(strstr(json, "\"rtt_access\":{"));
	assert_null(strstr(json, "\"rtt_internet\""));
}

/* A name of any bytes becomes UTF-8, or strict readers would throw the message away. */
static void test_wrong_utf8(void **state)
{
	(void)state;
	struct report_session_event event = sample_event();
	struct report report = {.kind = REPORT_SESSION_EVENT, .session_event = &event};
	struct codec_bytes packed;

	event.text = "caf\xe9 \xd8\xb3\xed\xa0\x80";
	assert_int_equal(codec_pack(codec, &report, &packed), 0);
	assert_non_null(memmem(packed.data, packed.length,
			       "caf\xef\xbf\xbd \xd8\xb3\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd", 18));
}

static void test_unknown_kind(void **state)
{
	(void)state;
	struct codec_bytes packed;
	assert_int_equal(codec_pack(codec, &(struct report){.kind = (enum report_kind)99}, &packed),
			 -EINVAL);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
	const struct CMUnitTest tests[] = {
		TEST(test_session_event),
		TEST(test_flap_summary),
		TEST(test_subscriber_summary),
		TEST(test_flow_summary),
		TEST(test_node_summary),
		TEST(test_incident),
		TEST(test_member_set),
		TEST(test_gap_notice),
		TEST(test_topology_lint),
		TEST(test_json_incident),
		TEST(test_empty_incident),
		TEST(test_members_are_bounded),
		TEST(test_collector_health),
		TEST(test_replay_summary),
		TEST(test_card),
		TEST(test_minute_summary),
		TEST(test_minute_batch),
		TEST(test_index),
		TEST(test_index_is_bounded),
		TEST(test_json_event),
		TEST(test_absent_is_absent),
		TEST(test_derived_loss),
		TEST(test_wrong_utf8),
		TEST(test_unknown_kind),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
