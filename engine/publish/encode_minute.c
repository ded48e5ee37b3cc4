/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A minute of a million lines is a million of these: by hand it takes a seventh of the time that
 * building and packing a message takes, and no memory. message_of_minute says the same in the
 * words of the schema, and the test holds both to the same bytes.
 */
#include "engine/publish/encode_minute.h"

#include "engine/analysis/report.h"
#include "engine/publish/encode_parts.h"
#include "proto/wire.h"

#define NUMBERS 14

size_t encode_minute_max(size_t line_length)
{
	return WIRE_FIELD_MAX + WIRE_TEXT_MAX(line_length) + ENCODE_SUB_ID_MAX +
	       NUMBERS * WIRE_FIELD_MAX + ENCODE_SEGMENTS_MAX + ENCODE_SIDES_MAX;
}

static uint8_t *latency(uint8_t *at, unsigned field, const struct dist *dist)
{
	if (!dist->n)
		return at;
	uint8_t *inside = wire_open(at, field), *end = wire_uint(inside, 1, dist->n);
	end = wire_uint(end, 2, encode_whole_us(dist->min_us));
	end = wire_uint(end, 3, encode_whole_us(dist->p50_us));
	end = wire_uint(end, 4, encode_whole_us(dist->p90_us));
	end = wire_uint(end, 5, encode_whole_us(dist->p95_us));
	end = wire_uint(end, 6, encode_whole_us(dist->p99_us));
	end = wire_uint(end, 7, encode_whole_us(dist->max_us));
	end = wire_uint(end, 8, encode_whole_us(dist->mean_us));
	return wire_close(inside, end);
}

static uint8_t *segments(uint8_t *at, unsigned field, const struct report_rtt *rtt)
{
	uint8_t *inside = wire_open(at, field), *end = latency(inside, 1, &rtt->line);

	end = latency(end, 2, &rtt->access);
	end = latency(end, 3, &rtt->home);
	end = latency(end, 4, &rtt->internet);
	end = latency(end, 5, &rtt->dns);
	end = latency(end, 6, &rtt->icmp);
	end = latency(end, 7, &rtt->host_delay);
	return wire_close(inside, end);
}

static uint8_t *counters(uint8_t *at, const struct report_minute *minute)
{
	at = wire_uint(at, 11, minute->reordered_down);
	at = wire_uint(at, 12, minute->reordered_up);
	at = wire_uint(at, 13, minute->spurious_down);
	at = wire_uint(at, 14, minute->spurious_up);
	at = wire_uint(at, 15, minute->suspected_tail_loss_down);
	return wire_uint(at, 16, minute->suspected_tail_loss_up);
}

uint8_t *encode_minute(const struct report_minute *minute, uint64_t sub_id, uint8_t *at)
{
	uint8_t *inside = wire_open(at, 1), *end = wire_text(inside, 1, minute->line);

	end = encode_sub_id(end, 2, sub_id);
	end = wire_uint(end, 3, (uint64_t)minute->start_unix_ns);
	end = wire_uint(end, 4, minute->duration_ms);
	end = wire_uint(end, 5, minute->packets_down);
	end = wire_uint(end, 6, minute->packets_up);
	end = wire_uint(end, 7, minute->bytes_down);
	end = wire_uint(end, 8, minute->bytes_up);
	end = segments(end, 9, &minute->rtt);
	end = encode_sides(end, 10, &minute->loss);
	return wire_close(inside, counters(end, minute));
}
