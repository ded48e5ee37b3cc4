/* SPDX-License-Identifier: BSD-3-Clause */
#include "tools/rasad-gen/load_pick.h"

#include <math.h>

#define SAME 1e-9 /* an exponent as near to 1 as this is 1 */

/* The integral of x^-exponent, and its inverse. */
static double integral(const struct load_pick *p, double x)
{
	if (fabs(p->one_less) < SAME)
		return log(x);
	return (pow(x, p->one_less) - 1) / p->one_less;
}

static double inverse(const struct load_pick *p, double y)
{
	if (fabs(p->one_less) < SAME)
		return exp(y);
	return pow(1 + y * p->one_less, 1 / p->one_less);
}

static uint32_t zipf(struct load_pick *p)
{
	for (;;) {
		double y = p->low + p->range * rng_unit(&p->rng);
		double x = inverse(p, y), k = floor(x + 0.5);

		k = k < 1 ? 1 : k > p->n ? p->n : k;
		if (k - x <= p->squeeze || y >= integral(p, k + 0.5) - pow(k, -p->exponent))
			return (uint32_t)k - 1;
	}
}

static uint32_t draw(struct load_pick *p)
{
	if (p->stay > 0 && rng_chance(&p->rng, p->stay))
		return p->last;
	p->last = p->exponent > 0 ? zipf(p) : (uint32_t)rng_below(&p->rng, p->n);
	__builtin_prefetch(p->flows + (uint64_t)p->last * p->flow_bytes, 1);
	return p->last;
}

void load_pick_init(struct load_pick *p, struct rng rng, uint32_t n, double exponent, double train)
{
	*p = (struct load_pick){
		.rng = rng,
		.n = n,
		.exponent = exponent,
		.one_less = 1 - exponent,
		.stay = 0,
	};
	p->low = integral(p, n + 0.5);
	p->range = integral(p, 1.5) - 1 - p->low;
	p->squeeze = 2 - inverse(p, integral(p, 2.5) - pow(2, -exponent));
	p->last = exponent > 0 ? zipf(p) : (uint32_t)rng_below(&p->rng, n);
	p->stay = 1 - 1 / train;
}

void load_pick_flows(struct load_pick *p, const void *flows, uint32_t flow_bytes)
{
	p->flows = flows;
	p->flow_bytes = flow_bytes;
	for (uint32_t i = 0; i < LOAD_PICKS_AHEAD; i++)
		p->ahead[i] = draw(p);
}

uint32_t load_pick_next(struct load_pick *p)
{
	uint32_t flow = p->ahead[p->at];

	p->ahead[p->at] = draw(p);
	p->at = (p->at + 1) % LOAD_PICKS_AHEAD;
	return flow;
}
