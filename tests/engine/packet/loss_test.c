/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Loss by side against a map of bytes (measurement.md, definitions 5 to 11): random segments, one
 * flag for each byte that passed. Then the classes that bytes alone do not tell.
 */
#include "engine/packet/loss.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "tests/engine/packet/talk.h"

enum { WINDOW = 60000 };

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

/* --- the map of bytes ----------------------------------------------------------------------------- */

struct model {
	uint8_t seen[WINDOW + 1500];
	uint32_t nxt, una, fills, resends, spurious;
};

/* What the packet is, and what is known afterwards. Every packet is one segment. */
static void model_data(struct model *m, uint32_t at, uint32_t len)
{
	uint32_t old = at + len < m->nxt ? at + len : m->nxt, missing = 0;
	for (uint32_t i = at; i < old; i++)
		missing += !m->seen[i];
	if (at < m->nxt) {
		m->fills += missing > 0;
		m->resends += missing == 0;
		m->spurious += missing == 0 && old <= m->una;
	}
	memset(m->seen + at, 1, len);
	if (at + len > m->nxt)
		m->nxt = at + len;
}

static void model_ack(struct model *m, uint32_t to)
{
	memset(m->seen, 1, to); /* the tap missed what was not seen */
	if (to > m->una)
		m->una = to;
}

/* The list of holes is exactly the bytes below nxt that were not seen. */
static void assert_holes(const struct model *m)
{
	static uint8_t open[WINDOW + 1500];
	const struct dir_extra e = talk_extra(&t, TALK_DOWN);
	uint32_t n = 0, end = 0;
	memset(open, 0, sizeof open);
	for (uint32_t i = e.holes; i;) {
		const struct hole *h = pool_at(&t.meter.holes, i);
		uint32_t from = h->start - t.base[TALK_DOWN], to = h->end - t.base[TALK_DOWN];
		assert_true(from < to && to <= m->nxt && from >= end); /* in order, disjoint */
		memset(open + from, 1, to - from);
		end = to;
		n++;
		i = h->next;
	}
	assert_int_equal(n, e.n_holes);
	assert_int_equal(n, t.meter.holes.used);
	for (uint32_t i = 0; i < m->nxt; i++)
		if (open[i] == m->seen[i])
			fail_msg("byte %u: %s, but the list of holes says otherwise", i,
				 m->seen[i] ? "seen" : "not seen");
}

static void assert_model(const struct model *m, uint32_t round)
{
	struct dir_log log = *talk_log(&t, TALK_DOWN);
	if (log.hole_fill != m->fills || log.retransmit_seen != m->resends)
		fail_msg("round %u: %u fills and %u resends, expected %u and %u", round,
			 log.hole_fill, log.retransmit_seen, m->fills, m->resends);
	assert_int_equal(t.flow.dir[TALK_DOWN].nxt, t.base[TALK_DOWN] + m->nxt);
	assert_int_equal(log.keepalive + log.zero_window_probe + log.duplicate, 0);
}

/* Mostly forward, sometimes over a gap, sometimes back; any length that one packet has. */
static void random_segments(struct model *m, bool acks)
{
	talk_data(&t, TALK_DOWN, 0, 2); /* the connection is joined at offset 0 */
	model_data(m, 0, 2);
	for (uint32_t round = 0; m->nxt < WINDOW && round < 3000; round++) {
		uint32_t len = 2 + talk_random() % 700, at = m->nxt;
		if (talk_random() % 3 == 0)
			at += talk_random() % 300;
		else if (talk_random() % 2)
			at -= talk_random() % (m->nxt < 3000 ? m->nxt : 3000);
		if (at + len > WINDOW)
			break;
		t.now_ns += 100000 + talk_random() % 5000000;
		if (acks && talk_random() % 5 == 0) {
			uint32_t to = m->una + talk_random() % (m->nxt - m->una + 1);
			talk_ack(&t, TALK_UP, to);
			model_ack(m, to);
		}
		talk_data(&t, TALK_DOWN, at, len);
		model_data(m, at, len);
		assert_model(m, round);
		if (round % 16 == 0)
			assert_holes(m);
	}
	assert_holes(m);
	assert_int_equal(t.meter.holes_refused, 0);
}

static void against_a_map_of_bytes(bool acks)
{
	static const uint32_t bases[] = {1, 0x7fffff00, 0xffffff00, 0xffff0000, 0x12345678};
	uint32_t fills = 0, resends = 0;
	for (uint32_t seed = 0; seed < 60; seed++) {
		static struct model m;
		memset(&m, 0, sizeof m);
		stop(NULL);
		start(NULL);
		talk_seed(88172645463325252ull + seed * 7919);
		t.base[TALK_DOWN] = bases[seed % 5];
		random_segments(&m, acks);
		if (acks)
			assert_true(talk_log(&t, TALK_DOWN)->spurious >= m.spurious);
		else
			assert_int_equal(talk_log(&t, TALK_DOWN)->spurious, 0);
		talk_retire(&t);
		assert_int_equal(t.meter.holes.used + t.meter.segs.used + t.meter.resends.used, 0);
		fills += m.fills;
		resends += m.resends;
	}
	assert_true(fills > 1000 && resends > 1000); /* there was something to tell apart */
}

