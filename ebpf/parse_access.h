/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The frame that a BRAS sees all day, in one look: two tags, PPPoE session, IPv4 without options
 * or IPv6 without extension headers, and either TCP with no options or with timestamps alone, or
 * UDP that is not DHCP or DNS. A handful of words are compared with what they are in such a frame,
 * then the record is written in one go. What is different in any way is left to the layers; the
 * record is the same, bit for bit, as what the layers make of such a frame
 * (tests/ebpf/parse_access_test.c).
 *
 *   0 MACs   12 tag   16 tag   20 PPPoE   28 PPP   30 IP   50 or 70 TCP or UDP
 *
 * Other BRASes see all day the same with one tag or none, or without PPPoE: these are looked at
 * second (parse_access_other). Where IP begins is a constant in each of the six.
 *
 * Part of ebpf/parse.h, and bound by its rules.
 */
#ifndef RASAD_EBPF_PARSE_ACCESS_H
#define RASAD_EBPF_PARSE_ACCESS_H

#include "ebpf/parse_ip.h"

enum {
	ACCESS_IP = 30,	      /* behind two tags and PPPoE */
	ACCESS_LEAST_IP = 28, /* with ports */
	ACCESS_LEAST = 14 + ACCESS_LEAST_IP,
};

struct access {
	const pkt_u8 *h, *end; /* the frame */
	const pkt_u8 *l4;
	pkt_u32 left; /* what IP has behind itself */
	pkt_u32 dir;  /* what the caller knows of the direction */
	pkt_u32 flags;
	pkt_u32 svlan, cvlan, session;
	struct pkt *pkt;
	struct pkt_extra *extra;
};

/* Two tags, and PPPoE session data of version 1, type 1. The first 24 bytes are there. */
PARSE_INLINE int parse_is_access(const pkt_u8 *h)
{
	return parse_raw16(h + 16) == PARSE_BE16(0x8100) &&
	       parse_raw32(h + 20) == PARSE_BE32(0x88641100) && parse_is_tag(parse_raw16(h + 12));
}

/* Length of the TCP header: 20, or 32 with timestamps alone; 0 for all others. */
PARSE_INLINE pkt_u32 parse_access_header(const pkt_u8 *tcp, const pkt_u8 *end)
{
	pkt_u32 words = tcp[12] >> 4;
	if (words == 8)
		return tcp + 32 <= end && parse_raw32(tcp + 20) == PARSE_BE32(0x0101080a) ? 32 : 0;
	return words == 5 ? 20 : 0;
}

PARSE_INLINE int parse_access_tcp(struct access *a)
{
	const pkt_u8 *tcp = a->l4;
	struct pkt *p = a->pkt;
	pkt_u32 header;
	if (tcp + 20 > a->end)
		return 0;
	header = parse_access_header(tcp, a->end);
	if (header == 0 || a->left < header)
		return 0;
	p->seq = parse_u32(tcp + 4);
	p->ack = parse_u32(tcp + 8);
	p->payload_len = (pkt_u16)(a->left - header);
	p->window = parse_u16(tcp + 14);
	p->tcp_checksum = parse_u16(tcp + 16);
	p->kind = KIND_TCP;
	p->tcp_flags = tcp[13] & 0x3f;
	if (header == 32) {
		p->tsval = parse_u32(tcp + 24);
		p->tsecr = parse_u32(tcp + 28);
		a->flags |= PKT_TIMESTAMPS;
	} else {
		p->tsval = p->tsecr = 0;
	}
	return 1;
}

/* DHCP, DHCPv6 and DNS are read further. */
PARSE_INLINE int parse_is_service(pkt_u32 port)
{
	return port == 53 || port == 67 || port == 68 || port == 546 || port == 547;
}

PARSE_INLINE int parse_access_udp(struct access *a)
{
	const pkt_u8 *udp = a->l4;
	struct pkt *p = a->pkt;
	pkt_u32 sport = parse_u16(udp), dport = parse_u16(udp + 2), len = parse_u16(udp + 4);
	if (len < 8 || len > a->left || parse_is_service(sport) || parse_is_service(dport))
		return 0;
	p->seq = 0;
	p->kind = KIND_UDP;
	if ((sport == 443 || dport == 443) && len > 8 && udp + 9 <= a->end) {
		p->kind = KIND_QUIC;
		p->seq = udp[8];
	}
	p->ack = p->tsval = p->tsecr = 0;
	p->payload_len = (pkt_u16)(len - 8);
	p->window = p->tcp_checksum = 0;
	p->tcp_flags = 0;
	return 1;
}

/* What lies below IP, and what is the same in all of these frames. */
PARSE_INLINE void parse_access_rest(const struct access *a, pkt_u32 proto, pkt_u32 wire_len)
{
	struct pkt *p = a->pkt;
	struct pkt_extra *x = a->extra;
	const pkt_u8 *h = a->h;
	p->key[0] = pkt_key0(a->svlan, a->cvlan, proto, a->flags & PKT_IPV6);
	p->session_id = (pkt_u16)a->session;
	p->wire_len = parse_length(wire_len);
	p->l4_off = 0;
	p->verdict = VERDICT_OK;
	p->flags = (pkt_u8)a->flags;
	p->dir = a->dir & 3;
	parse_macs(h, a->dir == DIR_DOWN ? h : h + 6, p, x);
	x->n_sack = 0;
	x->ip_proto = (pkt_u8)proto;
	x->mss = 0;
	x->svlan = (pkt_u16)a->svlan;
	x->cvlan = (pkt_u16)a->cvlan;
	x->payload_caplen = 0;
}

