/* SPDX-License-Identifier: BSD-3-Clause */
#include "engine/base/hist.h"

#include <stdbool.h>
#include <stddef.h>
#include <string.h>

#include "engine/base/fetch.h"

/* An index with this bit is one of `many`, any other one of `few`. */
#define MANY (1u << 31)

struct few {
	uint32_t n;
	uint32_t value[HIST_FEW];
};
_Static_assert(sizeof(struct few) == 64, "one cache line");

struct many {
	uint64_t n, sum;
	uint32_t min, max;
	uint32_t octave[HIST_OCTAVES]; /* pool index of uint32_t[HIST_SUB], 0: empty */
};

void hist_pools_init(struct hist_pools *pools, uint32_t limit)
{
	pool_init(&pools->few, sizeof(struct few), limit);
	pool_init(&pools->many, sizeof(struct many), limit);
	pool_init(&pools->octaves, HIST_SUB * sizeof(uint32_t),
		  limit < UINT32_MAX / 4 ? limit * 4 : limit);
}

void hist_pools_fini(struct hist_pools *pools)
{
	pool_fini(&pools->few);
	pool_fini(&pools->many);
	pool_fini(&pools->octaves);
}

uint64_t hist_pools_refused(const struct hist_pools *pools)
{
	return pools->few.refused + pools->many.refused + pools->octaves.refused;
}

/* Values below 32 fill octave 0 linearly; from there each octave has 32 equal buckets. */
static uint32_t bucket_of(uint32_t ticks)
{
	uint32_t octave = ticks < HIST_SUB ? 0 : 27u - (uint32_t)__builtin_clz(ticks);
	if (octave == 0)
		return ticks;
	return octave * HIST_SUB + (ticks >> (octave - 1)) - HIST_SUB;
}

static double bucket_low(uint32_t bucket)
{
	uint32_t octave = bucket / HIST_SUB, sub = bucket % HIST_SUB;
	return octave == 0 ? sub : (double)((uint64_t)(HIST_SUB + sub) << (octave - 1));
}

static struct many *many_at(const struct hist_pools *pools, uint32_t index)
{
	return pool_at(&pools->many, index & ~MANY);
}

static void count(struct hist_pools *pools, struct many *h, uint32_t ticks)
{
	uint32_t bucket = bucket_of(ticks), octave = bucket / HIST_SUB, *counts;
	if (!h->octave[octave]) {
		h->octave[octave] = pool_take(&pools->octaves);
		if (!h->octave[octave])
			return;
		memset(pool_at(&pools->octaves, h->octave[octave]), 0, HIST_SUB * sizeof *counts);
	}
	counts = pool_at(&pools->octaves, h->octave[octave]);
	counts[bucket % HIST_SUB]++;
	h->n++;
	h->sum += ticks;
	if (ticks < h->min)
		h->min = ticks;
	if (ticks > h->max)
		h->max = ticks;
}

/* The few have become many. False: no room, they stay few. */
static bool promote(struct hist_pools *pools, uint32_t *index)
{
	const struct few *few = pool_at(&pools->few, *index);
	uint32_t fresh = pool_take(&pools->many);
	if (!fresh)
		return false;
	*many_at(pools, fresh) = (struct many){.min = UINT32_MAX};
	for (uint32_t i = 0; i < few->n; i++)
		count(pools, many_at(pools, fresh), few->value[i]);
	pool_give(&pools->few, *index);
	*index = fresh | MANY;
	return true;
}

void hist_add(struct hist_pools *pools, uint32_t *index, uint32_t ticks)
{
	struct few *few;
	if (!*index) {
		*index = pool_take(&pools->few);
		if (!*index)
			return;
		((struct few *)pool_at(&pools->few, *index))->n = 0;
	}
	if (!(*index & MANY)) {
		few = pool_at(&pools->few, *index);
		if (few->n < HIST_FEW) {
			few->value[few->n++] = ticks;
			return;
		}
		if (!promote(pools, index))
			return;
	}
	count(pools, many_at(pools, *index), ticks);
}

