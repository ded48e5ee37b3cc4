/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What the bench times: each variant handles the packets of a lap in its own way.
 *
 *   touch      reads the two lines of the headers                                (Y0)
 *   oracle     and changes the flow's line, whose number it is given for free    (Y1)
 *   rolling    the same without bursts: the hardest floor
 *   decode     rasad's frame decoder alone
 *   ours       rasad: decoder and worker
 *   textbook   a plain decoder and two rte_hash look-ups per packet, simple meters
 *   bulk       the same with rte_hash_lookup_bulk of 32 and prefetched records
 *   plain      the textbook's decoder alone
 *
 * One row each in variant_table; a state belongs to the thread that runs it.
 */
#ifndef RASAD_TESTS_BENCH_VARIANT_H
#define RASAD_TESTS_BENCH_VARIANT_H

#include <stdbool.h>
#include <stdint.h>

#include "tests/bench/traffic.h"

enum { FETCH_AHEAD = 16 }; /* packets whose headers are on their way */

struct setup {
	uint32_t lines, flows;
};

enum {
	MEMORY_SAMPLES, /* of lines, in this window */
	MEMORY_POOLS,	/* of flows with trouble or many segments */
	MEMORY_TOTALS,	/* what adds up windows behind the packet path */
	VARIANT_MEMORIES,
};

struct variant {
	const char *name;
	void *(*open)(const struct setup *setup); /* NULL: no memory, or not built in */
	void (*lap)(void *state, const struct slot *slots, uint32_t n, uint64_t start_ns);
	void (*close)(void *state);
	uint64_t (*counted)(void *state); /* packets counted to lines; NULL: it counts none */
	bool keeps_flows;		  /* has to see every packet, not only the timed laps */
	void (*memory)(void *state,
		       uint64_t bytes[VARIANT_MEMORIES]); /* of parts that grow; or NULL */
};

extern const struct variant touch_variant, oracle_variant, rolling_variant, decode_variant,
	ours_variant, textbook_variant, bulk_variant, plain_variant;

/* Ends the list with NULL. */
extern const struct variant *const variant_table[];

/* Reads both lines of packets to come, as a receiver does. */
static inline void fetch_slot(const struct slot *slot)
{
	__builtin_prefetch(slot);
	__builtin_prefetch((const char *)slot + 64);
}

#endif
