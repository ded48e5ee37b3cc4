/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The catalogue of frames: each kind of header once, alone or in the company it keeps on an access
 * line. Each builder marks where the headers end: a capture cut before that is truncated.
 */
#include "ebpf/parse.h"
#include "tests/ebpf/frame.h"

/* --- below IP --------------------------------------------------------------------------------- */

static void tcp_and_data(struct frame *f)
{
	frame_tcp(f, TCP_ACK | TCP_PSH, 0);
	frame_mark(f);
	frame_text(f, "data");
}

static void ipv4_tcp(struct frame *f)
{
	frame_ipv4(f, 6, 24);
	tcp_and_data(f);
}

static void ipv6_tcp(struct frame *f)
{
	frame_ipv6(f, 6, 24);
	tcp_and_data(f);
}

static void plain(struct frame *f)
{
	frame_macs(f);
	frame_u16(f, 0x0800);
	ipv4_tcp(f);
}

static void plain6(struct frame *f)
{
	frame_macs(f);
	frame_u16(f, 0x86dd);
	ipv6_tcp(f);
}

static void one_tag(struct frame *f)
{
	frame_macs(f);
	frame_tag(f, 0x8100, 7);
	frame_u16(f, 0x0800);
	ipv4_tcp(f);
}

static void three_tags(struct frame *f)
{
	frame_macs(f);
	frame_tag(f, 0x9100, 300);
	frame_tag(f, 0x9200, 1517);
	frame_tag(f, 0x8100, 9);
	frame_u16(f, 0x0800);
	ipv4_tcp(f);
}

static void four_tags(struct frame *f)
{
	frame_macs(f);
	for (uint32_t i = 0; i < 4; i++)
		frame_tag(f, i & 1 ? 0x88a8 : 0x8100, i + 1);
	frame_u16(f, 0x0800);
	ipv4_tcp(f);
	f->headers = 12 + 3 * 4 + 2; /* three tags, and a fourth announced */
}

static void qinq_pppoe_ipv4(struct frame *f)
{
	frame_qinq(f, 0x8864);
	frame_pppoe(f, 0, 0x1234, 2 + 44);
	frame_u16(f, 0x0021);
	ipv4_tcp(f);
}

static void qinq_pppoe_ipv6(struct frame *f)
{
	frame_qinq(f, 0x8864);
	frame_pppoe(f, 0, 0x1234, 2 + 64);
	frame_u16(f, 0x0057);
	ipv6_tcp(f);
}

static void compressed_protocol(struct frame *f)
{
	frame_qinq(f, 0x8864);
	frame_pppoe(f, 0, 0x1234, 1 + 44);
	frame_u8(f, 0x21);
	ipv4_tcp(f);
}

static void compressed_protocol6(struct frame *f)
{
	frame_qinq(f, 0x8864);
	frame_pppoe(f, 0, 0x1234, 1 + 64);
	frame_u8(f, 0x57);
	ipv6_tcp(f);
}

static void mpls(struct frame *f)
{
	frame_macs(f);
	frame_u16(f, 0x8847);
	for (uint32_t i = 1; i <= 8; i++)
		frame_u32(f, i << 12 | (i == 8 ? 0x100 : 0) | 64);
	ipv4_tcp(f);
}

static void mpls_too_deep(struct frame *f)
{
	frame_macs(f);
	frame_u16(f, 0x8847);
	for (uint32_t i = 1; i <= 9; i++) {
		frame_u32(f, i << 12 | (i == 9 ? 0x100 : 0) | 64);
		if (i == 8)
			frame_mark(f);
	}
}

static void snap(struct frame *f)
{
	frame_macs(f);
	frame_u16(f, 8 + 44);
	frame_hex(f, "aaaa03 000000 0800");
	ipv4_tcp(f);
}

static void arp(struct frame *f)
{
	frame_qinq(f, 0x0806);
	frame_hex(f, "0001 0800 06 04 0001");
	frame_put(f, frame_cpe, 6);
	frame_hex(f, "64400102 000000000000 64400101");
	frame_mark(f);
	frame_fill(f, 0, 18); /* padding */
}

static void lldp(struct frame *f)
{
	frame_macs(f);
	frame_u16(f, 0x88cc);
	frame_mark(f);
	frame_fill(f, 1, 40);
}

