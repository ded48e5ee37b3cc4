/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * rasadd: the daemon. Packets in, from an interface or from capture files; events, cards of lines
 * and its own health out to Redis.
 *
 * Packets are received and measured on threads of the engine, which never wait for anybody (but
 * for files at full speed, which wait rather than lose anything). This one concludes; the publisher
 * has its own, and nobody waits for Redis.
 * SIGTERM and SIGINT end it in good order: what is known of every line goes out, then the health
 * that says so. A second one ends it at once.
 */
#include <sys/random.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "engine/base/calendar.h"
#include "engine/base/inventory.h"
#include "engine/base/mem.h"
#include "engine/engine.h"
#include "engine/publish/keyspace.h"
#include "engine/publish/publish.h"
#include "tools/rasadd/options.h"
#include "tools/rasadd/summary.h"
#include "tools/rasadd/tap.h"
#include "version.h"

enum {
	LOOK_MS = 1000,	   /* how often to look whether Redis is there */
	HEALTH_MS = 10000, /* the health key lives 30 s */
	FLUSH_MS = 60000,  /* for a file that has ended: all of it */
	STOP_MS = 600,	   /* after a signal: what can be done within a second */
};

struct daemon {
	struct options options;
	struct tap tap;
	struct inventory *inventory;
	struct calendar calendar;
	struct publisher *publisher;
	struct summary *summary; /* or NULL */
	struct engine *engine;
	int64_t look_ms, health_ms; /* when next, on the monotonic clock */
	bool trouble, failed;
};

static volatile sig_atomic_t stop, hang_up;

static void on_stop(int number)
{
	stop = number;
}

static void on_hang_up(int number)
{
	hang_up = number;
}

static void catch_signals(void)
{
	const struct sigaction once = {.sa_handler = on_stop, .sa_flags = SA_RESETHAND};
	const struct sigaction always = {.sa_handler = on_hang_up};

	sigaction(SIGTERM, &once, NULL);
	sigaction(SIGINT, &once, NULL);
	sigaction(SIGHUP, &always, NULL);
	signal(SIGPIPE, SIG_IGN); /* nobody reads stderr: no reason to stop watching */
}

static int64_t now_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

/* --- running --- */

static void tell_shed(const struct daemon *d)
{
	struct publish_counters n;

	publish_counters(d->publisher, &n);
	fprintf(stderr, "rasadd: Redis is back");
	if (n.events_shed || n.cards_shed || n.minutes_shed || n.nodes_shed)
		fprintf(stderr,
			"; let go since the start: %llu events, %llu cards, %llu minutes, %llu "
			"nodes",
			(unsigned long long)n.events_shed, (unsigned long long)n.cards_shed,
			(unsigned long long)n.minutes_shed, (unsigned long long)n.nodes_shed);
	fputc('\n', stderr);
}

/* Says once that Redis is away, and once that it is back. */
static void look_at_redis(struct daemon *d)
{
	struct publish_error error;
	bool trouble = publish_trouble(d->publisher, &error);

	if (trouble && !d->trouble)
		fprintf(stderr, "rasadd: %s; going on, events wait until it is back\n", error.text);
	if (!trouble && d->trouble)
		tell_shed(d);
	d->trouble = trouble;
}

static void look_around(struct daemon *d)
{
	int64_t now = now_ms();

	if (hang_up) {
		hang_up = 0;
		fprintf(stderr, "rasadd: SIGHUP: nothing to reload; restart to change settings\n");
	}
	if (now >= d->health_ms) {
		d->health_ms = now + HEALTH_MS;
		engine_health(d->engine, true);
	}
	if (now >= d->look_ms) {
		d->look_ms = now + LOOK_MS;
		look_at_redis(d);
	}
}

static void take(void *context, const struct report *report)
{
	struct daemon *d = context;

	publish_take(d->publisher, report);
	if (d->summary)
		summary_take(d->summary, report);
}

static void run(struct daemon *d)
{
	int status = SOURCE_MORE;

	while (!stop && status >= 0 && status != SOURCE_END) {
		status = engine_step(d->engine);
		look_around(d);
	}
	engine_stop(d->engine);
	if (status < 0 || !tap_is_good(&d->tap))
		d->failed = true;
	if (d->summary)
		summary_end(d->summary);
	engine_summaries(d->engine);
	engine_health(d->engine, false);
}

/* --- life --- */

static bool load_inventory(struct daemon *d)
{
	if (!d->options.inventory)
		return true;
	d->inventory = inventory_load(d->options.inventory, stderr);
	return d->inventory;
}

static bool load_calendar(struct daemon *d)
{
	return !d->options.planned || !calendar_load(&d->calendar, d->options.planned, stderr);
}

