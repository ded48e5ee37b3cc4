/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The engine: one source, one worker, the analysis behind it, and a sink for what they say.
 *
 * Everything runs on the caller's thread and on packet time: engine_step handles one burst. A
 * live caller also passes the wall clock when the wire is silent, so that timers still run.
 */
#ifndef RASAD_ENGINE_ENGINE_H
#define RASAD_ENGINE_ENGINE_H

#include <stdbool.h>
#include <stdint.h>

#include "engine/analysis/report.h"
#include "engine/packet/worker.h"
#include "engine/source.h"

struct engine;

struct engine_options {
	struct worker_options worker;
	bool cards;	       /* report lines as they change, for a live publisher */
	const char *collector; /* how health names the source; kept */
};

/* NULL without memory. The source stays the caller's, and must outlive the engine. */
struct engine *engine_new(const struct engine_options *options, struct source *source,
			  struct report_sink sink);
struct engine *engine_free(struct engine *engine); /* returns NULL */

/* One burst: enum source_status, or -errno of the source. */
int engine_step(struct engine *engine);

/* Timers up to `now_ns`, when there are no packets. */
void engine_advance(struct engine *engine, uint64_t now_ns);

/* Reports the flows (when kept), then every line and group. */
void engine_summaries(struct engine *engine);

/* Reports the engine's own health: counters since the start. */
void engine_health(struct engine *engine, bool running);

#endif
