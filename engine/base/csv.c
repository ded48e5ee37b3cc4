/* SPDX-License-Identifier: BSD-3-Clause */
#include "engine/base/csv.h"

#include <errno.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

void csv_complain(const struct csv *csv, size_t line, const char *format, ...)
{
	va_list arguments;

	if (!csv->complaints)
		return;
	fprintf(csv->complaints, "%s:%zu: ", csv->name, line);
	va_start(arguments, format);
	vfprintf(csv->complaints, format, arguments);
	va_end(arguments);
	fputc('\n', csv->complaints);
}

bool csv_begin(struct csv *csv, char *text, size_t n, const char *name, FILE *complaints)
{
	static const char byte_order_mark[] = "\xEF\xBB\xBF";

	*csv = (struct csv){text, text + n, 1, 1, name, complaints};
	if (n >= 3 && !memcmp(text, byte_order_mark, 3))
		csv->at += 3;
	if (!memchr(csv->at, 0, (size_t)(csv->end - csv->at)))
		return true;
	csv_complain(csv, 1, "not a text file (NUL byte inside)");
	return false;
}

enum cell_end { CELL_COMMA, CELL_ROW, CELL_FILE, CELL_BROKEN };

/* Consumes what ends a cell and puts NUL in its place. to: where the cell's text ends. */
static enum cell_end end_cell(struct csv *csv, char *to)
{
	char *at = csv->at;

	if (at == csv->end) {
		*to = 0;
		return CELL_FILE;
	}
	bool comma = *at == ',';
	if (*at == '\r')
		at++;
	csv->at = at + 1;
	*to = 0;
	csv->line += !comma;
	return comma ? CELL_COMMA : CELL_ROW;
}

static bool is_end(const struct csv *csv, const char *at)
{
	return at == csv->end || *at == ',' || *at == '\n' ||
	       (*at == '\r' && at + 1 < csv->end && at[1] == '\n');
}

/* The quote that closes the one at `open`, or the end; "" is a quote inside. */
static const char *closing_quote(const struct csv *csv, const char *open)
{
	const char *at = open + 1;

	for (; at < csv->end; at++) {
		if (*at != '"')
			continue;
		if (at + 1 == csv->end || at[1] != '"')
			break;
		at++;
	}
	return at;
}

/* Looks before it writes: a broken cell stays as it is, so that the next line can be read. */
static enum cell_end read_quoted(struct csv *csv)
{
	const char *close = closing_quote(csv, csv->at);
	char *to = csv->at;

	if (close == csv->end || !is_end(csv, close + 1))
		return CELL_BROKEN;
	for (const char *from = csv->at + 1; from < close; from++) {
		from += *from == '"';
		csv->line += *from == '\n';
		*to++ = *from;
	}
	csv->at += close + 1 - csv->at;
	return end_cell(csv, to);
}

/* Reads the cell at csv->at in place, as a C string. */
static enum cell_end read_cell(struct csv *csv, char **cell)
{
	*cell = csv->at;
	if (csv->at < csv->end && *csv->at == '"')
		return read_quoted(csv);
	while (!is_end(csv, csv->at))
		csv->at++;
	return end_cell(csv, csv->at);
}

static void skip_line(struct csv *csv)
{
	char *newline = memchr(csv->at, '\n', (size_t)(csv->end - csv->at));

	csv->at = newline ? newline + 1 : csv->end;
	csv->line += newline != NULL;
}

int csv_row(struct csv *csv, const char **cells, int max)
{
	enum cell_end end;
	int n = 0;

	csv->row_line = csv->line;
	do {
		char *cell;
		end = read_cell(csv, &cell);
		if (end == CELL_BROKEN) {
			csv_complain(csv, csv->row_line,
				     "expected \"...\" and then a comma or the end of the line");
			skip_line(csv);
			return -EINVAL;
		}
		if (n < max)
			cells[n] = cell;
		n++;
	} while (end == CELL_COMMA);
	return n;
}

/* The whole file and one byte to spare, or NULL with errno. */
static char *read_file(FILE *file, size_t *n)
{
	size_t capacity = 1 << 16;
	char *text = malloc(capacity);

	*n = 0;
	while (text) {
		*n += fread(text + *n, 1, capacity - 1 - *n, file);
		if (ferror(file) || *n > CSV_BYTES_MAX) {
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

char *csv_load(const char *path, size_t *n, FILE *complaints)
{
	FILE *file = fopen(path, "rb");
	char *text = file ? read_file(file, n) : NULL;

	if (!text && complaints)
		fprintf(complaints, "%s: %s\n", path, strerror(errno));
	if (file)
		fclose(file);
	return text;
}
