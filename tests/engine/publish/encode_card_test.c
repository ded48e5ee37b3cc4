/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The card by hand: its summary is the one that protobuf-c packs from the same record, and the
 * whole is what protobuf-c packs again after reading it. Records of any shape.
 */
#include "engine/publish/encode_card.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "engine/analysis/report.h"
#include "engine/base/inventory.h"
#include "engine/publish/codec.h"
#include "engine/publish/keyspace.h"
#include "proto/rasad/v1/card.pb-c.h"
#include "tests/engine/publish/random_record.h"
#include "tests/engine/publish/sample.h"

struct shape {
	char names[16][64];
	const char *ipv4[3], *ipv6[3];
	struct report_session sessions[4];
	struct report_group groups[5];
	struct inventory_row row;
	struct report_subscriber subscriber;
};

static void random_sessions(struct shape *shape)
{
	for (size_t i = 0; i < 4; i++)
		shape->sessions[i] = (struct report_session){
			.pppoe_session_id = (uint16_t)random_count(),
			.pads_unix_ns = random_time(),
			.up_unix_ns = random_time(),
			.down_unix_ns = random_time(),
			.first_seen_unix_ns = random_time(),
			.detected_unix_ns = random_time(),
			.cause = (enum drop_cause)(random64() % CAUSE_COUNT),
			.failed_stage = (enum setup_stage)(random64() % (STAGE_NCP + 1)),
		};
}

static void random_traffic(struct report_subscriber *to)
{
	uint64_t *const counts[] = {&to->flaps,
				    &to->outages,
				    &to->auth_failures,
				    &to->setup_failures,
				    &to->sessions_total,
				    &to->packets_down,
				    &to->packets_up,
				    &to->bytes_down,
				    &to->bytes_up,
				    &to->reordered_down,
				    &to->reordered_up,
				    &to->spurious_down,
				    &to->spurious_up,
				    &to->suspected_tail_loss_down,
				    &to->suspected_tail_loss_up};

	for (size_t i = 0; i < sizeof(counts) / sizeof(*counts); i++)
		*counts[i] = random_count();
	to->rtt = random_rtt();
	to->loss = random_loss_sides();
	to->flaps_5m = (uint32_t)random_count();
	to->flaps_1h = (uint32_t)random_count();
	to->flaps_24h = (uint32_t)random_count();
	to->line_rate_down = (uint32_t)random_count();
	to->line_rate_up = (uint32_t)random_count();
	to->flapping = random64() % 2;
	to->state = (enum line_state)(random64() % 4);
}

static void random_row(struct shape *shape)
{
	const char **const cells[] = {
		&shape->row.subscriber, &shape->row.exchange, &shape->row.node, &shape->row.card,
		&shape->row.port,	&shape->row.cabinet,  &shape->row.phone};

	for (size_t i = 0; i < sizeof(cells) / sizeof(*cells); i++)
		*cells[i] = shape->names[random64() % 16];
	shape->row.plan_down_kbps =
		random64() % 2 ? (int64_t)(random64() % 100000) : INVENTORY_ABSENT;
	shape->row.plan_up_kbps = random64() % 2 ? 0 : INVENTORY_ABSENT;
}

static void random_groups(struct shape *shape)
{
	struct report_subscriber *to = &shape->subscriber;

	for (size_t i = 0; i < 5; i++)
		shape->groups[i] = (struct report_group){shape->names[random64() % 16],
							 shape->names[random64() % 16]};
	to->groups = shape->groups;
	to->n_groups = random64() % 6;
	to->symptoms = random64() % 2 ? 0 : (uint32_t)random64();
}

