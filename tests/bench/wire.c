/* SPDX-License-Identifier: BSD-3-Clause */
#include "tests/bench/wire.h"

#include <string.h>

enum { LINES_PER_SVLAN = 4000, FIRST_VLAN = 2, ETHERNET_BYTES = 30, PPPOE_OFFSET = 28 };

const uint8_t wire_ac_mac[6] = {0x02, 0xac, 0, 0, 0, 1};

static uint8_t *put16(uint8_t *at, uint32_t v)
{
	at[0] = (uint8_t)(v >> 8);
	at[1] = (uint8_t)v;
	return at + 2;
}

static uint8_t *put32(uint8_t *at, uint32_t v)
{
	return put16(put16(at, v >> 16), v);
}

static uint8_t *put_ethernet(uint8_t *at, const struct wire_flow *f, bool down, uint32_t ip_bytes)
{
	uint8_t cpe[6] = {0x02, 0xcb};
	put32(cpe + 2, f->line);
	memcpy(at, down ? cpe : wire_ac_mac, 6);
	memcpy(at + 6, down ? wire_ac_mac : cpe, 6);
	at = put16(at + 12, 0x88a8);
	at = put16(at, FIRST_VLAN + f->line / LINES_PER_SVLAN);
	at = put16(at, 0x8100);
	at = put16(at, FIRST_VLAN + f->line % LINES_PER_SVLAN);
	at = put16(at, 0x8864);
	at = put16(at, 0x1100);
	at = put16(at, f->line * 40503u | 1); /* the session */
	at = put16(at, ip_bytes + 2);
	return put16(at, f->ipv6 ? 0x0057 : 0x0021);
}

static uint8_t *put_address4(uint8_t *at, const struct wire_flow *f, bool server)
{
	if (server) /* 23/8 to 54/8 */
		return put32(at, 0x17000000 + ((uint32_t)f->server & 0x1fffffff));
	return put32(at, 0x64400000 + f->line); /* RFC 6598 */
}

static uint8_t *put_address6(uint8_t *at, const struct wire_flow *f, bool server)
{
	at = put32(at, server ? 0x2a020001 : 0x2a000001);
	at = put32(at, server ? 0 : f->line);
	at = put32(at, server ? (uint32_t)(f->server >> 32) : 0);
	return put32(at, server ? (uint32_t)f->server : 1);
}

static uint8_t *put_ip(uint8_t *at, const struct wire_flow *f, const struct wire_segment *s,
		       uint32_t l4_bytes)
{
	uint8_t protocol = f->kind == WIRE_TCP ? 6 : 17;
	if (f->ipv6) {
		at = put32(at, 0x60000000);
		at = put16(at, l4_bytes);
		at = put16(at, (uint32_t)protocol << 8 | 60);
		return put_address6(put_address6(at, f, s->down), f, !s->down);
	}
	at = put16(at, 0x4500);
	at = put16(at, l4_bytes + 20);
	at = put16(at, s->ip_id);
	at = put16(at, 0x4000);
	at = put16(at, 60u << 8 | protocol);
	at = put16(at, 0); /* nobody here checks sums */
	return put_address4(put_address4(at, f, s->down), f, !s->down);
}

static uint8_t *put_ports(uint8_t *at, const struct wire_flow *f, bool down)
{
	at = put16(at, down ? f->server_port : f->sub_port);
	return put16(at, down ? f->sub_port : f->server_port);
}

static uint8_t *put_timestamps(uint8_t *at, const struct wire_segment *s)
{
	at = put32(at, 0x0101080a);
	return put32(put32(at, s->tsval), s->tsecr);
}

static uint32_t tcp_bytes(const struct wire_segment *s)
{
	return 32 + (s->flags & WIRE_SYN ? 4 : 0) + (s->sack_left != s->sack_right ? 12 : 0);
}

static uint8_t *put_tcp(uint8_t *at, const struct wire_flow *f, const struct wire_segment *s)
{
	at = put_ports(at, f, s->down);
	at = put32(put32(at, s->seq), s->ack);
	at = put16(at, tcp_bytes(s) / 4 << 12 | s->flags);
	at = put16(at, 501);
	/* Resends differ in their timestamps, hence in their sum: mirror copies do not. */
	at = put16(at, s->seq * 31 + s->ack * 17 + s->tsval * 7 + s->tsecr);
	at = put16(at, 0);
	if (s->flags & WIRE_SYN)
		at = put32(at, 0x020405b4); /* MSS 1460 */
	at = put_timestamps(at, s);
	if (s->sack_left == s->sack_right)
		return at;
	at = put32(at, 0x0101050a);
	return put32(put32(at, s->sack_left), s->sack_right);
}

static uint8_t *put_udp(uint8_t *at, const struct wire_flow *f, const struct wire_segment *s)
{
	at = put_ports(at, f, s->down);
	at = put16(at, 8u + s->payload);
	at = put16(at, 0);
	*at++ = s->first_byte;
	return at;
}

void wire_write(struct slot *slot, const struct wire_flow *f, const struct wire_segment *s)
{
	uint32_t l4 = (f->kind == WIRE_TCP ? tcp_bytes(s) : 8) + s->payload;
	uint32_t ip = l4 + (f->ipv6 ? 40 : 20);
	uint8_t *at = put_ethernet(slot->frame, f, s->down, ip);
	at = put_ip(at, f, s, l4);
	at = f->kind == WIRE_TCP ? put_tcp(at, f, s) : put_udp(at, f, s);
	slot->flow = f->flow;
	slot->line = f->line;
	slot->caplen = (uint16_t)(at - slot->frame);
	slot->wire_len = (uint16_t)(ETHERNET_BYTES + ip);
}
