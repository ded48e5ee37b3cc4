/* SPDX-License-Identifier: BSD-3-Clause */
#include "engine/engine.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "engine/analysis/analysis.h"
#include "engine/analysis/blind.h"
#include "engine/analysis/flows.h"
#include "engine/base/nap.h"
#include "engine/decode.h"
#include "engine/drops.h"
#include "engine/lane.h"
#include "engine/receiver.h"

enum {
	MERGE_MOST = 8192, /* records in a step */
	NAPS = 16,	   /* of a step that finds nothing */
	DRAIN_BURSTS = 8,  /* without threads: bursts whose records are taken together */
};

struct engine {
	struct engine_options options;
	struct report_sink sink;
	struct lane *lanes;	    /* owned */
	struct receiver *receivers; /* owned; NULL: each lane has its source */
	struct source *sources[ENGINE_MAX_SOURCES];
	uint32_t n_lanes, n_sources;
	bool threads, stopped;
	bool one_stream; /* one stamp for all packets: their order is exact */
	_Atomic bool stop;
	uint32_t quiet;	    /* naps since there was a record */
	uint32_t undrained; /* bursts whose records wait, without threads */
	struct drops drops[ENGINE_MAX_SOURCES];
	uint64_t drops_ns; /* looked at last */
	struct analysis analysis;
};

/* --- life ------------------------------------------------------------------------------------- */

static bool keeps_lines_together(const struct engine *e)
{
	if (e->n_sources != e->n_lanes)
		return false;
	for (uint32_t i = 0; i < e->n_sources; i++)
		if (e->n_sources > 1 && !e->sources[i]->sharded)
			return false;
	return true;
}

/* Without threads a full outbox is emptied at once. */
static void drain_inline(void *context)
{
	struct engine *e = context;
	struct ring *outbox = &e->lanes[0].outbox;
	const struct out *records[ANALYSIS_FETCH];
	uint32_t n;
	while ((n = ring_peek_all(outbox, (const void **)records, ANALYSIS_FETCH)) > 0) {
		analysis_fetch(&e->analysis, 0, records, n);
		for (uint32_t i = 0; i < n; i++)
			analysis_take(&e->analysis, 0, records[i]);
		ring_release_all(outbox);
	}
}

/* A live worker has its tables at full size; in a replay they grow, and each may take all. */
static struct worker_options worker_part(const struct engine *e)
{
	struct worker_options part = e->options.worker;
	if (part.full_size && e->n_lanes > 1)
		part.max_flows = part.max_flows / e->n_lanes / 4 * 5 + 64;
	if (!e->threads) {
		part.full = drain_inline;
		part.context = (void *)e;
	}
	return part;
}

static int make_lanes(struct engine *e)
{
	const struct lane_options options = {
		.worker = worker_part(e),
		.lossless = e->options.lossless && e->threads,
		.now = e->options.now,
		.idle = e->options.context,
	};
	e->lanes = aligned_alloc(64, e->n_lanes * sizeof *e->lanes);
	if (!e->lanes)
		return -ENOMEM;
	memset(e->lanes, 0, e->n_lanes * sizeof *e->lanes);
	for (uint32_t i = 0; i < e->n_lanes; i++) {
		if (lane_init(&e->lanes[i], &options))
			return -ENOMEM;
		e->lanes[i].stop = &e->stop;
		e->lanes[i].stamp.by_time = e->n_sources > 1;
		e->lanes[i].worker.many_taps = e->n_sources == 1 && e->sources[0]->n_taps > 1;
	}
	return 0;
}

static int make_receivers(struct engine *e)
{
	e->receivers = aligned_alloc(64, e->n_sources * sizeof *e->receivers);
	if (!e->receivers)
		return -ENOMEM;
	memset(e->receivers, 0, e->n_sources * sizeof *e->receivers);
	for (uint32_t r = 0; r < e->n_sources; r++) {
		struct receiver *receiver = &e->receivers[r];
		if (receiver_init(receiver, e->sources[r], e->n_lanes))
			return -ENOMEM;
		receiver->lossless = e->options.lossless;
		receiver->now = e->options.now;
		receiver->idle = e->options.context;
		receiver->stop = &e->stop;
		receiver->stamp.by_time = e->n_sources > 1;
		receiver->stamp.taps.source = e->sources[r];
		for (uint32_t i = 0; i < e->n_lanes; i++)
			e->lanes[i].inbox[e->lanes[i].n_inbox++] = &receiver->lanes[i];
	}
	return 0;
}