static void random_shape(struct shape *shape)
{
	struct report_subscriber *to = &shape->subscriber;
	const char **const names[] = {&to->who.line,	  &to->who.subscriber, &to->who.circuit_id,
				      &to->who.remote_id, &to->who.cpe_mac,    &to->who.ac_mac};

	*to = (struct report_subscriber){.ipv4 = shape->ipv4, .ipv6 = shape->ipv6};
	for (size_t i = 0; i < 16; i++)
		random_name(shape->names[i], sizeof(shape->names[i]));
	for (size_t i = 0; i < 3; i++) {
		shape->ipv4[i] = shape->names[random64() % 16];
		shape->ipv6[i] = shape->names[random64() % 16];
	}
	for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++)
		*names[i] = i && random64() % 4 == 0 ? NULL : shape->names[i];
	random_sessions(shape);
	random_traffic(to);
	random_groups(shape);
	random_row(shape);
	to->unix_ns = (int64_t)random_count();
	to->n_ipv4 = random64() % 4;
	to->n_ipv6 = random64() % 4;
	to->down_since_unix_ns = random_time();
	to->last_upstream_unix_ns = random_time();
	to->who.svlan = (uint16_t)random_count();
	to->who.cvlan = (uint16_t)random_count();
	to->sessions = shape->sessions;
	to->n_sessions = random64() % 5;
}

/* The bytes of the card between its sub_id, time and the rest are those of the summary alone. */
static void assert_summary(struct codec *codec, const struct report_subscriber *subscriber,
			   const uint8_t *card, size_t n)
{
	struct report report = {.kind = REPORT_SUBSCRIBER, .subscriber = subscriber};
	struct codec_bytes packed;

	assert_int_equal(codec_pack(codec, &report, &packed), 0);
	assert_non_null(memmem(card, n, packed.data, packed.length));
}

/* protobuf-c writes the stamp (19) before groups and symptoms (20, 21): we, last. */
static void assert_canonical(const uint8_t *card, size_t n)
{
	Rasad__V1__SubscriberCard *read = rasad__v1__subscriber_card__unpack(NULL, n, card);
	Rasad__V1__SubscriberCard rest = RASAD__V1__SUBSCRIBER_CARD__INIT;
	uint8_t *again = malloc(2 * n);
	const size_t stamp = 10;

	assert_non_null(read);
	rest.groups = read->groups;
	rest.n_groups = read->n_groups;
	rest.symptoms = read->symptoms;
	rest.n_symptoms = read->n_symptoms;
	size_t n_rest = rasad__v1__subscriber_card__get_packed_size(&rest);
	assert_int_equal(rasad__v1__subscriber_card__pack(read, again), n);
	assert_memory_equal(again, card, n - stamp - n_rest);
	assert_memory_equal(again + n - stamp - n_rest, card + n - stamp, stamp);
	assert_memory_equal(again + n - n_rest, card + n - stamp - n_rest, n_rest);
	rasad__v1__subscriber_card__free_unpacked(read, NULL);
	free(again);
}

static void assert_card(struct codec *codec, const struct report_subscriber *subscriber,
			const struct inventory_row *row)
{
	size_t max = encode_card_max(subscriber, row);
	uint8_t *card = malloc(max); /* exactly: a sanitizer sees one byte too many */
	struct encoded_names names;
	uint8_t *end = encode_card(subscriber, row, random64(), card, &names);

	assert_true(end <= card + max);
	assert_summary(codec, subscriber, card, (size_t)(end - card));
	assert_canonical(card, (size_t)(end - card));
	free(card);
}

static void test_same_as_protobuf_c(void **state)
{
	(void)state;
	struct codec *codec = codec_new();
	static struct shape shape;

	for (int i = 0; i < 20000; i++) {
		random_shape(&shape);
		assert_card(codec, &shape.subscriber, random64() % 2 ? &shape.row : NULL);
	}
	struct report_subscriber sample = sample_subscriber();
	assert_card(codec, &sample, NULL);
	codec_free(codec);
}

static Rasad__V1__SubscriberCard *read_card(const struct report_subscriber *subscriber,
					    const struct inventory_row *row, int64_t valid_until_ms)
{
	static uint8_t card[65536];
	struct encoded_names names;
	uint8_t *end = encode_card(subscriber, row, 0xb98c12002e206d3a, card, &names);
	size_t n = (size_t)(end - card);

	if (valid_until_ms)
		encode_card_stamp(card, n, valid_until_ms);
	assert_true(encode_card_good_until(card, n) == (valid_until_ms ? valid_until_ms : 1));
	assert_int_equal(encode_card_good_until(card, n - 1), 0);
	Rasad__V1__SubscriberCard *read = rasad__v1__subscriber_card__unpack(NULL, n, card);
	assert_non_null(read);
	return read;
}

