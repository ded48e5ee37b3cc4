/* SPDX-License-Identifier: BSD-3-Clause */
/* A simulated segment as bytes: ports, relative numbers made absolute, options in Linux's order. */
#include <string.h>

#include "tools/rasad-gen/tcp.h"

enum tcp_option {
	OPT_NOP = 1,
	OPT_MSS = 2,
	OPT_WINDOW_SCALE = 3,
	OPT_SACK_PERMITTED = 4,
	OPT_SACK = 5,
	OPT_TIMESTAMPS = 8,
};

static bool has_timestamps(const struct tcp_pkt *p)
{
	/* a SYN offers what its host can do, all the rest uses what both agreed on */
	if ((p->flags & (TCP_SYN | TCP_ACK)) == TCP_SYN)
		return p->flow->end[p->dir].host.timestamp_hz;
	return p->flow->timestamps && p->kind != KIND_RESET;
}

static unsigned option_bytes(const struct tcp_pkt *p)
{
	unsigned n = has_timestamps(p) ? 12 : 0;

	if (p->flags & TCP_SYN) {
		const struct tcp_host *h = &p->flow->end[p->dir].host;
		bool answer = p->flags & TCP_ACK;

		n += 4;
		if (answer ? p->flow->sack : h->sack)
			n += has_timestamps(p) ? 0 : 4;
		if (answer ? p->flow->window_scaling : h->window_scale != 0)
			n += 4;
	}
	return n + (p->n_sack ? 4u + 8u * p->n_sack : 0);
}

unsigned tcp_wire_bytes(const struct tcp_pkt *p)
{
	return (unsigned)frame_ip_bytes(p->flow->client_addr.v6) + 20 + option_bytes(p) + p->length;
}

static uint8_t *put32(uint8_t *o, uint32_t v)
{
	for (int shift = 24; shift >= 0; shift -= 8)
		*o++ = (uint8_t)(v >> shift);
	return o;
}

static uint8_t *put_timestamps(uint8_t *o, const struct tcp_pkt *p)
{
	*o++ = OPT_TIMESTAMPS;
	*o++ = 10;
	return put32(put32(o, p->ts_value), p->ts_echo);
}

static uint8_t *put_nops(uint8_t *o, int n)
{
	memset(o, OPT_NOP, (size_t)n);
	return o + n;
}

static uint8_t *put_syn(uint8_t *o, const struct tcp_pkt *p)
{
	const struct tcp_host *h = &p->flow->end[p->dir].host;
	bool answer = p->flags & TCP_ACK, stamps = has_timestamps(p);
	bool sack = answer ? p->flow->sack : h->sack;

	*o++ = OPT_MSS;
	*o++ = 4;
	*o++ = (uint8_t)(h->mss >> 8);
	*o++ = (uint8_t)h->mss;
	if (sack) {
		o = stamps ? o : put_nops(o, 2);
		*o++ = OPT_SACK_PERMITTED;
		*o++ = 2;
	} else if (stamps) {
		o = put_nops(o, 2);
	}
	if (stamps)
		o = put_timestamps(o, p);
	if (answer ? p->flow->window_scaling : h->window_scale != 0) {
		o = put_nops(o, 1);
		*o++ = OPT_WINDOW_SCALE;
		*o++ = 3;
		*o++ = h->window_scale;
	}
	return o;
}

static uint8_t *put_sack(uint8_t *o, const struct tcp_pkt *p, uint32_t peer_isn)
{
	o = put_nops(o, 2);
	*o++ = OPT_SACK;
	*o++ = (uint8_t)(2 + 8 * p->n_sack);
	for (unsigned i = 0; i < p->n_sack; i++)
		for (unsigned edge = 0; edge < 2; edge++)
			o = put32(o, peer_isn + (uint32_t)p->sack[i][edge]);
	return o;
}

static void fill_options(struct tcp_header *h, const struct tcp_pkt *p, uint32_t peer_isn)
{
	uint8_t *o = h->option;

	if (p->flags & TCP_SYN)
		o = put_syn(o, p);
	else if (has_timestamps(p))
		o = put_timestamps(put_nops(o, 2), p);
	if (p->n_sack)
		o = put_sack(o, p, peer_isn);
	h->option_bytes = (uint8_t)(o - h->option);
}

static struct ip_header ip_of(const struct tcp_pkt *p)
{
	const struct tcp_flow *f = p->flow;
	bool down = p->dir == DIR_DOWN;

	return (struct ip_header){
		.source = down ? f->server_addr : f->client_addr,
		.destination = down ? f->client_addr : f->server_addr,
		.protocol = IP_TCP,
		.id = p->ip_id,
		.ttl = f->end[p->dir].host.ttl,
	};
}

void tcp_wire_emit(const struct tcp_pkt *p)
{
	const struct tcp_flow *f = p->flow;
	bool down = p->dir == DIR_DOWN;
	uint32_t peer_isn = f->end[!p->dir].isn;
	struct ip_header ip = ip_of(p);
	struct tcp_header h = {
		.source_port = down ? f->server_port : f->client_port,
		.destination_port = down ? f->client_port : f->server_port,
		.seq = f->end[p->dir].isn + (uint32_t)p->seq,
		.ack = p->flags & TCP_ACK ? peer_isn + (uint32_t)p->ack : 0,
		.window = p->window,
		.flags = p->flags,
	};
	struct frame *frame = world_frame(f->world);

	fill_options(&h, p, peer_isn);
	frame_begin_ip(frame, &f->l2, p->dir, ip.source.v6, tcp_wire_bytes(p));
	frame_tcp(frame, &ip, &h, p->length);
	if (!down)
		f->line->last_up_ns = f->world->sim.now_ns;
	world_emit(f->world, (enum dir)p->dir);
}
