/* SPDX-License-Identifier: BSD-3-Clause */
#include "engine/analysis/lint.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "engine/analysis/analysis.h"
#include "engine/analysis/subject.h"
#include "engine/base/inventory.h"
#include "engine/base/key.h"
#include "engine/base/map.h"

enum { EXAMPLES_MAX = 20, TEXT_MAX = 160 };

/* No card has more: 72 ports of copper, or 32 of fibre with 128 lines each. */
enum { CARD_PORTS_MAX = 128, CARD_LINES_MAX = 4096 };

enum lint_kind {
	LINT_NODE,
	LINT_SVLAN,
	LINT_UNKNOWN_LINE,
	LINT_CARD_LINES,
	LINT_PARENT,
	LINT_LOOP,
	LINT_KINDS
};

static const char *const kind_names[LINT_KINDS] = {"node",	 "svlan",  "unknown_line",
						   "card_lines", "parent", "loop"};

struct finding_list {
	uint64_t count;
	struct report_lint_example examples[EXAMPLES_MAX];
	char texts[EXAMPLES_MAX][2][TEXT_MAX];
};

struct lint {
	struct analysis *analysis;
	const struct inventory *inventory;
	int svlan_column;
	struct finding_list kinds[LINT_KINDS];
};

static void found(struct lint *l, enum lint_kind kind, const char *line, const char *seen,
		  const char *booked)
{
	struct finding_list *list = &l->kinds[kind];
	uint64_t n = list->count++;
	if (n >= EXAMPLES_MAX)
		return;
	snprintf(list->texts[n][0], TEXT_MAX, "%s", seen);
	snprintf(list->texts[n][1], TEXT_MAX, "%s", booked);
	list->examples[n] =
		(struct report_lint_example){line, list->texts[n][0], list->texts[n][1]};
}

/* --- packets and books --- */

static void check_line(struct lint *l, const struct subject *s)
{
	const char *name = subject_name(s), *booked;
	const struct inventory_row *row = inventory_find(l->inventory, name);
	char node[CONTROL_NAME_MAX] = "", svlan[8];
	bool has_node = subject_node(s, node, sizeof node);
	if (!row) {
		found(l, LINT_UNKNOWN_LINE, name, node, "");
		return;
	}
	if (has_node && *row->node && strcmp(node, row->node) != 0)
		found(l, LINT_NODE, name, node, row->node);
	booked = l->svlan_column >= 0 ? row->cells[l->svlan_column] : "";
	snprintf(svlan, sizeof svlan, "%u", s->svlan);
	if (s->svlan && *booked && strcmp(svlan, booked) != 0)
		found(l, LINT_SVLAN, name, svlan, booked);
}

/* --- cards --- */

struct card {
	uint32_t row, lines, ports;
};

/* A row's line and port on its card; false without memory. */
static bool count_row(struct card *cards, uint32_t *n, struct map *index, uint32_t row,
		      const struct inventory_row *r)
{
	uint64_t key = key_of_group(r->node, r->card), port_key = key_of_kind(key, r->port);
	uint32_t *at = map_find(index, key), card = at ? *at : *n;
	if (!at) {
		if (!map_put(index, key, card))
			return false;
		cards[(*n)++] = (struct card){.row = row};
	}
	cards[card].lines++;
	if (!*r->port || map_find(index, port_key))
		return true;
	cards[card].ports++;
	return map_put(index, port_key, card);
}

/* All cards of the books; their number. */
static uint32_t count_cards(const struct lint *l, struct card *cards)
{
	size_t rows = inventory_counts(l->inventory).rows;
	struct map index = {0};
	uint32_t n = 0;
	for (size_t i = 0; i < rows; i++) {
		const struct inventory_row *row = inventory_at(l->inventory, i);
		if (*row->card && !count_row(cards, &n, &index, (uint32_t)i, row)) {
			l->analysis->refused++;
			break;
		}
	}
	map_fini(&index);
	return n;
}

static void check_cards(struct lint *l)
{
	struct card *cards = malloc((inventory_counts(l->inventory).rows + 1) * sizeof *cards);
	uint32_t n = cards ? count_cards(l, cards) : 0;
	l->analysis->refused += !cards;
	for (uint32_t c = 0; c < n; c++) {
		const struct inventory_row *row = inventory_at(l->inventory, cards[c].row);
		char card[TEXT_MAX], count[TEXT_MAX];
		if (cards[c].ports <= CARD_PORTS_MAX && cards[c].lines <= CARD_LINES_MAX)
			continue;
		snprintf(card, sizeof card, "%.70s %.70s", row->node, row->card);
		snprintf(count, sizeof count, "%u lines on %u ports", cards[c].lines,
			 cards[c].ports);
		found(l, LINT_CARD_LINES, row->line, card, count);
	}
	free(cards);
}

