/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * rasad-replay: captures in, a report out. The very engine of rasadd, on the clock of the
 * packets; no root, no Redis (unless --publish), and the same bytes on every run but for the
 * seconds that it took.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "collectors/pcap.h"
#include "engine/base/calendar.h"
#include "engine/base/inventory.h"
#include "engine/engine.h"
#include "engine/publish/codec.h"
#include "engine/publish/keyspace.h"
#include "engine/publish/publish.h"
#include "tools/rasad-replay/events.h"
#include "tools/rasad-replay/options.h"
#include "tools/rasad-replay/text.h"
#include "version.h"

enum { MAX_WARNINGS = 1000, PROGRESS_STEPS = 4096, FLUSH_MS = 60000 };

struct replay {
	struct options options;
	struct source *source;
	struct engine *engine;
	struct codec *codec;
	struct text *text;
	struct publisher *publisher;
	struct inventory *inventory;
	struct calendar calendar;
	char **warnings; /* owned */
	size_t n_warnings;
	struct timespec started;
	bool failed, bar, ending;
};

static double elapsed_s(const struct replay *r)
{
	struct timespec now;
	clock_gettime(CLOCK_MONOTONIC, &now);
	return (double)(now.tv_sec - r->started.tv_sec) +
	       (double)(now.tv_nsec - r->started.tv_nsec) / 1e9;
}

static void clear_bar(struct replay *r)
{
	if (r->bar)
		fprintf(stderr, "\r\033[K");
}

static void problem(void *context, const char *message)
{
	struct replay *r = context;
	char **grown = r->n_warnings < MAX_WARNINGS
			       ? realloc(r->warnings, (r->n_warnings + 1) * sizeof *grown)
			       : NULL;
	clear_bar(r);
	fprintf(stderr, "rasad-replay: %s\n", message);
	r->failed = true;
	if (!grown)
		return;
	r->warnings = grown;
	r->warnings[r->n_warnings] = strdup(message);
	r->n_warnings += r->warnings[r->n_warnings] != NULL;
}

static void print_replay_summary(struct replay *r, const struct report_health *health)
{
	const struct codec_replay replay = {
		.health = health,
		.files = r->options.files,
		.n_files = r->options.n_files,
		.warnings = (const char *const *)r->warnings,
		.n_warnings = r->n_warnings,
		.elapsed_s = elapsed_s(r),
		.version = RASAD_VERSION,
	};
	if (codec_replay_json(r->codec, &replay, stdout))
		r->failed = true;
}

/* Of events that came in only what was concluded from them is said. */
static bool of_events(const struct report *report)
{
	return report->kind == REPORT_INCIDENT || report->kind == REPORT_GAP ||
	       report->kind == REPORT_HEALTH || report->kind == REPORT_TOPOLOGY_LINT;
}

/* Minutes, and lines while they run, are for the publisher; the report has each line once, at the
 * end. */
static void take(void *context, const struct report *report)
{
	struct replay *r = context;
	if (r->publisher && report->kind != REPORT_FLOW)
		publish_take(r->publisher, report);
	if (report->kind == REPORT_MINUTE || (report->kind == REPORT_SUBSCRIBER && !r->ending))
		return;
	if (r->options.events && !of_events(report))
		return;
	if (!r->options.json)
		text_take(r->text, report);
	else if (report->kind == REPORT_HEALTH)
		print_replay_summary(r, report->health);
	else if (codec_json(r->codec, report, stdout))
		r->failed = true;
	else if (r->options.members && report->kind == REPORT_INCIDENT &&
		 codec_members_json(r->codec, report->incident, stdout))
		r->failed = true;
}

static void show_progress(struct replay *r)
{
	double part = pcap_progress(r->source);
	int width = 40, done = (int)(part * width);
	struct source_stats stats;
	uint64_t packets;
	engine_stats(r->engine, &stats);
	packets = stats.packets;
	if (part < 0)
		fprintf(stderr, "\r%llu packets", (unsigned long long)packets);
	else
		fprintf(stderr, "\r[%.*s%*s] %3.0f %%  %llu packets", done,
			"########################################", width - done, "", part * 100,
			(unsigned long long)packets);
}

static void run(struct replay *r)
{
	int status;
	for (uint64_t steps = 1; (status = engine_step(r->engine)) >= 0 && status != SOURCE_END;
	     steps++)
		if (r->bar && (status == SOURCE_IDLE || steps % PROGRESS_STEPS == 0))
			show_progress(r);
	engine_stop(r->engine);
	if (status < 0)
		problem(r, strerror(-status));
	clear_bar(r);
	r->bar = false;
	r->ending = true;
	engine_summaries(r->engine);
	engine_health(r->engine, false);
	if (!r->options.json)
		text_print(r->text, r->options.files, r->options.n_files, elapsed_s(r), stdout);
}