static void random_data(void **state)
{
	(void)state;
	against_a_map_of_bytes(false);
}

static void random_data_and_acks(void **state)
{
	(void)state;
	against_a_map_of_bytes(true);
}

/* --- one by one -------------------------------------------------------------------------------------- */

static void joined(void)
{
	talk_handshake(&t, 10, 20);
	for (uint32_t i = 0; i < 5; i++)
		talk_data(&t, TALK_DOWN, i * 1000, 1000);
	talk_wait(&t, 20);
}

static void lost_behind_the_tap(void **state)
{
	(void)state;
	joined();
	talk_ack(&t, TALK_UP, 2000);
	talk_wait(&t, 30);
	talk_data(&t, TALK_DOWN, 2000, 1000);
	struct dir_log log = *talk_log(&t, TALK_DOWN);
	assert_int_equal(log.retransmit_seen, 1);
	assert_int_equal(log.hole_fill + log.spurious, 0);
	assert_int_equal(talk_line(&t)->trouble.lost_after[DOWN], 1);
	assert_int_equal(talk_line(&t)->trouble.lost_before[DOWN], 0);
}

static void lost_before_the_tap(void **state)
{
	(void)state;
	joined();
	talk_data(&t, TALK_DOWN, 6000, 1000); /* 5000..6000 is missing */
	talk_wait(&t, 40);
	talk_data(&t, TALK_DOWN, 5000, 1000);
	struct dir_log log = *talk_log(&t, TALK_DOWN);
	assert_int_equal(log.hole_fill, 1);
	assert_int_equal(log.retransmit_seen + log.reordered, 0);
	assert_int_equal(talk_line(&t)->trouble.lost_before[DOWN], 1);
}

/* Filled sooner than a resend can be: under 0.9 round trips (30 ms). */
static void reordered_before_the_tap(void **state)
{
	(void)state;
	joined();
	talk_data(&t, TALK_DOWN, 6000, 1000);
	t.ip_id[TALK_DOWN] -= 2; /* it was sent before the one that overtook it */
	t.now_ns += TALK_MS / 2;
	talk_data(&t, TALK_DOWN, 5000, 1000);
	struct dir_log log = *talk_log(&t, TALK_DOWN);
	assert_int_equal(log.reordered, 1);
	assert_int_equal(talk_line(&t)->trouble.lost_before[DOWN], 0);
	assert_int_equal(talk_line(&t)->trouble.reordered[DOWN], 1);
}

static void needless_resend(void **state)
{
	(void)state;
	joined();
	talk_ack(&t, TALK_UP, 5000);
	talk_wait(&t, 200);
	talk_data(&t, TALK_DOWN, 4000, 1000); /* acknowledged past the tap already */
	assert_int_equal(talk_log(&t, TALK_DOWN)->spurious, 1);
	assert_int_equal(talk_line(&t)->trouble.lost_after[DOWN], 0);
}

/* RFC 2883: the receiver says that it had it. */
static void taken_back_by_dsack(void **state)
{
	(void)state;
	joined();
	talk_ack(&t, TALK_UP, 2000);
	talk_wait(&t, 300);
	talk_data(&t, TALK_DOWN, 2000, 1000);
	assert_int_equal(talk_line(&t)->trouble.lost_after[DOWN], 1);
	talk_wait(&t, 40);
	talk_sack(&t, TALK_UP, 5000, (uint32_t[]){2000, 3000}, 1);
	assert_int_equal(talk_line(&t)->trouble.lost_after[DOWN], 0);
	assert_int_equal(talk_log(&t, TALK_DOWN)->spurious, 1);
	talk_sack(&t, TALK_UP, 5000, (uint32_t[]){2000, 3000}, 1); /* one duplicate, one resend */
	assert_int_equal(talk_log(&t, TALK_DOWN)->spurious, 1);
	assert_int_equal(talk_line(&t)->trouble.lost_after[DOWN], 0);
}

static void keepalives(void **state)
{
	(void)state;
	joined();
	talk_ack(&t, TALK_UP, 5000);
	for (uint32_t i = 0; i < 4; i++) {
		talk_wait(&t, 10000);
		talk_data(&t, TALK_DOWN, 4999, i & 1); /* with and without a byte */
		talk_wait(&t, 20);
		talk_ack(&t, TALK_UP, 5000);
	}
	struct dir_log log = *talk_log(&t, TALK_DOWN);
	assert_int_equal(log.keepalive, 4);
	assert_int_equal(log.retransmit_seen + log.hole_fill + log.spurious, 0);
}