/* --- IP --------------------------------------------------------------------------------------- */

static void ipv4_options(struct frame *f)
{
	frame_macs(f);
	frame_u16(f, 0x0800);
	frame_ipv4(f, 6, 24 + 12);
	f->bytes[14] = 0x48;
	frame_hex(f, "44 0c 05 00 00000000 00000000");
	tcp_and_data(f);
}

static void padded_ack(struct frame *f)
{
	frame_macs(f);
	frame_u16(f, 0x0800);
	frame_ipv4(f, 6, 20);
	frame_tcp(f, TCP_ACK, 0);
	frame_mark(f);
	frame_fill(f, 0xcc, 60 - f->len);
}

static void offloaded(struct frame *f)
{
	frame_macs(f);
	frame_u16(f, 0x0800);
	frame_ipv4(f, 6, 24);
	frame_set16(f, 16, 0); /* length not yet written */
	frame_tcp(f, TCP_ACK, 0);
	frame_mark(f);
	frame_fill(f, 'x', 1000);
}

static void first_fragment(struct frame *f)
{
	frame_macs(f);
	frame_u16(f, 0x0800);
	frame_ipv4(f, 17, 8 + 16);
	frame_set16(f, 20, 0x2000);
	frame_udp(f, 5000, 6000, 3000); /* of the whole datagram */
	frame_mark(f);
	frame_fill(f, 'x', 16);
}

static void later_fragment(struct frame *f)
{
	frame_macs(f);
	frame_u16(f, 0x0800);
	frame_ipv4(f, 17, 16);
	frame_set16(f, 20, 3);
	frame_mark(f);
	frame_fill(f, 'x', 16);
}

static void first_fragment6(struct frame *f)
{
	frame_macs(f);
	frame_u16(f, 0x86dd);
	frame_ipv6(f, 44, 8 + 24);
	frame_hex(f, "11 00 0001 deadbeef");
	frame_udp(f, 5000, 6000, 3000);
	frame_mark(f);
	frame_fill(f, 'x', 16);
}

static void later_fragment6(struct frame *f)
{
	frame_macs(f);
	frame_u16(f, 0x86dd);
	frame_ipv6(f, 44, 8 + 16);
	frame_hex(f, "11 00 0018 deadbeef");
	frame_mark(f);
	frame_fill(f, 'x', 16);
}

static void extension_headers(struct frame *f)
{
	frame_macs(f);
	frame_u16(f, 0x86dd);
	frame_ipv6(f, 0, 8 + 16 + 24 + 8 + 12 + 24);
	frame_hex(f, "2b 00 0104 00000000");				       /* hop by hop */
	frame_hex(f, "3c 01 0000 00000000 00000000 00000000");		       /* routing */
	frame_hex(f, "2c 02 0114 00000000 0000000000000000 0000000000000000"); /* destination */
	frame_hex(f, "33 00 0000 cafecafe");				       /* atomic fragment */
	frame_hex(f, "06 01 0000 00000001 00000001");			       /* authentication */
	tcp_and_data(f);
}

static void esp(struct frame *f)
{
	frame_macs(f);
	frame_u16(f, 0x0800);
	frame_ipv4(f, 50, 16);
	frame_mark(f);
	frame_fill(f, 0x55, 16);
}

static void no_next_header(struct frame *f)
{
	frame_macs(f);
	frame_u16(f, 0x86dd);
	frame_ipv6(f, 59, 4);
	frame_mark(f);
	frame_fill(f, 0x55, 4);
}

/* --- TCP, UDP, ICMP ---------------------------------------------------------------------------- */

static void tcp_with(struct frame *f, uint32_t flags, const char *options, uint32_t len)
{
	frame_macs(f);
	frame_u16(f, 0x0800);
	frame_ipv4(f, 6, 20 + len);
	frame_tcp(f, flags, len);
	frame_hex(f, options);
	frame_mark(f);
}

static void tcp_syn(struct frame *f)
{
	tcp_with(f, TCP_SYN, "01 0303 07 0204 05ac 0402 080a 0000abcd 00000000", 20);
}

static void tcp_timestamps(struct frame *f)
{
	tcp_with(f, TCP_ACK, "0101 080a 11111111 22222222", 12);
}

