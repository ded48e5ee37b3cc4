/* SPDX-License-Identifier: BSD-3-Clause */
#include "engine/lane.h"

#include <errno.h>
#include <sched.h>
#include <string.h>

#include "engine/base/nap.h"

enum {
	OUTBOX_BYTES = 4 << 20,
	INLINE_BYTES = 256 << 10, /* emptied by its own thread when full: stays in the cache */
	TELL_ROUNDS = 4096,	  /* bursts between two copies of the counters */
	SPINS = 256,		  /* looks at empty inboxes before a nap */
};

const char *const lane_refusals[LANE_REFUSALS] = {
	"flow_table_full",
	"flows_evicted",
	"line_table_full",
	"circuits_full",
	"hole_pool_empty",
	"holes_per_direction",
	"segment_pool_empty",
	"segments_per_direction",
	"anomaly_pool_empty",
	"sample_pool_empty",
	"sample_log_full",
	"flow_log_full",
	"open_questions_overwritten",
	"resend_pool_empty",
	"resends_per_direction",
	"signals_lost",
	"samples_lost",
	"bound_macs_full",
	"outbox_full",
};

/* In the order of lane_refusals. */
static void count_refusals(const struct worker *w, uint64_t to[LANE_REFUSALS])
{
	const struct meter *m = &w->meter;
	const uint64_t list[] = {
		w->flows_refused,
		w->flows_evicted,
		m->lines.refused,
		w->circuits_refused,
		m->holes.refused,
		m->holes_refused,
		m->segs.refused,
		m->segments_refused,
		m->extras.refused,
		m->samples.refused,
		m->log_samples.refused,
		m->logs.refused,
		w->transactions.overwritten,
		m->resends.refused,
		m->resends_refused,
		w->signals_lost,
		w->samples_lost + m->queue_refused,
		m->lines.bound_refused,
		w->told_late,
	};
	_Static_assert(sizeof list == LANE_REFUSALS * sizeof *list, "each has a name");
	memcpy(to, list, sizeof list);
}

static void count(const struct lane *lane, struct lane_counts *to)
{
	const struct worker *w = &lane->worker;
	*to = (struct lane_counts){
		.lines = w->meter.lines.n,
		.flows = w->flows.created,
		.flows_in_table = w->flows.used,
		.lines_recycled = w->meter.lines.recycled,
		.acked_unseen = w->meter.acked_unseen,
		.clock_steps = lane->stamp.clock.steps,
		.clock_disbelieved = lane->stamp.clock.disbelieved,
		.first_ns = lane->stamp.clock.first_ns,
		.last_ns = lane->stamp.clock.now_ns,
	};
	count_refusals(w, to->refusals);
}

static void tell_counts(struct lane *lane)
{
	if (pthread_mutex_trylock(&lane->lock))
		return;
	count(lane, &lane->told);
	if (lane->source)
		lane->source_told = *lane->source->stats(lane->source);
	pthread_mutex_unlock(&lane->lock);
}

void lane_counts(struct lane *lane, struct lane_counts *to)
{
	if (!lane->has_thread) {
		count(lane, to);
		return;
	}
	pthread_mutex_lock(&lane->lock);
	*to = lane->told;
	pthread_mutex_unlock(&lane->lock);
}

static void wait_for_reader(void *context)
{
	(void)context;
	sched_yield();
}

int lane_init(struct lane *lane, const struct lane_options *options)
{
	struct worker_options worker = options->worker;
	size_t outbox_bytes = worker.full ? INLINE_BYTES : OUTBOX_BYTES;
	memset(lane, 0, sizeof *lane);
	lane->options = *options;
	pthread_mutex_init(&lane->lock, NULL);
	if (options->lossless && !worker.full)
		worker.full = wait_for_reader;
	return ring_init(&lane->outbox, outbox_bytes)
		       ? -ENOMEM
		       : worker_init(&lane->worker, &worker, &lane->outbox);
}

void lane_fini(struct lane *lane)
{
	worker_fini(&lane->worker);
	ring_fini(&lane->outbox);
	pthread_mutex_destroy(&lane->lock);
}

