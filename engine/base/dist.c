/* SPDX-License-Identifier: BSD-3-Clause */
#include "engine/base/dist.h"

static const double US = HIST_TICK_NS / 1000.0;

struct dist dist_of_hist(const struct hist_sum *s)
{
	static const double q[] = {0.50, 0.90, 0.95, 0.99};
	double ticks[4];
	if (s->n == 0)
		return (struct dist){0};
	hist_sum_quantiles(s, q, ticks, 4);
	return (struct dist){
		.n = s->n,
		.min_us = s->min * US,
		.p50_us = ticks[0] * US,
		.p90_us = ticks[1] * US,
		.p95_us = ticks[2] * US,
		.p99_us = ticks[3] * US,
		.max_us = s->max * US,
		.mean_us = (double)s->sum / (double)s->n * US,
	};
}

/* Linear between the two nearest ranks. */
static double quantile(const uint32_t *v, uint64_t n, double q)
{
	double rank = q * (double)(n - 1);
	uint64_t i = (uint64_t)rank;
	double part = rank - (double)i;
	return i + 1 < n ? v[i] + part * ((double)v[i + 1] - v[i]) : v[i];
}

struct dist dist_of_sorted(const uint32_t *v, uint64_t n)
{
	double sum = 0;
	if (n == 0)
		return (struct dist){0};
	for (uint64_t i = 0; i < n; i++)
		sum += v[i];
	return (struct dist){
		.n = n,
		.min_us = v[0] * US,
		.p50_us = quantile(v, n, 0.50) * US,
		.p90_us = quantile(v, n, 0.90) * US,
		.p95_us = quantile(v, n, 0.95) * US,
		.p99_us = quantile(v, n, 0.99) * US,
		.max_us = v[n - 1] * US,
		.mean_us = sum / (double)n * US,
	};
}
