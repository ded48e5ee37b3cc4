/* SPDX-License-Identifier: BSD-3-Clause */
#include "tests/bench/duo.h"

#include <pthread.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>

/* The floor of memory runs besides: what two cores take from each other there is the machine's. */
static const struct variant *const raced[] = {&ours_variant, &oracle_variant};

enum { SHARDS = 2, RACED = sizeof raced / sizeof *raced };

struct shard {
	struct course course;
	struct slot *slots; /* owned */
	uint32_t packets, cpu;
	double ns[RACED];
	pthread_barrier_t *start; /* NULL: alone */
};

static int shard_open(struct shard *s, const struct course *like, uint32_t packets, uint32_t cpu)
{
	s->course = *like;
	s->packets = packets;
	s->cpu = cpu;
	s->slots = course_slots(packets);
	if (!s->slots || course_open(&s->course, raced, RACED))
		return -1;
	for (uint32_t v = 0; v < RACED; v++)
		if (!s->course.entrants[v].state)
			return -1;
	s->course.traffic.rng += cpu; /* not in step with its twin */
	course_warm(&s->course, s->slots, packets);
	return 0;
}

static void shard_close(struct shard *s)
{
	course_close(&s->course);
	course_slots_free(s->slots, s->packets);
}

static void *shard_lap(void *argument)
{
	struct shard *s = argument;
	uint64_t start_ns;
	cpu_set_t set;
	CPU_ZERO(&set);
	CPU_SET(s->cpu, &set);
	pthread_setaffinity_np(pthread_self(), sizeof set, &set);
	start_ns = traffic_lap(&s->course.traffic, s->slots, s->packets);
	for (uint32_t v = 0; v < RACED; v++) {
		if (s->start)
			pthread_barrier_wait(s->start);
		s->ns[v] = course_time(raced[v], s->course.entrants[v].state, s->slots, s->packets,
				       start_ns);
	}
	return NULL;
}

static void run_together(struct shard *shards, uint32_t n)
{
	pthread_barrier_t start;
	pthread_t thread[SHARDS];
	pthread_barrier_init(&start, NULL, n);
	for (uint32_t i = 0; i < n; i++) {
		shards[i].start = n > 1 ? &start : NULL;
		if (pthread_create(&thread[i], NULL, shard_lap, &shards[i]))
			abort();
	}
	for (uint32_t i = 0; i < n; i++)
		pthread_join(thread[i], NULL);
	pthread_barrier_destroy(&start);
}

static void tell(const char *variant, bool json, double alone, double first, double second)
{
	printf(json ? "{\"variant\":\"%s\",\"alone\":%.2f,\"first\":%.2f,\"second\":%.2f}\n"
		    : "%-10s alone %.1f, together %.1f and %.1f ns\n",
	       variant, alone, first, second);
}

/* Each alone, then both: what fills up as packets come does so in both alike. */
static void run_lap(struct shard *shards, bool json)
{
	double alone[RACED] = {0};
	for (uint32_t i = 0; i < SHARDS; i++) {
		run_together(&shards[i], 1);
		for (uint32_t v = 0; v < RACED; v++)
			alone[v] += shards[i].ns[v] / SHARDS;
	}
	run_together(shards, SHARDS);
	for (uint32_t v = 0; v < RACED; v++)
		tell(raced[v]->name, json, alone[v], shards[0].ns[v], shards[1].ns[v]);
}

static int race(const struct duo *duo, const struct course *like)
{
	struct shard *shards = calloc(SHARDS, sizeof *shards);
	int failed = !shards;
	for (uint32_t i = 0; i < SHARDS && !failed; i++)
		failed = shard_open(&shards[i], like, duo->packets, i) != 0;
	for (uint32_t lap = 0; lap < duo->skip && !failed; lap++)
		run_together(shards, SHARDS);
	for (uint32_t lap = 0; lap < duo->laps && !failed; lap++)
		run_lap(shards, duo->json);
	for (uint32_t i = 0; shards && i < SHARDS; i++)
		shard_close(&shards[i]);
	free(shards);
	return failed;
}

int duo_run(const struct duo *duo, const struct course *courses, uint32_t n)
{
	for (uint32_t i = 0; i < n; i++)
		if (race(duo, &courses[i]))
			return 1;
	return 0;
}
