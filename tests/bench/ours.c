/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * rasad in the bench: the decoder alone, and the decoder with the worker behind it, exactly as
 * the programs call them. The only file of the bench that knows the engine.
 */
#include <stdlib.h>

#include "engine/decode.h"
#include "engine/packet/worker.h"
#include "tests/bench/variant.h"
#include "tests/bench/wire.h"

enum { ETHERNET = 1, LAP_BURST = 64 };

struct ours {
	struct decoder decoder;
	struct worker worker;
	struct burst burst;
};

static void *decode_open(const struct setup *setup)
{
	struct ours *o = aligned_alloc(64, (sizeof *o + 63) & ~(size_t)63);
	(void)setup;
	if (!o)
		return NULL;
	*o = (struct ours){0};
	decode_add_ac(&o->decoder, wire_ac_mac);
	return o;
}

/* The next burst of a lap; returns how many packets it took. */
static inline uint32_t decode_burst(struct ours *o, const struct slot *slots, uint32_t n,
				    uint64_t start_ns)
{
	uint32_t take = n < LAP_BURST ? n : LAP_BURST;
	o->burst.n = 0;
	for (uint32_t i = 0; i < take; i++) {
		fetch_slot(&slots[i + FETCH_AHEAD]);
		decode_frame(&o->decoder, &o->burst, slots[i].frame, slots[i].caplen,
			     slots[i].wire_len, ETHERNET, start_ns + i * (uint64_t)PACKET_NS);
	}
	return take;
}

static void decode_lap(void *state, const struct slot *slots, uint32_t n, uint64_t start_ns)
{
	struct ours *o = state;
	for (uint32_t i = 0; i < n;)
		i += decode_burst(o, slots + i, n - i, start_ns + i * (uint64_t)PACKET_NS);
}

static void *ours_open(const struct setup *setup)
{
	struct worker_options options = {
		.max_lines = setup->lines,
		.max_flows = setup->flows,
		.hash_seed = 0x9e3779b97f4a7c15,
	};
	struct ours *o = decode_open(setup);
	if (!o)
		return NULL;
	if (worker_init(&o->worker, &options)) {
		worker_fini(&o->worker);
		free(o);
		return NULL;
	}
	return o;
}

static void ours_lap(void *state, const struct slot *slots, uint32_t n, uint64_t start_ns)
{
	struct ours *o = state;
	for (uint32_t i = 0; i < n;) {
		i += decode_burst(o, slots + i, n - i, start_ns + i * (uint64_t)PACKET_NS);
		worker_burst(&o->worker, &o->burst);
	}
}

static uint64_t ours_counted(void *state)
{
	struct ours *o = state;
	struct line_metrics sum = {0};
	for (uint32_t line = 1; line <= line_count(&o->worker.meter.lines); line++)
		worker_add_line(&o->worker, line, &sum, NULL);
	return sum.packets[0] + sum.packets[1];
}

static void ours_close(void *state)
{
	struct ours *o = state;
	worker_fini(&o->worker);
	free(o);
}

const struct variant decode_variant = {"decode", decode_open, decode_lap, free, NULL, false};
const struct variant ours_variant = {"ours", ours_open, ours_lap, ours_close, ours_counted, true};
