/* SPDX-License-Identifier: BSD-3-Clause */
/* Which lines hang on what, by the inventory alone: one group for each value of each column. */
#ifndef RASAD_BASELINE_GROUPS_H
#define RASAD_BASELINE_GROUPS_H

#include <stdint.h>

#include "engine/base/inventory.h"
#include "engine/base/map.h"

#define NONE UINT32_MAX

struct group {
	const char *type, *name; /* name: owned */
	uint32_t members;
};

struct groups {
	struct group *at;
	uint32_t n, room;
	uint32_t n_lines, columns;
	uint32_t *of_line;    /* [line * columns + column], NONE where the cell is empty */
	uint32_t node_column; /* or NONE */
	struct map lines;     /* hash of the name -> line */
};

/* 0, or -ENOMEM. */
int groups_load(struct groups *groups, const struct inventory *inventory);
void groups_fini(struct groups *groups);
/* The number of a line by its name of `n` bytes, or NONE. */
uint32_t groups_line(const struct groups *groups, const char *name, size_t n);

#endif
