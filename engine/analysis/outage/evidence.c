/* SPDX-License-Identifier: BSD-3-Clause */
#include "engine/analysis/outage/evidence.h"

#include <assert.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "engine/analysis/outage/state.h"
#include "engine/analysis/outage/weight.h"

#define MICRO 1e6

enum { AHEAD = 16 };

/* Where a group is in this localisation. */
struct spot {
	uint32_t stamp, index; /* index: in tree[], or in risks[] */
};

/* Where a line hangs, by places in order[] and risks[]. */
struct hook {
	int64_t surprise;
	uint32_t leaf;
	uint8_t quarters, n_risks;
	uint16_t slots; /* bits: of the shared risks that were split, those on which it hangs */
	uint32_t risks[PLACE_RISKS_MAX];
};
static_assert(sizeof(struct hook) == 64);

static void free_groups(struct evidence *e)
{
	free(e->spots);
	free(e->tree);
	free(e->parent);
	free(e->tree_all);
	free(e->tree_left);
	free(e->risks);
	free(e->risks_all);
	free(e->risks_left);
	free(e->order);
	free(e->place);
	for (int i = 0; i < CANDIDATES_MAX; i++)
		free(e->tree_of[i]);
}

void evidence_fini(struct evidence *e)
{
	free_groups(e);
	free(e->hooks);
	free(e->left);
	free(e->explained);
	*e = (struct evidence){0};
}

static bool reserve_groups(struct evidence *e, uint32_t groups)
{
	uint32_t room = e->groups_room ? e->groups_room : 1024;
	bool ok;
	if (groups <= e->groups_room)
		return true;
	while (room < groups)
		room *= 2;
	free_groups(e);
	e->groups_room = 0;
	e->spots = calloc(room, sizeof *e->spots);
	e->tree = malloc(room * sizeof *e->tree);
	e->parent = malloc(room * sizeof *e->parent);
	e->tree_all = malloc(room * sizeof *e->tree_all);
	e->tree_left = malloc(room * sizeof *e->tree_left);
	e->risks = malloc(room * sizeof *e->risks);
	e->risks_all = malloc(room * sizeof *e->risks_all);
	e->risks_left = malloc(room * sizeof *e->risks_left);
	e->order = malloc(room * sizeof *e->order);
	e->place = malloc(room * sizeof *e->place);
	ok = e->spots && e->tree && e->parent && e->tree_all && e->tree_left && e->risks &&
	     e->risks_all && e->risks_left && e->order && e->place;
	for (int i = 0; i < CANDIDATES_MAX; i++)
		ok &= (e->tree_of[i] = malloc(room * sizeof *e->tree_of[i])) != NULL;
	if (ok)
		e->groups_room = room;
	return ok;
}

static bool reserve_hooks(struct evidence *e, uint32_t marks)
{
	if (marks <= e->hooks_room)
		return true;
	free(e->hooks);
	free(e->left);
	free(e->explained);
	e->hooks_room = 2 * marks + 1024;
	e->hooks = aligned_alloc(sizeof *e->hooks, e->hooks_room * sizeof *e->hooks);
	e->left = malloc(e->hooks_room * sizeof *e->left);
	e->explained = malloc(e->hooks_room * sizeof *e->explained);
	if (!e->hooks || !e->left || !e->explained)
		e->hooks_room = 0;
	return e->hooks_room;
}

/* --- adding up --- */

static uint32_t touch(struct evidence *e, uint32_t group, uint32_t *list, uint32_t *n)
{
	struct spot *s = &e->spots[group];
	if (s->stamp != e->stamp) {
		*s = (struct spot){e->stamp, *n};
		list[(*n)++] = group;
	}
	return s->index;
}

static uint32_t touch_tree(struct evidence *e, uint32_t leaf)
{
	const struct group *at = e->outage->groups.at;
	for (uint32_t g = leaf; g && e->spots[g].stamp != e->stamp; g = at[g].parent)
		e->tree_all[touch(e, g, e->tree, &e->n_tree)] = (struct tally){0};
	return e->spots[leaf].index;
}

static uint32_t touch_risk(struct evidence *e, uint32_t risk)
{
	uint32_t before = e->n_risks, index = touch(e, risk, e->risks, &e->n_risks);
	if (e->n_risks > before)
		e->risks_all[index] = (struct tally){0};
	return index;
}

/* Adds a line to its leaf and to its shared risks, in the order in which they are met. */
static void hang(struct evidence *e, struct hook *h, const struct mark *mark)
{
	const struct watched *line = &e->outage->lines[mark->line];
	double surprise = weight_surprise(e->outage, e->channel, mark->line);
	const struct tally t = {llround(surprise * mark->quarters / QUARTERS * MICRO),
				mark->quarters};
	h->surprise = t.surprise;
	h->quarters = (uint8_t)t.quarters;
	h->n_risks = line->n_risks;
	h->leaf = touch_tree(e, line->leaf);
	tally_add(&e->tree_all[h->leaf], &t);
	for (uint32_t r = 0; r < line->n_risks; r++) {
		h->risks[r] = touch_risk(e, line->risks[r]);
		tally_add(&e->risks_all[h->risks[r]], &t);
	}
}

