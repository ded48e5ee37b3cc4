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

#include "ebpf/parse_access.h"

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
	LINK_C_HDLC = 104,
	LINK_LOOP = 108,
	LINK_SLL = 113,
	LINK_PPP_PPPD = 166,
	LINK_IPV4 = 228,
	LINK_IPV6 = 229,
	LINK_SLL2 = 276,
};

PARSE_INLINE enum pkt_verdict parse_ip(struct parse *c)
{
	if (!parse_has(c, 1))
		return parse_short(c);
	if (c->at[0] >> 4 == 4)
		return parse_then(c, PARSE_IPV4);
	if (c->at[0] >> 4 == 6)
		return parse_then(c, PARSE_IPV6);
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
			return parse_then(c, PARSE_IP);
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
		return parse_then(c, PARSE_IPV4);
	case 0x0057:
		return parse_then(c, PARSE_IPV6);
	case 0x0281:
	case 0x0283:
		return parse_then(c, PARSE_MPLS);
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
	c->flags |= PKT_PPPOE;
	c->pkt->key[0] = pkt_key0(c->svlan, c->cvlan, 0, 0);
	len = parse_u16(h + 4);
	parse_skip(c, 6);
	parse_bound(c, len);
	if (!discovery)
		return h[1] == 0 ? parse_then(c, PARSE_PPP) : VERDICT_MALFORMED;
	c->pkt->seq = h[1];
	parse_control(c, KIND_PPPOE);
	return c->extra->payload_caplen < len ? parse_short(c) : VERDICT_OK;
}

/* From an EtherType on; the cursor stands behind it. */
PARSE_INLINE enum pkt_verdict parse_ethertype(struct parse *c)
{
	pkt_u32 type = c->type;
	int tags = 0;
	for (; tags < PARSE_MAX_TAGS && parse_is_tag(PARSE_BE16((pkt_u16)type)); tags++) {
		pkt_u16 vid;
		if (!parse_has(c, 4))
			return parse_short(c);
		vid = parse_u16(c->at) & 0xfff;
		type = parse_u16(c->at + 2);
		parse_skip(c, 4);
		if (tags == 0)
			c->svlan = vid;
		else if (tags == 1)
			c->cvlan = vid;
	}
	if (tags >= 2)
		c->flags |= PKT_TWO_TAGS;
	c->pkt->key[0] = pkt_key0(c->svlan, c->cvlan, 0, 0);
	if (type < 0x600) { /* a length: LLC, and perhaps SNAP */
		if (!parse_has(c, 2))
			return parse_short(c);
		if (parse_u16(c->at) == 0xaaaa) {
			if (!parse_has(c, 8))
				return parse_short(c);
			type = parse_u16(c->at + 6);
			parse_skip(c, 8);
		}
	}
	switch (type) {
	case 0x0800:
		return parse_then(c, PARSE_IPV4);
	case 0x86dd:
		return parse_then(c, PARSE_IPV6);
	case 0x8864:
		return parse_then(c, PARSE_PPPOE_SESSION);
	case 0x8863:
		return parse_then(c, PARSE_PPPOE_DISCOVERY);
	case 0x8847:
	case 0x8848:
		return parse_then(c, PARSE_MPLS);
	case 0x0806:
		c->pkt->kind = KIND_ARP;
		return parse_has(c, 28) ? VERDICT_OK : parse_short(c);
	default:
		return parse_is_tag(PARSE_BE16((pkt_u16)type)) ? VERDICT_TOO_MANY_TAGS
							       : VERDICT_UNKNOWN_L2;
	}
}

PARSE_INLINE enum pkt_verdict parse_ethernet(struct parse *c)
{
	if (!parse_has(c, 14))
		return parse_short(c);
	parse_macs(c->at, c->at + 6, c->pkt, c->extra);
	c->type = parse_u16(c->at + 12);
	parse_skip(c, 14);
	return parse_then(c, PARSE_ETHERTYPE);
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
		return parse_then(c, PARSE_PPP);
	c->type = type;
	return parse_then(c, PARSE_ETHERTYPE);
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
		return parse_then(c, PARSE_IPV4);
	if (family == 24 || family == 28 || family == 30 || family == 10 || family == 23)
		return parse_then(c, PARSE_IPV6);
	return VERDICT_UNKNOWN_L2;
}

/* PPP with or without its HDLC address and control bytes (FF 03). */
PARSE_INLINE enum pkt_verdict parse_ppp_hdlc(struct parse *c)
{
	if (!parse_has(c, 2))
		return parse_short(c);
	if (c->at[0] == 0xff && c->at[1] == 0x03) {
		parse_skip(c, 2);
		return parse_then(c, PARSE_PPP);
	}
	if (c->at[0] == 0x0f || c->at[0] == 0x8f) { /* Cisco HDLC: address, control, EtherType */
		pkt_u32 type;
		if (!parse_has(c, 4))
			return parse_short(c);
		type = parse_u16(c->at + 2);
		parse_skip(c, 4);
		c->type = type;
		return parse_then(c, PARSE_ETHERTYPE);
	}
	return parse_then(c, PARSE_PPP);
}

