/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Frame -> struct pkt. The only frame parser of rasad: DPDK, XDP and replay all use this file.
 *
 * Reads Ethernet with up to three VLAN tags in any order, MPLS, PPPoE discovery (RFC 2516) and
 * session, PPP with and without protocol-field compression (RFC 1661), IPv4 with options, IPv6
 * with extension headers (RFC 8200), TCP with its options (RFC 9293, 7323, 2018), UDP, ICMP; and
 * the link types of captures that came from other places than Ethernet.
 *
 * Rules: no libc, no allocation, no loop without a constant bound, and every read is preceded by
 * a comparison of the cursor with the end, in the form that the eBPF verifier follows. Ethernet
 * padding is never payload: lengths come from the IP header. Where the bytes end inside a header
 * the verdict is TRUNCATED when the capture cut them (caplen < wire length) and MALFORMED when
 * the sender did; what the headers gave until then is kept either way.
 */
#ifndef RASAD_EBPF_PARSE_H
#define RASAD_EBPF_PARSE_H

#include "ebpf/pkt.h"

#define PARSE_INLINE static inline __attribute__((always_inline))

enum { PARSE_MAX_TAGS = 3, PARSE_MAX_LABELS = 8, PARSE_MAX_EXT_HEADERS = 8 };

/* Link types of captures (the LINKTYPE_ numbers of the pcap registry). */
enum parse_link {
	LINK_NULL = 0,
	LINK_ETHERNET = 1,
	LINK_PPP = 9,
	LINK_RAW_BSD = 12,
	LINK_RAW_OPENBSD = 14,
	LINK_PPP_HDLC = 50,
	LINK_PPPOE = 51,
	LINK_RAW = 101,
	LINK_LOOP = 108,
	LINK_SLL = 113,
	LINK_PPP_PPPD = 166,
	LINK_IPV4 = 228,
	LINK_IPV6 = 229,
	LINK_SLL2 = 276,
};

struct parse {
	const pkt_u8 *start, *at, *end;
	pkt_u32 left;  /* bytes of the current layer as the wire had them */
	pkt_u8 cut;    /* the capture holds fewer bytes than the wire had */
	struct pkt *pkt;
	struct pkt_extra *extra;
};

PARSE_INLINE pkt_u16 parse_u16(const pkt_u8 *p)
{
	return (pkt_u16)(p[0] << 8 | p[1]);
}

PARSE_INLINE pkt_u32 parse_u32(const pkt_u8 *p)
{
	return (pkt_u32)p[0] << 24 | (pkt_u32)p[1] << 16 | (pkt_u32)p[2] << 8 | p[3];
}

/* Four bytes as they lie in memory: for keys, where only equality and any fixed order matter. */
PARSE_INLINE pkt_u32 parse_raw32(const pkt_u8 *p)
{
	pkt_u32 v;
	__builtin_memcpy(&v, p, 4);
	return v;
}

PARSE_INLINE pkt_u64 parse_raw64(const pkt_u8 *p)
{
	pkt_u64 v;
	__builtin_memcpy(&v, p, 8);
	return v;
}

PARSE_INLINE enum pkt_verdict parse_short(const struct parse *c)
{
	return c->cut ? VERDICT_TRUNCATED : VERDICT_MALFORMED;
}

PARSE_INLINE int parse_has(const struct parse *c, pkt_u32 n)
{
	return c->at + n <= c->end;
}

PARSE_INLINE void parse_skip(struct parse *c, pkt_u32 n)
{
	c->at += n;
	c->left = c->left > n ? c->left - n : 0;
}

/* An inner length bounds the layer: what lies behind it is padding. A length that is longer
 * than the frame means that somebody cut the frame. */
PARSE_INLINE void parse_bound(struct parse *c, pkt_u32 len)
{
	if (len < c->left) {
		c->left = len;
		if (c->at + len < c->end)
			c->end = c->at + len;
	} else if (len > c->left) {
		c->cut = 1;
	}
}

