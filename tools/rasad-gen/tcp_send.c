/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The sending half: a scoreboard of segments, congestion control and the timers.
 *
 * With SACK a segment is lost once `reorder_degree` segments above it were SACKed (RFC 6675 counted
 * in segments, as Linux's FACK did); without, three duplicate ACKs or a partial ACK (RFC 6582).
 * After an RTO everything unacknowledged is lost and sent again in slow start, so a delay spike
 * makes spurious retransmissions, as it does in real stacks without F-RTO.
 */
#include <stdlib.h>
#include <string.h>

#include "tools/rasad-gen/mem.h"
#include "tools/rasad-gen/tcp.h"

#define INITIAL_WINDOW	   10
#define INITIAL_RTO_NS	   (1 * NS_PER_S)
#define RTO_MAX_NS	   (60 * NS_PER_S)
#define REORDER_DEGREE	   3
#define REORDER_DEGREE_MAX 12
#define BACK_OFF_MAX	   6
#define WINDOW_PROBE_NS	   (300 * NS_PER_MS)

static struct tcp_segment *segment(struct tcp_end *e, uint32_t number)
{
	return &e->ring[number & (e->ring_size - 1)];
}

struct tcp_segment *tcp_segment_find(struct tcp_end *e, uint32_t number)
{
	return e->ring && number - e->head < e->tail - e->head ? segment(e, number) : NULL;
}

void tcp_send_init(struct tcp_end *e)
{
	e->cwnd = INITIAL_WINDOW;
	e->ssthresh = e->host.first_ssthresh;
	e->reorder_degree = REORDER_DEGREE;
}

void tcp_send_fini(struct tcp_end *e)
{
	free(e->ring);
	e->ring = NULL;
	e->ring_size = e->head = e->tail = 0;
}

static uint32_t in_flight(const struct tcp_end *e)
{
	return e->tail - e->head;
}

static void ring_grow(struct tcp_end *e)
{
	uint32_t size = e->ring_size ? 2 * e->ring_size : 16;
	struct tcp_segment *ring = mem_new(size, sizeof(*ring));

	for (uint32_t i = e->head; i != e->tail; i++)
		ring[i & (size - 1)] = *segment(e, i);
	free(e->ring);
	e->ring = ring;
	e->ring_size = size;
}

static bool in_pipe(const struct tcp_segment *s)
{
	return !(s->flags & SEG_SACKED) && (!(s->flags & SEG_LOST) || s->flags & SEG_RESENT);
}

/* The only place where a segment's recovery flags change, so that the sums always fit them. */
static void set_flags(struct tcp_end *e, struct tcp_segment *s, uint8_t flags)
{
	const uint8_t mask = SEG_SACKED | SEG_LOST | SEG_RESENT;
	struct tcp_segment old = *s;

	s->flags = (uint8_t)((s->flags & ~mask) | flags);
	e->pipe += (uint32_t)in_pipe(s) - (uint32_t)in_pipe(&old);
	e->n_sacked += !!(s->flags & SEG_SACKED) - !!(old.flags & SEG_SACKED);
	e->n_lost += ((s->flags & (SEG_LOST | SEG_RESENT)) == SEG_LOST) -
		     ((old.flags & (SEG_LOST | SEG_RESENT)) == SEG_LOST);
}

static uint64_t rto_ns(const struct tcp_end *e)
{
	uint64_t rto = e->srtt_ns ? e->srtt_ns + 4 * e->rttvar_ns : INITIAL_RTO_NS;

	rto = rto < e->host.rto_min_ns ? e->host.rto_min_ns : rto;
	rto <<= e->back_off;
	return rto > RTO_MAX_NS ? RTO_MAX_NS : rto;
}

/* A tail loss probe comes before the RTO if the host knows it and nothing is known to be lost. */
static uint64_t tail_probe_ns(const struct tcp_end *e)
{
	uint64_t wait = 2 * e->srtt_ns + (in_flight(e) == 1 ? 200 : 2) * NS_PER_MS;

	return wait < 10 * NS_PER_MS ? 10 * NS_PER_MS : wait;
}

static void arm_rto(struct tcp_end *e)
{
	uint64_t wait = rto_ns(e);

	e->tail_probe_armed = false;
	if (!in_flight(e)) {
		alarm_clear(&e->rto);
		return;
	}
	if (e->host.tail_probe && e->srtt_ns && e->mode == MODE_OPEN && !e->tail_probe_sent &&
	    !e->n_sacked && tail_probe_ns(e) < wait) {
		e->tail_probe_armed = true;
		wait = tail_probe_ns(e);
	}
	alarm_set(&e->rto, tcp_now(e) + wait);
}

static void transmit(struct tcp_end *e, uint32_t number)
{
	struct tcp_segment *s = segment(e, number);
	bool fin = s->flags & SEG_FIN, last = s->seq + s->length == e->written;
	uint8_t flags =
		(uint8_t)(TCP_ACK | (fin ? TCP_FIN : 0) | (s->length && last ? TCP_PSH : 0));
	struct tcp_pkt *p = tcp_pkt_new(e, KIND_DATA, flags);

	s->sent_ns = e->last_send_ns = tcp_now(e);
	if (s->transmissions < UINT8_MAX)
		s->transmissions++;
	p->seq = s->seq;
	p->length = s->length;
	p->segment = number;
	p->transmission = s->transmissions;
	tcp_pkt_send(p);
}

static void send_new(struct tcp_end *e, uint16_t length, bool fin)
{
	if (in_flight(e) == e->ring_size)
		ring_grow(e);
	*segment(e, e->tail) =
		(struct tcp_segment){.seq = e->nxt, .length = length, .flags = fin ? SEG_FIN : 0};
	e->tail++;
	e->pipe++;
	e->nxt += length + (uint64_t)fin;
	transmit(e, e->tail - 1);
}

static void resend(struct tcp_end *e, uint32_t number)
{
	struct tcp_segment *s = segment(e, number);

	if (s->flags & SEG_LOST)
		set_flags(e, s, (uint8_t)((s->flags & SEG_SACKED) | SEG_LOST | SEG_RESENT));
	transmit(e, number);
}

static bool resend_next(struct tcp_end *e)
{
	if (!e->n_lost)
		return false;
	if (e->resend_scan - e->head > in_flight(e))
		e->resend_scan = e->head;
	for (; e->resend_scan != e->tail; e->resend_scan++) {
		uint8_t flags = segment(e, e->resend_scan)->flags;

		if ((flags & (SEG_LOST | SEG_RESENT | SEG_SACKED)) == SEG_LOST) {
			resend(e, e->resend_scan++);
			return true;
		}
	}
	return false;
}

/* New data goes in full segments, or in the last short one. */
static bool send_next_new(struct tcp_end *e)
{
	uint64_t waiting = e->written - e->nxt;
	uint16_t length = (uint16_t)(waiting < e->flow->mss ? waiting : e->flow->mss);

	if (e->fin_sent)
		return false;
	if (!waiting) {
		if (!e->fin_wanted)
			return false;
		e->fin_sent = true;
		send_new(e, 0, true);
		return true;
	}
	if (e->nxt + length > e->window_end)
		return false;
	send_new(e, length, false);
	return true;
}

void tcp_send_more(struct tcp_end *e)
{
	bool idle = !in_flight(e);

	if (e->state != TCP_ESTABLISHED)
		return;
	if (idle && e->last_send_ns && tcp_now(e) - e->last_send_ns > rto_ns(e) &&
	    e->cwnd > INITIAL_WINDOW)
		e->cwnd = INITIAL_WINDOW; /* RFC 2861: an old window is not trusted */
	while (e->pipe < (uint32_t)e->cwnd && (resend_next(e) || send_next_new(e)))
		;
	if (in_flight(e)) {
		if (!e->rto.at_ns)
			arm_rto(e);
	} else if (e->written > e->nxt && !e->rto.at_ns) {
		alarm_set(&e->rto, tcp_now(e) + (WINDOW_PROBE_NS << e->back_off));
	}
	if (e->host.keepalive_ns)
		alarm_set(&e->keepalive, tcp_now(e) + e->host.keepalive_ns);
}

void tcp_write(struct tcp_end *e, uint64_t bytes)
{
	e->written += bytes;
	tcp_send_more(e);
}

void tcp_send_syn(struct tcp_end *e)
{
	bool answer = e->state == TCP_SYN_RECEIVED;
	struct tcp_pkt *p = tcp_pkt_new(e, KIND_SYN, (uint8_t)(TCP_SYN | (answer ? TCP_ACK : 0)));

	p->seq = 0;
	tcp_pkt_send(p);
	alarm_set(&e->rto, tcp_now(e) + (INITIAL_RTO_NS << e->back_off));
}

static void send_probe(struct tcp_end *e, enum tcp_kind kind)
{
	struct tcp_pkt *p = tcp_pkt_new(e, kind, TCP_ACK);

	/* a BSD window probe sends the next byte; everything else repeats the last one or none */
	p->length = e->host.byte_probes;
	p->seq = kind == KIND_WINDOW_PROBE && e->host.byte_probes ? e->nxt : e->nxt - 1;
	tcp_pkt_send(p);
}

static void back_off(struct tcp_end *e)
{
	if (e->back_off < BACK_OFF_MAX)
		e->back_off++;
}

static void window_probe(struct tcp_end *e)
{
	if (e->window_end > e->nxt) { /* not shut, only too small for a segment: wait for more */
		alarm_set(&e->rto, tcp_now(e) + (WINDOW_PROBE_NS << e->back_off));
		return;
	}
	send_probe(e, KIND_WINDOW_PROBE);
	back_off(e);
	alarm_set(&e->rto, tcp_now(e) + (WINDOW_PROBE_NS << e->back_off));
}

static void enter_loss(struct tcp_end *e)
{
	if (e->mode != MODE_LOSS) {
		e->ssthresh = e->cwnd * e->host.back_off;
		e->ssthresh = e->ssthresh < 2 ? 2 : e->ssthresh;
	}
	e->mode = MODE_LOSS;
	e->cwnd = 1;
	e->recover = e->tail;
	e->duplicate_acks = 0;
	for (uint32_t i = e->head; i != e->tail; i++)
		if (!(segment(e, i)->flags & SEG_SACKED))
			set_flags(e, segment(e, i), SEG_LOST);
	e->resend_scan = e->lost_scan = e->head;
	back_off(e);
}

static void send_tail_probe(struct tcp_end *e)
{
	e->tail_probe_sent = true;
	if (!send_next_new(e))
		transmit(e, e->tail - 1);
	arm_rto(e);
}

void tcp_rto_alarm(void *end)
{
	struct tcp_end *e = end;

	if (e->flow->done || (e->flow->client_gone && e->dir == DIR_UP))
		return;
	if (e->state == TCP_SYN_SENT || e->state == TCP_SYN_RECEIVED) {
		back_off(e);
		tcp_send_syn(e);
		return;
	}
	if (!in_flight(e)) {
		if (e->written > e->nxt)
			window_probe(e);
		return;
	}
	if (e->tail_probe_armed) {
		send_tail_probe(e);
		return;
	}
	enter_loss(e);
	resend_next(e);
	arm_rto(e);
}

void tcp_keepalive_alarm(void *end)
{
	struct tcp_end *e = end;

	if (e->flow->done || e->state != TCP_ESTABLISHED || e->fin_sent ||
	    (e->flow->client_gone && e->dir == DIR_UP))
		return;
	if (!in_flight(e) && e->written == e->nxt)
		send_probe(e, KIND_KEEPALIVE);
	alarm_set(&e->keepalive, tcp_now(e) + e->host.keepalive_ns);
}

static void take_rtt(struct tcp_end *e, uint64_t rtt_ns)
{
	uint64_t difference;

	if (!e->srtt_ns) {
		e->srtt_ns = rtt_ns;
		e->rttvar_ns = rtt_ns / 2;
		return;
	}
	difference = rtt_ns > e->srtt_ns ? rtt_ns - e->srtt_ns : e->srtt_ns - rtt_ns;
	e->rttvar_ns = (3 * e->rttvar_ns + difference) / 4;
	e->srtt_ns = (7 * e->srtt_ns + rtt_ns) / 8;
}

/* Removes what a cumulative ACK covers; returns the number of segments. */
static uint32_t pop_acked(struct tcp_end *e, uint64_t ack)
{
	uint32_t n = 0;
	uint64_t sample_ns = 0;

	while (in_flight(e)) {
		struct tcp_segment *s = segment(e, e->head);

		if (s->seq + s->length + !!(s->flags & SEG_FIN) > ack)
			break;
		/* Karn: only a segment sent once tells which copy was acknowledged */
		sample_ns = s->transmissions == 1 && !(s->flags & SEG_SACKED)
				    ? tcp_now(e) - s->sent_ns
				    : 0;
		e->fin_acked |= !!(s->flags & SEG_FIN);
		set_flags(e, s, SEG_SACKED); /* out of every sum but one */
		e->n_sacked--;
		e->head++;
		n++;
	}
	if (sample_ns)
		take_rtt(e, sample_ns);
	if (e->lost_scan - e->head > in_flight(e))
		e->lost_scan = e->head;
	if (e->high_sacked - e->head > in_flight(e))
		e->high_sacked = e->head;
	return n;
}

/* The first segment at or after a sequence number, by bisection. */
static uint32_t find_seq(struct tcp_end *e, uint64_t seq)
{
	uint32_t low = 0, high = in_flight(e);

	while (low < high) {
		uint32_t middle = (low + high) / 2;

		if (segment(e, e->head + middle)->seq < seq)
			low = middle + 1;
		else
			high = middle;
	}
	return e->head + low;
}

static void saw_dsack(struct tcp_end *e)
{
	/* the network reorders: believe in loss later */
	if (e->reorder_degree < REORDER_DEGREE_MAX)
		e->reorder_degree++;
}

/* Returns the number of segments that this ACK newly reported. */
static uint32_t take_sack(struct tcp_end *e, const struct tcp_pkt *p)
{
	uint32_t news = 0;

	for (unsigned b = 0; b < p->n_sack; b++) {
		uint64_t start = p->sack[b][0], end = p->sack[b][1];

		if (end <= p->ack) {
			saw_dsack(e);
			continue;
		}
		for (uint32_t i = find_seq(e, start); i != e->tail; i++) {
			struct tcp_segment *s = segment(e, i);

			if (s->seq + s->length > end)
				break;
			if (s->flags & SEG_SACKED || !s->length)
				continue;
			set_flags(e, s, SEG_SACKED);
			news++;
			if (i + 1 - e->head > e->high_sacked - e->head)
				e->high_sacked = i + 1;
		}
	}
	return news;
}

static bool mark_lost(struct tcp_end *e, uint32_t number)
{
	struct tcp_segment *s = segment(e, number);

	if (s->flags & (SEG_SACKED | SEG_LOST))
		return false;
	set_flags(e, s, SEG_LOST);
	if (number - e->head < e->resend_scan - e->head)
		e->resend_scan = number;
	return true;
}

static bool detect_by_sack(struct tcp_end *e)
{
	bool found = false;

	while (e->lost_scan != e->tail &&
	       (int32_t)(e->high_sacked - e->lost_scan) > (int32_t)e->reorder_degree)
		found |= mark_lost(e, e->lost_scan++);
	return found;
}

static void enter_recovery(struct tcp_end *e)
{
	if (e->mode != MODE_OPEN)
		return;
	e->ssthresh = e->cwnd * e->host.back_off;
	e->ssthresh = e->ssthresh < 2 ? 2 : e->ssthresh;
	e->cwnd = e->ssthresh;
	e->mode = MODE_RECOVERY;
	e->recover = e->tail;
	resend_next(e); /* the first goes out whatever the pipe holds */
	arm_rto(e);
}

static void grow(struct tcp_end *e, uint32_t acked)
{
	for (; acked && e->cwnd < e->ssthresh; acked--)
		e->cwnd += 1;
	if (acked)
		e->cwnd += acked / e->cwnd;
}

static void new_ack(struct tcp_end *e, uint64_t ack)
{
	bool was_full = e->pipe + 2 >= (uint32_t)e->cwnd;
	uint32_t acked;

	e->una = ack;
	acked = pop_acked(e, ack);
	e->duplicate_acks = e->back_off = 0;
	e->tail_probe_sent = false;
	if (e->mode != MODE_OPEN && (int32_t)(e->head - e->recover) >= 0) {
		if (e->mode == MODE_RECOVERY)
			e->cwnd = e->ssthresh;
		e->mode = MODE_OPEN;
	} else if (e->mode == MODE_RECOVERY && !e->flow->sack && in_flight(e)) {
		mark_lost(e, e->head); /* a partial ACK: the next one is missing too */
	}
	if (e->mode == MODE_LOSS || (e->mode == MODE_OPEN && was_full))
		grow(e, acked);
	arm_rto(e);
}

static bool is_duplicate(const struct tcp_end *e, const struct tcp_pkt *p)
{
	return p->ack == e->una && e->head != e->tail && !p->length && !(p->flags & TCP_FIN);
}

void tcp_send_acked(struct tcp_end *e, const struct tcp_pkt *p)
{
	unsigned shift = e->flow->window_scaling ? tcp_peer(e)->host.window_scale : 0;
	uint32_t news = 0;
	bool lost = false;

	if (p->ack < e->una || p->ack > e->nxt)
		return; /* old: overtaken by a newer one */
	e->window_end = p->ack + ((uint64_t)p->window << shift);
	if (p->n_sack)
		news = take_sack(e, p);
	if (p->ack > e->una)
		new_ack(e, p->ack);
	else if (is_duplicate(e, p) && (news || !e->flow->sack) && e->duplicate_acks < UINT8_MAX)
		e->duplicate_acks++;
	if (e->flow->sack)
		lost = detect_by_sack(e);
	else if (e->duplicate_acks == REORDER_DEGREE && e->mode == MODE_OPEN)
		lost = mark_lost(e, e->head);
	if (lost)
		enter_recovery(e);
	if (!in_flight(e) && e->window_end > e->nxt) {
		alarm_clear(&e->rto); /* was for window probes */
		e->back_off = 0;
	}
	tcp_send_more(e);
}
