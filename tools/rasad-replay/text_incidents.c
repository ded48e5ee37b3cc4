/* SPDX-License-Identifier: BSD-3-Clause */
#include "tools/rasad-replay/text_incidents.h"

#include <inttypes.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "engine/analysis/report.h"
#include "tools/lib/incident_names.h"
#include "tools/rasad-replay/text_parts.h"

enum { NAME = 48, PLACE = 256, SENTENCE = 256, SHOWN_MAX = 50 };
#define NS_PER_S 1000000000
#define INDENT	 "                     "

struct incident_row {
	char id[NAME], where[PLACE], same[PLACE], runner_up[PLACE], action[SENTENCE];
	enum incident_state state;
	enum incident_class class;
	enum category category;
	enum severity severity; /* while it was open */
	int64_t onset_ns, open_ns, changed_ns, clear_ns;
	uint64_t affected, total, members;
	double confidence;
	bool planned;
};

struct gap_row {
	char tap[NAME], reason[NAME];
	int64_t since_ns, until_ns;
	uint64_t lines, dropped;
};

/* --- taking --- */

static void add_group(char to[PLACE], const struct report_group *group, const char *between)
{
	size_t n = strlen(to);
	char name[PLACE];

	snprintf(name, sizeof name, "%s%.60s %.150s", n ? between : "", group->type, group->name);
	text_copy(to + n, PLACE - n, name);
}

static void copy_places(struct incident_row *row, const struct report_incident *from)
{
	const char *colon = from->evidence.runner_up ? strchr(from->evidence.runner_up, ':') : NULL;

	row->where[0] = row->same[0] = '\0';
	for (size_t i = 0; i < from->n_path; i++)
		add_group(row->where, &from->path[i], " > ");
	add_group(row->where, &from->group, " > ");
	for (size_t i = 0; i < from->n_equivalent; i++)
		add_group(row->same, &from->equivalent[i], ", ");
	text_copy(row->runner_up, sizeof row->runner_up, from->evidence.runner_up);
	if (colon && strlen(row->runner_up) > (size_t)(colon - from->evidence.runner_up))
		row->runner_up[colon - from->evidence.runner_up] = ' ';
}

static struct incident_row *row_of(struct text_incidents *text, const char *id)
{
	char name[NAME];
	struct incident_row *row;

	text_copy(name, sizeof name, id);
	for (size_t i = text->n; i > 0; i--)
		if (strcmp(text->rows[i - 1].id, name) == 0)
			return &text->rows[i - 1];
	row = text_add_row((void **)&text->rows, &text->n, &text->room, sizeof *text->rows);
	if (row)
		memcpy(row->id, name, sizeof name);
	return row;
}

void text_incidents_take(struct text_incidents *text, const struct report_incident *from)
{
	struct incident_row *row = row_of(text, from->incident_id);

	if (!row)
		return;
	copy_places(row, from);
	text_copy(row->action, sizeof row->action, from->recommended_action);
	row->state = from->state;
	row->class = from->class;
	row->category = from->category;
	if (from->severity > SEVERITY_INDETERMINATE)
		row->severity = from->severity;
	row->onset_ns = from->onset_unix_ns;
	row->open_ns = from->open_unix_ns;
	row->changed_ns = from->changed_unix_ns;
	row->clear_ns = from->clear_unix_ns;
	row->affected = from->affected;
	row->total = from->affected_total;
	row->members = from->members;
	row->confidence = from->confidence;
	row->planned = from->planned;
}

void text_gaps_take(struct text_incidents *text, const struct report_gap *from)
{
	struct gap_row *row = NULL;
	char tap[NAME];

	text_copy(tap, sizeof tap, from->tap && *from->tap ? from->tap : "all taps");
	for (size_t i = 0; i < text->n_gaps && !row; i++)
		if (text->gaps[i].since_ns == from->since_unix_ns &&
		    strcmp(text->gaps[i].tap, tap) == 0)
			row = &text->gaps[i];
	if (!row)
		row = text_add_row((void **)&text->gaps, &text->n_gaps, &text->gaps_room,
				   sizeof *text->gaps);
	if (!row)
		return;
	memcpy(row->tap, tap, sizeof tap);
	text_copy(row->reason, sizeof row->reason, from->reason);
	row->since_ns = from->since_unix_ns;
	row->until_ns = from->until_unix_ns;
	row->lines = from->lines;
	row->dropped = from->dropped;
}

/* --- printing --- */