PARSE_INLINE void parse_control(struct parse *c, pkt_u8 kind)
{
	pkt_u32 have = (pkt_u32)(c->end - c->at);
	c->pkt->kind = kind;
	c->pkt->l4_off = (pkt_u16)(c->at - c->start);
	c->pkt->payload_len = (pkt_u16)c->left;
	c->extra->payload_caplen = (pkt_u16)(have < c->left ? have : c->left);
}

PARSE_INLINE pkt_u64 parse_mix(pkt_u64 h, pkt_u64 v)
{
	h = (h ^ v) * 0x9fb21c651e98df25ull;
	return h ^ h >> 32;
}

PARSE_INLINE void parse_key6(struct parse *c, pkt_u32 ports_ab, int b)
{
	const pkt_u8 *lo = b ? c->extra->dst : c->extra->src, *hi = b ? c->extra->src : c->extra->dst;
	pkt_u64 x = parse_mix(0x243f6a8885a308d3ull, parse_raw64(lo)), y;
	x = parse_mix(x, parse_raw64(lo + 8));
	x = parse_mix(x, parse_raw64(hi));
	x = parse_mix(x, parse_raw64(hi + 8));
	x = parse_mix(x, ports_ab);
	y = parse_mix(x ^ parse_raw64(lo + 8), parse_raw64(hi + 8) + ports_ab);
	c->pkt->key[1] = (pkt_u32)x;
	c->pkt->key[2] = (pkt_u32)(x >> 32);
	c->pkt->key[3] = (pkt_u32)y;
}

/* Orders the endpoints and writes the flow key. */
PARSE_INLINE void parse_key(struct parse *c, pkt_u8 proto, pkt_u16 sport, pkt_u16 dport)
{
	struct pkt *p = c->pkt;
	struct pkt_extra *x = c->extra;
	int v6 = p->flags & PKT_IPV6, b;
	pkt_u64 s = parse_raw32(x->src), d = parse_raw32(x->dst);
	if (v6) {
		s = parse_raw64(x->src);
		d = parse_raw64(x->dst);
		if (s == d) {
			s = parse_raw64(x->src + 8);
			d = parse_raw64(x->dst + 8);
		}
	}
	b = s > d || (s == d && sport > dport);
	x->sport = sport;
	x->dport = dport;
	x->ip_proto = proto;
	p->flags |= (pkt_u8)(b ? PKT_SRC_IS_B : 0);
	p->key[0] = pkt_key0(x->svlan, x->cvlan, proto, v6);
	p->key[1] = (pkt_u32)(b ? d : s);
	p->key[2] = (pkt_u32)(b ? s : d);
	p->key[3] = b ? (pkt_u32)dport << 16 | sport : (pkt_u32)sport << 16 | dport;
	if (v6)
		parse_key6(c, p->key[3], b);
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
		c->pkt->flags |= PKT_SACK;
	}
}