static void tcp_four_sacks(struct frame *f)
{
	tcp_with(
		f, TCP_ACK,
		"0101 0522 00000001 00000002 00000003 00000004 00000005 00000006 00000007 00000008",
		36);
}

static void tcp_three_sacks_timestamps(struct frame *f)
{
	tcp_with(f, TCP_ACK,
		 "0101 080a 11111111 22222222 0101 051a 00000001 00000002 00000003 00000004 "
		 "00000005 00000006",
		 40);
}

static void udp_with(struct frame *f, uint32_t sport, uint32_t dport, uint32_t len)
{
	frame_macs(f);
	frame_u16(f, 0x0800);
	frame_ipv4(f, 17, 8 + len);
	frame_udp(f, sport, dport, len);
	frame_mark(f);
}

static void udp(struct frame *f)
{
	udp_with(f, 5000, 6000, 10);
	frame_fill(f, 'u', 10);
}

static void dns(struct frame *f)
{
	udp_with(f, 5000, 53, 12);
	frame_hex(f, "abcd 0100");
	frame_mark(f);
	frame_hex(f, "0001 0000 0000 0000");
}

static void quic(struct frame *f)
{
	udp_with(f, 50000, 443, 20);
	frame_u8(f, 0x62);
	frame_mark(f);
	frame_fill(f, 'q', 19);
}

static void dhcp(struct frame *f)
{
	udp_with(f, 68, 67, 244);
	frame_hex(f, "01 01 06 00 12345678");
	frame_fill(f, 0, 20);
	frame_put(f, frame_cpe, 6);
	frame_fill(f, 0, 202);
	frame_hex(f, "63825363 350101 ff");
}

static void dhcp6(struct frame *f)
{
	frame_macs(f);
	frame_u16(f, 0x86dd);
	frame_ipv6(f, 17, 8 + 4);
	frame_udp(f, 546, 547, 4);
	frame_mark(f);
	frame_hex(f, "01 a1b2c3");
}

static void ping(struct frame *f)
{
	frame_macs(f);
	frame_u16(f, 0x0800);
	frame_ipv4(f, 1, 8 + 56);
	frame_hex(f, "08 00 0000 1234 0007");
	frame_mark(f);
	frame_fill(f, 'p', 56);
}

static void ping6_reply(struct frame *f)
{
	frame_macs(f);
	frame_u16(f, 0x86dd);
	frame_ipv6(f, 58, 8 + 4);
	frame_hex(f, "81 00 0000 1234 0007");
	frame_mark(f);
	frame_fill(f, 'p', 4);
}

static void router_advertisement(struct frame *f)
{
	frame_macs_down(f);
	frame_u16(f, 0x86dd);
	frame_ipv6(f, 58, 16 + 32);
	frame_hex(f, "86 00 0000 40 00 0708");
	frame_mark(f);
	frame_hex(f, "00000000 00000000");
	frame_hex(f, "03 04 40 c0 00015180 00003840 00000000 20010db8006400000000000000000000");
}

/* --- PPPoE and PPP ----------------------------------------------------------------------------- */

static void padi(struct frame *f)
{
	frame_fill(f, 0xff, 6);
	frame_put(f, frame_cpe, 6);
	frame_tag(f, 0x88a8, 300);
	frame_tag(f, 0x8100, 1517);
	frame_u16(f, 0x8863);
	frame_pppoe(f, 0x09, 0, 16);
	frame_hex(f, "0101 0000 0103 0008 0a0b0c0d0e0f1011");
	frame_mark(f);
	frame_fill(f, 0, 16); /* padding */
}

static void ppp(struct frame *f, uint32_t proto, const char *message, uint32_t len)
{
	frame_qinq(f, 0x8864);
	frame_pppoe(f, 0, 0x1234, 2 + len);
	frame_u16(f, proto);
	f->headers = f->len + 4; /* code, identifier, length */
	frame_hex(f, message);
	frame_fill(f, 0, 10); /* padding */
}

static void lcp(struct frame *f)
{
	ppp(f, 0xc021, "09 07 0008 11223344", 8);
}

static void pap(struct frame *f)
{
	ppp(f, 0xc023, "01 01 000a 0275 7502 7071", 10);
}

