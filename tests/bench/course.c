/* SPDX-License-Identifier: BSD-3-Clause */
#include "tests/bench/course.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

static size_t slots_bytes(uint32_t n)
{
	return ((size_t)n + 4 * FETCH_AHEAD) * sizeof(struct slot);
}

struct slot *course_slots(uint32_t n)
{
	struct slot *slots = memory_take(slots_bytes(n));
	if (slots)
		memset(slots, 0, slots_bytes(n));
	return slots;
}

void course_slots_free(struct slot *slots, uint32_t n)
{
	memory_free(slots, slots_bytes(n));
}

int course_parse(struct course *c, const char *text)
{
	static const char *const picks[] = {"uniform", "zipf", "flood", "fill"};
	char pick[16] = "uniform";
	uint32_t lines, flows;
	int fields, length = 0;
	*c = (struct course){0};
	fields = sscanf(text, "%u/%u%n/%15s%n", &lines, &flows, &length, pick, &length);
	if (fields < 2 || text[length] || lines == 0 || flows < lines)
		return -1;
	for (size_t i = 0; i < sizeof picks / sizeof *picks; i++)
		if (strcmp(pick, picks[i]) == 0) {
			c->traffic.pick = (enum pick)i;
			c->setup = (struct setup){lines, flows};
			snprintf(c->name, sizeof c->name, "%u/%u/%s", lines, flows, pick);
			return 0;
		}
	return -1;
}

int course_open(struct course *c, const struct variant *const *variants, uint32_t n)
{
	if (traffic_init(&c->traffic, c->setup.lines, c->setup.flows, c->traffic.pick)) {
		fprintf(stderr, "rasad-bench: %s: no memory for the traffic\n", c->name);
		return -1;
	}
	c->before = memory_used();
	for (uint32_t i = 0; i < n && i < COURSE_MAX_VARIANTS; i++) {
		struct entrant *e = &c->entrants[c->n_entrants++];
		*e = (struct entrant){.variant = variants[i]};
		e->ns = calloc(COURSE_MAX_LAPS, sizeof *e->ns);
		e->state = e->ns ? variants[i]->open(&c->setup) : NULL;
		if (!e->state)
			fprintf(stderr, "rasad-bench: %s: %s cannot run here\n", c->name,
				variants[i]->name);
	}
	c->opened = memory_used();
	return 0;
}

void course_close(struct course *c)
{
	for (uint32_t i = 0; i < c->n_entrants; i++) {
		if (c->entrants[i].state)
			c->entrants[i].variant->close(c->entrants[i].state);
		free(c->entrants[i].ns);
	}
	traffic_fini(&c->traffic);
}

uint64_t course_cpu_ns(void)
{
	struct timespec t;
	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
	return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

/* Kept whole, so that a profiler can be told to count what happens in here. */
__attribute__((noipa)) static void timed_lap(const struct variant *v, void *state,
					     const struct slot *slots, uint32_t n,
					     uint64_t start_ns)
{
	v->lap(state, slots, n, start_ns);
}

double course_time(const struct variant *v, void *state, const struct slot *slots, uint32_t n,
		   uint64_t start_ns)
{
	uint64_t before = course_cpu_ns();
	timed_lap(v, state, slots, n, start_ns);
	return (double)(course_cpu_ns() - before) / n;
}

static void feed(struct entrant *e, const struct slot *slots, uint32_t n, uint64_t start_ns)
{
	e->variant->lap(e->state, slots, n, start_ns);
	e->fed += n;
}

/* Only rasad is shown lines without flows: the yardsticks know nothing but flows. */
static void warm_lines(struct course *c, struct slot *slots, uint32_t n)
{
	uint64_t start_ns = c->traffic.now_ns;
	for (uint32_t got; (got = traffic_lines(&c->traffic, slots, n)) > 0;
	     start_ns = c->traffic.now_ns)
		for (uint32_t i = 0; i < c->n_entrants; i++)
			if (c->entrants[i].state && c->entrants[i].variant == &ours_variant)
				feed(&c->entrants[i], slots, got, start_ns);
}

/* The next packets of the warm-up; a flood warms up by filling the table to its limit. */
static uint32_t warm_up(struct course *c, struct slot *slots, uint32_t n, uint64_t *flooded)
{
	if (c->traffic.pick != PICK_FLOOD)
		return traffic_warm(&c->traffic, slots, n);
	if (*flooded >= c->setup.flows)
		return 0;
	traffic_lap(&c->traffic, slots, n);
	*flooded += n;
	return n;
}

void course_warm(struct course *c, struct slot *slots, uint32_t n)
{
	uint64_t start_ns, flooded = 0;
	warm_lines(c, slots, n);
	c->with_lines = memory_used();
	start_ns = c->traffic.now_ns;
	for (uint32_t got; (got = warm_up(c, slots, n, &flooded)) > 0; start_ns = c->traffic.now_ns)
		for (uint32_t i = 0; i < c->n_entrants; i++)
			if (c->entrants[i].state && c->entrants[i].variant->keeps_flows)
				feed(&c->entrants[i], slots, got, start_ns);
	c->warm = memory_used();
}

/* Filling ends with the table, and could not go on for long. */
void course_settle(struct course *c, struct slot *slots, uint32_t n, uint32_t seconds)
{
	uint64_t until_ns = TRAFFIC_START_NS + seconds * 1000000000ull;
	while (c->traffic.now_ns < until_ns && c->traffic.pick != PICK_FILL) {
		uint64_t start_ns = traffic_lap(&c->traffic, slots, n);
		for (uint32_t i = 0; i < c->n_entrants; i++)
			if (c->entrants[i].state && c->entrants[i].variant->keeps_flows)
				feed(&c->entrants[i], slots, n, start_ns);
	}
}

void course_lap(struct course *c, struct slot *slots, uint32_t n, bool timed)
{
	uint64_t start_ns = traffic_lap(&c->traffic, slots, n);
	for (uint32_t i = 0; i < c->n_entrants; i++) {
		struct entrant *e = &c->entrants[i];
		if (!e->state)
			continue;
		if (timed && e->n_laps < COURSE_MAX_LAPS)
			e->ns[e->n_laps++] = course_time(e->variant, e->state, slots, n, start_ns);
		else
			e->variant->lap(e->state, slots, n, start_ns);
		e->fed += n;
	}
	c->end = memory_used();
}
