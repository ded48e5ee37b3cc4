/* SPDX-License-Identifier: BSD-3-Clause */
#include "tests/engine/packet/packet.h"

#include <assert.h>
#include <string.h>

#include "engine/packet/control.h"
#include "engine/packet/worker.h"

enum { TCP = 6, SESSION = 7, PORTS = 60000, HTTPS = 443 };

static uint64_t random_state = 88172645463325252ull;
static uint16_t last_id;

uint32_t packet_random(void)
{
	random_state ^= random_state << 13;
	random_state ^= random_state >> 7;
	random_state ^= random_state << 17;
	return (uint32_t)(random_state >> 20);
}

void packet_seed(uint64_t seed)
{
	random_state = seed;
	last_id = 0;
}

static void put32(uint8_t *to, uint32_t v)
{
	for (int i = 0; i < 4; i++)
		to[i] = (uint8_t)(v >> (24 - 8 * i));
}

static void swap_sides(struct packet *k)
{
	struct pkt_extra x = k->x;
	memcpy(k->x.src, x.dst, 16);
	memcpy(k->x.dst, x.src, 16);
	memcpy(k->x.smac, x.dmac, 6);
	memcpy(k->x.dmac, x.smac, 6);
	k->x.sport = x.dport;
	k->x.dport = x.sport;
	k->p.flags |= PKT_SRC_IS_B;
}

static struct packet tcp(uint16_t svlan, uint16_t cvlan, uint32_t subscriber, uint32_t flow,
			 uint8_t dir)
{
	uint32_t server = 0x5db80000 + flow / PORTS;
	struct packet k = {
		.p = {.key = {pkt_key0(svlan, cvlan, TCP, 0), subscriber, server,
			      (1024 + flow % PORTS) << 16 | HTTPS},
		      .kind = KIND_TCP,
		      .dir = dir & 3,
		      .flags = PKT_IP,
		      .tcp_flags = TCP_ACK,
		      .window = 500,
		      .wire_len = 64},
		.x = {.svlan = svlan,
		      .cvlan = cvlan,
		      .sport = (uint16_t)(1024 + flow % PORTS),
		      .dport = HTTPS,
		      .ip_proto = TCP,
		      .dmac = {0, 0, 0x5e, 0, 1, 1}},
	};
	put32(k.x.src, subscriber);
	put32(k.x.dst, server);
	packet_mac(&k, svlan * 4096u + cvlan);
	if (dir == DIR_DOWN)
		swap_sides(&k);
	return k;
}

struct packet packet_tcp(uint16_t svlan, uint16_t cvlan, uint32_t flow, uint8_t dir)
{
	struct packet k = tcp(svlan, cvlan, 0x64400000 + cvlan, flow, dir);
	k.p.flags |= PKT_TWO_TAGS;
	return k;
}

struct packet packet_ip(uint16_t svlan, uint32_t host, uint8_t dir)
{
	return tcp(svlan, 0, 0x0a000000 + host, host, dir);
}

struct packet packet_pppoe(uint16_t svlan, uint32_t mac, uint8_t dir)
{
	struct packet k = tcp(svlan, 0, 0x64400000 + mac, mac, dir);
	k.p.flags |= PKT_PPPOE;
	k.p.session_id = SESSION;
	packet_mac(&k, mac);
	return k;
}

static void take_bytes(struct packet *k, uint32_t n)
{
	assert(n <= PACKET_BYTES);
	k->p.payload_len = (uint16_t)n;
	k->x.payload_caplen = (uint16_t)n;
}

struct packet packet_discovery(uint16_t svlan, uint32_t mac, uint8_t code, const char *circuit)
{
	bool down = code == PADO || code == PADS;
	struct packet k = {
		.p = {.key = {pkt_key0(svlan, 0, 0, 0)},
		      .kind = KIND_PPPOE,
		      .dir = down ? DIR_DOWN : DIR_UP,
		      .flags = PKT_PPPOE,
		      .seq = code,
		      .session_id = code == PADS ? SESSION : 0,
		      .wire_len = 64},
		.x = {.svlan = svlan, .dmac = {0, 0, 0x5e, 0, 1, 1}},
	};
	if (circuit) { /* vendor-specific tag of the Broadband Forum, sub-tag 1 */
		uint8_t n = (uint8_t)strlen(circuit);
		memcpy(k.bytes, (uint8_t[]){1, 5, 0, (uint8_t)(n + 6), 0, 0, 0x0d, 0xe9, 1, n}, 10);
		memcpy(k.bytes + 10, circuit, n);
		take_bytes(&k, n + 10u);
	}
	packet_mac(&k, mac);
	if (down)
		swap_sides(&k);
	return k;
}

struct packet packet_padi(uint16_t svlan, uint32_t mac)
{
	return packet_discovery(svlan, mac, PADI, NULL);
}

struct packet packet_echo(uint16_t svlan, uint16_t cvlan, uint8_t id, bool reply)
{
	struct packet k = packet_tcp(svlan, cvlan, 0, reply ? DIR_UP : DIR_DOWN);
	uint8_t code = reply ? PPP_ECHO_REP : PPP_ECHO_REQ;
	k.p.key[1] = k.p.key[2] = k.p.key[3] = 0;
	k.p.kind = KIND_LCP;
	k.p.flags = PKT_PPPOE | PKT_TWO_TAGS;
	k.p.session_id = SESSION;
	memcpy(k.bytes, (uint8_t[]){code, id, 0, 8, 1, 2, 3, reply}, 8);
	take_bytes(&k, 8);
	return k;
}

void packet_mac(struct packet *k, uint32_t mac)
{
	uint8_t *wire = k->p.flags & PKT_SRC_IS_B ? k->x.dmac : k->x.smac;
	k->p.cpe_mac[0] = 2;
	k->p.cpe_mac[1] = 0;
	put32(k->p.cpe_mac + 2, mac);
	memcpy(wire, k->p.cpe_mac, 6);
}

void packet_ipv6(struct packet *k, uint32_t host)
{
	uint8_t *side = k->p.flags & PKT_SRC_IS_B ? k->x.dst : k->x.src;
	k->p.key[0] |= 0x80;
	k->p.flags |= PKT_IPV6;
	memcpy(side, (uint8_t[]){0x20, 1, 0xd, 0xb8}, 4);
	put32(side + 12, host);
}

void packet_data(struct packet *k, uint32_t seq, uint32_t ack, uint16_t payload)
{
	k->p.seq = seq;
	k->p.ack = ack;
	k->p.payload_len = payload;
	k->p.wire_len = (uint16_t)(64 + payload);
	k->p.ip_id = ++last_id;
	k->p.tcp_checksum = (uint16_t)(last_id * 40503u);
}

void feed_burst(struct feed *feed)
{
	stamp_burst(&feed->stamp, &feed->burst);
	worker_burst(feed->worker, &feed->burst);
	feed->burst.n = 0;
}

void feed_packet(struct feed *feed, const struct packet *k, uint64_t ts_ns)
{
	uint32_t i = feed->burst.n++;
	feed->burst.pkt[i] = k->p;
	feed->burst.pkt[i].ts_ns = ts_ns;
	feed->burst.extra[i] = k->x;
	feed->burst.frame[i] = memcpy(feed->frames[i], k->bytes, PACKET_BYTES);
	if (feed->burst.n == BURST_MAX)
		feed_burst(feed);
}
