/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The way of a burst: received, decoded, worked on by whoever asked for it, and freed when the next
 * one is asked for. Until then its buffers are the frames of the burst.
 */
#include <string.h>

#include <rte_ethdev.h>
#include <rte_mbuf.h>
#include <rte_mbuf_dyn.h>

#include "collectors/dpdk_frame.h"
#include "collectors/dpdk_source.h"

enum { ETHERNET = 1 }; /* LINKTYPE_ */

_Static_assert((int)DPDK_SLOT == (int)RTE_MBUF_DEFAULT_DATAROOM, "as much as a buffer holds");

static inline uint64_t stamp_ns(const struct nic *nic, const struct rx *rx, struct rte_mbuf *m,
				uint64_t now_ns)
{
	uint64_t stamp;

	if (!(m->ol_flags & nic->stamp_flag) || rx->port->stamp == STAMP_NONE)
		return now_ns;
	stamp = *RTE_MBUF_DYNFIELD(m, nic->stamp_offset, rte_mbuf_timestamp_t *);
	return rx->port->stamp == STAMP_UNIX_US ? stamp * 1000 : nic_clock_ns(&rx->clock, stamp);
}

/* Not as on the wire, or its first piece is too short. */
static inline bool is_odd(const struct rte_mbuf *m)
{
	return m->ol_flags & (RTE_MBUF_F_RX_VLAN_STRIPPED | RTE_MBUF_F_RX_QINQ_STRIPPED) ||
	       (m->nb_segs > 1 && m->data_len < DPDK_MTU);
}

static void rebuild(struct dpdk_source *s, const struct rte_mbuf *m, struct raw_frame *f,
		    uint8_t *room)
{
	s->retagged += dpdk_frame_lacks_tags(m);
	s->joined += m->nb_segs > 1;
	f->bytes = room;
	f->caplen = dpdk_frame_rebuild(m, room, DPDK_SLOT);
	f->wire_len = dpdk_frame_wire_len(m);
}

static inline struct raw_frame frame_of(struct dpdk_source *s, const struct rx *rx,
					struct rte_mbuf *m, uint64_t now_ns, uint8_t *room)
{
	struct raw_frame f = {.ts_ns = stamp_ns(s->nic, rx, m, now_ns),
			      .bytes = rte_pktmbuf_mtod(m, const uint8_t *),
			      .caplen = RTE_MIN(m->data_len, DPDK_SLOT),
			      .wire_len = m->pkt_len,
			      .link = ETHERNET};

	if (unlikely(is_odd(m)))
		rebuild(s, m, &f, room);
	return f;
}

void dpdk_give_back(struct dpdk_source *s)
{
	if (s->n_held)
		rte_pktmbuf_free_bulk(s->held, s->n_held);
	s->n_held = 0;
}

static void take_all(struct dpdk_source *s, const struct rx *rx, struct burst *burst)
{
	struct rte_mbuf **mbufs = s->held;
	uint32_t n = s->n_held;
	uint64_t now_ns = clock_ns(CLOCK_REALTIME);
	struct raw_frame frames[BURST_MAX];

	for (uint32_t i = 0; i < n; i++)
		rte_prefetch0(rte_pktmbuf_mtod(mbufs[i], void *));
	for (uint32_t i = 0; i < n; i++)
		frames[i] = frame_of(s, rx, mbufs[i], now_ns, s->rebuilt[i]);
	s->decoder.side = rx->port->side;
	decode_frames(&s->decoder, burst, frames, n);
	decode_burst(&s->decoder, burst);
}

/* A capture file that gives nothing has ended; or it cannot be read on, which the driver counts. */
static void end_file(struct dpdk_source *s, struct rx *rx)
{
	struct rte_eth_stats stats;

	rx->ended = true;
	if (rte_eth_stats_get(rx->port->id, &stats) || !stats.ierrors)
		return;
	s->damaged = true;
	nic_tell(s->nic, "dpdk: %s: the capture is damaged or cut after packet %llu",
		 rx->port->name, (unsigned long long)stats.ipackets);
}

uint32_t dpdk_receive(struct dpdk_source *s, struct burst *burst)
{
	dpdk_give_back(s);
	for (uint32_t i = 0; i < s->n_rx; i++) {
		struct rx *rx = &s->rx[s->turn];

		s->turn = s->turn + 1 < s->n_rx ? s->turn + 1 : 0;
		if (rx->ended)
			continue;
		s->n_held = rte_eth_rx_burst(rx->port->id, rx->queue, s->held, BURST_MAX);
		if (s->n_held) {
			take_all(s, rx, burst);
			return s->n_held;
		}
		if (rx->port->file)
			end_file(s, rx);
	}
	return 0;
}

bool dpdk_has_ended(const struct dpdk_source *s)
{
	for (uint32_t i = 0; i < s->n_rx; i++)
		if (!s->rx[i].ended)
			return false;
	return true;
}
