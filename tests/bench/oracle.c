/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The floor of memory: what any design pays that reads the headers (touch) and changes one line
 * per flow. It is told the number of that line, so it looks up nothing. The oracle works in bursts,
 * headers first and then lines, as everything does that is handed bursts; the rolling one keeps the
 * same number of lines on their way all the time, which is the least that this memory allows.
 */
#include <stdlib.h>

#include "tests/bench/memory.h"
#include "tests/bench/variant.h"

enum { ORACLE_BURST = 64 };

struct record {
	_Alignas(64) uint64_t packets;
	uint64_t bytes, last_ns;
};
_Static_assert(sizeof(struct record) == 64, "one cache line");

struct oracle {
	struct record *records; /* owned */
	size_t bytes;
	uint64_t sum;
};

static void *touch_open(const struct setup *setup)
{
	(void)setup;
	return calloc(1, sizeof(struct oracle));
}

static void touch_lap(void *state, const struct slot *slots, uint32_t n, uint64_t start_ns)
{
	struct oracle *o = state;
	uint64_t sum = start_ns;
	for (uint32_t i = 0; i < n; i++) {
		fetch_slot(&slots[i + FETCH_AHEAD]);
		sum += slots[i].frame[20] + slots[i].wire_len;
	}
	o->sum += sum;
}

static void oracle_close(void *state)
{
	struct oracle *o = state;
	memory_free(o->records, o->bytes);
	free(o);
}

static void *oracle_open(const struct setup *setup)
{
	struct oracle *o = calloc(1, sizeof *o);
	if (!o)
		return NULL;
	o->bytes = setup->flows * sizeof *o->records;
	o->records = memory_take(o->bytes);
	if (!o->records)
		return free(o), NULL;
	return o;
}

static inline uint64_t change(struct oracle *o, const struct slot *slot, uint64_t now_ns)
{
	struct record *r = &o->records[slot->flow];
	r->packets++;
	r->bytes += slot->wire_len;
	r->last_ns = now_ns;
	return slot->frame[20];
}

static void rolling_lap(void *state, const struct slot *slots, uint32_t n, uint64_t start_ns)
{
	struct oracle *o = state;
	uint64_t sum = 0;
	for (uint32_t i = 0; i < n; i++) {
		fetch_slot(&slots[i + 2 * FETCH_AHEAD]);
		__builtin_prefetch(&o->records[slots[i + FETCH_AHEAD].flow], 1);
		sum += change(o, &slots[i], start_ns + i * (uint64_t)PACKET_NS);
	}
	o->sum += sum;
}

static void oracle_lap(void *state, const struct slot *slots, uint32_t n, uint64_t start_ns)
{
	struct oracle *o = state;
	uint64_t sum = 0;
	for (uint32_t i = 0; i < n; i += ORACLE_BURST) {
		uint32_t end = n - i < ORACLE_BURST ? n : i + ORACLE_BURST;
		for (uint32_t k = i; k < end; k++) {
			fetch_slot(&slots[k + FETCH_AHEAD]);
			__builtin_prefetch(&o->records[slots[k].flow], 1);
		}
		for (uint32_t k = i; k < end; k++)
			sum += change(o, &slots[k], start_ns + k * (uint64_t)PACKET_NS);
	}
	o->sum += sum;
}

const struct variant touch_variant = {"touch", touch_open, touch_lap, oracle_close,
				      NULL,    false,	   NULL};
const struct variant oracle_variant = {"oracle", oracle_open, oracle_lap, oracle_close,
				       NULL,	 true,	      NULL};
const struct variant rolling_variant = {"rolling", oracle_open, rolling_lap, oracle_close,
					NULL,	   true,	NULL};
