/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Troubles of lines: how they begin, ripen, are explained, age and end, and what they weigh in the
 * groups of their lines meanwhile.
 */
#ifndef RASAD_ENGINE_ANALYSIS_OUTAGE_TROUBLE_H
#define RASAD_ENGINE_ANALYSIS_OUTAGE_TROUBLE_H

#include "engine/analysis/outage/state.h"

/* The line's trouble in this channel, or NULL. */
struct trouble *trouble_of(const struct outage *outage, const struct watched *line,
			   enum symptom_channel channel);

/* The incident that explains the line's trouble in this channel; 0: none. */
uint32_t trouble_incident(const struct outage *outage, const struct watched *line,
			  enum symptom_channel channel);

/* Begins, changes and ends trouble. */
struct trouble *trouble_begin(struct outage *outage, const struct symptom *symptom);
void trouble_change(struct outage *outage, struct trouble *trouble, const struct symptom *symptom);
void trouble_good(struct outage *outage, struct trouble *trouble, uint64_t at_ns);

/* An incident explains it (0: it no longer does): it is no evidence for another one. */
void trouble_explain(struct outage *outage, struct trouble *trouble, uint32_t incident);

/* Drops it altogether. */
void trouble_forget(struct outage *outage, struct trouble *trouble);

/* The line has changed: what its troubles weigh is brought into its groups. */
void troubles_recount(struct outage *outage, const struct watched *line);

/* Troubles of a channel that no incident explains, by number; at most `room`. */
uint32_t troubles_evidence(const struct outage *outage, enum symptom_channel channel,
			   uint32_t *troubles, uint32_t room);

/* Lets evidence that is older than its window go, up to `now_ns`. */
void troubles_expire(struct outage *outage, uint64_t now_ns);

/* Evidence of the tap's lines that came since then is none. */
void troubles_void(struct outage *outage, uint32_t tap, uint64_t since_ns);

/* The tap sees again: what was told of its lines since then is a suspicion as of now. */
void troubles_doubt(struct outage *outage, uint32_t tap, uint64_t since_ns, uint64_t now_ns);

#endif
