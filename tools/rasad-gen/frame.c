/* SPDX-License-Identifier: BSD-3-Clause */
#include "tools/rasad-gen/frame.h"

#include <string.h>

#include "tools/rasad-gen/mem.h"

#define ETHERNET_MIN 60 /* without the FCS */

enum ethertype {
	ETH_IPV4 = 0x0800,
	ETH_VLAN = 0x8100,
	ETH_IPV6 = 0x86dd,
	ETH_MPLS = 0x8847,
	ETH_PPPOE_DISCOVERY = 0x8863,
	ETH_PPPOE_SESSION = 0x8864,
};

#define PPPOE_VERSION_TYPE 0x11
#define IPV4_DONT_FRAGMENT 0x4000

void frame_bytes(struct frame *f, const void *data, size_t n)
{
	if (f->n + n > FRAME_MAX)
		die("frame longer than %d bytes", FRAME_MAX);
	memcpy(f->byte + f->n, data, n);
	f->n += (uint32_t)n;
}

void frame_be16(struct frame *f, uint16_t v)
{
	frame_bytes(f, (uint8_t[]){(uint8_t)(v >> 8), (uint8_t)v}, 2);
}

void frame_be32(struct frame *f, uint32_t v)
{
	frame_be16(f, (uint16_t)(v >> 16));
	frame_be16(f, (uint16_t)v);
}

static void frame_zero(struct frame *f, size_t n)
{
	size_t wanted = f->n >= f->cut ? 0 : f->cut - f->n;

	if (f->n + n > FRAME_MAX)
		die("frame longer than %d bytes", FRAME_MAX);
	memset(f->byte + f->n, 0, n < wanted ? n : wanted);
	f->n += (uint32_t)n;
}

static void ethernet(struct frame *f, const struct l2 *l2, enum dir dir, bool broadcast)
{
	static const uint8_t everyone[6] = {0xff, 0xff, 0xff, 0xff, 0xff, 0xff};

	f->n = 0;
	frame_bytes(f, broadcast ? everyone : dir == DIR_DOWN ? l2->cpe_mac : l2->ac_mac, 6);
	frame_bytes(f, dir == DIR_DOWN ? l2->ac_mac : l2->cpe_mac, 6);
}

static void tags(struct frame *f, const struct l2 *l2)
{
	if (l2->encap == ENCAP_QINQ || l2->encap == ENCAP_QINQ_PPPOE) {
		frame_be16(f, l2->outer_tpid);
		frame_be16(f, l2->svlan);
	}
	if (l2->encap == ENCAP_VLAN || l2->encap == ENCAP_QINQ || l2->encap == ENCAP_QINQ_PPPOE) {
		frame_be16(f, ETH_VLAN);
		frame_be16(f, l2->cvlan);
	}
}

static void pppoe(struct frame *f, uint8_t code, uint16_t session_id, size_t bytes)
{
	frame_bytes(f, (uint8_t[]){PPPOE_VERSION_TYPE, code}, 2);
	frame_be16(f, session_id);
	frame_be16(f, (uint16_t)bytes);
}

void frame_begin_ppp(struct frame *f, const struct l2 *l2, enum dir dir, enum ppp_protocol protocol,
		     size_t bytes)
{
	ethernet(f, l2, dir, false);
	tags(f, l2);
	frame_be16(f, ETH_PPPOE_SESSION);
	pppoe(f, 0, l2->pppoe_session_id, bytes + 2);
	frame_be16(f, protocol);
}

void frame_begin_discovery(struct frame *f, const struct l2 *l2, enum dir dir, bool broadcast,
			   uint8_t code, size_t bytes)
{
	ethernet(f, l2, dir, broadcast);
	tags(f, l2);
	frame_be16(f, ETH_PPPOE_DISCOVERY);
	pppoe(f, code, l2->pppoe_session_id, bytes);
}

static void mpls(struct frame *f, const struct l2 *l2)
{
	frame_be16(f, ETH_MPLS);
	frame_be32(f, (16000u + l2->svlan) << 12 | 255);     /* transport */
	frame_be32(f, l2->mpls_label << 12 | 1u << 8 | 255); /* service, bottom of stack */
}

void frame_begin_ip(struct frame *f, const struct l2 *l2, enum dir dir, bool v6, size_t bytes)
{
	if (l2->encap == ENCAP_PPPOE || l2->encap == ENCAP_QINQ_PPPOE) {
		frame_begin_ppp(f, l2, dir, v6 ? PPP_IPV6 : PPP_IPV4, bytes);
		return;
	}
	ethernet(f, l2, dir, false);
	tags(f, l2);
	if (l2->encap == ENCAP_MPLS)
		mpls(f, l2);
	else
		frame_be16(f, v6 ? ETH_IPV6 : ETH_IPV4);
}

