/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Flaps of a line and their damping, in the shape of RFC 2439: each drop adds a penalty that
 * halves every 15 minutes. At 3000 the line is FLAPPING and its single transitions are no news;
 * below 750 it is let go; the ceiling of 12000 bounds the wait to an hour.
 *
 * A flap is DOWN -> UP within ten minutes, when the drop was nobody's intention at the BRAS.
 */
#ifndef RASAD_ENGINE_ANALYSIS_FLAP_H
#define RASAD_ENGINE_ANALYSIS_FLAP_H

#include <stdbool.h>
#include <stdint.h>

#include "engine/analysis/report.h"

enum { FLAP_RING = 32, FLAP_ENTER = 3000, FLAP_LEAVE = 750, FLAP_CEILING = 12000 };
#define FLAP_MAX_GAP_NS 600000000000ull
#define FLAP_SUMMARY_NS 300000000000ull

struct flap {
	double penalty;
	uint64_t penalty_ns; /* when `penalty` was true */
	uint64_t total, outages;
	uint32_t ring[FLAP_RING]; /* Unix seconds of the last flaps */
	uint32_t since_summary;
	bool flapping;
	uint64_t summary_ns; /* of the last summary */
};

/* The line dropped; true when it starts FLAPPING by this. */
bool flap_drop(struct flap *flap, enum drop_cause cause, uint64_t now_ns);

/* The line is up again `gap_ns` after a drop of this cause; true when it starts FLAPPING. */
bool flap_return(struct flap *flap, enum drop_cause cause, uint64_t gap_ns, uint64_t now_ns);

/* The penalty now, and when it will have fallen below FLAP_LEAVE. */
double flap_penalty(const struct flap *flap, uint64_t now_ns);
uint64_t flap_release_ns(const struct flap *flap);

/* Lets a FLAPPING line go when its penalty is low enough; true when it did. */
bool flap_release(struct flap *flap, uint64_t now_ns);

/* Flaps in the last `seconds`, at most FLAP_RING. */
uint32_t flap_count(const struct flap *flap, uint64_t now_ns, uint32_t seconds);

#endif
