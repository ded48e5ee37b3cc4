/* SPDX-License-Identifier: BSD-3-Clause */
#include "engine/analysis/outage/evidence.h"

#include <string.h>

void evidence_restart(struct evidence *e)
{
	memcpy(e->tree_left, e->tree_all, e->n_tree * sizeof *e->tree_left);
	memcpy(e->risks_left, e->risks_all, e->n_risks * sizeof *e->risks_left);
	memcpy(e->meetings_left, e->meetings_all, e->n_meetings * sizeof *e->meetings_left);
	for (struct leaf *leaf = e->leaves; leaf < e->leaves + e->n_leaves; leaf++) {
		leaf->n_left = leaf->n_hooks;
		leaf->quarters_left = leaf->quarters;
	}
	e->whole = true;
}

/* --- explaining --- */

/* Finds a slot for each of the shared risks; returns those that are to be filled, as bits. */
static uint32_t seat(struct evidence *e, const uint32_t *risks, uint32_t n, uint32_t *slots)
{
	uint32_t used = 0, fresh = 0;
	for (uint32_t c = 0; c < n; c++) {
		for (slots[c] = 0; slots[c] < CANDIDATES_MAX; slots[c]++)
			if (e->shares[slots[c]].risk == risks[c])
				break;
		used |= slots[c] < CANDIDATES_MAX ? 1u << slots[c] : 0;
	}
	for (uint32_t c = 0; c < n; c++) {
		if (slots[c] < CANDIDATES_MAX)
			continue;
		slots[c] = (uint32_t)__builtin_ctz(~used);
		e->shares[slots[c]].risk = risks[c];
		used |= 1u << slots[c];
		fresh |= 1u << slots[c];
	}
	return fresh;
}

static void meet(struct risk_share *s, uint32_t place)
{
	s->met[place / EVIDENCE_WORD_BITS] |= UINT64_C(1) << place % EVIDENCE_WORD_BITS;
}

static void clear(struct risk_share *s)
{
	for (uint32_t i = 0; i < s->n_touched; i++)
		s->tree[s->touched[i]] = (struct tally){0};
	s->n_touched = 0;
}

/* Adds up from the leaves that were met to the root: parents stand behind their children. */
static void climb_share(const struct evidence *e, struct risk_share *s)
{
	for (uint32_t word = 0; word * EVIDENCE_WORD_BITS < e->n_tree; word++)
		while (s->met[word]) {
			uint32_t i =
				word * EVIDENCE_WORD_BITS + (uint32_t)__builtin_ctzll(s->met[word]);
			uint32_t parent = e->parent[i];
			s->met[word] &= s->met[word] - 1;
			s->touched[s->n_touched++] = i;
			if (parent == EVIDENCE_NOWHERE)
				continue;
			tally_add(&s->tree[parent], &s->tree[i]);
			meet(s, parent);
		}
}

/* The meetings of a shared risk in by_risk[]. */
static uint32_t first_of(const struct evidence *e, uint32_t risk)
{
	return risk ? e->risk_end[risk - 1] : 0;
}

static void fill(const struct evidence *e, struct risk_share *s)
{
	clear(s);
	for (uint32_t i = first_of(e, s->risk); i < e->risk_end[s->risk]; i++) {
		uint32_t m = e->by_risk[i], place = e->leaves[e->meeting_leaf[m]].place;
		if (!e->meetings_left[m].quarters)
			continue;
		tally_add(&s->tree[place], &e->meetings_left[m]);
		meet(s, place);
	}
	climb_share(e, s);
}

uint32_t evidence_split(struct evidence *e, const uint32_t *risks, uint32_t n,
			uint32_t slots[CANDIDATES_MAX])
{
	uint32_t fresh;
	if (!n)
		return 0;
	for (uint32_t i = 0; i < CANDIDATES_MAX && !(e->whole && e->split_whole); i++)
		e->shares[i].risk = EVIDENCE_NOWHERE;
	e->split_whole = e->whole;
	fresh = seat(e, risks, n, slots);
	for (uint32_t slot = 0; slot < CANDIDATES_MAX; slot++)
		if (fresh >> slot & 1)
			fill(e, &e->shares[slot]);
	return fresh;
}

/* All that is left of the leaf meets there. */
static bool is_all(const struct evidence *e, const struct leaf *leaf, uint32_t meeting)
{
	return e->meetings_left[meeting].quarters == leaf->quarters_left;
}

static bool is_at(const struct hook *h, uint32_t meeting)
{
	for (uint32_t i = 0; i < h->n_meetings; i++)
		if (h->meetings[i] == meeting)
			return true;
	return false;
}

