/* SPDX-License-Identifier: BSD-3-Clause */
#include "tests/bench/duo.h"

#include <pthread.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>

enum { SHARDS = 2 };

struct shard {
	struct course course;
	struct slot *slots; /* owned */
	uint32_t packets, cpu;
	double ns;
	pthread_barrier_t *start; /* NULL: alone */
};

static int shard_open(struct shard *s, const struct course *like, uint32_t packets, uint32_t cpu)
{
	static const struct variant *const ours[] = {&ours_variant};
	s->course = *like;
	s->packets = packets;
	s->cpu = cpu;
	s->slots = course_slots(packets);
	if (!s->slots || course_open(&s->course, ours, 1) || !s->course.entrants[0].state)
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
	struct entrant *e = &s->course.entrants[0];
	uint64_t start_ns;
	cpu_set_t set;
	CPU_ZERO(&set);
	CPU_SET(s->cpu, &set);
	pthread_setaffinity_np(pthread_self(), sizeof set, &set);
	start_ns = traffic_lap(&s->course.traffic, s->slots, s->packets);
	if (s->start)
		pthread_barrier_wait(s->start);
	s->ns = course_time(e->variant, e->state, s->slots, s->packets, start_ns);
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

static int race(const struct course *like, uint32_t laps, uint32_t packets, bool json)
{
	struct shard *shards = calloc(SHARDS, sizeof *shards);
	int failed = !shards;
	for (uint32_t i = 0; i < SHARDS && !failed; i++)
		failed = shard_open(&shards[i], like, packets, i) != 0;
	for (uint32_t lap = 0; lap < laps && !failed; lap++) {
		double alone;
		run_together(shards, 1);
		alone = shards[0].ns;
		run_together(shards, SHARDS);
		printf(json ? "{\"course\":\"%s\",\"alone\":%.2f,\"first\":%.2f,\"second\":%.2f}\n"
			    : "%-26s alone %.1f, together %.1f and %.1f ns\n",
		       like->name, alone, shards[0].ns, shards[1].ns);
	}
	for (uint32_t i = 0; shards && i < SHARDS; i++)
		shard_close(&shards[i]);
	free(shards);
	return failed;
}

int duo_run(const struct course *courses, uint32_t n, uint32_t laps, uint32_t packets, bool json)
{
	for (uint32_t i = 0; i < n; i++)
		if (race(&courses[i], laps, packets, json))
			return 1;
	return 0;
}