static void look_ahead(const struct evidence *e, const struct mark *mark)
{
	__builtin_prefetch(&e->outage->lines[mark->line].rate.units);
}

/* Of the marks, those that stand for all: by their lines, as their order says nothing. */
static void choose(struct evidence *e, const struct mark *marks, uint32_t n)
{
	uint64_t below = n > EVIDENCE_LINES_MAX ? UINT64_MAX / n * EVIDENCE_LINES_MAX : UINT64_MAX;
	e->each = fmax(1, (double)n / EVIDENCE_LINES_MAX);
	e->n_hooks = 0;
	for (uint32_t i = 0; i < n; i++)
		if (map_hash(marks[i].line) <= below)
			e->left[e->n_hooks++] = i;
}

/* Puts the groups of the tree in order, the deepest first, then by number; order[] leads there. */
static void put_in_order(struct evidence *e)
{
	const struct groups *groups = &e->outage->groups;
	uint32_t from[KIND_TREE_LEVELS + 1] = {0};
	for (uint32_t i = 0; i < e->n_tree; i++)
		for (uint32_t d = 0; d < groups->at[e->tree[i]].depth; d++)
			from[d]++;
	for (uint32_t g = 1; g < groups->n; g++) {
		struct spot *s = &e->spots[g];
		if (s->stamp != e->stamp || !kind_in_tree(groups->at[g].kind))
			continue;
		e->order[s->index] = from[groups->at[g].depth]++;
		e->tree_left[e->order[s->index]] = e->tree_all[s->index];
		s->index = e->order[s->index];
		e->place[s->index] = g;
	}
	memcpy(e->tree, e->place, e->n_tree * sizeof *e->tree);
	memcpy(e->tree_all, e->tree_left, e->n_tree * sizeof *e->tree_all);
}

/* Where the parents of the groups of the tree are. */
static void link_parents(struct evidence *e)
{
	for (uint32_t i = 0; i < e->n_tree; i++) {
		uint32_t parent = e->outage->groups.at[e->tree[i]].parent;
		e->parent[i] = parent ? e->spots[parent].index : EVIDENCE_NOWHERE;
	}
}

/* Adds up from the leaves to the root. */
static void climb(const struct evidence *e, struct tally *counts)
{
	for (uint32_t i = 0; i < e->n_tree; i++) {
		if (e->parent[i] != EVIDENCE_NOWHERE)
			tally_add(&counts[e->parent[i]], &counts[i]);
	}
}

bool evidence_begin(struct evidence *e, const struct outage *o, enum symptom_channel channel,
		    const struct mark *marks, uint32_t n)
{
	if (!reserve_groups(e, o->groups.n) || !reserve_hooks(e, n))
		return false;
	e->outage = o;
	e->channel = channel;
	e->stamp++;
	e->n_tree = e->n_risks = 0;
	e->split_whole = false;
	choose(e, marks, n);
	for (uint32_t i = 0; i < e->n_hooks; i++) {
		if (i + AHEAD < e->n_hooks)
			look_ahead(e, &marks[e->left[i + AHEAD]]);
		hang(e, &e->hooks[i], &marks[e->left[i]]);
	}
	put_in_order(e);
	link_parents(e);
	climb(e, e->tree_all);
	evidence_restart(e);
	return true;
}

void evidence_restart(struct evidence *e)
{
	memcpy(e->tree_left, e->tree_all, e->n_tree * sizeof *e->tree_left);
	memcpy(e->risks_left, e->risks_all, e->n_risks * sizeof *e->risks_left);
	for (uint32_t i = 0; i < e->n_hooks; i++)
		e->left[i] = i;
	e->n_left = e->n_hooks;
}

/* --- explaining --- */

/* Finds a slot for each of the shared risks; returns those that are to be filled, as bits. */
static uint32_t seat(struct evidence *e, const uint32_t *risks, uint32_t n, uint32_t *slots)
{
	uint32_t used = 0, fresh = 0;
	for (uint32_t c = 0; c < n; c++) {
		for (slots[c] = 0; slots[c] < CANDIDATES_MAX; slots[c]++)
			if (e->split[slots[c]] == risks[c])
				break;
		used |= slots[c] < CANDIDATES_MAX ? 1u << slots[c] : 0;
	}
	for (uint32_t c = 0; c < n; c++) {
		if (slots[c] < CANDIDATES_MAX)
			continue;
		slots[c] = (uint32_t)__builtin_ctz(~used);
		e->split[slots[c]] = risks[c];
		used |= 1u << slots[c];
		fresh |= 1u << slots[c];
	}
	return fresh;
}

