/* SPDX-License-Identifier: BSD-3-Clause */
#include "engine/analysis/outage/waves.h"

#include <math.h>
#include <stdlib.h>

#include "engine/analysis/outage/evidence.h"
#include "engine/analysis/outage/state.h"
#include "engine/analysis/outage/tail.h"
#include "engine/analysis/outage/watch.h"

#define APART_S	 4    /* parts of one fault do not go later than others by so much */
#define STRAY	 0.02 /* of a part's lines: their own drops came later, or the books are wrong */
#define SURPRISE 5.0  /* -log10 p that so many lines of one fault go that late by chance */
#define COVER	 0.9  /* of the lines of a shared risk hang on its parts */

enum { LINES_MIN = 5, PARTS_MAX = 4, WAVES_MAX = 32, SECONDS = 600 };

/* How many lines of a part were heard last so many seconds before the very last of all. */
struct wave {
	uint32_t part, n, at[SECONDS];
};

struct waves {
	struct wave of[WAVES_MAX];
	uint32_t n, lines;
	bool full;
};

/* The group of that kind on which the line hangs. */
static uint32_t part_of(const struct outage *o, uint32_t line, uint16_t kind)
{
	const struct watched *w = &o->lines[line];
	const struct group *at = o->groups.at;
	uint32_t g = w->leaf;
	if (kind_in_tree(kind)) {
		while (g && at[g].kind != kind)
			g = at[g].parent;
		return g;
	}
	for (uint32_t r = 0; r < w->n_risks; r++)
		if (at[w->risks[r]].kind == kind)
			return w->risks[r];
	return GROUP_NONE;
}

/* Of more than WAVES_MAX parts the others are left out: no few faults. */
static struct wave *wave_of(struct waves *all, uint32_t part)
{
	for (uint32_t i = 0; i < all->n; i++)
		if (all->of[i].part == part)
			return &all->of[i];
	all->full |= part && all->n == WAVES_MAX;
	if (!part || all->n == WAVES_MAX)
		return NULL;
	all->of[all->n] = (struct wave){.part = part};
	return &all->of[all->n++];
}

static void add(struct waves *all, uint32_t part, uint64_t before_ns)
{
	struct wave *w = wave_of(all, part);
	uint64_t s = before_ns / SECOND_IN_NS;
	all->lines++;
	if (!w)
		return;
	w->at[s < SECONDS ? s : SECONDS - 1]++;
	w->n++;
}

/* Whether the lines of `late` went later than those of `soon`, of which some may have had later drops of
 * their own. Of few lines the last one says less of where their end is. */
static bool is_later(const struct wave *late, const struct wave *soon)
{
	double stray = floor(STRAY * soon->n) + 1, share = (stray + 4 * sqrt(stray)) / soon->n;
	uint32_t edge_s = 0, sum = soon->at[0], later = 0;
	while (sum < stray)
		sum += soon->at[++edge_s];
	for (uint32_t s = 0; s + APART_S < edge_s; s++)
		later += late->at[s];
	return later && tail_neg_log10(later, share * late->n) >= SURPRISE;
}

static bool are_apart(const struct waves *all)
{
	for (uint32_t i = 0; i < all->n; i++)
		for (uint32_t j = 0; j < all->n; j++)
			if (all->of[i].n >= LINES_MIN && all->of[j].n >= LINES_MIN &&
			    is_later(&all->of[i], &all->of[j]))
				return true;
	return false;
}

/* Some parts that could have failed by themselves, and not much besides. */
static bool are_few(const struct waves *all)
{
	uint32_t parts = 0, lines = 0;
	for (uint32_t i = 0; i < all->n; i++) {
		parts += all->of[i].n >= LINES_MIN;
		lines += all->of[i].n >= LINES_MIN ? all->of[i].n : 0;
	}
	return parts >= 2 && parts <= PARTS_MAX && lines >= COVER * all->lines;
}

/* The lines of the group in the evidence, and the last sign of life of these. */
struct lines {
	struct pick *of; /* owned */
	uint32_t n;
	uint64_t last_ns;
};

static struct lines lines_of(const struct evidence *e, uint32_t group)
{
	struct lines l = {.of = malloc((e->n_hooks + 1) * sizeof *l.of)};
	for (uint32_t i = 0; l.of && i < e->n_hooks; i++) {
		const struct pick *pick = &e->picks[i];
		if (group != GROUP_ROOT && !watch_hangs_on(e->outage, pick->line, group))
			continue;
		l.of[l.n++] = *pick;
		l.last_ns = pick->since_ns > l.last_ns ? pick->since_ns : l.last_ns;
	}
	return l;
}

static void draw(struct waves *all, const struct outage *o, const struct lines *lines,
		 uint16_t kind)
{
	all->n = all->lines = 0;
	all->full = false;
	for (uint32_t l = 0; l < lines->n; l++)
		add(all, part_of(o, lines->of[l].line, kind),
		    lines->last_ns - lines->of[l].since_ns);
}

bool waves_apart(struct outage *o, const struct evidence *e, uint32_t group)
{
	const struct groups *groups = &o->groups;
	uint16_t kinds = (uint16_t)(KIND_COLUMN + groups->n_kind_names);
	bool all = group == GROUP_ROOT, apart = false;
	struct waves *waves;
	struct lines lines;
	if (!all && (e->each > 1 || kind_in_tree(groups->at[group].kind)))
		return false;
	waves = malloc(sizeof *waves);
	lines = lines_of(e, group);
	for (uint16_t k = KIND_EXCHANGE; waves && k < kinds && !apart; k++) {
		if (all ? k != KIND_BRAS : k == groups->at[group].kind)
			continue;
		draw(waves, o, &lines, k);
		o->counters.waves_full += all && waves->full;
		apart = (all || are_few(waves)) && are_apart(waves);
	}
	o->counters.no_memory += !waves || !lines.of;
	free(lines.of);
	free(waves);
	return apart;
}
