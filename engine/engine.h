/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The engine: sources, workers, the analysis behind them, and a sink for what they say.
 *
 * With one source and one worker everything may run on the caller's thread (a replay). Otherwise
 * each lane has a thread; sources that keep the packets of a line together feed one lane each,
 * others are read by receivers that hand each packet to the lane that owns its line. The caller's
 * thread is the analysis: engine_step merges what the lanes say, in the order of the packets, so
 * reports do not depend on how many there are. Packet time drives everything; while a source is
 * idle its lane asks the caller for the time.
 */
#ifndef RASAD_ENGINE_ENGINE_H
#define RASAD_ENGINE_ENGINE_H

#include <stdbool.h>
#include <stdint.h>

#include "engine/analysis/report.h"
#include "engine/packet/worker.h"
#include "engine/source.h"

enum { ENGINE_MAX_SOURCES = 16, ENGINE_MAX_WORKERS = 16 };

struct engine;
struct calendar_plan;
struct inventory;

struct engine_options {
	struct worker_options worker; /* limits of the whole engine: each worker has its part */
	uint32_t n_workers;	      /* 0: as many as sources */
	bool threads;		      /* also where one thread would do */
	bool lossless;		      /* who is slower is waited for; else packets and records are
					 lost, counted */
	uint8_t (*card_group)(
		const char *line);	   /* report lines as they change, for a live publisher,
						    and those of a group together; NULL: do not */
	bool minutes;			   /* report each line's minutes */
	const struct inventory *inventory; /* or NULL; outlives the engine */
	const struct calendar_plan *plans; /* work that is planned; or NULL; outlives the engine */
	uint32_t n_plans;
	uint32_t shard;			/* of its events; part of the ids of incidents */
	const char *collector;		/* how health names the source; kept */
	uint64_t (*now)(void *context); /* time while a source is idle; NULL: packets alone tell */
	void *context;
};

/* NULL without memory or threads. The sources stay the caller's, and must outlive the engine. */
struct engine *engine_new(const struct engine_options *options, struct source *const *sources,
			  uint32_t n_sources, struct report_sink sink);
struct engine *engine_free(struct engine *engine); /* returns NULL */

/* Some work, or a short wait for it: enum source_status, or -errno of a source. */
int engine_step(struct engine *engine);

/* Ends all threads, having lost nothing that was received. Then stats of the sources may be read. */
void engine_stop(struct engine *engine);

/* Counters of all sources together, as last told. */
void engine_stats(struct engine *engine, struct source_stats *sum);

/* After engine_stop: reports the flows (when kept), then every line and group. */
void engine_summaries(struct engine *engine);

/* Reports the engine's own health: counters since the start. */
void engine_health(struct engine *engine, bool running);

#endif