static bool is_part_of_another(const struct incident_row *row)
{
	return row->state == INCIDENT_SUPERSEDED || row->state == INCIDENT_MERGED;
}

static int by_onset(const void *a, const void *b)
{
	const struct incident_row *x = *(const struct incident_row *const *)a;
	const struct incident_row *y = *(const struct incident_row *const *)b;
	if (x->onset_ns != y->onset_ns)
		return x->onset_ns < y->onset_ns ? -1 : 1;
	return strcmp(x->id, y->id);
}

static void print_end(const struct incident_row *row, FILE *out)
{
	char at[TEXT_TIME];
	int64_t end_ns = row->clear_ns != REPORT_ABSENT ? row->clear_ns : row->changed_ns;

	if (row->state == INCIDENT_RETRACTED)
		fprintf(out, "; withdrawn at %s", text_time(end_ns, at));
	else if (row->state == INCIDENT_CLEARED)
		fprintf(out, "; over at %s after %" PRId64 " s", text_time(end_ns, at),
			(end_ns - row->onset_ns) / NS_PER_S);
	else if (row->affected)
		fprintf(out, "; it goes on, with %" PRIu64 " lines", row->affected);
	else
		fputs("; all lines are back, but it is too early to call it over", out);
}

static void print_row(const struct incident_row *row, FILE *out)
{
	char at[TEXT_TIME];
	const char *words = class_words((int)row->class);

	fprintf(out, "%s  %-8s %s (%s)\n", text_date(row->onset_ns, at),
		row->severity ? severity_name((int)row->severity) : "-", row->where,
		category_name((int)row->category));
	fprintf(out, INDENT "%s%s%s%s; %" PRIu64 " of %" PRIu64 " lines; %.0f %% sure\n",
		class_name((int)row->class), *words ? ": " : "", words,
		row->planned ? ", planned work" : "", row->total, row->members,
		100 * row->confidence);
	fprintf(out, INDENT "known after %" PRId64 " s", (row->open_ns - row->onset_ns) / NS_PER_S);
	print_end(row, out);
	fputc('\n', out);
	if (row->same[0])
		fprintf(out, INDENT "or: %s, which has the very same lines\n", row->same);
	if (row->runner_up[0])
		fprintf(out, INDENT "next best: %s\n", row->runner_up);
	if (row->action[0])
		fprintf(out, INDENT "to do: %s\n", row->action);
}

static void print_incidents(const struct text_incidents *text, FILE *out)
{
	const struct incident_row **order = malloc((text->n + 1) * sizeof *order);
	size_t n = 0;

	if (!order)
		return;
	for (size_t i = 0; i < text->n; i++)
		if (!is_part_of_another(&text->rows[i]))
			order[n++] = &text->rows[i];
	qsort(order, n, sizeof *order, by_onset);
	fprintf(out, "\nincidents (UTC)\n");
	for (size_t i = 0; i < n && i < SHOWN_MAX; i++)
		print_row(order[i], out);
	if (n > SHOWN_MAX)
		fprintf(out, "... and %zu more; -o json tells all\n", n - SHOWN_MAX);
	if (n < text->n)
		fprintf(out, "%zu more became part of these\n", text->n - n);
	free(order);
}

static void print_gap(const struct gap_row *row, FILE *out)
{
	char at[TEXT_TIME];

	fprintf(out, "%s  %s: %s for ", text_date(row->since_ns, at), row->tap, row->reason);
	if (row->until_ns != REPORT_ABSENT)
		fprintf(out, "%" PRId64 " s", (row->until_ns - row->since_ns) / NS_PER_S);
	else
		fprintf(out, "the rest of the time");
	fprintf(out, ", %" PRIu64 " lines unknown", row->lines);
	if (row->dropped)
		fprintf(out, ", %" PRIu64 " packets lost", row->dropped);
	fputc('\n', out);
}

void text_incidents_print(const struct text_incidents *text, FILE *out)
{
	if (text->n)
		print_incidents(text, out);
	else
		fprintf(out, "no incidents\n");
	if (text->n_gaps)
		fprintf(out, "\nnot seen by the tap (UTC): what happened meanwhile is unknown\n");
	for (size_t i = 0; i < text->n_gaps; i++)
		print_gap(&text->gaps[i], out);
}

void text_incidents_fini(struct text_incidents *text)
{
	free(text->rows);
	free(text->gaps);
	*text = (struct text_incidents){0};
}
