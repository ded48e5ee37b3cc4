/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Does a collector lose too much? More than one packet of a hundred within an interval, and what
 * lines seem not to have said may be what it lost. It is over when an interval is far below that.
 */
#ifndef RASAD_ENGINE_DROPS_H
#define RASAD_ENGINE_DROPS_H

#include <stdbool.h>
#include <stdint.h>

struct source_stats;

#define DROPS_INTERVAL_NS 5000000000ull

struct drops {
	uint64_t since_ns;	   /* of this interval */
	uint64_t packets, dropped; /* of the source, when it began */
	bool begun, too_many;
};

enum drops_news { DROPS_NOTHING, DROPS_BEGIN, DROPS_END };

/* Looks at the source's counters when an interval is over; *since_ns: when the one began that was
 * looked at. */
enum drops_news drops_look(struct drops *drops, const struct source_stats *stats, uint64_t now_ns,
			   uint64_t *since_ns);

#endif
