/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A small network for tests of incidents: four nodes of four cards of 24 lines, each node behind a
 * VLAN of its own, all behind one BRAS; and what was told of it. Times are seconds from the start.
 */
#ifndef RASAD_TESTS_ENGINE_ANALYSIS_OUTAGE_WORLD_H
#define RASAD_TESTS_ENGINE_ANALYSIS_OUTAGE_WORLD_H

#include <stdbool.h>
#include <stdint.h>

#include "engine/analysis/outage/outage.h"
#include "engine/analysis/outage/state.h"
#include "engine/base/calendar.h"

enum { NODES = 4, CARDS = 4, CARD_LINES = 24, LINES = NODES * CARDS * CARD_LINES, TOLD_MAX = 512 };
#define WORLD_START_NS (1700000000 * SECOND_IN_NS)
#define SECOND_S       1000000000ll

/* What was told. */
struct told {
	char id[40], superseded_by[40], type[32], group[64], equivalent[64];
	enum incident_state state;
	enum incident_class class;
	enum category category;
	enum severity severity;
	uint32_t revision, reopened;
	uint64_t affected, peak, members;
	double onset_s, changed_s, clear_s;
	bool planned, page;
};

struct world {
	struct outage *outage;
	struct told told[TOLD_MAX];
	uint32_t n_told, gaps_begun, gaps_ended;
	uint64_t gap_lines;
};

/* Everything is up. */
void world_begin(struct world *w);
void world_begin_with(struct world *w, struct outage_options options);
void world_end(struct world *w);
uint64_t world_at(double s);
uint32_t world_line(int node, int card, int line);
void world_say(struct world *w, double s, uint32_t line, enum symptom_channel channel,
	       enum symptom_state state);
/* Lines from .. to - 1 of a card, a hundredth of a second apart. */
void world_card(struct world *w, double s, int node, int card, int from, int to,
		enum symptom_channel channel, enum symptom_state state);
/* A whole card. */
void world_cut(struct world *w, double s, int node, int which);
void world_heal(struct world *w, double s, int node, int which);
void world_run_to(struct world *w, double s);
/* Single lines, each at its own time; the list is put in order. */
struct world_drop {
	double s;
	uint32_t line;
};
void world_drop(struct world *w, struct world_drop *drops, uint32_t n);
/* What was told last. */
const struct told *world_last(const struct world *w);
/* Incidents that were told of. */
uint32_t world_distinct(const struct world *w);
const struct group *world_group(const struct world *w, const char *name);

#endif
