/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The analysis floor: signals of the worker in, reports out.
 *
 * Driven by packet time alone: timers run before each signal up to its time, so the same packets
 * give the same reports however they were cut into bursts. One thread.
 */
#ifndef RASAD_ENGINE_ANALYSIS_ANALYSIS_H
#define RASAD_ENGINE_ANALYSIS_ANALYSIS_H

#include <stdbool.h>
#include <stdint.h>

#include "engine/analysis/report.h"
#include "engine/analysis/subject.h"
#include "engine/analysis/timer.h"

struct signal;
struct worker;

struct analysis_options {
	bool cards; /* report lines while they run, not only at the end */
};

struct analysis {
	struct analysis_options options;
	struct report_sink sink;
	const struct worker *worker; /* asked for what was measured */
	struct subject *subjects;    /* owned, by line number */
	uint32_t room, n_subjects;
	struct timers timers;
	uint64_t now_ns, cards_ns;
	uint64_t refused; /* no memory for a subject or a timer */
};

void analysis_init(struct analysis *analysis, const struct analysis_options *options,
		   const struct worker *worker, struct report_sink sink);
void analysis_fini(struct analysis *analysis);

/* Takes the signals of one burst, then lets timers run to `now_ns`. */
void analysis_signals(struct analysis *analysis, const struct signal *signals, uint32_t n,
		      uint64_t now_ns);

/* Lets timers run to `now_ns`. Time that goes back a little stands still; more than
 * CLOCK_BEHIND_NS is a clock that was set back (engine/base/clock.h made sure), and is followed. */
void analysis_advance(struct analysis *analysis, uint64_t now_ns);

/* The line's subject exists (it is made when needed); false without memory. */
bool analysis_knows(struct analysis *analysis, uint32_t line);

/* Reports every line, then every group. */
void analysis_summaries(struct analysis *analysis);

#endif
