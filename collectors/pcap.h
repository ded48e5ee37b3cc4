/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Capture files as a source: any number of them, merged by time, decoded into bursts.
 *
 * A file that cannot be read, or ends in the middle, gives one message and does not touch the
 * others. One thread.
 */
#ifndef RASAD_COLLECTORS_PCAP_H
#define RASAD_COLLECTORS_PCAP_H

#include <stdint.h>

#include "engine/source.h"

struct pcap_options {
	const char *const *files;    /* kept, not copied */
	const uint8_t (*ac_macs)[6]; /* configured concentrators; the rest is learned */
	uint32_t n_ac_macs;
	uint32_t n_files;
	/* Told each problem once; what was read stays. */
	void (*problem)(void *context, const char *message);
	void *context;
};

/* Opens what can be opened; *source is NULL when that is nothing at all. Returns the number of
 * files that could not be opened, or -errno. */
int pcap_open(struct source **source, const struct pcap_options *options);

/* How much of the files was read, 0..1; -1 when their size is unknown (a pipe). */
double pcap_progress(const struct source *source);

/* Files that ended damaged so far. */
uint32_t pcap_damaged(const struct source *source);

#endif
