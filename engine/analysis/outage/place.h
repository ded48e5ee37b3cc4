/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Where a line hangs: its leaf in the tree of places and its shared risks, by the inventory where
 * that has a row, else by what packets tell.
 *
 * Books are wrong here and there, and name things in their own ways: a card may be "3" within its
 * node, or "DSLAM-7/3" in the whole network. A level whose names agree on the name above them in
 * most rows is named by itself, below the parent that most of its lines have; else its names are
 * put behind the parent's. A line without a row, whose node packets tell, shares what nearly all
 * lines of that node share. A port is a group only once a second line hangs on it. One thread.
 */
#ifndef RASAD_ENGINE_ANALYSIS_OUTAGE_PLACE_H
#define RASAD_ENGINE_ANALYSIS_OUTAGE_PLACE_H

#include "engine/analysis/outage/group.h"
#include "engine/base/inventory.h"

struct outage_place;

enum { PLACE_RISKS_MAX = 12, PLACE_COLUMNS_MAX = 32, PLACE_INHERITED = 3 };

/* The levels of the tree that have a column. */
enum place_level { LEVEL_EXCHANGE, LEVEL_NODE, LEVEL_CARD, LEVEL_PORT, LEVEL_COUNT };

struct placing {
	struct groups *groups;
	const struct inventory *inventory; /* or NULL */
	int level_column[LEVEL_COUNT];	   /* -1: none */
	struct map majority[LEVEL_COUNT];  /* hash of a cell: row of the parent that most have */
	bool unique[LEVEL_COUNT];	   /* its cells name one thing each */
	struct {
		uint16_t kind;
		int column;
	} risks[PLACE_COLUMNS_MAX];
	uint32_t n_risks;
	struct map inherited[PLACE_INHERITED]; /* by node: row of what most of its lines share */
	struct map ports;     /* hash of a port: its one line + PLACE_ALONE, or its group */
	uint64_t unmapped;    /* lines for which neither packets nor inventory have a place */
	uint64_t mismatched;  /* lines whose node packets and inventory name differently */
	uint64_t risks_full;  /* shared risks beyond PLACE_RISKS_MAX, or columns beyond theirs */
	uint64_t ports_alone; /* unused names of ports are no groups */
};

struct place {
	uint32_t leaf; /* a group of the tree */
	uint32_t risks[PLACE_RISKS_MAX];
	uint8_t n_risks;
	uint32_t moved_line, moved_to; /* another line that hangs on the same port; 0: none */
};

int placing_init(struct placing *placing, struct groups *groups, const struct inventory *inventory);
void placing_fini(struct placing *placing);

/* A row that speaks for most lines of the row's node or card, which has that elsewhere; NULL: the row
 * agrees with them. *level: what is elsewhere. */
const struct inventory_row *placing_outvoted(const struct placing *placing,
					     const struct inventory_row *row,
					     enum place_level *level);

/* The place of line `line` (from 1). */
struct place placing_find(struct placing *placing, uint32_t line, const struct outage_place *seen);

#endif
