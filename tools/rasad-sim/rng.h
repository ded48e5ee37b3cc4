/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Random numbers: splitmix64 (Steele, Lea, Flood 2014), eight bytes of state.
 *
 * Every line and fault owns a stream of its own, derived from the seed, what it is for and a
 * number, so that a change in one of them leaves the others as they were.
 */
#ifndef RASAD_SIM_RNG_H
#define RASAD_SIM_RNG_H

#include <stdbool.h>
#include <stdint.h>

struct rng {
	uint64_t state;
};

enum rng_stream {
	RNG_WORLD = 1,
	RNG_TOPOLOGY,
	RNG_LINE,
	RNG_LIFE,
	RNG_HOUR,
	RNG_NIGHT,
	RNG_IDLE,
	RNG_PLAN,
	RNG_HIT,
	RNG_INVENTORY,
	RNG_CALL,
};

uint64_t rng_hash(uint64_t a, uint64_t b);
struct rng rng_make(uint64_t seed, enum rng_stream stream, uint64_t number);

uint64_t rng_next(struct rng *r);
double rng_unit(struct rng *r); /* [0, 1) */
bool rng_chance(struct rng *r, double p);
uint32_t rng_below(struct rng *r, uint32_t n); /* [0, n), n > 0 */
double rng_range(struct rng *r, double low, double high);
double rng_normal(struct rng *r, double mean, double sigma);
double rng_lognormal(struct rng *r, double median, double sigma);
double rng_exponential(struct rng *r, double mean);
/* An index below n, each as likely as its weight says. */
uint32_t rng_pick(struct rng *r, const double *weights, uint32_t n);

#endif