PARSE_INLINE enum pkt_verdict parse_tcp_options(struct parse *c, const pkt_u8 *o, const pkt_u8 *stop)
{
	for (int i = 0; i < 40 && o < stop; i++) {
		pkt_u32 kind, len;
		if (o + 1 > c->end)
			return parse_short(c);
		kind = o[0];
		if (kind == 0)
			break;
		if (kind == 1) {
			o++;
			continue;
		}
		if (o + 2 > c->end)
			return parse_short(c);
		len = o[1];
		if (len < 2 || o + len > stop)
			return VERDICT_MALFORMED;
		if (kind == 8 && len == 10) {
			if (o + 10 > c->end)
				return parse_short(c);
			c->pkt->tsval = parse_u32(o + 2);
			c->pkt->tsecr = parse_u32(o + 6);
			c->pkt->flags |= PKT_TIMESTAMPS;
		} else if (kind == 5 && len >= 10) {
			parse_sack(c, o, len);
		} else if (kind == 2 && len == 4) {
			if (o + 4 > c->end)
				return parse_short(c);
			c->extra->mss = parse_u16(o + 2);
		}
		o += len;
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
	c->pkt->flags |= PKT_TIMESTAMPS;
	return 1;
}

PARSE_INLINE enum pkt_verdict parse_tcp(struct parse *c)
{
	const pkt_u8 *h = c->at;
	struct pkt *p = c->pkt;
	pkt_u32 len, left = c->left;
	if (!parse_has(c, 4))
		return parse_short(c);
	parse_key(c, 6, parse_u16(h), parse_u16(h + 2));
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
	p->payload_len = (pkt_u16)(left - len);
	if (len == 20 || parse_tcp_only_timestamps(c, h + 20, len - 20))
		return VERDICT_OK;
	return parse_tcp_options(c, h + 20, h + len);
}

PARSE_INLINE enum pkt_verdict parse_dns(struct parse *c)
{
	if (!parse_has(c, 4))
		return c->left < 12 ? VERDICT_OK : parse_short(c);
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
	parse_key(c, 17, sport, dport);
	if (!parse_has(c, 8))
		return parse_short(c);
	len = parse_u16(h + 4);
	if (len < 8 && len != 0)
		return VERDICT_MALFORMED;
	p->kind = KIND_UDP;
	if (len && !(p->flags & PKT_FIRST_FRAGMENT))
		parse_bound(c, len);
	parse_skip(c, 8);
	p->payload_len = (pkt_u16)c->left;
	if ((sport == 67 && (dport == 68 || dport == 67)) || (sport == 68 && dport == 67))
		parse_control(c, KIND_DHCP);
	else if ((sport == 546 && dport == 547) || (sport == 547 && (dport == 546 || dport == 547)))
		parse_control(c, KIND_DHCP6);
	else if (sport == 53 || dport == 53)
		return parse_dns(c);
	else if ((sport == 443 || dport == 443) && c->left >= 1 && parse_has(c, 1)) {
		p->kind = KIND_QUIC;
		p->seq = c->at[0];
	}
	return VERDICT_OK;
}

PARSE_INLINE enum pkt_verdict parse_icmp(struct parse *c, pkt_u8 proto)
{
	const pkt_u8 *h = c->at;
	parse_key(c, proto, 0, 0);
	if (!parse_has(c, 8))
		return c->left >= 4 && c->left < 8 && parse_has(c, 4) ? VERDICT_OK : parse_short(c);
	c->pkt->kind = KIND_ICMP;
	c->pkt->ack = parse_u16(h);
	c->pkt->seq = parse_u32(h + 4);
	c->pkt->payload_len = (pkt_u16)(c->left >= 8 ? c->left - 8 : 0);
	if (proto == 58 && h[0] == 134)
		parse_control(c, KIND_ICMP6_RA);
	return VERDICT_OK;
}

PARSE_INLINE enum pkt_verdict parse_l4(struct parse *c, pkt_u8 proto)
{
	switch (proto) {
	case 6:
		return parse_tcp(c);
	case 17:
		return parse_udp(c);
	case 1:
	case 58:
		return parse_icmp(c, proto);
	default:
		parse_key(c, proto, 0, 0);
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
		total = c->left;
	if (total < hlen)
		return VERDICT_MALFORMED;
	parse_bound(c, total);
	__builtin_memcpy(c->extra->src, h + 12, 4);
	__builtin_memcpy(c->extra->dst, h + 16, 4);
	c->pkt->flags |= PKT_IP;
	c->pkt->ip_id = parse_u16(h + 4);
	frag = parse_u16(h + 6);
	if (!parse_has(c, hlen)) {
		parse_key(c, h[9], 0, 0);
		return parse_short(c);
	}
	parse_skip(c, hlen);
	if (frag & 0x1fff) {
		parse_key(c, h[9], 0, 0);
		return VERDICT_FRAGMENT;
	}
	if (frag & 0x2000)
		c->pkt->flags |= PKT_FIRST_FRAGMENT;
	return parse_l4(c, h[9]);
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
	__builtin_memcpy(c->extra->src, h + 8, 16);
	__builtin_memcpy(c->extra->dst, h + 24, 16);
	c->pkt->flags |= PKT_IP | PKT_IPV6;
	next = h[6];
	if (len) /* 0: jumbogram or segmentation offload, the frame tells */
		parse_bound(c, len + 40);
	parse_skip(c, 40);
	for (int i = 0; i < PARSE_MAX_EXT_HEADERS; i++) {
		pkt_u32 ext;
		if (next != 0 && next != 43 && next != 60 && next != 44 && next != 51 && next != 135)
			return parse_l4(c, next);
		if (!parse_has(c, 8)) {
			parse_key(c, next, 0, 0);
			return parse_short(c);
		}
		h = c->at;
		if (next == 44) {
			pkt_u32 frag = parse_u16(h + 2);
			if (frag & 0xfff8) {
				parse_key(c, h[0], 0, 0);
				return VERDICT_FRAGMENT;
			}
			if (frag & 1)
				c->pkt->flags |= PKT_FIRST_FRAGMENT;
			ext = 8;
		} else {
			ext = next == 51 ? ((pkt_u32)h[1] + 2) * 4 : ((pkt_u32)h[1] + 1) * 8;
		}
		next = h[0];
		if (ext > c->left || !parse_has(c, ext)) {
			parse_key(c, next, 0, 0);
			return ext > c->left && !c->cut ? VERDICT_MALFORMED : parse_short(c);
		}
		parse_skip(c, ext);
	}
	parse_key(c, next, 0, 0);
	return VERDICT_UNKNOWN_L4;
}

PARSE_INLINE enum pkt_verdict parse_ip(struct parse *c)
{
	if (!parse_has(c, 1))
		return parse_short(c);
	if (c->at[0] >> 4 == 4)
		return parse_ipv4(c);
	if (c->at[0] >> 4 == 6)
		return parse_ipv6(c);
	return VERDICT_UNKNOWN_L2;
}

PARSE_INLINE enum pkt_verdict parse_mpls(struct parse *c)
{
	for (int i = 0; i < PARSE_MAX_LABELS; i++) {
		pkt_u8 bottom;
		if (!parse_has(c, 4))
			return parse_short(c);
		bottom = c->at[2] & 1;
		parse_skip(c, 4);
		if (bottom)
			return parse_ip(c);
	}
	return VERDICT_TOO_MANY_TAGS;
}

PARSE_INLINE enum pkt_verdict parse_ppp_control(struct parse *c, pkt_u8 kind)
{
	parse_control(c, kind);
	return parse_has(c, 4) ? VERDICT_OK : parse_short(c);
}

/* PPP from its protocol field on; one byte when compressed (RFC 1661 6.5: odd = last byte). */
PARSE_INLINE enum pkt_verdict parse_ppp(struct parse *c)
{
	pkt_u32 proto;
	if (!parse_has(c, 1))
		return parse_short(c);
	proto = c->at[0];
	if (proto & 1) {
		parse_skip(c, 1);
	} else {
		if (!parse_has(c, 2))
			return parse_short(c);
		proto = parse_u16(c->at);
		parse_skip(c, 2);
	}
	switch (proto) {
	case 0x0021:
		return parse_ipv4(c);
	case 0x0057:
		return parse_ipv6(c);
	case 0x0281:
	case 0x0283:
		return parse_mpls(c);
	case 0xc021:
		return parse_ppp_control(c, KIND_LCP);
	case 0xc023:
		return parse_ppp_control(c, KIND_PAP);
	case 0xc223:
		return parse_ppp_control(c, KIND_CHAP);
	case 0x8021:
		return parse_ppp_control(c, KIND_IPCP);
	case 0x8057:
		return parse_ppp_control(c, KIND_IPV6CP);
	default:
		return VERDICT_UNKNOWN_PPP;
	}
}

PARSE_INLINE enum pkt_verdict parse_pppoe(struct parse *c, int discovery)
{
	const pkt_u8 *h = c->at;
	pkt_u32 len;
	if (!parse_has(c, 6))
		return parse_short(c);
	if (h[0] != 0x11)
		return VERDICT_MALFORMED;
	c->pkt->session_id = parse_u16(h + 2);
	c->pkt->flags |= PKT_PPPOE;
	c->pkt->key[0] = pkt_key0(c->extra->svlan, c->extra->cvlan, 0, 0);
	len = parse_u16(h + 4);
	parse_skip(c, 6);
	parse_bound(c, len);
	if (!discovery)
		return h[1] == 0 ? parse_ppp(c) : VERDICT_MALFORMED;
	c->pkt->seq = h[1];
	parse_control(c, KIND_PPPOE);
	return c->extra->payload_caplen < len ? parse_short(c) : VERDICT_OK;
}

PARSE_INLINE int parse_is_tag(pkt_u32 type)
{
	return type == 0x8100 || type == 0x88a8 || type == 0x9100 || type == 0x9200;
}

/* From an EtherType on; the cursor stands behind it. */
PARSE_INLINE enum pkt_verdict parse_ethertype(struct parse *c, pkt_u32 type)
{
	int tags = 0;
	for (; tags < PARSE_MAX_TAGS && parse_is_tag(type); tags++) {
		pkt_u16 vid;
		if (!parse_has(c, 4))
			return parse_short(c);
		vid = parse_u16(c->at) & 0xfff;
		type = parse_u16(c->at + 2);
		parse_skip(c, 4);
		if (tags == 0)
			c->extra->svlan = vid;
		else if (tags == 1)
			c->extra->cvlan = vid;
	}
	if (tags >= 2)
		c->pkt->flags |= PKT_TWO_TAGS;
	c->pkt->key[0] = pkt_key0(c->extra->svlan, c->extra->cvlan, 0, 0);
	if (type < 0x600 && parse_has(c, 8) && parse_u16(c->at) == 0xaaaa) { /* LLC/SNAP */
		type = parse_u16(c->at + 6);
		parse_skip(c, 8);
	}
	switch (type) {
	case 0x0800:
		return parse_ipv4(c);
	case 0x86dd:
		return parse_ipv6(c);
	case 0x8864:
		return parse_pppoe(c, 0);
	case 0x8863:
		return parse_pppoe(c, 1);
	case 0x8847:
	case 0x8848:
		return parse_mpls(c);
	case 0x0806:
		c->pkt->kind = KIND_ARP;
		return parse_has(c, 28) ? VERDICT_OK : parse_short(c);
	default:
		return parse_is_tag(type) ? VERDICT_TOO_MANY_TAGS : VERDICT_UNKNOWN_L2;
	}
}

PARSE_INLINE enum pkt_verdict parse_ethernet(struct parse *c)
{
	const pkt_u8 *h = c->at;
	struct pkt_extra *x = c->extra;
	if (!parse_has(c, 14))
		return parse_short(c);
	__builtin_memcpy(x->dmac, h, 6);
	__builtin_memcpy(x->smac, h + 6, 6);
	__builtin_memcpy(c->pkt->cpe_mac, h + 6, 6);
	x->wire_pair = (pkt_u16)(parse_u16(h) ^ parse_u16(h + 2) ^ parse_u16(h + 4) ^
				 parse_u16(h + 6) ^ parse_u16(h + 8) ^ parse_u16(h + 10));
	parse_skip(c, 14);
	return parse_ethertype(c, parse_u16(h + 12));
}

/* Linux cooked capture. The packet type says who sent: 4 = this host. It is not a direction of
 * the access line, so it is left alone. */
PARSE_INLINE enum pkt_verdict parse_sll(struct parse *c, int v2)
{
	const pkt_u8 *h = c->at;
	pkt_u32 len = v2 ? 20 : 16, arphrd, type;
	if (!parse_has(c, 20) && (v2 || !parse_has(c, 16)))
		return parse_short(c);
	arphrd = parse_u16(v2 ? h + 8 : h + 2);
	type = parse_u16(v2 ? h : h + 14);
	parse_skip(c, len);
	if (arphrd == 512 && type != 0x0800 && type != 0x86dd)
		return parse_ppp(c);
	return parse_ethertype(c, type);
}

/* BSD loopback: an address family in the byte order of whoever captured. */
PARSE_INLINE enum pkt_verdict parse_null(struct parse *c)
{
	pkt_u32 family;
	if (!parse_has(c, 4))
		return parse_short(c);
	family = c->at[0] ? c->at[0] : c->at[3];
	parse_skip(c, 4);
	if (family == 2)
		return parse_ipv4(c);
	if (family == 24 || family == 28 || family == 30 || family == 10 || family == 23)
		return parse_ipv6(c);
	return VERDICT_UNKNOWN_L2;
}

/* PPP with or without its HDLC address and control bytes (FF 03). */
PARSE_INLINE enum pkt_verdict parse_ppp_hdlc(struct parse *c)
{
	if (!parse_has(c, 2))
		return parse_short(c);
	if (c->at[0] == 0xff && c->at[1] == 0x03) {
		parse_skip(c, 2);
		return parse_ppp(c);
	}
	if (c->at[0] == 0x0f || c->at[0] == 0x8f) { /* Cisco HDLC: address, control, EtherType */
		pkt_u32 type;
		if (!parse_has(c, 4))
			return parse_short(c);
		type = parse_u16(c->at + 2);
		parse_skip(c, 4);
		return parse_ethertype(c, type);
	}
	return parse_ppp(c);
}

PARSE_INLINE enum pkt_verdict parse_link(struct parse *c, pkt_u32 link)
{
	switch (link) {
	case LINK_ETHERNET:
		return parse_ethernet(c);
	case LINK_RAW_BSD:
	case LINK_RAW_OPENBSD:
	case LINK_RAW:
	case LINK_IPV4:
	case LINK_IPV6:
		return parse_ip(c);
	case LINK_SLL:
		return parse_sll(c, 0);
	case LINK_SLL2:
		return parse_sll(c, 1);
	case LINK_NULL:
	case LINK_LOOP:
		return parse_null(c);
	case LINK_PPP:
	case LINK_PPP_HDLC:
		return parse_ppp_hdlc(c);
	case LINK_PPP_PPPD: /* a direction byte takes the place of the address */
		if (!parse_has(c, 2))
			return parse_short(c);
		parse_skip(c, c->at[1] == 0x03 ? 2 : 1);
		return parse_ppp(c);
	case LINK_PPPOE:
		return parse_pppoe(c, 0);
	default:
		return VERDICT_UNKNOWN_LINK;
	}
}

/*
 * Decodes one frame of `caplen` bytes at `frame` (`wire_len` on the wire) into *pkt and *extra.
 * The time and the direction are the caller's to fill. Never fails: the verdict says it all.
 */
PARSE_INLINE void parse_frame(const pkt_u8 *frame, const pkt_u8 *end, pkt_u32 wire_len, pkt_u32 link,
			      struct pkt *pkt, struct pkt_extra *extra)
{
	struct parse c = {
		.start = frame,
		.at = frame,
		.end = end,
		.left = wire_len,
		.cut = (pkt_u32)(end - frame) < wire_len,
		.pkt = pkt,
		.extra = extra,
	};
	__builtin_memset(pkt, 0, sizeof *pkt);
	extra->svlan = extra->cvlan = extra->mss = extra->sport = extra->dport = 0;
	extra->n_sack = extra->ip_proto = 0;
	extra->wire_pair = extra->payload_caplen = 0;
	pkt->wire_len = (pkt_u16)(wire_len < 0xffff ? wire_len : 0xffff);
	pkt->verdict = (pkt_u8)parse_link(&c, link);
}

#endif