void hist_fetch(const struct hist_pools *pools, uint32_t index, uint32_t ticks)
{
	if (index & MANY) {
		const struct many *h = many_at(pools, index);
		fetch_line(h);
		fetch_line(&h->octave[bucket_of(ticks) / HIST_SUB]);
	} else if (index) {
		fetch_line(pool_at(&pools->few, index));
	}
}

void hist_fetch_counter(const struct hist_pools *pools, uint32_t index, uint32_t ticks)
{
	uint32_t bucket = bucket_of(ticks), block;
	if (!(index & MANY))
		return;
	block = many_at(pools, index)->octave[bucket / HIST_SUB];
	if (block)
		fetch_line((const uint32_t *)pool_at(&pools->octaves, block) + bucket % HIST_SUB);
}

void hist_free(struct hist_pools *pools, uint32_t *index)
{
	if (*index & MANY) {
		const struct many *h = many_at(pools, *index);
		for (uint32_t o = 0; o < HIST_OCTAVES; o++)
			if (h->octave[o])
				pool_give(&pools->octaves, h->octave[o]);
		pool_give(&pools->many, *index & ~MANY);
	} else if (*index) {
		pool_give(&pools->few, *index);
	}
	*index = 0;
}

static void extend(struct hist_sum *sum, uint32_t min, uint32_t max)
{
	if (sum->n == 0 || min < sum->min)
		sum->min = min;
	if (max > sum->max)
		sum->max = max;
}

static void sum_few(struct hist_sum *sum, const struct few *few)
{
	for (uint32_t i = 0; i < few->n; i++) {
		extend(sum, few->value[i], few->value[i]);
		sum->bucket[bucket_of(few->value[i])]++;
		sum->n++;
		sum->sum += few->value[i];
	}
}

static void sum_many(struct hist_sum *sum, const struct hist_pools *pools, const struct many *h)
{
	if (h->n)
		extend(sum, h->min, h->max);
	sum->n += h->n;
	sum->sum += h->sum;
	for (uint32_t o = 0; o < HIST_OCTAVES; o++) {
		const uint32_t *counts;
		if (!h->octave[o])
			continue;
		counts = pool_at(&pools->octaves, h->octave[o]);
		for (uint32_t i = 0; i < HIST_SUB; i++)
			sum->bucket[o * HIST_SUB + i] += counts[i];
	}
}

void hist_sum_add(struct hist_sum *sum, const struct hist_pools *pools, uint32_t index)
{
	if (index & MANY)
		sum_many(sum, pools, many_at(pools, index));
	else if (index)
		sum_few(sum, pool_at(&pools->few, index));
}

void hist_sum_clear(struct hist_sum *sum)
{
	uint32_t from = bucket_of(sum->min), to = bucket_of(sum->max);
	if (sum->n)
		memset(sum->bucket + from, 0, (to + 1 - from) * sizeof *sum->bucket);
	sum->n = sum->sum = 0;
	sum->min = sum->max = 0;
}

/* The value of a rank that falls into bucket `b`, behind `before` others. Nothing was counted below
 * the smallest value, nor above the largest. */
static double value_in(const struct hist_sum *sum, uint32_t b, double before, double rank)
{
	double low = bucket_low(b), high = bucket_low(b + 1);
	double value = low + (high - low) * (rank - before + 0.5) / (double)sum->bucket[b];
	if (value < sum->min)
		return sum->min;
	return value > sum->max ? sum->max : value;
}

void hist_sum_quantiles(const struct hist_sum *sum, const double *q, double *values, uint32_t n)
{
	double before = 0, last = (double)(sum->n ? sum->n - 1 : 0);
	uint32_t i = 0;
	for (uint32_t b = bucket_of(sum->min); b <= bucket_of(sum->max) && i < n; b++) {
		double counted = (double)sum->bucket[b];
		if (sum->bucket[b] == 0)
			continue;
		for (; i < n && before + counted > q[i] * last; i++)
			values[i] = value_in(sum, b, before, q[i] * last);
		before += counted;
	}
	for (; i < n; i++)
		values[i] = sum->max;
}
