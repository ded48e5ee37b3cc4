/* SPDX-License-Identifier: BSD-3-Clause */
#include "engine/packet/tcp_usual.h"

#include "ebpf/pkt.h"
#include "engine/packet/loss.h"
#include "engine/packet/meter.h"
#include "engine/packet/rtt.h"
#include "engine/packet/seq.h"
#include "engine/packet/tcp_clock.h"

/* A jump that no window explains: the capture lost its thread. */
enum { RESYNC_BYTES = 1 << 28 };

/* A SYN that repeats the one seen lies just below what has been sent since; any other opens a
 * connection of its own. */
enum { SYN_AGAIN_BYTES = 1 << 16 };

static bool repeats_syn(const struct flow_dir *d, const struct pkt *p)
{
	return d->flags & DIR_HANDSHAKE && d->nxt - 1 - p->seq <= SYN_AGAIN_BYTES;
}

bool tcp_is_new_connection(const struct flow *f, int dir, const struct pkt *p)
{
	const struct flow_dir *d = &f->dir[dir];
	return p->tcp_flags & TCP_SYN && d->flags & DIR_SEEN && !repeats_syn(d, p);
}

static void start_direction(struct meter *m, struct flow *f, int dir, uint32_t seq)
{
	struct flow_dir *d = &f->dir[dir];
	struct dir_extra *e = extra_dir(m, f, dir);
	d->nxt = d->una = seq;
	if (e)
		e->valid_from = e->sack_hi = e->ack_beyond = seq;
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
	if (end - d->una > 1u << 30) { /* nobody acknowledges on this tap */
		struct dir_extra *e = extra_dir(m, f, dir);
		d->una = end;
		if (e)
			e->valid_from = e->sack_hi = end;
	}
}

static void follow_clock(struct flow *f, int dir, const struct pkt *p, uint32_t tick)
{
	struct flow_dir *d = &f->dir[dir];
	uint32_t ticks = tick - d->last_tick, delta = p->tsval - d->tsval, step;
	if (!(p->flags & PKT_TIMESTAMPS))
		return;
	if (d->flags & DIR_CLOCK && ticks >= TCP_CLOCK_MIN_TICKS && ticks < 1u << 30 &&
	    delta - 1 < 1u << 30) {
		step = tcp_clock_follow(dir ? f->clock_b : f->clock_a, delta, ticks) & 15;
		if (dir)
			f->clock_b = step;
		else
			f->clock_a = step;
	}
	d->tsval = p->tsval;
	d->flags |= DIR_CLOCK;
}

static void syn_again(struct meter *m, struct flow *f, int dir, uint32_t seq)
{
	struct dir_log *log = extra_log(m, f, dir);
	if (log)
		log->syn_retransmit++;
	rtt_resent(m, f, dir, seq, seq + 1);
}

static void learn_mss(struct flow_dir *d, const struct pkt *p, const struct pkt_extra *x)
{
	uint32_t mss = x->mss - (p->flags & PKT_TIMESTAMPS && x->mss > 100 ? 12u : 0u);
	uint32_t quarter = (mss + 3) / 4;
	if (x->mss)
		d->mss4 = quarter < 4095 ? quarter & 4095 : 4095;
}

/* Data in a SYN (Fast Open) is not taken as sent: when the server ignores it, it comes again. */
static void syn(struct meter *m, struct flow *f, int dir, const struct pkt *p,
		const struct pkt_extra *x, uint32_t tick)
{
	struct flow_dir *d = &f->dir[dir];
	if (d->flags & DIR_SEEN) {
		if (repeats_syn(d, p))
			syn_again(m, f, dir, p->seq);
		return;
	}
	learn_mss(&f->dir[!dir], p, x);
	start_direction(m, f, dir, p->seq);
	d->flags |= DIR_HANDSHAKE;
	follow_clock(f, dir, p, tick);
	sent(m, f, dir, p->seq, p->seq + 1, tick, SEG_SYN);
}

