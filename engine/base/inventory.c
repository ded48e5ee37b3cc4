/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * CSV by RFC 4180 (quotes, CRLF, a byte order mark), read into one buffer that the cells then
 * point into: quotes are removed in place, so a cell costs no allocation.
 *
 * Limits: INPUT_MAX bytes, COLUMNS_MAX columns. A row is good or bad as a whole: a cell that
 * cannot be what its column says would make the rest of the row doubtful, too.
 */
#include "engine/base/inventory.h"

#include <errno.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "engine/base/phone.h"

#define INPUT_MAX     (1u << 30)
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

struct reader {
	char *at, *end;
	size_t line; /* the next one to be read */
	size_t row_line;
	const char *name;
	FILE *complaints;
};

__attribute__((format(printf, 3, 4))) static void complain(const struct reader *reader, size_t line,
							   const char *format, ...)
{
	va_list arguments;

	if (!reader->complaints)
		return;
	fprintf(reader->complaints, "%s:%zu: ", reader->name, line);
	va_start(arguments, format);
	vfprintf(reader->complaints, format, arguments);
	va_end(arguments);
	fputc('\n', reader->complaints);
}

/* --- CSV --- */

enum cell_end { CELL_COMMA, CELL_ROW, CELL_FILE, CELL_BROKEN };

/* Consumes what ends a cell and puts NUL in its place. to: where the cell's text ends. */
static enum cell_end end_cell(struct reader *reader, char *to)
{
	char *at = reader->at;

	if (at == reader->end) {
		*to = 0;
		return CELL_FILE;
	}
	bool comma = *at == ',';
	if (*at == '\r')
		at++;
	reader->at = at + 1;
	*to = 0;
	reader->line += !comma;
	return comma ? CELL_COMMA : CELL_ROW;
}

static bool is_end(const struct reader *reader, const char *at)
{
	return at == reader->end || *at == ',' || *at == '\n' ||
	       (*at == '\r' && at + 1 < reader->end && at[1] == '\n');
}

/* The quote that closes the one at `open`, or the end; "" is a quote inside. */
static const char *closing_quote(const struct reader *reader, const char *open)
{
	const char *at = open + 1;

	for (; at < reader->end; at++) {
		if (*at != '"')
			continue;
		if (at + 1 == reader->end || at[1] != '"')
			break;
		at++;
	}
	return at;
}

/* Looks before it writes: a broken cell stays as it is, so that the next line can be read. */
static enum cell_end read_quoted(struct reader *reader)
{
	const char *close = closing_quote(reader, reader->at);
	char *to = reader->at;

	if (close == reader->end || !is_end(reader, close + 1))
		return CELL_BROKEN;
	for (const char *from = reader->at + 1; from < close; from++) {
		from += *from == '"';
		reader->line += *from == '\n';
		*to++ = *from;
	}
	reader->at += close + 1 - reader->at;
	return end_cell(reader, to);
}

/* Reads the cell at reader->at in place, as a C string. */
static enum cell_end read_cell(struct reader *reader, char **cell)
{
	*cell = reader->at;
	if (reader->at < reader->end && *reader->at == '"')
		return read_quoted(reader);
	while (!is_end(reader, reader->at))
		reader->at++;
	return end_cell(reader, reader->at);
}

static void skip_line(struct reader *reader)
{
	char *newline = memchr(reader->at, '\n', (size_t)(reader->end - reader->at));

	reader->at = newline ? newline + 1 : reader->end;
	reader->line += newline != NULL;
}

/*
 * Reads a row of at most max cells. Returns their number (more than max if there are more), or
 * -EINVAL for broken quotes, which are complained about; the rest of that line is skipped.
 */
static int read_row(struct reader *reader, const char **cells, int max)
{
	enum cell_end end;
	int n = 0;

	reader->row_line = reader->line;
	do {
		char *cell;
		end = read_cell(reader, &cell);
		if (end == CELL_BROKEN) {
			complain(reader, reader->row_line,
				 "expected \"...\" and then a comma or the end of the line");
			skip_line(reader);
			return -EINVAL;
		}
		if (n < max)
			cells[n] = cell;
		n++;
	} while (end == CELL_COMMA);
	return n;
}

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

static bool read_plan(const struct reader *reader, const struct inventory *inventory,
		      const char *const *cells, const char *name, int64_t *kbps)
{
	const char *text = known_cell(inventory, cells, name);

	if (read_kbps(text, kbps))
		return true;
	complain(reader, reader->row_line, "%s \"%.40s\": expected a whole number of kbit/s", name,
		 text);
	return false;
}

static bool read_phone(const struct reader *reader, const char *text, char phone[PHONE_SIZE])
{
	phone[0] = 0;
	if (!*text || !phone_normalise(text, phone))
		return true;
	complain(reader, reader->row_line, "phone \"%.40s\": expected 7 to 15 digits", text);
	return false;
}

