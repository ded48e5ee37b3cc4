/* SPDX-License-Identifier: BSD-3-Clause */
#include "engine/packet/tcp.h"

#include "ebpf/pkt.h"
#include "engine/packet/loss.h"
#include "engine/packet/meter.h"
#include "engine/packet/rtt.h"
#include "engine/packet/seq.h"

/* A jump that no window explains: the capture lost its thread. */
enum { RESYNC_BYTES = 1 << 28 };

enum { CLOCK_WINDOW_TICKS = 1 << 30 }; /* 137 s */

bool tcp_is_new_connection(const struct flow *f, int dir, const struct pkt *p)
{
	const struct flow_dir *d = &f->dir[dir];
	if (!(p->tcp_flags & TCP_SYN) || !(d->flags & DIR_SEEN))
		return false;
	return !(d->flags & DIR_HANDSHAKE) || p->seq != d->isn;
}

static void start_direction(struct flow_dir *d, uint32_t seq)
{
	d->isn = d->nxt = d->una = d->valid_from = d->sack_hi = seq;
	d->flags |= DIR_SEEN;
}

static void sent(struct meter *m, struct flow *f, int dir, uint32_t start, uint32_t end,
		 uint32_t tick, uint32_t flags)
{
	struct flow_dir *d = &f->dir[dir];
	const struct seg seg = {start, end, tick, flags};
	rtt_sent(m, f, dir, &seg);
	d->nxt = end;
	d->last_tick = tick;
	if (end - d->una > 1u << 30) /* nobody acknowledges on this tap */
		d->una = d->valid_from = d->sack_hi = end;
}

/* Data in a SYN (Fast Open) is not taken as sent: when the server ignores it, it comes again. */
static void syn(struct meter *m, struct flow *f, int dir, const struct pkt *p,
		const struct pkt_extra *x, uint32_t tick)
{
	struct flow_dir *d = &f->dir[dir];
	struct flow_dir_rare *rare;
	if (x->mss && !(d->flags & DIR_SEEN))
		f->dir[!dir].mss =
			(uint16_t)(x->mss - (p->flags & PKT_TIMESTAMPS && x->mss > 100 ? 12 : 0));
	if (!(d->flags & DIR_SEEN)) {
		start_direction(d, p->seq);
		d->flags |= DIR_HANDSHAKE;
		sent(m, f, dir, p->seq, p->seq + 1, tick, SEG_SYN);
		return;
	}
	if (p->seq != d->isn)
		return;
	rare = meter_rare(m, f, dir);
	if (rare)
		rare->syn_retransmit++;
	rtt_resent(m, d, p->seq, p->seq + 1);
}

/* Bare keepalives and window probes carry at most one byte that is not news. */
static bool is_probe(struct meter *m, struct flow *f, int dir, const struct pkt *p)
{
	struct flow_dir *d = &f->dir[dir], *peer = &f->dir[!dir];
	bool before = p->seq == d->nxt - 1, closed = peer->flags & DIR_WINDOW && peer->window == 0;
	struct flow_dir_rare *rare;
	if (p->payload_len > 1 || p->tcp_flags & (TCP_SYN | TCP_FIN | TCP_RST) ||
	    !(d->flags & DIR_SEEN))
		return false;
	if (closed && d->una == d->nxt && (before || (p->payload_len == 1 && p->seq == d->nxt))) {
		rare = meter_rare(m, f, dir);
		if (rare)
			rare->zero_window_probe++;
		return true;
	}
	if (!before || (p->payload_len == 1 && d->una != d->nxt) || d->flags & DIR_FIN)
		return false;
	rare = meter_rare(m, f, dir);
	if (rare)
		rare->keepalive++;
	return true;
}

static bool old_data(struct meter *m, struct flow *f, int dir, uint32_t end, const struct pkt *p,
		     uint32_t tick)
{
	struct flow_dir *d = &f->dir[dir];
	enum loss_verdict verdict;
	if (p->payload_len == 0) { /* a FIN again */
		struct flow_dir_rare *rare = meter_rare(m, f, dir);
		if (rare)
			rare->fin_retransmit++;
		rtt_resent(m, d, p->seq, end);
		return false;
	}
	if (seq_gt(end, p->seq + p->payload_len))
		end = p->seq + p->payload_len; /* a FIN is no segment of its own */
	verdict = loss_old_data(m, f, dir, p->seq, end, p, tick);
	rtt_taint(m, f, dir, p->seq, end);
	return verdict == LOSS_RESENT || verdict == LOSS_SPURIOUS || verdict == LOSS_FILL;
}