/* What is not the summary's: who it is by the books, and the history in short. */
static void test_fields(void **state)
{
	(void)state;
	struct report_subscriber subscriber = sample_subscriber();
	const struct report_group groups[] = {{"access_node", "N1"}, {"pool", "100.64.0.0/24"}};
	const struct inventory_row row = {.subscriber = "booked",
					  .exchange = "Azadi",
					  .node = "N1",
					  .card = "2",
					  .port = "3",
					  .cabinet = "KV7",
					  .phone = "+98",
					  .plan_down_kbps = 0,
					  .plan_up_kbps = INVENTORY_ABSENT};
	subscriber.groups = groups;
	subscriber.n_groups = 2;
	subscriber.symptoms = 1 << CHANNEL_DNS | 1 << CHANNEL_DROP | 1 << CHANNEL_NONE | 1u << 31;
	Rasad__V1__SubscriberCard *card = read_card(&subscriber, &row, 0);

	assert_int_equal(card->n_groups, 2);
	assert_string_equal(card->groups[1]->group_type, "pool");
	assert_string_equal(card->groups[1]->group, "100.64.0.0/24");
	assert_int_equal(card->n_symptoms, 2);
	assert_int_equal(card->symptoms[0], RASAD__V1__SYMPTOM_CHANNEL__SYMPTOM_CHANNEL_DROP);
	assert_int_equal(card->symptoms[1], RASAD__V1__SYMPTOM_CHANNEL__SYMPTOM_CHANNEL_DNS);
	assert_string_equal(card->sub_id, "b98c12002e206d3a");
	assert_true(card->unix_ns == subscriber.unix_ns);
	assert_string_equal(card->booked_subscriber, "booked");
	assert_string_equal(card->phone, "+98");
	assert_string_equal(card->exchange, "Azadi");
	assert_string_equal(card->node, "N1");
	assert_string_equal(card->card, "2");
	assert_string_equal(card->port, "3");
	assert_string_equal(card->cabinet, "KV7");
	assert_true(card->has_plan_down_kbps_case); /* 0 kbit/s is not unknown */
	assert_false(card->has_plan_up_kbps_case);
	assert_true(card->up_since_unix_ns == subscriber.sessions[1].up_unix_ns);
	assert_true(card->last_down_unix_ns == subscriber.sessions[0].down_unix_ns);
	assert_int_equal(card->last_down_cause, CAUSE_LINE_LOST);
	assert_int_equal(card->flaps_1h, 1);
	assert_int_equal(card->flaps_24h, 1);
	rasad__v1__subscriber_card__free_unpacked(card, NULL);
	subscriber.state = LINE_DOWN; /* then nothing has been up since */
	card = read_card(&subscriber, NULL, 0);
	assert_false(card->has_up_since_unix_ns_case);
	assert_string_equal(card->phone, "");
	rasad__v1__subscriber_card__free_unpacked(card, NULL);
}

/* No claim before it is stamped; a stamp changes the moment and nothing else. */
static void test_stamp(void **state)
{
	(void)state;
	struct report_subscriber subscriber = sample_subscriber();
	static const int64_t stamps[] = {0, 1700000900123, -1};

	for (size_t i = 0; i < 3; i++) {
		Rasad__V1__SubscriberCard *card = read_card(&subscriber, NULL, stamps[i]);
		assert_true(card->valid_until_unix_ms == (stamps[i] ? stamps[i] : 1));
		assert_int_equal(card->flaps_24h, 1);
		rasad__v1__subscriber_card__free_unpacked(card, NULL);
	}
	uint8_t shorter[7] = {1, 2, 3, 4, 5, 6, 7};
	encode_card_stamp(shorter, sizeof(shorter), -1);
	assert_memory_equal(shorter, "\1\2\3\4\5\6\7", 7);
	assert_int_equal(encode_card_good_until(shorter, sizeof(shorter)), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_same_as_protobuf_c),
		cmocka_unit_test(test_fields),
		cmocka_unit_test(test_stamp),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
