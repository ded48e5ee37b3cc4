/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What was measured of a line: the records of its windows, added up. Since the start, and since the
 * minute began. One thread.
 */
#ifndef RASAD_ENGINE_ANALYSIS_TOTALS_H
#define RASAD_ENGINE_ANALYSIS_TOTALS_H

#include <stdint.h>

#include "engine/analysis/report.h"
#include "engine/base/hist.h"
#include "engine/packet/window.h"

struct totals {
	uint64_t packets[2], bytes[2], data_packets[2]; /* UP, DOWN */
	int64_t lost_before[2], lost_after[2], spurious[2];
	uint64_t reordered[2], tail_loss[2];
	uint64_t last_up_ns;	   /* 0: never */
	uint32_t hist[HIST_COUNT]; /* of the pools */
};

/* One line or many, in the open, for telling. */
struct totals_sum {
	struct totals counts; /* its histograms are not used */
	struct hist_sum hists[HIST_COUNT];
};

/* What totals_add will be called with. */
struct totals_news {
	const struct totals *totals;
	const struct out_window *window;
};

/* A line's window is in no cache: asks for what adding will touch, of all `n` side by side. */
void totals_fetch(const struct totals_news *news, uint32_t n, const struct hist_pools *pools);

/* Adds what a window has counted. */
void totals_add(struct totals *t, struct hist_pools *pools, const struct out_window *window);

/* Adds `t` to a sum, which begins as zeros. */
void totals_sum(struct totals_sum *sum, const struct hist_pools *pools, const struct totals *t);

/* Gives the histograms back; *t is zero then. */
void totals_clear(struct totals *t, struct hist_pools *pools);

/* Makes *sum zeros again, faster than zeroing it. */
void totals_sum_clear(struct totals_sum *sum);

struct report_rtt totals_rtt(const struct totals_sum *sum);
struct report_loss_sides totals_loss(const struct totals *t);

/* A difference that was told cannot be negative. */
static inline uint64_t totals_count(int64_t n)
{
	return n > 0 ? (uint64_t)n : 0;
}

#endif
