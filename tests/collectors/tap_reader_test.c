/* SPDX-License-Identifier: BSD-3-Clause */
/* The reader of the kernel tap's rings over memory that this test writes as the kernel would. */
#include "collectors/tap_reader.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { CPUS = 2, RECORDS = 8, FRAMES = 4, ETH1 = 7, ETH2 = 9, PADO = 0x07 };

static struct tap_ring rings[CPUS];
static struct tap_record records[CPUS * RECORDS];
static struct tap_frame frames[CPUS * FRAMES];
static const struct tap_memory memory = {rings, records, frames, CPUS, RECORDS, FRAMES};
static const struct tap_port ports[] = {{ETH1, DIR_UP, DIR_DOWN}, {ETH2, DIR_UNKNOWN, DIR_UNKNOWN}};
static struct tap_place places[CPUS];
static struct tap_reader reader;
static struct burst burst;

static int begin(void **state)
{
	(void)state;
	memset(rings, 0, sizeof rings);
	memset(records, 0, sizeof records);
	memset(places, 0, sizeof places);
	places[1].cpu = 1;
	reader = (struct tap_reader){.memory = &memory,
				     .ports = ports,
				     .n_ports = 2,
				     .places = places,
				     .n_places = CPUS,
				     .offset_ns = 1000};
	return 0;
}

static struct tap_record *write_record(uint32_t cpu, uint64_t ts_ns, uint32_t port)
{
	struct tap_ring *ring = &rings[cpu];
	struct tap_record *record = &records[cpu * RECORDS + ring->head % RECORDS];

	*record = (struct tap_record){.pkt = {.ts_ns = ts_ns, .kind = KIND_TCP}};
	record->extra.port = port;
	ring->head++;
	return record;
}

static void write_pado(uint32_t cpu, uint64_t ts_ns, uint8_t mark)
{
	struct tap_record *record = write_record(cpu, ts_ns, ETH2 << 1);

	record->pkt.kind = KIND_PPPOE;
	record->pkt.seq = PADO;
	memset(record->extra.smac, mark, 6);
	record->frame = rings[cpu].frame_head++;
	frames[cpu * FRAMES + record->frame % FRAMES].bytes[0] = mark;
}

static void rings_are_merged_by_time(void **state)
{
	(void)state;
	write_record(0, 10, ETH1 << 1);
	write_record(0, 40, ETH1 << 1);
	write_record(1, 20, ETH1 << 1 | 1);
	write_record(1, 30, ETH2 << 1);
	tap_read(&reader, &burst);
	assert_int_equal(burst.n, 4);
	for (uint32_t i = 0; i < 4; i++)
		assert_int_equal(burst.pkt[i].ts_ns, 1010 + 10 * i);
	assert_int_equal(burst.pkt[0].dir, DIR_UP);
	assert_int_equal(burst.pkt[1].dir, DIR_DOWN);
	assert_int_equal(burst.pkt[2].dir, DIR_UNKNOWN);
	assert_int_equal(burst.extra[0].port, 0);
	assert_int_equal(rings[0].tail, 2);
}

static void a_ring_goes_round(void **state)
{
	(void)state;
	for (uint64_t i = 0; i < 5 * RECORDS; i++) {
		write_record(1, i, ETH1 << 1);
		if (i % 3)
			continue;
		tap_read(&reader, &burst);
		assert_int_equal(burst.pkt[burst.n - 1].ts_ns, i + 1000);
	}
	assert_int_equal(reader.decoder.stats.packets, 5 * RECORDS);
}

/* The bytes of a message stay until the burst is done with, and teach who the concentrator is. */
static void control_messages_are_lent(void **state)
{
	(void)state;
	write_pado(0, 1, 0x42);
	write_pado(0, 2, 0x44);
	tap_read(&reader, &burst);
	assert_int_equal(burst.n, 2);
	assert_int_equal(burst.frame[0][0], 0x42);
	assert_int_equal(burst.frame[1][0], 0x44);
	assert_int_equal(burst.pkt[0].dir, DIR_DOWN);
	assert_int_equal(reader.decoder.n_ac, 2);
	assert_int_equal(rings[0].tail, 2);
	assert_int_equal(rings[0].frame_tail, 0);
	tap_read(&reader, &burst);
	assert_int_equal(burst.n, 0);
	assert_int_equal(rings[0].frame_tail, 2);
}

static void every_loss_is_counted(void **state)
{
	const struct source_stats *stats;

	(void)state;
	rings[0].full = 3;
	rings[1].frames_full = 4;
	rings[1].unreadable = 5;
	rings[0].bytes = 100;
	stats = tap_stats(&reader);
	assert_int_equal(stats->dropped, 12);
	assert_int_equal(stats->bytes, 100);
	assert_string_equal(stats->counters[0].name, "cpu0_ring_full");
	assert_int_equal(stats->counters[0].value, 3);
	tap_stats(&reader);
	assert_int_equal(stats->dropped, 12);
}

static void who_sleeps_says_so(void **state)
{
	(void)state;
	assert_false(tap_sleep(&reader, true));
	assert_true(rings[0].bell == RECORDS / 4 && rings[1].bell == RECORDS / 4);
	assert_false(tap_sleep(&reader, false));
	assert_false(rings[0].bell || rings[1].bell);
	for (uint32_t i = 0; i < RECORDS / 4; i++)
		write_record(1, 10, ETH1 << 1);
	assert_true(tap_sleep(&reader, true));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(rings_are_merged_by_time, begin),
		cmocka_unit_test_setup(a_ring_goes_round, begin),
		cmocka_unit_test_setup(control_messages_are_lent, begin),
		cmocka_unit_test_setup(every_loss_is_counted, begin),
		cmocka_unit_test_setup(who_sleeps_says_so, begin),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
