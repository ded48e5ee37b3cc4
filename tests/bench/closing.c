/* SPDX-License-Identifier: BSD-3-Clause */
#include "tests/bench/closing.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>

#include "tests/bench/ours.h"

enum { PACKETS_PER_LINE = 4, PASSES_MAX = 99, SPIN_STEPS = 64 };

/* The closing of one window. */
struct closing {
	uint64_t *ns; /* owned; of each slice */
	uint32_t slices, room;
	uint64_t total_ns, longest_ns, spin_longest_ns;
	long faults, switches; /* within slices */
};

/* Of this thread so far: page faults, and times that it lost the CPU. */
static void count_troubles(struct closing *t, int sign)
{
	struct rusage now;
	getrusage(RUSAGE_THREAD, &now);
	t->faults += sign * (now.ru_minflt + now.ru_majflt);
	t->switches += sign * (now.ru_nivcsw + now.ru_nvcsw);
}

static uint64_t begin_slice(struct closing *t)
{
	count_troubles(t, -1);
	return course_cpu_ns();
}

static void end_slice(struct closing *t, uint64_t start_ns)
{
	uint64_t spent_ns = course_cpu_ns() - start_ns;
	count_troubles(t, 1);
	if (t->slices < t->room)
		t->ns[t->slices] = spent_ns;
	t->slices++;
	t->total_ns += spent_ns;
	if (spent_ns > t->longest_ns)
		t->longest_ns = spent_ns;
}

static uint64_t timed_end(struct closing *t, void *state)
{
	uint64_t start_ns = begin_slice(t), now_ns = ours_end_window(state);
	end_slice(t, start_ns);
	return now_ns;
}

static bool timed_slice(struct closing *t, void *state, uint64_t now_ns)
{
	uint64_t start_ns = begin_slice(t);
	bool more = ours_close_slice(state, now_ns);
	end_slice(t, start_ns);
	return more;
}

/* As long as a slice, in registers alone: what prolongs this is the machine. */
static uint64_t spin(uint64_t ns)
{
	uint64_t start_ns = course_cpu_ns(), spent_ns;
	do {
		for (uint32_t i = 0; i < SPIN_STEPS; i++)
			__asm__ volatile("" ::"r"(i));
		spent_ns = course_cpu_ns() - start_ns;
	} while (spent_ns < ns);
	return spent_ns;
}

static void spin_as_often(struct closing *t)
{
	for (uint32_t i = 0; i < t->slices; i++) {
		uint64_t spent_ns = spin(t->total_ns / t->slices);
		if (spent_ns > t->spin_longest_ns)
			t->spin_longest_ns = spent_ns;
	}
}

static void close_window(struct course *c, struct closing *t, struct slot *slots, uint32_t n)
{
	void *state = c->entrants[0].state;
	uint64_t now_ns;
	for (uint64_t fed = 0; fed < (uint64_t)PACKETS_PER_LINE * c->setup.lines; fed += n)
		course_lap(c, slots, n, false);
	ours_drain(state);
	now_ns = timed_end(t, state);
	do
		ours_drain(state);
	while (timed_slice(t, state, now_ns));
	c->traffic.now_ns = now_ns + PACKET_NS;
	spin_as_often(t);
}

static void tell(const struct course *c, const struct closing *t, bool json)
{
	printf(json ? "{\"course\":\"%s\",\"slices\":%u,\"total_ns\":%llu,\"longest_ns\":%llu,"
		      "\"spin_longest_ns\":%llu,\"faults\":%ld,\"switches\":%ld}\n"
		    : "%-26s %u slices, %llu ns, longest %llu ns (spin %llu ns), %ld page faults, "
		      "%ld switches\n",
	       c->name, t->slices, (unsigned long long)t->total_ns,
	       (unsigned long long)t->longest_ns, (unsigned long long)t->spin_longest_ns, t->faults,
	       t->switches);
}

static int by_size(const void *a, const void *b)
{
	uint64_t left = *(const uint64_t *)a, right = *(const uint64_t *)b;
	return (left > right) - (left < right);
}

/* The longest slice when each that most passes have counts with its median: an interrupt meets
 * another one every time, and what is wrong with a slice meets it again. */
static uint64_t longest_median(const struct closing *passes, uint32_t n)
{
	uint64_t longest = 0, of_slice[PASSES_MAX];
	for (uint32_t slice = 0; slice < passes[0].room; slice++) {
		uint32_t known = 0;
		for (uint32_t i = 0; i < n; i++)
			if (slice < passes[i].slices)
				of_slice[known++] = passes[i].ns[slice];
		qsort(of_slice, known, sizeof *of_slice, by_size);
		if (2 * known > n && of_slice[known / 2] > longest)
			longest = of_slice[known / 2];
	}
	return longest;
}

static bool make_room(struct closing *t, const struct course *c)
{
	t->room = c->setup.lines; /* no slice closes less than one */
	t->ns = calloc(t->room, sizeof *t->ns);
	return t->ns;
}

static int run(const struct course *like, struct slot *slots, uint32_t laps, uint32_t packets,
	       bool json)
{
	static const struct variant *const ours[] = {&ours_variant};
	struct closing passes[PASSES_MAX] = {0};
	struct course c = *like;
	uint32_t n = laps < PASSES_MAX ? laps : PASSES_MAX, pass;
	int failed = course_open(&c, ours, 1) || !c.entrants[0].state;
	if (!failed)
		course_warm(&c, slots, packets);
	for (pass = 0; pass < n && !failed; pass++) {
		failed = !make_room(&passes[pass], &c);
		if (failed)
			break;
		close_window(&c, &passes[pass], slots, packets);
		tell(&c, &passes[pass], json);
	}
	if (!failed)
		printf(json ? "{\"course\":\"%s\",\"longest_median_ns\":%llu}\n"
			    : "%-26s longest median of a slice: %llu ns\n",
		       c.name, (unsigned long long)longest_median(passes, n));
	for (uint32_t i = 0; i < n; i++)
		free(passes[i].ns);
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