/* Adds the line to the slots of its shared risks that are to be filled. */
static void add_to_slots(struct evidence *e, struct hook *h, uint32_t fresh)
{
	const struct tally t = {h->surprise, h->quarters};
	uint32_t leaf = e->order[h->leaf];
	h->slots &= (uint16_t)~fresh;
	for (uint32_t r = 0; r < h->n_risks; r++) {
		uint32_t slot = e->place[h->risks[r]];
		if (slot == EVIDENCE_NOWHERE)
			continue;
		tally_add(&e->tree_of[slot][leaf], &t);
		h->slots |= (uint16_t)(1u << slot);
	}
}

static void fill(struct evidence *e, uint32_t fresh)
{
	memset(e->place, 0xff, e->n_risks * sizeof *e->place);
	for (uint32_t slot = 0; slot < CANDIDATES_MAX; slot++)
		if (fresh >> slot & 1) {
			e->place[e->split[slot]] = slot;
			memset(e->tree_of[slot], 0, e->n_tree * sizeof *e->tree_of[slot]);
		}
	for (uint32_t i = 0; i < e->n_left; i++)
		add_to_slots(e, &e->hooks[e->left[i]], fresh);
	for (uint32_t slot = 0; slot < CANDIDATES_MAX; slot++)
		if (fresh >> slot & 1)
			climb(e, e->tree_of[slot]);
}

uint32_t evidence_split(struct evidence *e, const uint32_t *risks, uint32_t n,
			uint32_t slots[CANDIDATES_MAX])
{
	bool whole = e->n_left == e->n_hooks;
	uint32_t fresh;
	if (!n)
		return 0;
	if (!whole || !e->split_whole)
		memset(e->split, 0xff, sizeof e->split);
	e->split_whole = whole;
	fresh = seat(e, risks, n, slots);
	if (fresh)
		fill(e, fresh);
	return fresh;
}

/* Moves the lines of the slot from left[] to explained[]; returns their number. */
static uint32_t part(struct evidence *e, uint32_t slot)
{
	uint32_t kept = 0, gone = 0;
	for (uint32_t i = 0; i < e->n_left; i++) {
		uint32_t hook = e->left[i], found = e->hooks[hook].slots >> slot & 1;
		e->explained[gone] = e->left[kept] = hook;
		gone += found;
		kept += !found;
	}
	e->n_left = kept;
	return gone;
}

static void count_risks(struct evidence *e, const uint32_t *hooks, uint32_t n, bool on)
{
	for (uint32_t i = 0; i < n; i++) {
		const struct hook *h = &e->hooks[hooks[i]];
		const struct tally t = {h->surprise, h->quarters};
		for (uint32_t r = 0; r < h->n_risks; r++)
			if (on)
				tally_add(&e->risks_left[h->risks[r]], &t);
			else
				tally_subtract(&e->risks_left[h->risks[r]], &t);
	}
}

void evidence_explain(struct evidence *e, uint32_t slot)
{
	uint32_t gone = part(e, slot);
	for (uint32_t i = 0; i < e->n_tree; i++)
		tally_subtract(&e->tree_left[i], &e->tree_of[slot][i]);
	if (gone <= e->n_left) {
		count_risks(e, e->explained, gone, false);
		return;
	}
	memset(e->risks_left, 0, e->n_risks * sizeof *e->risks_left);
	count_risks(e, e->left, e->n_left, true);
}

/* --- comparing --- */

void evidence_share(const struct evidence *e, const double *share, int64_t *of_risk)
{
	memset(of_risk, 0, e->n_risks * sizeof *of_risk);
	for (uint32_t i = 0; i < e->n_left; i++) {
		const struct hook *h = &e->hooks[e->left[i]];
		int64_t has = llround(share[e->order[h->leaf]] * (double)h->surprise);
		for (uint32_t r = 0; r < h->n_risks; r++)
			of_risk[h->risks[r]] += has;
	}
}

static bool hangs_on(const struct hook *h, uint32_t risk)
{
	for (uint32_t r = 0; r < h->n_risks; r++)
		if (h->risks[r] == risk)
			return true;
	return false;
}

int64_t evidence_unplaced(const struct evidence *e)
{
	uint32_t root = e->n_tree - 1;
	int64_t surprise = e->tree_left[root].surprise;
	for (uint32_t i = 0; i < root; i++)
		surprise -= e->parent[i] == root ? e->tree_left[i].surprise : 0;
	return surprise;
}

void evidence_within(const struct evidence *e, uint32_t risk, struct tally *tallies)
{
	memset(tallies, 0, e->n_risks * sizeof *tallies);
	for (uint32_t i = 0; i < e->n_left; i++) {
		const struct hook *h = &e->hooks[e->left[i]];
		const struct tally t = {h->surprise, h->quarters};
		for (uint32_t r = 0; r < h->n_risks && hangs_on(h, risk); r++)
			tally_add(&tallies[h->risks[r]], &t);
	}
}
