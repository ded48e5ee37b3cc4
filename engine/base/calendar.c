/* SPDX-License-Identifier: BSD-3-Clause */
#include "engine/base/calendar.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "engine/base/csv.h"

enum { COLUMNS = 4 };
#define NS_PER_S    1000000000ull
#define SECONDS_MAX 9000000000ull /* fits in nanoseconds */

static const char *const columns[COLUMNS] = {"group_type", "group", "from", "to"};

static bool read_seconds(const char *text, uint64_t *ns)
{
	uint64_t s = 0;
	for (; *text >= '0' && *text <= '9' && s <= SECONDS_MAX; text++)
		s = 10 * s + (uint64_t)(*text - '0');
	*ns = s * NS_PER_S;
	return !*text && s <= SECONDS_MAX;
}

/* Days that do not exist come back as others. */
static bool read_rfc3339(const char *text, uint64_t *ns)
{
	struct tm tm = {0}, back;
	const char *end = strptime(text, "%Y-%m-%dT%H:%M:%SZ", &tm);
	int day = tm.tm_mday, month = tm.tm_mon;
	time_t s = end && !*end ? timegm(&tm) : -1;
	if (s < 0 || (uint64_t)s > SECONDS_MAX || !gmtime_r(&s, &back))
		return false;
	*ns = (uint64_t)s * NS_PER_S;
	return back.tm_mday == day && back.tm_mon == month;
}

static bool read_time(const struct csv *csv, const char *text, const char *column, uint64_t *ns)
{
	if (*text && (strchr(text, 'T') ? read_rfc3339(text, ns) : read_seconds(text, ns)))
		return true;
	csv_complain(csv, csv->row_line,
		     "%s \"%.40s\": expected a time like 2026-03-21T00:30:00Z, or Unix seconds",
		     column, text);
	return false;
}

static bool read_plan(struct csv *csv, int n, const char *const *cells, struct calendar_plan *plan)
{
	*plan = (struct calendar_plan){cells[0], cells[1], 0, 0};
	if (n != COLUMNS) {
		csv_complain(csv, csv->row_line, "%d cells, expected %d: group_type,group,from,to",
			     n, COLUMNS);
		return false;
	}
	if (!*plan->group_type || !*plan->group) {
		csv_complain(csv, csv->row_line, "%s is empty", columns[*plan->group_type != 0]);
		return false;
	}
	if (!read_time(csv, cells[2], "from", &plan->from_ns) ||
	    !read_time(csv, cells[3], "to", &plan->to_ns))
		return false;
	if (plan->from_ns < plan->to_ns)
		return true;
	csv_complain(csv, csv->row_line, "it ends before it begins");
	return false;
}

static bool read_header(struct csv *csv)
{
	const char *cells[COLUMNS];
	bool good = csv_row(csv, cells, COLUMNS) == COLUMNS;
	for (int c = 0; c < COLUMNS && good; c++)
		good = strcmp(cells[c], columns[c]) == 0;
	if (!good)
		csv_complain(csv, 1, "expected the header group_type,group,from,to");
	return good;
}

static void read_rows(struct calendar *calendar, struct csv *csv)
{
	while (csv->at < csv->end) {
		const char *cells[COLUMNS];
		int n = csv_row(csv, cells, COLUMNS);
		if (n == 1 && !*cells[0])
			continue; /* an empty line */
		if (n > 0 && read_plan(csv, n, cells, &calendar->plans[calendar->n]))
			calendar->n++;
		else
			calendar->bad++;
	}
}

static int read_all(struct calendar *calendar, size_t n, const char *name, FILE *complaints)
{
	size_t rows = 1;
	struct csv csv;
	for (size_t i = 0; i < n; i++)
		rows += calendar->text[i] == '\n';
	if (!csv_begin(&csv, calendar->text, n, name, complaints) || !read_header(&csv))
		return -EINVAL;
	calendar->plans = calloc(rows, sizeof *calendar->plans);
	if (!calendar->plans) {
		csv_complain(&csv, 1, "out of memory");
		return -ENOMEM;
	}
	read_rows(calendar, &csv);
	return 0;
}

static int own(struct calendar *calendar, char *text, size_t n, const char *name, FILE *complaints)
{
	int error;
	*calendar = (struct calendar){.text = text};
	error = read_all(calendar, n, name, complaints);
	if (error)
		calendar_fini(calendar);
	return error;
}

int calendar_load(struct calendar *calendar, const char *path, FILE *complaints)
{
	size_t n;
	char *text = csv_load(path, &n, complaints);
	*calendar = (struct calendar){0};
	return text ? own(calendar, text, n, path, complaints) : -EINVAL;
}

int calendar_parse(struct calendar *calendar, const char *text, size_t n, const char *name,
		   FILE *complaints)
{
	char *copy = n <= CSV_BYTES_MAX ? malloc(n + 1) : NULL;
	*calendar = (struct calendar){0};
	if (!copy)
		return -ENOMEM;
	if (n)
		memcpy(copy, text, n);
	return own(calendar, copy, n, name, complaints);
}

void calendar_fini(struct calendar *calendar)
{
	free(calendar->plans);
	free(calendar->text);
	*calendar = (struct calendar){0};
}
