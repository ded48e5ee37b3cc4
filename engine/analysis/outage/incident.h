/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The life of an incident (algorithms.md 2.3.7): opened on a finding, it absorbs what else fails in
 * its group, is fitted anew while it is young, is cleared when its lines are back, and opened again
 * when they go soon: what comes and goes is one incident. The number of an incident is good while it
 * lives.
 */
#ifndef RASAD_ENGINE_ANALYSIS_OUTAGE_INCIDENT_H
#define RASAD_ENGINE_ANALYSIS_OUTAGE_INCIDENT_H

#include "engine/analysis/outage/state.h"

enum {
	INCIDENT_ID_BYTES = 27,
	INCIDENT_CURVE_MAX = 240,
	INCIDENT_TIMELINE_MAX = 32,
	INCIDENT_SUPERSEDES_MAX = 32,
};

/* A line that it affects or has affected. */
struct member {
	uint64_t since_ns, at_ns, recovered_ns; /* recovered 0: bad now */
	uint32_t line, trouble;			/* trouble 0: let go */
	uint8_t cause, stage, weight;
	bool confirmed, redialled;
};

struct incident {
	char id[INCIDENT_ID_BYTES], superseded_by[INCIDENT_ID_BYTES];
	char supersedes[INCIDENT_SUPERSEDES_MAX][INCIDENT_ID_BYTES];
	uint32_t n_supersedes;
	bool live, cleared; /* cleared: may open again for a while; neither: the slot is free */
	enum symptom_channel channel;
	uint32_t group;
	struct finding finding;
	struct member *members; /* owned */
	uint32_t n_members, members_room;
	struct map before; /* line: where in members[], of those from before it was opened again */
	uint32_t down, peak, confirmed, redialled;
	uint32_t high; /* the most that were down since it was opened last */
	bool grown;    /* since it was fitted last */
	bool settled;  /* no longer young: its lines are out of the count until they are back */
	uint32_t revision, reopened;
	uint64_t again_ns; /* it was opened last; as open_ns, or later */
	uint64_t onset_ns, open_ns, low_since_ns, clear_ns, recovering_ns, fitted_ns;
	/* what it is, as of its last tick */
	enum incident_class class;
	enum severity severity;
	bool planned;
	/* as told last */
	uint64_t told_ns;
	uint32_t told_affected;
	enum severity told_severity;
	enum incident_class told_class;
	bool told, scope_changed;
	struct report_recovery_point curve[INCIDENT_CURVE_MAX];
	uint32_t n_curve, curve_stride, curve_skip;
	struct {
		uint64_t at_ns;
		const char *what;
		char text[120];
	} timeline[INCIDENT_TIMELINE_MAX];
	uint32_t n_timeline;
};

/* A new incident, or one that was cleared just now and goes on; 0 without memory. */
uint32_t incident_open(struct outage *outage, enum symptom_channel channel,
		       const struct finding *finding);

/* The trouble is part of it. */
void incident_absorb(struct outage *outage, uint32_t incident, struct trouble *trouble);

/* A member's trouble is over, or back. */
void incident_member_good(struct outage *outage, const struct trouble *trouble);
void incident_member_bad(struct outage *outage, const struct trouble *trouble);

/* Another group explains it better; members that do not hang on it are let go. */
void incident_rescope(struct outage *outage, uint32_t incident, enum symptom_channel channel,
		      const struct finding *finding);

/* Ends `incident`: it is part of `by` (SUPERSEDED or MERGED), or was none (RETRACTED, by 0). */
void incident_end(struct outage *outage, uint32_t incident, enum incident_state as, uint32_t by);

/* Young: its lines are evidence still, and it may turn out to be part of something larger. */
bool incident_is_young(const struct outage *outage, const struct incident *incident);

/* A tick of its life. */
void incident_step(struct outage *outage, uint32_t incident);

void incident_fini(struct incident *incident);

/* A line of its story. */
__attribute__((format(printf, 4, 5))) void incident_note(struct incident *incident, uint64_t at_ns,
							 const char *what, const char *format, ...);

static inline struct incident *incident_at(const struct outage *outage, uint32_t incident)
{
	return &outage->incidents.at[incident];
}

#endif
