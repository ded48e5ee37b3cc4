/* SPDX-License-Identifier: BSD-3-Clause */
#include "collectors/dpdk_frame.h"

#include <string.h>

#include <rte_ether.h>
#include <rte_mbuf.h>

enum { ADDRESSES = 2 * RTE_ETHER_ADDR_LEN, TAG = 4 };

static bool is_qinq(const struct rte_mbuf *m)
{
	return m->ol_flags & RTE_MBUF_F_RX_QINQ_STRIPPED;
}

bool dpdk_frame_lacks_tags(const struct rte_mbuf *m)
{
	return m->ol_flags & (RTE_MBUF_F_RX_VLAN_STRIPPED | RTE_MBUF_F_RX_QINQ_STRIPPED) &&
	       m->pkt_len >= ADDRESSES;
}

static uint32_t tags_length(const struct rte_mbuf *m)
{
	return !dpdk_frame_lacks_tags(m) ? 0 : is_qinq(m) ? 2 * TAG : TAG;
}

uint32_t dpdk_frame_wire_len(const struct rte_mbuf *m)
{
	return m->pkt_len + tags_length(m);
}

static void put_tag(uint8_t *to, uint16_t tpid, uint16_t tci)
{
	const uint8_t tag[TAG] = {(uint8_t)(tpid >> 8), (uint8_t)tpid, (uint8_t)(tci >> 8),
				  (uint8_t)tci};

	memcpy(to, tag, sizeof tag);
}

/* Copies up to `length` bytes from offset `from`; the pieces may end anywhere. */
static uint32_t copy(const struct rte_mbuf *m, uint32_t from, uint32_t length, uint8_t *to)
{
	const void *bytes;

	if (from >= m->pkt_len)
		return 0;
	length = RTE_MIN(length, m->pkt_len - from);
	bytes = rte_pktmbuf_read(m, from, length, to);
	if (!bytes)
		return 0;
	if (bytes != to)
		memcpy(to, bytes, length);
	return length;
}

uint32_t dpdk_frame_rebuild(const struct rte_mbuf *m, uint8_t *to, uint32_t room)
{
	uint32_t tags = tags_length(m);

	if (!tags || room < ADDRESSES + tags)
		return copy(m, 0, room, to);
	copy(m, 0, ADDRESSES, to);
	if (is_qinq(m))
		put_tag(to + ADDRESSES, RTE_ETHER_TYPE_QINQ, m->vlan_tci_outer);
	put_tag(to + ADDRESSES + tags - TAG, RTE_ETHER_TYPE_VLAN, m->vlan_tci);
	return ADDRESSES + tags +
	       copy(m, ADDRESSES, room - ADDRESSES - tags, to + ADDRESSES + tags);
}
