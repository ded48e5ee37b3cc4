/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What usual tools would make of the same events (evaluation.md 3.4), as yardsticks:
 *
 *   B1  an access node with at least 10 lines and 10 % lost within 300 s
 *   B2  an access node with more than half of its lines lost within 300 s
 *   B3  an access node whose drops of 5 minutes are 4 sigma above its usual (the SIEM's rule)
 *   B4  greedy cover: the group of any column that is most unlikely by chance, then the next of
 *       what is left; no allowance for a wrong expectation, no smallest share
 *
 * They get suspicions as early as the detector does, so what differs is the judgement.
 */
#ifndef RASAD_BASELINE_BASELINE_H
#define RASAD_BASELINE_BASELINE_H

#include <stdbool.h>
#include <stdint.h>

#include "tools/rasad-baseline/groups.h"

#define WINDOW_NS 300000000000ull
#define TICK_NS	  5000000000ull
#define K_MIN	  5

enum method { B1, B2, B3, B4, METHODS };

/* A line that went bad, for as long as it counts. */
struct fresh {
	uint64_t at_ns;
	uint32_t line;
};

struct incident {
	uint64_t open_ns;
	uint32_t number;       /* 0: none is open */
	uint32_t before, peak; /* lines of the group that were bad before it, and at most */
};

struct baseline {
	struct groups groups;
	uint32_t *nodes, n_nodes; /* the groups that B1 to B3 know */
	uint32_t *large, n_large; /* B4: those with enough members to be counted */
	uint64_t now_ns, tick_ns, bin_ns;
	uint64_t *bad_since_ns; /* of each line; 0: good */
	uint32_t *bad, *recent; /* of each group: lines bad; those that became so in the window */
	uint32_t *fresh_free;	/* B4: recent, without what an open incident has explained */
	bool *explained;	/* of each line */
	struct fresh *fresh;	/* a ring */
	size_t fresh_head, fresh_n, fresh_room;
	uint32_t *bin;	    /* B3: drops of each group in this bin */
	double *mean, *var; /* B3: of earlier bins */
	uint64_t bins;
	double bad_events, line_seconds; /* B4: the rate of all lines */
	struct incident *open[METHODS];	 /* of each group */
	uint32_t opened;
};

int baseline_init(struct baseline *b, const struct inventory *inventory);
void baseline_fini(struct baseline *b);
void baseline_bad(struct baseline *b, uint32_t line, bool drop);
void baseline_good(struct baseline *b, uint32_t line);
/* Time has come to now_ns; ticks that are due run. */
void baseline_advance(struct baseline *b, uint64_t now_ns);

/* The methods' ticks. */
void threshold_tick(struct baseline *b);
void zscore_tick(struct baseline *b);
void cover_tick(struct baseline *b);

void incident_open(struct baseline *b, enum method method, uint32_t group, uint32_t affected);
void incident_clear(struct baseline *b, enum method method, uint32_t group);
/* The i-th line that went bad in the window, or NONE when it is good again. */
uint32_t fresh_at(const struct baseline *b, size_t i);

#endif
