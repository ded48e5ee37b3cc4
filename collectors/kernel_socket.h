/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Packet sockets that a library opened in this process and keeps to itself.
 *
 * DPDK's net_af_packet does not tell what the kernel let go for want of room in its ring, and
 * net_af_xdp only half of it. The kernel tells whoever asks on the same socket, so the sockets are
 * looked up among the open files of the process. They stay the library's: never closed here.
 */
#ifndef RASAD_COLLECTORS_KERNEL_SOCKET_H
#define RASAD_COLLECTORS_KERNEL_SOCKET_H

#include <stdbool.h>
#include <stdint.h>

enum { KERNEL_SOCKETS_MAX = 32 };

struct kernel_sockets {
	int family; /* AF_PACKET, AF_XDP, or 0: none */
	uint32_t n;
	int fds[KERNEL_SOCKETS_MAX];
	uint64_t dropped; /* AF_PACKET forgets what it has told: the sum is kept here */
};

/*
 * The open sockets of the family, but for those in `known` (may be NULL). AF_PACKET: only those
 * bound to the interface. AF_XDP does not say where it is bound: list before and after.
 */
void kernel_sockets_find(struct kernel_sockets *sockets, int family, int if_index,
			 const struct kernel_sockets *known);

/*
 * Packets that the kernel let go since the sockets were opened and their owner does not tell:
 * of AF_PACKET all, of AF_XDP those that found the receive ring full.
 */
uint64_t kernel_sockets_dropped(struct kernel_sockets *sockets);

/* Takes pending errors ("network is down") off the sockets, which else wake every wait at once. */
void kernel_sockets_calm(const struct kernel_sockets *sockets);

/* The interface is up and has a carrier. */
bool kernel_link_is_up(int if_index);

#endif