static void explain_leaf(struct evidence *e, struct leaf *leaf)
{
	for (uint32_t m = leaf->first_meeting; m < leaf->end_meeting; m++) {
		tally_subtract(&e->risks_left[e->meeting_risk[m]], &e->meetings_left[m]);
		e->meetings_left[m] = (struct tally){0};
	}
	leaf->n_left = leaf->quarters_left = 0;
}

static void explain_line(struct evidence *e, struct leaf *leaf, const struct hook *h)
{
	const struct tally t = {h->surprise, h->quarters};
	for (uint32_t i = 0; i < h->n_meetings; i++) {
		tally_subtract(&e->risks_left[e->meeting_risk[h->meetings[i]]], &t);
		tally_subtract(&e->meetings_left[h->meetings[i]], &t);
	}
	leaf->quarters_left -= t.quarters;
}

/* Those that meet there change places with the last that are left. */
static void explain_lines(struct evidence *e, struct leaf *leaf, uint32_t meeting)
{
	struct hook *hooks = e->hooks + leaf->first_hook;
	for (uint32_t i = 0; i < leaf->n_left;) {
		struct hook h = hooks[i];
		if (!is_at(&h, meeting)) {
			i++;
			continue;
		}
		explain_line(e, leaf, &h);
		hooks[i] = hooks[--leaf->n_left];
		hooks[leaf->n_left] = h;
	}
}

void evidence_explain(struct evidence *e, uint32_t slot)
{
	const struct risk_share *s = &e->shares[slot];
	for (uint32_t i = 0; i < s->n_touched; i++)
		tally_subtract(&e->tree_left[s->touched[i]], &s->tree[s->touched[i]]);
	for (uint32_t i = first_of(e, s->risk); i < e->risk_end[s->risk]; i++) {
		uint32_t m = e->by_risk[i];
		struct leaf *leaf = &e->leaves[e->meeting_leaf[m]];
		if (!e->meetings_left[m].quarters)
			continue;
		if (is_all(e, leaf, m))
			explain_leaf(e, leaf);
		else
			explain_lines(e, leaf, m);
	}
	e->whole = false;
}

/* --- comparing --- */

void evidence_share(const struct evidence *e, const double *share, int64_t *of_risk)
{
	memset(of_risk, 0, e->n_risks * sizeof *of_risk);
	for (uint32_t l = 0; l < e->n_leaves; l++) {
		const struct leaf *leaf = &e->leaves[l];
		double has = leaf->n_left ? share[leaf->place] : 0;
		for (uint32_t m = leaf->first_meeting; has > 0 && m < leaf->end_meeting; m++)
			of_risk[e->meeting_risk[m]] +=
				(int64_t)(has * (double)e->meetings_left[m].surprise + 0.5);
	}
}

int64_t evidence_unplaced(const struct evidence *e)
{
	uint32_t root = e->n_tree - 1;
	int64_t surprise = e->tree_left[root].surprise;
	for (uint32_t i = 0; i < root; i++)
		surprise -= e->parent[i] == root ? e->tree_left[i].surprise : 0;
	return surprise;
}

static void add_leaf(const struct evidence *e, const struct leaf *leaf, struct tally *tallies)
{
	for (uint32_t m = leaf->first_meeting; m < leaf->end_meeting; m++)
		tally_add(&tallies[e->meeting_risk[m]], &e->meetings_left[m]);
}

static void add_lines(const struct evidence *e, const struct leaf *leaf, uint32_t meeting,
		      struct tally *tallies)
{
	const struct hook *h = e->hooks + leaf->first_hook;
	for (const struct hook *end = h + leaf->n_left; h < end; h++) {
		const struct tally t = {h->surprise, h->quarters};
		for (uint32_t i = 0; i < h->n_meetings && is_at(h, meeting); i++)
			tally_add(&tallies[e->meeting_risk[h->meetings[i]]], &t);
	}
}

void evidence_within(const struct evidence *e, uint32_t risk, struct tally *tallies)
{
	memset(tallies, 0, e->n_risks * sizeof *tallies);
	for (uint32_t i = first_of(e, risk); i < e->risk_end[risk]; i++) {
		uint32_t m = e->by_risk[i];
		const struct leaf *leaf = &e->leaves[e->meeting_leaf[m]];
		if (!e->meetings_left[m].quarters)
			continue;
		if (is_all(e, leaf, m))
			add_leaf(e, leaf, tallies);
		else
			add_lines(e, leaf, m, tallies);
	}
}
