/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The frame parser above the link: IPv4 and IPv6, TCP and its options, UDP and what it carries, and
 * the flow key.
 */
#include "ebpf/parse.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "tests/ebpf/frame.h"

static struct frame f;

static void start(void)
{
	memset(&f, 0, sizeof f);
}

/* --- IP ----------------------------------------------------------------------------------------- */

static void ip_lengths_that_cannot_be(void **state)
{
	(void)state;
	start();
	frame_macs(&f);
	frame_u16(&f, 0x0800);
	frame_ipv4(&f, 6, 20);
	frame_tcp(&f, TCP_ACK, 0);
	f.bytes[14] = 0x44; /* header of 16 bytes */
	assert_int_equal(frame_parse_all(&f).pkt.verdict, VERDICT_MALFORMED);
	f.bytes[14] = 0x65; /* version 6 behind the EtherType of 4 */
	assert_int_equal(frame_parse_all(&f).pkt.verdict, VERDICT_MALFORMED);
	f.bytes[14] = 0x45;
	frame_set16(&f, 16, 19); /* total length less than the header */
	assert_int_equal(frame_parse_all(&f).pkt.verdict, VERDICT_MALFORMED);
	frame_set16(&f, 16, 30); /* ... than the TCP header */
	assert_int_equal(frame_parse_all(&f).pkt.verdict, VERDICT_MALFORMED);
	frame_set16(&f, 16, 40);
	assert_int_equal(frame_parse_all(&f).pkt.verdict, VERDICT_OK);
	f.bytes[14] = 0x4f; /* options as long as the packet */
	assert_int_not_equal(frame_parse_all(&f).pkt.verdict, VERDICT_OK);
}

/* A packet of more than 64 KiB (segmentation offload with no length yet): pkt.h says lengths
 * saturate, so it is a very long segment, never an empty one. */
static void lengths_saturate(void **state)
{
	(void)state;
	start();
	frame_macs(&f);
	frame_u16(&f, 0x0800);
	frame_ipv4(&f, 6, 20);
	frame_set16(&f, 16, 0);
	frame_tcp(&f, TCP_ACK, 0);
	frame_fill(&f, 'x', 100);
	struct parsed r = frame_parse(&f, f.len, 14 + 40 + 65536, LINK_ETHERNET);
	assert_int_equal(r.pkt.wire_len, 0xffff);
	assert_int_equal(r.pkt.payload_len, 0xffff);
	r = frame_parse(&f, f.len, 14 + 40 + 65535, LINK_ETHERNET);
	assert_int_equal(r.pkt.payload_len, 0xffff);
	r = frame_parse(&f, f.len, 14 + 40 + 65534, LINK_ETHERNET);
	assert_int_equal(r.pkt.payload_len, 0xfffe);
}

static void fragments(void **state)
{
	(void)state;
	start();
	frame_macs(&f);
	frame_u16(&f, 0x0800);
	frame_ipv4(&f, 17, 24);
	frame_udp(&f, 5000, 6000, 3000);
	frame_fill(&f, 'x', 16);
	frame_set16(&f, 20, 0x2000);
	struct parsed r = frame_parse_all(&f);
	assert_true(r.pkt.flags & PKT_FIRST_FRAGMENT);
	assert_int_equal(r.pkt.verdict, VERDICT_OK);
	assert_int_equal(r.extra.dport, 6000);
	frame_set16(&f, 20, 0x2000 | 185); /* more fragments, and not the first */
	r = frame_parse_all(&f);
	assert_int_equal(r.pkt.verdict, VERDICT_FRAGMENT);
	assert_int_equal(r.pkt.kind, KIND_NONE);
	assert_int_equal(r.extra.sport, 0);
	assert_int_equal(r.pkt.ip_id, 0xbeef);
	frame_set16(&f, 20, 0x4000); /* DF alone is no fragment */
	assert_false(frame_parse_all(&f).pkt.flags & PKT_FIRST_FRAGMENT);
}

static void chain_of_extensions(uint32_t n)
{
	start();
	frame_macs(&f);
	frame_u16(&f, 0x86dd);
	frame_ipv6(&f, 60, n * 8 + 20);
	for (uint32_t i = 1; i <= n; i++) {
		frame_u8(&f, i == n ? 6 : 60);
		frame_hex(&f, "00 0104 00000000");
	}
	frame_tcp(&f, TCP_ACK, 0);
}

