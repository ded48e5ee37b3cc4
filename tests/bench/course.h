/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A course: one population of lines and flows, and the variants that run on its traffic.
 *
 * All variants see the same packets. The warm-up shows every flow to those that keep flows, then
 * each lap times all variants in turn, so that what the neighbours of this machine do meets all
 * alike. Time is CPU time of the thread.
 */
#ifndef RASAD_TESTS_BENCH_COURSE_H
#define RASAD_TESTS_BENCH_COURSE_H

#include <stdint.h>

#include "tests/bench/memory.h"
#include "tests/bench/traffic.h"
#include "tests/bench/variant.h"

enum { COURSE_MAX_VARIANTS = 8, COURSE_MAX_LAPS = 1000 };

struct entrant {
	const struct variant *variant;
	void *state;	 /* owned; NULL: could not be opened, does not run */
	double *ns;	 /* owned; per packet, of each lap */
	uint64_t fed;	 /* packets */
	uint32_t n_laps; /* timed */
};

struct course {
	char name[48]; /* "1000000/4000000/zipf" */
	struct setup setup;
	struct traffic traffic;
	struct entrant entrants[COURSE_MAX_VARIANTS];
	uint32_t n_entrants;
	struct memory_use before, opened, with_lines, warm, end; /* of the process */
};

/* Room for laps of n packets: the slots, and what is fetched past the end. */
struct slot *course_slots(uint32_t n);
void course_slots_free(struct slot *slots, uint32_t n);

/* "LINES/FLOWS[/uniform|zipf|flood|fill]"; 0, or -1 when it is nothing like that. */
int course_parse(struct course *course, const char *text);

/* Opens the traffic and the variants; 0 or -1 (told). */
int course_open(struct course *course, const struct variant *const *variants, uint32_t n);
void course_close(struct course *course);

void course_warm(struct course *course, struct slot *slots, uint32_t n);

/* Untimed laps until that much packet time has passed since the start. Of a million lines none tells
 * samples in the first half second of a window, and most have few histograms before the second one. */
void course_settle(struct course *course, struct slot *slots, uint32_t n, uint32_t seconds);

void course_lap(struct course *course, struct slot *slots, uint32_t n, bool timed);

/* CPU time of this thread. */
uint64_t course_cpu_ns(void);

/* Times one lap of one variant: nanoseconds per packet. */
double course_time(const struct variant *variant, void *state, const struct slot *slots, uint32_t n,
		   uint64_t start_ns);

#endif