static void chap(struct frame *f)
{
	ppp(f, 0xc223, "03 01 0004", 4);
}

static void ipcp(struct frame *f)
{
	ppp(f, 0x8021, "02 01 000a 0306 64400102", 10);
}

static void ipv6cp(struct frame *f)
{
	ppp(f, 0x8057, "01 01 000e 010a 0000000000000001", 14);
}

static void multilink(struct frame *f)
{
	ppp(f, 0x003d, "c0 00 0001", 4);
	f->headers -= 4;
}

/* --- other link types -------------------------------------------------------------------------- */

#define WRAPPED(name, header, inner)                                                               \
	static void name(struct frame *f)                                                          \
	{                                                                                          \
		frame_hex(f, header);                                                              \
		inner(f);                                                                          \
	}

WRAPPED(null_host_order, "02000000", ipv4_tcp)
WRAPPED(null_other_order, "00000002", ipv4_tcp)
WRAPPED(null_freebsd6, "1c000000", ipv6_tcp)
WRAPPED(null_darwin6, "1e000000", ipv6_tcp)
WRAPPED(loop6, "00000018", ipv6_tcp)
WRAPPED(link_ppp, "0021", ipv4_tcp)
WRAPPED(link_ppp_hdlc, "ff03 0021", ipv4_tcp)
WRAPPED(link_cisco_hdlc, "0f00 0800", ipv4_tcp)
WRAPPED(link_pppd, "0103 0021", ipv4_tcp)
WRAPPED(link_pppoe, "1100 1234 002e 0021", ipv4_tcp)
WRAPPED(link_sll, "0000 0001 0006 0200000000010000 0800", ipv4_tcp)
WRAPPED(link_sll_tag, "0000 0001 0006 0200000000010000 8100 0007 0800", ipv4_tcp)
WRAPPED(link_sll2, "86dd 0000 00000003 0001 00 06 0200000000010000", ipv6_tcp)

static void wifi(struct frame *f)
{
	frame_fill(f, 8, 60);
}

#define ETH LINK_ETHERNET
#define OK  VERDICT_OK

