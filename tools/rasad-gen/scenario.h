/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef RASAD_GEN_SCENARIO_H
#define RASAD_GEN_SCENARIO_H

#include "tools/rasad-gen/world.h"

/* Each runs a whole simulation, writes the capture and its truth, and prints a summary line. */
void scenario_tcp(const struct options *o);
void scenario_lines(const struct options *o);
void scenario_demo(const struct options *o);
void scenario_outage(const struct options *o);
void scenario_load(const struct options *o);

#endif
