/* SPDX-License-Identifier: BSD-3-Clause */
#include "engine/analysis/outage/evidence.h"

#include <assert.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "engine/analysis/outage/state.h"
#include "engine/analysis/outage/weight.h"

enum { AHEAD = 32 };

static_assert(sizeof(struct hook) == 64);

static void free_share(struct risk_share *s)
{
	free(s->tree);
	free(s->touched);
	free(s->met);
	*s = (struct risk_share){0};
}

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
	free(e->risk_end);
	free(e->leaves);
	free(e->order);
	free(e->place);
	for (int i = 0; i < CANDIDATES_MAX; i++)
		free_share(&e->shares[i]);
}

static void free_hooks(struct evidence *e)
{
	free(e->hooks);
	free(e->picks);
	free(e->by_leaf);
}

static void free_meetings(struct evidence *e)
{
	free(e->meeting_risk);
	free(e->meeting_leaf);
	free(e->by_risk);
	free(e->meetings_all);
	free(e->meetings_left);
}

void evidence_fini(struct evidence *e)
{
	free_groups(e);
	free_hooks(e);
	free_meetings(e);
	*e = (struct evidence){0};
}

static bool reserve_share(struct risk_share *s, uint32_t room)
{
	s->tree = calloc(room, sizeof *s->tree);
	s->touched = malloc(room * sizeof *s->touched);
	s->met = calloc(room / EVIDENCE_WORD_BITS, sizeof *s->met);
	return s->tree && s->touched && s->met;
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
	e->risk_end = malloc(room * sizeof *e->risk_end);
	e->leaves = malloc(room * sizeof *e->leaves);
	e->order = malloc(room * sizeof *e->order);
	e->place = malloc(room * sizeof *e->place);
	ok = e->spots && e->tree && e->parent && e->tree_all && e->tree_left && e->risks &&
	     e->risks_all && e->risks_left && e->risk_end && e->leaves && e->order && e->place;
	for (int i = 0; i < CANDIDATES_MAX; i++)
		ok &= reserve_share(&e->shares[i], room);
	if (ok)
		e->groups_room = room;
	return ok;
}

static bool reserve_hooks(struct evidence *e, uint32_t marks)
{
	if (marks <= e->hooks_room)
		return true;
	free_hooks(e);
	e->hooks_room = marks + marks / 2 + 1024;
	e->hooks = aligned_alloc(sizeof *e->hooks, e->hooks_room * sizeof *e->hooks);
	e->picks = malloc(e->hooks_room * sizeof *e->picks);
	e->by_leaf = malloc(e->hooks_room * sizeof *e->by_leaf);
	if (!e->hooks || !e->picks || !e->by_leaf)
		e->hooks_room = 0;
	return e->hooks_room;
}

