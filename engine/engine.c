/* SPDX-License-Identifier: BSD-3-Clause */
#include "engine/engine.h"

#include <stdlib.h>

#include "engine/analysis/analysis.h"
#include "engine/analysis/flows.h"
#include "engine/decode.h"

struct engine {
	struct engine_options options;
	struct source *source;
	struct report_sink sink;
	struct worker worker;
	struct analysis analysis;
	struct burst burst;
};

struct engine *engine_new(const struct engine_options *options, struct source *source,
			  struct report_sink sink)
{
	const struct analysis_options analysis = {.cards = options->cards};
	struct engine *e = aligned_alloc(64, (sizeof *e + 63) & ~(size_t)63);
	if (!e)
		return NULL;
	*e = (struct engine){.options = *options, .source = source, .sink = sink};
	if (worker_init(&e->worker, &options->worker)) {
		worker_fini(&e->worker);
		free(e);
		return NULL;
	}
	analysis_init(&e->analysis, &analysis, &e->worker, sink);
	return e;
}

struct engine *engine_free(struct engine *e)
{
	if (!e)
		return NULL;
	analysis_fini(&e->analysis);
	worker_fini(&e->worker);
	free(e);
	return NULL;
}

int engine_step(struct engine *e)
{
	int status = e->source->next(e->source, &e->burst);
	if (status < 0 || e->burst.n == 0)
		return status;
	worker_burst(&e->worker, &e->burst);
	analysis_signals(&e->analysis, e->worker.signals, e->worker.n_signals,
			 e->worker.clock.now_ns);
	return status;
}

void engine_advance(struct engine *e, uint64_t now_ns)
{
	analysis_advance(&e->analysis, now_ns);
}

void engine_summaries(struct engine *e)
{
	flows_report(&e->worker, &e->analysis);
	analysis_summaries(&e->analysis);
}

/* Every limit that can be hit, and how often it was. */
static size_t refusals(const struct engine *e, struct report_count *to)
{
	const struct worker *w = &e->worker;
	const struct meter *m = &w->meter;
	const struct report_count list[] = {
		{"flow_table_full", w->flows.records.refused},
		{"line_table_full", m->lines.refused},
		{"circuits_full", w->circuits_refused},
		{"hole_pool_empty", m->holes.refused},
		{"holes_per_direction", m->holes_refused},
		{"segment_pool_empty", m->segs.refused},
		{"segments_per_direction", m->segments_refused},
		{"anomaly_pool_empty", m->rares.refused},
		{"histogram_pool_empty", m->hists.hists.refused + m->hists.octaves.refused},
		{"sample_log_full", m->samples.refused},
		{"address_pool_empty", m->addresses.refused},
		{"open_questions_overwritten", w->transactions.overwritten},
		{"resend_pool_empty", m->resends.refused},
		{"resends_per_direction", m->resends_refused},
		{"concentrators_unknown", e->source->stats(e->source)->ac_refused},
		{"signals_lost", w->signals_lost},
		{"analysis_no_memory", e->analysis.refused},
	};
	for (size_t i = 0; i < sizeof list / sizeof *list; i++)
		to[i] = list[i];
	return sizeof list / sizeof *list;
}

void engine_health(struct engine *e, bool running)
{
	const struct source_stats *stats = e->source->stats(e->source);
	const struct worker *w = &e->worker;
	struct report_count verdicts[VERDICT_COUNT], control[CONTROL_COUNT], limits[32];
	const struct report_count notes[] = {
		{"acked_unseen", w->meter.acked_unseen},
		{"clock_steps", w->clock.steps},
		{"clock_disbelieved", w->clock.disbelieved},
	};
	for (size_t i = 0; i < VERDICT_COUNT; i++)
		verdicts[i] = (struct report_count){decode_verdict_names[i], stats->verdicts[i]};
	for (size_t i = 0; i < CONTROL_COUNT; i++)
		control[i] = (struct report_count){decode_control_names[i], stats->control[i]};
	const struct report_health health = {
		.unix_ns = (int64_t)e->analysis.now_ns,
		.collector = e->options.collector,
		.packets = stats->packets,
		.bytes = stats->bytes,
		.dropped = stats->dropped,
		.lines = line_count(&w->meter.lines),
		.flows = w->flows.created,
		.verdicts = verdicts,
		.n_verdicts = VERDICT_COUNT,
		.control = control,
		.n_control = CONTROL_COUNT,
		.refusals = limits,
		.n_refusals = refusals(e, limits),
		.notes = notes,
		.n_notes = sizeof notes / sizeof *notes,
		.first_unix_ns = stats->packets ? (int64_t)w->clock.first_ns : REPORT_ABSENT,
		.last_unix_ns = stats->packets ? (int64_t)w->clock.now_ns : REPORT_ABSENT,
		.running = running,
	};
	const struct report report = {REPORT_HEALTH, {.health = &health}};
	e->sink.take(e->sink.context, &report);
}