const struct frame_case frame_cases[] = {
	{"plain", plain, ETH, OK, KIND_TCP, 4},
	{"plain6", plain6, ETH, OK, KIND_TCP, 4},
	{"one-tag", one_tag, ETH, OK, KIND_TCP, 4},
	{"three-tags", three_tags, ETH, OK, KIND_TCP, 4},
	{"four-tags", four_tags, ETH, VERDICT_TOO_MANY_TAGS, KIND_NONE, 0},
	{"qinq-pppoe-ipv4", qinq_pppoe_ipv4, ETH, OK, KIND_TCP, 4},
	{"qinq-pppoe-ipv6", qinq_pppoe_ipv6, ETH, OK, KIND_TCP, 4},
	{"compressed-protocol", compressed_protocol, ETH, OK, KIND_TCP, 4},
	{"compressed-protocol6", compressed_protocol6, ETH, OK, KIND_TCP, 4},
	{"mpls", mpls, ETH, OK, KIND_TCP, 4},
	{"mpls-too-deep", mpls_too_deep, ETH, VERDICT_TOO_MANY_TAGS, KIND_NONE, 0},
	{"snap", snap, ETH, OK, KIND_TCP, 4},
	{"arp", arp, ETH, OK, KIND_ARP, 0},
	{"lldp", lldp, ETH, VERDICT_UNKNOWN_L2, KIND_NONE, 0},
	{"ipv4-options", ipv4_options, ETH, OK, KIND_TCP, 4},
	{"padded-ack", padded_ack, ETH, OK, KIND_TCP, 0},
	{"offloaded", offloaded, ETH, OK, KIND_TCP, 1000},
	{"first-fragment", first_fragment, ETH, OK, KIND_UDP, 16},
	{"later-fragment", later_fragment, ETH, VERDICT_FRAGMENT, KIND_NONE, 0},
	{"first-fragment6", first_fragment6, ETH, OK, KIND_UDP, 16},
	{"later-fragment6", later_fragment6, ETH, VERDICT_FRAGMENT, KIND_NONE, 0},
	{"extension-headers", extension_headers, ETH, OK, KIND_TCP, 4},
	{"esp", esp, ETH, VERDICT_UNKNOWN_L4, KIND_NONE, 0},
	{"no-next-header", no_next_header, ETH, VERDICT_UNKNOWN_L4, KIND_NONE, 0},
	{"tcp-syn", tcp_syn, ETH, OK, KIND_TCP, 0},
	{"tcp-timestamps", tcp_timestamps, ETH, OK, KIND_TCP, 0},
	{"tcp-four-sacks", tcp_four_sacks, ETH, OK, KIND_TCP, 0},
	{"tcp-three-sacks", tcp_three_sacks_timestamps, ETH, OK, KIND_TCP, 0},
	{"udp", udp, ETH, OK, KIND_UDP, 10},
	{"dns", dns, ETH, OK, KIND_DNS, 12},
	{"quic", quic, ETH, OK, KIND_QUIC, 20},
	{"dhcp", dhcp, ETH, OK, KIND_DHCP, 244},
	{"dhcp6", dhcp6, ETH, OK, KIND_DHCP6, 4},
	{"ping", ping, ETH, OK, KIND_ICMP, 56},
	{"ping6-reply", ping6_reply, ETH, OK, KIND_ICMP, 4},
	{"router-advertisement", router_advertisement, ETH, OK, KIND_ICMP6_RA, 48},
	{"padi", padi, ETH, OK, KIND_PPPOE, 16},
	{"lcp", lcp, ETH, OK, KIND_LCP, 8},
	{"pap", pap, ETH, OK, KIND_PAP, 10},
	{"chap", chap, ETH, OK, KIND_CHAP, 4},
	{"ipcp", ipcp, ETH, OK, KIND_IPCP, 10},
	{"ipv6cp", ipv6cp, ETH, OK, KIND_IPV6CP, 14},
	{"multilink", multilink, ETH, VERDICT_UNKNOWN_PPP, KIND_NONE, 0},
	{"null-host-order", null_host_order, LINK_NULL, OK, KIND_TCP, 4},
	{"null-other-order", null_other_order, LINK_NULL, OK, KIND_TCP, 4},
	{"null-freebsd6", null_freebsd6, LINK_NULL, OK, KIND_TCP, 4},
	{"null-darwin6", null_darwin6, LINK_NULL, OK, KIND_TCP, 4},
	{"loop6", loop6, LINK_LOOP, OK, KIND_TCP, 4},
	{"raw", ipv4_tcp, LINK_RAW, OK, KIND_TCP, 4},
	{"raw6", ipv6_tcp, LINK_RAW, OK, KIND_TCP, 4},
	{"raw-bsd", ipv4_tcp, LINK_RAW_BSD, OK, KIND_TCP, 4},
	{"raw-openbsd", ipv6_tcp, LINK_RAW_OPENBSD, OK, KIND_TCP, 4},
	{"link-ipv4", ipv4_tcp, LINK_IPV4, OK, KIND_TCP, 4},
	{"link-ipv6", ipv6_tcp, LINK_IPV6, OK, KIND_TCP, 4},
	{"link-ppp", link_ppp, LINK_PPP, OK, KIND_TCP, 4},
	{"link-ppp-framed", link_ppp_hdlc, LINK_PPP, OK, KIND_TCP, 4},
	{"link-ppp-hdlc", link_ppp_hdlc, LINK_PPP_HDLC, OK, KIND_TCP, 4},
	{"link-cisco-hdlc", link_cisco_hdlc, LINK_PPP_HDLC, OK, KIND_TCP, 4},
	{"link-pppd", link_pppd, LINK_PPP_PPPD, OK, KIND_TCP, 4},
	{"link-pppoe", link_pppoe, LINK_PPPOE, OK, KIND_TCP, 4},
	{"link-sll", link_sll, LINK_SLL, OK, KIND_TCP, 4},
	{"link-sll-tag", link_sll_tag, LINK_SLL, OK, KIND_TCP, 4},
	{"link-sll2", link_sll2, LINK_SLL2, OK, KIND_TCP, 4},
	{"wifi", wifi, 105, VERDICT_UNKNOWN_LINK, KIND_NONE, 0},
};
const size_t frame_n_cases = sizeof frame_cases / sizeof *frame_cases;
