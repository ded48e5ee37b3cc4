/* SPDX-License-Identifier: BSD-3-Clause */
/* A NIC's clock against a simulated pair of clocks whose truth is known. */
#include "collectors/nic_clock.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>

#include <cmocka.h>

#define SECOND 1000000000ull
#define UNIX   1700000000000000000ull

/* Ticks of a clock of `hz` that shows `origin` at time zero. */
struct world {
	double hz;
	uint64_t origin;
};

static uint64_t ticks_at(const struct world *w, uint64_t ns)
{
	return w->origin + (uint64_t)((double)ns * w->hz / 1e9);
}

static struct nic_clock started(const struct world *w, int64_t noise_ns)
{
	const uint64_t ticks[2] = {ticks_at(w, 0), ticks_at(w, 10000000)};
	const uint64_t ns[2] = {UNIX, UNIX + 10000000 + (uint64_t)noise_ns};
	struct nic_clock c;

	nic_clock_start(&c, ticks, ns);
	return c;
}

static int64_t error_at(const struct nic_clock *c, const struct world *w, uint64_t ns)
{
	return (int64_t)(nic_clock_ns(c, ticks_at(w, ns)) - UNIX - ns);
}

/* 1 GHz, a 78.125 MHz one, one that wraps within the test; the truth to 100 ns after a minute. */
static void translates_any_clock(void **state)
{
	const struct world worlds[] = {
		{1e9, 0}, {78.125e6, 12345}, {156.25e6, UINT64_MAX - 1000000000}};

	(void)state;
	for (size_t i = 0; i < 3; i++) {
		struct nic_clock c = started(&worlds[i], 0);

		for (uint64_t s = 1; s <= 60; s++) {
			assert_in_range(llabs(error_at(&c, &worlds[i], s * SECOND)), 0, 100);
			nic_clock_sync(&c, ticks_at(&worlds[i], s * SECOND), UNIX + s * SECOND);
		}
	}
}

/* A start that was 2 us off within 10 ms is 200 ppm off; it is steered in, never jumped. */
static void steers_errors_away(void **state)
{
	const struct world w = {78.125e6, 99};
	struct nic_clock c = started(&w, 2000);
	uint64_t before = 0;

	(void)state;
	for (uint64_t s = 1; s <= 5; s++) {
		for (uint64_t ms = 0; ms < 1000; ms++) {
			uint64_t now = nic_clock_ns(&c, ticks_at(&w, s * SECOND + ms * 1000000));
			assert_true(now > before);
			before = now;
		}
		nic_clock_sync(&c, ticks_at(&w, (s + 1) * SECOND), UNIX + (s + 1) * SECOND);
	}
	assert_in_range(llabs(error_at(&c, &w, 7 * SECOND)), 0, 100);
}

static void follows_a_wall_clock_that_was_set(void **state)
{
	const struct world w = {1e9, 0};
	struct nic_clock c = started(&w, 0);

	(void)state;
	nic_clock_sync(&c, ticks_at(&w, SECOND), UNIX + 3601 * SECOND);
	assert_int_equal(nic_clock_ns(&c, ticks_at(&w, SECOND)), UNIX + 3601 * SECOND);
	nic_clock_sync(&c, ticks_at(&w, 2 * SECOND), UNIX + 3602 * SECOND);
	assert_int_equal(error_at(&c, &w, 3 * SECOND), 3600 * SECOND);
}

/* A stamp from before the last reading; a clock that stands still. */
static void bears_odd_stamps(void **state)
{
	const struct world w = {1e9, 5 * SECOND};
	struct nic_clock c = started(&w, 0);
	const uint64_t still[2] = {7, 7}, ns[2] = {UNIX, UNIX + 1000};

	(void)state;
	nic_clock_sync(&c, ticks_at(&w, SECOND), UNIX + SECOND);
	assert_in_range(llabs(error_at(&c, &w, SECOND - 1000)), 0, 10);
	nic_clock_start(&c, still, ns);
	nic_clock_sync(&c, 7, UNIX + 2000);
	assert_in_range(nic_clock_ns(&c, 7), UNIX, UNIX + 2000);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(translates_any_clock),
		cmocka_unit_test(steers_errors_away),
		cmocka_unit_test(follows_a_wall_clock_that_was_set),
		cmocka_unit_test(bears_odd_stamps),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
