/* SPDX-License-Identifier: BSD-3-Clause */
#include "tools/rasadd/pace.h"

#include <stdbool.h>
#include <stdlib.h>
#include <time.h>

#define IDLE_NS 100000000ull

struct pace {
	struct source source; /* first: the face */
	struct source *inner; /* owned */
	uint32_t speed;
	bool started;
	uint64_t first_ns;   /* capture time of the first packet ... */
	uint64_t started_ns; /* ... and when it was let through, on the monotonic clock */
	struct burst held;
	uint32_t at; /* next in `held` */
};

static struct pace *self_of(const struct source *source)
{
	return (struct pace *)source;
}

static uint64_t monotonic_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

uint64_t pace_now_ns(const struct source *source)
{
	const struct pace *p = self_of(source);

	return p->started ? p->first_ns + (monotonic_ns() - p->started_ns) * p->speed : 0;
}

/* When the next packet is due, on the monotonic clock. */
static uint64_t due_ns(const struct pace *p)
{
	uint64_t ts_ns = p->held.pkt[p->at].ts_ns;

	return ts_ns < p->first_ns ? 0 : p->started_ns + (ts_ns - p->first_ns) / p->speed;
}

/* For a while only: the caller has timers to run, and signals to obey. */
static void wait_until(uint64_t due)
{
	uint64_t latest = monotonic_ns() + IDLE_NS, until = due < latest ? due : latest;
	const struct timespec time = {
		.tv_sec = (time_t)(until / 1000000000u),
		.tv_nsec = (long)(until % 1000000000u),
	};

	clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &time, NULL);
}

static void let_through(struct pace *p, struct burst *burst)
{
	uint64_t now_ns = monotonic_ns();

	while (p->at < p->held.n && due_ns(p) <= now_ns) {
		burst->pkt[burst->n] = p->held.pkt[p->at];
		burst->extra[burst->n] = *burst_extra(&p->held, p->at);
		burst->unfilled[burst->n] = false;
		burst->frame[burst->n++] = p->held.frame[p->at++];
	}
}

static int refill(struct pace *p)
{
	int status = p->inner->next(p->inner, &p->held);

	p->at = 0;
	if (!p->started && p->held.n) {
		p->started = true;
		p->first_ns = p->held.pkt[0].ts_ns;
		p->started_ns = monotonic_ns();
	}
	return status;
}

static int next(struct source *source, struct burst *burst)
{
	struct pace *p = self_of(source);

	burst->n = 0;
	if (p->at == p->held.n) {
		int status = refill(p);
		if (status != SOURCE_MORE || !p->held.n)
			return status;
	}
	let_through(p, burst);
	if (burst->n)
		return SOURCE_MORE;
	wait_until(due_ns(p));
	let_through(p, burst);
	return burst->n ? SOURCE_MORE : SOURCE_IDLE;
}

static const struct source_stats *stats(struct source *source)
{
	struct source *inner = self_of(source)->inner;

	return inner->stats(inner);
}

static void close_source(struct source *source)
{
	struct pace *p = self_of(source);

	p->inner->close(p->inner);
	free(p);
}

struct source *pace_new(struct source *inner, uint32_t speed)
{
	struct pace *p = aligned_alloc(64, (sizeof *p + 63) & ~(size_t)63);

	if (!p) {
		inner->close(inner);
		return NULL;
	}
	*p = (struct pace){
		.source = {.next = next, .close = close_source, .stats = stats},
		.inner = inner,
		.speed = speed,
	};
	return &p->source;
}
