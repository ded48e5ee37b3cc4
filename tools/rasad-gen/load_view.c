/* SPDX-License-Identifier: BSD-3-Clause */
#include "tools/rasad-gen/load_view.h"

#include <string.h>

#define PORTS	   60000u
#define FIRST_PORT 4000u
#define UPLOADS	   0x33333333u /* a fifth of the flows */
#define UDP_BYTES  8

/* Flow numbers spread evenly over 32 bits, each by another irrational. */
#define SPREAD_UDP    2654435769u /* the golden ratio */
#define SPREAD_IPV6   1779033703u /* sqrt(2) */
#define SPREAD_UPLOAD 3144134277u /* sqrt(3) */

static bool kind_of(const struct load *l, uint32_t flow, uint32_t spread, uint32_t below)
{
	return flow * spread + (uint32_t)rng_hash(l->options->seed, spread) < below;
}

static struct ip_addr server_address(uint16_t number, bool v6)
{
	if (v6)
		return (struct ip_addr){
			.v6 = true,
			.byte = {0x20, 0x01, 0x0d, 0xb8, 0xff, 0xff, [14] = (uint8_t)(number >> 8),
				 (uint8_t)number},
		};
	return (struct ip_addr){.byte = {198, 18, (uint8_t)(number >> 8), (uint8_t)number}};
}

struct load_view load_view(struct load *l, uint32_t flow)
{
	uint32_t line = flow % l->lines, nth = flow / l->lines; /* of the line */
	uint64_t h = rng_hash(l->options->seed ^ (uint64_t)RNG_FLOW << 56, flow);
	uint16_t port = (uint16_t)(nth % PORTS);
	bool v6 = kind_of(l, flow, SPREAD_IPV6, l->ipv6_below),
	     udp = kind_of(l, flow, SPREAD_UDP, l->udp_below);

	return (struct load_view){
		.number = flow,
		.state = &l->flow[flow],
		.line = load_line(l, line),
		.v6 = v6,
		.udp = udp,
		.data_dir = kind_of(l, flow, SPREAD_UPLOAD, UPLOADS) ? DIR_UP : DIR_DOWN,
		.hash = h,
		.client = load_line_address(line, v6),
		/* flows of a line with the same port have different servers */
		.server = server_address((uint16_t)((line + port) * 40503u + nth / PORTS), v6),
		.client_port = (uint16_t)(FIRST_PORT + port),
		.server_port = udp     ? 1194
			       : h & 3 ? 443
				       : 80, /* below all client ports */
	};
}

static struct ip_header ip_header(const struct load_view *v, enum dir dir,
				  enum ip_protocol protocol, uint16_t id)
{
	bool down = dir == DIR_DOWN;

	return (struct ip_header){
		.source = down ? v->server : v->client,
		.destination = down ? v->client : v->server,
		.protocol = protocol,
		.id = id,
		.ttl = down ? 56 : 63,
	};
}

/* A millisecond clock of each end, which began at some time. */
static uint32_t clock_of(const struct load_view *v, enum dir dir, uint32_t ms)
{
	return ms + (uint32_t)(v->hash >> (dir == DIR_DOWN ? 8 : 24));
}

static uint32_t put32(uint8_t *p, uint32_t v)
{
	v = __builtin_bswap32(v);
	memcpy(p, &v, 4);
	return 4;
}

uint8_t load_view_timestamps(uint8_t *p, const struct load_view *v, enum dir dir, uint32_t ms,
			     uint32_t echo_ms)
{
	enum dir other = dir == DIR_DOWN ? DIR_UP : DIR_DOWN;

	memcpy(p, (uint8_t[]){1, 1, 8, 10}, 4);
	put32(p + 4, clock_of(v, dir, ms));
	put32(p + 8, clock_of(v, other, echo_ms));
	return LOAD_TIMESTAMP_BYTES;
}

uint8_t load_view_sack(uint8_t *p, uint32_t left, uint32_t right)
{
	memcpy(p, (uint8_t[]){1, 1, 5, 10}, 4);
	put32(p + 4, left);
	put32(p + 8, right);
	return 12;
}

void load_view_tcp(struct load *l, const struct load_view *v, enum dir dir, struct tcp_header *tcp,
		   uint16_t id, uint32_t payload_bytes)
{
	struct ip_header ip = ip_header(v, dir, IP_TCP, id);
	bool down = dir == DIR_DOWN;

	tcp->source_port = down ? v->server_port : v->client_port;
	tcp->destination_port = down ? v->client_port : v->server_port;
	tcp->window = 32768;
	frame_begin_ip(l->frame, &v->line.l2, dir, v->v6,
		       frame_ip_bytes(v->v6) + 20 + tcp->option_bytes + payload_bytes);
	frame_tcp(l->frame, &ip, tcp, payload_bytes);
	l->total.tcp++;
	l->total.ipv6 += v->v6;
	load_emit(l, v->line.number, dir);
}

void load_view_udp(struct load *l, const struct load_view *v, enum dir dir, uint32_t payload_bytes)
{
	struct ip_header ip = ip_header(v, dir, IP_UDP, v->state->data_id);
	bool down = dir == DIR_DOWN;

	frame_begin_ip(l->frame, &v->line.l2, dir, v->v6,
		       frame_ip_bytes(v->v6) + UDP_BYTES + payload_bytes);
	frame_udp(l->frame, &ip, down ? v->server_port : v->client_port,
		  down ? v->client_port : v->server_port, NULL, payload_bytes);
	l->total.udp++;
	l->total.ipv6 += v->v6;
	load_emit(l, v->line.number, dir);
}