/* Whoever merges may go on up to here. */
static void publish_progress(struct lane *lane, uint64_t order, uint64_t clock_ns)
{
	atomic_store_explicit(&lane->done_ns, clock_ns, memory_order_relaxed);
	atomic_store_explicit(&lane->done, order, memory_order_release);
}

static void idle(struct lane *lane)
{
	struct tap_news news;
	uint64_t now_ns = lane->options.now ? lane->options.now(lane->options.idle) : 0;
	if (taps_idle(&lane->stamp.taps, now_ns, &news))
		worker_tap(&lane->worker, &news, now_ns);
	worker_idle(&lane->worker, now_ns);
	if (now_ns <= lane->stamp.clock.now_ns)
		return;
	if (lane->stamp.by_time)
		lane->stamp.order = now_ns;
	publish_progress(lane, lane->stamp.order, now_ns);
}

int lane_step(struct lane *lane)
{
	int status = lane->source->next(lane->source, &lane->burst);
	if (lane->burst.n) {
		stamp_burst(&lane->stamp, &lane->burst);
		worker_burst(&lane->worker, &lane->burst);
		publish_progress(lane, lane->stamp.order, lane->stamp.clock.now_ns);
	} else if (status == SOURCE_IDLE) {
		idle(lane);
	}
	return status;
}

static int run_source(struct lane *lane)
{
	int status = SOURCE_MORE;
	while (status >= 0 && status != SOURCE_END && !atomic_load(lane->stop)) {
		status = lane_step(lane);
		if (++lane->rounds % TELL_ROUNDS == 0 || status == SOURCE_IDLE)
			tell_counts(lane);
	}
	if (status >= 0 && status != SOURCE_END && lane->source->stop) {
		lane->source->stop(lane->source);
		while (status >= 0 && status != SOURCE_END)
			status = lane_step(lane);
	}
	return status < 0 ? status : 1;
}

/* One parcel; false when there is none. */
static bool take_parcel(struct lane *lane, uint32_t from, uint32_t *open)
{
	struct handover *h = lane->inbox[from];
	struct parcel *parcel = handover_peek(h);
	if (!parcel)
		return false;
	lane->worker.source_tap = (uint8_t)from;
	if (parcel->burst.n)
		worker_burst(&lane->worker, &parcel->burst);
	lane->worker.order = parcel->order;
	if (parcel->burst.n_news && !parcel->burst.n) /* while nothing comes */
		worker_tap(&lane->worker, &parcel->burst.news[0], parcel->clock_ns);
	worker_idle(&lane->worker, parcel->clock_ns);
	publish_progress(lane, parcel->order, parcel->clock_ns);
	*open -= parcel->last;
	handover_done(h);
	return true;
}

static int run_inbox(struct lane *lane)
{
	uint32_t open = lane->n_inbox, empty = 0, quiet = 0;
	while (open) {
		bool any = false;
		for (uint32_t i = 0; i < lane->n_inbox; i++)
			any |= take_parcel(lane, i, &open);
		empty = any ? 0 : empty + 1;
		if (any)
			quiet = 0;
		else if (empty > SPINS)
			nap(&quiet);
		if (++lane->rounds % TELL_ROUNDS == 0)
			tell_counts(lane);
	}
	return 1;
}

static void *run(void *context)
{
	struct lane *lane = context;
	int status = lane->source ? run_source(lane) : run_inbox(lane);
	while (!worker_flush(&lane->worker))
		sched_yield(); /* the reader comes until `ended` is told */
	tell_counts(lane);
	publish_progress(lane, UINT64_MAX, atomic_load(&lane->done_ns));
	atomic_store_explicit(&lane->ended, status, memory_order_release);
	return NULL;
}

int lane_start(struct lane *lane)
{
	int status = pthread_create(&lane->thread, NULL, run, lane);
	lane->has_thread = status == 0;
	return -status;
}

void lane_join(struct lane *lane)
{
	if (!lane->has_thread)
		return;
	pthread_join(lane->thread, NULL);
	lane->has_thread = false;
}
