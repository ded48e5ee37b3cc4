/* SPDX-License-Identifier: BSD-3-Clause */
#include "engine/analysis/lint.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "engine/analysis/analysis.h"
#include "engine/analysis/subject.h"
#include "engine/base/inventory.h"
#include "engine/base/map.h"

enum { EXAMPLES_MAX = 20, TEXT_MAX = 160, CARDS_MIN = 4 };

/* A card of so many times the lines of the middle one is no card. */
enum { CARD_TIMES = 4, CARD_LINES_MIN = 64 };

enum lint_kind { LINT_NODE, LINT_SVLAN, LINT_UNKNOWN_LINE, LINT_CARD_LINES, LINT_KINDS };

static const char *const kind_names[LINT_KINDS] = {"node", "svlan", "unknown_line", "card_lines"};

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
	uint32_t row, lines;
};

static uint64_t card_key(const struct inventory_row *row)
{
	uint64_t hash = 0xcbf29ce484222325ull;
	const char *const names[] = {row->node, row->card};
	for (int n = 0; n < 2; n++) {
		for (const char *c = names[n]; *c; c++)
			hash = (hash ^ (uint8_t)*c) * 0x100000001b3ull;
		hash = (hash ^ 0xff) * 0x100000001b3ull;
	}
	return hash ? hash : 1;
}

static int by_lines(const void *a, const void *b)
{
	const struct card *x = a, *y = b;
	if (x->lines != y->lines)
		return x->lines < y->lines ? 1 : -1;
	return (x->row > y->row) - (x->row < y->row);
}

/* All cards of the books; their number, or 0 without memory. */
static uint32_t count_cards(const struct lint *l, struct card *cards)
{
	size_t rows = inventory_counts(l->inventory).rows;
	struct map index = {0};
	uint32_t n = 0;
	for (size_t i = 0; i < rows; i++) {
		const struct inventory_row *row = inventory_at(l->inventory, i);
		uint64_t key = card_key(row);
		uint32_t *at;
		if (!*row->card)
			continue;
		at = map_find(&index, key);
		if (!at) {
			if (!map_put(&index, key, n)) {
				l->analysis->refused++;
				n = 0;
				break;
			}
			cards[n++] = (struct card){(uint32_t)i, 1};
			continue;
		}
		cards[*at].lines++;
	}
	map_fini(&index);
	return n;
}

static void check_cards(struct lint *l)
{
	struct card *cards = malloc((inventory_counts(l->inventory).rows + 1) * sizeof *cards);
	uint32_t n = cards ? count_cards(l, cards) : 0, usual;
	l->analysis->refused += !cards;
	if (n)
		qsort(cards, n, sizeof *cards, by_lines);
	usual = n ? cards[n / 2].lines : 0;
	for (uint32_t c = 0; n >= CARDS_MIN && c < n && cards[c].lines >= CARD_LINES_MIN &&
			     cards[c].lines > CARD_TIMES * usual;
	     c++) {
		const struct inventory_row *row = inventory_at(l->inventory, cards[c].row);
		char card[TEXT_MAX], lines[TEXT_MAX];
		snprintf(card, sizeof card, "%.70s %.70s", row->node, row->card);
		snprintf(lines, sizeof lines, "%u lines, usually %u", cards[c].lines, usual);
		found(l, LINT_CARD_LINES, row->line, card, lines);
	}
	free(cards);
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
	for (int kind = 0; kind < LINT_KINDS; kind++)
		tell(l, (enum lint_kind)kind);
	free(l);
}
