/* SPDX-License-Identifier: BSD-3-Clause */
/* Sequence numbers modulo 2^32 (RFC 9293 3.4, RFC 7323 5.2 for timestamps). */
#ifndef RASAD_ENGINE_PACKET_SEQ_H
#define RASAD_ENGINE_PACKET_SEQ_H

#include <stdbool.h>
#include <stdint.h>

static inline bool seq_lt(uint32_t a, uint32_t b)
{
	return (int32_t)(a - b) < 0;
}

static inline bool seq_le(uint32_t a, uint32_t b)
{
	return (int32_t)(a - b) <= 0;
}

static inline bool seq_gt(uint32_t a, uint32_t b)
{
	return (int32_t)(a - b) > 0;
}

static inline bool seq_ge(uint32_t a, uint32_t b)
{
	return (int32_t)(a - b) >= 0;
}

#endif
