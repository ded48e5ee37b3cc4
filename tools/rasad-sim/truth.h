/* SPDX-License-Identifier: BSD-3-Clause */
/* What really happened, one JSON object a line: the world, faults, benign events, calls. */
#ifndef RASAD_SIM_TRUTH_H
#define RASAD_SIM_TRUTH_H

#include <stdio.h>

#include "tools/rasad-sim/inventory.h"
#include "tools/rasad-sim/life.h"

void truth_write(const struct sim *sim, struct inventory_errors errors, FILE *f);

#endif
