/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * How often lines drop by themselves, learned over time (algorithms.md 2.3.2).
 *
 * A line's own rate is shrunk towards that of all lines, so a young line is an average one and a
 * chronic flapper explains itself. The whole network's rate of the hour, and of the last half hour,
 * raises what is expected of everybody: at midnight people switch their modems off. What an
 * incident explains is not learned. Of the lines that dial, the share that is rejected is learned by
 * the hour, too: at midnight accounts run out. Sums are whole numbers: the order of events within a tick
 * changes nothing. One thread.
 */
#ifndef RASAD_ENGINE_ANALYSIS_OUTAGE_RATE_H
#define RASAD_ENGINE_ANALYSIS_OUTAGE_RATE_H

#include <stdint.h>

#define RATE_UNIT (1.0 / (1ull << 40)) /* drops per second: a line's rate fits 32 bits */

enum { RATE_BIN_S = 300, RATE_BINS = 6, RATE_HOURS = 24, RATE_MOMENTS = 12 };

struct rates {
	uint64_t bin;				     /* the current one, by number */
	uint64_t quarters, bins_quarters[RATE_BINS]; /* drops by themselves: now, and before */
	double bins_expected[RATE_BINS];
	uint32_t n_bins;
	double hour[RATE_HOURS]; /* learned: times the usual */
	uint64_t drops_quarters; /* since the start, with the prior */
	uint64_t exposed_line_s;
	uint64_t dwell_ms, dwells;    /* how long a drop counts, summed up, with the prior */
	double factor;		      /* of now */
	double moments[RATE_MOMENTS]; /* of the last ticks: everywhere, times the usual */
	uint32_t n_moments;
	double crowd; /* what they raise the factor to, at least */
	uint64_t tries,
		rejects; /* of set-ups, in the current bin: lines that dial, and are rejected */
	double rejected[RATE_HOURS]; /* learned: the share of these */
};

/* What is kept of a line. */
struct line_rate {
	float drops;	  /* faded by RATE_MEMORY */
	uint32_t start_s; /* of its exposure, or what memory has of it */
	uint32_t updated_s;
	uint32_t units; /* its rate, in RATE_UNITs */
};

void rates_init(struct rates *rates);

/* A line that is watched from now on. */
void rate_begin(const struct rates *rates, struct line_rate *line, uint32_t now_s);

/* Brings a line's rate up to date. `quarters`: of a drop that it has just had, or 0. */
void rate_update(const struct rates *rates, struct line_rate *line, uint32_t quarters,
		 uint32_t now_s);

/* A drop by itself has counted for `dwell_ms`. */
void rates_learn(struct rates *rates, uint32_t quarters, uint64_t dwell_ms);

/* Time has come to `now_s`; `units`: the rate of all eligible lines, `lines` their number. */
void rates_advance(struct rates *rates, uint64_t now_s, uint64_t units, uint32_t lines);

/* In nearly all places lines drop `ratio` times as often as usual, in this tick; what is expected of all
 * rises up to `most` times the usual once that lasts. */
void rates_crowd(struct rates *rates, double ratio, double most);

/* The share of those who dial at this hour that is rejected as ever. */
double rates_rejected(const struct rates *rates, uint64_t now_s);

/* Drops that are expected to count at any moment, of lines whose rates sum up to `units`; at this hour, or
 * at any. */
double rates_expected(const struct rates *rates, uint64_t units);
double rates_usual(const struct rates *rates, uint64_t units);

#endif
