/* SPDX-License-Identifier: BSD-3-Clause */
/* What a stream of packets is given before it is shared out: its clock, and each packet's place. */
#ifndef RASAD_ENGINE_STAMP_H
#define RASAD_ENGINE_STAMP_H

#include <stdbool.h>

#include "engine/base/clock.h"
#include "engine/source.h"
#include "engine/tap.h"

struct stamp {
	struct clock clock;
	bool by_time;	/* one of several streams: their clocks order them, packets within them */
	uint64_t order; /* of the packet stamped last */
	struct taps taps;
};

/* No packet is out of order, no silence is long, and no second ends. */
static inline bool stamp_is_usual(const struct stamp *stamp, const struct burst *burst)
{
	const struct clock *clock = &stamp->clock;
	uint64_t first_ns = burst->pkt[0].ts_ns, now_ns = burst->pkt[burst->n - 1].ts_ns;
	uint64_t second_ns = stamp->taps.all.second_ns, steps = 0; /* the sign of any */
#pragma GCC unroll 8
	for (uint32_t i = 1; i < burst->n; i++)
		steps |= burst->pkt[i].ts_ns - burst->pkt[i - 1].ts_ns;
	return (int64_t)steps >= 0 && clock->running && !clock->wild_ns &&
	       !stamp->taps.all.silent && !(stamp->taps.source && stamp->taps.source->n_taps > 1) &&
	       first_ns - clock->now_ns < TAP_LEAST_NS && first_ns - second_ns < TAP_SECOND_NS &&
	       now_ns - second_ns < TAP_SECOND_NS;
}

/* The lines heard in this second, until they have set every bit. */
static inline void stamp_hear(struct stamp *stamp, const struct burst *burst)
{
	uint64_t *heard = &stamp->taps.all.heard[stamp->taps.all.at], bits = *heard;
	if (bits == ~0ull)
		return;
	for (uint32_t i = 0; i < burst->n; i++)
		bits |= tap_bit(&burst->pkt[i]);
	*heard = bits;
}

static inline void stamp_each(struct stamp *stamp, struct burst *burst)
{
	struct clock *clock = &stamp->clock;
	for (uint32_t i = 0; i < burst->n; i++) {
		uint64_t before_ns = clock->now_ns;
		clock_follow(clock, burst->pkt[i].ts_ns);
		burst->clock_ns[i] = clock->now_ns;
		taps_follow(&stamp->taps, burst, i, before_ns);
		if (!stamp->by_time)
			stamp->order++;
		else if (clock->now_ns > stamp->order)
			stamp->order = clock->now_ns;
		burst->order[i] = stamp->order;
	}
}

static inline void stamp_burst(struct stamp *stamp, struct burst *burst)
{
	burst->odd = burst->n && (stamp->by_time || !stamp_is_usual(stamp, burst));
	burst->n_news = 0;
	if (burst->odd) {
		stamp_each(stamp, burst);
	} else if (burst->n) {
		stamp->clock.now_ns = burst->pkt[burst->n - 1].ts_ns;
		stamp->taps.all.last_ns = stamp->clock.now_ns;
		stamp_hear(stamp, burst);
		burst->first_order = stamp->order + 1;
		stamp->order += burst->n;
	}
	burst->last_clock_ns = stamp->clock.now_ns;
}

#endif
