/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The network that is simulated: lines, and the groups that each of them hangs on.
 *
 * Truth lives here. What the inventory says of it, with its errors, is inventory.c's business, and
 * the style of its names and which columns it has are drawn from the seed, because no two
 * providers keep their books alike.
 */
#ifndef RASAD_SIM_WORLD_H
#define RASAD_SIM_WORLD_H

#include <stdbool.h>
#include <stdint.h>

#include "tools/rasad-sim/rng.h"

#define NONE UINT32_MAX

enum group_type {
	GROUP_EXCHANGE,
	GROUP_NODE,
	GROUP_CARD,
	GROUP_PORT, /* a PON, or the port of one copper line */
	GROUP_CABINET,
	GROUP_FEEDER, /* of electric power: two neighbouring cabinets or PON groups */
	GROUP_MDF,
	GROUP_BRAS,
	GROUP_BRAS_PORT,
	GROUP_SVLAN,
	GROUP_POOL,
	GROUP_VENDOR,
	GROUP_RESOLVER,
	GROUP_RADIUS,
	GROUP_TARIFF,
	GROUP_TYPES,
	GROUP_ALL = GROUP_TYPES, /* every line: no column */
};

/* As in the inventory's header, and as an incident's group_type says it. */
extern const char *const group_columns[GROUP_TYPES], *const group_names[GROUP_TYPES + 1];

struct group {
	uint32_t number; /* within its parent, from 1 */
	uint32_t parent; /* port: card, card: node, node: exchange, BRAS port: BRAS ... or NONE */
	uint32_t lines;
};

struct groups {
	struct group *at;
	uint32_t n, room;
	uint32_t *first,
		*members; /* lines of group g: members[first[g]] .. members[first[g + 1]] */
};

struct line {
	uint32_t group[GROUP_TYPES]; /* or NONE */
	float drops_per_day;	     /* of its own, involuntary */
	uint32_t phone;		     /* subscribers with two lines have one number */
	bool fibre, daily_reconnect;
};

struct style {
	bool circuit_names;	   /* "DSLAM-12 atm 0/3/17:8.35", else "L0000123" */
	bool own_card_names;	   /* "DSLAM-12-C3", else "3", which only its node makes unique */
	bool city_names, slash;	   /* "0/3" for card 3 */
	bool persian;		   /* cabinets are called as the field crews call them */
	uint32_t svlan_nodes;	   /* nodes that share an S-VLAN; 0: each node has two */
	bool missing[GROUP_TYPES]; /* columns that the inventory does not have */
};

struct world {
	uint64_t seed;
	uint32_t n_lines, days;
	double misfit;	      /* sigma of what an hour of an exchange differs from the usual */
	bool radius_evidence; /* accounting records alone: no suspects, late */
	bool idle_suspects;   /* a missed LCP echo is told before the third one is */
	bool vendor_reboots, sessions_cleared;
	struct style style;
	struct line *lines;
	struct groups groups[GROUP_TYPES];
	char *names; /* of lines */
	uint32_t *name_at;
	float *hour_factor; /* [exchange * hours + hour] */
	uint32_t hours;
};

void world_build(struct world *world);
void world_fini(struct world *world);

uint32_t world_group_lines(const struct world *world, enum group_type type, uint32_t group);
uint32_t world_member(const struct world *world, enum group_type type, uint32_t group, uint32_t i);
bool world_in_group(const struct world *world, uint32_t line, enum group_type type, uint32_t group);
static inline const char *world_line_name(const struct world *world, uint32_t line)
{
	return world->names + world->name_at[line];
}

#define NAME_SIZE 64
/* The cell of the inventory. */
void name_cell(const struct world *world, enum group_type type, uint32_t group,
	       char out[NAME_SIZE]);
/* What an incident should call it: a card or port is qualified where the cell is not unique. */
void name_group(const struct world *world, enum group_type type, uint32_t group,
		char out[NAME_SIZE]);
void name_lines(struct world *world);

#endif
