/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The latency histogram against sorted values: quantiles to 3 % (measurement.md, F3), exact count,
 * sum and extremes, merging by adding, refusals counted; the step from few values to many changes
 * nothing, and everything is given back.
 */
#include "engine/base/hist.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "engine/base/dist.h"

enum { MANY = 20000 };

static struct hist_pools pools;
static uint32_t values[MANY];
static uint64_t random_state;

static int start(void **state)
{
	(void)state;
	random_state = 0x9e3779b97f4a7c15ull;
	hist_pools_init(&pools, 1000);
	return 0;
}

static int stop(void **state)
{
	(void)state;
	hist_pools_fini(&pools);
	return 0;
}

static double random_unit(void)
{
	random_state ^= random_state << 13;
	random_state ^= random_state >> 7;
	random_state ^= random_state << 17;
	return (double)(random_state >> 11) / 9007199254740992.0;
}

static int compare(const void *a, const void *b)
{
	uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;
	return x < y ? -1 : x > y;
}

/* Log-uniform between 2^low and 2^high ticks. */
static void fill(uint32_t n, double low, double high)
{
	for (uint32_t i = 0; i < n; i++)
		values[i] = (uint32_t)exp2(low + (high - low) * random_unit());
	qsort(values, n, sizeof *values, compare);
}

static struct hist_sum sum_of(uint32_t n)
{
	struct hist_sum sum = {0};
	uint32_t index = 0;
	for (uint32_t i = 0; i < n; i++)
		hist_add(&pools, &index, values[(i * 7919u) % n]); /* any order; 7919 is prime */
	hist_sum_add(&sum, &pools, index);
	return sum;
}

static uint32_t in_use(void)
{
	return pools.few.used + pools.many.used + pools.bytes.used + pools.words.used;
}

static double median(const struct hist_sum *sum)
{
	const double q = 0.5;
	double value;
	hist_sum_quantiles(sum, &q, &value, 1);
	return value;
}

static void quantiles(void **state)
{
	static const double spans[][2] = {{0, 5},  {5, 10},   {10, 13},
					  {0, 20}, {6, 31.9}, {13, 13.5}};
	double q[101], got[101];
	(void)state;
	for (size_t k = 0; k < sizeof spans / sizeof *spans; k++) {
		fill(MANY, spans[k][0], spans[k][1]);
		struct hist_sum sum = sum_of(MANY);
		for (int i = 0; i <= 100; i++)
			q[i] = i / 100.0;
		hist_sum_quantiles(&sum, q, got, 101);
		for (int i = 0; i <= 100; i++) {
			double want = values[(uint32_t)(q[i] * (MANY - 1) + 0.5)];
			if (fabs(got[i] - want) > 0.03 * want + 1)
				fail_msg("2^%g..2^%g: quantile %g is %g, expected %g", spans[k][0],
					 spans[k][1], q[i], got[i], want);
		}
	}
}

static void every_octave_to_its_edges(void **state)
{
	(void)state;
	for (uint32_t bit = 0; bit < 32; bit++)
		for (int off = -1; off <= 1; off++) {
			uint32_t v = (1u << bit) + (uint32_t)off, index = 0;
			struct hist_sum sum = {0};
			hist_add(&pools, &index, v);
			hist_sum_add(&sum, &pools, index);
			assert_int_equal(sum.min, v);
			assert_int_equal(sum.max, v);
			assert_true(median(&sum) == v); /* one value: exact */
		}
}

static void count_sum_and_extremes_are_exact(void **state)
{
	uint64_t total = 0;
	(void)state;
	fill(MANY, 0, 25);
	struct hist_sum sum = sum_of(MANY);
	uint64_t buckets = 0;
	for (uint32_t i = 0; i < MANY; i++)
		total += values[i];
	for (uint32_t i = 0; i < HIST_OCTAVES * HIST_SUB; i++)
		buckets += sum.bucket[i];
	assert_int_equal(sum.n, MANY);
	assert_int_equal(buckets, MANY);
	assert_int_equal(sum.sum, total);
	assert_int_equal(sum.min, values[0]);
	assert_int_equal(sum.max, values[MANY - 1]);
}

