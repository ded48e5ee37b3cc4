/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * IP and what it carries: IPv4 with options (RFC 791), IPv6 with extension headers (RFC 8200),
 * TCP with its options (RFC 9293, 7323, 2018), UDP, ICMP; and the flow key. Part of ebpf/parse.h,
 * and bound by its rules.
 */
#ifndef RASAD_EBPF_PARSE_IP_H
#define RASAD_EBPF_PARSE_IP_H

#include "ebpf/parse_cursor.h"

PARSE_INLINE pkt_u64 parse_mix(pkt_u64 h, pkt_u64 v)
{
	h = (h ^ v) * 0x9fb21c651e98df25ull;
	return h ^ h >> 32;
}

/*
 * 1 if a < b, both less than 2^63. BPF has no instruction that compares into a register: there `<`
 * is a branch, and which end of a flow sends is what no processor foresees.
 */
PARSE_INLINE pkt_u32 parse_borrows(pkt_u64 a, pkt_u64 b)
{
#ifdef __bpf__
	__asm__ volatile("%0 -= %1" : "+r"(a) : "r"(b));
	return (pkt_u32)(a >> 63);
#else
	return a < b;
#endif
}

/*
 * The endpoints of the flow key, ordered by (address, port): source and destination, which lie side
 * by side at `addresses`, and `ports`, the sender's and the receiver's as in the header.
 * Returns PKT_SRC_IS_B when the sender is the second. Without a branch, because the two directions
 * of a flow take turns: they are rotated by half a word or by nothing.
 */
PARSE_INLINE pkt_u32 parse_endpoints4(struct pkt *p, struct pkt_extra *x, const pkt_u8 *addresses,
				      pkt_u32 ports)
{
	pkt_u64 both = parse_raw64(addresses);
	pkt_u64 s = (pkt_u64)parse_raw32(addresses) << 16 | ports >> 16;
	pkt_u64 d = (pkt_u64)parse_raw32(addresses + 4) << 16 | (pkt_u16)ports;
	pkt_u32 b = parse_borrows(d, s);
	x->sport = (pkt_u16)(ports >> 16);
	x->dport = (pkt_u16)ports;
	both = both << 32 * b | both >> (-32 * b & 63);
	__builtin_memcpy(&p->key[1], &both, 8);
	p->key[3] = ports << 16 * b | ports >> (-16 * b & 31);
	return b * PKT_SRC_IS_B;
}

/* The same, as a hash of 96 bits. */
PARSE_INLINE pkt_u32 parse_endpoints6(struct pkt *p, struct pkt_extra *x, const pkt_u8 *addresses,
				      pkt_u32 ports)
{
	pkt_u64 s = parse_raw64(addresses), s2 = parse_raw64(addresses + 8),
		d = parse_raw64(addresses + 16), d2 = parse_raw64(addresses + 24), h, y;
	int b = s > d || (s == d && (s2 > d2 || (s2 == d2 && ports >> 16 > (pkt_u16)ports)));
	pkt_u64 lo2 = b ? d2 : s2, hi2 = b ? s2 : d2;
	x->sport = (pkt_u16)(ports >> 16);
	x->dport = (pkt_u16)ports;
	if (b)
		ports = ports << 16 | ports >> 16;
	h = parse_mix(0x243f6a8885a308d3ull, b ? d : s);
	h = parse_mix(h, lo2);
	h = parse_mix(h, b ? s : d);
	h = parse_mix(h, hi2);
	h = parse_mix(h, ports);
	y = parse_mix(h ^ lo2, hi2 + ports);
	p->key[1] = (pkt_u32)h;
	p->key[2] = (pkt_u32)(h >> 32);
	p->key[3] = (pkt_u32)y;
	return b ? PKT_SRC_IS_B : 0;
}

PARSE_INLINE void parse_key(struct parse *c, pkt_u8 proto, pkt_u32 ports)
{
	int v6 = c->flags & PKT_IPV6;
	c->extra->ip_proto = proto;
	c->pkt->key[0] = pkt_key0(c->svlan, c->cvlan, proto, v6);
	c->flags |= (pkt_u8)(v6 ? parse_endpoints6(c->pkt, c->extra, c->addresses, ports)
				: parse_endpoints4(c->pkt, c->extra, c->addresses, ports));
}

PARSE_INLINE void parse_sack(struct parse *c, const pkt_u8 *o, pkt_u32 len)
{
	pkt_u32 n = (len - 2) / 8;
	if (n > 4)
		n = 4;
	for (pkt_u32 i = 0; i < 4; i++) {
		if (i >= n || o + 2 + 8 * i + 8 > c->end)
			break;
		c->extra->sack[2 * i] = parse_u32(o + 2 + 8 * i);
		c->extra->sack[2 * i + 1] = parse_u32(o + 6 + 8 * i);
		c->extra->n_sack = (pkt_u8)(i + 1);
		c->flags |= PKT_SACK;
	}
}

