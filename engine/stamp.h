/* SPDX-License-Identifier: BSD-3-Clause */
/* What a stream of packets is given before it is shared out: its clock, and each packet's place. */
#ifndef RASAD_ENGINE_STAMP_H
#define RASAD_ENGINE_STAMP_H

#include <stdbool.h>

#include "engine/base/clock.h"
#include "engine/source.h"

struct stamp {
	struct clock clock;
	bool by_time;	/* one of several streams: their clocks order them, packets within them */
	uint64_t order; /* of the packet stamped last */
};

/* No packet is out of order, and no silence is so long that it wants a second witness. */
static inline bool stamp_is_usual(const struct clock *clock, const struct burst *burst)
{
	uint64_t now_ns = clock->now_ns;
	bool usual = clock->running && !clock->wild_ns;
	for (uint32_t i = 0; i < burst->n; i++) {
		usual &= burst->pkt[i].ts_ns - now_ns <= CLOCK_AHEAD_NS;
		now_ns = burst->pkt[i].ts_ns;
	}
	return usual;
}

static inline void stamp_each(struct stamp *stamp, struct burst *burst)
{
	struct clock *clock = &stamp->clock;
	for (uint32_t i = 0; i < burst->n; i++) {
		clock_follow(clock, burst->pkt[i].ts_ns);
		burst->clock_ns[i] = clock->now_ns;
		if (!stamp->by_time)
			stamp->order++;
		else if (clock->now_ns > stamp->order)
			stamp->order = clock->now_ns;
		burst->order[i] = stamp->order;
	}
}

static inline void stamp_burst(struct stamp *stamp, struct burst *burst)
{
	burst->odd = stamp->by_time || !stamp_is_usual(&stamp->clock, burst);
	if (burst->odd) {
		stamp_each(stamp, burst);
	} else if (burst->n) {
		stamp->clock.now_ns = burst->pkt[burst->n - 1].ts_ns;
		burst->first_order = stamp->order + 1;
		stamp->order += burst->n;
	}
	burst->last_clock_ns = stamp->clock.now_ns;
}

#endif
