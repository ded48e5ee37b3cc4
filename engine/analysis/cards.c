/* SPDX-License-Identifier: BSD-3-Clause */
#include "engine/analysis/cards.h"

#include <stdbool.h>
#include <stdint.h>

#include "engine/analysis/analysis.h"
#include "engine/analysis/summary.h"
#include "engine/base/clock.h"

/* What is told in a round: of each group a list through `next_card`, in the order of numbers. */
struct cards_round {
	uint64_t turn_ns[CARDS_GROUPS]; /* when the group's turn came last */
	uint32_t first[CARDS_GROUPS], last[CARDS_GROUPS];
};

static uint64_t turn_ns(uint64_t group, uint64_t now_ns)
{
	uint64_t since_ns = (now_ns + CARDS_PERIOD_NS - group * CARDS_PERIOD_NS / CARDS_GROUPS) %
			    CARDS_PERIOD_NS;
	return now_ns > since_ns ? now_ns - since_ns : 0;
}

/* A clock that was set back has its turn, too. */
static bool is_due(const struct analysis *a, const struct subject *s,
		   const struct cards_round *round)
{
	return s->known && (s->changed || s->told_ns < round->turn_ns[s->card_group] ||
			    a->now_ns + CLOCK_BEHIND_NS < s->told_ns);
}

/* Its name may be new as well, and with it the group. */
static void list(struct analysis *a, struct cards_round *round, uint32_t number)
{
	struct subject *s = &a->subjects[number];
	s->card_group = a->options.card_group(subject_name(s));
	s->next_card = 0;
	if (round->first[s->card_group])
		a->subjects[round->last[s->card_group]].next_card = number;
	else
		round->first[s->card_group] = number;
	round->last[s->card_group] = number;
}

static void tell(struct analysis *a, uint32_t number)
{
	struct subject *s = &a->subjects[number];
	summary_line(a, number, a->now_ns);
	s->changed = false;
	s->told_ns = a->now_ns;
}

void cards_tell(struct analysis *a)
{
	struct cards_round round = {0};
	if (!a->options.card_group)
		return;
	for (uint32_t group = 0; group < CARDS_GROUPS; group++)
		round.turn_ns[group] = turn_ns(group, a->now_ns);
	for (uint32_t i = 1; i < a->n_subjects; i++)
		if (is_due(a, &a->subjects[i], &round))
			list(a, &round, i);
	for (uint32_t group = 0; group < CARDS_GROUPS; group++)
		for (uint32_t i = round.first[group]; i; i = a->subjects[i].next_card)
			tell(a, i);
}
