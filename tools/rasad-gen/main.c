/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * rasad-gen: captures with exact ground truth, for testing what claims to measure them.
 *
 * It shares no code with the rest of rasad: checksums, frames and TCP are its own, so that one
 * mistake cannot hide in both. One thread; the same options and seed give the same bytes.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tools/rasad-gen/options.h"
#include "tools/rasad-gen/scenario.h"

static const struct {
	const char *name;
	void (*run)(const struct options *o);
} scenarios[] = {
	{"tcp", scenario_tcp},	     {"lines", scenario_lines}, {"demo", scenario_demo},
	{"outage", scenario_outage}, {"load", scenario_load},
};

int main(int argc, char **argv)
{
	struct options o = options_parse(argc, argv);

	for (size_t i = 0; i < sizeof(scenarios) / sizeof(scenarios[0]); i++)
		if (!strcmp(scenarios[i].name, o.scenario)) {
			char *truth = options_default_truth(&o);

			scenarios[i].run(&o);
			free(truth);
			return 0;
		}
	options_bad("--scenario", o.scenario, "tcp, lines, demo, outage or load");
}
