/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Minute records: what the windows of a line's minute add up to, told when its minute is over.
 *
 * A line's record leaves when its first window of a later minute comes, or when every window of
 * the minute has closed. Whoever was silent has none. One thread.
 */
#ifndef RASAD_ENGINE_ANALYSIS_MINUTE_H
#define RASAD_ENGINE_ANALYSIS_MINUTE_H

#include <stdint.h>

#include "engine/analysis/totals.h"

#define MINUTE_NS 60000000000ull

struct minute {
	uint64_t start_ns; /* 0: none is open */
	struct totals totals;
};

struct minute_table {
	struct minute *of; /* owned, by subject; NULL: nobody asked for minutes */
	uint32_t room;
	uint32_t *open; /* owned: subjects whose minute is open, some twice */
	uint32_t n_open, open_room;
	struct hist_pools hists;
	uint64_t refused; /* no memory */
};

struct minute_out {
	void (*tell)(void *context, uint32_t subject, const struct minute *minute);
	void *context;
};

void minute_table_init(struct minute_table *m, uint32_t max_lines);
void minute_table_fini(struct minute_table *m);

/* Adds a window of the subject. */
void minute_table_add(struct minute_table *m, uint32_t subject, const struct out_window *window,
		      const struct minute_out *out);

/* The subject is no more, and neither is what was measured of it. */
void minute_table_forget(struct minute_table *m, uint32_t subject);

/* Tells every minute that ends at `end_ns` or before. */
void minute_table_close(struct minute_table *m, uint64_t end_ns, const struct minute_out *out);

#endif
