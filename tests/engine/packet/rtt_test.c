/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Round trips from sequence numbers (measurement.md, definitions 1 to 3): which ACK gives a sample,
 * of which segment, and which must not give one.
 */
#include "engine/packet/rtt.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "tests/engine/packet/talk.h"

enum { ROOM = 4096 };

static struct talk t;
static uint32_t ticks[ROOM];

static int start(void **state)
{
	(void)state;
	talk_start(&t);
	return 0;
}

static int stop(void **state)
{
	(void)state;
	talk_stop(&t);
	return 0;
}

static uint32_t samples(int dir)
{
	return talk_samples(&t, dir, ticks, ROOM);
}

static void assert_ms(uint32_t i, double ms)
{
	double got = ticks[i] * 0.000128;
	if (got < ms - 0.001 || got > ms + 0.001)
		fail_msg("sample %u is %.4f ms, expected %.4f", i, got, ms);
}

/* After the handshake: one sample each way. Forget those. */
static void connected(void)
{
	talk_handshake(&t, 10, 20);
	talk_log(&t, 0)->samples = talk_log(&t, 1)->samples = 0;
}

static void handshake(void **state)
{
	(void)state;
	talk_handshake(&t, 10, 20);
	assert_int_equal(samples(TALK_UP), 1); /* SYN -> SYN-ACK: the internet half */
	assert_ms(0, 10);
	assert_int_equal(samples(TALK_DOWN), 1); /* SYN-ACK -> ACK: the access half */
	assert_ms(0, 20);
}

static void the_last_segment_below_the_ack(void **state)
{
	(void)state;
	connected();
	talk_data(&t, TALK_DOWN, 0, 1000);
	talk_wait(&t, 3);
	talk_data(&t, TALK_DOWN, 1000, 1000);
	talk_wait(&t, 3);
	talk_data(&t, TALK_DOWN, 2000, 1000);
	talk_wait(&t, 17);
	talk_ack(&t, TALK_UP, 2500); /* a boundary need not match */
	assert_int_equal(samples(TALK_DOWN), 1);
	assert_ms(0, 20);
	talk_wait(&t, 5);
	talk_ack(&t, TALK_UP, 3000);
	assert_int_equal(samples(TALK_DOWN), 2);
	assert_ms(1, 22);
}

static void both_halves(void **state)
{
	(void)state;
	connected();
	talk_data(&t, TALK_UP, 0, 500);
	talk_wait(&t, 30);
	talk_ack(&t, TALK_DOWN, 500);
	assert_int_equal(samples(TALK_UP), 1);
	assert_ms(0, 30);
	assert_int_equal(samples(TALK_DOWN), 0);
}

static void an_ack_that_does_not_advance(void **state)
{
	(void)state;
	connected();
	talk_data(&t, TALK_DOWN, 0, 1000);
	talk_wait(&t, 10);
	talk_ack(&t, TALK_UP, 0);
	assert_int_equal(samples(TALK_DOWN), 0);
	talk_wait(&t, 10);
	talk_ack(&t, TALK_UP, 1000);
	talk_wait(&t, 10);
	talk_ack(&t, TALK_UP, 1000);
	assert_int_equal(samples(TALK_DOWN), 1);
	assert_ms(0, 20);
}

/* Karn: which of the two was acknowledged? */
static void a_resend_is_ambiguous(void **state)
{
	(void)state;
	connected();
	talk_data(&t, TALK_DOWN, 0, 1000);
	talk_wait(&t, 300);
	talk_data(&t, TALK_DOWN, 0, 1000);
	talk_wait(&t, 20);
	talk_ack(&t, TALK_UP, 1000);
	assert_int_equal(samples(TALK_DOWN), 0);
	talk_data(&t, TALK_DOWN, 1000, 1000); /* it works again afterwards */
	talk_wait(&t, 20);
	talk_ack(&t, TALK_UP, 2000);
	assert_int_equal(samples(TALK_DOWN), 1);
	assert_ms(0, 20);
}

/* Head of line: the ACK for all of it waited for the resend, not for the network. */
static void nothing_over_a_resend(void **state)
{
	(void)state;
	connected();
	for (uint32_t i = 0; i < 5; i++)
		talk_data(&t, TALK_DOWN, i * 1000, 1000);
	talk_wait(&t, 200);
	talk_data(&t, TALK_DOWN, 1000, 1000);
	talk_wait(&t, 20);
	talk_ack(&t, TALK_UP, 5000);
	assert_int_equal(samples(TALK_DOWN), 0);
}

static void nothing_over_a_hole(void **state)
{
	(void)state;
	connected();
	talk_data(&t, TALK_DOWN, 0, 1000);
	talk_data(&t, TALK_DOWN, 2000, 1000); /* the tap missed 1000..2000 */
	talk_wait(&t, 200);
	talk_ack(&t, TALK_UP, 3000);
	assert_int_equal(samples(TALK_DOWN), 0);
}

/* During loss each new right edge of SACK times the segment that it names. */
static void sack_edges(void **state)
{
	(void)state;
	connected();
	for (uint32_t i = 0; i < 4; i++) {
		talk_data(&t, TALK_DOWN, i * 1000, 1000);
		talk_wait(&t, 2);
	}
	talk_wait(&t, 14); /* the first is lost behind the tap; now the ACK for the second */
	talk_sack(&t, TALK_UP, 0, (uint32_t[]){1000, 2000}, 1);
	assert_int_equal(samples(TALK_DOWN), 1);
	assert_ms(0, 20);
	talk_wait(&t, 2);
	talk_sack(&t, TALK_UP, 0, (uint32_t[]){1000, 3000}, 1);
	assert_int_equal(samples(TALK_DOWN), 2);
	assert_ms(1, 20);
	talk_wait(&t, 5);
	talk_sack(&t, TALK_UP, 0, (uint32_t[]){1000, 3000}, 1); /* the same edge again */
	assert_int_equal(samples(TALK_DOWN), 2);
}

