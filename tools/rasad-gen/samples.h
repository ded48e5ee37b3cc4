/* SPDX-License-Identifier: BSD-3-Clause */
/* A bag of delays, kept whole so that the quantiles in the truth are exact. */
#ifndef RASAD_GEN_SAMPLES_H
#define RASAD_GEN_SAMPLES_H

#include <stdint.h>

struct samples {
	uint32_t *tenth_us; /* units of 100 ns: up to 429 s in four bytes */
	uint32_t n, capacity;
};

struct sample_stats {
	uint32_t n;
	double min_us, p50_us, mean_us, p90_us, p95_us, p99_us, max_us;
};

void samples_add(struct samples *s, uint64_t ns);
/* The statistics by the nearest-rank rule; sorts the bag. */
struct sample_stats samples_stats(struct samples *s);
void samples_fini(struct samples *s);

#endif
