/* SPDX-License-Identifier: BSD-3-Clause */
/* Durations in 16 bits: kept to 0.05 %, in order, never rounded up. */
#include "engine/packet/mini.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

static uint64_t random_state = 88172645463325252ull;

static uint32_t random32(void)
{
	random_state ^= random_state << 13;
	random_state ^= random_state >> 7;
	random_state ^= random_state << 17;
	return (uint32_t)(random_state >> 20);
}

static void assert_kept(uint32_t v)
{
	uint32_t got = mini_value(mini_of(v));
	if (got > v || v - got > v / 2048 || (v < 2048 && got != v))
		fail_msg("%u is kept as %u", v, got);
}

static void kept_to_a_two_thousandth(void **state)
{
	(void)state;
	for (uint32_t v = 0; v < 1 << 20; v++)
		assert_kept(v);
	for (uint32_t bit = 0; bit < 32; bit++)
		for (int off = -3; off <= 3; off++)
			assert_kept((1u << bit) + (uint32_t)off);
	for (uint32_t i = 0; i < 1000000; i++)
		assert_kept((random32() << 16 ^ random32()) >> random32() % 32);
	assert_kept(UINT32_MAX);
}

/* Every code in use stands for a number of its own, and larger codes for larger numbers. */
static void codes_are_in_order(void **state)
{
	uint32_t before = 0;
	(void)state;
	for (uint32_t code = 1; code <= mini_of(UINT32_MAX); code++) {
		uint32_t v = mini_value((uint16_t)code);
		assert_true(v > before);
		assert_int_equal(mini_of(v), code);
		assert_int_equal(mini_of(v - 1), code - 1); /* rounded down, never up */
		before = v;
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(kept_to_a_two_thousandth),
		cmocka_unit_test(codes_are_in_order),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
