/* SPDX-License-Identifier: BSD-3-Clause */
/* When a collector loses too much: by intervals, and with a margin before it is well again. */
#include "engine/drops.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "engine/source.h"

#define STEP DROPS_INTERVAL_NS

static struct source_stats stats;
static uint64_t now_ns;

/* An interval with so many packets seen and lost. */
static enum drops_news interval(struct drops *d, uint64_t packets, uint64_t dropped,
				uint64_t *since_ns)
{
	now_ns += STEP;
	stats.packets += packets;
	stats.dropped += dropped;
	return drops_look(d, &stats, now_ns, since_ns);
}

static void too_many_and_few_again(void **state)
{
	struct drops d = {0};
	uint64_t since = 0;
	(void)state;
	stats = (struct source_stats){.packets = 1000,
				      .dropped = 100000}; /* before it was looked at */
	now_ns = 1700000000000000000ull;
	assert_int_equal(drops_look(&d, &stats, now_ns, &since), DROPS_NOTHING);
	assert_int_equal(interval(&d, 100000, 900, &since), DROPS_NOTHING);
	assert_int_equal(interval(&d, 100000, 1100, &since), DROPS_BEGIN);
	assert_int_equal(since, now_ns - STEP);
	assert_int_equal(interval(&d, 100000, 5000, &since), DROPS_NOTHING);
	assert_int_equal(interval(&d, 100000, 500, &since), DROPS_NOTHING); /* not yet well */
	assert_int_equal(interval(&d, 100000, 50, &since), DROPS_END);
	assert_int_equal(interval(&d, 100000, 50, &since), DROPS_NOTHING);
}

static void a_few_are_nothing(void **state)
{
	struct drops d = {0};
	uint64_t since;
	(void)state;
	stats = (struct source_stats){0};
	assert_int_equal(interval(&d, 0, 0, &since), DROPS_NOTHING);
	assert_int_equal(interval(&d, 50, 50, &since), DROPS_NOTHING);
	assert_int_equal(interval(&d, 0, 200, &since), DROPS_BEGIN); /* all of them */
	assert_int_equal(interval(&d, 0, 0, &since), DROPS_NOTHING); /* nothing to judge by */
	assert_int_equal(interval(&d, 10, 0, &since), DROPS_END);
}

static void within_an_interval_nobody_looks(void **state)
{
	struct drops d = {0};
	uint64_t since;
	(void)state;
	stats = (struct source_stats){0};
	now_ns = STEP;
	assert_int_equal(drops_look(&d, &stats, now_ns, &since), DROPS_NOTHING);
	stats.dropped = 1000;
	assert_int_equal(drops_look(&d, &stats, now_ns + STEP - 1, &since), DROPS_NOTHING);
	assert_int_equal(drops_look(&d, &stats, now_ns + STEP, &since), DROPS_BEGIN);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(too_many_and_few_again),
		cmocka_unit_test(a_few_are_nothing),
		cmocka_unit_test(within_an_interval_nobody_looks),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
