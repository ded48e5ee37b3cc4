/* SPDX-License-Identifier: BSD-3-Clause */
/* B3: drops of five minutes against the moving mean and variance of the node's own. */
#include "tools/rasad-baseline/baseline.h"

#include <math.h>

#define ALPHA	 0.02
#define WARM_UP	 24
#define Z	 4.0
#define AT_LEAST 10

static void learn(struct baseline *b, uint32_t g)
{
	double off = b->bin[g] - b->mean[g];

	b->mean[g] += ALPHA * off;
	b->var[g] = (1 - ALPHA) * (b->var[g] + ALPHA * off * off);
}

void zscore_tick(struct baseline *b)
{
	bool bin_ends = b->now_ns >= b->bin_ns + WINDOW_NS;

	for (uint32_t i = 0; i < b->n_nodes; i++) {
		uint32_t g = b->nodes[i];
		bool high =
			b->bin[g] >= AT_LEAST && b->bin[g] > b->mean[g] + Z * sqrt(b->var[g] + 1);
		if (high && b->bins >= WARM_UP)
			incident_open(b, B3, g, b->bin[g]);
		if (!bin_ends)
			continue;
		if (!high)
			incident_clear(b, B3, g);
		learn(b, g);
		b->bin[g] = 0;
	}
	if (bin_ends) {
		b->bins++;
		b->bin_ns = b->now_ns;
	}
}
