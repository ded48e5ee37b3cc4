/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Timers on packet time: a binary heap of (deadline, owner). Cost follows the number of timers,
 * never the time that passed, so a clock that jumps by years costs nothing. An owner that changed
 * its mind leaves a stale entry behind and ignores it when it comes up. One thread.
 */
#ifndef RASAD_ENGINE_ANALYSIS_TIMER_H
#define RASAD_ENGINE_ANALYSIS_TIMER_H

#include <stdbool.h>
#include <stdint.h>

struct timers {
	struct timer {
		uint64_t at_ns;
		uint32_t owner;
	} * heap; /* owned */
	uint32_t n, room;
};

void timers_fini(struct timers *timers);

/* False when there is no memory. */
bool timers_add(struct timers *timers, uint64_t at_ns, uint32_t owner);

/* Takes the earliest timer due at or before `now_ns`; equal times come in order of owner. */
bool timers_due(struct timers *timers, uint64_t now_ns, struct timer *due);

#endif
