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
	for (uint32_t i = 0; i < burst->n; i++) {
		clock_follow(&stamp->clock, burst->pkt[i].ts_ns);
		burst->clock_ns[i] = stamp->clock.now_ns;
		if (stamp->by_time && stamp->clock.now_ns > stamp->order)
			stamp->order = stamp->clock.now_ns;
		else
			stamp->order += !stamp->by_time;
		burst->order[i] = stamp->order;
	}
}

#endif
