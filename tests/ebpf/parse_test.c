/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The frame parser against the RFCs: each frame of the catalogue whole, cut at every byte by the
 * capture, and cut at every byte by its sender; then tags, PPPoE and the link types. What lies
 * above is in parse_ip_test.c.
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

/* --- the catalogue ----------------------------------------------------------------------------- */

/* Tells what is wrong and goes on: one run shows all of it. */
static uint32_t wrong;
#define WRONG(...) (wrong++, print_error(__VA_ARGS__))

#define EACH_CASE(c)                                                                               \
	for (const struct frame_case *c = frame_cases; c < frame_cases + frame_n_cases; c++)

static void build(const struct frame_case *c)
{
	start();
	c->build(&f);
}

static void catalogue(void **state)
{
	(void)state;
	EACH_CASE(c)
	{
		build(c);
		struct parsed r = frame_parse(&f, f.len, f.len, c->link);
		if (r.pkt.verdict != c->verdict || r.pkt.kind != c->kind ||
		    r.pkt.payload_len != c->payload_len || r.pkt.wire_len != f.len)
			fail_msg("%s: verdict %u kind %u payload %u, expected %u %u %u", c->name,
				 r.pkt.verdict, r.pkt.kind, r.pkt.payload_len, c->verdict, c->kind,
				 c->payload_len);
		if (!pkt_is_control(&r.pkt))
			continue;
		assert_true(r.pkt.l4_off + (uint32_t)r.extra.payload_caplen <= f.len);
		assert_int_equal(r.extra.payload_caplen, c->payload_len);
	}
}

/* What a cut capture may lose: captured payload, and the first byte of QUIC. */
static void assert_same(const struct frame_case *c, uint32_t caplen, const struct pkt *whole,
			const struct pkt *cut)
{
	if (memcmp(whole, cut, sizeof *whole) != 0)
		WRONG("%s cut at %u: another record than of the whole frame (verdict %u kind %u)\n",
		      c->name, caplen, cut->verdict, cut->kind);
}

static void cut_by_the_capture(void **state)
{
	(void)state;
	wrong = 0;
	EACH_CASE(c)
	{
		build(c);
		struct parsed whole = frame_parse(&f, f.len, f.len, c->link);
		for (uint32_t caplen = 0; caplen < f.len; caplen++) {
			struct parsed r = frame_parse(&f, caplen, f.len, c->link);
			if (caplen >= f.headers)
				assert_same(c, caplen, &whole.pkt, &r.pkt);
			else if (r.pkt.verdict != VERDICT_TRUNCATED &&
				 !(c->kind == KIND_QUIC && caplen == f.headers - 1))
				WRONG("%s cut at %u: verdict %u, expected truncated (headers end "
				      "at %u)\n",
				      c->name, caplen, r.pkt.verdict, f.headers);
			assert_true((uint32_t)r.pkt.l4_off + r.extra.payload_caplen <= caplen ||
				    !pkt_is_control(&r.pkt));
		}
	}
	assert_int_equal(wrong, 0);
}

/* Messages without a fixed header of their own are taken as short as they come: UDP payload from
 * none, ICMP from its four bytes (RFC 4443 2.1). */
static uint32_t enough(const struct frame_case *c)
{
	if (c->kind == KIND_DNS)
		return f.headers - 4;
	if (c->kind == KIND_QUIC)
		return f.headers - 1;
	return c->kind == KIND_ICMP || c->kind == KIND_ICMP6_RA ? f.headers - 4 : f.headers;
}

/* The same bytes, but the wire had no more of them: nobody but the sender is to blame, unless an
 * inner length shows that the frame was cut before it came to the tap. */
static void cut_by_the_sender(void **state)
{
	(void)state;
	wrong = 0;
	EACH_CASE(c)
	{
		build(c);
		for (uint32_t len = 0; len < f.headers; len++) {
			struct parsed r = frame_parse(&f, len, len, c->link);
			if (r.pkt.verdict != VERDICT_MALFORMED &&
			    r.pkt.verdict != VERDICT_TRUNCATED && len < enough(c))
				WRONG("%s of %u bytes: verdict %u\n", c->name, len, r.pkt.verdict);
			assert_true(r.pkt.payload_len <= len);
		}
	}
	assert_int_equal(wrong, 0);
}

