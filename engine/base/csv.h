/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * CSV by RFC 4180 (quotes, CRLF, a byte order mark), in one buffer that the cells then point into:
 * quotes are removed in place, so a cell costs no allocation. What is wrong is told with its line.
 */
#ifndef RASAD_ENGINE_BASE_CSV_H
#define RASAD_ENGINE_BASE_CSV_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

#define CSV_BYTES_MAX (1u << 30)

struct csv {
	char *at, *end;
	size_t line; /* the next one to be read */
	size_t row_line;
	const char *name;
	FILE *complaints; /* or NULL */
};

/* The file's text, to be freed, with one byte to spare behind its *n; or NULL, which is told. */
char *csv_load(const char *path, size_t *n, FILE *complaints);

/* text[n] is writable and takes the last terminator. False, told, when it is no text. */
bool csv_begin(struct csv *csv, char *text, size_t n, const char *name, FILE *complaints);

/*
 * Reads a row of at most max cells. Returns their number (more than max if there are more), or
 * -EINVAL for broken quotes, which are complained about; the rest of that line is skipped.
 */
int csv_row(struct csv *csv, const char **cells, int max);

/* "name:line: ..." */
__attribute__((format(printf, 3, 4))) void csv_complain(const struct csv *csv, size_t line,
							const char *format, ...);

#endif