/* A capture behind offload: 15 segments in one. The first partial ACK answers the first. */
static void super_segments(void **state)
{
	(void)state;
	connected();
	talk_data(&t, TALK_DOWN, 0, 14600);
	talk_wait(&t, 20);
	talk_ack(&t, TALK_UP, 2920);
	assert_int_equal(samples(TALK_DOWN), 1);
	assert_ms(0, 20);
	talk_wait(&t, 10);
	talk_ack(&t, TALK_UP, 8760);
	talk_wait(&t, 10);
	talk_ack(&t, TALK_UP, 14600); /* waited in line: no sample of the network */
	assert_int_equal(samples(TALK_DOWN), 1);
	assert_int_equal(talk_log(&t, TALK_DOWN)->data_packets, 10); /* as on the wire */
}

/* Silent for longer than the tick's memory: what was open is forgotten. */
static void after_a_long_silence(void **state)
{
	(void)state;
	connected();
	talk_data(&t, TALK_DOWN, 0, 1000);
	talk_wait(&t, 600000); /* the tick has wrapped since */
	talk_ack(&t, TALK_UP, 1000);
	assert_int_equal(samples(TALK_DOWN), 0);
	assert_int_equal(t.meter.segs.used, 0);
}

static void joined_mid_stream(void **state)
{
	(void)state;
	talk_ack(&t, TALK_UP, 0);
	talk_data(&t, TALK_DOWN, 0, 1000);
	talk_wait(&t, 20);
	talk_ack(&t, TALK_UP, 1000);
	assert_int_equal(samples(TALK_DOWN), 1);
	assert_ms(0, 20);
}

/* One direction only: nothing to time, and nothing that grows. */
static void one_direction_only(void **state)
{
	(void)state;
	for (uint32_t i = 0; i < 5000; i++)
		talk_data(&t, TALK_DOWN, i * 100, 100);
	assert_int_equal(samples(TALK_DOWN), 0);
	assert_true(t.meter.segs.used <= 8);
	assert_int_equal(t.meter.segments_refused, 0);
}

/* More outstanding than a direction may hold: counted, and no older segment stands in. */
static void too_much_outstanding(void **state)
{
	enum { KEPT = METER_MAX_SEG_CHUNKS * SEGS_PER_CHUNK };
	(void)state;
	connected();
	for (uint32_t i = 0; i < KEPT + 100; i++)
		talk_data(&t, TALK_DOWN, i * 100, 100);
	assert_true(t.meter.segments_refused >= 100);
	assert_true(t.meter.segs.used <= METER_MAX_SEG_CHUNKS);
	talk_wait(&t, 20);
	talk_ack(&t, TALK_UP, (KEPT + 100) * 100);
	assert_int_equal(samples(TALK_DOWN), 0);
	assert_int_equal(t.meter.segs.used, 0);
}

/* Random loss-free traffic: every sample is the truth, whether the segments lie in the record of
 * the flow (the older of two to 0.05 %) or in chunks. */
static uint32_t loss_free_round(uint32_t in_a_row)
{
	static uint64_t sent_ns[ROOM], end_of[ROOM];
	uint32_t at = 0, n = 0, head = 0, tail = 0;
	while (head < 1000) {
		uint32_t len = 100 + talk_random() % 1300;
		talk_data(&t, TALK_DOWN, at, len);
		at += len;
		sent_ns[head] = t.now_ns;
		end_of[head++] = at;
		t.now_ns += talk_random() % 3000000;
		if (talk_random() % in_a_row)
			continue;
		uint32_t to = tail + 1 + talk_random() % (head - tail);
		talk_ack(&t, TALK_UP, (uint32_t)end_of[to - 1]);
		tail = to;
		assert_int_equal(samples(TALK_DOWN), ++n);
		double truth = (double)(t.now_ns - sent_ns[to - 1]) / 128;
		assert_true(fabs(ticks[n - 1] - truth) <= 1.5 + truth * 0.0005);
	}
	return n;
}

static void loss_free(void **state)
{
	(void)state;
	for (uint32_t in_a_row = 1; in_a_row <= 40; in_a_row += in_a_row < 4 ? 1 : 9) {
		stop(NULL);
		start(NULL);
		connected();
		assert_true(loss_free_round(in_a_row) > 900 / in_a_row / 2);
		assert_int_equal(t.meter.segments_refused, 0);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(handshake, start, stop),
		cmocka_unit_test_setup_teardown(the_last_segment_below_the_ack, start, stop),
		cmocka_unit_test_setup_teardown(both_halves, start, stop),
		cmocka_unit_test_setup_teardown(an_ack_that_does_not_advance, start, stop),
		cmocka_unit_test_setup_teardown(a_resend_is_ambiguous, start, stop),
		cmocka_unit_test_setup_teardown(nothing_over_a_resend, start, stop),
		cmocka_unit_test_setup_teardown(nothing_over_a_hole, start, stop),
		cmocka_unit_test_setup_teardown(sack_edges, start, stop),
		cmocka_unit_test_setup_teardown(super_segments, start, stop),
		cmocka_unit_test_setup_teardown(after_a_long_silence, start, stop),
		cmocka_unit_test_setup_teardown(joined_mid_stream, start, stop),
		cmocka_unit_test_setup_teardown(one_direction_only, start, stop),
		cmocka_unit_test_setup_teardown(too_much_outstanding, start, stop),
		cmocka_unit_test_setup_teardown(loss_free, start, stop),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
