/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What the bench asks of rasad's worker beside handling packets: to close its windows. `state` is
 * what ours_variant opened.
 */
#ifndef RASAD_TESTS_BENCH_OURS_H
#define RASAD_TESTS_BENCH_OURS_H

#include <stdbool.h>
#include <stdint.h>

/* Packet time comes to the end of the window, whose closing begins with a first slice. Returns
 * that time. */
uint64_t ours_end_window(void *state);

/* What the worker does between two bursts; false: the window is wholly closed. */
bool ours_close_slice(void *state, uint64_t now_ns);

/* Reads what the worker has told, as the analysis does on a thread of its own. */
void ours_drain(void *state);

#endif