/* Bare keepalives and window probes carry at most one byte that is not news. */
static bool is_probe(struct meter *m, struct flow *f, int dir, const struct pkt *p)
{
	struct flow_dir *d = &f->dir[dir], *peer = &f->dir[!dir];
	bool before = p->seq == d->nxt - 1, closed = peer->flags & DIR_CLOSED;
	struct dir_log *log;
	if (p->payload_len > 1 || p->tcp_flags & (TCP_SYN | TCP_FIN | TCP_RST) ||
	    !(d->flags & DIR_SEEN))
		return false;
	if (closed && d->una == d->nxt && (before || (p->payload_len == 1 && p->seq == d->nxt))) {
		log = extra_log(m, f, dir);
		if (log)
			log->zero_window_probe++;
		return true;
	}
	if (!before || (p->payload_len == 1 && d->una != d->nxt) || d->flags & DIR_FIN)
		return false;
	log = extra_log(m, f, dir);
	if (log)
		log->keepalive++;
	return true;
}

static bool old_data(struct meter *m, struct flow *f, int dir, uint32_t end, const struct pkt *p,
		     uint32_t tick)
{
	enum loss_verdict verdict;
	if (p->payload_len == 0) { /* a FIN again */
		struct dir_log *log = extra_log(m, f, dir);
		if (log)
			log->fin_retransmit++;
		rtt_resent(m, f, dir, p->seq, end);
		return false;
	}
	if (seq_gt(end, p->seq + p->payload_len))
		end = p->seq + p->payload_len; /* a FIN is no segment of its own */
	verdict = loss_old_data(m, f, dir, p->seq, end, p, tick);
	rtt_taint(m, f, dir, p->seq, end);
	return verdict == LOSS_RESENT || verdict == LOSS_SPURIOUS || verdict == LOSS_FILL;
}

/* Behind a jump that no window explains all that was known of the direction is void. */
static void jump(struct meter *m, struct flow *f, int dir, const struct pkt *p, uint32_t tick)
{
	struct dir_extra *e;
	if (p->seq - f->dir[dir].nxt <= RESYNC_BYTES) {
		loss_open(m, f, dir, p->seq, p, tick);
		return;
	}
	e = extra_dir(m, f, dir);
	if (e)
		loss_forget(m, e);
	rtt_forget(m, f, dir);
	start_direction(m, f, dir, p->seq);
}

