/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Two workers on two cores, each with its own shard, against one of them alone: what a packet
 * costs a core when the other core works too.
 */
#ifndef RASAD_TESTS_BENCH_DUO_H
#define RASAD_TESTS_BENCH_DUO_H

#include <stdbool.h>
#include <stdint.h>

#include "tests/bench/course.h"

/* Laps that are run before, together and untimed: until most memory has been touched once, two
 * cores mostly wait for the kernel, which clears it. */
struct duo {
	uint32_t skip, laps, packets;
	bool json;
};

/* A course is the size of a shard. Prints, returns the exit code. */
int duo_run(const struct duo *duo, const struct course *courses, uint32_t n_courses);

#endif