static int connect(struct engine *e)
{
	if (!keeps_lines_together(e))
		return make_receivers(e);
	for (uint32_t i = 0; i < e->n_lanes; i++) {
		e->lanes[i].source = e->sources[i];
		e->lanes[i].stamp.taps.source = e->sources[i];
		e->lanes[i].worker.source_tap = e->lanes[i].worker.tap = (uint8_t)i;
	}
	return 0;
}

static int start_threads(struct engine *e)
{
	int status = 0;
	for (uint32_t i = 0; i < e->n_lanes && !status; i++)
		status = lane_start(&e->lanes[i]);
	for (uint32_t i = 0; e->receivers && i < e->n_sources && !status; i++)
		status = receiver_start(&e->receivers[i]);
	return status;
}

/* The whole of a stream has no name of its own. */
static const char *tap_name(void *context, uint32_t tap)
{
	const struct engine *e = context;
	const struct source *source = e->sources[e->n_sources > 1 ? tap : 0];
	if (e->n_sources > 1)
		return source->tap_name ? source->tap_name(source, 0) : "";
	return tap && source->tap_name ? source->tap_name(source, tap - 1) : "";
}

static int build(struct engine *e)
{
	const struct analysis_options analysis = {
		.card_group = e->options.card_group,
		.minutes = e->options.minutes,
		.n_workers = e->n_lanes,
		.many_taps = e->n_sources == 1 && e->sources[0]->n_taps > 1,
		.tap_name = tap_name,
		.tap_context = e,
		.max_lines = e->options.worker.max_lines,
		.inventory = e->options.inventory,
		.plans = e->options.plans,
		.n_plans = e->options.n_plans,
		.shard = e->options.shard,
	};
	int status;
	analysis_init(&e->analysis, &analysis, e->sink);
	status = make_lanes(e);
	status = status ? status : connect(e);
	return status || !e->threads ? status : start_threads(e);
}

struct engine *engine_new(const struct engine_options *options, struct source *const *sources,
			  uint32_t n_sources, struct report_sink sink)
{
	struct engine *e = calloc(1, sizeof *e);
	if (!e)
		return NULL;
	e->options = *options;
	e->sink = sink;
	e->n_sources = n_sources;
	e->n_lanes = options->n_workers ? options->n_workers : n_sources;
	memcpy(e->sources, sources, n_sources * sizeof *sources);
	e->threads = options->threads || e->n_lanes > 1 || n_sources > 1;
	e->one_stream = n_sources == 1;
	return build(e) ? engine_free(e) : e;
}

struct engine *engine_free(struct engine *e)
{
	if (!e)
		return NULL;
	engine_stop(e);
	for (uint32_t i = 0; e->lanes && i < e->n_lanes; i++)
		lane_fini(&e->lanes[i]);
	for (uint32_t i = 0; e->receivers && i < e->n_sources; i++)
		receiver_fini(&e->receivers[i]);
	free(e->lanes);
	free(e->receivers);
	analysis_fini(&e->analysis);
	free(e);
	return NULL;
}

/* --- running ---------------------------------------------------------------------------------- */

static int step_inline(struct engine *e)
{
	struct lane *lane = &e->lanes[0];
	int status = lane_step(lane);
	if (status == SOURCE_MORE && ++e->undrained < DRAIN_BURSTS)
		return status;
	e->undrained = 0;
	drain_inline(e);
	if (status >= 0)
		analysis_advance(&e->analysis, atomic_load(&lane->done_ns));
	return status;
}

/* What a tap did not see comes before all that is said of the time after it. */
static bool is_before(const struct out *a, const struct out *b)
{
	return a->order < b->order ||
	       (a->order == b->order && a->kind == OUT_TAP && b->kind != OUT_TAP);
}

/*
 * The lane whose next record is the oldest of all; n_lanes: none can be taken yet. Where the order
 * is exact an empty lane must have come further than that record; what it says later is younger.
 */
