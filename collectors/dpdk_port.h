/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Ports of DPDK for collectors/dpdk.c: found, configured to receive all and change nothing,
 * started, watched, and asked for their counters.
 */
#ifndef RASAD_COLLECTORS_DPDK_PORT_H
#define RASAD_COLLECTORS_DPDK_PORT_H

#include <stdbool.h>
#include <stdint.h>

#include "collectors/dpdk.h"
#include "collectors/eal_args.h"
#include "collectors/kernel_socket.h"
#include "engine/source.h"

struct hush;

enum {
	DPDK_PORT_COUNTERS = 6,
	DPDK_SOURCE_COUNTERS = 2,
	DPDK_MAX_PORTS = 16,
	DPDK_MTU = 1600, /* 1500, PPPoE with RFC 4638, and tags */
};

_Static_assert(DPDK_MAX_PORTS *DPDK_PORT_COUNTERS + DPDK_MAX_QUEUES * DPDK_SOURCE_COUNTERS <=
		       SOURCE_MAX_COUNTERS,
	       "the counters of all sources have room, also together");

/* Which clock the time stamps of a port are of. */
enum dpdk_stamp { STAMP_NONE, STAMP_UNIX_US, STAMP_TICKS };

struct dpdk_port {
	uint16_t id;
	char name[EAL_PORT_NAME];
	uint8_t side; /* enum pkt_dir */
	enum dpdk_stamp stamp;
	bool file;	 /* plays a capture, and will end */
	bool keeps;	 /* what finds no buffer waits for one */
	bool interrupts; /* were asked for */
	bool by_line;	 /* more than one queue, but a line has one */
	int if_index;	 /* of the kernel's interface behind it; 0: none */
	struct kernel_sockets sockets;
	bool link_down;
	uint64_t link_downs;
};

struct dpdk_ports {
	struct dpdk_port list[DPDK_MAX_PORTS];
	uint32_t n, queues; /* ports, and queues of each */
	bool busy;
};

/*
 * Starts the ports that `spec` names, all if it is empty, with ports->queues queues. Returns 0; or
 * -errno, the reason the last note. What was started is stopped by dpdk_ports_close in any case.
 */
int dpdk_ports_open(struct dpdk_ports *ports, const char *spec, struct hush *hush);
void dpdk_ports_close(struct dpdk_ports *ports);

/* Looks at the link; returns whether it has changed. */
bool dpdk_port_link_changed(struct dpdk_port *port);

/* The clock of STAMP_TICKS. */
bool dpdk_port_read_clock(const struct dpdk_port *port, uint64_t *ticks);

void dpdk_count(struct source_stats *stats, const char *whose, const char *what, uint64_t value);
void dpdk_count_port(struct source_stats *stats, struct dpdk_port *port);

#endif
