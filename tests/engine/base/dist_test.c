/* SPDX-License-Identifier: BSD-3-Clause */
/* A distribution as it is told: microseconds, exact from sorted values, absent when n == 0. */
#include "engine/base/dist.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define TICK_US 0.128

static void near(double got, double want)
{
	if (fabs(got - want) > 1e-6 * fabs(want) + 1e-9)
		fail_msg("%.9g, expected %.9g", got, want);
}

static void from_sorted_values(void **state)
{
	uint32_t v[101];
	(void)state;
	for (uint32_t i = 0; i <= 100; i++)
		v[i] = i * 1000;
	struct dist d = dist_of_sorted(v, 101);
	assert_int_equal(d.n, 101);
	near(d.min_us, 0);
	near(d.p50_us, 50000 * TICK_US);
	near(d.p90_us, 90000 * TICK_US);
	near(d.p95_us, 95000 * TICK_US);
	near(d.p99_us, 99000 * TICK_US);
	near(d.max_us, 100000 * TICK_US);
	near(d.mean_us, 50000 * TICK_US);
}

static void between_two_ranks(void **state)
{
	(void)state;
	struct dist d = dist_of_sorted((uint32_t[]){100, 200}, 2);
	near(d.p50_us, 150 * TICK_US);
	near(d.p90_us, 190 * TICK_US);
	d = dist_of_sorted((uint32_t[]){4000000000u, 4000000001u}, 2); /* no overflow */
	near(d.mean_us, 4000000000.5 * TICK_US);
}

static void one_value(void **state)
{
	(void)state;
	struct dist d = dist_of_sorted((uint32_t[]){77}, 1);
	near(d.min_us, 77 * TICK_US);
	near(d.p50_us, 77 * TICK_US);
	near(d.p99_us, 77 * TICK_US);
	near(d.mean_us, 77 * TICK_US);
}

static void nothing_is_absent(void **state)
{
	(void)state;
	assert_int_equal(dist_of_sorted(NULL, 0).n, 0);
}

static void histogram_and_values_agree(void **state)
{
	struct hist_pools pools;
	struct hist_sum sum = {0};
	uint32_t v[5000], index = 0;
	(void)state;
	hist_pools_init(&pools, 10);
	for (uint32_t i = 0; i < 5000; i++) {
		v[i] = 1000 + i * 37;
		hist_add(&pools, &index, v[i]);
	}
	hist_sum_add(&sum, &pools, index);
	struct dist a = dist_of_hist(&sum), b = dist_of_sorted(v, 5000);
	const double pairs[][2] = {{a.p50_us, b.p50_us},
				   {a.p90_us, b.p90_us},
				   {a.p95_us, b.p95_us},
				   {a.p99_us, b.p99_us}};
	for (int i = 0; i < 4; i++)
		assert_true(fabs(pairs[i][0] - pairs[i][1]) <= 0.03 * pairs[i][1]);
	near(a.min_us, b.min_us);
	near(a.max_us, b.max_us);
	near(a.mean_us, b.mean_us);
	hist_pools_fini(&pools);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(from_sorted_values),
		cmocka_unit_test(between_two_ranks),
		cmocka_unit_test(one_value),
		cmocka_unit_test(nothing_is_absent),
		cmocka_unit_test(histogram_and_values_agree),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
