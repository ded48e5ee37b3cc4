/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * rasad in the bench: the decoder alone, and the decoder with the worker behind it, exactly as
 * the programs call them. The only file of the bench that knows the engine.
 */
#include "tests/bench/ours.h"

#include <stdlib.h>

#include "engine/analysis/analysis.h"
#include "engine/analysis/totals.h"
#include "engine/base/fetch.h"
#include "engine/decode.h"
#include "engine/packet/worker.h"
#include "engine/stamp.h"
#include "tests/bench/variant.h"
#include "tests/bench/wire.h"

enum { ETHERNET = 1, LAP_BLOCK = 8, LAP_AHEAD = 32 };

/* As an engine of several threads has them. */
enum { OUTBOX_BYTES = 4 << 20, DRAIN_PACKETS = 1024 };

struct ours {
	struct decoder decoder;
	struct worker worker;
	struct raw_frame raw[LAP_BLOCK];
	struct burst burst;
	struct stamp stamp;
	struct ring outbox;
	struct totals *totals; /* by line: what the analysis adds up */
	struct hist_pools hists;
	uint64_t windows; /* closed */
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

/* The next burst of a lap, decoded a few frames at a time so that memory and CPU work side by side,
 * as the collectors do; returns how many packets it took. */
static inline uint32_t take_burst(struct ours *o, const struct slot *slots, uint32_t n,
				  uint64_t start_ns)
{
	uint32_t take = n < BURST_MAX ? n : BURST_MAX;
	o->burst.n = 0;
	for (uint32_t i = 0; i < take;) {
		uint32_t k = 0;
		for (; k < LAP_BLOCK && i < take; k++, i++) {
			const struct slot *slot = &slots[i];
			fetch_two(slot + LAP_AHEAD);
			o->raw[k] =
				(struct raw_frame){start_ns + i * (uint64_t)PACKET_NS, slot->frame,
						   slot->caplen, slot->wire_len, ETHERNET};
		}
		decode_frames(&o->decoder, &o->burst, o->raw, k);
	}
	decode_burst(&o->decoder, &o->burst);
	return take;
}

static void decode_lap(void *state, const struct slot *slots, uint32_t n, uint64_t start_ns)
{
	struct ours *o = state;
	for (uint32_t i = 0; i < n;)
		i += take_burst(o, slots + i, n - i, start_ns + i * (uint64_t)PACKET_NS);
}

static void ours_close(void *state)
{
	struct ours *o = state;
	worker_fini(&o->worker);
	ring_fini(&o->outbox);
	hist_pools_fini(&o->hists);
	free(o->totals);
	free(o);
}

static void *ours_open(const struct setup *setup)
{
	struct worker_options options = {
		.max_lines = setup->lines,
		.max_flows = setup->flows,
		.hash_seed = 0x9e3779b97f4a7c15,
		.full_size = true,
	};
	struct ours *o = decode_open(setup);
	if (!o)
		return NULL;
	o->totals = calloc(setup->lines + 1ull, sizeof *o->totals);
	hist_pools_init(&o->hists, HIST_COUNT * setup->lines);
	if (!o->totals || ring_init(&o->outbox, OUTBOX_BYTES) ||
	    worker_init(&o->worker, &options, &o->outbox)) {
		ours_close(o);
		return NULL;
	}
	return o;
}

/* What the analysis does with the records of windows: part of the whole path. */
static void drain(struct ours *o)
{
	const struct out *records[ANALYSIS_FETCH];
	struct totals_news news[ANALYSIS_FETCH];
	uint32_t n, windows;
	while ((n = ring_peek_all(&o->outbox, (const void **)records, ANALYSIS_FETCH)) > 0) {
		windows = 0;
		for (uint32_t i = 0; i < n; i++) {
			o->windows += records[i]->kind == OUT_CLOSED;
			if (records[i]->kind == OUT_WINDOW)
				news[windows++] =
					(struct totals_news){&o->totals[records[i]->line],
							     (const struct out_window *)records[i]};
		}
		totals_fetch(news, windows, &o->hists);
		for (uint32_t i = 0; i < windows; i++)
			totals_add(&o->totals[news[i].window->out.line], &o->hists, news[i].window);
		ring_release_all(&o->outbox);
	}
}

static void ours_lap(void *state, const struct slot *slots, uint32_t n, uint64_t start_ns)
{
	struct ours *o = state;
	for (uint32_t i = 0; i < n;) {
		i += take_burst(o, slots + i, n - i, start_ns + i * (uint64_t)PACKET_NS);
		stamp_burst(&o->stamp, &o->burst);
		worker_burst(&o->worker, &o->burst);
		if (i % DRAIN_PACKETS == 0)
			drain(o);
	}
	drain(o);
}

static uint64_t ours_counted(void *state)
{
	struct ours *o = state;
	uint64_t packets = 0;
	while (!worker_flush(&o->worker))
		drain(o);
	drain(o);
	for (uint32_t line = 1; line <= o->worker.meter.lines.n; line++)
		packets += o->totals[line].packets[UP] + o->totals[line].packets[DOWN];
	return packets;
}

static uint64_t pool_bytes(const struct pool *pool)
{
	return (uint64_t)pool->next * pool->size;
}

static void ours_memory(void *state, uint64_t bytes[VARIANT_MEMORIES])
{
	const struct ours *o = state;
	const struct meter *m = &o->worker.meter;
	bytes[MEMORY_SAMPLES] = pool_bytes(&m->samples);
	bytes[MEMORY_POOLS] = pool_bytes(&m->extras) + pool_bytes(&m->segs) +
			      pool_bytes(&m->holes) + pool_bytes(&m->resends);
	bytes[MEMORY_TOTALS] = m->lines.n * sizeof *o->totals + pool_bytes(&o->hists.few) +
			       pool_bytes(&o->hists.many) + pool_bytes(&o->hists.bytes) +
			       pool_bytes(&o->hists.words);
}

uint64_t ours_end_window(void *state)
{
	struct ours *o = state;
	uint64_t end_ns = o->worker.window.start_ns + WINDOW_NS;
	worker_idle(&o->worker, end_ns);
	return end_ns;
}

bool ours_close_slice(void *state, uint64_t now_ns)
{
	struct ours *o = state;
	worker_idle(&o->worker, now_ns);
	return o->worker.window.closing_end_ns != 0;
}

void ours_drain(void *state)
{
	drain(state);
}

const struct variant decode_variant = {"decode", decode_open, decode_lap, free, NULL, false, NULL};
const struct variant ours_variant = {"ours",	   ours_open, ours_lap,	  ours_close,
				     ours_counted, true,      ours_memory};
