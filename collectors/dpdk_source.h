/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What a source of DPDK consists of, for the three files that make it: how its packets come
 * (dpdk_receive.c), how it waits for them (dpdk_wait.c), its life and its face (dpdk.c).
 */
#ifndef RASAD_COLLECTORS_DPDK_SOURCE_H
#define RASAD_COLLECTORS_DPDK_SOURCE_H

#include <stdbool.h>
#include <stdint.h>

#include "collectors/dpdk.h"
#include "collectors/dpdk_port.h"
#include "collectors/nic_clock.h"
#include "collectors/tell.h"
#include "engine/decode.h"

struct rte_epoll_event;
struct rte_mbuf;

enum { DPDK_SLOT = 2048 }; /* bytes of a frame that are looked at */

/* One queue of one port. */
struct rx {
	struct dpdk_port *port;
	uint16_t queue;
	bool ended;
	struct nic_clock clock;
};

struct nic;

struct dpdk_source {
	struct source source; /* first: the face */
	struct nic *nic;
	uint32_t index;
	struct decoder decoder;
	struct rx rx[DPDK_MAX_PORTS];
	uint32_t n_rx, turn;
	int epoll;		      /* wakes for every queue; -1: naps instead */
	struct rte_epoll_event *wake; /* owned */
	uint32_t n_wake;
	bool in_thread, damaged;
	uint32_t nap_us, bursts;
	uint64_t look_ms;
	uint64_t joined, retagged;
	struct rte_mbuf *held[BURST_MAX]; /* of the burst that is being worked on */
	uint32_t n_held;
	/* Frames that were in pieces, or without their tags. */
	uint8_t rebuilt[BURST_MAX][DPDK_SLOT];
};

/* What the sources have in common: read only, but for the ports, which are source 0's to watch. */
struct nic {
	struct dpdk_options options;
	struct dpdk_ports ports;
	struct dpdk_source *sources[DPDK_MAX_QUEUES];
	uint32_t n_sources;
	bool eal; /* is up */
	uint64_t stamp_flag;
	int stamp_offset;
};

#define nic_tell(nic, ...) tell((nic)->options.problem, (nic)->options.context, __VA_ARGS__)

/* One burst, of the next port that has any: how many packets. It is good until the next call, or
 * until its buffers are given back. */
uint32_t dpdk_receive(struct dpdk_source *source, struct burst *burst);
void dpdk_give_back(struct dpdk_source *source);

/* All its ports play captures that have ended. */
bool dpdk_has_ended(const struct dpdk_source *source);

/* Waits for a burst, for some 20 ms; 0: none came. */
uint32_t dpdk_await(struct dpdk_source *source, struct burst *burst);

/* Looks at links and clocks, at most once a second. */
void dpdk_look_around(struct dpdk_source *source);

/* What wakes it; where a queue has nothing that does, it naps. */
void dpdk_open_wakes(struct dpdk_source *source);
void dpdk_close_wakes(struct dpdk_source *source);

#endif
