/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The TCP meter as a whole: a random connection with loss, reordering and SACK must read the same
 * wherever its sequence numbers lie, and no sequence number a stranger sends may cost more than
 * the limits allow.
 */
#include "engine/packet/tcp.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "tests/engine/packet/talk.h"

static struct talk t;

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

/* --- shifting sequence numbers ------------------------------------------------------------------------- */

enum { MAX_SAMPLES = 4096 };

/* All that was measured, without a sequence number in it. */
struct outcome {
	uint32_t log[2][11];
	uint32_t data_packets[2], n_holes[2], n_chunks[2], outstanding[2];
	uint64_t bytes[2], acked_unseen, holes_refused, segments_refused;
	int64_t lost[6];
	uint32_t n[2], ticks[2][MAX_SAMPLES];
};

/* What went to the line; whether the flow keeps a log must not matter to it. */
struct heard {
	struct line line;
	struct pulse pulse;
	uint64_t acked_unseen, holes_refused, segments_refused, resends_refused;
	uint32_t n;
	struct meter_sample samples[TALK_MAX_HEARD];
};

static struct heard heard(void)
{
	static struct heard h;
	memset(&h, 0, sizeof h);
	h.line = *talk_line(&t);
	h.pulse = *line_pulse(&t.meter.lines, t.flow.line);
	h.acked_unseen = t.meter.acked_unseen;
	h.holes_refused = t.meter.holes_refused;
	h.segments_refused = t.meter.segments_refused;
	h.resends_refused = t.meter.resends_refused;
	h.n = t.n_heard;
	memcpy(h.samples, t.heard, sizeof h.samples);
	return h;
}

static struct outcome outcome(void)
{
	static struct outcome o;
	const struct line *line = talk_line(&t);
	memset(&o, 0, sizeof o);
	for (int dir = 0; dir < 2; dir++) {
		const struct dir_log *log = talk_log(&t, dir);
		const struct dir_extra e = talk_extra(&t, dir);
		const struct flow_dir *d = &t.flow.dir[dir];
		const uint32_t counts[11] = {
			log->retransmit_seen,	log->hole_fill,		  log->reordered,
			log->spurious,		log->suspected_tail_loss, log->keepalive,
			log->zero_window_probe, log->duplicate,		  log->syn_retransmit,
			log->fin_retransmit,	log->tap_missed};
		memcpy(o.log[dir], counts, sizeof counts);
		o.data_packets[dir] = log->data_packets;
		o.bytes[dir] = log->bytes;
		o.n_holes[dir] = e.n_holes;
		o.n_chunks[dir] = e.n_chunks;
		o.outstanding[dir] = d->nxt - d->una;
		o.n[dir] = talk_samples(&t, dir, o.ticks[dir], MAX_SAMPLES);
		o.lost[dir] = line->trouble.lost_before[dir];
		o.lost[2 + dir] = line->trouble.lost_after[dir];
		o.lost[4 + dir] = line->trouble.reordered[dir];
	}
	o.acked_unseen = t.meter.acked_unseen;
	o.holes_refused = t.meter.holes_refused;
	o.segments_refused = t.meter.segments_refused;
	return o;
}

/* Traffic both ways: in order, over gaps, again, acknowledged, with SACK and DSACK. */
static void random_segments(uint32_t rounds, uint32_t nxt[2], uint32_t una[2])
{
	for (uint32_t i = 0; i < rounds; i++) {
		int dir = talk_random() & 1;
		uint32_t len = 2 + talk_random() % 1400, what = talk_random() % 20,
			 span = nxt[dir] - una[dir];
		t.now_ns += 10000 + talk_random() % 8000000;
		if (what < 10) {
			uint32_t gap = what == 0 ? len : 0;
			talk_data(&t, dir, nxt[dir] + gap, len);
			nxt[dir] += gap + len;
		} else if (what < 13 && span > 2) {
			uint32_t at = una[dir] + talk_random() % (span - 1);
			talk_data(&t, dir, at, len < span ? len : span);
			if (at + (len < span ? len : span) > nxt[dir])
				nxt[dir] = at + (len < span ? len : span);
		} else if (what < 18 && span) {
			una[dir] += talk_random() % (span + 1);
			talk_ack(&t, !dir, una[dir]);
		} else if (span > 3000) {
			uint32_t right = una[dir] + 1000 + talk_random() % (span - 1000);
			uint32_t blocks[4] = {right - 500, right, una[dir] + 100, una[dir] + 200};
			uint32_t dsack[2] = {una[dir] - 300, una[dir] - 200};
			if (what == 18 || una[dir] < 300)
				talk_sack(&t, !dir, una[dir], blocks, 2);
			else
				talk_sack(&t, !dir, una[dir], dsack, 1);
		}
	}
}

static void random_talk_with(void (*begin)(struct talk *), uint64_t seed, uint32_t up,
			     uint32_t down)
{
	uint32_t nxt[2] = {0}, una[2] = {0};
	stop(NULL);
	begin(&t);
	talk_seed(seed);
	t.base[TALK_UP] = up;
	t.base[TALK_DOWN] = down;
	talk_handshake(&t, 10, 20);
	random_segments(3000, nxt, una);
}