static uint32_t oldest(struct engine *e, const struct out **record)
{
	uint32_t best = e->n_lanes;
	uint64_t reached = UINT64_MAX;
	for (uint32_t i = 0; i < e->n_lanes; i++) {
		/* how far it has come before what it has said: the other way round would miss some */
		uint64_t done = atomic_load_explicit(&e->lanes[i].done, memory_order_acquire);
		const struct out *next = ring_peek(&e->lanes[i].outbox);
		if (!next) {
			reached = done < reached ? done : reached;
		} else if (best == e->n_lanes || is_before(next, *record)) {
			*record = next;
			best = i;
		}
	}
	return best < e->n_lanes && e->one_stream && (*record)->order > reached ? e->n_lanes : best;
}

/* Takes up to `most` records; returns how many there were. */
static uint32_t merge(struct engine *e, uint32_t most)
{
	const struct out *record = NULL;
	uint32_t n = 0, lane;
	while (n < most && (lane = oldest(e, &record)) < e->n_lanes) {
		analysis_fetch(&e->analysis, lane, &record, 1);
		analysis_take(&e->analysis, lane, record);
		ring_release(&e->lanes[lane].outbox);
		n++;
	}
	return n;
}

/* Timers may run up to where every lane has come; what the lanes have said by then was taken. */
static void advance(struct engine *e)
{
	uint64_t reached = UINT64_MAX;
	for (uint32_t i = 0; i < e->n_lanes; i++) {
		uint64_t ns = atomic_load_explicit(&e->lanes[i].done_ns, memory_order_acquire);
		reached = ns < reached ? ns : reached;
	}
	merge(e, MERGE_MOST);
	if (reached > e->analysis.now_ns)
		analysis_advance(&e->analysis, reached);
}

/* 1: all have ended; 0: some run; -errno: all have ended, and one failed. */
static int ended(const struct engine *e)
{
	int status = 1;
	for (uint32_t i = 0; i < e->n_lanes; i++) {
		int one = atomic_load_explicit(&e->lanes[i].ended, memory_order_acquire);
		if (!one)
			return 0;
		status = one < 0 ? one : status;
	}
	for (uint32_t i = 0; e->receivers && i < e->n_sources; i++) {
		int one = atomic_load_explicit(&e->receivers[i].ended, memory_order_acquire);
		if (!one)
			return 0;
		status = one < 0 ? one : status;
	}
	return status;
}

static void told_by(struct engine *e, uint32_t source, struct source_stats *stats)
{
	pthread_mutex_t *lock = e->receivers ? &e->receivers[source].lock : &e->lanes[source].lock;
	pthread_mutex_lock(lock);
	*stats = e->receivers ? e->receivers[source].told : e->lanes[source].source_told;
	pthread_mutex_unlock(lock);
}

/* Once a second: collectors that lose too much. */
static void look_at_drops(struct engine *e)
{
	uint64_t now_ns = e->analysis.now_ns, since_ns;
	struct source_stats stats;
	if (now_ns >= e->drops_ns && now_ns < e->drops_ns + DROPS_INTERVAL_NS / 5)
		return;
	e->drops_ns = now_ns;
	for (uint32_t i = 0; i < e->n_sources; i++) {
		enum drops_news news;
		told_by(e, i, &stats);
		news = drops_look(&e->drops[i], &stats, now_ns, &since_ns);
		if (news != DROPS_NOTHING)
			blind_drops(&e->analysis, i, news == DROPS_BEGIN, since_ns);
	}
}

static int step_threads(struct engine *e)
{
	int over = 0;
	if (e->options.now)
		look_at_drops(e);
	for (int naps = 0; naps < NAPS && !over; naps++) {
		over = ended(e);
		if (merge(e, MERGE_MOST)) {
			e->quiet = e->options.now ? NAP_DOUBLINGS : 0;
			return SOURCE_MORE;
		}
		if (!over && e->options.now)
			advance(e);
		if (!over)
			nap(&e->quiet);
	}
	if (!over)
		return SOURCE_IDLE;
	return over < 0 ? over : SOURCE_END;
}

int engine_step(struct engine *e)
{
	return e->threads ? step_threads(e) : step_inline(e);
}

