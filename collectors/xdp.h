/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Ethernet interfaces of this kernel as sources, through programs in the kernel (ebpf/tap.bpf.c).
 *
 * As a rule every packet passes on untouched: XDP sees what an interface receives, TC what it
 * sends. On a mirror port (`drop`) XDP alone sees what comes, and frees it in the driver. All hooks
 * are links: they are gone when the process is, however it ends.
 *
 * A source reads the rings of every n-th CPU, merged by time: one source keeps all packets in the
 * order in which they came. It looks every 4 ms, 16 ms while nothing comes (1 ms where there are
 * several), and is woken when a quarter of a ring is full. Inline its thread makes way for those that
 * handle packets: SCHED_BATCH, and 10 nicer. Time is the system's, read in the kernel when the packet is there.
 *
 * Dropped is what the rings had no room for. The first 2047 bytes of a frame are looked at.
 */
#ifndef RASAD_COLLECTORS_XDP_H
#define RASAD_COLLECTORS_XDP_H

#include <stdbool.h>
#include <stdint.h>

#include "engine/source.h"

enum { XDP_MAX_SOURCES = 16 };

struct xdp_options {
	const char *interfaces; /* "eth1,eth2:core" (eal_args.h) */
	bool drop;		/* a mirror port */
	const uint8_t (*ac_macs)[6];
	uint32_t n_ac_macs;
	uint32_t n_sources; /* 1..XDP_MAX_SOURCES */
	uint64_t buffer_bytes;
	/* Told what went wrong, and what is only a warning; from the threads of all sources. */
	void (*problem)(void *context, const char *message);
	void *context;
};

/* Fills `sources`, which has room for n_sources. Returns 0; or -errno after telling the problem. */
int xdp_open(struct source **sources, const struct xdp_options *options);

#endif
