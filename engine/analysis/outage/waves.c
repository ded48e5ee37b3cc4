/* SPDX-License-Identifier: BSD-3-Clause */
#include "engine/analysis/outage/waves.h"

#include <stdlib.h>

#include "engine/analysis/outage/localise.h"
#include "engine/analysis/outage/state.h"

#define LATE_SHARE 0.1 /* of the lines of a BRAS: their last signs of life are its edge */

/* Edges of fewer lines lie apart by chance; the others, this far apart, do not. */
enum { LINES_MIN = 200, APART_S = 5 };

enum { BRAS_MAX = 32, SECONDS = 600 };

/* How many lines of a BRAS were heard last so many seconds before the very last of all. */
struct wave {
	uint32_t bras, n, at[SECONDS];
};

struct waves {
	struct wave of[BRAS_MAX];
	uint32_t n;
};

static uint32_t bras_of(const struct outage *o, uint32_t line)
{
	const struct watched *w = &o->lines[line];
	for (uint32_t r = 0; r < w->n_risks; r++)
		if (o->groups.at[w->risks[r]].kind == KIND_BRAS)
			return w->risks[r];
	return GROUP_NONE;
}

/* More than BRAS_MAX at once are no two faults. */
static struct wave *wave_of(struct waves *all, uint32_t bras)
{
	for (uint32_t i = 0; i < all->n; i++)
		if (all->of[i].bras == bras)
			return &all->of[i];
	if (!bras || all->n == BRAS_MAX)
		return NULL;
	all->of[all->n].bras = bras;
	return &all->of[all->n++];
}

static void add(struct waves *all, uint32_t bras, uint64_t before_ns)
{
	struct wave *w = wave_of(all, bras);
	uint64_t s = before_ns / SECOND_IN_NS;
	if (!w)
		return;
	w->at[s < SECONDS ? s : SECONDS - 1]++;
	w->n++;
}

static uint32_t edge_s(const struct wave *w)
{
	uint32_t s = 0, sum = w->at[0];
	while (sum < LATE_SHARE * w->n)
		sum += w->at[++s];
	return s;
}

static bool are_apart(const struct waves *all)
{
	uint32_t first = SECONDS, last = 0;
	for (uint32_t i = 0; i < all->n; i++) {
		uint32_t s = edge_s(&all->of[i]);
		if (all->of[i].n < LINES_MIN)
			continue;
		first = s < first ? s : first;
		last = s > last ? s : last;
	}
	return last > first + APART_S;
}

bool waves_of_bras(const struct outage *o, const struct mark *marks, uint32_t n)
{
	struct waves *all = calloc(1, sizeof *all);
	uint64_t last_ns = 0;
	bool apart;
	if (!all)
		return false;
	for (uint32_t m = 0; m < n; m++)
		last_ns = marks[m].since_ns > last_ns ? marks[m].since_ns : last_ns;
	for (uint32_t m = 0; m < n; m++)
		add(all, bras_of(o, marks[m].line), last_ns - marks[m].since_ns);
	apart = are_apart(all);
	free(all);
	return apart;
}