static void extension_header_limit(void **state)
{
	(void)state;
	for (uint32_t n = 1; n <= PARSE_MAX_EXT_HEADERS; n++) {
		chain_of_extensions(n);
		struct parsed r = frame_parse_all(&f);
		if (r.pkt.verdict != VERDICT_OK || r.pkt.kind != KIND_TCP)
			fail_msg("%u extension headers: verdict %u kind %u", n, r.pkt.verdict,
				 r.pkt.kind);
	}
	chain_of_extensions(PARSE_MAX_EXT_HEADERS + 1);
	assert_int_not_equal(frame_parse_all(&f).pkt.verdict, VERDICT_OK);
}

static void extension_header_lies(void **state)
{
	(void)state;
	chain_of_extensions(1);
	f.bytes[14 + 40 + 1] = 30; /* 248 bytes, 28 are there */
	assert_int_equal(frame_parse_all(&f).pkt.verdict, VERDICT_MALFORMED);
}

/* --- TCP ---------------------------------------------------------------------------------------- */

static void tcp_segment(uint32_t flags, const char *options, uint32_t len)
{
	start();
	frame_qinq(&f, 0x0800);
	frame_ipv4(&f, 6, 20 + len + 7);
	frame_tcp(&f, flags, len);
	frame_hex(&f, options);
	frame_fill(&f, 'x', 7);
}

static void tcp_fields(void **state)
{
	(void)state;
	tcp_segment(TCP_FIN | TCP_PSH | TCP_ACK | 0xc0 /* ECN bits are not kept */, "", 0);
	struct parsed r = frame_parse_all(&f);
	assert_int_equal(r.pkt.tcp_flags, TCP_FIN | TCP_PSH | TCP_ACK);
	assert_int_equal(r.pkt.seq, FRAME_TCP_SEQ);
	assert_int_equal(r.pkt.ack, FRAME_TCP_ACK);
	assert_int_equal(r.pkt.window, 0x4321);
	assert_int_equal(r.pkt.tcp_checksum, 0xc5c5);
	assert_int_equal(r.pkt.payload_len, 7);
	assert_int_equal(r.pkt.ip_id, 0xbeef);
	assert_int_equal(r.extra.ip_proto, 6);
	assert_int_equal(r.extra.mss, 0);
	assert_false(r.pkt.flags & (PKT_TIMESTAMPS | PKT_SACK | PKT_PPPOE));
}

static void tcp_options(void **state)
{
	(void)state;
	tcp_segment(TCP_SYN, "0204 05ac 0402 080a 0000abcd 00000001 01 0303 07", 20);
	struct parsed r = frame_parse_all(&f);
	assert_int_equal(r.extra.mss, 1452);
	assert_true(r.pkt.flags & PKT_TIMESTAMPS);
	assert_int_equal(r.pkt.tsval, 0xabcd);
	assert_int_equal(r.pkt.tsecr, 1);
	assert_int_equal(r.extra.n_sack, 0); /* "permitted" is no block */

	for (uint32_t n = 1; n <= 4; n++) {
		static const char *const sacks[] = {
			"0101 050a 00000001 fffffff2",
			"0101 0512 00000001 fffffff2 00000003 00000004",
			"0101 051a 00000001 fffffff2 00000003 00000004 00000005 00000006",
			"0101 0522 00000001 fffffff2 00000003 00000004 00000005 00000006 00000007 "
			"00000008"};
		tcp_segment(TCP_ACK, sacks[n - 1], 4 + 8 * n);
		r = frame_parse_all(&f);
		assert_int_equal(r.extra.n_sack, n);
		assert_true(r.pkt.flags & PKT_SACK);
		assert_int_equal(r.extra.sack[0], 1);
		assert_int_equal(r.extra.sack[1], 0xfffffff2);
		for (uint32_t i = 2; i < 2 * n; i++)
			assert_int_equal(r.extra.sack[i], i + 1);
	}
	tcp_segment(TCP_ACK, "00 0a 050a 00000001 00000002 0000", 14 - 2);
	r = frame_parse_all(&f); /* the list has ended */
	assert_int_equal(r.pkt.verdict, VERDICT_OK);
	assert_int_equal(r.extra.n_sack, 0);
}

static void tcp_options_that_lie(void **state)
{
	static const char *const lies[] = {"080a1111", "08001111", "08011111", "fe051111",
					   "01010105"};
	(void)state;
	for (size_t i = 0; i < sizeof lies / sizeof *lies; i++) {
		tcp_segment(TCP_ACK, lies[i], 4);
		struct parsed r = frame_parse_all(&f);
		if (i == 4) /* an option kind without its length: the last byte of the header */
			assert_true(r.pkt.verdict == VERDICT_OK ||
				    r.pkt.verdict == VERDICT_MALFORMED);
		else
			assert_int_equal(r.pkt.verdict, VERDICT_MALFORMED);
		assert_false(r.pkt.flags & (PKT_TIMESTAMPS | PKT_SACK));
		assert_int_equal(r.pkt.payload_len, 7); /* options do not move the payload */
	}
}