static void short_frames_are_malformed(void **state)
{
	(void)state;
	start();
	frame_macs(&f);
	frame_u16(&f, 0x0800);
	assert_int_equal(frame_parse(&f, 13, 13, LINK_ETHERNET).pkt.verdict, VERDICT_MALFORMED);
	assert_int_equal(frame_parse(&f, 14, 14, LINK_ETHERNET).pkt.verdict, VERDICT_MALFORMED);
	assert_int_equal(frame_parse(&f, 0, 0, LINK_ETHERNET).pkt.verdict, VERDICT_MALFORMED);
	assert_int_equal(frame_parse(&f, 0, 64, LINK_ETHERNET).pkt.verdict, VERDICT_TRUNCATED);
}

/* A verdict says how far it came; what the headers gave until then is kept. */
static void truncation_keeps_what_was_read(void **state)
{
	(void)state;
	start();
	frame_qinq(&f, 0x8864);
	frame_pppoe(&f, 0, 0x1234, 2 + 40);
	frame_u16(&f, 0x0021);
	frame_ipv4(&f, 6, 20);
	uint32_t tcp_at = f.len;
	frame_tcp(&f, TCP_ACK, 0);
	struct parsed r = frame_parse(&f, tcp_at + 2, f.len, LINK_ETHERNET);
	assert_int_equal(r.pkt.verdict, VERDICT_TRUNCATED);
	assert_int_equal(r.pkt.session_id, 0x1234);
	assert_int_equal(pkt_svlan(&r.pkt), 300);
	assert_int_equal(pkt_cvlan(&r.pkt), 1517);
	assert_true(r.pkt.flags & PKT_IP);
	assert_memory_equal(r.extra.src, ((uint8_t[]){100, 64, 1, 2}), 4);
	r = frame_parse(&f, tcp_at + 4, f.len, LINK_ETHERNET);
	assert_int_equal(r.extra.sport, FRAME_TCP_SPORT);
	assert_int_equal(r.extra.dport, FRAME_TCP_DPORT);
	r = frame_parse(&f, 20, f.len, LINK_ETHERNET);
	assert_memory_equal(r.pkt.cpe_mac, frame_cpe, 6);
	assert_int_equal(r.extra.svlan, 300);
}

/* --- tags, PPPoE, link layers ------------------------------------------------------------------- */

static void tags_in_any_order(void **state)
{
	static const uint32_t tpids[] = {0x8100, 0x88a8, 0x9100, 0x9200};
	(void)state;
	for (uint32_t outer = 0; outer < 4; outer++)
		for (uint32_t inner = 0; inner < 4; inner++) {
			start();
			frame_macs(&f);
			frame_tag(&f, tpids[outer], 4094);
			frame_tag(&f, tpids[inner], 1);
			frame_u16(&f, 0x0800);
			frame_ipv4(&f, 6, 20);
			frame_tcp(&f, TCP_ACK, 0);
			struct parsed r = frame_parse_all(&f);
			assert_int_equal(r.pkt.verdict, VERDICT_OK);
			assert_int_equal(r.pkt.kind, KIND_TCP);
			assert_int_equal(r.extra.svlan, 4094);
			assert_int_equal(r.extra.cvlan, 1);
			assert_int_equal(r.pkt.key[0], 4094u << 20 | 1 << 8 | 6);
			assert_true(r.pkt.flags & PKT_TWO_TAGS);
		}
}

static void one_tag_is_no_pair(void **state)
{
	(void)state;
	start();
	frame_macs(&f);
	frame_tag(&f, 0x8100, 300);
	frame_u16(&f, 0x86dd);
	frame_ipv6(&f, 17, 8);
	frame_udp(&f, 1000, 2000, 0);
	struct parsed r = frame_parse_all(&f);
	assert_int_equal(r.pkt.key[0], 300u << 20 | 0x80 | 17);
	assert_false(r.pkt.flags & PKT_TWO_TAGS);
	assert_int_equal(r.extra.cvlan, 0);
}

static void discovery(void **state)
{
	static const uint8_t codes[] = {0x09, 0x07, 0x19, 0x65, 0xa7};
	(void)state;
	for (size_t i = 0; i < sizeof codes; i++) {
		start();
		frame_qinq(&f, 0x8863);
		frame_pppoe(&f, codes[i], codes[i] == 0xa7 ? 0x1234 : 0, 4);
		uint32_t at = f.len;
		frame_hex(&f, "01010000");
		frame_fill(&f, 0x77, 20);
		struct parsed r = frame_parse_all(&f);
		assert_int_equal(r.pkt.verdict, VERDICT_OK);
		assert_int_equal(r.pkt.kind, KIND_PPPOE);
		assert_int_equal(r.pkt.seq, codes[i]);
		assert_int_equal(r.pkt.session_id, codes[i] == 0xa7 ? 0x1234 : 0);
		assert_int_equal(r.pkt.l4_off, at);
		assert_int_equal(r.pkt.payload_len, 4); /* padding is no payload */
		assert_true(r.pkt.flags & PKT_PPPOE);
		assert_memory_equal(r.extra.smac, frame_cpe, 6);
		assert_memory_equal(r.extra.dmac, frame_ac, 6);
	}
}

