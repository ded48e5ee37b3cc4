/* SPDX-License-Identifier: BSD-3-Clause */
/* The counters of a desk as Prometheus text (exposition format 0.0.4). */
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "tools/rasad-desk/api.h"

static void head(FILE *out, const char *name, const char *type, const char *help)
{
	fprintf(out, "# HELP rasad_desk_%s %s\n# TYPE rasad_desk_%s %s\n", name, help, name, type);
}

static void single(FILE *out, const char *name, const char *type, uint64_t value, const char *help)
{
	head(out, name, type, help);
	fprintf(out, "rasad_desk_%s %" PRIu64 "\n", name, value);
}

static void write_verdicts(FILE *out, const struct counters *counters)
{
	head(out, "calls_total", "counter", "Calls answered, by verdict.");
	for (int i = 1; i < COUNTERS_VERDICTS; i++) {
		const ProtobufCEnumValue *verdict =
			protobuf_c_enum_descriptor_get_value(&rasad__v1__verdict__descriptor, i);
		fprintf(out, "rasad_desk_calls_total{verdict=\"%s\"} %" PRIu64 "\n",
			verdict ? verdict->name + sizeof("VERDICT_") - 1 : "?",
			counted(&counters->verdicts[i]));
	}
}

static void write_latency(FILE *out, const struct counters *counters)
{
	static const char name[] = "rasad_desk_answer_seconds";
	uint64_t below = 0;

	head(out, "answer_seconds", "histogram", "From a call read to its answer stored.");
	for (int i = 0; i < COUNTERS_STEPS; i++) {
		below += counted(&counters->latency[i]);
		if (i < COUNTERS_STEPS - 1)
			fprintf(out, "%s_bucket{le=\"%g\"} %" PRIu64 "\n", name,
				(double)(125 << i) / 1e6, below);
	}
	fprintf(out, "%s_bucket{le=\"+Inf\"} %" PRIu64 "\n%s_sum %g\n%s_count %" PRIu64 "\n", name,
		below, name, (double)counted(&counters->latency_sum_us) / 1e6, name, below);
}

static void write_statuses(FILE *out, const struct counters *counters)
{
	head(out, "http_responses_total", "counter", "HTTP responses, by class of status.");
	for (int i = 2; i < COUNTERS_STATUSES; i++)
		fprintf(out, "rasad_desk_http_responses_total{status=\"%dxx\"} %" PRIu64 "\n", i,
			counted(&counters->statuses[i]));
}

static void write_counters(FILE *out, const struct desk *desk)
{
	const struct counters *c = &desk->counters;
	const struct {
		const char *name, *help;
		const counter *value;
	} all[] = {
		{"duplicates_total", "Calls that had been answered before.", &c->duplicates},
		{"unavailable_total", "Calls not taken, for Redis was away.", &c->unavailable},
		{"lines_cut_total", "Phones with more lines than are scored.", &c->lines_cut},
		{"revised_total", "Answers changed by a later incident.", &c->revised},
		{"outrun_total", "Such answers that another desk had changed.", &c->outrun},
		{"stream_calls_total", "Calls that came by the stream.", &c->stream_calls},
		{"claimed_total", "Of these, taken over from another desk.", &c->claimed},
		{"dead_letters_total", "Entries that no desk could work on.", &c->dead_letters},
		{"incidents_seen_total", "Entries of the stream of incidents.", &c->incidents_seen},
		{"answers_seen_total", "Entries of the stream of answers.", &c->answers_seen},
		{"garbled_total", "Entries and values that are no such message.", &c->garbled},
		{"reloads_total", "Times that all incidents were read anew.", &c->reloads},
		{"blind_spots_total", "Incidents that only callers knew of.", &c->blind_spots},
		{"fenced_total", "Writes refused, for another desk leads.", &c->fenced},
		{"lines_verified_total", "Lines looked at after a repair.", &c->lines_verified},
		{"jobs_refused_total", "Repairs beyond those looked after.", &c->jobs_refused},
		{"spots_refused_total", "Blind spots beyond the limit.", &c->spots_refused},
		{"changes_cut_total", "Incidents beyond those a leader begins with.",
		 &c->changes_cut},
		{"lists_cut_total", "Items beyond what an answer holds.", &c->lists_cut},
		{"leads_total", "Times that it became the leader.", &c->leads},
		{"redis_connections_total", "Connections to Redis opened.", &desk->links.opened},
		{"redis_lost_total", "Connections to Redis lost.", &desk->links.lost},
	};

	for (size_t i = 0; i < sizeof(all) / sizeof(*all); i++)
		single(out, all[i].name, "counter", counted(all[i].value), all[i].help);
}

static void write_gauges(FILE *out, struct desk *desk)
{
	pthread_mutex_lock(&desk->lock);
	struct book_counts book = book_counts(desk->book);
	struct calls_counts calls = calls_counts(desk->calls, desk_time(desk));
	uint64_t forgotten = desk->callers.overwritten;
	pthread_mutex_unlock(&desk->lock);
	pthread_mutex_lock(&desk->surge_lock);
	struct surge_counts surge = surge_counts(desk->surge);
	pthread_mutex_unlock(&desk->surge_lock);
	single(out, "leader", "gauge", atomic_load(&desk->leader), "1: this desk leads.");
	single(out, "current", "gauge", atomic_load(&desk->current), "1: it follows Redis.");
	single(out, "incidents", "gauge", book.incidents, "Incidents known.");
	single(out, "incidents_open", "gauge", book.open, "Of these, open.");
	single(out, "incidents_refused_total", "counter", book.refused, "Beyond the limit.");
	single(out, "candidates_cut_total", "counter", book.candidates_cut,
	       "Lines with more candidates than are scored.");
	single(out, "calls_known", "gauge", calls.known, "Calls of the last two hours.");
	single(out, "calls_live", "gauge", calls.live, "Calls that may be answered anew.");
	single(out, "calls_evicted_total", "counter", calls.evicted, "Calls beyond the limit.");
	single(out, "calls_cut_total", "counter", calls.cut, "Due again, but too many at once.");
	single(out, "surge_unexplained", "gauge", surge.unexplained,
	       "Calls of 15 minutes that no incident explains.");
	single(out, "surge_open", "gauge", surge.open, "Blind spots that this desk sees.");
	single(out, "surge_refused_total", "counter", surge.refused, "Beyond the limits.");
	single(out, "callers_forgotten_total", "counter", forgotten, "Beyond the limit.");
}

void api_get_metrics(struct api_call *call)
{
	char *text = NULL;
	size_t n = 0;
	FILE *out = open_memstream(&text, &n);

	if (!out) {
		api_fail(call, 503, "", "out of memory");
		return;
	}
	write_verdicts(out, &call->desk->counters);
	write_latency(out, &call->desk->counters);
	write_statuses(out, &call->desk->counters);
	write_counters(out, call->desk);
	write_gauges(out, call->desk);
	fclose(out);
	call->response->status = 200;
	call->response->body = (struct json_buffer){.text = text, .length = n, .capacity = n};
}