static void tcp_header_length_lies(void **state)
{
	(void)state;
	tcp_segment(TCP_ACK, "", 0);
	uint32_t at = f.len - 7 - 20 + 12;
	for (uint32_t words = 0; words < 16; words++) {
		f.bytes[at] = (uint8_t)(words << 4);
		struct parsed r = frame_parse_all(&f);
		if (words < 5 || words * 4 > 27)
			assert_int_equal(r.pkt.verdict, VERDICT_MALFORMED);
		else
			assert_int_equal(r.pkt.payload_len, 27 - words * 4);
	}
}

/* --- UDP and what it carries --------------------------------------------------------------------- */

static struct parsed parse_udp_of(uint32_t sport, uint32_t dport, const char *payload, int ipv6)
{
	uint32_t len = 0;
	for (const char *p = payload; *p; p++)
		len += *p != ' ';
	start();
	frame_macs(&f);
	frame_u16(&f, ipv6 ? 0x86dd : 0x0800);
	if (ipv6)
		frame_ipv6(&f, 17, 8 + len / 2);
	else
		frame_ipv4(&f, 17, 8 + len / 2);
	frame_udp(&f, sport, dport, len / 2);
	frame_hex(&f, payload);
	return frame_parse_all(&f);
}

static void udp_kinds(void **state)
{
	static const char dns[] = "abcd 8180 0001 0001 0000 0000";
	(void)state;
	struct parsed r = parse_udp_of(53, 40000, dns, 0);
	assert_int_equal(r.pkt.kind, KIND_DNS);
	assert_int_equal(r.pkt.seq, 0xabcd);
	assert_int_equal(r.pkt.ack, 0x8180);
	assert_int_equal(parse_udp_of(40000, 53, dns, 1).pkt.kind, KIND_DNS);
	assert_int_equal(parse_udp_of(68, 67, dns, 0).pkt.kind, KIND_DHCP);
	assert_int_equal(parse_udp_of(67, 68, dns, 0).pkt.kind, KIND_DHCP);
	assert_int_equal(parse_udp_of(67, 67, dns, 0).pkt.kind, KIND_DHCP); /* through a relay */
	assert_int_equal(parse_udp_of(546, 547, dns, 1).pkt.kind, KIND_DHCP6);
	assert_int_equal(parse_udp_of(547, 546, dns, 1).pkt.kind, KIND_DHCP6);
	assert_int_equal(parse_udp_of(547, 547, dns, 1).pkt.kind, KIND_DHCP6);
	r = parse_udp_of(443, 50000, "41000000", 0);
	assert_int_equal(r.pkt.kind, KIND_QUIC);
	assert_int_equal(r.pkt.seq, 0x41);
	assert_int_equal(parse_udp_of(40000, 40001, dns, 0).pkt.kind, KIND_UDP);
	assert_int_equal(parse_udp_of(443, 50000, "", 0).pkt.kind, KIND_UDP); /* empty */
}

static void udp_length_lies(void **state)
{
	(void)state;
	parse_udp_of(40000, 40001, "0011223344556677", 0);
	frame_set16(&f, 38, 7);
	assert_int_equal(frame_parse_all(&f).pkt.verdict, VERDICT_MALFORMED);
	frame_set16(&f, 38, 8 + 3); /* shorter than the IP packet: the rest is none of its own */
	assert_int_equal(frame_parse_all(&f).pkt.payload_len, 3);
	frame_set16(&f, 38, 0); /* RFC 2675: the IP length tells */
	assert_int_equal(frame_parse_all(&f).pkt.payload_len, 8);
	frame_set16(&f, 38, 60000);
	assert_true(frame_parse_all(&f).pkt.payload_len <= 8);
}

static void icmp(void **state)
{
	(void)state;
	start();
	frame_macs(&f);
	frame_u16(&f, 0x0800);
	frame_ipv4(&f, 1, 8 + 3);
	frame_hex(&f, "0300 1111 2222 3333 aabbcc");
	struct parsed r = frame_parse_all(&f);
	assert_int_equal(r.pkt.kind, KIND_ICMP);
	assert_int_equal(r.pkt.seq, 0x22223333);
	assert_int_equal(r.pkt.ack, 0x0300);
	assert_int_equal(r.pkt.payload_len, 3);
}

