/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The end of a window: what closing it costs, and how long one slice keeps the packets waiting.
 */
#ifndef RASAD_TESTS_BENCH_CLOSING_H
#define RASAD_TESTS_BENCH_CLOSING_H

#include <stdbool.h>
#include <stdint.h>

#include "tests/bench/course.h"

/* Closes a window in which every line was touched, once a lap. Prints, returns the exit code. */
int closing_run(const struct course *courses, uint32_t n_courses, uint32_t laps, uint32_t packets,
		bool json);

#endif