/* One option at `o`; *step is its length, 0 at the end of the list. */
PARSE_INLINE enum pkt_verdict parse_tcp_option(struct parse *c, const pkt_u8 *o, pkt_u32 room,
					       pkt_u32 *step)
{
	pkt_u32 kind, len;
	*step = 0;
	if (o + 1 > c->end)
		return parse_short(c);
	kind = o[0];
	if (kind <= 1) {
		*step = kind;
		return VERDICT_OK;
	}
	if (o + 2 > c->end)
		return parse_short(c);
	len = o[1];
	if (len < 2 || len > room)
		return VERDICT_MALFORMED;
	*step = len;
	if (kind == 8 && len == 10) {
		if (o + 10 > c->end)
			return parse_short(c);
		c->pkt->tsval = parse_u32(o + 2);
		c->pkt->tsecr = parse_u32(o + 6);
		c->flags |= PKT_TIMESTAMPS;
	} else if (kind == 5 && len >= 10) {
		parse_sack(c, o, len);
		if (o + len > c->end)
			return parse_short(c);
	} else if (kind == 2 && len == 4) {
		if (o + 4 > c->end)
			return parse_short(c);
		c->extra->mss = parse_u16(o + 2);
	}
	return VERDICT_OK;
}

/* At most 40 bytes of options. All ways through the loop look alike to the verifier, which then
 * walks each round once. */
PARSE_INLINE enum pkt_verdict parse_tcp_options(struct parse *c, const pkt_u8 *o, pkt_u32 len)
{
	pkt_u32 at = 0, step;
	for (int i = 0; i < 40 && at < len; i++) {
		enum pkt_verdict verdict;
		at = parse_any(o, at);
		verdict = parse_tcp_option(c, o + at, len - at, &step);
		if (verdict != VERDICT_OK || step == 0)
			return verdict;
		at += step;
	}
	return VERDICT_OK;
}

/* The usual layout of an established flow: NOP, NOP, timestamps. */
PARSE_INLINE int parse_tcp_only_timestamps(struct parse *c, const pkt_u8 *o, pkt_u32 len)
{
	if (len != 12 || o + 12 > c->end || parse_u32(o) != 0x0101080a)
		return 0;
	c->pkt->tsval = parse_u32(o + 4);
	c->pkt->tsecr = parse_u32(o + 8);
	c->flags |= PKT_TIMESTAMPS;
	return 1;
}

PARSE_INLINE enum pkt_verdict parse_tcp(struct parse *c)
{
	const pkt_u8 *h = c->at;
	struct pkt *p = c->pkt;
	pkt_u32 len, left = parse_left(c);
	if (!parse_has(c, 4))
		return parse_short(c);
	parse_key(c, 6, parse_u32(h));
	if (!parse_has(c, 20))
		return parse_short(c);
	len = (pkt_u32)(h[12] >> 4) * 4;
	if (len < 20 || len > left)
		return len >= 20 && c->cut ? VERDICT_TRUNCATED : VERDICT_MALFORMED;
	p->kind = KIND_TCP;
	p->seq = parse_u32(h + 4);
	p->ack = parse_u32(h + 8);
	p->tcp_flags = h[13] & 0x3f;
	p->window = parse_u16(h + 14);
	p->tcp_checksum = parse_u16(h + 16);
	p->payload_len = parse_length(left - len);
	if (len == 20 || parse_tcp_only_timestamps(c, h + 20, len - 20))
		return VERDICT_OK;
	return parse_tcp_options(c, h + 20, len - 20);
}

PARSE_INLINE enum pkt_verdict parse_dns(struct parse *c)
{
	if (!parse_has(c, 4))
		return parse_left(c) < 12 ? VERDICT_OK : parse_short(c);
	c->pkt->kind = KIND_DNS;
	c->pkt->seq = parse_u16(c->at);
	c->pkt->ack = parse_u16(c->at + 2);
	return VERDICT_OK;
}

PARSE_INLINE enum pkt_verdict parse_udp(struct parse *c)
{
	const pkt_u8 *h = c->at;
	struct pkt *p = c->pkt;
	pkt_u16 sport, dport, len;
	if (!parse_has(c, 4))
		return parse_short(c);
	sport = parse_u16(h);
	dport = parse_u16(h + 2);
	parse_key(c, 17, parse_u32(h));
	if (!parse_has(c, 8))
		return parse_short(c);
	len = parse_u16(h + 4);
	if (len < 8 && len != 0)
		return VERDICT_MALFORMED;
	p->kind = KIND_UDP;
	if (len && !(c->flags & PKT_FIRST_FRAGMENT))
		parse_bound(c, len);
	parse_skip(c, 8);
	p->payload_len = parse_length(parse_left(c));
	if ((sport == 67 && (dport == 68 || dport == 67)) || (sport == 68 && dport == 67))
		parse_control(c, KIND_DHCP);
	else if ((sport == 546 && dport == 547) || (sport == 547 && (dport == 546 || dport == 547)))
		parse_control(c, KIND_DHCP6);
	else if (sport == 53 || dport == 53)
		return parse_dns(c);
	else if ((sport == 443 || dport == 443) && parse_left(c) >= 1 && parse_has(c, 1)) {
		p->kind = KIND_QUIC;
		p->seq = c->at[0];
	}
	return VERDICT_OK;
}