static bool data(struct meter *m, struct flow *f, int dir, const struct pkt *p, uint32_t tick)
{
	struct flow_dir *d = &f->dir[dir];
	uint32_t fin = p->tcp_flags & TCP_FIN ? 1 : 0, end = p->seq + p->payload_len + fin;
	if (!(d->flags & DIR_SEEN))
		start_direction(m, f, dir, p->seq);
	if (seq_gt(p->seq, d->nxt)) {
		jump(m, f, dir, p, tick);
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
	follow_clock(f, dir, p, tick);
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
	struct dir_extra *e = extra_need(m, f, dir);
	uint32_t bytes = ack - d->nxt, n = meter_segments(d, bytes);
	struct dir_log *log = extra_log(m, f, dir);
	if (!e || bytes >= RESYNC_BYTES)
		return;
	if (seq_le(e->ack_beyond, d->nxt) || seq_gt(e->ack_beyond, ack)) {
		e->ack_beyond = ack;
		return;
	}
	if (bytes > 1)
		m->acked_unseen += n;
	if (bytes > 1 && log)
		log->tap_missed += n;
	loss_forget(m, e);
	d->nxt = d->una = ack;
	rtt_forget(m, f, dir);
}

/* The packet acknowledges data of direction `dir`. */
static void acknowledge(struct meter *m, struct flow *f, int dir, const struct pkt *p,
			const struct pkt_extra *x, uint32_t tick)
{
	struct flow_dir *d = &f->dir[dir];
	bool advances;
	if (!(d->flags & DIR_ACKED))
		d->stride = 0;
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
	if (!advances && f->extra && !p->payload_len)
		loss_complained(m, f, dir, tick);
	if (p->flags & PKT_SACK)
		sack(m, f, dir, p, x, tick, !advances);
}

/* What only a flow report needs. */
static void count_log(struct dir_log *log, const struct pkt *p, uint32_t segments)
{
	if (!log)
		return;
	log->packets++;
	log->data_packets += segments;
	log->bytes += p->payload_len;
}

static inline void count(struct meter *m, struct flow *f, int dir, const struct pkt *p)
{
	struct flow_dir *d = &f->dir[dir];
	uint32_t n = 0;
	if (p->payload_len) {
		tcp_follow_largest(d, p->payload_len);
		n = meter_segments(d, p->payload_len);
		line_pulse(&m->lines, f->line)->data[flow_dir_way(f, dir)] += (uint16_t)n;
	}
	if (m->keep_logs)
		count_log(extra_log(m, f, dir), p, n);
}

/* Bare ACKs without an IP-ID look alike without being copies. */
static inline bool has_identity(const struct pkt *p)
{
	return p->ip_id || p->payload_len || p->tcp_flags & (TCP_SYN | TCP_FIN);
}

static void silence(struct meter *m, struct flow *f)
{
	rtt_forget(m, f, 0);
	rtt_forget(m, f, 1);
}

static bool unusual(struct meter *m, struct flow *f, int dir, const struct pkt *p,
		    const struct pkt_extra *x, uint32_t tick)
{
	bool resent = false;
	count(m, f, dir, p);
	if (p->tcp_flags & TCP_RST) {
		silence(m, f);
		return false;
	}
	if (p->tcp_flags & TCP_ACK)
		acknowledge(m, f, !dir, p, x, tick);
	if (p->tcp_flags & TCP_SYN)
		syn(m, f, dir, p, x, tick);
	else if (!is_probe(m, f, dir, p) && (p->payload_len || p->tcp_flags & TCP_FIN))
		resent = data(m, f, dir, p, tick);
	tcp_follow_sender(&f->dir[dir], p);
	if (f->extra)
		extra_settle(m, f, tick);
	return resent;
}

/* A copy that the mirror port made; only the log of a flow tells of it. */
static bool is_copy(struct meter *m, const struct flow *f, int dir, const struct pkt *p,
		    uint64_t identity)
{
	struct dir_log *log;
	if (!has_identity(p) || !mirror_copy(&m->mirror, p, identity))
		return false;
	log = extra_log(m, f, dir);
	if (log)
		log->duplicate++;
	return true;
}

void tcp_late_data(struct meter *m, struct flow *f, int dir, const struct pkt *p, uint32_t tick)
{
	const struct flow_dir *d = &f->dir[dir];
	if (d->una == d->nxt)
		loss_tail(m, f, dir, p, tick);
	follow_clock(f, dir, p, tick);
}

void tcp_more_data(struct meter *m, struct flow *f, int dir, const struct pkt *p, uint32_t tick)
{
	sent(m, f, dir, p->seq, p->seq + p->payload_len, tick, 0);
}

void tcp_some_ack(struct meter *m, struct flow *f, int dir, const struct pkt *p, uint32_t tick)
{
	if (f->extra)
		loss_answered(m, f, dir, p->ack, tick);
	rtt_acked(m, f, dir, p->ack, tick, p->payload_len ? ACK_RIDES : ACK_BARE, true);
}

bool tcp_packet(struct meter *m, struct flow *f, int dir, const struct pkt *p,
		const struct pkt_extra *x, uint64_t identity)
{
	if (flow_silence(f, p->ts_ns) > TCP_STALE_AGE)
		silence(m, f);
	return !is_copy(m, f, dir, p, identity) && unusual(m, f, dir, p, x, meter_tick(p->ts_ns));
}
