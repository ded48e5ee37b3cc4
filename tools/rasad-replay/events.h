/* SPDX-License-Identifier: BSD-3-Clause */
/* Session events from files (NDJSON) into the analysis: outages without a packet. */
#ifndef RASAD_TOOLS_RASAD_REPLAY_EVENTS_H
#define RASAD_TOOLS_RASAD_REPLAY_EVENTS_H

#include <stdbool.h>
#include <stdint.h>

#include "engine/analysis/report.h"

struct calendar_plan;
struct inventory;

struct events_options {
	const char *const *files; /* "-": standard input; merged by time */
	uint32_t n_files, max_lines;
	const struct inventory *inventory; /* or NULL */
	const struct calendar_plan *plans; /* work that is planned; or NULL */
	uint32_t n_plans, shard;
	bool cards; /* report lines as they change */
	struct report_sink sink;
	/* A line that is no event, a file that cannot be read: told, and the rest goes on. */
	void (*problem)(void *context, const char *message);
	void *context;
};

/* 0, or -errno. Ends with the summary (REPORT_HEALTH). */
int events_run(const struct events_options *options);

#endif