PARSE_INLINE enum pkt_verdict parse_icmp(struct parse *c, pkt_u8 proto)
{
	const pkt_u8 *h = c->at;
	parse_key(c, proto, 0);
	if (!parse_has(c, 8))
		return parse_left(c) >= 4 && parse_left(c) < 8 && parse_has(c, 4) ? VERDICT_OK
										  : parse_short(c);
	c->pkt->kind = KIND_ICMP;
	c->pkt->ack = parse_u16(h);
	c->pkt->seq = parse_u32(h + 4);
	c->pkt->payload_len = parse_length(parse_left(c) >= 8 ? parse_left(c) - 8 : 0);
	if (proto == 58 && h[0] == 134)
		parse_control(c, KIND_ICMP6_RA);
	return VERDICT_OK;
}

PARSE_INLINE enum pkt_verdict parse_l4(struct parse *c)
{
	pkt_u8 proto = (pkt_u8)c->type;
	switch (proto) {
	case 6:
		return parse_tcp(c);
	case 17:
		return parse_udp(c);
	case 1:
	case 58:
		return parse_icmp(c, proto);
	default:
		parse_key(c, proto, 0);
		return VERDICT_UNKNOWN_L4;
	}
}

PARSE_INLINE enum pkt_verdict parse_ipv4(struct parse *c)
{
	const pkt_u8 *h = c->at;
	pkt_u32 hlen, total, frag;
	if (!parse_has(c, 20))
		return parse_short(c);
	hlen = (pkt_u32)(h[0] & 15) * 4;
	total = parse_u16(h + 2);
	if (h[0] >> 4 != 4 || hlen < 20)
		return VERDICT_MALFORMED;
	if (total == 0) /* segmentation offload: the length did not fit or was not yet written */
		total = parse_left(c);
	if (total < hlen)
		return VERDICT_MALFORMED;
	parse_bound(c, total);
	c->addresses = h + 12;
	parse_copy(c->extra->src, h + 12, 4);
	parse_copy(c->extra->dst, h + 16, 4);
	c->flags |= PKT_IP;
	c->pkt->ip_id = parse_u16(h + 4);
	frag = parse_u16(h + 6);
	if (!parse_has(c, hlen)) {
		parse_key(c, h[9], 0);
		return parse_short(c);
	}
	parse_skip(c, hlen);
	if (frag & 0x1fff) {
		parse_key(c, h[9], 0);
		return VERDICT_FRAGMENT;
	}
	if (frag & 0x2000)
		c->flags |= PKT_FIRST_FRAGMENT;
	c->type = h[9];
	return parse_then(c, PARSE_L4);
}

PARSE_INLINE int parse_is_extension(pkt_u8 next)
{
	return next == 0 || next == 43 || next == 44 || next == 51 || next == 60 || next == 135;
}

PARSE_INLINE enum pkt_verdict parse_ipv6(struct parse *c)
{
	const pkt_u8 *h = c->at;
	pkt_u32 len;
	pkt_u8 next;
	if (!parse_has(c, 40))
		return parse_short(c);
	if (h[0] >> 4 != 6)
		return VERDICT_MALFORMED;
	len = parse_u16(h + 4);
	c->addresses = h + 8;
	parse_copy(c->extra->src, h + 8, 16);
	parse_copy(c->extra->dst, h + 24, 16);
	c->flags |= PKT_IP | PKT_IPV6;
	next = h[6];
	if (len) /* 0: jumbogram or segmentation offload, the frame tells */
		parse_bound(c, len + 40);
	parse_skip(c, 40);
	for (int i = 0; i <= PARSE_MAX_EXT_HEADERS; i++) {
		pkt_u32 ext;
		if (!parse_is_extension(next)) {
			c->type = next;
			return parse_then(c, PARSE_L4);
		}
		if (i == PARSE_MAX_EXT_HEADERS)
			break;
		if (!parse_has(c, 8)) {
			parse_key(c, next, 0);
			return parse_short(c);
		}
		h = c->at;
		if (next == 44) {
			pkt_u32 frag = parse_u16(h + 2);
			if (frag & 0xfff8) {
				parse_key(c, h[0], 0);
				return VERDICT_FRAGMENT;
			}
			if (frag & 1)
				c->flags |= PKT_FIRST_FRAGMENT;
			ext = 8;
		} else {
			ext = next == 51 ? ((pkt_u32)h[1] + 2) * 4 : ((pkt_u32)h[1] + 1) * 8;
		}
		next = h[0];
		if (ext > parse_left(c) || !parse_has(c, ext)) {
			parse_key(c, next, 0);
			return ext > parse_left(c) && !c->cut ? VERDICT_MALFORMED : parse_short(c);
		}
		parse_skip(c, ext);
	}
	parse_key(c, next, 0);
	return VERDICT_UNKNOWN_L4;
}

#endif