static bool data(struct meter *m, struct flow *f, int dir, const struct pkt *p, uint32_t tick)
{
	struct flow_dir *d = &f->dir[dir];
	uint32_t fin = p->tcp_flags & TCP_FIN ? 1 : 0, end = p->seq + p->payload_len + fin;
	if (!(d->flags & DIR_SEEN))
		start_direction(d, p->seq);
	if (seq_gt(p->seq, d->nxt)) {
		if (p->seq - d->nxt > RESYNC_BYTES) {
			loss_forget(m, d);
			rtt_forget(m, d);
			start_direction(d, p->seq);
		} else {
			loss_open(m, d, d->nxt, p->seq, p, tick);
		}
	} else if (seq_lt(p->seq, d->nxt)) {
		bool resent = old_data(m, f, dir, seq_lt(end, d->nxt) ? end : d->nxt, p, tick);
		if (seq_gt(end, d->nxt))
			sent(m, f, dir, d->nxt, end, tick, SEG_RESENT);
		return resent;
	} else if (p->payload_len) {
		loss_tail(m, f, dir, p, tick);
	}
	if (fin)
		d->flags |= DIR_FIN;
	sent(m, f, dir, p->seq, end, tick, 0);
	return false;
}

/* RFC 2883: the first block lies below the ACK, or inside the second block. */
static bool is_dsack(const struct pkt *p, const struct pkt_extra *x)
{
	if (seq_lt(x->sack[0], p->ack))
		return true;
	return x->n_sack > 1 && seq_ge(x->sack[0], x->sack[2]) && seq_le(x->sack[1], x->sack[3]);
}

static void sack(struct meter *m, struct flow *f, int dir, const struct pkt *p,
		 const struct pkt_extra *x, uint32_t tick, bool duplicate_ack)
{
	uint32_t first = 0;
	if (is_dsack(p, x)) {
		loss_dsack(m, f, dir, x->sack[0], x->sack[1], tick);
		first = 1;
	}
	for (uint32_t i = first; i < x->n_sack; i++) {
		uint32_t left = x->sack[2 * i], right = x->sack[2 * i + 1];
		if (seq_lt(left, right) && seq_ge(left, p->ack) && seq_le(right, f->dir[dir].nxt))
			rtt_sacked(m, f, dir, left, right, tick, duplicate_ack && i == first);
	}
}

/* An ACK for data that never passed the tap: a capture gap, when a second one agrees; a single one
 * is somebody's nonsense. */
static void acknowledge_unseen(struct meter *m, struct flow *f, int dir, uint32_t ack)
{
	struct flow_dir *d = &f->dir[dir];
	struct flow_dir_rare *rare = meter_rare(m, f, dir);
	uint32_t bytes = ack - d->nxt, n = meter_segments(d, bytes);
	if (!rare || bytes >= RESYNC_BYTES)
		return;
	if (seq_le(rare->ack_beyond, d->nxt) || seq_gt(rare->ack_beyond, ack)) {
		rare->ack_beyond = ack;
		return;
	}
	if (bytes > 1) {
		m->acked_unseen += n;
		rare->tap_missed += n;
	}
	loss_forget(m, d);
	d->nxt = d->una = ack;
	rtt_forget(m, d);
}

/* The packet acknowledges data of direction `dir`. */
static void acknowledge(struct meter *m, struct flow *f, int dir, const struct pkt *p,
			const struct pkt_extra *x, uint32_t tick)
{
	struct flow_dir *d = &f->dir[dir];
	bool advances;
	d->flags |= DIR_ACKED;
	if (!(d->flags & DIR_SEEN))
		return;
	advances = seq_gt(p->ack, d->una);
	if (seq_gt(p->ack, d->nxt)) { /* of data that never passed the tap */
		acknowledge_unseen(m, f, dir, p->ack);
		return;
	}
	if (advances) {
		bool clean = loss_acked(m, f, dir, p->ack);
		enum ack_reason reason = p->tcp_flags & (TCP_SYN | TCP_FIN) ? ACK_OPENS
					 : p->payload_len		    ? ACK_RIDES
									    : ACK_BARE;
		loss_answered(m, f, dir, p->ack, tick);
		rtt_acked(m, f, dir, p->ack, tick, reason, clean);
	}
	if (!advances && d->holes && !p->payload_len)
		loss_complained(m, d, tick);
	if (p->flags & PKT_SACK)
		sack(m, f, dir, p, x, tick, !advances);
}

