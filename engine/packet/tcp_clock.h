/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * How fast a sender's timestamp clock runs (RFC 7323: between 1 Hz and 1 kHz, by its own choice),
 * learned from data at least 20 ms apart and kept in four bits: half an octave a step. It tells
 * whether a packet was stamped before the silence that it ends.
 */
#ifndef RASAD_ENGINE_PACKET_TCP_CLOCK_H
#define RASAD_ENGINE_PACKET_TCP_CLOCK_H

#include <stdint.h>

#include "engine/base/hist.h"

enum { TCP_CLOCK_MIN_TICKS = 20000000 / HIST_TICK_NS };

/* Upper limits of the steps, in counts per 2^23 ticks (1.07 s); the last is open. */
static const uint16_t tcp_clock_steps[16] = {0,	  9,   13,  18,	 25,  36,  51,	72,
					     102, 144, 204, 288, 407, 576, 815, 1152};

/* The step after `delta` counts in `ticks`, which moves by one at a time but for the first. */
static inline uint32_t tcp_clock_follow(uint32_t step, uint32_t delta, uint32_t ticks)
{
	uint64_t rate = ((uint64_t)delta << 23) / ticks;
	uint32_t seen = 1;
	while (seen < 15 && rate > tcp_clock_steps[seen])
		seen++;
	if (!step)
		return seen;
	return seen > step ? step + 1 : seen < step ? step - 1 : step;
}

/* Counts to expect in `ticks`, from the middle of the step; 0 while the rate is unknown. */
static inline uint64_t tcp_clock_expect(uint32_t step, uint32_t ticks)
{
	uint64_t twice = step ? tcp_clock_steps[step - 1] + tcp_clock_steps[step] : 0;
	return twice * ticks >> 24;
}

#endif