/* --- places --- */

/* A node or card that hangs elsewhere for most of its lines. */
static void check_parent(struct lint *l, const struct inventory_row *row)
{
	bool card = false;
	const struct inventory_row *most =
		l->analysis->outage ? outage_outvoted(l->analysis->outage, row, &card) : NULL;
	char text[TEXT_MAX];
	if (!most)
		return;
	snprintf(text, sizeof text, "%.70s in %.70s", card ? row->card : row->node,
		 card ? most->node : most->exchange);
	found(l, LINT_PARENT, row->line, text, card ? row->node : row->exchange);
}

static bool is_number(const char *text)
{
	return strspn(text, "0123456789./-") == strlen(text);
}

/* Which pair of an exchange and a node the row has; 0: none. Numbers may be those of anything. */
static uint64_t pair_of(const char *above, const char *below)
{
	bool names = *above && *below && !is_number(above) && !is_number(below);
	return names && strcmp(above, below) != 0 ? key_of_group(above, below) : 0;
}

/* Counts a row's pair; false without memory. */
static bool count_pair(struct map *pairs, const struct inventory_row *row)
{
	uint64_t pair = pair_of(row->exchange, row->node);
	uint32_t *rows = pair ? map_find(pairs, pair) : NULL;
	if (rows)
		(*rows)++;
	return !pair || rows || map_put(pairs, pair, 1);
}

/* An exchange within a node that is within the exchange, as more rows say. */
static void check_loop(struct lint *l, const struct map *pairs, const struct inventory_row *row)
{
	uint64_t pair = pair_of(row->exchange, row->node);
	const uint32_t *own = pair ? map_find(pairs, pair) : NULL;
	const uint32_t *turned =
		own ? map_find(pairs, key_of_group(row->node, row->exchange)) : NULL;
	char seen[TEXT_MAX], booked[TEXT_MAX];
	if (!turned || *turned < *own)
		return;
	snprintf(seen, sizeof seen, "%.60s above %.60s", row->node, row->exchange);
	snprintf(booked, sizeof booked, "%.60s above %.60s", row->exchange, row->node);
	found(l, LINT_LOOP, row->line, seen, booked);
}

static void check_places(struct lint *l)
{
	size_t rows = inventory_counts(l->inventory).rows, counted = 0;
	struct map pairs = {0};
	while (counted < rows && count_pair(&pairs, inventory_at(l->inventory, counted)))
		counted++;
	l->analysis->refused += counted < rows;
	for (size_t i = 0; i < rows; i++) {
		check_parent(l, inventory_at(l->inventory, i));
		check_loop(l, &pairs, inventory_at(l->inventory, i));
	}
	map_fini(&pairs);
}

/* --- report --- */

static void tell(const struct lint *l, enum lint_kind kind)
{
	const struct finding_list *list = &l->kinds[kind];
	const struct report_topology_lint lint = {
		.unix_ns = (int64_t)l->analysis->now_ns,
		.kind = kind_names[kind],
		.count = list->count,
		.examples = list->examples,
		.n_examples = list->count < EXAMPLES_MAX ? list->count : EXAMPLES_MAX,
	};
	const struct report report = {REPORT_TOPOLOGY_LINT, {.topology_lint = &lint}};
	if (list->count)
		l->analysis->sink.take(l->analysis->sink.context, &report);
}

void lint_topology(struct analysis *a)
{
	struct lint *l = a->options.inventory ? calloc(1, sizeof *l) : NULL;
	if (!l) {
		a->refused += a->options.inventory != NULL;
		return;
	}
	l->analysis = a;
	l->inventory = a->options.inventory;
	l->svlan_column = inventory_column(l->inventory, "svlan");
	for (uint32_t i = 1; i < a->n_subjects; i++)
		if (a->subjects[i].known)
			check_line(l, &a->subjects[i]);
	check_cards(l);
	check_places(l);
	for (int kind = 0; kind < LINT_KINDS; kind++)
		tell(l, (enum lint_kind)kind);
	free(l);
}