static bool open_publisher(struct daemon *d)
{
	struct publish_error error;
	const struct publish_options options = {
		.url = d->options.redis,
		.collector = d->tap.collector,
		.version = RASAD_VERSION,
		.epoch_unix_ms = (uint64_t)time(NULL) * 1000,
		.shard = d->options.shard,
		.inventory = d->inventory,
		.lossless = d->tap.kind == TAP_FILES,
	};

	d->publisher = publish_open(&options, &error);
	if (!d->publisher)
		fprintf(stderr, "rasadd: %s\n", error.text);
	return d->publisher;
}

/* Nobody outside knows which flows share a bucket. Without the kernel's help, the clock must do. */
static uint64_t random_seed(void)
{
	uint64_t seed;
	struct timespec now;
	if (getrandom(&seed, sizeof seed, GRND_NONBLOCK) == sizeof seed)
		return seed;
	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_nsec * 0x9fb21c651e98df25ull;
}

static uint64_t idle_now_ns(void *context)
{
	return tap_now_ns(context);
}

static bool open_engine(struct daemon *d)
{
	const struct engine_options options = {
		.worker = {.max_lines = d->options.max_lines,
			   .max_flows = d->options.max_flows,
			   .hash_seed = random_seed(),
			   .full_size = d->tap.kind == TAP_LIVE},
		.n_workers = d->options.workers,
		.threads = true,
		.lossless = d->tap.kind == TAP_FILES,
		.card_group = keyspace_bucket_of,
		.inventory = d->inventory,
		.plans = d->calendar.plans,
		.n_plans = d->calendar.n,
		.shard = d->options.shard,
		.minutes = true,
		.now = idle_now_ns,
		.context = &d->tap,
		.collector = d->tap.collector,
	};

	d->engine = engine_new(&options, d->tap.sources, d->tap.n_sources,
			       (struct report_sink){take, d});
	if (!d->engine)
		fprintf(stderr, "rasadd: no memory for %u lines and %u flows\n",
			d->options.max_lines, d->options.max_flows);
	return d->engine;
}

/* Options, inventory and source are good: `rasadd -n` is content. */
static bool prepare(struct daemon *d)
{
	return load_inventory(d) && load_calendar(d) && tap_open(&d->tap, &d->options) == 0 &&
	       (!d->options.check || tap_is_good(&d->tap));
}

static void say_ready(const struct daemon *d, const char *what)
{
	fprintf(stderr, "rasadd: %s: %s", d->tap.collector, what);
	if (d->inventory)
		fprintf(stderr, "; inventory of %zu lines", inventory_counts(d->inventory).rows);
	fputc('\n', stderr);
}

/* The last word: what went in, and what came of it. */
static void close_publisher(struct daemon *d)
{
	struct source_stats stats = {0};
	struct publish_counters n;
	struct publish_error error;

	if (d->engine)
		engine_stats(d->engine, &stats);
	if (publish_close(d->publisher, stop ? STOP_MS : FLUSH_MS, &n, &error)) {
		fprintf(stderr, "rasadd: %s\n", error.text);
		d->failed = true;
	}
	fprintf(stderr,
		"rasadd: %s: %llu packets (%llu dropped); published %llu events (%llu were there "
		"already), %llu cards, %llu revisions of incidents\n",
		d->tap.collector, (unsigned long long)stats.packets,
		(unsigned long long)stats.dropped, (unsigned long long)n.events_published,
		(unsigned long long)n.events_already_published,
		(unsigned long long)n.cards_published, (unsigned long long)n.incidents_published);
	if (n.incidents_withdrawn)
		fprintf(stderr, "rasadd: %llu incidents that were left open have been withdrawn\n",
			(unsigned long long)n.incidents_withdrawn);
}

static bool open_summary(struct daemon *d)
{
	if (d->options.summary)
		d->summary = summary_open(d->options.summary, d->tap.collector);
	return !d->options.summary || d->summary;
}

/* Said once: a million lines and more are looked up all over memory. */
static void look_at_memory(void)
{
	if (!mem_has_large_pages())
		fprintf(stderr,
			"rasadd: no 2 MB pages (transparent_hugepage is off): with large tables a "
			"packet can cost 1.7 times as much\n");
}

static void start_and_run(struct daemon *d)
{
	if (!open_summary(d) || !open_publisher(d)) {
		d->failed = true;
		return;
	}
	look_at_memory();
	if (open_engine(d)) {
		say_ready(d, d->tap.kind == TAP_LIVE ? "listening" : "playing");
		d->health_ms = now_ms();
		run(d);
	} else {
		d->failed = true;
	}
	close_publisher(d);
}

int main(int argc, char **argv)
{
	struct daemon d = {0};
	int code = options_read(&d.options, argc, argv);

	if (code >= 0)
		return code;
	catch_signals();
	d.failed = !prepare(&d);
	if (!d.failed && d.options.check)
		say_ready(&d, "ready");
	else if (!d.failed)
		start_and_run(&d);
	if (!summary_close(d.summary))
		d.failed = true;
	engine_free(d.engine);
	inventory_free(d.inventory);
	calendar_fini(&d.calendar);
	tap_close(&d.tap);
	return d.failed ? 1 : 0;
}
