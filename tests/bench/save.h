/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Traffic as a capture file, for other programs. Every flow has two connections in it, one after
 * the other, so it makes sense even when it is played again and again (net_pcap's infinite_rx):
 * each starts with a SYN that is not the one before.
 */
#ifndef RASAD_TESTS_BENCH_SAVE_H
#define RASAD_TESTS_BENCH_SAVE_H

#include "tests/bench/course.h"

/*
 * Writes twice the warm-up and a lap of n packets as nanosecond pcap, by line into `files` files:
 * PATH, or PATH.0, PATH.1 and so on, up to SAVE_MAX_FILES. Returns the exit code.
 */
int save_course(const struct course *course, const char *path, uint32_t files, uint32_t n);

enum { SAVE_MAX_FILES = 16 };

#endif
