/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The inventory as its owner keeps it: 3 % of the lines stand where they are not, 5 % are not
 * placed or not in it at all, some columns are missing, some are nobody else's, and a row may be
 * there twice.
 */
#ifndef RASAD_SIM_INVENTORY_H
#define RASAD_SIM_INVENTORY_H

#include <stdint.h>

#include "tools/rasad-sim/world.h"

struct inventory_errors {
	uint32_t wrong, unplaced, absent, twice;
};

struct inventory_errors inventory_write(const struct world *world, const char *folder);
void phone_of(const struct world *world, uint32_t line, char out[NAME_SIZE]);

#endif