/* The same for events: the analysis alone, on the clock of the events. */
static void run_events(struct replay *r)
{
	const struct events_options events = {
		.files = r->options.files,
		.n_files = r->options.n_files,
		.max_lines = r->options.max_lines,
		.inventory = r->inventory,
		.plans = r->calendar.plans,
		.n_plans = r->calendar.n,
		.shard = r->options.shard,
		.cards = r->options.publish != NULL,
		.sink = {take, r},
		.problem = problem,
		.context = r,
	};
	int status = events_run(&events);
	if (status < 0)
		problem(r, strerror(-status));
	if (!r->options.json)
		text_print(r->text, r->options.files, r->options.n_files, elapsed_s(r), stdout);
}

static bool open_publisher(struct replay *r)
{
	struct publish_error error;
	const struct publish_options options = {
		.url = r->options.publish,
		.collector = "replay",
		.version = RASAD_VERSION,
		.epoch_unix_ms = (uint64_t)time(NULL) * 1000,
		.shard = r->options.shard,
		.inventory = r->inventory,
		.lossless = true,
	};
	r->publisher = publish_open(&options, &error);
	if (r->publisher)
		return true;
	fprintf(stderr, "rasad-replay: %s\n", error.text);
	return false;
}

static void close_publisher(struct replay *r)
{
	struct publish_counters n;
	struct publish_error error;
	if (publish_close(r->publisher, FLUSH_MS, &n, &error)) {
		fprintf(stderr, "rasad-replay: %s\n", error.text);
		r->failed = true;
	}
	fprintf(stderr,
		"rasad-replay: published %llu events (%llu were there already), %llu cards, "
		"%llu revisions of incidents (%llu were there already)\n",
		(unsigned long long)n.events_published,
		(unsigned long long)n.events_already_published,
		(unsigned long long)n.cards_published, (unsigned long long)n.incidents_published,
		(unsigned long long)n.incidents_already_published);
}

static bool open_all(struct replay *r)
{
	const struct pcap_options files = {
		.files = r->options.files,
		.n_files = r->options.n_files,
		.ac_macs = r->options.ac_macs,
		.n_ac_macs = r->options.n_ac_macs,
		.problem = problem,
		.context = r,
	};
	const struct engine_options engine = {
		.worker = {.max_lines = r->options.max_lines,
			   .max_flows = r->options.max_flows,
			   .keep_flows = r->options.flows},
		.n_workers = r->options.workers,
		.lossless = true,
		.minutes = r->options.publish != NULL,
		.card_group = r->options.publish ? keyspace_bucket_of : NULL,
		.inventory = r->inventory,
		.plans = r->calendar.plans,
		.n_plans = r->calendar.n,
		.shard = r->options.shard,
		.collector = "replay",
	};
	r->codec = codec_new();
	r->text = text_new(r->options.top);
	if (r->options.events && r->codec && r->text)
		return true;
	if (pcap_open(&r->source, &files) < 0 || !r->source)
		return false;
	r->engine = engine_new(&engine, &r->source, 1, (struct report_sink){take, r});
	if (r->engine && r->codec && r->text)
		return true;
	fprintf(stderr, "rasad-replay: no memory\n");
	return false;
}

static bool prepare(struct replay *r)
{
	if (r->options.inventory) {
		r->inventory = inventory_load(r->options.inventory, stderr);
		if (!r->inventory)
			return false;
	}
	if (r->options.planned && calendar_load(&r->calendar, r->options.planned, stderr))
		return false;
	return (!r->options.publish || open_publisher(r)) && open_all(r);
}

int main(int argc, char **argv)
{
	struct replay r = {0};
	int code = options_read(&r.options, argc, argv);
	if (code >= 0)
		return code;
	clock_gettime(CLOCK_MONOTONIC, &r.started);
	r.bar = !r.options.quiet && isatty(STDERR_FILENO);
	if (prepare(&r))
		(r.options.events ? run_events : run)(&r);
	else
		r.failed = true;
	if (r.publisher)
		close_publisher(&r);
	engine_free(r.engine);
	codec_free(r.codec);
	text_free(r.text);
	inventory_free(r.inventory);
	calendar_fini(&r.calendar);
	if (r.source)
		r.source->close(r.source);
	while (r.n_warnings)
		free(r.warnings[--r.n_warnings]);
	free(r.warnings);
	if (fflush(stdout) || ferror(stdout)) {
		fprintf(stderr, "rasad-replay: the report could not be written: %s\n",
			strerror(errno));
		r.failed = true;
	}
	return r.failed ? 1 : 0;
}
