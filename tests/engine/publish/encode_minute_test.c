/* SPDX-License-Identifier: BSD-3-Clause */
/* The encoder by hand against protobuf-c, byte for byte, on records of any shape. */
#include "engine/publish/encode_minute.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "engine/analysis/report.h"
#include "engine/publish/codec.h"
#include "engine/publish/keyspace.h"
#include "engine/publish/minutes.h"
#include "proto/bounded.h"
#include "proto/rasad/v1/metrics.pb-c.h"
#include "tests/engine/publish/random_record.h"
#include "tests/engine/publish/sample.h"

static struct report_minute random_minute(const char *name)
{
	return (struct report_minute){
		.start_unix_ns = (int64_t)random_count(),
		.duration_ms = (uint32_t)random_count(),
		.line = name,
		.packets_down = random_count(),
		.packets_up = random_count(),
		.bytes_down = random_count(),
		.bytes_up = random_count(),
		.rtt = random_rtt(),
		.loss = random_loss_sides(),
		.reordered_down = random_count(),
		.reordered_up = random_count(),
		.spurious_down = random_count(),
		.spurious_up = random_count(),
		.suspected_tail_loss_down = random_count(),
		.suspected_tail_loss_up = random_count(),
	};
}

/* The encoder says the tag and the length first: an element of the batch. */
static void assert_same(struct codec *codec, const struct report_minute *minute)
{
	struct codec_bytes packed;
	size_t length = strlen(minute->line), max = encode_minute_max(length);
	uint8_t *bytes = malloc(max); /* exactly: a sanitizer sees one byte too many */

	uint8_t *end = encode_minute(minute, keyspace_hash(minute->line, length), bytes);
	assert_true(end <= bytes + max);
	struct report report = {.kind = REPORT_MINUTE, .minute = minute};
	assert_int_equal(codec_pack(codec, &report, &packed), 0);
	size_t n = (size_t)(end - bytes);
	assert_in_range(n - packed.length, 2, 4);
	assert_int_equal(bytes[0], 1 << 3 | 2);
	assert_memory_equal(end - packed.length, packed.data, packed.length);
	free(bytes);
}

static void test_same_as_protobuf_c(void **state)
{
	(void)state;
	struct codec *codec = codec_new();
	char name[700];

	for (int i = 0; i < 20000; i++) {
		random_name(name, sizeof(name));
		struct report_minute minute = random_minute(name);
		assert_same(codec, &minute);
	}
	struct report_minute sample = sample_minute(), nothing = {.line = ""};
	assert_same(codec, &sample);
	assert_same(codec, &nothing);
	codec_free(codec);
}

/* The largest record that there is keeps its promise. */
static void test_bound(void **state)
{
	(void)state;
	struct codec *codec = codec_new();
	char name[300];
	struct report_minute minute;

	memset(name, 0xff, sizeof(name));
	name[299] = 0;
	memset(&minute, 0xff, sizeof(minute)); /* counts of ten bytes, numbers that are none */
	minute.line = name;
	assert_same(codec, &minute);
	codec_free(codec);
}

/* --- batches --- */

static void test_batch_is_read_back(void **state)
{
	(void)state;
	static struct minute_batch minutes;
	char name[24];

	for (int i = 0; i < MINUTES_BATCH; i++) {
		struct report_minute minute = sample_minute();
		snprintf(name, sizeof(name), "line %d", i);
		minute.line = name;
		assert_false(minute_batch_is_due(&minutes, &minute));
		assert_int_equal(minute_batch_add(&minutes, &minute), 0);
	}
	struct report_minute next = sample_minute();
	assert_true(minute_batch_is_due(&minutes, &next));
	struct item *item = minute_batch_close(&minutes);
	assert_int_equal(item->records, MINUTES_BATCH);
	Rasad__V1__MinuteBatch *batch = (Rasad__V1__MinuteBatch *)bounded_unpack(
		&rasad__v1__minute_batch__descriptor, item->payload, item->n_payload);
	assert_non_null(batch);
	assert_int_equal(batch->n_minutes, MINUTES_BATCH);
	assert_string_equal(batch->minutes[63]->line, "line 63");
	char sub_id[KEYSPACE_SUB_ID_SIZE];
	keyspace_sub_id("line 63", sub_id);
	assert_string_equal(batch->minutes[63]->sub_id, sub_id);
	protobuf_c_message_free_unpacked(&batch->base, NULL);
	free(item);
	assert_null(minute_batch_close(&minutes));
}

static struct item *close_one(struct minute_batch *minutes, int64_t start_ms, const char *line)
{
	struct report_minute minute = sample_minute();

	minute.start_unix_ns = start_ms * 1000000;
	minute.line = line;
	assert_int_equal(minute_batch_add(minutes, &minute), 0);
	return minute_batch_close(minutes);
}

static void assert_batch(struct item *item, uint64_t ms, uint64_t seq, const char *k_begin)
{
	assert_int_equal(item->id.ms, ms);
	assert_int_equal(item->id.seq, seq);
	assert_memory_equal(item->name, k_begin, strlen(k_begin));
	free(item);
}

/* Ids rise even when time does not; k says which batch, and by what is in it. */
static void test_ids(void **state)
{
	(void)state;
	static struct minute_batch minutes;

	assert_batch(close_one(&minutes, 60000, "a"), 120000, 0, "60000:0:");
	assert_batch(close_one(&minutes, 60000, "b"), 120000, 1, "60000:1:");
	assert_batch(close_one(&minutes, 120000, "a"), 180000, 0, "120000:0:");
	assert_batch(close_one(&minutes, 0, "late"), 180000, 1, "0:1:");
	minutes = (struct minute_batch){0};
	assert_batch(close_one(&minutes, -60000, "at the beginning of time"), 0, 1, "-60000:1:");
	minutes = (struct minute_batch){0};
	struct item *a = close_one(&minutes, 60000, "a");
	minutes = (struct minute_batch){0};
	struct item *b = close_one(&minutes, 60000, "b");
	assert_string_not_equal(a->name, b->name);
	free(a);
	free(b);
}

/* Names of any length: a batch that is full before its time, a record that fits nowhere. */
static void test_long_names(void **state)
{
	(void)state;
	static struct minute_batch minutes;
	static char name[MINUTES_BYTES];
	struct report_minute minute = sample_minute();
	int n = 0;

	memset(name, 'x', 5000);
	minute.line = name;
	for (; !minute_batch_is_due(&minutes, &minute); n++)
		assert_int_equal(minute_batch_add(&minutes, &minute), 0);
	assert_in_range(n, 5, MINUTES_BATCH - 1);
	assert_true(minutes.size <= MINUTES_BYTES);
	free(minute_batch_close(&minutes));
	memset(name, 'x', MINUTES_BYTES - 1);
	assert_int_equal(minute_batch_add(&minutes, &minute), -EMSGSIZE);
	assert_int_equal(minutes.n, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_same_as_protobuf_c), cmocka_unit_test(test_bound),
		cmocka_unit_test(test_batch_is_read_back), cmocka_unit_test(test_ids),
		cmocka_unit_test(test_long_names),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
