/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Session events of others into the analysis: a line is found by its name, and its session goes
 * through the same transitions as if the packets had told them.
 *
 * Logs are not quite in order: events wait until EVENT_WAIT_NS have passed, and are then taken by
 * time, line and kind, so a shuffle within that time changes nothing. What comes later still is taken
 * as of then, unless the line has had a later event; that, and a stamp that no other one confirms,
 * is refused and counted.
 */
#ifndef RASAD_ENGINE_ANALYSIS_EVENT_H
#define RASAD_ENGINE_ANALYSIS_EVENT_H

#include <stdint.h>

#define EVENT_WAIT_NS 5000000000ull

struct analysis;
struct session_event;
struct event_intake;

struct event_counters {
	uint64_t taken;
	uint64_t delayed;     /* of them, those that came too late to be taken at their time */
	uint64_t replaced;    /* of them, those of a session that the line has replaced: no news */
	uint64_t clock_steps; /* jumps of the clock that were believed */
	uint64_t late;	      /* behind what was taken of that line already */
	uint64_t wild_clock;  /* a stamp far from the others */
	uint64_t unknown;     /* of a kind that nobody knows */
	uint64_t no_memory, lines_full;
};

void analysis_take_event(struct analysis *analysis, const struct session_event *event);

/* No more events: takes what waits. */
void analysis_end_events(struct analysis *analysis);

struct event_counters analysis_event_counters(const struct analysis *analysis);

struct event_intake *event_intake_free(struct event_intake *intake); /* returns NULL */

#endif
