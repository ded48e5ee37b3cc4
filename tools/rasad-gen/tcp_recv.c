/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The receiving half: reassembly, delayed and immediate ACKs, SACK and DSACK blocks, and a window
 * that closes while the application does not read.
 */
#include <stdlib.h>
#include <string.h>

#include "tools/rasad-gen/mem.h"
#include "tools/rasad-gen/tcp.h"

#define ACK_BYTES 52 /* of a typical ACK on the way back */

void tcp_recv_init(struct tcp_end *e)
{
	e->quick_acks = e->host.quick_acks;
}

void tcp_recv_fini(struct tcp_end *e)
{
	free(e->ooo);
	e->ooo = NULL;
	e->n_ooo = e->ooo_size = 0;
}

static uint32_t timestamp(const struct tcp_end *e)
{
	uint64_t hz = e->host.timestamp_hz;

	return e->host.timestamp_base + (uint32_t)(tcp_now(e) / (NS_PER_S / (hz ? hz : 1)));
}

static void add_sack(const struct tcp_end *e, struct tcp_pkt *p, uint64_t start, uint64_t end)
{
	unsigned room = e->flow->timestamps ? 3 : 4;

	if (p->n_sack == room)
		return;
	for (unsigned i = 0; i < p->n_sack; i++)
		if (p->sack[i][0] == start && p->sack[i][1] == end)
			return;
	p->sack[p->n_sack][0] = start;
	p->sack[p->n_sack++][1] = end;
}

static const struct tcp_range *range_with(const struct tcp_end *e, uint64_t seq)
{
	for (uint32_t i = 0; i < e->n_ooo; i++)
		if (e->ooo[i].start <= seq && seq < e->ooo[i].end)
			return &e->ooo[i];
	return NULL;
}

static void fill_sack(struct tcp_end *e, struct tcp_pkt *p)
{
	if (e->dsack.end && e->host.dsack)
		add_sack(e, p, e->dsack.start, e->dsack.end);
	e->dsack = (struct tcp_range){0};
	for (unsigned i = 0; i < TCP_SACK_MAX && e->n_ooo; i++) {
		const struct tcp_range *r = e->recent[i] ? range_with(e, e->recent[i]) : NULL;

		if (r)
			add_sack(e, p, r->start, r->end);
	}
}

static uint16_t window(const struct tcp_end *e, bool syn)
{
	uint64_t free_bytes =
		e->host.receive_buffer > e->buffered ? e->host.receive_buffer - e->buffered : 0;
	uint64_t field =
		syn || !e->flow->window_scaling ? free_bytes : free_bytes >> e->host.window_scale;

	/* silly window avoidance: less than a segment is as good as nothing */
	if (free_bytes < e->flow->mss)
		return 0;
	return (uint16_t)(field > UINT16_MAX ? UINT16_MAX : field);
}

/* Every packet but a SYN carries the state of the receiving half, and so cancels a delayed ACK. */
void tcp_fill_ack(struct tcp_end *e, struct tcp_pkt *p)
{
	p->ts_value = timestamp(e);
	p->ts_echo = p->flags & TCP_ACK ? e->ts_recent : 0;
	p->window = window(e, p->flags & TCP_SYN);
	if (!(p->flags & TCP_ACK))
		return;
	p->ack = e->last_ack_sent = e->rcv_nxt;
	if (e->flow->sack && p->kind == KIND_ACK)
		fill_sack(e, p);
	e->unacked = 0;
	alarm_clear(&e->delayed_ack);
}

void tcp_send_ack(struct tcp_end *e)
{
	struct tcp_pkt *p = tcp_pkt_new(e, KIND_ACK, TCP_ACK);

	p->seq = e->nxt;
	tcp_pkt_send(p);
}

void tcp_delayed_ack_alarm(void *end)
{
	struct tcp_end *e = end;

	if (!e->flow->done && e->unacked && !(e->flow->client_gone && e->dir == DIR_UP))
		tcp_send_ack(e);
}

static void remember(struct tcp_end *e, uint64_t seq)
{
	const struct tcp_range *r = range_with(e, seq);
	unsigned i = 0;

	/* one entry per range: drop an older mark in the same range */
	for (; i < TCP_SACK_MAX - 1; i++)
		if (r && e->recent[i] >= r->start && e->recent[i] < r->end)
			break;
	memmove(e->recent + 1, e->recent, i * sizeof(e->recent[0]));
	e->recent[0] = seq;
}

static void insert_ooo(struct tcp_end *e, uint64_t start, uint64_t end)
{
	uint32_t first = 0, last;

	while (first < e->n_ooo && e->ooo[first].end < start)
		first++;
	for (last = first; last < e->n_ooo && e->ooo[last].start <= end; last++) {
		start = e->ooo[last].start < start ? e->ooo[last].start : start;
		end = e->ooo[last].end > end ? e->ooo[last].end : end;
	}
	if (last == first && e->n_ooo == e->ooo_size) {
		e->ooo_size = e->ooo_size ? 2 * e->ooo_size : 4;
		e->ooo = mem_grow(e->ooo, e->ooo_size, sizeof(*e->ooo));
	}
	memmove(e->ooo + first + 1, e->ooo + last, (e->n_ooo - last) * sizeof(*e->ooo));
	e->n_ooo = e->n_ooo - (last - first) + 1;
	e->ooo[first] = (struct tcp_range){start, end};
}

