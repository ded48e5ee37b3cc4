/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What a kernel tap consists of, for the three files that make it: its program and memory
 * (xdp_load.c), its interfaces and hooks (xdp_port.c), its sources (xdp.c).
 */
#ifndef RASAD_COLLECTORS_XDP_TAP_H
#define RASAD_COLLECTORS_XDP_TAP_H

#include <net/if.h>
#include <unistd.h>

#include "collectors/tap_reader.h"
#include "collectors/tell.h"
#include "collectors/xdp.h"

struct tap_bpf;

struct port {
	char name[IF_NAMESIZE];
	int received, sent; /* links; -1: none */
	bool gone;
};

/* What the sources have in common; read only once they run, but for `gone`, which is source 0's. */
struct tap {
	struct xdp_options options;
	struct tap_bpf *bpf;
	struct tap_memory memory;
	struct tap_port sides[TAP_MAX_PORTS];
	struct port ports[TAP_MAX_PORTS];
	uint32_t n_ports;
	size_t map_bytes[3];
	int bell_fd;	      /* wakes the readers; */
	uint64_t *bell;	      /* its consumer's position; */
	const uint64_t *rung; /* and the producer's */
	uint32_t n_sources;
	int socket; /* to ask the kernel about interfaces */
	bool tcx;   /* the kernel knows links of TC */
};

#define xdp_tell(tap, ...) tell((tap)->options.problem, (tap)->options.context, __VA_ARGS__)

static inline void xdp_close_fd(int *fd)
{
	if (*fd >= 0)
		close(*fd);
	*fd = -1;
}

/* All return 0, or -errno after telling the problem. */

/* The programs into the kernel, sized for the options and the ports, and their rings mapped. */
int xdp_load(struct tap *tap);
/* The rings, and the programs that hang nowhere any more. */
void xdp_unload(struct tap *tap);

/* The ports that the options name. */
int xdp_add_ports(struct tap *tap);
int xdp_attach(struct tap *tap);
void xdp_detach(struct tap *tap);
/* Tells which went or came; -EIO when all are gone. */
int xdp_look_at_ports(struct tap *tap);

#endif
