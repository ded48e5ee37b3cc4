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

static inline void stamp_burst(struct stamp *stamp, struct burst *burst)
{
	struct clock *clock = &stamp->clock;
	for (uint32_t i = 0; i < burst->n; i++) {
		uint64_t ts_ns = burst->pkt[i].ts_ns;
		if (ts_ns - clock->now_ns <= CLOCK_AHEAD_NS && clock->running && !clock->wild_ns)
			clock->now_ns = ts_ns; /* the usual case of clock_follow */
		else
			clock_follow(clock, ts_ns);
		burst->clock_ns[i] = clock->now_ns;
		if (!stamp->by_time)
			stamp->order++;
		else if (clock->now_ns > stamp->order)
			stamp->order = clock->now_ns;
		burst->order[i] = stamp->order;
	}
}

#endif
