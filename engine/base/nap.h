/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Waiting for a ring that nobody can be asked to ring a bell for: naps that grow from 50 us to 1.6 ms
 * while there is nothing, so that a busy engine hardly waits and an idle one costs no CPU. A nap is
 * shorter than what any ring holds at line rate. Each nap sets a timer and wakes a CPU, some 10 us in
 * a virtual machine: who is in no hurry begins with the longest (`quiet` = NAP_DOUBLINGS).
 */
#ifndef RASAD_ENGINE_BASE_NAP_H
#define RASAD_ENGINE_BASE_NAP_H

#include <stdint.h>
#include <time.h>

enum { NAP_FIRST_NS = 50000, NAP_DOUBLINGS = 5 };

/* `quiet`: naps since there was something; 0 when there is again. */
static inline void nap(uint32_t *quiet)
{
	uint32_t doublings = *quiet < NAP_DOUBLINGS ? *quiet : NAP_DOUBLINGS;
	const struct timespec time = {.tv_nsec = NAP_FIRST_NS << doublings};
	++*quiet;
	nanosleep(&time, NULL);
}

#endif