/* --- the flow key --------------------------------------------------------------------------------- */

struct endpoint {
	uint8_t address[16];
	uint16_t port;
};

static struct parsed parse_between(const struct endpoint *from, const struct endpoint *to, int ipv6,
				   int tcp)
{
	start();
	frame_qinq(&f, ipv6 ? 0x86dd : 0x0800);
	if (ipv6)
		frame_ipv6(&f, tcp ? 6 : 17, 20);
	else
		frame_ipv4(&f, tcp ? 6 : 17, 20);
	uint32_t n = ipv6 ? 16 : 4;
	memcpy(f.bytes + f.len - 2 * n, from->address, n);
	memcpy(f.bytes + f.len - n, to->address, n);
	if (tcp)
		frame_tcp(&f, TCP_ACK, 0);
	else
		frame_udp(&f, 0, 0, 12);
	frame_fill(&f, 0, tcp ? 0 : 12);
	frame_set16(&f, f.len - 20, from->port);
	frame_set16(&f, f.len - 18, to->port);
	return frame_parse_all(&f);
}

static uint32_t random_state = 12345;

static uint32_t random32(void)
{
	random_state ^= random_state << 13;
	random_state ^= random_state >> 17;
	return random_state ^= random_state << 5;
}

/* Few values in each byte, so that endpoints share halves, addresses or ports. */
static struct endpoint random_endpoint(void)
{
	struct endpoint e = {.port = (uint16_t)(1000 + random32() % 3)};
	for (int i = 0; i < 16; i++)
		e.address[i] = i % 4 == 3 ? (uint8_t)(random32() % 2) : 0x20;
	return e;
}

static void key_is_the_same_both_ways(void **state)
{
	(void)state;
	for (uint32_t i = 0; i < 4000; i++) {
		int ipv6 = i & 1, tcp = i >> 1 & 1;
		struct endpoint a = random_endpoint(), b = random_endpoint();
		struct parsed up = parse_between(&a, &b, ipv6, tcp);
		struct parsed down = parse_between(&b, &a, ipv6, tcp);
		int one = memcmp(a.address, b.address, ipv6 ? 16 : 4) == 0 && a.port == b.port;
		assert_memory_equal(up.pkt.key, down.pkt.key, sizeof up.pkt.key);
		if (!one && !((up.pkt.flags ^ down.pkt.flags) & PKT_SRC_IS_B))
			fail_msg("round %u: both directions come from the same endpoint", i);
		assert_int_equal(up.pkt.key[0], pkt_key0(300, 1517, tcp ? 6 : 17, ipv6));
		assert_int_equal(up.extra.sport, a.port);
		assert_int_equal(up.extra.dport, b.port);
	}
}

static int same_pair(const struct endpoint *p, const struct endpoint *q, uint32_t n)
{
	int straight = 1, crossed = 1;
	for (int i = 0; i < 2; i++) {
		straight &= memcmp(p[i].address, q[i].address, n) == 0 && p[i].port == q[i].port;
		crossed &= memcmp(p[i].address, q[1 - i].address, n) == 0 &&
			   p[i].port == q[1 - i].port;
	}
	return straight || crossed;
}

static void other_flows_have_other_keys(void **state)
{
	(void)state;
	for (uint32_t i = 0; i < 4000; i++) {
		int ipv6 = i & 1;
		struct endpoint p[2] = {random_endpoint(), random_endpoint()};
		struct endpoint q[2] = {random_endpoint(), random_endpoint()};
		struct parsed x = parse_between(&p[0], &p[1], ipv6, 1);
		struct parsed y = parse_between(&q[0], &q[1], ipv6, 1);
		int same = memcmp(x.pkt.key, y.pkt.key, sizeof x.pkt.key) == 0;
		assert_int_equal(same, same_pair(p, q, ipv6 ? 16 : 4));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(ip_lengths_that_cannot_be),
		cmocka_unit_test(lengths_saturate),
		cmocka_unit_test(fragments),
		cmocka_unit_test(extension_header_limit),
		cmocka_unit_test(extension_header_lies),
		cmocka_unit_test(tcp_fields),
		cmocka_unit_test(tcp_options),
		cmocka_unit_test(tcp_options_that_lie),
		cmocka_unit_test(tcp_header_length_lies),
		cmocka_unit_test(udp_kinds),
		cmocka_unit_test(udp_length_lies),
		cmocka_unit_test(icmp),
		cmocka_unit_test(key_is_the_same_both_ways),
		cmocka_unit_test(other_flows_have_other_keys),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