/* Linux and most others count packets of a connection in the IP-ID; some use 0 or random. */
static void follow_ip_id(struct flow_dir *d, const struct pkt *p)
{
	uint16_t step = (uint16_t)(p->ip_id - d->last_ip_id);
	if (p->flags & PKT_IPV6 || (p->ip_id == 0 && d->last_ip_id == 0)) {
		d->id_score = 0;
		return;
	}
	if (step >= 1 && step <= 16)
		d->id_score += d->id_score < 7;
	else if (step && step < 0x8000)
		d->id_score -= d->id_score > 0;
	if (step < 0x8000)
		d->last_ip_id = p->ip_id;
}

static void follow_clock(struct flow_dir *d, const struct pkt *p, uint32_t tick)
{
	if (!(p->flags & PKT_TIMESTAMPS))
		return;
	if (!(d->flags & DIR_CLOCK)) {
		d->first_tsval = d->tsval = p->tsval;
		d->first_ts_tick = d->ts_tick = tick;
		d->flags |= DIR_CLOCK;
	} else if (seq_gt(p->tsval, d->tsval)) {
		d->tsval = p->tsval;
		d->ts_tick = tick;
	}
	if (tick - d->first_ts_tick > CLOCK_WINDOW_TICKS) { /* before the tick wraps */
		d->first_tsval = d->tsval;
		d->first_ts_tick = d->ts_tick;
	}
}

static void count(struct meter *m, struct flow *f, int dir, const struct pkt *p)
{
	struct flow_dir *d = &f->dir[dir];
	uint32_t mss = d->mss ? d->mss : 1460, n;
	d->packets++;
	if (!p->payload_len)
		return;
	if (p->payload_len > d->largest && p->payload_len <= mss)
		d->largest = p->payload_len;
	n = meter_segments(d, p->payload_len);
	d->data_packets += n;
	d->bytes += p->payload_len;
	line_at(&m->lines, f->line)->data_packets[flow_dir_is_up(f, dir) ? UP : DOWN] += n;
}

/* Bare ACKs without an IP-ID look alike without being copies. */
static inline bool has_identity(const struct pkt *p)
{
	return p->ip_id || p->payload_len || p->tcp_flags & (TCP_SYN | TCP_FIN);
}

bool tcp_packet(struct meter *m, struct flow *f, int dir, const struct pkt *p,
		const struct pkt_extra *x)
{
	struct flow_dir *d = &f->dir[dir];
	uint32_t tick = meter_tick(p->ts_ns);
	bool resent = false;
	if (has_identity(p) && mirror_copy(&m->mirror, p)) {
		struct flow_dir_rare *rare = meter_rare(m, f, dir);
		if (rare)
			rare->duplicate++;
		return false;
	}
	count(m, f, dir, p);
	if (p->ts_ns > f->last_ns + METER_STALE_NS) {
		rtt_forget(m, &f->dir[0]);
		rtt_forget(m, &f->dir[1]);
	}
	if (p->tcp_flags & TCP_RST) {
		rtt_forget(m, &f->dir[0]);
		rtt_forget(m, &f->dir[1]);
		return false;
	}
	if (p->tcp_flags & TCP_ACK)
		acknowledge(m, f, !dir, p, x, tick);
	if (p->tcp_flags & TCP_SYN)
		syn(m, f, dir, p, x, tick);
	else if (!is_probe(m, f, dir, p) && (p->payload_len || p->tcp_flags & TCP_FIN))
		resent = data(m, f, dir, p, tick);
	d->window = p->window;
	d->flags |= DIR_WINDOW;
	follow_ip_id(d, p);
	follow_clock(d, p, tick);
	return resent;
}
