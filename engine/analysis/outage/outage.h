/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Outage patterns: lines that fail together, the smallest element that explains it, and the life
 * of that incident until it is repaired (algorithms.md 2.3, 2.4).
 *
 * Fed with what single lines show (struct symptom), in time order; says incidents and gaps through
 * a report sink. Lines are numbered by the caller. Driven by packet time alone: groups that were
 * touched are tested on a tick of 2.5 s, so the order of symptoms within a tick changes nothing.
 * One thread.
 */
#ifndef RASAD_ENGINE_ANALYSIS_OUTAGE_OUTAGE_H
#define RASAD_ENGINE_ANALYSIS_OUTAGE_OUTAGE_H

#include <stdbool.h>
#include <stdint.h>

#include "engine/analysis/report.h"

struct calendar_plan;
struct inventory;
struct inventory_row;
struct outage;

/* What packets alone tell of where a line hangs; "" or 0: not known. Texts are copied. */
struct outage_place {
	const char *line; /* its name, the key into the inventory */
	const char *node; /* access node, by its circuit-id */
	const char *card; /* within the node: "0/1" */
	const char *port; /* within the card */
	const char *pool; /* of its address */
	const char *resolver;
	const char *cpe_vendor; /* OUI */
	const char *bras;	/* the MAC of its access concentrator */
	uint16_t svlan;
};

enum symptom_state {
	SYMPTOM_GOOD,	 /* it works: the session is up, an answer came */
	SYMPTOM_SUSPECT, /* evidence, not yet confirmed */
	SYMPTOM_BAD,
	SYMPTOM_UNKNOWN, /* nobody sees the line: it counts neither way */
};

/* A line changes in one channel. */
struct symptom {
	uint32_t line;
	enum symptom_channel channel;
	enum symptom_state state;
	uint64_t at_ns;	   /* when it was concluded */
	uint64_t since_ns; /* when it began: a silent loss at the last upstream frame; 0: at_ns */
	enum drop_cause cause;
	enum setup_stage stage;	 /* CHANNEL_SETUP */
	bool redialled;		 /* a new session over one that lived: the CPE had lost its state */
	const char *shared_risk; /* CHANNEL_DNS: the resolver that is silent; else NULL */
};

enum { OUTAGE_TAPS_MAX = 32 };

/* Every limit that was hit, and what the books and the packets disagree on. */
struct outage_counters {
	uint64_t no_memory, lines_full, troubles_full, taps_full, unknown_lines;
	uint64_t groups_refused, risks_full, unmapped, mismatched;
	uint64_t symptoms, tests, localisations, incidents;
	uint64_t localise_max_findings;	 /* more faults at once than can be told apart */
	uint64_t waves_full, crowd_full; /* more BRAS, or exchanges, than are compared */
};

struct outage_options {
	const struct inventory *inventory; /* or NULL; outlives the outage */
	const struct calendar_plan
		*plans; /* or NULL: an incident of that group opens, and says so */
	uint32_t n_plans, max_lines;
	uint32_t shard; /* two that open the same group at once give it different ids */
	const char *(*line_name)(void *context, uint32_t line);
	void *context; /* of line_name */
};

struct outage *outage_new(const struct outage_options *options, struct report_sink sink);
struct outage *outage_free(struct outage *outage); /* returns NULL */

/* The line is there, or more is known of its place than before. */
void outage_line(struct outage *outage, uint32_t line, const struct outage_place *place);
void outage_take(struct outage *outage, const struct symptom *symptom);

/* The line is no more; its number may be used again. */
void outage_line_gone(struct outage *outage, uint32_t line);

/* Time has come to `now_ns`: ticks that are due run. */
void outage_advance(struct outage *outage, uint64_t now_ns);

/* The tap `tap` sees nothing, or not all, since `since_ns`: its lines are UNKNOWN until it ends.
 * Tells the notice. Lines belong to the tap that heard them last (outage_heard_by). */
void outage_gap_begins(struct outage *outage, uint32_t tap, const char *name, const char *reason,
		       uint64_t since_ns, uint64_t at_ns);
void outage_gap_ends(struct outage *outage, uint32_t tap, uint64_t at_ns);
void outage_heard_by(struct outage *outage, uint32_t line, uint32_t tap);

struct outage_counters outage_counters(const struct outage *outage);

/* A row of the inventory that has the node or the card of this one elsewhere, as most of its lines do;
 * NULL: all agree. *card: it is the card. */
const struct inventory_row *outage_outvoted(const struct outage *outage,
					    const struct inventory_row *row, bool *card);

/* The groups of a line, for its card; at most `room`, valid until the next call. */
uint32_t outage_groups_of(const struct outage *outage, uint32_t line, struct report_group *groups,
			  uint32_t room);

/* Bits 1 << enum symptom_channel of what the line shows now. */
uint32_t outage_symptoms_of(const struct outage *outage, uint32_t line);

#endif
