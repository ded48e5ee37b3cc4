/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Lines, and what they add to the counters of their groups. Every change goes through here: what a
 * line adds is taken off, the line changes, what it adds now is put on.
 */
#ifndef RASAD_ENGINE_ANALYSIS_OUTAGE_WATCH_H
#define RASAD_ENGINE_ANALYSIS_OUTAGE_WATCH_H

#include "engine/analysis/outage/state.h"

enum { WATCH_GROUPS_MAX = KIND_TREE_LEVELS + PLACE_RISKS_MAX };

/* The line's record, made when it is new; NULL: beyond the limit or no memory, counted. */
struct watched *watch_line(struct outage *outage, uint32_t line);

/* Forgets all of them. */
void watch_fini(struct outage *outage);

/* Its groups, leaf first, then up the tree, then the shared risks. */
uint32_t watch_groups(const struct outage *outage, const struct watched *line,
		      uint32_t groups[WATCH_GROUPS_MAX]);

/* Whether the group is one of the line's. */
bool watch_hangs_on(const struct outage *outage, uint32_t line, uint32_t group);

/* Hangs the line on another place. */
void watch_move(struct outage *outage, uint32_t line, const struct place *place);

/* The line is no more. */
void watch_gone(struct outage *outage, uint32_t line);

/* Brings its rate up to date. `quarters`: of a drop that it has just had, or 0. */
void watch_refresh(struct outage *outage, struct watched *line, uint32_t quarters, uint64_t now_ns);

void watch_set_up(struct outage *outage, struct watched *line, bool up);
void watch_set_blind(struct outage *outage, struct watched *line, bool blind);
void watch_tried(struct outage *outage, uint32_t line, uint64_t at_ns);

/* Attempts that are long past are none, as of `now_ns`. */
void watch_expire(struct outage *outage, uint64_t now_ns);

#endif
