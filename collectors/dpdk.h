/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * DPDK ports as sources: NICs, and the virtual devices (net_pcap, net_af_packet, net_af_xdp, ...)
 * that ordinary EAL arguments make. Opened once in the life of a process: EAL allows no more.
 *
 * One source per receive queue: queue k of every port belongs to source k, which asks its ports
 * in turn. A burst is received, decoded and freed in the same stage; only the bytes of control
 * messages are copied. The first 2048 bytes of each frame are looked at.
 *
 * Time: the stamp of the NIC where its clock can be asked (nic_clock.h) and the capture's own for
 * net_pcap (which cuts it to microseconds), else one look at the clock per burst.
 *
 * Dropped is what the device says it let go for want of room, and what the kernel let go behind
 * a virtual device that hides it (kernel_socket.h). Ports that lose their link are waited for.
 *
 * A source that has nothing to do spins for some microseconds, then waits: for an interrupt of
 * every queue where the devices can, else in naps that grow to 1 ms. At line rate a nap of 1 ms
 * is longer than the rings of most NICs: `busy` spins instead.
 */
#ifndef RASAD_COLLECTORS_DPDK_H
#define RASAD_COLLECTORS_DPDK_H

#include <stdbool.h>
#include <stdint.h>

#include "engine/source.h"

enum { DPDK_MAX_QUEUES = 16 };

struct dpdk_options {
	const char *ports; /* eal_args.h; "" is all that there are */
	char **eal;	   /* arguments for EAL; they win over rasad's own */
	uint32_t n_eal;
	const uint8_t (*ac_macs)[6]; /* configured concentrators; the rest is learned */
	uint32_t n_ac_macs;
	uint32_t n_queues; /* of each port; 1..DPDK_MAX_QUEUES */
	bool busy;	   /* never sleep */
	/* Told what went wrong, and what is only a warning; from the threads of all sources. */
	void (*problem)(void *context, const char *message);
	void *context;
};

/*
 * Fills `sources`, which has room for n_queues. Returns 0; or -errno after telling the problem.
 * `next` waits for at most some 20 ms; it ends when all its ports play capture files and these
 * have ended, and returns -EIO, the problem told, when one is damaged. The ports are closed with
 * the last source.
 */
int dpdk_open(struct source **sources, const struct dpdk_options *options);

/* All that it will ever read are capture files: time is that of the packets alone. */
bool dpdk_plays_files(const struct source *source);

#endif