static void syn_and_fin_again(void **state)
{
	(void)state;
	struct pkt_extra x = {.mss = 1460};
	struct pkt syn = {.seq = t.base[TALK_UP] - 1, .tcp_flags = TCP_SYN};
	talk_packet(&t, TALK_UP, syn, &x);
	talk_wait(&t, 1000);
	talk_packet(&t, TALK_UP, syn, &x);
	talk_wait(&t, 1000);
	talk_handshake(&t, 10, 20); /* a third SYN, and the answer */
	struct pkt fin = {
		.seq = t.base[TALK_UP], .ack = t.base[TALK_DOWN], .tcp_flags = TCP_FIN | TCP_ACK};
	talk_packet(&t, TALK_UP, fin, NULL);
	talk_wait(&t, 500);
	talk_packet(&t, TALK_UP, fin, NULL);
	struct dir_log log = *talk_log(&t, TALK_UP);
	assert_int_equal(log.syn_retransmit, 2);
	assert_int_equal(log.fin_retransmit, 1);
	assert_int_equal(log.retransmit_seen + log.hole_fill, 0);
	assert_int_equal(talk_line(&t)->trouble.lost_after[UP], 0);
}

/* An ACK over an open hole: the tap missed it, nobody lost it. */
static void missed_by_the_tap(void **state)
{
	(void)state;
	joined();
	talk_data(&t, TALK_DOWN, 6000, 1000);
	talk_wait(&t, 20);
	talk_ack(&t, TALK_UP, 7000);
	assert_int_equal(talk_log(&t, TALK_DOWN)->tap_missed, 1);
	assert_int_equal(t.meter.holes.used, 0);
	assert_int_equal(talk_line(&t)->trouble.lost_before[DOWN], 0);
}

/* --- limits ---------------------------------------------------------------------------------------------- */

static void too_many_holes(void **state)
{
	(void)state;
	talk_data(&t, TALK_DOWN, 0, 10);
	for (uint32_t i = 1; i <= METER_MAX_HOLES + 100; i++)
		talk_data(&t, TALK_DOWN, i * 20, 10);
	assert_int_equal(talk_extra(&t, TALK_DOWN).n_holes, METER_MAX_HOLES);
	assert_int_equal(t.meter.holes_refused, 100);
	for (uint32_t i = 0; i < METER_MAX_HOLES; i++) { /* 10..20 and so on: filled in order */
		talk_wait(&t, 1);
		talk_data(&t, TALK_DOWN, i * 20 + 10, 10);
	}
	assert_int_equal(talk_log(&t, TALK_DOWN)->hole_fill, METER_MAX_HOLES);
	assert_int_equal(t.meter.holes.used, 0);
}

/* A hole cut in two needs a place of its own: it is refused and counted when there is none. */
static void no_room_to_split(void **state)
{
	(void)state;
	talk_data(&t, TALK_DOWN, 0, 10);
	for (uint32_t i = 1; i <= METER_MAX_HOLES; i++)
		talk_data(&t, TALK_DOWN, i * 40, 10);
	assert_int_equal(t.meter.holes_refused, 0);
	talk_wait(&t, 50);
	talk_data(&t, TALK_DOWN, 20, 10); /* in the middle of 10..40 */
	assert_int_equal(t.meter.holes_refused, 1);
	assert_int_equal(talk_extra(&t, TALK_DOWN).n_holes, METER_MAX_HOLES);
	assert_int_equal(talk_log(&t, TALK_DOWN)->hole_fill, 1);
}

static void too_many_resends(void **state)
{
	(void)state;
	for (uint32_t i = 0; i < METER_MAX_RESENDS + 50; i++)
		talk_data(&t, TALK_DOWN, i * 10, 10);
	for (uint32_t i = 0; i < METER_MAX_RESENDS + 50; i++) {
		t.now_ns += 100000;
		talk_data(&t, TALK_DOWN, i * 10, 10);
	}
	assert_int_equal(talk_log(&t, TALK_DOWN)->retransmit_seen, METER_MAX_RESENDS + 50);
	assert_int_equal(t.meter.resends_refused, 50);
	assert_int_equal(t.meter.resends.used, METER_MAX_RESENDS);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(random_data, start, stop),
		cmocka_unit_test_setup_teardown(random_data_and_acks, start, stop),
		cmocka_unit_test_setup_teardown(lost_behind_the_tap, start, stop),
		cmocka_unit_test_setup_teardown(lost_before_the_tap, start, stop),
		cmocka_unit_test_setup_teardown(reordered_before_the_tap, start, stop),
		cmocka_unit_test_setup_teardown(needless_resend, start, stop),
		cmocka_unit_test_setup_teardown(taken_back_by_dsack, start, stop),
		cmocka_unit_test_setup_teardown(keepalives, start, stop),
		cmocka_unit_test_setup_teardown(syn_and_fin_again, start, stop),
		cmocka_unit_test_setup_teardown(missed_by_the_tap, start, stop),
		cmocka_unit_test_setup_teardown(too_many_holes, start, stop),
		cmocka_unit_test_setup_teardown(no_room_to_split, start, stop),
		cmocka_unit_test_setup_teardown(too_many_resends, start, stop),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
