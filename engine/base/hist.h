/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A mergeable log-linear histogram of latencies: 32 buckets an octave, so a value is known to
 * 1.6 % (half of that after interpolation), with exact count, sum, minimum and maximum.
 *
 * Values are ticks of HIST_TICK_NS. A million lines have few samples each: the first HIST_FEW
 * values are kept as they are, in one cache line, and only then counted. An octave takes its counters
 * with its first value, a byte each, and wider ones when a byte is full: the latencies of one line
 * span a few octaves, and are 64 + 32 bytes for each. One thread only.
 */
#ifndef RASAD_ENGINE_BASE_HIST_H
#define RASAD_ENGINE_BASE_HIST_H

#include <stdint.h>

#include "engine/base/pool.h"

enum { HIST_TICK_NS = 128, HIST_SUB = 32, HIST_OCTAVES = 28, HIST_FEW = 15 };

/* All pools are shared by many histograms. */
struct hist_pools {
	struct pool few, many, bytes, words; /* values; octaves; their counters */
};

/* A histogram in the open, for summing and reading. */
struct hist_sum {
	uint64_t n, sum;
	uint32_t min, max;
	uint64_t bucket[HIST_OCTAVES * HIST_SUB];
};

/* `limit`: histograms at most. */
void hist_pools_init(struct hist_pools *pools, uint32_t limit);
void hist_pools_fini(struct hist_pools *pools);

/* Values that a pool had no room for. */
uint64_t hist_pools_refused(const struct hist_pools *pools);

/* Adds a value to the histogram *index, which is taken from the pool when it is 0. A refusal is
 * counted by the pool and loses this one value. */
void hist_add(struct hist_pools *pools, uint32_t *index, uint32_t ticks);

/* Ask for what hist_add of this histogram will touch: first the histogram, then, when it has come,
 * the counter of the value. Many values added one by one would each wait for memory twice. */
void hist_fetch(const struct hist_pools *pools, uint32_t index);
void hist_fetch_counter(const struct hist_pools *pools, uint32_t index, uint32_t ticks);

/* Adds histogram `index` (0: nothing) to *sum. */
void hist_sum_add(struct hist_sum *sum, const struct hist_pools *pools, uint32_t index);

/* Makes *sum zeros again: what was counted lies between its smallest and its largest value. */
void hist_sum_clear(struct hist_sum *sum);

/* Gives the histogram back; *index is 0 then. */
void hist_free(struct hist_pools *pools, uint32_t *index);

/* The quantiles q[0] <= q[1]... (0..1) in ticks, interpolated inside their buckets; 0 when empty. */
void hist_sum_quantiles(const struct hist_sum *sum, const double *q, double *values, uint32_t n);

#endif