static bool reserve_meetings(struct evidence *e, uint32_t meetings)
{
	if (meetings < e->meetings_room)
		return true;
	free_meetings(e);
	e->meetings_room = meetings + meetings / 2 + 1024;
	e->meeting_risk = malloc(e->meetings_room * sizeof *e->meeting_risk);
	e->meeting_leaf = malloc(e->meetings_room * sizeof *e->meeting_leaf);
	e->by_risk = malloc(e->meetings_room * sizeof *e->by_risk);
	e->meetings_all = malloc(e->meetings_room * sizeof *e->meetings_all);
	e->meetings_left = malloc(e->meetings_room * sizeof *e->meetings_left);
	if (!e->meeting_risk || !e->meeting_leaf || !e->by_risk || !e->meetings_all ||
	    !e->meetings_left)
		e->meetings_room = 0;
	return e->meetings_room;
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

/* The place of a leaf in tree[], which it and those above it are put into, and no leaf as yet. */
static uint32_t touch_tree(struct evidence *e, uint32_t leaf)
{
	const struct group *at = e->outage->groups.at;
	for (uint32_t g = leaf; g && e->spots[g].stamp != e->stamp; g = at[g].parent) {
		uint32_t place = touch(e, g, e->tree, &e->n_tree);
		e->tree_all[place] = (struct tally){0};
		e->place[place] = EVIDENCE_NOWHERE;
	}
	return e->spots[leaf].index;
}

/* The leaf's number in leaves[]. */
static uint32_t touch_leaf(struct evidence *e, uint32_t group)
{
	uint32_t place = touch_tree(e, group);
	if (e->place[place] == EVIDENCE_NOWHERE) {
		e->place[place] = e->n_leaves;
		e->leaves[e->n_leaves++] = (struct leaf){.place = place};
	}
	return e->place[place];
}

static void look_ahead(const struct evidence *e, const struct pick *picks, uint32_t i)
{
	if (i + AHEAD < e->n_hooks)
		__builtin_prefetch(&e->outage->lines[picks[i + AHEAD].line].rate.units);
}

/* Of the marks, those that stand for all: by their lines, as their order says nothing. */
static void choose(struct evidence *e, const struct mark *marks, uint32_t n)
{
	uint64_t below = n > EVIDENCE_LINES_MAX ? UINT64_MAX / n * EVIDENCE_LINES_MAX : UINT64_MAX;
	e->each = fmax(1, (double)n / EVIDENCE_LINES_MAX);
	e->n_hooks = 0;
	for (uint32_t i = 0; i < n; i++) {
		e->picks[e->n_hooks] = (struct pick){marks[i].since_ns, marks[i].line,
						     marks[i].quarters, EVIDENCE_NOWHERE};
		e->n_hooks += map_hash(marks[i].line) <= below;
	}
}

/* Finds the leaf of each line; returns the number of meetings that there are at most. */
static uint32_t find_leaves(struct evidence *e)
{
	uint32_t meetings = 0;
	for (uint32_t i = 0; i < e->n_hooks; i++) {
		const struct watched *line = &e->outage->lines[e->picks[i].line];
		look_ahead(e, e->picks, i);
		e->picks[i].leaf = touch_leaf(e, line->leaf);
		e->leaves[e->picks[i].leaf].n_hooks++;
		meetings += line->n_risks;
	}
	return meetings;
}

static void sort_by_leaf(struct evidence *e)
{
	uint32_t first = 0;
	for (uint32_t l = 0; l < e->n_leaves; first += e->leaves[l++].n_hooks)
		e->leaves[l].first_hook = first;
	for (uint32_t i = 0; i < e->n_hooks; i++) {
		struct leaf *leaf = &e->leaves[e->picks[i].leaf];
		e->by_leaf[leaf->first_hook + leaf->n_left++] = e->picks[i];
	}
}

/* Where the leaf meets the shared risk; *latest: where that was met before. */
static uint32_t touch_meeting(struct evidence *e, const struct leaf *leaf, uint32_t risk,
			      uint32_t *latest)
{
	if (*latest - leaf->first_meeting >= e->n_meetings - leaf->first_meeting) {
		*latest = e->n_meetings++;
		e->meeting_risk[*latest] = risk;
		e->meeting_leaf[*latest] = (uint32_t)(leaf - e->leaves);
		e->meetings_all[*latest] = (struct tally){0};
	}
	return *latest;
}

static void hang(struct evidence *e, struct leaf *leaf, struct hook *h, const struct pick *pick)
{
	const struct watched *line = &e->outage->lines[pick->line];
	double surprise = weight_surprise(e->outage, e->channel, pick->line);
	uint32_t *latest = e->order;
	const struct tally t = {llround(surprise * pick->quarters / QUARTERS * EVIDENCE_MICRO),
				pick->quarters};
	h->surprise = t.surprise;
	h->quarters = (uint8_t)t.quarters;
	h->n_meetings = line->n_risks;
	leaf->quarters += t.quarters;
	tally_add(&e->tree_all[leaf->place], &t);
	for (uint32_t r = 0; r < line->n_risks; r++) {
		uint32_t before = e->n_risks;
		uint32_t risk = touch(e, line->risks[r], e->risks, &e->n_risks);
		if (e->n_risks > before)
			latest[risk] = EVIDENCE_NOWHERE;
		h->meetings[r] = touch_meeting(e, leaf, risk, &latest[risk]);
		tally_add(&e->meetings_all[h->meetings[r]], &t);
	}
}

/* Hangs the lines on their leaves, a leaf at a time. */
static void hang_all(struct evidence *e)
{
	uint32_t i = 0;
	for (struct leaf *leaf = e->leaves; leaf < e->leaves + e->n_leaves; leaf++) {
		leaf->first_meeting = e->n_meetings;
		for (uint32_t end = i + leaf->n_hooks; i < end; i++) {
			look_ahead(e, e->by_leaf, i);
			hang(e, leaf, &e->hooks[i], &e->by_leaf[i]);
		}
		leaf->end_meeting = e->n_meetings;
	}
}

/* Adds up by shared risk, and lists the meetings of each. */
static void sort_by_risk(struct evidence *e)
{
	uint32_t end = 0;
	memset(e->risks_all, 0, e->n_risks * sizeof *e->risks_all);
	memset(e->risk_end, 0, e->n_risks * sizeof *e->risk_end);
	for (uint32_t m = 0; m < e->n_meetings; m++) {
		tally_add(&e->risks_all[e->meeting_risk[m]], &e->meetings_all[m]);
		e->risk_end[e->meeting_risk[m]]++;
	}
	for (uint32_t r = 0; r < e->n_risks; r++) {
		uint32_t n = e->risk_end[r];
		e->risk_end[r] = end;
		end += n;
	}
	for (uint32_t m = 0; m < e->n_meetings; m++)
		e->by_risk[e->risk_end[e->meeting_risk[m]]++] = m;
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
	for (uint32_t l = 0; l < e->n_leaves; l++)
		e->leaves[l].place = e->order[e->leaves[l].place];
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
static void climb(const struct evidence *e)
{
	for (uint32_t i = 0; i < e->n_tree; i++) {
		if (e->parent[i] != EVIDENCE_NOWHERE)
			tally_add(&e->tree_all[e->parent[i]], &e->tree_all[i]);
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
	e->n_tree = e->n_risks = e->n_leaves = e->n_meetings = 0;
	e->split_whole = false;
	choose(e, marks, n);
	if (!reserve_meetings(e, find_leaves(e)))
		return false;
	sort_by_leaf(e);
	hang_all(e);
	sort_by_risk(e);
	put_in_order(e);
	link_parents(e);
	climb(e);
	evidence_restart(e);
	return true;
}
