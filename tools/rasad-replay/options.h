/* SPDX-License-Identifier: BSD-3-Clause */
/* The command line of rasad-replay. */
#ifndef RASAD_TOOLS_RASAD_REPLAY_OPTIONS_H
#define RASAD_TOOLS_RASAD_REPLAY_OPTIONS_H

#include <stdbool.h>
#include <stdint.h>

enum { OPTIONS_MAX_AC = 64 };

struct options {
	bool json, flows, quiet, events, members;
	const char *publish, *inventory, *planned;
	uint32_t top, workers, max_lines, max_flows, shard;
	uint8_t ac_macs[OPTIONS_MAX_AC][6];
	uint32_t n_ac_macs;
	const char *const *files;
	uint32_t n_files;
};

/* -1: go on; else the exit code (help, version, wrong usage). */
int options_read(struct options *options, int argc, char **argv);

#endif
