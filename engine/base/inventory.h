/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The inventory: what the operator's books say about a line. It only adds to what is seen.
 *
 * Read-only once loaded: any number of threads may read it. It stands on the base floor because
 * analysis groups by its columns and the publisher puts them on the cards.
 */
#ifndef RASAD_ENGINE_BASE_INVENTORY_H
#define RASAD_ENGINE_BASE_INVENTORY_H

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#define INVENTORY_ABSENT (-1)

/* Texts are "" when unknown, never NULL. */
struct inventory_row {
	const char *line, *subscriber, *exchange, *node, *card, *port, *cabinet;
	const char *phone;		      /* E.164: "+982188776655" */
	int64_t plan_down_kbps, plan_up_kbps; /* or INVENTORY_ABSENT */
	const char *const *cells;	      /* all columns, as in the file; inventory_column */
};

struct inventory_counts {
	size_t rows;	   /* loaded */
	size_t bad;	   /* reported and skipped */
	size_t duplicates; /* of a line that was there already: the first stays; also in bad */
};

struct inventory;

/*
 * Loads a CSV file. Bad rows go to complaints as "file:line: reason" (NULL: silent) and are
 * skipped. NULL when the file as a whole is of no use; the reason is among the complaints.
 */
struct inventory *inventory_load(const char *path, FILE *complaints);
/* The same from memory; name stands for the file in complaints. */
struct inventory *inventory_parse(const char *text, size_t n, const char *name, FILE *complaints);
struct inventory *inventory_free(struct inventory *inventory);

struct inventory_counts inventory_counts(const struct inventory *inventory);
/* NULL: the line is not in the inventory. A NULL inventory holds nothing. */
const struct inventory_row *inventory_find(const struct inventory *inventory, const char *line);
/* In the order of the file, 0 .. counts.rows - 1. */
const struct inventory_row *inventory_at(const struct inventory *inventory, size_t index);

/* Columns by name, in small or capital letters, unknown ones too: index for row->cells, or -1. */
int inventory_column(const struct inventory *inventory, const char *name);
size_t inventory_columns(const struct inventory *inventory);
const char *inventory_column_name(const struct inventory *inventory, size_t column);

#endif
