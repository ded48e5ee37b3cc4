/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * When a tap is blind: only one that was lively, of many lines, all at once, for long enough; of
 * several taps each by itself; the same however the stream is cut into bursts.
 */
#include "engine/tap.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "engine/base/clock.h"
#include "engine/stamp.h"

#define START 1700000000000000000ull
#define S     1000000000ull
#define MS    1000000ull

enum { LINES = 24, MAX_NEWS = 16 };

static struct stamp stamp;
static struct burst burst;
static struct source source;
static struct tap_news news[MAX_NEWS];
static uint64_t told_ns[MAX_NEWS]; /* the clock of the packet that it came before */
static uint32_t n_news, cut;

static int begin(void **state)
{
	(void)state;
	stamp = (struct stamp){.taps.source = &source};
	source = (struct source){0};
	burst.n = n_news = 0;
	cut = BURST_MAX;
	return 0;
}

static void hand_over(void)
{
	stamp_burst(&stamp, &burst);
	for (uint32_t i = 0; i < burst.n_news; i++) {
		assert_true(n_news < MAX_NEWS);
		told_ns[n_news] = burst_clock_ns(&burst, burst.news[i].at);
		news[n_news++] = burst.news[i];
	}
	burst.n = 0;
}

static void packet(uint64_t ts_ns, uint32_t line, enum pkt_dir dir, uint8_t tap)
{
	struct pkt *p = &burst.pkt[burst.n];
	*p = (struct pkt){.ts_ns = ts_ns, .dir = dir & 3};
	p->key[0] = pkt_key0(100, 10 + line, 17, 0);
	burst.extra[burst.n].tap = tap;
	if (++burst.n == cut)
		hand_over();
}

/* All lines speak twice a second and are spoken to, from..to. */
static void lively(uint64_t from, uint64_t to, uint8_t tap)
{
	for (uint64_t at = from; at < to; at += 20 * MS)
		packet(START + at, (uint32_t)(at / (20 * MS)) % LINES,
		       at / (20 * MS) % 2 ? DIR_DOWN : DIR_UP, tap);
}

static void expect(uint32_t i, uint8_t tap, enum tap_news_kind kind, uint64_t since, uint64_t at)
{
	assert_true(i < n_news);
	assert_int_equal(news[i].tap, tap);
	assert_int_equal(news[i].kind, kind);
	if (kind != TAP_SPEAKS)
		assert_int_equal(news[i].since_ns, START + since);
	assert_int_equal(told_ns[i], START + at);
}

static void a_lively_tap_without_packets_is_blind(void **state)
{
	(void)state;
	lively(0, 20 * S, 0);
	lively(50 * S, 60 * S, 0);
	hand_over();
	assert_int_equal(n_news, 2);
	expect(0, 0, TAP_SILENT, 20 * S - 20 * MS, 50 * S);
	expect(1, 0, TAP_SPEAKS, 0, 50 * S);
}

static void how_it_is_cut_does_not_matter(void **state)
{
	for (uint32_t length = 1; length <= BURST_MAX; length += 9) {
		begin(state);
		cut = length;
		a_lively_tap_without_packets_is_blind(state);
	}
}

static void one_line_that_falls_silent_is_not(void **state)
{
	(void)state;
	for (uint64_t at = 0; at < 20 * S; at += MS)
		packet(START + at, 3, DIR_UP, 0);
	packet(START + 100 * S, 3, DIR_UP, 0);
	hand_over();
	assert_int_equal(n_news, 0);
}

/* Their echoes come all together every ten seconds: silence in between is their habit. */
static void lines_in_step_are_not(void **state)
{
	(void)state;
	for (uint64_t round = 0; round < 10; round++)
		for (uint32_t line = 0; line < 2 * LINES; line++)
			packet(START + round * 10 * S + line * 20 * MS, line, DIR_UP, 0);
	hand_over();
	assert_int_equal(n_news, 0);
}

/* A node without power: the BRAS speaks for a while, then gives up. */
static void a_bras_that_gives_up_is_not(void **state)
{
	(void)state;
	lively(0, 20 * S, 0);
	for (uint64_t at = 20 * S; at < 50 * S; at += 200 * MS)
		packet(START + at, (uint32_t)(at / (200 * MS)) % LINES, DIR_DOWN, 0);
	packet(START + 90 * S, 1, DIR_UP, 0);
	hand_over();
	assert_int_equal(n_news, 0);
}

static void modems_that_dial_in_vain_are_not(void **state)
{
	(void)state;
	lively(0, 20 * S, 0);
	for (uint64_t at = 20 * S; at < 40 * S; at += 50 * MS) {
		packet(START + at, (uint32_t)(at / (50 * MS)) % LINES, DIR_UP, 0);
		burst.pkt[burst.n ? burst.n - 1 : cut - 1].kind = KIND_PPPOE;
		burst.pkt[burst.n ? burst.n - 1 : cut - 1].seq = PADI;
	}
	lively(50 * S, 52 * S, 0);
	hand_over();
	assert_int_equal(n_news, 0);
}

