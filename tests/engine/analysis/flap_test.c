/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Flap damping against algorithms.md 2.1.3: the penalties to +-1, the half-life, entry, release,
 * ceiling, and the consequences that the reference has computed.
 */
#include "engine/analysis/flap.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define S     1000000000ull
#define MIN   (60 * S)
#define START (1700000000ull * S)

#define assert_near(got, want, slack)                                                              \
	do {                                                                                       \
		double got_ = (got), want_ = (want);                                               \
		if (fabs(got_ - want_) > (slack))                                                  \
			fail_msg("%s is %g, expected %g +- %g", #got, got_, want_,                 \
				 (double)(slack));                                                 \
	} while (0)

static void penalties(void **state)
{
	static const struct {
		enum drop_cause cause;
		double penalty, when_back;
	} table[] = {
		{CAUSE_LINE_LOST, 1000, 1000}, {CAUSE_CPE_TERM, 0, 500},
		{CAUSE_CPE_POWER, 250, 250},   {CAUSE_ADMIN, 0, 0},
		{CAUSE_NAS_FAULT, 0, 0},       {CAUSE_SESSION_TIMEOUT, 0, 0},
		{CAUSE_IDLE_TIMEOUT, 0, 0},    {CAUSE_AUTH_FAIL, 100, 100},
		{CAUSE_RESOURCE, 0, 0},	       {CAUSE_REPLACED, 0, 0},
		{CAUSE_LOOPBACK, 1000, 1000},  {CAUSE_UNKNOWN, 500, 500},
	};
	(void)state;
	for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
		struct flap f = {0};
		assert_false(flap_drop(&f, table[i].cause, START));
		assert_near(flap_penalty(&f, START), table[i].penalty, 1);
		flap_return(&f, table[i].cause, 0, START);
		assert_near(flap_penalty(&f, START), table[i].when_back, 1);
	}
}

static void half_life(void **state)
{
	struct flap f = {0};
	(void)state;
	flap_drop(&f, CAUSE_LINE_LOST, START);
	for (uint64_t minutes = 0; minutes <= 120; minutes++)
		assert_near(flap_penalty(&f, START + minutes * MIN),
			    1000 * pow(0.5, (double)minutes / 15), 1);
}

/* What counts as a flap: DOWN -> UP within ten minutes after an involuntary cause. */
static void what_is_a_flap(void **state)
{
	static const bool counts[CAUSE_COUNT] = {
		[CAUSE_LINE_LOST] = true,
		[CAUSE_CPE_TERM] = true,
		[CAUSE_UNKNOWN] = true,
		[CAUSE_LOOPBACK] = true,
	};
	(void)state;
	for (int cause = CAUSE_LINE_LOST; cause < CAUSE_COUNT; cause++) {
		struct flap f = {0};
		flap_drop(&f, (enum drop_cause)cause, START);
		flap_return(&f, (enum drop_cause)cause, 600 * S, START + 600 * S);
		assert_int_equal(f.total, counts[cause]);
		assert_int_equal(f.outages, 0);
		flap_drop(&f, (enum drop_cause)cause, START + 700 * S);
		flap_return(&f, (enum drop_cause)cause, 601 * S, START + 1301 * S);
		assert_int_equal(f.total, counts[cause]); /* too long: an outage */
		assert_int_equal(f.outages, counts[cause]);
	}
}

static void cpe_term_is_charged_only_when_back_soon(void **state)
{
	struct flap f = {0};
	(void)state;
	flap_drop(&f, CAUSE_CPE_TERM, START);
	flap_return(&f, CAUSE_CPE_TERM, 3600 * S, START + 3600 * S);
	assert_near(flap_penalty(&f, START + 3600 * S), 0, 1);
	flap_drop(&f, CAUSE_CPE_TERM, START + 4000 * S);
	flap_return(&f, CAUSE_CPE_TERM, 30 * S, START + 4030 * S);
	assert_near(flap_penalty(&f, START + 4030 * S), 500, 1);
}

