/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Nine TCP packets of ten: both sides known, no gap open in what the packet acknowledges, and it
 * is the next data or a bare ACK. What all the others need (tcp.c) is skipped here, never decided in
 * another way. Inline, and made once for data and once for ACKs: which of them the next packet is
 * cannot be predicted, so it is asked once.
 */
#ifndef RASAD_ENGINE_PACKET_TCP_USUAL_H
#define RASAD_ENGINE_PACKET_TCP_USUAL_H

#include <endian.h>
#include <stddef.h>
#include <string.h>

#include "engine/base/hot.h"
#include "engine/packet/meter.h"
#include "engine/packet/rtt.h"
#include "engine/packet/tcp.h"
#include "engine/packet/tcp_clock.h"

enum {
	TCP_STALE_AGE = (int)(METER_STALE_NS >> FLOW_AGE_SHIFT),
	TCP_USUAL_FLAGS = TCP_ACK | TCP_SYN | TCP_FIN | TCP_RST,
};

/* How long the flow has been silent, in steps of FLOW_AGE_SHIFT; negative: the packet is late. */
HOT_INLINE int32_t flow_silence(const struct flow *f, uint64_t ts_ns)
{
	return (int32_t)(flow_age(ts_ns) - f->last);
}

/* Linux and most others count packets of a connection in the IP-ID; some use 0 or random. IPv6 has
 * none: 0 here. */
HOT_INLINE void tcp_follow_ip_id(struct flow_dir *d, const struct pkt *p)
{
	/* by score, and whether the step is one that counts (3), or only forward (1) */
	static const uint8_t scores[8 * 4] = {
		0, 0, 0, 1, 1, 0, 1, 2, 2, 1, 2, 3, 3, 2, 3, 4,
		4, 3, 4, 5, 5, 4, 5, 6, 6, 5, 6, 7, 7, 6, 7, 7,
	};
	uint16_t step = (uint16_t)(p->ip_id - d->last_ip_id);
	uint32_t counts = (uint16_t)(step - 1u)<16, forward = (int16_t)step> 0;
	d->id_score = scores[d->id_score << 2 | counts << 1 | forward] & 7;
	d->last_ip_id = forward ? p->ip_id : d->last_ip_id;
}

HOT_INLINE void tcp_follow_sender(struct flow_dir *d, const struct pkt *p)
{
	uint8_t closed = p->window ? 0 : DIR_CLOSED;
	d->flags = (uint8_t)((d->flags & ~DIR_CLOSED) | closed);
	tcp_follow_ip_id(d, p);
}

HOT_INLINE void tcp_follow_largest(struct flow_dir *d, uint32_t len)
{
	uint32_t mss;
	if (len <= d->largest)
		return;
	mss = meter_offered_mss(d);
	if (len <= (mss ? mss : 1460))
		d->largest = (uint16_t)len;
}

/* The last word of the record says what the packet is. Of a usual one: TCP, no SACK blocks, an ACK that
 * neither begins nor ends anything. */
HOT_INLINE bool tcp_is_usual_kind(const struct pkt *p)
{
	const uint32_t mask =
		0xffu << 8 | (uint32_t)PKT_SACK << 16 | (uint32_t)TCP_USUAL_FLAGS << 24;
	uint32_t word;
	_Static_assert(offsetof(struct pkt, kind) == offsetof(struct pkt, verdict) + 1 &&
			       offsetof(struct pkt, flags) == offsetof(struct pkt, verdict) + 2 &&
			       sizeof(struct pkt) == offsetof(struct pkt, verdict) + 4,
		       "four bytes, read at once");
	memcpy(&word, &p->verdict, sizeof word);
	return (le32toh(word) & mask) == (KIND_TCP << 8 | (uint32_t)TCP_ACK << 24);
}

/* Of a flow whose key is the packet's. The flow is not over either, then. */
HOT_INLINE bool tcp_is_usual(const struct meter *m, const struct flow *f, int dir,
			     const struct pkt *p)
{
	const struct flow_dir *d = &f->dir[dir], *peer = &f->dir[!dir];
	return tcp_is_usual_kind(p) && p->seq == d->nxt && p->window &&
	       (!f->extra || extra_is_whole(m, f, !dir)) && p->payload_len != 1 &&
	       (peer->flags & (DIR_SEEN | DIR_ACKED | DIR_CLOSED)) == (DIR_SEEN | DIR_ACKED) &&
	       (d->flags & (DIR_SEEN | DIR_CLOSED)) == DIR_SEEN &&
	       p->ack - peer->una <= peer->nxt - peer->una && d->nxt - d->una < 1u << 29 &&
	       flow_silence(f, p->ts_ns) <= TCP_STALE_AGE;
}

HOT_INLINE void tcp_usual_ack(struct meter *m, struct flow *f, int dir, const struct pkt *p,
			      bool has_data)
{
	const struct flow_dir *d = &f->dir[dir];
	uint32_t tick = meter_tick(p->ts_ns);
	if (p->ack == d->nxt && d->newest_len && !f->extra)
		rtt_acked_all(m, f, dir, tick, has_data ? ACK_RIDES : ACK_BARE);
	else
		tcp_some_ack(m, f, dir, p, tick);
}

HOT_INLINE void tcp_usual_data(struct meter *m, struct flow *f, int dir, const struct pkt *p)
{
	struct flow_dir *d = &f->dir[dir];
	uint32_t tick = meter_tick(p->ts_ns);
	tcp_follow_largest(d, p->payload_len);
	if ((int32_t)(tick - d->last_tick) >= (int32_t)TCP_CLOCK_MIN_TICKS ||
	    !(d->flags & DIR_CLOCK))
		tcp_late_data(m, f, dir, p, tick);
	d->tsval = p->tsval;
	if (f->extra || !rtt_sent_next(d, p->payload_len, tick)) {
		tcp_more_data(m, f, dir, p, tick);
		return;
	}
	d->nxt += p->payload_len;
	d->last_tick = tick;
}

/* Accounts a usual packet, with data or without, but does not count its segments. `flow`: hash of
 * its flow. */
HOT_INLINE void tcp_usual(struct meter *m, struct flow *f, int dir, const struct pkt *p,
			  uint32_t flow, bool has_data)
{
	if (p->ack != f->dir[!dir].una)
		tcp_usual_ack(m, f, !dir, p, has_data);
	if (has_data) {
		mirror_note(&m->mirror, p, mirror_identity(p, flow));
		tcp_usual_data(m, f, dir, p);
	}
	tcp_follow_ip_id(&f->dir[dir], p);
	if (f->extra)
		extra_settle(m, f, meter_tick(p->ts_ns));
}

#endif
