/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The cells point into the file as it was read (engine/base/csv.h).
 *
 * Limits: CSV_BYTES_MAX, COLUMNS_MAX columns. A row is good or bad as a whole: a cell that
 * cannot be what its column says would make the rest of the row doubtful, too.
 */
#include "engine/base/inventory.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "engine/base/csv.h"
#include "engine/base/phone.h"

#define COLUMNS_MAX   256
#define PLAN_MAX_KBPS 4000000000 /* fits the schema's uint32 */

struct row {
	struct inventory_row face;
	char phone[PHONE_SIZE];
};

struct inventory {
	char *text;
	const char *columns[COLUMNS_MAX];
	size_t n_columns;
	struct row *rows;
	const char **cells; /* n_columns for each row */
	size_t capacity;    /* of rows and cells, in rows */
	uint32_t *slots;    /* open addressing by line: index into rows + 1 */
	size_t n_slots;	    /* a power of two, at least twice the rows */
	struct inventory_counts counts;
};

/* --- rows --- */

static const char *known_cell(const struct inventory *inventory, const char *const *cells,
			      const char *name)
{
	int column = inventory_column(inventory, name);

	return column < 0 ? "" : cells[column];
}

/* Empty is absent. Returns false when it is no number of kbit/s. */
static bool read_kbps(const char *text, int64_t *kbps)
{
	char *end;

	*kbps = INVENTORY_ABSENT;
	if (!*text)
		return true;
	errno = 0;
	long long value = strtoll(text, &end, 10);
	if (errno || *end || *text < '0' || *text > '9' || value > PLAN_MAX_KBPS)
		return false;
	*kbps = value;
	return true;
}

static bool read_plan(const struct csv *csv, const struct inventory *inventory,
		      const char *const *cells, const char *name, int64_t *kbps)
{
	const char *text = known_cell(inventory, cells, name);

	if (read_kbps(text, kbps))
		return true;
	csv_complain(csv, csv->row_line, "%s \"%.40s\": expected a whole number of kbit/s", name,
		     text);
	return false;
}

static bool read_phone(const struct csv *csv, const char *text, char phone[PHONE_SIZE])
{
	phone[0] = 0;
	if (!*text || !phone_normalise(text, phone))
		return true;
	csv_complain(csv, csv->row_line, "phone \"%.40s\": expected 7 to 15 digits", text);
	return false;
}

static bool fill_row(const struct csv *csv, const struct inventory *inventory,
		     const char *const *cells, struct row *row)
{
	struct inventory_row *face = &row->face;

	*face = (struct inventory_row){
		.line = known_cell(inventory, cells, "line"),
		.subscriber = known_cell(inventory, cells, "subscriber"),
		.exchange = known_cell(inventory, cells, "exchange"),
		.node = known_cell(inventory, cells, "node"),
		.card = known_cell(inventory, cells, "card"),
		.port = known_cell(inventory, cells, "port"),
		.cabinet = known_cell(inventory, cells, "cabinet"),
		.cells = cells,
	};
	if (!*face->line) {
		csv_complain(csv, csv->row_line, "line is empty");
		return false;
	}
	return read_phone(csv, known_cell(inventory, cells, "phone"), row->phone) &&
	       read_plan(csv, inventory, cells, "plan_down_kbps", &face->plan_down_kbps) &&
	       read_plan(csv, inventory, cells, "plan_up_kbps", &face->plan_up_kbps);
}

static uint64_t hash_text(const char *text) /* FNV-1a */
{
	uint64_t hash = 0xcbf29ce484222325u;

	for (; *text; text++)
		hash = (hash ^ (unsigned char)*text) * 0x100000001b3u;
	return hash;
}

static size_t find_slot(const struct inventory *inventory, const char *line)
{
	size_t mask = inventory->n_slots - 1;
	size_t slot = hash_text(line) & mask;

	while (inventory->slots[slot] &&
	       strcmp(inventory->rows[inventory->slots[slot] - 1].face.line, line))
		slot = (slot + 1) & mask;
	return slot;
}

/* As many rows as the text has line ends, so that pointers into the arrays stay. */
static bool allocate_rows(struct inventory *inventory, const struct csv *csv)
{
	size_t rows = 1;

	for (const char *at = csv->at; at < csv->end; at++)
		rows += *at == '\n';
	inventory->capacity = rows;
	inventory->n_slots = 2;
	while (inventory->n_slots < 2 * rows)
		inventory->n_slots *= 2;
	inventory->rows = calloc(rows, sizeof(*inventory->rows));
	inventory->cells = calloc(rows * inventory->n_columns, sizeof(*inventory->cells));
	inventory->slots = calloc(inventory->n_slots, sizeof(*inventory->slots));
	return inventory->rows && inventory->cells && inventory->slots;
}

