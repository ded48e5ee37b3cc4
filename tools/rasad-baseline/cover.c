/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * B4: greedy set cover in the manner of SCORE (Kompella et al., NSDI 2005) on the likelihood ratio
 * of each group, with what an open incident explains left out.
 */
#include "tools/rasad-baseline/baseline.h"

#include <math.h>

#define K_MIN	       5
#define T	       6.0 /* -log10 of the Poisson tail */
#define ROUNDS	       12
#define CLEAR_SHARE    0.2
#define LIFE_NS	       (4 * 3600 * 1000000000ull)
#define RATE_FIRST     (1.0 / 86400) /* of a line, until it is learnt */
#define FIRST_WEIGHT_S 1e6

static double expected(const struct baseline *b, uint32_t g)
{
	double rate =
		(b->bad_events + RATE_FIRST * FIRST_WEIGHT_S) / (b->line_seconds + FIRST_WEIGHT_S);

	return b->groups.at[g].members * rate * (WINDOW_NS / 1e9);
}

/* -log10 P[Poisson(mu) >= k], by its largest term and the geometric series that bounds the rest. */
static double tail(double mu, double k)
{
	double first = -mu + k * log(mu) - lgamma(k + 1);

	return k <= mu ? 0 : -(first - log(1 - mu / (k + 1))) / M_LN10;
}

static double likelihood_ratio(const struct baseline *b, uint32_t g)
{
	double n = b->groups.at[g].members, k = b->fresh_free[g], p = expected(b, g) / n, f = k / n;

	if (k < K_MIN || k > n || f <= p || tail(p * n, k) < T)
		return 0;
	return k * log(f / p) + (k < n ? (n - k) * log((1 - f) / (1 - p)) : 0);
}

static bool is_member(const struct baseline *b, uint32_t line, uint32_t group)
{
	const uint32_t *groups = &b->groups.of_line[(size_t)line * b->groups.columns];

	for (uint32_t c = 0; c < b->groups.columns; c++)
		if (groups[c] == group)
			return true;
	return false;
}

static void explain(struct baseline *b, uint32_t group)
{
	for (size_t i = 0; i < b->fresh_n; i++) {
		uint32_t line = fresh_at(b, i);
		const uint32_t *groups;

		if (line == NONE || b->explained[line] || !is_member(b, line, group))
			continue;
		b->explained[line] = true;
		groups = &b->groups.of_line[(size_t)line * b->groups.columns];
		for (uint32_t c = 0; c < b->groups.columns; c++)
			if (groups[c] != NONE)
				b->fresh_free[groups[c]]--;
	}
}

/* It is over when four of five of its lines are back, or it would stay for ever. */
static void follow(struct baseline *b, uint32_t g)
{
	struct incident *open = &b->open[B4][g];

	if (!open->number)
		return;
	if (b->bad[g] > open->peak && b->now_ns < open->open_ns + WINDOW_NS)
		open->peak = b->bad[g];
	if (b->bad[g] < open->before + CLEAR_SHARE * (open->peak - open->before) ||
	    b->now_ns > open->open_ns + LIFE_NS)
		incident_clear(b, B4, g);
}

void cover_tick(struct baseline *b)
{
	for (int round = 0; round < ROUNDS; round++) {
		uint32_t best = NONE;
		double most = 0;

		for (uint32_t i = 0; i < b->n_large; i++) {
			uint32_t g = b->large[i];
			double ratio = b->fresh_free[g] >= K_MIN ? likelihood_ratio(b, g) : 0;

			if (ratio > most) {
				most = ratio;
				best = g;
			}
		}
		if (best == NONE)
			break;
		incident_open(b, B4, best, b->fresh_free[best]);
		explain(b, best);
	}
	for (uint32_t i = 0; i < b->n_large; i++)
		follow(b, b->large[i]);
}
