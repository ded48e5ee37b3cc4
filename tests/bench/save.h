/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A lap as a capture file, for whoever wants to look at the bench's traffic.
 */
#ifndef RASAD_TESTS_BENCH_SAVE_H
#define RASAD_TESTS_BENCH_SAVE_H

#include "tests/bench/course.h"

/* The warm-up and one lap of n packets, as nanosecond pcap; the exit code. */
int save_course(const struct course *course, const char *path, uint32_t n);

#endif