PARSE_INLINE enum pkt_verdict parse_link(struct parse *c, pkt_u32 link)
{
	switch (link) {
	case LINK_RAW_BSD:
	case LINK_RAW_OPENBSD:
	case LINK_RAW:
	case LINK_IPV4:
	case LINK_IPV6:
		return parse_then(c, PARSE_IP);
	case LINK_SLL:
		return parse_sll(c, 0);
	case LINK_SLL2:
		return parse_sll(c, 1);
	case LINK_NULL:
	case LINK_LOOP:
		return parse_null(c);
	case LINK_PPP:
	case LINK_PPP_HDLC:
	case LINK_C_HDLC:
		return parse_ppp_hdlc(c);
	case LINK_PPP_PPPD: /* a direction byte takes the place of the address */
		if (!parse_has(c, 2))
			return parse_short(c);
		parse_skip(c, c->at[1] == 0x03 ? 2 : 1);
		return parse_then(c, PARSE_PPP);
	case LINK_PPPOE:
		return parse_then(c, PARSE_PPPOE_SESSION);
	default:
		return VERDICT_UNKNOWN_LINK;
	}
}

/*
 * Two tags, PPPoE session, IP, in one look, where parse_access did not take all of the frame. It
 * does what the layers below would do, and leaves everything else to them.
 */
PARSE_INLINE int parse_access_frame(struct parse *c)
{
	const pkt_u8 *h = c->at;
	pkt_u32 len, proto;
	if (!parse_has(c, ACCESS_IP) || !parse_is_access(h))
		return 0;
	len = parse_u16(h + 26);
	proto = parse_u16(h + 28);
	if ((proto != 0x0021 && proto != 0x0057) || len + 28 > c->wire_end || len < 2)
		return 0;
	parse_macs(h, h + 6, c->pkt, c->extra);
	c->svlan = parse_u16(h + 14) & 0xfff;
	c->cvlan = parse_u16(h + 18) & 0xfff;
	c->pkt->session_id = parse_u16(h + 24);
	c->flags = PKT_TWO_TAGS | PKT_PPPOE;
	c->pkt->key[0] = pkt_key0(c->svlan, c->cvlan, 0, 0);
	c->wire_end = len + 28;
	c->at = h + ACCESS_IP;
	c->next = proto == 0x0021 ? PARSE_IPV4 : PARSE_IPV6;
	return 1;
}

/* Layer after layer, until one is the last, or is PARSE_L4. */
PARSE_INLINE enum pkt_verdict parse_below_l4(struct parse *c, pkt_u32 link)
{
	enum pkt_verdict verdict = VERDICT_OK;
	if (link != LINK_ETHERNET)
		verdict = parse_link(c, link);
	else if (!parse_access_frame(c))
		verdict = parse_ethernet(c);
	if (c->next == PARSE_ETHERTYPE)
		c->next = PARSE_DONE, verdict = parse_ethertype(c);
	if (c->next == PARSE_PPPOE_SESSION || c->next == PARSE_PPPOE_DISCOVERY) {
		int discovery = c->next == PARSE_PPPOE_DISCOVERY;
		c->next = PARSE_DONE, verdict = parse_pppoe(c, discovery);
	}
	if (c->next == PARSE_PPP)
		c->next = PARSE_DONE, verdict = parse_ppp(c);
	if (c->next == PARSE_MPLS)
		c->next = PARSE_DONE, verdict = parse_mpls(c);
	if (c->next == PARSE_IP)
		c->next = PARSE_DONE, verdict = parse_ip(c);
	if (c->next == PARSE_IPV4)
		c->next = PARSE_DONE, verdict = parse_ipv4(c);
	else if (c->next == PARSE_IPV6)
		c->next = PARSE_DONE, verdict = parse_ipv6(c);
	return verdict;
}

PARSE_INLINE void parse_begin(struct pkt *pkt, struct pkt_extra *extra)
{
	__builtin_memset(pkt, 0, sizeof *pkt);
	extra->mss = extra->sport = extra->dport = 0;
	extra->n_sack = extra->ip_proto = 0;
	extra->wire_pair = extra->payload_caplen = 0;
}

PARSE_INLINE void parse_end(const struct parse *c, enum pkt_verdict verdict, pkt_u32 wire_len)
{
	c->pkt->verdict = (pkt_u8)verdict;
	c->pkt->flags = c->flags;
	c->pkt->wire_len = parse_length(wire_len);
	c->extra->svlan = c->svlan;
	c->extra->cvlan = c->cvlan;
}

/* Any frame, layer by layer. */
PARSE_INLINE void parse_frame_layers(const pkt_u8 *frame, const pkt_u8 *end, pkt_u32 wire_len,
				     pkt_u32 link, struct pkt *pkt, struct pkt_extra *extra)
{
	struct parse c = {
		.start = frame,
		.at = frame,
		.end = end,
		.wire_end = wire_len,
		.cut = (pkt_u32)(end - frame) < wire_len,
		.pkt = pkt,
		.extra = extra,
	};
	enum pkt_verdict verdict;
	parse_begin(pkt, extra);
	verdict = parse_below_l4(&c, link);
	if (c.next == PARSE_L4)
		verdict = parse_l4(&c);
	parse_end(&c, verdict, wire_len);
}

/*
 * Decodes one frame of `caplen` bytes at `frame` (`wire_len` on the wire) into *pkt and *extra.
 * The time and the direction are the caller's to fill. Never fails: the verdict says it all.
 */
PARSE_INLINE void parse_frame(const pkt_u8 *frame, const pkt_u8 *end, pkt_u32 wire_len,
			      pkt_u32 link, struct pkt *pkt, struct pkt_extra *extra)
{
	struct access a = {.h = frame, .end = end, .pkt = pkt, .extra = extra};
	if (link == LINK_ETHERNET && parse_access(&a, wire_len))
		pkt->ts_ns = 0;
	else
		parse_frame_layers(frame, end, wire_len, link, pkt, extra);
}

#endif