static void random_talk(uint32_t up, uint32_t down)
{
	random_talk_with(talk_start, 88172645463325252ull, up, down);
}

static void shifting_changes_nothing(void **state)
{
	static const uint32_t shifts[] = {0x7fffffff, 0x80000000, 0xfffff000, 0xffff0000,
					  0xfff00000, 0x7fff0000, 0xdeadbeef};
	static struct outcome want;
	(void)state;
	random_talk(1, 1);
	want = outcome();
	assert_true(want.n[0] > 50 && want.n[1] > 50); /* there is something to compare */
	assert_true(want.log[0][1] > 10 && want.log[1][0] > 10);
	for (size_t i = 0; i < sizeof shifts / sizeof *shifts; i++)
		for (size_t k = 0; k < sizeof shifts / sizeof *shifts; k++) {
			random_talk(shifts[i], shifts[k]);
			struct outcome got = outcome();
			assert_memory_equal(got.log, want.log, sizeof got.log);
			assert_memory_equal(got.lost, want.lost, sizeof got.lost);
			assert_memory_equal(&got, &want, sizeof got);
		}
}

/* A flow without a log takes an extra when it needs one and gives it back: nothing is measured
 * differently for it. */
static void a_log_changes_nothing(void **state)
{
	static struct heard want, got;
	(void)state;
	for (uint64_t seed = 1; seed <= 40; seed++) {
		uint32_t base = (uint32_t)seed * 0x9e3779b1u;
		random_talk_with(talk_start, seed * 7919, base, ~base);
		want = heard();
		random_talk_with(talk_start_without_log, seed * 7919, base, ~base);
		got = heard();
		assert_true(want.n > 20);
		assert_int_equal(got.n, want.n);
		assert_memory_equal(got.samples, want.samples, sizeof got.samples);
		assert_memory_equal(&got, &want, sizeof got);
	}
}

/* Mostly calm, now and then trouble: an extra comes and goes a hundred times. */
static void trouble_comes_and_goes(void)
{
	uint32_t at = 0, made = 0;
	for (uint32_t i = 0; i < 400; i++) {
		uint32_t lost = talk_random() % 4, had = t.flow.extra;
		for (uint32_t k = 0; k < 4; k++) {
			if (k == lost && k == 1)
				continue; /* before the tap */
			talk_data(&t, TALK_DOWN, at + k * 1000, 1000);
			t.now_ns += 100000 + talk_random() % 1000000;
		}
		made += !had && t.flow.extra;
		talk_wait(&t, 20);
		if (lost) { /* by one side or the other */
			talk_ack(&t, TALK_UP, at + lost * 1000);
			talk_ack(&t, TALK_UP, at + lost * 1000);
			talk_wait(&t, 40);
			if (lost < 4)
				talk_data(&t, TALK_DOWN, at + lost * 1000, 1000);
			talk_wait(&t, 20);
		}
		at += 4000;
		talk_ack(&t, TALK_UP, at);
		talk_wait(&t, i % 3 ? 100 : 3000);
		talk_data(&t, TALK_UP, i * 100, 100);
		talk_wait(&t, 10);
		talk_ack(&t, TALK_DOWN, i * 100 + 100);
	}
	assert_true(t.meter.keep_logs || made > 50);
}

static void extras_come_and_go(void **state)
{
	static struct heard want, got;
	(void)state;
	for (uint64_t seed = 1; seed <= 20; seed++) {
		stop(NULL);
		talk_start(&t);
		talk_seed(seed);
		talk_handshake(&t, 10, 20);
		trouble_comes_and_goes();
		want = heard();
		stop(NULL);
		talk_start_without_log(&t);
		talk_seed(seed);
		talk_handshake(&t, 10, 20);
		trouble_comes_and_goes();
		got = heard();
		assert_true(want.line.trouble.lost_before[DOWN] > 50 &&
			    want.line.trouble.lost_after[DOWN] > 50);
		assert_memory_equal(&got, &want, sizeof got);
		talk_wait(&t, 5000); /* no answer to a resend is awaited any more */
		talk_ack(&t, TALK_UP, 400 * 4000);
		talk_ack(&t, TALK_DOWN, 400 * 100);
		assert_int_equal(t.flow.extra, 0);
		assert_int_equal(t.meter.extras.used + t.meter.segs.used + t.meter.holes.used +
					 t.meter.resends.used,
				 0);
	}
}

static void everything_is_given_back(void **state)
{
	(void)state;
	random_talk(0xffff0000, 0x7fff0000);
	assert_true(t.meter.holes.used + t.meter.segs.used > 0);
	talk_retire(&t);
	assert_int_equal(t.meter.holes.used, 0);
	assert_int_equal(t.meter.segs.used, 0);
	assert_int_equal(t.meter.resends.used, 0);
	assert_int_equal(t.meter.extras.used, 0);
	assert_int_equal(t.meter.logs.used, 1); /* it is for the report at the end */
}

/* --- strangers -------------------------------------------------------------------------------------------- */

