/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Groups of lines: the tree of places and the shared risks that cut across it, with what is counted
 * of each. Counters are whole numbers, so that they are the same whatever the order of events, and
 * a parent's are the sum of its children's and of its own lines. One thread.
 */
#ifndef RASAD_ENGINE_ANALYSIS_OUTAGE_GROUP_H
#define RASAD_ENGINE_ANALYSIS_OUTAGE_GROUP_H

#include "engine/analysis/outage/kind.h"
#include "engine/analysis/report.h"
#include "engine/base/map.h"

enum { GROUP_NONE = 0, GROUP_ROOT = 1 };

/* Weights of evidence are counted in quarters of a line. */
enum { QUARTERS = 4 };

struct group {
	uint64_t set;  /* sum of the hashes of its lines: equal sets have equal sums */
	uint64_t rate; /* drops of its eligible lines, in RATE_UNITs */
	uint32_t members;
	uint32_t eligible;		   /* lines that could show a symptom now */
	uint32_t tried;			   /* lines that tried to set up a session lately */
	uint32_t quarters[CHANNEL_COUNT];  /* evidence that no incident explains */
	uint32_t fresh[CHANNEL_COUNT];	   /* of these, not older than BURST_NS */
	uint32_t relief[CHANNEL_COUNT];	   /* suspicions that proved wrong just now, alike */
	uint64_t candidate[CHANNEL_COUNT]; /* the tick since when it is significant; 0: it is not */
	uint32_t incident[CHANNEL_COUNT];  /* open on it; 0: none */
	uint32_t parent, first_child, next; /* in the tree; next: sibling */
	uint16_t kind;
	uint8_t depth, listed; /* listed: bits of channels in which a test is due */
	char *name;	       /* owned */
};

struct groups {
	struct group *at; /* owned, from 1 */
	uint32_t n, room;
	struct map index;	 /* by hash of kind, parent and name */
	const char **kind_names; /* owned array, of KIND_COLUMN and above */
	uint32_t n_kind_names;
	uint64_t refused; /* no memory, or two names of one hash */
};

int groups_init(struct groups *groups); /* 0, or -ENOMEM */
void groups_fini(struct groups *groups);

/* The kind of an inventory column; `name` outlives the groups. */
uint16_t groups_column(struct groups *groups, const char *name);

/* The group of this kind and name, made when it is new; below `parent` when in the tree.
 * GROUP_NONE when refused. */
uint32_t groups_get(struct groups *groups, uint16_t kind, uint32_t parent, const char *name);

struct report_group groups_name(const struct groups *groups, uint32_t group);

/* Whether both have the same lines. */
static inline bool groups_equal(const struct groups *groups, uint32_t a, uint32_t b)
{
	return groups->at[a].set == groups->at[b].set &&
	       groups->at[a].members == groups->at[b].members;
}

/* Whether `group` is `above` or stands below it in the tree. */
bool groups_below(const struct groups *groups, uint32_t group, uint32_t above);

#endif
