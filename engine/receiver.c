/* SPDX-License-Identifier: BSD-3-Clause */
#include "engine/receiver.h"

#include <errno.h>
#include <sched.h>
#include <string.h>

enum {
	MARK_ROUNDS = 8,    /* bursts after which no lane waits any longer for a full parcel */
	TELL_ROUNDS = 4096, /* bursts between two copies of the counters */
};

int receiver_init(struct receiver *r, struct source *source, uint32_t n_lanes)
{
	memset(r, 0, sizeof *r);
	r->source = source;
	r->n_lanes = n_lanes;
	pthread_mutex_init(&r->lock, NULL);
	for (uint32_t i = 0; i < n_lanes; i++)
		if (handover_init(&r->lanes[i]))
			return -ENOMEM;
	return 0;
}

void receiver_fini(struct receiver *r)
{
	for (uint32_t i = 0; i < r->n_lanes; i++)
		handover_fini(&r->lanes[i]);
	pthread_mutex_destroy(&r->lock);
}

/* A parcel to fill; NULL: the lane is behind, and nobody waits. */
static struct parcel *open_parcel(const struct receiver *r, struct handover *lane)
{
	struct parcel *parcel = handover_open(lane);
	while (!parcel && r->lossless) {
		sched_yield();
		parcel = handover_open(lane);
	}
	return parcel;
}

/* All packets before the one with `order` are in parcels by now. */
static void put(struct receiver *r, uint32_t i)
{
	struct handover *lane = &r->lanes[shard_of(&r->burst.pkt[i]) % r->n_lanes];
	struct parcel *parcel = open_parcel(r, lane);
	if (parcel && handover_put(parcel, &r->burst, i))
		return;
	if (parcel) {
		handover_close(lane, burst_order(&r->burst, i) - 1,
			       i ? burst_clock_ns(&r->burst, i - 1) : r->before_ns, false);
		parcel = open_parcel(r, lane);
	}
	if (!parcel || !handover_put(parcel, &r->burst, i))
		atomic_fetch_add_explicit(&r->refused, 1, memory_order_relaxed);
}

/* Nothing comes: whoever gets this parcel tells so, after all that came. */
static void look_at_tap(struct receiver *r, uint64_t now_ns)
{
	struct parcel *parcel = handover_open(&r->lanes[0]);
	struct tap_news news;
	if (!parcel || parcel->burst.n || !taps_idle(&r->stamp.taps, now_ns, &news))
		return;
	parcel->burst.news[0] = news;
	parcel->burst.n_news = 1;
}

static void mark_all(struct receiver *r, uint64_t clock_ns, bool last)
{
	for (uint32_t i = 0; i < r->n_lanes; i++)
		if (open_parcel(r, &r->lanes[i]))
			handover_close(&r->lanes[i], r->stamp.order, clock_ns, last);
}

static void tell(struct receiver *r)
{
	if (pthread_mutex_trylock(&r->lock))
		return;
	r->told = *r->source->stats(r->source);
	pthread_mutex_unlock(&r->lock);
}

static void idle(struct receiver *r)
{
	uint64_t now_ns = r->now ? r->now(r->idle) : 0;
	if (now_ns < r->stamp.clock.now_ns)
		now_ns = r->stamp.clock.now_ns;
	if (r->stamp.by_time && now_ns > r->stamp.order)
		r->stamp.order = now_ns;
	mark_all(r, r->stamp.clock.now_ns, false); /* what came goes first */
	look_at_tap(r, now_ns);
	mark_all(r, now_ns, false);
	tell(r);
}

static int step(struct receiver *r)
{
	int status = r->source->next(r->source, &r->burst);
	r->before_ns = r->stamp.clock.now_ns;
	stamp_burst(&r->stamp, &r->burst);
	for (uint32_t i = 0; i < r->burst.n; i++)
		put(r, i);
	if (status == SOURCE_IDLE)
		idle(r);
	else if (++r->rounds % MARK_ROUNDS == 0)
		mark_all(r, r->stamp.clock.now_ns, false);
	if (r->rounds % TELL_ROUNDS == 0)
		tell(r);
	return status;
}

static void *run(void *context)
{
	struct receiver *r = context;
	int status = SOURCE_MORE;
	while (status >= 0 && status != SOURCE_END && !atomic_load(r->stop))
		status = step(r);
	r->lossless = true; /* what has come, and the end, must arrive */
	if (status >= 0 && status != SOURCE_END && r->source->stop) {
		r->source->stop(r->source);
		while (status >= 0 && status != SOURCE_END)
			status = step(r);
	}
	tell(r);
	mark_all(r, r->stamp.clock.now_ns, true);
	atomic_store_explicit(&r->ended, status < 0 ? status : 1, memory_order_release);
	return NULL;
}

int receiver_start(struct receiver *r)
{
	int status = pthread_create(&r->thread, NULL, run, r);
	r->has_thread = status == 0;
	return -status;
}

void receiver_join(struct receiver *r)
{
	if (r->has_thread)
		pthread_join(r->thread, NULL);
	r->has_thread = false;
}
