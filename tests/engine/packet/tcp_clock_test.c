/* SPDX-License-Identifier: BSD-3-Clause */
/* The rate of a sender's timestamp clock, in four bits: learned from few packets, right enough to
 * tell a stamp that was made before a silence. */
#include "engine/packet/tcp_clock.h"

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

static const uint32_t clocks_hz[] = {1, 10, 100, 250, 300, 1000};

static uint32_t ticks_of_us(uint64_t us)
{
	return (uint32_t)(us * 1000 / HIST_TICK_NS);
}

/* Data at random times, 20 ms to 600 ms apart, stamped by a clock of `hz` that drifts a little. */
static uint32_t learn(uint32_t step, uint32_t hz, uint32_t packets)
{
	uint64_t us = 1000000, before_us = us;
	for (uint32_t i = 0; i < packets; i++) {
		uint32_t delta;
		us += 20000 + random32() % 580000;
		delta = (uint32_t)(us * hz * 1001 / 1000000000 -
				   before_us * hz * 1001 / 1000000000);
		if (!delta) /* as tcp.c: nothing to learn from */
			continue;
		step = tcp_clock_follow(step, delta, ticks_of_us(us - before_us));
		assert_true(step >= 1 && step <= 15);
		before_us = us;
	}
	return step;
}

/* Half an octave a step: what it expects of any silence is right within a factor of 1.5. */
static void known_clocks(void **state)
{
	(void)state;
	for (size_t k = 2; k < sizeof clocks_hz / sizeof *clocks_hz; k++)
		for (uint32_t round = 0; round < 200; round++) {
			uint32_t hz = clocks_hz[k], step = learn(0, hz, 40);
			uint32_t ms = 200 + random32() % 60000;
			uint64_t truth = (uint64_t)hz * ms / 1000;
			uint64_t got = tcp_clock_expect(step, ticks_of_us(ms * 1000ull));
			if (got * 3 < truth * 2 - 3 || got * 2 > truth * 3 + 2)
				fail_msg("%u Hz, %u ms: expected %llu, the clock shows %llu", hz,
					 ms, (unsigned long long)got, (unsigned long long)truth);
		}
}

/* Whatever was believed before, a few packets lead back; never more than a step at a time. */
static void found_from_anywhere(void **state)
{
	(void)state;
	for (size_t k = 2; k < sizeof clocks_hz / sizeof *clocks_hz; k++) {
		uint32_t want = learn(0, clocks_hz[k], 1000);
		for (uint32_t from = 1; from <= 15; from++) {
			uint32_t got = learn(from, clocks_hz[k], 60);
			assert_true(got + 1 >= want && got <= want + 1);
			got = learn(from, clocks_hz[k], 1);
			assert_true(got + 1 >= from && got <= from + 1);
		}
	}
}

/* Slow clocks lie below the first step; they must not be taken for fast ones. */
static void slow_clocks(void **state)
{
	(void)state;
	for (uint32_t round = 0; round < 100; round++) {
		assert_true(learn(0, 1, 60) <= 2);
		assert_true(learn(0, 10, 60) <= 3);
	}
}

static void any_counts(void **state)
{
	(void)state;
	assert_int_equal(tcp_clock_expect(0, UINT32_MAX), 0);
	for (uint32_t i = 0; i < 1000000; i++) {
		uint32_t ticks = TCP_CLOCK_MIN_TICKS + random32() % (1u << 30);
		uint32_t step =
			tcp_clock_follow(random32() % 16, random32() << 12 ^ random32(), ticks);
		assert_true(step >= 1 && step <= 15);
		assert_true(tcp_clock_expect(step, ticks) <= (uint64_t)ticks / 7000 + 1);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(known_clocks),
		cmocka_unit_test(found_from_anywhere),
		cmocka_unit_test(slow_clocks),
		cmocka_unit_test(any_counts),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
