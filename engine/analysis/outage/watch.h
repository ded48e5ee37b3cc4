/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Lines, their troubles, and what both add to the counters of their groups. Every change goes
 * through here: what a line adds is taken off, the line changes, what it adds now is put on.
 */
#ifndef RASAD_ENGINE_ANALYSIS_OUTAGE_WATCH_H
#define RASAD_ENGINE_ANALYSIS_OUTAGE_WATCH_H

#include "engine/analysis/outage/state.h"

enum { WATCH_GROUPS_MAX = KIND_TREE_LEVELS + PLACE_RISKS_MAX };

/* The line's record, made when it is new; NULL: beyond the limit or no memory, counted. */
struct watched *watch_line(struct outage *outage, uint32_t line);

/* Its groups, leaf first, then up the tree, then the shared risks. */
uint32_t watch_groups(const struct outage *outage, const struct watched *line,
		      uint32_t groups[WATCH_GROUPS_MAX]);

/* Whether the group is one of the line's. */
bool watch_hangs_on(const struct outage *outage, uint32_t line, uint32_t group);

/* Hangs the line on another place. */
void watch_move(struct outage *outage, uint32_t line, const struct place *place);

/* The line is no more. */
void watch_gone(struct outage *outage, uint32_t line);

/* Brings its rate up to date. */
void watch_refresh(struct outage *outage, struct watched *line);

/* Evidence of the tap's lines that came since then is none. */
void watch_void(struct outage *outage, uint32_t tap, uint64_t since_ns);

/* The tap sees again: what was told of its lines since then is a suspicion as of now. */
void watch_doubt(struct outage *outage, uint32_t tap, uint64_t since_ns, uint64_t now_ns);

void watch_set_up(struct outage *outage, struct watched *line, bool up);
void watch_set_blind(struct outage *outage, struct watched *line, bool blind);
void watch_tried(struct outage *outage, uint32_t line, uint64_t at_ns);

/* Begins, changes and ends trouble. */
struct trouble *watch_trouble(const struct outage *outage, const struct watched *line,
			      enum symptom_channel channel);
struct trouble *trouble_begin(struct outage *outage, const struct symptom *symptom);
void trouble_change(struct outage *outage, struct trouble *trouble, const struct symptom *symptom);
void trouble_good(struct outage *outage, struct trouble *trouble, uint64_t at_ns);

/* An incident explains it (0: it no longer does): it is no evidence for another one. */
void trouble_explain(struct outage *outage, struct trouble *trouble, uint32_t incident);

/* Drops it altogether. */
void trouble_forget(struct outage *outage, struct trouble *trouble);

/* Troubles of a channel that no incident explains, by number; at most `room`. */
uint32_t watch_evidence(const struct outage *outage, enum symptom_channel channel,
			uint32_t *troubles, uint32_t room);

/* Lets evidence that is older than its window go, up to `now_ns`. */
void watch_expire(struct outage *outage, uint64_t now_ns);

/* The incident that explains the line's trouble in this channel; 0: none. */
uint32_t watch_incident(const struct outage *outage, const struct watched *line,
			enum symptom_channel channel);

#endif