static void short_silences_are_not(void **state)
{
	(void)state;
	lively(0, 20 * S, 0);
	lively(21900 * MS, 30 * S, 0);
	hand_over();
	assert_int_equal(n_news, 0);
}

/* Two taps by turns, the second one blind for a while. */
static void both(uint64_t from, uint64_t to, bool second)
{
	for (uint64_t at = from; at < to; at += 20 * MS) {
		uint32_t line = (uint32_t)(at / (20 * MS)) % LINES;
		packet(START + at, line, DIR_UP, 0);
		if (second)
			packet(START + at + MS, line, DIR_UP, 1);
	}
}

static void of_two_taps_one_is_blind(void **state)
{
	(void)state;
	source.n_taps = 2;
	both(0, 20 * S, true);
	both(20 * S, 60 * S, false);
	both(60 * S, 70 * S, true);
	hand_over();
	assert_int_equal(n_news, 2);
	expect(0, 2, TAP_SILENT, 20 * S - 19 * MS, 22 * S);
	expect(1, 2, TAP_SPEAKS, 0, 60 * S + MS);
}

static void a_file_that_has_ended_is_not(void **state)
{
	(void)state;
	source.n_taps = 2;
	both(0, 20 * S, true);
	source.taps_over = 1 << 1;
	both(20 * S, 60 * S, false);
	hand_over();
	assert_int_equal(n_news, 0);
}

/* Both at once are the stream, and tell it once. */
static void of_two_taps_both_are_blind(void **state)
{
	(void)state;
	source.n_taps = 2;
	both(0, 20 * S, true);
	both(60 * S, 80 * S, true);
	hand_over();
	assert_int_equal(n_news, 2);
	expect(0, 0, TAP_SILENT, 20 * S - 19 * MS, 60 * S);
	expect(1, 0, TAP_SPEAKS, 0, 60 * S);
}

static void it_shows_while_nothing_comes(void **state)
{
	struct tap_news idle;
	(void)state;
	lively(0, 20 * S, 0);
	hand_over();
	assert_false(taps_idle(&stamp.taps, START + 21 * S, &idle));
	assert_true(taps_idle(&stamp.taps, START + 25 * S, &idle));
	assert_int_equal(idle.kind, TAP_SILENT);
	assert_int_equal(idle.since_ns, START + 20 * S - 20 * MS);
	assert_false(taps_idle(&stamp.taps, START + 26 * S, &idle)); /* told once */
	lively(30 * S, 31 * S, 0);
	hand_over();
	assert_int_equal(n_news, 1);
	expect(0, 0, TAP_SPEAKS, 0, 30 * S);
}

static void a_clock_that_steps_is_a_time_unseen(void **state)
{
	const uint64_t day = 86400 * S, back = 3600 * S;
	(void)state;
	lively(day, day + 20 * S, 0);
	lively(3 * day, 3 * day + 20 * S, 0); /* the second packet is the witness */
	lively(3 * day - back, 3 * day - back + 20 * S, 0);
	hand_over();
	assert_int_equal(n_news, 4);
	expect(0, 0, TAP_CLOCK, day + 20 * S - 20 * MS, 3 * day + 20 * MS);
	expect(1, 0, TAP_SPEAKS, 0, 3 * day + 20 * MS);
	expect(2, 0, TAP_CLOCK, 3 * day - back + 20 * MS, 3 * day - back + 20 * MS);
	expect(3, 0, TAP_SPEAKS, 0, 3 * day - back + 20 * MS);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(a_lively_tap_without_packets_is_blind, begin),
		cmocka_unit_test_setup(how_it_is_cut_does_not_matter, begin),
		cmocka_unit_test_setup(one_line_that_falls_silent_is_not, begin),
		cmocka_unit_test_setup(lines_in_step_are_not, begin),
		cmocka_unit_test_setup(a_bras_that_gives_up_is_not, begin),
		cmocka_unit_test_setup(modems_that_dial_in_vain_are_not, begin),
		cmocka_unit_test_setup(short_silences_are_not, begin),
		cmocka_unit_test_setup(of_two_taps_one_is_blind, begin),
		cmocka_unit_test_setup(a_file_that_has_ended_is_not, begin),
		cmocka_unit_test_setup(of_two_taps_both_are_blind, begin),
		cmocka_unit_test_setup(it_shows_while_nothing_comes, begin),
		cmocka_unit_test_setup(a_clock_that_steps_is_a_time_unseen, begin),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
