/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The analysis floor: records of the workers in, reports out.
 *
 * Driven by packet time alone: timers run before each record up to its time, so the same packets
 * give the same reports however they were cut into bursts, and shared out to workers whose records
 * come merged in the order of their packets. Lines are numbered here in the order in which they
 * appeared. One thread.
 */
#ifndef RASAD_ENGINE_ANALYSIS_ANALYSIS_H
#define RASAD_ENGINE_ANALYSIS_ANALYSIS_H

#include <stdbool.h>
#include <stdint.h>

#include "engine/analysis/bras.h"
#include "engine/analysis/minute.h"
#include "engine/analysis/report.h"
#include "engine/analysis/subject.h"
#include "engine/analysis/timer.h"
#include "engine/analysis/totals.h"

struct inventory;
struct out;
struct outage;
struct calendar_plan;
struct session_event;

enum { ANALYSIS_MAX_WORKERS = 16, ANALYSIS_MAX_TAPS = 32 };

struct analysis_options {
	uint8_t (*card_group)(const char *line); /* report lines while they run, too, and those of a
						    group together; NULL: only at the end */
	bool minutes;	    /* report what was measured of each line in each minute */
	uint32_t n_workers; /* 1..ANALYSIS_MAX_WORKERS */
	uint32_t max_lines; /* of each worker */
	const struct inventory *inventory; /* or NULL; outlives the analysis */
	const struct calendar_plan *plans; /* work that is planned; or NULL */
	uint32_t n_plans;
	uint32_t shard; /* part of the ids of incidents */
	bool many_taps; /* one stream of several: tap 0 is all of them */
	const char *(*tap_name)(void *context, uint32_t tap); /* or NULL */
	void *tap_context;
};

/* What a tap sees (blind.h). */
struct analysis_tap {
	bool blind;
	uint64_t since_ns, sighted_ns; /* it is blind; it saw again */
};

/* What analysis knows of a worker. */
struct analysis_worker {
	uint32_t *subject_of; /* owned: by the worker's line number; 0: none */
	uint32_t room;
	uint64_t closed_ns; /* end of the last window of which all records have come */
};

struct analysis {
	struct analysis_options options;
	struct report_sink sink;
	struct analysis_worker workers[ANALYSIS_MAX_WORKERS];
	struct subject *subjects; /* owned, by subject number from 1 */
	struct totals *totals;	  /* owned, the same */
	uint32_t room, n_subjects;
	uint32_t free_subject; /* of lines that have gone: a list through `timer_ns` */
	struct totals_sum sum; /* zeros, but while something is summed up for telling */
	struct hist_pools hists;
	struct minute_table minutes;
	struct timers timers;
	struct bras_table brases;
	struct reach_resolvers resolvers;
	struct analysis_tap taps[ANALYSIS_MAX_TAPS];
	struct outage *outage;	     /* owned; NULL: no memory for one */
	struct event_intake *events; /* owned; made when the first event comes */
	uint64_t now_ns, first_ns;   /* packet time, and where it began */
	uint64_t refused;	     /* no memory for a subject or a timer */
};

void analysis_init(struct analysis *analysis, const struct analysis_options *options,
		   struct report_sink sink);
void analysis_fini(struct analysis *analysis);

/* The number of a new subject, or 0 without memory. */
uint32_t analysis_new_subject(struct analysis *analysis);

/* What a subject of the analysis says, of itself or by what others saw of it. */
struct session_out;
struct session_out analysis_session_out(struct analysis *analysis);

/* Sets the timer of a subject that has changed. */
void analysis_arm(struct analysis *analysis, uint32_t number);

enum { ANALYSIS_FETCH = 16 }; /* records, as many waits for memory overlap */

/* Asks for what taking these records of worker `worker` will touch, at most ANALYSIS_FETCH. */
void analysis_fetch(const struct analysis *analysis, uint32_t worker,
		    const struct out *const *records, uint32_t n);

/* Takes a record of worker `worker`. */
void analysis_take(struct analysis *analysis, uint32_t worker, const struct out *record);

/* Lets timers run to `now_ns`. Time that goes back a little stands still; more than
 * CLOCK_BEHIND_NS is a clock that was set back (engine/base/clock.h made sure), and is followed. */
void analysis_advance(struct analysis *analysis, uint64_t now_ns);

/* The subject of a worker's line; NULL: it has none. */
const struct subject *analysis_subject(const struct analysis *analysis, uint32_t worker,
				       uint32_t line);

/* Where symptoms of a line go. */
struct reach_out analysis_reach_out(struct analysis *analysis);

/* Reports what is left of the minutes, then every line, then every group. */
void analysis_summaries(struct analysis *analysis);

#endif