static void pppoe_that_is_none(void **state)
{
	(void)state;
	start();
	frame_qinq(&f, 0x8864);
	frame_pppoe(&f, 0, 1, 10);
	uint32_t at = f.len - 6;
	frame_hex(&f, "c021 0907 0008 11223344");
	f.bytes[at] = 0x21; /* version 2 */
	assert_int_equal(frame_parse_all(&f).pkt.verdict, VERDICT_MALFORMED);
	f.bytes[at] = 0x11;
	assert_int_equal(frame_parse_all(&f).pkt.verdict, VERDICT_OK);
	f.bytes[at + 1] = 0x09; /* RFC 2516 6: CODE of session data is 0 */
	assert_int_equal(frame_parse_all(&f).pkt.verdict, VERDICT_MALFORMED);
}

static void pppoe_length_lies(void **state)
{
	(void)state;
	start();
	frame_qinq(&f, 0x8863);
	frame_pppoe(&f, 0x09, 0, 2000);
	frame_hex(&f, "01010000");
	struct parsed r = frame_parse_all(&f);
	assert_true(r.pkt.verdict == VERDICT_MALFORMED || r.pkt.verdict == VERDICT_TRUNCATED);
	assert_int_equal(r.extra.payload_caplen, 4);

	start(); /* too short: the IP packet does not fit into it */
	frame_qinq(&f, 0x8864);
	frame_pppoe(&f, 0, 1, 30);
	frame_u16(&f, 0x0021);
	frame_ipv4(&f, 6, 30);
	frame_tcp(&f, TCP_ACK, 0);
	frame_fill(&f, 'x', 10);
	r = frame_parse_all(&f);
	assert_true(r.pkt.verdict == VERDICT_MALFORMED || r.pkt.verdict == VERDICT_TRUNCATED);
	assert_int_not_equal(r.pkt.kind, KIND_TCP);
}

static void every_link_type_gives_the_same_flow(void **state)
{
	uint32_t v4 = 0, v6 = 0;
	struct parsed first[2];
	(void)state;
	EACH_CASE(c)
	{
		build(c);
		struct parsed r = frame_parse(&f, f.len, f.len, c->link);
		int six = r.pkt.flags & PKT_IPV6 ? 1 : 0;
		if (c->link == LINK_ETHERNET || c->verdict != VERDICT_OK)
			continue;
		if ((six ? v6++ : v4++) == 0)
			first[six] = r;
		if (strcmp(c->name, "link-sll-tag") == 0)
			continue;
		assert_memory_equal(r.pkt.key, first[six].pkt.key, sizeof r.pkt.key);
		assert_int_equal(r.pkt.seq, FRAME_TCP_SEQ);
		assert_int_equal(r.pkt.ack, FRAME_TCP_ACK);
	}
	assert_true(v4 > 5 && v6 > 5);
}

static void macs_and_the_wire_pair(void **state)
{
	(void)state;
	start();
	frame_macs(&f);
	frame_u16(&f, 0x0806);
	frame_fill(&f, 0, 46);
	struct parsed up = frame_parse_all(&f);
	start();
	frame_macs_down(&f);
	frame_u16(&f, 0x0806);
	frame_fill(&f, 0, 46);
	struct parsed down = frame_parse_all(&f);
	assert_memory_equal(up.extra.smac, frame_cpe, 6);
	assert_memory_equal(up.extra.dmac, frame_ac, 6);
	assert_int_equal(up.extra.wire_pair, down.extra.wire_pair);
	f.bytes[0] ^= 1;
	assert_int_not_equal(frame_parse_all(&f).extra.wire_pair, up.extra.wire_pair);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(catalogue),
		cmocka_unit_test(cut_by_the_capture),
		cmocka_unit_test(cut_by_the_sender),
		cmocka_unit_test(short_frames_are_malformed),
		cmocka_unit_test(truncation_keeps_what_was_read),
		cmocka_unit_test(tags_in_any_order),
		cmocka_unit_test(one_tag_is_no_pair),
		cmocka_unit_test(discovery),
		cmocka_unit_test(pppoe_that_is_none),
		cmocka_unit_test(pppoe_length_lies),
		cmocka_unit_test(every_link_type_gives_the_same_flow),
		cmocka_unit_test(macs_and_the_wire_pair),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
