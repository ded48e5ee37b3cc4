/* SPDX-License-Identifier: BSD-3-Clause */
/* The command line of rasadd. */
#ifndef RASAD_TOOLS_RASADD_OPTIONS_H
#define RASAD_TOOLS_RASADD_OPTIONS_H

#include <stdbool.h>
#include <stdint.h>

enum { OPTIONS_MAX_AC = 64, OPTIONS_MAX_INPUTS = 256 };

struct options {
	const char *inputs[OPTIONS_MAX_INPUTS]; /* what follows "pcap:": files, or one interface */
	uint32_t n_inputs;
	const char *dpdk; /* what follows "dpdk:", or NULL: then there are inputs */
	const char *xdp;  /* what follows "xdp:", or NULL */
	const char *tap;  /* as given, or NULL */
	bool drop;	  /* tap: a mirror port */
	char **eal;	  /* what follows "--" */
	uint32_t n_eal, queues;
	bool busy;
	const char *redis, *inventory, *planned, *summary;
	uint32_t shard, workers, max_lines, max_flows, buffer_mib;
	uint32_t speed; /* of files: times their own pace; 0: as fast as can be */
	uint8_t ac_macs[OPTIONS_MAX_AC][6];
	uint32_t n_ac_macs;
	bool check;
};

/* -1: go on; else the exit code (help, version, wrong usage). */
int options_read(struct options *options, int argc, char **argv);

#endif
