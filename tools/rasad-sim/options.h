/* SPDX-License-Identifier: BSD-3-Clause */
/* The command line. Wrong usage ends the program with status 2. */
#ifndef RASAD_SIM_OPTIONS_H
#define RASAD_SIM_OPTIONS_H

#include <stdbool.h>
#include <stdint.h>

#include "tools/rasad-sim/fault.h"

struct options {
	const char *output;
	uint64_t seed;
	uint32_t lines, days;
	enum mix faults;
	double per_day;
	double misfit; /* < 0: drawn */
	const char *columns;
	bool radius, calls, no_benign;
};

struct options options_parse(int argc, char **argv);

#endif
