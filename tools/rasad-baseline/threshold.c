/* SPDX-License-Identifier: BSD-3-Clause */
/* B1 and B2: so many lines, or so large a share, of an access node. */
#include "tools/rasad-baseline/baseline.h"

#define B1_LINES    10
#define B1_SHARE    0.10
#define B2_SHARE    0.50
#define CLEAR_SHARE 0.5 /* of what opens */

static void judge(struct baseline *b, enum method method, uint32_t group, double limit)
{
	if (b->recent[group] >= limit)
		incident_open(b, method, group, b->recent[group]);
	else if (b->bad[group] < limit * CLEAR_SHARE)
		incident_clear(b, method, group);
}

void threshold_tick(struct baseline *b)
{
	for (uint32_t i = 0; i < b->n_nodes; i++) {
		uint32_t g = b->nodes[i];
		double members = b->groups.at[g].members;

		judge(b, B1, g, members * B1_SHARE > B1_LINES ? members * B1_SHARE : B1_LINES);
		judge(b, B2, g, members * B2_SHARE + 1);
	}
}