static void merging_is_adding(void **state)
{
	struct hist_sum parts = {0};
	uint32_t index[3] = {0};
	(void)state;
	fill(MANY, 0, 28);
	struct hist_sum whole = sum_of(MANY);
	for (uint32_t i = 0; i < MANY; i++)
		hist_add(&pools, &index[i % 3], values[i]);
	for (int i = 2; i >= 0; i--)
		hist_sum_add(&parts, &pools, index[i]);
	assert_memory_equal(&parts, &whole, sizeof whole);
	hist_sum_add(&parts, &pools, 0); /* nobody's histogram */
	assert_memory_equal(&parts, &whole, sizeof whole);
}

static void empty(void **state)
{
	const struct hist_sum sum = {0};
	(void)state;
	assert_true(median(&sum) == 0);
	assert_int_equal(dist_of_hist(&sum).n, 0);
	assert_true(dist_of_hist(&sum).mean_us == 0);
}

static void refusals_are_counted(void **state)
{
	struct hist_sum sum = {0};
	uint32_t index[3] = {0};
	uint32_t added = 2;
	(void)state;
	hist_pools_fini(&pools);
	hist_pools_init(&pools, 2);
	for (int i = 0; i < 3; i++)
		hist_add(&pools, &index[i], 100);
	assert_true(index[0] && index[1] && !index[2]);
	assert_int_equal(hist_pools_refused(&pools), 1);
	hist_sum_add(&sum, &pools, index[2]);
	assert_int_equal(sum.n, 0);
	for (uint32_t i = 0; i < 4 * HIST_FEW;
	     i++, added += 2) /* 15 octaves; there are 8 for both */
		for (int k = 0; k < 2; k++)
			hist_add(&pools, &index[k], 1u << (5 + i % 15));
	assert_true(pools.bytes.refused > 0);
	hist_sum_add(&sum, &pools, index[0]);
	hist_sum_add(&sum, &pools, index[1]);
	uint64_t buckets = 0;
	for (uint32_t i = 0; i < HIST_OCTAVES * HIST_SUB; i++)
		buckets += sum.bucket[i];
	assert_int_equal(buckets, sum.n); /* what was lost is not counted either */
	assert_int_equal(sum.n + hist_pools_refused(&pools), added + 1);
}

/* When there is no room to become many, a histogram stays as it is, and loses what comes, counted. */
static void no_room_for_many(void **state)
{
	struct hist_sum sum = {0};
	uint32_t index[8] = {0}, kept = 0;
	(void)state;
	hist_pools_fini(&pools);
	hist_pools_init(&pools, 8);
	pools.many.limit = 3;
	for (uint32_t i = 0; i < 8 * 40; i++)
		hist_add(&pools, &index[i % 8], 10000 + i);
	for (int k = 0; k < 8; k++)
		hist_sum_add(&sum, &pools, index[k]);
	kept = 3 * 40 + 5 * HIST_FEW;
	assert_int_equal(sum.n, kept);
	assert_int_equal(hist_pools_refused(&pools), 8 * 40 - kept);
}

/* Nothing is lost when a byte is full and the octave's counters become wider, but where there is no room
 * for that. */
