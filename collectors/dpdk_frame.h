/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The bytes of a received frame, where they do not lie there as they were on the wire: in several
 * pieces, or without the VLAN tags that a device took out although nobody asked it to.
 */
#ifndef RASAD_COLLECTORS_DPDK_FRAME_H
#define RASAD_COLLECTORS_DPDK_FRAME_H

#include <stdbool.h>
#include <stdint.h>

struct rte_mbuf;

/* The device has taken tags out. */
bool dpdk_frame_lacks_tags(const struct rte_mbuf *mbuf);

/*
 * Writes the frame, or the first `room` bytes of it, to `to`, with its tags; returns their number.
 * Of a single tag nobody knows the TPID any more: 802.1Q.
 */
uint32_t dpdk_frame_rebuild(const struct rte_mbuf *mbuf, uint8_t *to, uint32_t room);

/* How long it was on the wire. */
uint32_t dpdk_frame_wire_len(const struct rte_mbuf *mbuf);

#endif