static void assert_bounded(void)
{
	for (int dir = 0; dir < 2; dir++) {
		assert_true(talk_extra(&t, dir).n_holes <= METER_MAX_HOLES);
		assert_true(talk_extra(&t, dir).n_chunks <= METER_MAX_SEG_CHUNKS);
	}
	assert_true(t.meter.holes.used <= 2 * METER_MAX_HOLES);
	assert_true(t.meter.segs.used <= 2 * METER_MAX_SEG_CHUNKS);
	assert_true(t.meter.resends.used <= 2 * METER_MAX_RESENDS);
}

static void any_sequence_number(void **state)
{
	(void)state;
	for (uint32_t i = 0; i < 100000; i++) {
		struct pkt p = {
			.seq = talk_random() << 12 ^ talk_random(),
			.ack = talk_random() << 12 ^ talk_random(),
			.payload_len = (uint16_t)(talk_random() % 3 ? talk_random() % 1500 : 0),
			.window = (uint16_t)(1 + talk_random() % 1000),
			.flags = talk_random() % 4 ? 0 : PKT_SACK,
			.tsval = talk_random(),
		};
		struct pkt_extra x = {.n_sack = p.flags ? 4 : 0, .mss = (uint16_t)talk_random()};
		p.flags |= talk_random() & 1 ? PKT_TIMESTAMPS : 0;
		p.tcp_flags = talk_random() & 0x3f;
		if (talk_random() % 4) /* mostly near each other, so that lists grow */
			p.seq = 1000000 + p.seq % 3000000, p.ack = 1000000 + p.ack % 3000000;
		for (int k = 0; k < 8; k++)
			x.sack[k] = talk_random() << 12 ^ talk_random();
		t.now_ns += talk_random() % 1000000;
		talk_packet(&t, talk_random() & 1, p, &x);
		if (i % 256 == 0)
			assert_bounded();
	}
	talk_retire(&t);
	assert_int_equal(t.meter.holes.used + t.meter.segs.used + t.meter.resends.used, 0);
}

/* A jump that no window explains is no hole of two gigabytes. */
static void a_jump_is_no_loss(void **state)
{
	(void)state;
	talk_handshake(&t, 10, 20);
	talk_data(&t, TALK_DOWN, 0, 1000);
	talk_data(&t, TALK_DOWN, 0x60000000, 1000);
	assert_int_equal(t.meter.holes.used, 0);
	talk_wait(&t, 20);
	talk_ack(&t, TALK_UP, 0x60000000 + 1000);
	assert_int_equal(talk_line(&t)->trouble.lost_before[DOWN], 0);
	assert_int_equal(talk_log(&t, TALK_DOWN)->tap_missed, 0);
	talk_data(&t, TALK_DOWN, 0x60000000 + 1000, 1000); /* it goes on from there */
	talk_wait(&t, 20);
	talk_ack(&t, TALK_UP, 0x60000000 + 2000);
	uint32_t ticks[16], n = talk_samples(&t, TALK_DOWN, ticks, 16);
	assert_true(n >= 2);
	assert_int_equal(ticks[n - 1], 20000000 / 128);
}

/* --- the same five-tuple again ------------------------------------------------------------------------------ */

static void new_connection(void **state)
{
	struct pkt syn = {.seq = t.base[TALK_UP] - 1, .tcp_flags = TCP_SYN};
	(void)state;
	assert_false(tcp_is_new_connection(&t.flow, TALK_UP, &syn)); /* nothing is known yet */
	talk_handshake(&t, 10, 20);
	assert_false(tcp_is_new_connection(&t.flow, TALK_UP, &syn)); /* the SYN again */
	syn.seq += 100000;
	assert_true(tcp_is_new_connection(&t.flow, TALK_UP, &syn));
	syn.tcp_flags = TCP_ACK;
	assert_false(tcp_is_new_connection(&t.flow, TALK_UP, &syn));
}

static void a_reset_says_nothing(void **state)
{
	(void)state;
	talk_handshake(&t, 10, 20);
	struct outcome before = outcome();
	struct pkt rst = {.seq = 0x77777777,
			  .ack = 0x12345678,
			  .tcp_flags = TCP_RST | TCP_ACK,
			  .payload_len = 100};
	for (int dir = 0; dir < 2; dir++)
		talk_packet(&t, dir, rst, NULL);
	struct outcome after = outcome();
	assert_memory_equal(after.n, before.n, sizeof after.n);
	assert_memory_equal(after.outstanding, before.outstanding, sizeof after.outstanding);
	assert_int_equal(t.meter.holes.used, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(shifting_changes_nothing, start, stop),
		cmocka_unit_test_setup_teardown(a_log_changes_nothing, start, stop),
		cmocka_unit_test_setup_teardown(extras_come_and_go, start, stop),
		cmocka_unit_test_setup_teardown(everything_is_given_back, start, stop),
		cmocka_unit_test_setup_teardown(any_sequence_number, start, stop),
		cmocka_unit_test_setup_teardown(a_jump_is_no_loss, start, stop),
		cmocka_unit_test_setup_teardown(new_connection, start, stop),
		cmocka_unit_test_setup_teardown(a_reset_says_nothing, start, stop),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
