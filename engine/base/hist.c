/* SPDX-License-Identifier: BSD-3-Clause */
#include "engine/base/hist.h"

#include <stdbool.h>
#include <stddef.h>
#include <string.h>

#include "engine/base/fetch.h"

/* In the index of a histogram: it is one of `many`, and not of `few`. In that of an octave's counters:
 * they are `words`, and not `bytes`. */
#define LARGE (1u << 31)

struct few {
	uint32_t n;
	uint32_t value[HIST_FEW];
};
_Static_assert(sizeof(struct few) == 64, "one cache line");

enum { PART_OCTAVES = 10, PARTS = 3 };

/* Octaves come in parts: 0.5 to 540 ms, which is all that most lines have, then below, then above. */
static const struct part {
	uint8_t first, n;
} parts[PARTS] = {{8, PART_OCTAVES}, {0, 8}, {18, PART_OCTAVES}};

/* One part of a histogram; the first one counts for all. */
struct many {
	uint64_t sum;
	uint32_t n, min, max;
	uint32_t next; /* part: pool index, 0: nothing was counted there or behind */
	uint32_t octave[PART_OCTAVES]; /* index of its counters, 0: nothing was counted */
};
_Static_assert(sizeof(struct many) == 64, "one cache line");

void hist_pools_init(struct hist_pools *pools, uint32_t limit)
{
	uint32_t more = limit < UINT32_MAX / 8 ? limit * 4 : limit;
	pool_init(&pools->few, sizeof(struct few), limit);
	pool_init(&pools->many, sizeof(struct many), more);
	pool_init(&pools->bytes, HIST_SUB, more);
	pool_init(&pools->words, HIST_SUB * sizeof(uint32_t), more);
}

void hist_pools_fini(struct hist_pools *pools)
{
	pool_fini(&pools->few);
	pool_fini(&pools->many);
	pool_fini(&pools->bytes);
	pool_fini(&pools->words);
}

uint64_t hist_pools_refused(const struct hist_pools *pools)
{
	return pools->few.refused + pools->many.refused + pools->bytes.refused +
	       pools->words.refused;
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
	return pool_at(&pools->many, index & ~LARGE);
}

static uint32_t part_of(uint32_t octave)
{
	return octave < parts[0].first ? 1 : octave < parts[2].first ? 0 : 2;
}

static uint32_t take_many(struct hist_pools *pools)
{
	uint32_t index = pool_take(&pools->many);
	if (index)
		*many_at(pools, index) = (struct many){.min = UINT32_MAX};
	return index;
}

/* The part that counts the octave, taken if it is not there; NULL: no room. */
static struct many *need_part(struct hist_pools *pools, struct many *h, uint32_t octave)
{
	for (uint32_t i = part_of(octave); i > 0; i--) {
		if (!h->next)
			h->next = take_many(pools);
		if (!h->next)
			return NULL;
		h = many_at(pools, h->next);
	}
	return h;
}

/* The octave's bytes become words. False: no room. */
static bool widen(struct hist_pools *pools, uint32_t *octave)
{
	const uint8_t *bytes = pool_at(&pools->bytes, *octave);
	uint32_t index = pool_take(&pools->words), *words;
	if (!index)
		return false;
	words = pool_at(&pools->words, index);
	for (uint32_t i = 0; i < HIST_SUB; i++)
		words[i] = bytes[i];
	pool_give(&pools->bytes, *octave);
	*octave = index | LARGE;
	return true;
}

/* False: no room. */
static bool count_one(struct hist_pools *pools, uint32_t *octave, uint32_t sub)
{
	uint8_t *bytes;
	if (!*octave) {
		*octave = pool_take(&pools->bytes);
		if (!*octave)
			return false;
		memset(pool_at(&pools->bytes, *octave), 0, HIST_SUB);
	}
	if (!(*octave & LARGE)) {
		bytes = pool_at(&pools->bytes, *octave);
		if (bytes[sub] < UINT8_MAX) {
			bytes[sub]++;
			return true;
		}
		if (!widen(pools, octave))
			return false;
	}
	((uint32_t *)pool_at(&pools->words, *octave & ~LARGE))[sub]++;
	return true;
}