PARSE_INLINE int parse_access_l4(struct access *a, pkt_u32 proto)
{
	return proto == 6 ? parse_access_tcp(a) : proto == 17 && parse_access_udp(a);
}

/* The first 28 bytes of IP are there; the wire has `room` of it. */
PARSE_INLINE int parse_access4(struct access *a, const pkt_u8 *ip, pkt_u32 room, pkt_u32 wire_len)
{
	pkt_u32 total = parse_u16(ip + 2), proto = ip[9];
	a->l4 = ip + 20;
	a->left = total - 20;
	if ((parse_raw16(ip + 6) & PARSE_BE16(0x3fff)) != 0 || total < ACCESS_LEAST_IP ||
	    total > room || !parse_access_l4(a, proto))
		return 0;
	parse_copy(a->extra->src, ip + 12, 4);
	parse_copy(a->extra->dst, ip + 16, 4);
	a->pkt->ip_id = parse_u16(ip + 4);
	a->flags |= PKT_IP | parse_endpoints4(a->pkt, a->extra, ip + 12, parse_u32(ip + 20));
	parse_access_rest(a, proto, wire_len);
	return 1;
}

PARSE_INLINE int parse_access6(struct access *a, const pkt_u8 *ip, pkt_u32 room, pkt_u32 wire_len)
{
	pkt_u32 proto;
	a->l4 = ip + 40;
	if (a->l4 + 8 > a->end || ip[0] >> 4 != 6)
		return 0;
	a->left = parse_u16(ip + 4);
	proto = ip[6];
	if (a->left < 8 || a->left + 40 > room || !parse_access_l4(a, proto))
		return 0;
	parse_copy(a->extra->src, ip + 8, 32); /* and dst */
	a->pkt->ip_id = 0;
	a->flags |=
		PKT_IP | PKT_IPV6 | parse_endpoints6(a->pkt, a->extra, ip + 8, parse_u32(ip + 40));
	parse_access_rest(a, proto, wire_len);
	return 1;
}

/* PPPoE begins at `at`; version and code are what they should be, and the first 36 bytes there. */
PARSE_INLINE int parse_access_session(struct access *a, pkt_u32 at, pkt_u32 wire_len)
{
	const pkt_u8 *ip = a->h + at + 8;
	pkt_u32 room = parse_u16(a->h + at + 4), proto = parse_raw16(ip - 2);
	if (room + at + 6 > wire_len || room < 2)
		return 0;
	a->session = parse_u16(a->h + at + 2);
	a->flags |= PKT_PPPOE;
	if (proto == PARSE_BE16(0x0021) && ip[0] == 0x45)
		return parse_access4(a, ip, room - 2, wire_len);
	return proto == PARSE_BE16(0x0057) && parse_access6(a, ip, room - 2, wire_len);
}

/* What lies at `at` has the EtherType `type`, as it lies in memory. */
PARSE_INLINE int parse_access_type(struct access *a, pkt_u32 at, pkt_u16 type, pkt_u32 wire_len)
{
	const pkt_u8 *h = a->h;
	if (h + at + ACCESS_LEAST_IP > a->end || at > wire_len)
		return 0;
	if (type == PARSE_BE16(0x0800))
		return h[at] == 0x45 && parse_access4(a, h + at, wire_len - at, wire_len);
	if (type == PARSE_BE16(0x86dd))
		return parse_access6(a, h + at, wire_len - at, wire_len);
	return type == PARSE_BE16(0x8864) && h + at + 8 + ACCESS_LEAST_IP <= a->end &&
	       parse_raw16(h + at) == PARSE_BE16(0x1100) && parse_access_session(a, at, wire_len);
}

/* One tag or none, or two without PPPoE. */
PARSE_SELDOM int parse_access_other(struct access *a, pkt_u32 wire_len)
{
	const pkt_u8 *h = a->h;
	if (!parse_is_tag(parse_raw16(h + 12)))
		return parse_access_type(a, 14, parse_raw16(h + 12), wire_len);
	a->svlan = parse_u16(h + 14) & 0xfff;
	if (!parse_is_tag(parse_raw16(h + 16)))
		return parse_access_type(a, 18, parse_raw16(h + 16), wire_len);
	a->cvlan = parse_u16(h + 18) & 0xfff;
	a->flags = PKT_TWO_TAGS;
	return parse_access_type(a, 22, parse_raw16(h + 20), wire_len);
}

/*
 * 1 when the frame is one of these: then the record is complete but for the time. 0 leaves rubbish
 * in it. The caller has set h, end, dir, pkt and extra, and all else to 0.
 */
PARSE_INLINE int parse_access(struct access *a, pkt_u32 wire_len)
{
	const pkt_u8 *h = a->h;
	struct access other;
	if (h + ACCESS_LEAST > a->end)
		return 0;
	if (h + ACCESS_IP + ACCESS_LEAST_IP > a->end || !parse_is_access(h)) {
		other = *a; /* of *a itself nobody takes the address */
		return parse_access_other(&other, wire_len);
	}
	a->svlan = parse_u16(h + 14) & 0xfff;
	a->cvlan = parse_u16(h + 18) & 0xfff;
	a->flags = PKT_TWO_TAGS;
	return parse_access_session(a, ACCESS_IP - 8, wire_len);
}

#endif
