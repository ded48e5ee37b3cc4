/* SPDX-License-Identifier: BSD-3-Clause */
#include "tools/rasad-replay/text_lint.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "engine/analysis/report.h"
#include "tools/rasad-replay/text_parts.h"

enum { NAME = 80, EXAMPLES_MAX = 20 };

struct lint_row {
	char kind[NAME];
	uint64_t count;
	struct {
		char line[NAME], seen[NAME], inventory[NAME];
	} examples[EXAMPLES_MAX];
	size_t n;
};

static const struct {
	const char *kind, *words;
} sentences[] = {
	{"node", "lines whose circuit-id names another node than the inventory"},
	{"svlan", "lines in another S-VLAN than in the inventory"},
	{"unknown_line", "lines that the inventory does not have"},
	{"card_lines", "cards that have more lines in the inventory than a card can have"},
	{"parent", "lines whose node or card the inventory has elsewhere for most of its lines"},
	{"loop", "lines of an exchange within a node that is within the exchange"},
};

void text_lint_take(struct text_lint *text, const struct report_topology_lint *lint)
{
	struct lint_row *row =
		text_add_row((void **)&text->rows, &text->n, &text->room, sizeof *text->rows);

	if (!row)
		return;
	text_copy(row->kind, sizeof row->kind, lint->kind);
	row->count = lint->count;
	for (; row->n < lint->n_examples && row->n < EXAMPLES_MAX; row->n++) {
		const struct report_lint_example *from = &lint->examples[row->n];
		text_copy(row->examples[row->n].line, NAME, from->line);
		text_copy(row->examples[row->n].seen, NAME, from->seen);
		text_copy(row->examples[row->n].inventory, NAME, from->inventory);
	}
}

static void print_row(const struct lint_row *row, FILE *out)
{
	const char *words = row->kind;

	for (size_t i = 0; i < sizeof sentences / sizeof *sentences; i++)
		if (strcmp(sentences[i].kind, row->kind) == 0)
			words = sentences[i].words;
	fprintf(out, "%" PRIu64 " %s\n", row->count, words);
	for (size_t i = 0; i < row->n; i++)
		fprintf(out, "  %-28s %-20s %s\n", row->examples[i].line, row->examples[i].seen,
			row->examples[i].inventory);
	if (row->count > row->n)
		fprintf(out, "  ... and %" PRIu64 " more\n", row->count - row->n);
}

void text_lint_print(const struct text_lint *text, FILE *out)
{
	if (text->n)
		fprintf(out, "\ninventory to be examined: line, as seen, as in the inventory\n");
	for (size_t i = 0; i < text->n; i++)
		print_row(&text->rows[i], out);
}

void text_lint_fini(struct text_lint *text)
{
	free(text->rows);
	*text = (struct text_lint){0};
}
