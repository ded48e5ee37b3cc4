/* SPDX-License-Identifier: BSD-3-Clause */
#include "engine/base/hist.h"

#include <stddef.h>
#include <string.h>

void hist_pools_init(struct hist_pools *pools, uint32_t limit)
{
	pool_init(&pools->hists, sizeof(struct hist), limit);
	pool_init(&pools->octaves, HIST_SUB * sizeof(uint32_t),
		  limit < UINT32_MAX / 4 ? limit * 4 : limit);
}

void hist_pools_fini(struct hist_pools *pools)
{
	pool_fini(&pools->hists);
	pool_fini(&pools->octaves);
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

static struct hist *open_hist(struct hist_pools *pools, uint32_t *index)
{
	struct hist *h;
	if (*index)
		return pool_at(&pools->hists, *index);
	*index = pool_take(&pools->hists);
	if (!*index)
		return NULL;
	h = pool_at(&pools->hists, *index);
	*h = (struct hist){.min = UINT32_MAX};
	return h;
}

void hist_add(struct hist_pools *pools, uint32_t *index, uint32_t ticks)
{
	struct hist *h = open_hist(pools, index);
	uint32_t bucket = bucket_of(ticks), octave = bucket / HIST_SUB, *counts;
	if (!h)
		return;
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

void hist_sum_add(struct hist_sum *sum, const struct hist_pools *pools, uint32_t index)
{
	const struct hist *h;
	if (!index)
		return;
	h = pool_at(&pools->hists, index);
	if (h->n && (sum->n == 0 || h->min < sum->min))
		sum->min = h->min;
	if (h->max > sum->max)
		sum->max = h->max;
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

double hist_sum_quantile(const struct hist_sum *sum, double q)
{
	double rank = q * (double)(sum->n ? sum->n - 1 : 0), before = 0;
	for (uint32_t b = 0; b < HIST_OCTAVES * HIST_SUB; b++) {
		double n = (double)sum->bucket[b], low, high, value;
		if (n == 0 || before + n <= rank) {
			before += n;
			continue;
		}
		low = bucket_low(b);
		high = bucket_low(b + 1);
		value = low + (high - low) * (rank - before + 0.5) / n;
		if (value < sum->min)
			return sum->min;
		return value > sum->max ? sum->max : value;
	}
	return sum->max;
}
