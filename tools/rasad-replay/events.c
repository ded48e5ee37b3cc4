/* SPDX-License-Identifier: BSD-3-Clause */
#include "tools/rasad-replay/events.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "engine/analysis/analysis.h"
#include "engine/analysis/event.h"
#include "engine/analysis/lint.h"
#include "engine/analysis/outage/outage.h"
#include "engine/base/json_line.h"
#include "engine/feed.h"
#include "engine/publish/keyspace.h"

enum { COMPLAINTS_MAX = 20, MESSAGE_BYTES = 512 };

struct reading {
	const struct events_options *options;
	struct analysis analysis;
	const char *file;
	uint64_t line, read, other, wrong;
	int64_t first_unix_ns, last_unix_ns;
};

static void complain(struct reading *r, const char *what)
{
	char message[MESSAGE_BYTES];
	if (++r->wrong > COMPLAINTS_MAX)
		return;
	snprintf(message, sizeof message, "%s:%llu: %s%s", r->file, (unsigned long long)r->line,
		 what, r->wrong == COMPLAINTS_MAX ? " (more such lines are only counted)" : "");
	r->options->problem(r->options->context, message);
}

/* Names as in proto/rasad/v1/session.proto; their places are the numbers. */
static const char *const kinds[] = {"", "UP", "SUSPECT", "RECOVERED", "DOWN", "SETUP_FAILED", NULL};
static const char *const causes[] = {"",	  "LINE_LOST", "CPE_TERM",	  "CPE_POWER",
				     "ADMIN",	  "NAS_FAULT", "SESSION_TIMEOUT", "IDLE_TIMEOUT",
				     "AUTH_FAIL", "RESOURCE",  "REPLACED",	  "LOOPBACK",
				     "UNKNOWN",	  NULL};
static const char *const stages[] = {
	"", "PADI_NO_PADO", "PADR_NO_PADS", "LCP", "AUTH_REJECT", "AUTH_SILENT", "NCP", NULL};
static const char *const sources[] = {"", "TAP", "RADIUS", "ANCP", "LOG", NULL};

static uint8_t number_of(const char *const *names, const char *text)
{
	for (uint8_t i = 1; names[i]; i++)
		if (strcmp(names[i], text) == 0)
			return i;
	return 0;
}

static uint16_t small(int64_t number)
{
	return number > 0 && number <= UINT16_MAX ? (uint16_t)number : 0;
}

static void take_text(struct session_event *e, const struct json_member *m, bool *session)
{
	if (strcmp(m->key, "line") == 0)
		e->line = m->text;
	else if (strcmp(m->key, "kind") == 0)
		e->kind = number_of(kinds, m->text);
	else if (strcmp(m->key, "cause") == 0)
		e->cause = number_of(causes, m->text);
	else if (strcmp(m->key, "type") == 0)
		*session = strcmp(m->text, "session_event") == 0;
	else if (strcmp(m->key, "subscriber") == 0)
		e->subscriber = m->text;
	else if (strcmp(m->key, "evidence") == 0)
		e->evidence = number_of(sources, m->text);
	else if (strcmp(m->key, "stage") == 0)
		e->stage = number_of(stages, m->text);
	else if (strcmp(m->key, "cpe_mac") == 0)
		e->cpe_mac = m->text;
	else if (strcmp(m->key, "text") == 0)
		e->text = m->text;
}

static void take_number(struct session_event *e, const struct json_member *m)
{
	if (strcmp(m->key, "unix_ns") == 0)
		e->unix_ns = m->number > 0 ? (uint64_t)m->number : 0;
	else if (strcmp(m->key, "down_since_unix_ns") == 0)
		e->down_since_unix_ns = m->number > 0 ? (uint64_t)m->number : 0;
	else if (strcmp(m->key, "svlan") == 0)
		e->svlan = small(m->number);
	else if (strcmp(m->key, "cvlan") == 0)
		e->cvlan = small(m->number);
	else if (strcmp(m->key, "pppoe_session_id") == 0)
		e->pppoe_session_id = small(m->number);
}

static void take_event(struct reading *r, const struct session_event *e)
{
	if (!*e->line)
		complain(r, "an event without \"line\"");
	else if (!e->unix_ns)
		complain(r, "an event without \"unix_ns\"");
	else if (!e->kind)
		complain(r, "\"kind\" is none of UP, SUSPECT, RECOVERED, DOWN, SETUP_FAILED");
	else {
		if (!r->read++)
			r->first_unix_ns = (int64_t)e->unix_ns;
		analysis_take_event(&r->analysis, e);
	}
}