static void stop_inline(struct engine *e)
{
	struct source *source = e->lanes[0].source;
	int status = SOURCE_MORE;
	if (!source || !source->stop)
		return;
	source->stop(source);
	while (status >= 0 && status != SOURCE_END)
		status = step_inline(e);
}

void engine_stop(struct engine *e)
{
	if (e->stopped || !e->lanes)
		return;
	e->stopped = true;
	atomic_store(&e->stop, true);
	if (!e->threads) {
		stop_inline(e);
		while (!worker_flush(&e->lanes[0].worker))
			drain_inline(e);
		drain_inline(e);
		return;
	}
	e->quiet = 0;
	while (!ended(e) && e->lanes[0].has_thread)
		if (!merge(e, MERGE_MOST))
			nap(&e->quiet);
	for (uint32_t i = 0; e->receivers && i < e->n_sources; i++)
		receiver_join(&e->receivers[i]);
	for (uint32_t i = 0; i < e->n_lanes; i++)
		lane_join(&e->lanes[i]);
	while (merge(e, MERGE_MOST))
		;
	advance(e);
}

/* --- telling ---------------------------------------------------------------------------------- */

void engine_summaries(struct engine *e)
{
	const struct worker *workers[ENGINE_MAX_WORKERS];
	for (uint32_t i = 0; i < e->n_lanes; i++)
		workers[i] = &e->lanes[i].worker;
	if (e->options.worker.keep_flows)
		flows_report(workers, e->n_lanes, &e->analysis);
	analysis_summaries(&e->analysis);
}

static void add_stats(struct source_stats *sum, const struct source_stats *s)
{
	sum->packets += s->packets;
	sum->bytes += s->bytes;
	sum->dropped += s->dropped;
	sum->ac_refused += s->ac_refused;
	for (size_t i = 0; i < VERDICT_COUNT; i++)
		sum->verdicts[i] += s->verdicts[i];
	for (size_t i = 0; i < CONTROL_COUNT; i++)
		sum->control[i] += s->control[i];
	for (uint32_t i = 0; i < s->n_counters && sum->n_counters < SOURCE_MAX_COUNTERS; i++)
		sum->counters[sum->n_counters++] = s->counters[i];
}

static void add_told(struct source_stats *sum, pthread_mutex_t *lock,
		     const struct source_stats *told)
{
	pthread_mutex_lock(lock);
	add_stats(sum, told);
	pthread_mutex_unlock(lock);
}

void engine_stats(struct engine *e, struct source_stats *sum)
{
	*sum = (struct source_stats){0};
	for (uint32_t i = 0; i < e->n_sources; i++)
		if (!e->threads || e->stopped)
			add_stats(sum, e->sources[i]->stats(e->sources[i]));
		else if (e->receivers)
			add_told(sum, &e->receivers[i].lock, &e->receivers[i].told);
		else
			add_told(sum, &e->lanes[i].lock, &e->lanes[i].source_told);
}

static void add_counts(struct lane_counts *sum, const struct lane_counts *one)
{
	sum->lines += one->lines;
	sum->flows += one->flows;
	sum->flows_in_table += one->flows_in_table;
	sum->lines_recycled += one->lines_recycled;
	sum->acked_unseen += one->acked_unseen;
	sum->clock_steps += one->clock_steps;
	sum->clock_disbelieved += one->clock_disbelieved;
	for (size_t i = 0; i < sizeof sum->refusals / sizeof *sum->refusals; i++)
		sum->refusals[i] += one->refusals[i];
	if (one->first_ns && (!sum->first_ns || one->first_ns < sum->first_ns))
		sum->first_ns = one->first_ns;
	if (one->last_ns > sum->last_ns)
		sum->last_ns = one->last_ns;
}

/* The clocks of receivers are the clocks of their lanes. */
static void add_clock(struct lane_counts *sum, const struct clock *clock)
{
	const struct lane_counts one = {
		.clock_steps = clock->steps,
		.clock_disbelieved = clock->disbelieved,
		.first_ns = clock->first_ns,
		.last_ns = clock->now_ns,
	};
	add_counts(sum, &one);
}