/* The row is in place at counts.rows; keep it unless its line is known. */
static bool add_row(const struct csv *csv, struct inventory *inventory, struct row *row)
{
	size_t slot = find_slot(inventory, row->face.line);

	if (inventory->slots[slot]) {
		inventory->counts.duplicates++;
		csv_complain(csv, csv->row_line, "line \"%.80s\" is there already", row->face.line);
		return false;
	}
	inventory->slots[slot] = (uint32_t)++inventory->counts.rows;
	row->face.phone = row->phone;
	return true;
}

static bool read_one(struct csv *csv, struct inventory *inventory)
{
	int columns = (int)inventory->n_columns;
	size_t index = inventory->counts.rows;
	const char **cells = &inventory->cells[index * inventory->n_columns];
	struct row *row = &inventory->rows[index];
	int n = csv_row(csv, cells, columns);

	if (n < 0)
		return false;
	if (n == 1 && !*cells[0] && columns > 1)
		return true; /* an empty line is no row */
	if (n != columns) {
		csv_complain(csv, csv->row_line, "%d cells, expected %d as in the header", n,
			     columns);
		return false;
	}
	return fill_row(csv, inventory, cells, row) && add_row(csv, inventory, row);
}

/* --- header --- */

static bool check_columns(const struct csv *csv, const struct inventory *inventory)
{
	for (size_t i = 0; i < inventory->n_columns; i++)
		if (inventory_column(inventory, inventory->columns[i]) != (int)i) {
			csv_complain(csv, 1, "column \"%.40s\" is there twice",
				     inventory->columns[i]);
			return false;
		}
	if (inventory_column(inventory, "line") >= 0)
		return true;
	csv_complain(csv, 1,
		     "no column \"line\" in the header: expected line,subscriber,phone,..., "
		     "with commas");
	return false;
}

static bool read_header(struct csv *csv, struct inventory *inventory)
{
	int n = csv_row(csv, inventory->columns, COLUMNS_MAX);
	if (n < 0)
		return false;
	if (n > COLUMNS_MAX) {
		csv_complain(csv, 1, "%d columns, expected at most %d", n, COLUMNS_MAX);
		return false;
	}
	inventory->n_columns = (size_t)n;
	return check_columns(csv, inventory);
}

static bool read_all(struct csv *csv, struct inventory *inventory)
{
	if (!read_header(csv, inventory))
		return false;
	if (!allocate_rows(inventory, csv)) {
		csv_complain(csv, 1, "out of memory");
		return false;
	}
	while (csv->at < csv->end)
		inventory->counts.bad += !read_one(csv, inventory);
	return true;
}

/* --- face --- */

static struct inventory *inventory_own(char *text, size_t n, const char *name, FILE *complaints)
{
	struct inventory *inventory = calloc(1, sizeof(*inventory));
	struct csv csv;

	if (!inventory) {
		free(text);
		return NULL;
	}
	inventory->text = text;
	return csv_begin(&csv, text, n, name, complaints) && read_all(&csv, inventory)
		       ? inventory
		       : inventory_free(inventory);
}

struct inventory *inventory_parse(const char *text, size_t n, const char *name, FILE *complaints)
{
	char *copy = n <= CSV_BYTES_MAX ? malloc(n + 1) : NULL;

	if (!copy)
		return NULL;
	if (n)
		memcpy(copy, text, n);
	return inventory_own(copy, n, name, complaints);
}

struct inventory *inventory_load(const char *path, FILE *complaints)
{
	size_t n;
	char *text = csv_load(path, &n, complaints);

	return text ? inventory_own(text, n, path, complaints) : NULL;
}

struct inventory *inventory_free(struct inventory *inventory)
{
	if (!inventory)
		return NULL;
	free(inventory->text);
	free(inventory->rows);
	free(inventory->cells);
	free(inventory->slots);
	free(inventory);
	return NULL;
}

struct inventory_counts inventory_counts(const struct inventory *inventory)
{
	return inventory ? inventory->counts : (struct inventory_counts){0};
}

const struct inventory_row *inventory_find(const struct inventory *inventory, const char *line)
{
	uint32_t index = inventory ? inventory->slots[find_slot(inventory, line)] : 0;

	return index ? &inventory->rows[index - 1].face : NULL;
}

const struct inventory_row *inventory_at(const struct inventory *inventory, size_t index)
{
	return index < inventory_counts(inventory).rows ? &inventory->rows[index].face : NULL;
}

int inventory_column(const struct inventory *inventory, const char *name)
{
	for (size_t i = 0; i < inventory_columns(inventory); i++)
		if (!strcasecmp(inventory->columns[i], name))
			return (int)i;
	return -1;
}

size_t inventory_columns(const struct inventory *inventory)
{
	return inventory ? inventory->n_columns : 0;
}

const char *inventory_column_name(const struct inventory *inventory, size_t column)
{
	return column < inventory_columns(inventory) ? inventory->columns[column] : NULL;
}
