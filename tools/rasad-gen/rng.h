/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Random numbers: splitmix64 (Steele, Lea, Flood 2014), eight bytes of state.
 *
 * Every host, link and flow owns a stream of its own, derived from the seed and a number, so that
 * a change in one of them leaves the others as they were.
 */
#ifndef RASAD_GEN_RNG_H
#define RASAD_GEN_RNG_H

#include <stdbool.h>
#include <stdint.h>

struct rng {
	uint64_t state;
};

/* The kinds of stream, so that flow 3 and line 3 do not draw the same numbers. */
enum rng_stream {
	RNG_LINE = 1,
	RNG_FLOW,
	RNG_LINK,
	RNG_PLAN,
	RNG_SUBSCRIBER,
	RNG_SERVER,
};

/* A well-mixed function of two numbers; the source of noise that must be a function of time. */
uint64_t rng_hash(uint64_t a, uint64_t b);
struct rng rng_make(uint64_t seed, enum rng_stream kind, uint64_t number);

uint64_t rng_next(struct rng *r);
double rng_unit(struct rng *r); /* [0, 1) */
bool rng_chance(struct rng *r, double p);
uint64_t rng_below(struct rng *r, uint64_t n); /* [0, n), n > 0 */
double rng_range(struct rng *r, double low, double high);
double rng_lognormal(struct rng *r, double median, double sigma);
double rng_exponential(struct rng *r, double mean);

#endif