static void count_all(struct engine *e, struct lane_counts *sum)
{
	*sum = (struct lane_counts){0};
	for (uint32_t i = 0; i < e->n_lanes; i++) {
		struct lane_counts one;
		lane_counts(&e->lanes[i], &one);
		add_counts(sum, &one);
	}
	for (uint32_t i = 0; e->stopped && e->receivers && i < e->n_sources; i++)
		add_clock(sum, &e->receivers[i].stamp.clock);
	if (!sum->first_ns) { /* a receiver that runs keeps its clock to itself */
		sum->first_ns = e->analysis.first_ns;
		sum->last_ns = e->analysis.now_ns;
	}
}

/* Every limit that can be hit, and how often it was. */
static size_t refusals(const struct engine *e, const struct lane_counts *counts,
		       const struct source_stats *stats, struct report_count *to)
{
	uint64_t handover = 0;
	size_t n = 0;
	for (; n < LANE_REFUSALS; n++)
		to[n] = (struct report_count){lane_refusals[n], counts->refusals[n]};
	for (uint32_t i = 0; e->receivers && i < e->n_sources; i++)
		handover += atomic_load(&e->receivers[i].refused);
	to[n++] = (struct report_count){"concentrators_unknown", stats->ac_refused};
	to[n++] = (struct report_count){"histogram_pool_empty",
					hist_pools_refused(&e->analysis.hists)};
	to[n++] = (struct report_count){"analysis_no_memory",
					e->analysis.refused + e->analysis.minutes.refused};
	to[n++] = (struct report_count){"handover_full", handover};
	return n;
}

/* How full the flow table is tells of now; when idle flows leave it is no part of a report. */
static size_t notes(const struct lane_counts *counts, const struct source_stats *stats,
		    bool running, struct report_count *to)
{
	const struct report_count own[] = {
		{"acked_unseen", counts->acked_unseen},
		{"clock_steps", counts->clock_steps},
		{"clock_disbelieved", counts->clock_disbelieved},
		{"provisional_lines_recycled", counts->lines_recycled},
	};
	size_t n = sizeof own / sizeof *own;
	memcpy(to, own, sizeof own);
	if (running)
		to[n++] = (struct report_count){"flows_in_table", counts->flows_in_table};
	for (uint32_t i = 0; i < stats->n_counters; i++)
		to[n++] = (struct report_count){stats->counters[i].name, stats->counters[i].value};
	return n;
}

/* Packet time; before the first packet, what the caller holds for the time. */
static uint64_t now_ns(const struct engine *e)
{
	if (e->analysis.now_ns || !e->options.now)
		return e->analysis.now_ns;
	return e->options.now(e->options.context);
}

void engine_health(struct engine *e, bool running)
{
	struct source_stats stats;
	struct lane_counts counts;
	struct report_count verdicts[VERDICT_COUNT], control[CONTROL_COUNT], limits[40];
	struct report_count noted[SOURCE_MAX_COUNTERS + 8];
	engine_stats(e, &stats);
	count_all(e, &counts);
	for (size_t i = 0; i < VERDICT_COUNT; i++)
		verdicts[i] = (struct report_count){decode_verdict_names[i], stats.verdicts[i]};
	for (size_t i = 0; i < CONTROL_COUNT; i++)
		control[i] = (struct report_count){decode_control_names[i], stats.control[i]};
	const struct report_health health = {
		.unix_ns = (int64_t)now_ns(e),
		.collector = e->options.collector,
		.packets = stats.packets,
		.bytes = stats.bytes,
		.dropped = stats.dropped,
		.lines = counts.lines,
		.flows = counts.flows,
		.verdicts = verdicts,
		.n_verdicts = VERDICT_COUNT,
		.control = control,
		.n_control = CONTROL_COUNT,
		.refusals = limits,
		.n_refusals = refusals(e, &counts, &stats, limits),
		.notes = noted,
		.n_notes = notes(&counts, &stats, running, noted),
		.first_unix_ns = stats.packets ? (int64_t)counts.first_ns : REPORT_ABSENT,
		.last_unix_ns = stats.packets ? (int64_t)counts.last_ns : REPORT_ABSENT,
		.running = running,
	};
	const struct report report = {REPORT_HEALTH, {.health = &health}};
	e->sink.take(e->sink.context, &report);
}