static void counters_that_run_full(void **state)
{
	struct hist_sum sum = {0};
	uint32_t index[2] = {0};
	(void)state;
	hist_pools_fini(&pools);
	hist_pools_init(&pools, 8);
	pools.words.limit = 1;
	for (uint32_t i = 0; i < 1000; i++)
		for (int k = 0; k < 2; k++)
			hist_add(&pools, &index[k], 5000);
	hist_sum_add(&sum, &pools, index[0]);
	assert_int_equal(sum.n, 1000);
	assert_int_equal(sum.sum, 1000 * 5000);
	hist_sum_clear(&sum);
	hist_sum_add(&sum, &pools, index[1]);
	assert_int_equal(sum.n, UINT8_MAX);
	assert_int_equal(hist_pools_refused(&pools), 1000 - UINT8_MAX);
	hist_free(&pools, &index[0]);
	hist_add(&pools, &index[1], 5000);
	hist_sum_add(&sum, &pools, index[1]);
	assert_int_equal(sum.n, UINT8_MAX + UINT8_MAX + 1);
	hist_free(&pools, &index[1]);
	assert_int_equal(in_use(), 0);
}

/* --- few and many ---------------------------------------------------------------------------------- */

/* The same values with and without the first step: whatever the number, the same sum. */
static void the_step_to_many_is_invisible(void **state)
{
	(void)state;
	for (uint32_t n = 1; n <= 3 * HIST_FEW; n++)
		for (uint32_t round = 0; round < 20; round++) {
			struct hist_sum got = {0}, want = {0};
			uint32_t index = 0;
			for (uint32_t i = 0; i < n; i++) {
				uint32_t one = 0, v = (uint32_t)exp2(28 * random_unit());
				hist_add(&pools, &index, v);
				hist_add(&pools, &one, v); /* one value alone is kept as it is */
				hist_sum_add(&want, &pools, one);
				hist_free(&pools, &one);
			}
			hist_sum_add(&got, &pools, index);
			assert_memory_equal(&got, &want, sizeof got);
			assert_int_equal(pools.few.used, n <= HIST_FEW);
			assert_int_equal(pools.many.used > 0, n > HIST_FEW);
			hist_free(&pools, &index);
			assert_int_equal(index, 0);
			assert_int_equal(in_use(), 0);
		}
	assert_int_equal(hist_pools_refused(&pools), 0);
}

/* Many histograms that live and die among each other: each is what was put into it. */
static void histograms_do_not_mix(void **state)
{
	enum { HISTS = 50 };
	static struct hist_sum want[HISTS], got;
	uint32_t index[HISTS] = {0};
	(void)state;
	memset(want, 0, sizeof want);
	for (uint32_t round = 0; round < 40000; round++) {
		uint32_t k = (uint32_t)(random_unit() * HISTS), one = 0;
		if (random_unit() < 0.02) {
			hist_free(&pools, &index[k]);
			memset(&want[k], 0, sizeof want[k]);
			continue;
		}
		uint32_t v = (uint32_t)exp2(k % 20 + 8 * random_unit());
		hist_add(&pools, &index[k], v);
		hist_add(&pools, &one, v);
		hist_sum_add(&want[k], &pools, one);
		hist_free(&pools, &one);
		if (round % 16)
			continue;
		hist_sum_clear(&got);
		hist_sum_add(&got, &pools, index[k]);
		assert_memory_equal(&got, &want[k], sizeof got);
	}
	for (uint32_t k = 0; k < HISTS; k++)
		hist_free(&pools, &index[k]);
	assert_int_equal(in_use(), 0);
	assert_int_equal(hist_pools_refused(&pools), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(quantiles, start, stop),
		cmocka_unit_test_setup_teardown(every_octave_to_its_edges, start, stop),
		cmocka_unit_test_setup_teardown(count_sum_and_extremes_are_exact, start, stop),
		cmocka_unit_test_setup_teardown(merging_is_adding, start, stop),
		cmocka_unit_test_setup_teardown(empty, start, stop),
		cmocka_unit_test_setup_teardown(refusals_are_counted, start, stop),
		cmocka_unit_test_setup_teardown(no_room_for_many, start, stop),
		cmocka_unit_test_setup_teardown(counters_that_run_full, start, stop),
		cmocka_unit_test_setup_teardown(the_step_to_many_is_invisible, start, stop),
		cmocka_unit_test_setup_teardown(histograms_do_not_mix, start, stop),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
