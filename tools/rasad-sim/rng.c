/* SPDX-License-Identifier: BSD-3-Clause */
#include "tools/rasad-sim/rng.h"

#include <math.h>

#define GOLDEN 0x9e3779b97f4a7c15u

static uint64_t mix(uint64_t z)
{
	z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
	z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
	return z ^ (z >> 31);
}

uint64_t rng_hash(uint64_t a, uint64_t b)
{
	return mix(mix(a + GOLDEN) ^ (b * 0xd1342543de82ef95u + 1));
}

struct rng rng_make(uint64_t seed, enum rng_stream stream, uint64_t number)
{
	return (struct rng){.state = rng_hash(rng_hash(seed, stream), number)};
}

uint64_t rng_next(struct rng *r)
{
	r->state += GOLDEN;
	return mix(r->state);
}

double rng_unit(struct rng *r)
{
	return (double)(rng_next(r) >> 11) * 0x1p-53;
}

bool rng_chance(struct rng *r, double p)
{
	return p > 0 && rng_unit(r) < p;
}

uint32_t rng_below(struct rng *r, uint32_t n)
{
	return (uint32_t)(((rng_next(r) >> 32) * n) >> 32);
}

double rng_range(struct rng *r, double low, double high)
{
	return low + (high - low) * rng_unit(r);
}

double rng_normal(struct rng *r, double mean, double sigma)
{
	double u = 1.0 - rng_unit(r), v = rng_unit(r);

	return mean + sigma * sqrt(-2.0 * log(u)) * cos(2.0 * M_PI * v);
}

double rng_lognormal(struct rng *r, double median, double sigma)
{
	return median * exp(rng_normal(r, 0, sigma));
}

double rng_exponential(struct rng *r, double mean)
{
	return -mean * log(1.0 - rng_unit(r));
}

uint32_t rng_pick(struct rng *r, const double *weights, uint32_t n)
{
	double sum = 0, at;
	uint32_t i = 0;

	for (uint32_t j = 0; j < n; j++)
		sum += weights[j];
	at = rng_unit(r) * sum;
	for (; i + 1 < n && at >= weights[i]; i++)
		at -= weights[i];
	return i;
}
