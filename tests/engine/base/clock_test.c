/* SPDX-License-Identifier: BSD-3-Clause */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "engine/base/clock.h"

#define S     1000000000ull
#define START (1700000000 * S)
#define YEAR  (365ull * 86400 * S)

static void one_wild_stamp_is_not_believed(void **state)
{
	struct clock c = {0};
	(void)state;
	clock_follow(&c, START);
	clock_follow(&c, START + 10 * YEAR);
	assert_true(c.now_ns == START);
	clock_follow(&c, START + 1 * S);
	assert_true(c.now_ns == START + 1 * S);
	clock_follow(&c, 0); /* and one of 1970 */
	clock_follow(&c, START + 2 * S);
	assert_true(c.now_ns == START + 2 * S && c.first_ns == START);
	assert_int_equal(c.steps, 0);
	assert_int_equal(c.disbelieved, 2);
}

static void two_that_agree_are(void **state)
{
	struct clock c = {0};
	(void)state;
	clock_follow(&c, START);
	clock_follow(&c, START + YEAR);
	clock_follow(&c, START + YEAR + S);
	assert_true(c.now_ns == START + YEAR + S);
	clock_follow(&c, START + 5 * S); /* back again */
	clock_follow(&c, START + 6 * S);
	assert_true(c.now_ns == START + 6 * S && c.first_ns == START);
	assert_int_equal(c.steps, 2);
}

static void small_disorder_does_not_move_it(void **state)
{
	struct clock c = {0};
	(void)state;
	clock_follow(&c, START + S);
	clock_follow(&c, START);
	clock_follow(&c, START + 2 * S);
	assert_true(c.now_ns == START + 2 * S && c.first_ns == START);
	clock_follow(&c, START + 2 * S + CLOCK_AHEAD_NS); /* a quiet hour is nothing wild */
	assert_true(c.now_ns == START + 2 * S + CLOCK_AHEAD_NS);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(one_wild_stamp_is_not_believed),
		cmocka_unit_test(two_that_agree_are),
		cmocka_unit_test(small_disorder_does_not_move_it),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
