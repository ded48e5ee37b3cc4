/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A duration in 16 bits: 5 bits of exponent, 11 of mantissa, so any 32-bit number is kept to
 * 0.05 %, rounded down; below 2048 it is exact. What a flow remembers of its round trips fits in
 * its two cache lines this way.
 */
#ifndef RASAD_ENGINE_PACKET_MINI_H
#define RASAD_ENGINE_PACKET_MINI_H

#include <stdint.h>

/* Without branches: whether a duration is short is anybody's guess. */
static inline uint16_t mini_of(uint32_t v)
{
	uint32_t exponent = 21u - (uint32_t)__builtin_clz(v | 1024);
	uint32_t shift = exponent - (exponent != 0);
	return (uint16_t)(exponent << 11 | (v >> shift & 2047));
}

static inline uint32_t mini_value(uint16_t mini)
{
	uint32_t exponent = mini >> 11, large = exponent != 0;
	return (large << 11 | (mini & 2047u)) << (exponent - large);
}

#endif
