/* SPDX-License-Identifier: BSD-3-Clause */
#include "tools/rasad-replay/events.h"

#include <errno.h>
#include <math.h>
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
	uint64_t line, read, other, wrong, causes_unknown;
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

static void take_cause(struct reading *r, struct session_event *e, const char *text)
{
	e->cause = number_of(causes, text);
	r->causes_unknown += !e->cause && *text;
}

static void take_text(struct session_event *e, const struct json_member *m, bool *session)
{
	if (strcmp(m->key, "line") == 0)
		e->line = m->text;
	else if (strcmp(m->key, "kind") == 0)
		e->kind = number_of(kinds, m->text);
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

/* A whole number, also as a text, as proto3 JSON spells 64 bits, and with an exponent, as scripts
 * that reckon in floating point do. */
static bool read_whole(struct json_member *m)
{
	char *end;
	double real;
	errno = 0;
	m->number = strtoll(m->text, &end, 10);
	if (end != m->text && !*end && !errno)
		return true;
	real = strtod(m->text, &end);
	if (end == m->text || *end || !(fabs(real) < 9e18) || real != floor(real))
		return false;
	m->number = (int64_t)real;
	return true;
}

static void take_number(struct session_event *e, struct json_member *m)
{
	if (!m->whole && !read_whole(m))
		return;
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

/* What is wrong with it; NULL: nothing. */
static const char *fault_of(const struct session_event *e)
{
	if (!*e->line)
		return "an event without \"line\"";
	if (strlen(e->line) >= CONTROL_NAME_MAX)
		return "\"line\" is longer than 63 bytes";
	if (!e->unix_ns)
		return "an event without \"unix_ns\", nanoseconds since 1970";
	if (!e->kind)
		return "\"kind\" is none of UP, SUSPECT, RECOVERED, DOWN, SETUP_FAILED";
	return NULL;
}

/* One of the files. */
struct stream {
	const char *path;
	FILE *file;
	char *line; /* owned; the texts of `event` are in it */
	size_t room;
	uint64_t n_lines;
	struct session_event event; /* the next one */
};

/* True: the line holds an event. */
static bool take_line(struct reading *r, char *line, size_t length, struct session_event *e)
{
	struct json_line json = json_line_begin(line, length);
	struct json_member m;
	enum json_kind kind;
	bool session = true;
	const char *wrong;
	*e = (struct session_event){.line = "", .subscriber = "", .cpe_mac = "", .text = ""};
	while ((kind = json_line_next(&json, &m)) != JSON_END && kind != JSON_WRONG) {
		if (kind == JSON_TEXT && strcmp(m.key, "cause") == 0)
			take_cause(r, e, m.text);
		else if (kind == JSON_TEXT)
			take_text(e, &m, &session);
		if (kind == JSON_NUMBER || (kind == JSON_TEXT && *m.text >= '0' && *m.text <= '9'))
			take_number(e, &m);
	}
	if (kind != JSON_WRONG && !session) {
		r->other++;
		return false;
	}
	wrong = kind == JSON_WRONG ? json.wrong : fault_of(e);
	if (wrong)
		complain(r, wrong);
	return !wrong;
}

/* Reads on to the next event; false at the end, or when the file cannot be read on. */
static bool read_on(struct reading *r, struct stream *s)
{
	ssize_t length;
	while ((length = getline(&s->line, &s->room, s->file)) > 0) {
		r->file = s->path;
		r->line = ++s->n_lines;
		if (s->line[length - 1] == '\n')
			length--;
		if (length && take_line(r, s->line, (size_t)length, &s->event))
			return true;
	}
	return false;
}

static void tell_unreadable(const struct reading *r, const char *path, int error)
{
	char message[MESSAGE_BYTES];
	snprintf(message, sizeof message, "%s: %s", path, strerror(error));
	r->options->problem(r->options->context, message);
}

static void stream_close(const struct reading *r, struct stream *s)
{
	if (ferror(s->file))
		tell_unreadable(r, s->path, EIO);
	if (s->file != stdin)
		fclose(s->file);
	free(s->line);
}

static bool stream_open(struct reading *r, struct stream *s, const char *path)
{
	*s = (struct stream){.path = path,
			     .file = strcmp(path, "-") == 0 ? stdin : fopen(path, "re")};
	if (!s->file) {
		tell_unreadable(r, path, errno);
		return false;
	}
	if (read_on(r, s))
		return true;
	stream_close(r, s);
	return false;
}

static void take_event(struct reading *r, const struct session_event *e)
{
	if (!r->read++)
		r->first_unix_ns = (int64_t)e->unix_ns;
	analysis_take_event(&r->analysis, e);
}

/* The files together, by time; each in its own order. */
static void read_files(struct reading *r, struct stream *streams)
{
	uint32_t n = 0;
	for (uint32_t i = 0; i < r->options->n_files; i++)
		n += stream_open(r, &streams[n], r->options->files[i]);
	while (n) {
		struct stream *first = streams;
		for (uint32_t i = 1; i < n; i++)
			if (streams[i].event.unix_ns < first->event.unix_ns)
				first = &streams[i];
		take_event(r, &first->event);
		if (read_on(r, first))
			continue;
		stream_close(r, first);
		memmove(first, first + 1, (size_t)(streams + --n - first) * sizeof *first);
	}
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
		{"outage_waves_full", o.waves_full},
		{"outage_crowd_full", o.crowd_full},
	};
	const struct report_count notes[] = {
		{"lines_unmapped", o.unmapped}, {"lines_mismatched", o.mismatched},
		{"incidents", o.incidents},	{"localisations", o.localisations},
		{"events_delayed", n.delayed},	{"events_of_replaced_sessions", n.replaced},
		{"clock_steps", n.clock_steps}, {"causes_unknown", r->causes_unknown},
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
	struct stream *streams = calloc(options->n_files + 1u, sizeof *streams);
	struct reading r = {.options = options};
	analysis_init(&r.analysis, &analysis, options->sink);
	if (!r.analysis.outage || !streams) {
		analysis_fini(&r.analysis);
		free(streams);
		return -ENOMEM;
	}
	read_files(&r, streams);
	free(streams);
	analysis_end_events(&r.analysis);
	if (options->cards)
		analysis_summaries(&r.analysis);
	else
		lint_topology(&r.analysis);
	tell_summary(&r);
	analysis_fini(&r.analysis);
	return 0;
}
