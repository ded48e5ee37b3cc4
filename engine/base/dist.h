/* SPDX-License-Identifier: BSD-3-Clause */
/* A distribution of latencies, as it is told: microseconds; n == 0 means that nothing was
 * measured. */
#ifndef RASAD_ENGINE_BASE_DIST_H
#define RASAD_ENGINE_BASE_DIST_H

#include <stdint.h>

#include "engine/base/hist.h"

struct dist {
	uint64_t n;
	double min_us, p50_us, p90_us, p95_us, p99_us, max_us, mean_us;
};

/* From a histogram sum. */
struct dist dist_of_hist(const struct hist_sum *sum);

/* From `n` values in ticks, sorted ascending. */
struct dist dist_of_sorted(const uint32_t *ticks, uint64_t n);

#endif