static uint64_t sum_be16(const uint8_t *p, size_t n, uint64_t sum)
{
	for (; n > 1; n -= 2, p += 2)
		sum += (uint32_t)p[0] << 8 | p[1];
	return n ? sum + ((uint32_t)p[0] << 8) : sum;
}

static uint16_t fold(uint64_t sum)
{
	while (sum >> 16)
		sum = (sum & 0xffff) + (sum >> 16);
	return (uint16_t)~sum;
}

static void store_be16(uint8_t *p, uint16_t v)
{
	p[0] = (uint8_t)(v >> 8);
	p[1] = (uint8_t)v;
}

size_t frame_ip_bytes(bool v6)
{
	return v6 ? 40 : 20;
}

static void ipv4(struct frame *f, const struct ip_header *ip, size_t bytes)
{
	uint8_t h[20] = {0x45};

	store_be16(h + 2, (uint16_t)(bytes + sizeof(h)));
	store_be16(h + 4, ip->id);
	store_be16(h + 6, IPV4_DONT_FRAGMENT);
	h[8] = ip->ttl;
	h[9] = (uint8_t)ip->protocol;
	memcpy(h + 12, ip->source.byte, 4);
	memcpy(h + 16, ip->destination.byte, 4);
	store_be16(h + 10, fold(sum_be16(h, sizeof(h), 0)));
	frame_bytes(f, h, sizeof(h));
}

static void ipv6(struct frame *f, const struct ip_header *ip, size_t bytes)
{
	uint8_t h[40] = {0x60};

	store_be16(h + 4, (uint16_t)bytes);
	h[6] = (uint8_t)ip->protocol;
	h[7] = ip->ttl;
	memcpy(h + 8, ip->source.byte, 16);
	memcpy(h + 24, ip->destination.byte, 16);
	frame_bytes(f, h, sizeof(h));
}

static void ip_header(struct frame *f, const struct ip_header *ip, size_t bytes)
{
	f->ip_at = f->n;
	if (ip->source.v6)
		ipv6(f, ip, bytes);
	else
		ipv4(f, ip, bytes);
}

static uint64_t pseudo_sum(const struct ip_header *ip, size_t bytes)
{
	size_t n = ip->source.v6 ? 16 : 4;
	uint64_t sum = bytes + (unsigned)ip->protocol;

	sum = sum_be16(ip->source.byte, n, sum);
	return sum_be16(ip->destination.byte, n, sum);
}

void frame_tcp(struct frame *f, const struct ip_header *ip, const struct tcp_header *tcp,
	       size_t payload_bytes)
{
	uint8_t h[60] = {0};
	size_t n = 20u + tcp->option_bytes;
	uint64_t sum;

	store_be16(h, tcp->source_port);
	store_be16(h + 2, tcp->destination_port);
	store_be16(h + 4, (uint16_t)(tcp->seq >> 16));
	store_be16(h + 6, (uint16_t)tcp->seq);
	store_be16(h + 8, (uint16_t)(tcp->ack >> 16));
	store_be16(h + 10, (uint16_t)tcp->ack);
	h[12] = (uint8_t)(n / 4 << 4);
	h[13] = tcp->flags;
	store_be16(h + 14, tcp->window);
	memcpy(h + 20, tcp->option, tcp->option_bytes);
	sum = sum_be16(h, n, pseudo_sum(ip, n + payload_bytes));
	store_be16(h + 16, fold(sum)); /* the zero payload adds nothing */

	ip_header(f, ip, n + payload_bytes);
	frame_bytes(f, h, n);
	frame_zero(f, payload_bytes);
}

void frame_udp(struct frame *f, const struct ip_header *ip, uint16_t source_port,
	       uint16_t destination_port, const void *payload, size_t n)
{
	uint8_t h[8];
	uint16_t checksum;

	store_be16(h, source_port);
	store_be16(h + 2, destination_port);
	store_be16(h + 4, (uint16_t)(sizeof(h) + n));
	store_be16(h + 6, 0);
	checksum = fold(
		sum_be16(payload, payload ? n : 0, sum_be16(h, sizeof(h), pseudo_sum(ip, n + 8))));
	store_be16(h + 6, checksum ? checksum : 0xffff);
	ip_header(f, ip, sizeof(h) + n);
	frame_bytes(f, h, sizeof(h));
	if (payload)
		frame_bytes(f, payload, n);
	else
		frame_zero(f, n);
}

void frame_icmp(struct frame *f, const struct ip_header *ip, uint8_t *payload, size_t n)
{
	store_be16(payload + 2, 0);
	store_be16(payload + 2, fold(sum_be16(payload, n, ip->source.v6 ? pseudo_sum(ip, n) : 0)));
	ip_header(f, ip, n);
	frame_bytes(f, payload, n);
}

uint32_t frame_end(struct frame *f)
{
	if (f->n < ETHERNET_MIN)
		frame_zero(f, ETHERNET_MIN - f->n);
	return f->n;
}
