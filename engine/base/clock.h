/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Packet time, followed with caution: one packet with a wild stamp must not make every timer of
 * the engine run out. A stamp far ahead or far behind is believed when the next one agrees.
 */
#ifndef RASAD_ENGINE_BASE_CLOCK_H
#define RASAD_ENGINE_BASE_CLOCK_H

#include <stdbool.h>
#include <stdint.h>

#define CLOCK_AHEAD_NS	3600000000000ull /* a longer silence than this wants a second witness */
#define CLOCK_BEHIND_NS 60000000000ull	 /* so does a stamp that is older than this */

struct clock {
	uint64_t now_ns, first_ns; /* 0: no packet yet */
	uint64_t wild_ns;	   /* a stamp that waits for a witness; 0: none */
	bool running;
	uint64_t steps;	      /* jumps that were believed */
	uint64_t disbelieved; /* stamps that nothing confirmed */
};

static inline void clock_set(struct clock *c, uint64_t ts_ns)
{
	c->now_ns = ts_ns;
	if (!c->running || ts_ns < c->first_ns)
		c->first_ns = ts_ns;
	c->running = true;
	c->wild_ns = 0;
}

/* A stamp outside the usual: true when it agrees with the one before. */
static inline bool clock_agrees(const struct clock *c, uint64_t ts_ns)
{
	if (!c->wild_ns)
		return false;
	if (ts_ns > c->now_ns)
		return c->wild_ns > c->now_ns && ts_ns + CLOCK_AHEAD_NS >= c->wild_ns;
	return c->wild_ns < c->now_ns;
}

static inline void clock_follow(struct clock *c, uint64_t ts_ns)
{
	bool ahead = ts_ns > c->now_ns;
	if (!c->running || (ahead && ts_ns - c->now_ns <= CLOCK_AHEAD_NS)) {
		c->disbelieved += c->wild_ns != 0;
		clock_set(c, ts_ns);
		return;
	}
	if (!ahead && c->now_ns - ts_ns <= CLOCK_BEHIND_NS) {
		c->disbelieved += c->wild_ns != 0;
		c->wild_ns = 0;
		if (ts_ns < c->first_ns)
			c->first_ns = ts_ns;
		return;
	}
	if (clock_agrees(c, ts_ns)) {
		c->steps++;
		clock_set(c, ts_ns);
	} else {
		c->disbelieved += c->wild_ns != 0;
		c->wild_ns = ts_ns | 1;
	}
}

#endif