static bool fill_row(const struct reader *reader, const struct inventory *inventory,
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
		complain(reader, reader->row_line, "line is empty");
		return false;
	}
	return read_phone(reader, known_cell(inventory, cells, "phone"), row->phone) &&
	       read_plan(reader, inventory, cells, "plan_down_kbps", &face->plan_down_kbps) &&
	       read_plan(reader, inventory, cells, "plan_up_kbps", &face->plan_up_kbps);
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
static bool allocate_rows(struct inventory *inventory, const struct reader *reader)
{
	size_t rows = 1;

	for (const char *at = reader->at; at < reader->end; at++)
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
static bool add_row(const struct reader *reader, struct inventory *inventory, struct row *row)
{
	size_t slot = find_slot(inventory, row->face.line);

	if (inventory->slots[slot]) {
		inventory->counts.duplicates++;
		complain(reader, reader->row_line, "line \"%.80s\" is there already",
			 row->face.line);
		return false;
	}
	inventory->slots[slot] = (uint32_t)++inventory->counts.rows;
	row->face.phone = row->phone;
	return true;
}

static bool read_one(struct reader *reader, struct inventory *inventory)
{
	int columns = (int)inventory->n_columns;
	size_t index = inventory->counts.rows;
	const char **cells = &inventory->cells[index * inventory->n_columns];
	struct row *row = &inventory->rows[index];
	int n = read_row(reader, cells, columns);

	if (n < 0)
		return false;
	if (n == 1 && !*cells[0] && columns > 1)
		return true; /* an empty line is no row */
	if (n != columns) {
		complain(reader, reader->row_line, "%d cells, expected %d as in the header", n,
			 columns);
		return false;
	}
	return fill_row(reader, inventory, cells, row) && add_row(reader, inventory, row);
}

/* --- header --- */

static bool check_columns(const struct reader *reader, const struct inventory *inventory)
{
	for (size_t i = 0; i < inventory->n_columns; i++)
		if (inventory_column(inventory, inventory->columns[i]) != (int)i) {
			complain(reader, 1, "column \"%.40s\" is there twice",
				 inventory->columns[i]);
			return false;
		}
	if (inventory_column(inventory, "line") >= 0)
		return true;
	complain(reader, 1, "no column \"line\" in the header: expected line,subscriber,phone,...");
	return false;
}

static bool read_header(struct reader *reader, struct inventory *inventory)
{
	static const char byte_order_mark[] = "\xEF\xBB\xBF";

	if (reader->end - reader->at >= 3 && !memcmp(reader->at, byte_order_mark, 3))
		reader->at += 3;
	int n = read_row(reader, inventory->columns, COLUMNS_MAX);
	if (n < 0)
		return false;
	if (n > COLUMNS_MAX) {
		complain(reader, 1, "%d columns, expected at most %d", n, COLUMNS_MAX);
		return false;
	}
	inventory->n_columns = (size_t)n;
	return check_columns(reader, inventory);
}

static bool read_all(struct reader *reader, struct inventory *inventory)
{
	if (memchr(reader->at, 0, (size_t)(reader->end - reader->at))) {
		complain(reader, 1, "not a text file (NUL byte inside)");
		return false;
	}
	if (!read_header(reader, inventory))
		return false;
	if (!allocate_rows(inventory, reader)) {
		complain(reader, 1, "out of memory");
		return false;
	}
	while (reader->at < reader->end)
		inventory->counts.bad += !read_one(reader, inventory);
	return true;
}

/* --- face --- */

static struct inventory *inventory_own(char *text, size_t n, const char *name, FILE *complaints)
{
	struct inventory *inventory = calloc(1, sizeof(*inventory));
	struct reader reader = {.at = text, .line = 1, .name = name, .complaints = complaints};

	if (!inventory) {
		free(text);
		return NULL;
	}
	inventory->text = text;
	reader.end = text + n;
	return read_all(&reader, inventory) ? inventory : inventory_free(inventory);
}

struct inventory *inventory_parse(const char *text, size_t n, const char *name, FILE *complaints)
{
	char *copy = n <= INPUT_MAX ? malloc(n + 1) : NULL;

	if (!copy)
		return NULL;
	if (n)
		memcpy(copy, text, n);
	return inventory_own(copy, n, name, complaints);
}

/* The whole file and one byte to spare, or NULL with errno. */
static char *read_file(FILE *file, size_t *n)
{
	size_t capacity = 1 << 16;
	char *text = malloc(capacity);

	*n = 0;
	while (text) {
		*n += fread(text + *n, 1, capacity - 1 - *n, file);
		if (ferror(file) || *n > INPUT_MAX) {
			errno = ferror(file) ? errno : EFBIG;
			free(text);
			return NULL;
		}
		if (*n < capacity - 1)
			return text;
		char *larger = realloc(text, capacity *= 2);
		if (!larger)
			free(text);
		text = larger;
	}
	return NULL;
}

struct inventory *inventory_load(const char *path, FILE *complaints)
{
	FILE *file = fopen(path, "rb");
	size_t n;
	char *text = file ? read_file(file, &n) : NULL;

	if (!text && complaints)
		fprintf(complaints, "%s: %s\n", path, strerror(errno));
	if (file)
		fclose(file);
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
		if (!strcmp(inventory->columns[i], name))
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