static void count(struct hist_pools *pools, struct many *h, uint32_t ticks)
{
	uint32_t bucket = bucket_of(ticks), octave = bucket / HIST_SUB;
	struct many *part;
	if (h->n == UINT32_MAX) {
		pools->many.refused++;
		return;
	}
	part = need_part(pools, h, octave);
	if (!part || !count_one(pools, &part->octave[octave - parts[part_of(octave)].first],
				bucket % HIST_SUB))
		return;
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
	uint32_t fresh = take_many(pools);
	if (!fresh)
		return false;
	for (uint32_t i = 0; i < few->n; i++)
		count(pools, many_at(pools, fresh), few->value[i]);
	pool_give(&pools->few, *index);
	*index = fresh | LARGE;
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
	if (!(*index & LARGE)) {
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

void hist_fetch(const struct hist_pools *pools, uint32_t index)
{
	if (index & LARGE)
		fetch_line(many_at(pools, index));
	else if (index)
		fetch_line(pool_at(&pools->few, index));
}

void hist_fetch_counter(const struct hist_pools *pools, uint32_t index, uint32_t ticks)
{
	uint32_t bucket = bucket_of(ticks), octave = bucket / HIST_SUB, block;
	const struct many *h;
	if (!(index & LARGE))
		return;
	h = many_at(pools, index);
	if (part_of(octave) != 0) { /* seldom: only the way there */
		if (h->next)
			fetch_line(many_at(pools, h->next));
		return;
	}
	block = h->octave[octave - parts[0].first];
	if (block & LARGE)
		fetch_line((const uint32_t *)pool_at(&pools->words, block & ~LARGE) +
			   bucket % HIST_SUB);
	else if (block)
		fetch_line(pool_at(&pools->bytes, block));
}

static void free_octave(struct hist_pools *pools, uint32_t octave)
{
	if (octave & LARGE)
		pool_give(&pools->words, octave & ~LARGE);
	else if (octave)
		pool_give(&pools->bytes, octave);
}

void hist_free(struct hist_pools *pools, uint32_t *index)
{
	if (!(*index & LARGE) && *index)
		pool_give(&pools->few, *index);
	for (uint32_t i = *index & LARGE ? *index & ~LARGE : 0, next; i; i = next) {
		const struct many *h = many_at(pools, i);
		next = h->next;
		for (uint32_t o = 0; o < PART_OCTAVES; o++)
			free_octave(pools, h->octave[o]);
		pool_give(&pools->many, i);
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

static void sum_octave(uint64_t *buckets, const struct hist_pools *pools, uint32_t octave)
{
	if (octave & LARGE) {
		const uint32_t *words = pool_at(&pools->words, octave & ~LARGE);
		for (uint32_t i = 0; i < HIST_SUB; i++)
			buckets[i] += words[i];
	} else if (octave) {
		const uint8_t *bytes = pool_at(&pools->bytes, octave);
		for (uint32_t i = 0; i < HIST_SUB; i++)
			buckets[i] += bytes[i];
	}
}

static void sum_many(struct hist_sum *sum, const struct hist_pools *pools, const struct many *h)
{
	if (h->n)
		extend(sum, h->min, h->max);
	sum->n += h->n;
	sum->sum += h->sum;
	for (uint32_t i = 0; h; h = h->next ? many_at(pools, h->next) : NULL, i++)
		for (uint32_t o = 0; o < parts[i].n; o++)
			sum_octave(sum->bucket + (parts[i].first + o) * HIST_SUB, pools,
				   h->octave[o]);
}

void hist_sum_add(struct hist_sum *sum, const struct hist_pools *pools, uint32_t index)
{
	if (index & LARGE)
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