/* How many losses at this distance trip it; 0: none of 1000 does. Each loss lasts 20 s. */
static uint32_t losses_until_flapping(uint64_t every_ns)
{
	struct flap f = {0};
	for (uint32_t i = 1; i <= 1000; i++) {
		uint64_t now = START + i * every_ns;
		if (flap_drop(&f, CAUSE_LINE_LOST, now))
			return i;
		if (flap_return(&f, CAUSE_LINE_LOST, 20 * S, now + 20 * S))
			return i;
	}
	return 0;
}

static void computed_consequences(void **state)
{
	(void)state;
	assert_int_equal(losses_until_flapping(3 * MIN), 4);
	assert_int_equal(losses_until_flapping(1 * MIN), 4); /* 3 x 1000 have already decayed */
	assert_int_equal(losses_until_flapping(5 * MIN), 5);
	assert_int_equal(losses_until_flapping(8 * MIN), 8);
	assert_int_equal(losses_until_flapping(528 * S), 0); /* 8.8 min: 2993 */
	assert_int_equal(losses_until_flapping(10 * MIN), 0);
	assert_int_equal(losses_until_flapping(24 * 60 * MIN), 0);
}

static void release(void **state)
{
	struct flap f = {0};
	uint64_t last = START + 9 * MIN, at;
	(void)state;
	for (uint64_t i = 0; i < 4; i++)
		flap_drop(&f, CAUSE_LINE_LOST, START + i * 3 * MIN);
	assert_true(f.flapping);
	at = flap_release_ns(&f);
	assert_near((double)(at - last) / 1e9, 900 * log2(flap_penalty(&f, last) / 750), 0.001);
	assert_false(flap_release(&f, at - S));
	assert_true(f.flapping);
	assert_true(flap_release(&f, at));
	assert_false(f.flapping);
	assert_true(flap_penalty(&f, at) <= 750);
	assert_false(flap_release(&f, at + S)); /* only once */
	assert_int_equal(f.total, 0);
}

static void ceiling_and_longest_wait(void **state)
{
	struct flap f = {0};
	(void)state;
	for (uint64_t i = 0; i < 100; i++)
		flap_drop(&f, CAUSE_LINE_LOST, START + i * S);
	assert_near(flap_penalty(&f, START + 99 * S), 12000, 1);
	assert_near((double)(flap_release_ns(&f) - (START + 99 * S)) / 60e9, 60, 0.01);
}

/* Starting is told once. */
static void starts_once(void **state)
{
	struct flap f = {0};
	uint32_t starts = 0;
	(void)state;
	for (uint64_t i = 0; i < 50; i++)
		starts += flap_drop(&f, CAUSE_LINE_LOST, START + i * MIN);
	assert_int_equal(starts, 1);
}

static void counts_in_windows(void **state)
{
	struct flap f = {0};
	(void)state;
	for (uint64_t i = 0; i < 20; i++) /* one every four minutes: 76 minutes */
		flap_return(&f, CAUSE_LINE_LOST, S, START + i * 4 * MIN);
	uint64_t now = START + 19 * 4 * MIN;
	assert_int_equal(f.total, 20);
	assert_int_equal(flap_count(&f, now, 300), 2);
	assert_int_equal(flap_count(&f, now, 3600), 16);
	assert_int_equal(flap_count(&f, now, 86400), 20);
	assert_int_equal(flap_count(&f, now + 3600 * S, 3600), 1);
	assert_int_equal(flap_count(&f, now + 2 * 86400 * S, 86400), 0);
	for (uint64_t i = 0; i < 100; i++)
		flap_return(&f, CAUSE_LINE_LOST, S, now + i * S);
	assert_int_equal(flap_count(&f, now + 100 * S, 300), FLAP_RING); /* as the header says */
	assert_int_equal(f.total, 120);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(penalties),
		cmocka_unit_test(half_life),
		cmocka_unit_test(what_is_a_flap),
		cmocka_unit_test(cpe_term_is_charged_only_when_back_soon),
		cmocka_unit_test(computed_consequences),
		cmocka_unit_test(release),
		cmocka_unit_test(ceiling_and_longest_wait),
		cmocka_unit_test(starts_once),
		cmocka_unit_test(counts_in_windows),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