static void take_line(struct reading *r, char *line, size_t length)
{
	struct session_event e = {.line = "", .subscriber = "", .cpe_mac = "", .text = ""};
	struct json_line json = json_line_begin(line, length);
	struct json_member m;
	enum json_kind kind;
	bool session = true;
	while ((kind = json_line_next(&json, &m)) != JSON_END && kind != JSON_WRONG) {
		if (kind == JSON_TEXT)
			take_text(&e, &m, &session);
		else if (kind == JSON_NUMBER && m.whole)
			take_number(&e, &m);
	}
	if (kind == JSON_WRONG)
		complain(r, json.wrong);
	else if (session)
		take_event(r, &e);
	else
		r->other++;
}

static int read_file(struct reading *r, const char *path)
{
	FILE *file = strcmp(path, "-") == 0 ? stdin : fopen(path, "re");
	char *line = NULL;
	size_t room = 0;
	ssize_t length;
	int error = 0;
	r->file = path;
	r->line = 0;
	if (!file)
		return -errno;
	while ((length = getline(&line, &room, file)) > 0) {
		r->line++;
		if (line[length - 1] == '\n')
			length--;
		if (length)
			take_line(r, line, (size_t)length);
	}
	if (ferror(file))
		error = -EIO;
	free(line);
	if (file != stdin)
		fclose(file);
	return error;
}

static void tell_summary(struct reading *r)
{
	const struct event_counters n = analysis_event_counters(&r->analysis);
	const struct outage_counters o = outage_counters(r->analysis.outage);
	const struct report_count verdicts[] = {
		{"ok", n.taken}, {"wrong", r->wrong}, {"other_type", r->other}};
	const struct report_count refusals[] = {
		{"events_late", n.late},
		{"events_wild_clock", n.wild_clock},
		{"events_unknown", n.unknown},
		{"events_no_memory", n.no_memory},
		{"events_lines_full", n.lines_full},
		{"outage_no_memory", o.no_memory},
		{"outage_lines_full", o.lines_full},
		{"outage_troubles_full", o.troubles_full},
		{"outage_groups_refused", o.groups_refused},
		{"outage_risks_full", o.risks_full},
		{"outage_findings_full", o.localise_max_findings},
	};
	const struct report_count notes[] = {
		{"lines_unmapped", o.unmapped},
		{"lines_mismatched", o.mismatched},
		{"incidents", o.incidents},
		{"localisations", o.localisations},
	};
	const struct report_health health = {
		.unix_ns = (int64_t)r->analysis.now_ns,
		.collector = "events",
		.packets = r->read,
		.lines = r->analysis.n_subjects ? r->analysis.n_subjects - 1 : 0,
		.verdicts = verdicts,
		.n_verdicts = sizeof verdicts / sizeof *verdicts,
		.refusals = refusals,
		.n_refusals = sizeof refusals / sizeof *refusals,
		.notes = notes,
		.n_notes = sizeof notes / sizeof *notes,
		.first_unix_ns = r->read ? r->first_unix_ns : REPORT_ABSENT,
		.last_unix_ns = r->read ? (int64_t)r->analysis.now_ns : REPORT_ABSENT,
	};
	const struct report report = {REPORT_HEALTH, {.health = &health}};
	r->options->sink.take(r->options->sink.context, &report);
}

int events_run(const struct events_options *options)
{
	const struct analysis_options analysis = {
		.card_group = options->cards ? keyspace_bucket_of : NULL,
		.n_workers = 1,
		.max_lines = options->max_lines,
		.inventory = options->inventory,
		.plans = options->plans,
		.n_plans = options->n_plans,
		.shard = options->shard,
	};
	struct reading r = {.options = options};
	char message[MESSAGE_BYTES];
	analysis_init(&r.analysis, &analysis, options->sink);
	if (!r.analysis.outage) {
		analysis_fini(&r.analysis);
		return -ENOMEM;
	}
	for (uint32_t i = 0; i < options->n_files; i++) {
		int error = read_file(&r, options->files[i]);
		if (!error)
			continue;
		snprintf(message, sizeof message, "%s: %s", options->files[i], strerror(-error));
		options->problem(options->context, message);
	}
	analysis_end_events(&r.analysis);
	if (options->cards)
		analysis_summaries(&r.analysis);
	else
		lint_topology(&r.analysis);
	tell_summary(&r);
	analysis_fini(&r.analysis);
	return 0;
}
