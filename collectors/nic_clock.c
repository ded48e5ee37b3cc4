/* SPDX-License-Identifier: BSD-3-Clause */
#include "collectors/nic_clock.h"

enum { STEP_NS = 10000000 };

static int64_t difference(uint64_t a, uint64_t b)
{
	return (int64_t)(a - b);
}

void nic_clock_start(struct nic_clock *c, const uint64_t ticks[2], const uint64_t unix_ns[2])
{
	int64_t passed = difference(ticks[1], ticks[0]);

	*c = (struct nic_clock){.ticks = ticks[1],
				.ns = unix_ns[1],
				.seen_ticks = ticks[1],
				.seen_ns = unix_ns[1],
				.ns_per_tick = 1};
	if (passed > 0)
		c->ns_per_tick = (double)difference(unix_ns[1], unix_ns[0]) / (double)passed;
}

uint64_t nic_clock_ns(const struct nic_clock *c, uint64_t ticks)
{
	return c->ns + (uint64_t)(int64_t)((double)difference(ticks, c->ticks) * c->ns_per_tick);
}

/* The line bends here: it shall meet the wall clock when as many ticks have passed again. */
void nic_clock_sync(struct nic_clock *c, uint64_t ticks, uint64_t unix_ns)
{
	uint64_t line_ns = nic_clock_ns(c, ticks);
	int64_t error_ns = difference(unix_ns, line_ns), passed = difference(ticks, c->seen_ticks);
	int64_t passed_ns = difference(unix_ns, c->seen_ns);

	c->seen_ticks = ticks;
	c->seen_ns = unix_ns;
	if (error_ns > STEP_NS || error_ns < -STEP_NS) {
		c->ticks = ticks;
		c->ns = unix_ns;
		return;
	}
	if (passed <= 0)
		return;
	c->ticks = ticks;
	c->ns = line_ns;
	c->ns_per_tick = (double)(passed_ns + error_ns) / (double)passed;
}
