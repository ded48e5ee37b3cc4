/* SPDX-License-Identifier: BSD-3-Clause */
#include "engine/publish/encode_parts.h"

#include "engine/analysis/report.h"

uint8_t *encode_sub_id(uint8_t *at, unsigned field, uint64_t sub_id)
{
	at = wire_varint(wire_tag(at, field, WIRE_LENGTH), 16);
	for (int shift = 60; shift >= 0; shift -= 4)
		*at++ = (uint8_t) "0123456789abcdef"[sub_id >> shift & 15];
	return at;
}

static uint8_t *loss_count(uint8_t *at, unsigned field, const struct report_loss *loss)
{
	if (!loss->packets)
		return at;
	uint8_t *inside = wire_open(at, field), *end = wire_uint(inside, 1, loss->lost);
	return wire_close(inside, wire_uint(end, 2, loss->packets));
}

uint8_t *encode_sides(uint8_t *at, unsigned field, const struct report_loss_sides *loss)
{
	uint8_t *inside = wire_open(at, field), *end = loss_count(inside, 1, &loss->access_down);

	end = loss_count(end, 2, &loss->access_up);
	end = loss_count(end, 3, &loss->internet_down);
	end = loss_count(end, 4, &loss->internet_up);
	return wire_close(inside, end);
}
