/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * When cards are told: all lines of a group together, group after group; each line again in its
 * turn, within a period and a window; and at once what changed, also when the clock was set back.
 */
#include "engine/analysis/cards.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "engine/analysis/analysis.h"
#include "engine/packet/worker.h"

#define S     1000000000ull
#define START (1700000003ull * S)

enum { LINES = 1000, SVLAN = 7, SOME_LINE = 123 };

static struct analysis analysis;
static uint64_t now_ns;
static uint32_t told[LINES], n_told, n_groups; /* in this round */
static uint32_t times[LINES];
static uint64_t told_ns[LINES];
static int group; /* that was told last */

static uint8_t group_of(const char *line)
{
	return (uint8_t)(atoi(strchr(line, '.') + 1) * 37);
}

static void take(void *context, const struct report *report)
{
	(void)context;
	if (report->kind != REPORT_SUBSCRIBER)
		return;
	const char *name = report->subscriber->who.line;
	uint32_t line = (uint32_t)atoi(strchr(name, '.') + 1) - 1;
	assert_true(line < LINES);
	assert_true(group_of(name) >= group); /* never back to one that is done */
	n_groups += group_of(name) > group;
	group = group_of(name);
	assert_true(n_told < LINES);
	told[n_told++] = line;
	times[line]++;
	told_ns[line] = now_ns;
}

static void appeared(uint32_t line)
{
	const struct out_appeared record = {
		.out = {OUT_APPEARED, line, 1, now_ns},
		.identity = {.svlan = SVLAN, .cvlan = (uint16_t)(line + 1), .by = LINE_BY_VLANS},
	};
	analysis_take(&analysis, 0, &record.out);
}

/* The next window has closed. */
static void next_round(uint64_t at_ns)
{
	const struct out_closed record = {.out = {OUT_CLOSED, 0, 1, at_ns}, .end_ns = at_ns};
	now_ns = at_ns;
	n_told = n_groups = 0;
	group = -1;
	analysis_take(&analysis, 0, &record.out);
}

static int start(void **state)
{
	const struct analysis_options options = {
		.n_workers = 1, .max_lines = LINES, .card_group = group_of};
	(void)state;
	analysis_init(&analysis, &options, (struct report_sink){take, NULL});
	now_ns = START;
	memset(times, 0, sizeof times);
	for (uint32_t line = 0; line < LINES; line++)
		appeared(line);
	next_round(START + WINDOW_NS);
	return n_told == LINES ? 0 : -1;
}

static int stop(void **state)
{
	(void)state;
	analysis_fini(&analysis);
	return 0;
}

static uint32_t lines_of(int of)
{
	uint32_t n = 0;
	for (uint32_t line = 0; line < LINES; line++) {
		char name[16];
		snprintf(name, sizeof name, "%d.%u", SVLAN, line + 1);
		n += group_of(name) == of;
	}
	return n;
}

/* The first comes sooner than a period after the start; from then on each has its time. */
static void test_whole_groups_in_turn(void **state)
{
	enum { PERIODS = 5, ROUNDS = (int)(CARDS_PERIOD_NS / WINDOW_NS) };
	(void)state;
	for (uint32_t round = 0; round < PERIODS * ROUNDS; round++) {
		uint32_t whole = 0;
		next_round(now_ns + WINDOW_NS);
		for (int of = 0; of < CARDS_GROUPS; of++) {
			uint32_t n = 0;
			for (uint32_t i = 0; i < n_told; i++) {
				char name[16];
				snprintf(name, sizeof name, "%d.%u", SVLAN, told[i] + 1);
				n += group_of(name) == of;
			}
			assert_true(!n || n == lines_of(of));
			whole += n > 0;
		}
		assert_int_equal(whole, n_groups);
		assert_in_range(n_groups, CARDS_GROUPS / ROUNDS, CARDS_GROUPS / ROUNDS + 1);
		for (uint32_t line = 0; line < LINES; line++)
			assert_true(now_ns - told_ns[line] < CARDS_PERIOD_NS);
	}
	for (uint32_t line = 0; line < LINES; line++)
		assert_int_equal(times[line], 1 + PERIODS);
}

static void change(uint32_t line, const char *circuit_id)
{
	struct out_signal record = {
		.out = {OUT_SIGNAL, line, 1, now_ns},
		.signal = {.ts_ns = now_ns, .kind = SIGNAL_SESSION},
	};
	snprintf(record.signal.control.circuit_id, sizeof record.signal.control.circuit_id, "%s",
		 circuit_id);
	analysis_take(&analysis, 0, &record.out);
}

static uint32_t times_told(uint32_t line)
{
	uint32_t n = 0;
	for (uint32_t i = 0; i < n_told; i++)
		n += told[i] == line;
	return n;
}

/* What changed is told in the next round, once, and in its turn all the same. */
static void test_changed_line_does_not_wait(void **state)
{
	uint32_t before;
	(void)state;
	while (times_told(SOME_LINE) == 0)
		next_round(now_ns + WINDOW_NS);
	next_round(now_ns + WINDOW_NS);
	assert_int_equal(times_told(SOME_LINE), 0);
	before = times[SOME_LINE];
	change(SOME_LINE, "a.124"); /* SOME_LINE by another name */
	next_round(now_ns + WINDOW_NS);
	assert_int_equal(times_told(SOME_LINE), 1);
	for (uint64_t round = 1; round < CARDS_PERIOD_NS / WINDOW_NS; round++)
		next_round(now_ns + WINDOW_NS);
	assert_int_equal(times[SOME_LINE], before + 2);
}

/* Its name decides on the group anew: it is told with those where it is now. */
static void test_renamed_line_moves(void **state)
{
	(void)state;
	change(0, "a.2"); /* as line 1 by its group */
	next_round(now_ns + WINDOW_NS);
	for (uint64_t round = 0; round < CARDS_PERIOD_NS / WINDOW_NS; round++) {
		uint32_t was = times[1], twice = times[1];
		next_round(now_ns + WINDOW_NS);
		twice = times[1] - was;
		assert_true(twice == 0 || twice >= 2); /* both bear the number 2 */
	}
}

/* Nobody waits for the time that has been. */
static void test_clock_that_was_set_back(void **state)
{
	(void)state;
	next_round(START - 7 * 24 * 3600 * S);
	assert_int_equal(n_told, LINES);
	next_round(now_ns + WINDOW_NS);
	assert_true(n_told < LINES);
}

static void test_silence_of_days(void **state)
{
	(void)state;
	next_round(now_ns + 7 * 24 * 3600 * S);
	assert_int_equal(n_told, LINES);
}

/* Captures may begin at 1970. */
static void test_time_near_zero(void **state)
{
	const struct analysis_options options = {
		.n_workers = 1, .max_lines = LINES, .card_group = group_of};
	(void)state;
	analysis_fini(&analysis);
	analysis_init(&analysis, &options, (struct report_sink){take, NULL});
	now_ns = S;
	appeared(0);
	change(0, "a.1");
	next_round(2 * S);
	assert_int_equal(n_told, 1);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, start, stop)
	const struct CMUnitTest tests[] = {
		TEST(test_whole_groups_in_turn), TEST(test_changed_line_does_not_wait),
		TEST(test_renamed_line_moves),	 TEST(test_clock_that_was_set_back),
		TEST(test_silence_of_days),	 TEST(test_time_near_zero),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
