/* SPDX-License-Identifier: BSD-3-Clause */
#include "tests/engine/analysis/outage/world.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static double seconds(int64_t unix_ns)
{
	return unix_ns == REPORT_ABSENT ? -1
					: (double)(unix_ns - (int64_t)WORLD_START_NS) / SECOND_S;
}

static void keep(struct told *t, const struct report_incident *i)
{
	*t = (struct told){.state = i->state,
			   .class = i->class,
			   .category = i->category,
			   .severity = i->severity,
			   .revision = i->revision,
			   .reopened = i->reopen_count,
			   .affected = i->affected,
			   .peak = i->affected_peak,
			   .members = i->members,
			   .onset_s = seconds(i->onset_unix_ns),
			   .changed_s = seconds(i->changed_unix_ns),
			   .clear_s = seconds(i->clear_unix_ns),
			   .planned = i->planned,
			   .page = i->page};
	snprintf(t->id, sizeof t->id, "%s", i->incident_id);
	snprintf(t->superseded_by, sizeof t->superseded_by, "%s",
		 i->superseded_by ? i->superseded_by : "");
	snprintf(t->type, sizeof t->type, "%s", i->group.type);
	snprintf(t->group, sizeof t->group, "%s", i->group.name);
	if (i->n_equivalent)
		snprintf(t->equivalent, sizeof t->equivalent, "%s:%s", i->equivalent[0].type,
			 i->equivalent[0].name);
}

static void take(void *context, const struct report *report)
{
	struct world *w = context;
	if (report->kind == REPORT_GAP) {
		w->gaps_begun += report->gap->until_unix_ns == REPORT_ABSENT;
		w->gaps_ended += report->gap->until_unix_ns != REPORT_ABSENT;
		w->gap_lines = report->gap->lines;
	}
	if (report->kind != REPORT_INCIDENT)
		return;
	assert_true(w->n_told < TOLD_MAX);
	keep(&w->told[w->n_told++], report->incident);
}

static const char *line_name(void *context, uint32_t line)
{
	static char name[16];
	(void)context;
	snprintf(name, sizeof name, "L%u", line);
	return name;
}

uint32_t world_line(int node, int card, int line)
{
	return (uint32_t)(1 + (node * CARDS + card) * CARD_LINES + line);
}

uint64_t world_at(double s)
{
	return WORLD_START_NS + (uint64_t)(s * SECOND_S);
}

void world_say(struct world *w, double s, uint32_t line, enum symptom_channel channel,
	       enum symptom_state state)
{
	struct symptom symptom = {
		.line = line, .channel = channel, .state = state, .at_ns = world_at(s)};
	if (state == SYMPTOM_BAD && channel == CHANNEL_DROP)
		symptom.cause = CAUSE_LINE_LOST;
	if (state == SYMPTOM_BAD && channel == CHANNEL_SETUP)
		symptom.stage = STAGE_AUTH_SILENT;
	outage_take(w->outage, &symptom);
}

static void place_line(struct world *w, int node, int card, int line)
{
	char name[16], node_name[8], card_name[8];
	struct outage_place place = {
		.line = name,
		.node = node_name,
		.card = card_name,
		.bras = "02:00:00:00:00:01",
		.svlan = (uint16_t)(100 + node),
	};
	snprintf(name, sizeof name, "L%u", world_line(node, card, line));
	snprintf(node_name, sizeof node_name, "N%d", node);
	snprintf(card_name, sizeof card_name, "%d", card);
	outage_line(w->outage, world_line(node, card, line), &place);
}

/* Calls `each` for lines from .. to - 1 of a card. */
void world_card(struct world *w, double s, int node, int card, int from, int to,
		enum symptom_channel channel, enum symptom_state state)
{
	for (int l = from; l < to; l++)
		world_say(w, s + 0.01 * l, world_line(node, card, l), channel, state);
}

static int by_second(const void *a, const void *b)
{
	double x = ((const struct world_drop *)a)->s, y = ((const struct world_drop *)b)->s;
	return (x > y) - (x < y);
}

void world_drop(struct world *w, struct world_drop *drops, uint32_t n)
{
	qsort(drops, n, sizeof *drops, by_second);
	for (uint32_t d = 0; d < n; d++)
		world_say(w, drops[d].s, drops[d].line, CHANNEL_DROP, SYMPTOM_BAD);
}

void world_cut(struct world *w, double s, int node, int which)
{
	world_card(w, s, node, which, 0, CARD_LINES, CHANNEL_DROP, SYMPTOM_BAD);
}

void world_heal(struct world *w, double s, int node, int which)
{
	world_card(w, s, node, which, 0, CARD_LINES, CHANNEL_DROP, SYMPTOM_GOOD);
}

void world_run_to(struct world *w, double s)
{
	outage_advance(w->outage, world_at(s));
}

void world_begin_with(struct world *w, struct outage_options options)
{
	options.max_lines = 10000;
	options.line_name = line_name;
	*w = (struct world){0};
	w->outage = outage_new(&options, (struct report_sink){take, w});
	assert_non_null(w->outage);
	outage_advance(w->outage, WORLD_START_NS);
	for (int node = 0; node < NODES; node++)
		for (int c = 0; c < CARDS; c++)
			for (int l = 0; l < CARD_LINES; l++) {
				place_line(w, node, c, l);
				world_say(w, 0, world_line(node, c, l), CHANNEL_DROP, SYMPTOM_GOOD);
			}
}

void world_begin(struct world *w)
{
	world_begin_with(w, (struct outage_options){0});
}

void world_end(struct world *w)
{
	assert_int_equal(outage_counters(w->outage).no_memory, 0);
	w->outage = outage_free(w->outage);
}

const struct told *world_last(const struct world *w)
{
	assert_true(w->n_told > 0);
	return &w->told[w->n_told - 1];
}

uint32_t world_distinct(const struct world *w)
{
	uint32_t n = 0;
	for (uint32_t i = 0; i < w->n_told; i++) {
		bool seen = false;
		for (uint32_t j = 0; j < i; j++)
			seen |= strcmp(w->told[i].id, w->told[j].id) == 0;
		n += !seen;
	}
	return n;
}

const struct group *world_group(const struct world *w, const char *name)
{
	for (uint32_t g = 1; g < w->outage->groups.n; g++)
		if (strcmp(w->outage->groups.at[g].name, name) == 0)
			return &w->outage->groups.at[g];
	fail_msg("no group %s", name);
	return NULL;
}
