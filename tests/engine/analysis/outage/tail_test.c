/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The tail against the table of thresholds that was computed for binomial counts (algorithms.md
 * 2.3.4): how many of n lines must fail before T is reached, when twice the usual share is allowed.
 * A Poisson count is a little wider than a binomial one, so its threshold is the same or a little
 * higher, never lower: those cells have both numbers, each computed by other means.
 */
#include "engine/analysis/outage/tail.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#define SHARES 3
#define LEVELS 2

static const double share[SHARES] = {0.0005, 0.002, 0.01}, level[LEVELS] = {6, 8};

static const struct row {
	int n, binomial[SHARES][LEVELS], poisson[SHARES][LEVELS];
} rows[] = {
	{32, {{4, 5}, {5, 6}, {8, 9}}, {{4, 5}, {5, 6}, {8, 10}}},
	{48, {{4, 5}, {6, 7}, {9, 11}}, {{4, 5}, {6, 7}, {9, 11}}},
	{384, {{7, 8}, {11, 13}, {25, 28}}, {{7, 8}, {11, 14}, {25, 29}}},
	{1024, {{10, 12}, {18, 21}, {46, 51}}, {{10, 12}, {18, 21}, {46, 52}}},
	{4000, {{18, 20}, {39, 44}, {126, 135}}, {{18, 21}, {39, 44}, {127, 136}}},
	{60000, {{101, 109}, {318, 333}, {1367, 1398}}, {{101, 109}, {318, 333}, {1369, 1400}}},
};
enum { N_ROWS = sizeof rows / sizeof *rows };

/* -log10 P[Binomial(n, p) >= k], by its terms. */
static double binomial_neg_log10(int k, int n, double p)
{
	long double first = lgammal(n + 1) - lgammal(k + 1) - lgammal(n - k + 1) + k * logl(p) +
			    (n - k) * log1pl(-p);
	long double sum = 0, term = 1;
	for (int i = k; i <= n && term > 1e-18L; i++) {
		sum += term;
		term *= (long double)(n - i) / (i + 1) * p / (1 - p);
	}
	return (double)(-(first + logl(sum)) / logl(10));
}

static void every_cell_of_the_table(void **state)
{
	(void)state;
	for (int r = 0; r < N_ROWS; r++)
		for (int s = 0; s < SHARES; s++)
			for (int t = 0; t < LEVELS; t++) {
				int n = rows[r].n, exact = rows[r].binomial[s][t];
				int k = rows[r].poisson[s][t];
				double p = 2 * share[s], mu = n * p;
				assert_true(binomial_neg_log10(exact, n, p) >= level[t]);
				assert_true(binomial_neg_log10(exact - 1, n, p) < level[t]);
				assert_true(tail_neg_log10(k, mu) >= level[t]);
				assert_true(tail_neg_log10(k - 1, mu) < level[t]);
				assert_in_range(k - exact, 0, 2);
			}
}

static void is_a_probability(void **state)
{
	(void)state;
	assert_true(tail_neg_log10(0, 0) == 0);
	assert_true(tail_neg_log10(3, 3) == 0 && tail_neg_log10(2, 3) == 0);
	assert_true(isinf(tail_neg_log10(1, 0)));
	/* P[Poisson(1) >= 2] = 1 - 2/e */
	assert_float_equal(tail_neg_log10(2, 1), -log10(1 - 2 / exp(1)), 1e-9);
	for (double mu = 0.001; mu < 1e5; mu *= 7) { /* quarters of a line count too */
		double last = 0;
		for (double k = ceil(mu) + 1; k < 3 * mu + 20; k += fmax(0.25, mu / 40)) {
			double now = tail_neg_log10(k, mu);
			assert_true(isfinite(now) && now > last);
			last = now;
		}
	}
}

static void likelihood_ratio(void **state)
{
	(void)state;
	assert_true(tail_llr(1, 10, 0.1) == 0 && tail_llr(0, 10, 0.1) == 0 &&
		    tail_llr(0, 0, 0.1) == 0);
	assert_float_equal(tail_llr(10, 10, 0.001), 10 * log(1000), 1e-9);
	assert_float_equal(tail_llr(12, 10, 0.001), 12 * log(1000), 1e-9);
	assert_float_equal(tail_llr(5, 10, 0.1), 5 * log(5) + 5 * log(0.5 / 0.9), 1e-9);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_cell_of_the_table),
		cmocka_unit_test(is_a_probability),
		cmocka_unit_test(likelihood_ratio),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
