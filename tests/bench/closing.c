/* SPDX-License-Identifier: BSD-3-Clause */
#include "tests/bench/closing.h"

#include <stdio.h>

#include "tests/bench/ours.h"

enum { PACKETS_PER_LINE = 4 };

struct closing {
	uint64_t slices, total_ns, longest_ns;
};

static void count_slice(struct closing *t, uint64_t start_ns)
{
	uint64_t spent_ns = course_cpu_ns() - start_ns;
	t->slices++;
	t->total_ns += spent_ns;
	if (spent_ns > t->longest_ns)
		t->longest_ns = spent_ns;
}

static uint64_t timed_end(struct closing *t, void *state)
{
	uint64_t start_ns = course_cpu_ns(), now_ns = ours_end_window(state);
	count_slice(t, start_ns);
	return now_ns;
}

static bool timed_slice(struct closing *t, void *state, uint64_t now_ns)
{
	uint64_t start_ns = course_cpu_ns();
	bool more = ours_close_slice(state, now_ns);
	count_slice(t, start_ns);
	return more;
}

static struct closing close_window(struct course *c, struct slot *slots, uint32_t n)
{
	void *state = c->entrants[0].state;
	struct closing t = {0};
	uint64_t now_ns;
	for (uint64_t fed = 0; fed < (uint64_t)PACKETS_PER_LINE * c->setup.lines; fed += n)
		course_lap(c, slots, n, false);
	ours_drain(state);
	now_ns = timed_end(&t, state);
	do
		ours_drain(state);
	while (timed_slice(&t, state, now_ns));
	c->traffic.now_ns = now_ns + PACKET_NS;
	return t;
}

static int run(const struct course *like, struct slot *slots, uint32_t laps, uint32_t packets,
	       bool json)
{
	static const struct variant *const ours[] = {&ours_variant};
	struct course c = *like;
	int failed = course_open(&c, ours, 1) || !c.entrants[0].state;
	if (!failed)
		course_warm(&c, slots, packets);
	for (uint32_t lap = 0; lap < laps && !failed; lap++) {
		struct closing t = close_window(&c, slots, packets);
		printf(json ? "{\"course\":\"%s\",\"slices\":%llu,\"total_ns\":%llu,"
			      "\"longest_ns\":%llu}\n"
			    : "%-26s %llu slices, %llu ns, longest %llu ns\n",
		       c.name, (unsigned long long)t.slices, (unsigned long long)t.total_ns,
		       (unsigned long long)t.longest_ns);
	}
	course_close(&c);
	return failed;
}

int closing_run(const struct course *courses, uint32_t n, uint32_t laps, uint32_t packets,
		bool json)
{
	struct slot *slots = course_slots(packets);
	int failed = !slots;
	for (uint32_t i = 0; i < n && !failed; i++)
		failed = run(&courses[i], slots, laps, packets, json);
	course_slots_free(slots, packets);
	return failed;
}