static void deliver(struct tcp_end *e, uint64_t end)
{
	uint64_t old = e->rcv_nxt;

	e->rcv_nxt = end;
	if (e->n_ooo && e->ooo[0].start <= end) {
		e->rcv_nxt = e->ooo[0].end > end ? e->ooo[0].end : end;
		memmove(e->ooo, e->ooo + 1, --e->n_ooo * sizeof(*e->ooo));
	}
	e->buffered += e->rcv_nxt - old;
	if (e->stall_at && e->read + e->buffered >= e->stall_at) {
		e->stall_at = 0;
		e->stalled_until_ns = tcp_now(e) + e->stall_ns;
		alarm_set(&e->app, e->stalled_until_ns);
	}
}

static void acknowledge(struct tcp_end *e, bool at_once)
{
	e->unacked++;
	if (e->quick_acks) {
		e->quick_acks--;
		at_once = true;
	}
	if (at_once || e->unacked >= e->host.ack_every)
		tcp_send_ack(e);
	else if (!e->delayed_ack.at_ns)
		alarm_set(&e->delayed_ack, tcp_now(e) + e->host.delayed_ack_ns);
}

static void receive_data(struct tcp_end *e, const struct tcp_pkt *p)
{
	uint64_t end = p->seq + p->length;

	if (end <= e->rcv_nxt || range_with(e, p->seq)) {
		e->dsack = (struct tcp_range){p->seq, end};
		tcp_send_ack(e);
		return;
	}
	if (p->seq > e->rcv_nxt) {
		insert_ooo(e, p->seq, end);
		remember(e, p->seq);
		tcp_send_ack(e);
		return;
	}
	bool filled = e->n_ooo;

	deliver(e, end);
	if (e->stalled_until_ns <= tcp_now(e))
		tcp_app_read(e);
	if (e->flow->done)
		return;
	/* the application's answer may have carried the ACK already */
	if (e->last_ack_sent < e->rcv_nxt)
		acknowledge(e, filled || e->n_ooo);
}

static void receive_fin(struct tcp_end *e, const struct tcp_pkt *p)
{
	if (p->seq != e->rcv_nxt || e->fin_received) {
		tcp_send_ack(e); /* out of order, or seen before */
		return;
	}
	e->fin_received = true;
	e->rcv_nxt++;
	tcp_send_ack(e);
	if (!e->fin_wanted) {
		e->fin_wanted = true;
		tcp_send_more(e);
	}
}

/* The RTT truth: this first copy got here; when would an ACK sent now pass the tap? */
static void measure(struct tcp_end *e, const struct tcp_pkt *p)
{
	struct tcp_pkt *probe;

	if (p->kind != KIND_DATA || !p->length || !p->first_at_tap)
		return;
	probe = tcp_pkt_new(e, KIND_RTT_PROBE, 0);
	probe->tap_ns = p->tap_ns;
	probe->length = ACK_BYTES;
	tcp_pkt_send(probe);
}

static void receive_syn(struct tcp_end *e, const struct tcp_pkt *p)
{
	if (e->dir == DIR_DOWN) { /* the server */
		if (e->state == TCP_ESTABLISHED)
			return;
		e->state = TCP_SYN_RECEIVED;
		e->rcv_nxt = 1;
		tcp_send_syn(e);
		return;
	}
	if (e->state == TCP_SYN_SENT) {
		e->rcv_nxt = 1;
		tcp_established(e);
		e->window_end = 1 + (uint64_t)p->window; /* never scaled in a SYN */
	}
	tcp_send_ack(e); /* again if the first one was lost */
}

static void receive_probe(struct tcp_end *e, const struct tcp_pkt *p)
{
	if (p->length && p->seq + p->length <= e->rcv_nxt)
		e->dsack = (struct tcp_range){p->seq, p->seq + p->length};
	tcp_send_ack(e);
}

void tcp_recv_packet(struct tcp_end *e, struct tcp_pkt *p)
{
	if (p->kind == KIND_RESET) {
		tcp_flow_reset(e->flow);
		return;
	}
	if (p->seq <= e->last_ack_sent || p->kind == KIND_SYN)
		e->ts_recent = p->ts_value;
	if (p->kind == KIND_SYN) {
		receive_syn(e, p);
		return;
	}
	if (e->state == TCP_SYN_SENT)
		return;
	if (e->state == TCP_SYN_RECEIVED)
		tcp_established(e);
	measure(e, p);
	tcp_send_acked(e, p);
	if (e->flow->done)
		return;
	if (p->kind == KIND_KEEPALIVE || p->kind == KIND_WINDOW_PROBE)
		receive_probe(e, p);
	else if (p->length)
		receive_data(e, p);
	else if (p->flags & TCP_FIN)
		receive_fin(e, p);
	tcp_check_done(e->flow);
}
