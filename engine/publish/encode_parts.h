/* SPDX-License-Identifier: BSD-3-Clause */
/* What hand-written messages have in common. */
#ifndef RASAD_ENGINE_PUBLISH_ENCODE_PARTS_H
#define RASAD_ENGINE_PUBLISH_ENCODE_PARTS_H

#include <stdint.h>

#include "proto/wire.h"

struct report_loss_sides;

#define ENCODE_SUB_ID_MAX   (WIRE_FIELD_MAX + 16)
#define ENCODE_SEGMENTS_MAX (WIRE_FIELD_MAX + 7 * 9 * WIRE_FIELD_MAX)
#define ENCODE_SIDES_MAX    (WIRE_FIELD_MAX + 4 * 3 * WIRE_FIELD_MAX)

/* Microseconds as a whole number; what is none is 0. */
static inline uint32_t encode_whole_us(double us)
{
	return us >= 0 ? us < UINT32_MAX ? (uint32_t)(us + 0.5) : UINT32_MAX : 0;
}

/* 16 hex digits */
uint8_t *encode_sub_id(uint8_t *at, unsigned field, uint64_t sub_id);
/* LossSides: what has no packets is left out. */
uint8_t *encode_sides(uint8_t *at, unsigned field, const struct report_loss_sides *loss);

#endif
