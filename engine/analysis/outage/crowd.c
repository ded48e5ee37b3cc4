/* SPDX-License-Identifier: BSD-3-Clause */
#include "engine/analysis/outage/crowd.h"

#include <math.h>
#include <stdlib.h>

#include "engine/analysis/outage/state.h"

#define QUARTER	   0.25 /* of the lines are where it is no worse */
#define NOTABLE	   1.5	/* times the usual */
#define PRIOR	   1.0	/* drops that are expected anywhere */
#define SHARE_MOST 0.05 /* of all lines, within BURST_NS: more is never expected of a crowd */

/* With fewer places one fault is everywhere; the first of very many speak for the others. */
enum { PLACES_MIN = 6, PLACES_MAX = 512, PLACE_LINES_MIN = 100 };

struct place_now {
	double ratio; /* drops just now, against those to be expected */
	uint32_t lines;
};

static int by_ratio(const void *a, const void *b)
{
	double x = ((const struct place_now *)a)->ratio, y = ((const struct place_now *)b)->ratio;
	return (x > y) - (x < y);
}

/* The ratio that a quarter of the lines stays below. */
static double quarter_of(struct place_now *places, uint32_t n, uint64_t lines)
{
	uint64_t sum = 0;
	uint32_t p = 0;
	qsort(places, n, sizeof *places, by_ratio);
	while ((double)(sum += places[p].lines) < QUARTER * (double)lines)
		p++;
	return places[p].ratio;
}

static double usual(const struct outage *o, const struct group *g)
{
	return rates_usual(&o->rates, g->rate) * BURST_NS / EVIDENCE_NS;
}

struct places {
	struct place_now of[PLACES_MAX];
	uint32_t n;
	uint64_t lines;
};

static void add(struct places *p, struct outage *o, const struct group *g)
{
	double drops = (double)g->fresh[CHANNEL_DROP] / QUARTERS;
	if (g->eligible < PLACE_LINES_MIN)
		return;
	if (p->n == PLACES_MAX) {
		o->counters.crowd_full++;
		return;
	}
	p->of[p->n++] = (struct place_now){drops / (usual(o, g) + PRIOR), g->eligible};
	p->lines += g->eligible;
}

/* The ratio of nearly all exchanges; of a network without them, of what its tree has at the top. */
static double of_exchanges(struct outage *o, struct places *p)
{
	const struct group *at = o->groups.at;
	p->n = 0;
	p->lines = 0;
	for (uint32_t c = at[GROUP_ROOT].first_child; c; c = at[c].next)
		add(p, o, &at[c]);
	return p->n >= PLACES_MIN ? quarter_of(p->of, p->n, p->lines) : 0;
}

/* Of nearly all parts of a kind: when the modems of one vendor restart, they do in all exchanges. */
static double of_kind(struct outage *o, struct places *p, uint16_t kind)
{
	p->n = 0;
	p->lines = 0;
	for (uint32_t g = 1; g < o->groups.n; g++)
		if (o->groups.at[g].kind == kind)
			add(p, o, &o->groups.at[g]);
	return p->n ? quarter_of(p->of, p->n, p->lines) : INFINITY;
}

void crowd_step(struct outage *o)
{
	const struct group *all = &o->groups.at[GROUP_ROOT];
	struct places p;
	double ratio = of_exchanges(o, &p);
	for (uint16_t k = KIND_VENDOR; ratio > NOTABLE && k < KIND_COLUMN + o->groups.n_kind_names;
	     k++)
		ratio = fmin(ratio, of_kind(o, &p, k));
	rates_crowd(&o->rates, ratio, SHARE_MOST * all->eligible / fmax(usual(o, all), PRIOR));
}
