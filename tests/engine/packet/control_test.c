/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Control messages from their RFCs: PPPoE with TR-101 line tags, LCP, PAP, CHAP, IPCP, DHCP with
 * option 82, DHCPv6, router advertisements. Each is also cut at every byte: the reader may then
 * know less, never something else.
 */
#include "engine/packet/control.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "ebpf/parse.h"
#include "tests/ebpf/frame.h"

#define CIRCUIT "THR-VNK-D12 atm 3/17:0.35"
#define REMOTE	"02188776655"

static struct frame f;
static struct control c;

static void start(void)
{
	memset(&f, 0, sizeof f);
}

/* Reads the first `len` bytes of a message, at the end of a block of just that size. */
static void read_part(uint8_t kind, uint8_t dir, uint32_t code, uint32_t len)
{
	struct pkt p = {.kind = kind, .seq = code, .session_id = 0x1234, .l4_off = 3};
	struct pkt_extra x = {.payload_caplen = (uint16_t)len};
	uint8_t *copy = malloc(len + 3);
	assert_non_null(copy);
	p.dir = dir & 3;
	p.payload_len = (uint16_t)f.len;
	memcpy(x.smac, dir == DIR_DOWN ? frame_ac : frame_cpe, 6);
	memcpy(x.dmac, dir == DIR_DOWN ? frame_cpe : frame_ac, 6);
	memcpy(copy + 3, f.bytes, len);
	memset(&c, 0xa5, sizeof c);
	control_read(&c, &p, &x, copy);
	free(copy);
}

static void read_all(uint8_t kind, uint8_t dir, uint32_t code)
{
	read_part(kind, dir, code, f.len);
}

static int is_prefix(const char *part, const char *whole)
{
	return strncmp(part, whole, strlen(part)) == 0;
}

/* What a cut message gives is what the whole one gives, or nothing. */
static void assert_cuts_are_honest(uint8_t kind, uint8_t dir, uint32_t code)
{
	struct control whole;
	read_all(kind, dir, code);
	whole = c;
	for (uint32_t len = 0; len < f.len; len++) {
		read_part(kind, dir, code, len);
		assert_true(c.magic == 0 || c.magic == whole.magic);
		assert_true(c.rate_up == 0 || c.rate_up == whole.rate_up);
		assert_true(c.rate_down == 0 || c.rate_down == whole.rate_down);
		assert_true(!c.has_ipv4 || memcmp(c.ipv4, whole.ipv4, 4) == 0);
		assert_true(!c.prefix_len || memcmp(c.ipv6, whole.ipv6, 16) == 0);
		assert_true(!c.circuit_id[0] || strcmp(c.circuit_id, whole.circuit_id) == 0);
		assert_true(!c.remote_id[0] || strcmp(c.remote_id, whole.remote_id) == 0);
		assert_true(!c.user[0] || is_prefix(c.user, whole.user));
		assert_true(!c.text[0] || is_prefix(c.text, whole.text));
	}
}

/* --- PPPoE discovery ----------------------------------------------------------------------------- */

static void put_tag(uint32_t type, const char *hex)
{
	uint32_t at;
	frame_u16(&f, type);
	at = f.len;
	frame_u16(&f, 0);
	frame_hex(&f, hex);
	frame_set16(&f, at, f.len - at - 2);
}

/* The vector of wire-formats 4.1: the tags of its PADI. */
static void line_tag_vector(void **state)
{
	(void)state;
	start();
	frame_hex(&f, "01010000 010300040a0b0c0d 0105005500000de9 0119");
	frame_text(&f, CIRCUIT);
	frame_hex(&f, "020b3032313838373736363535 8104000003ff 820400003fff 8504000004bc "
		      "860400004d80 8c0400000008 8e0400000008 9003010106");
	assert_int_equal(f.len, 101);
	read_all(KIND_PPPOE, DIR_UP, PADI);
	assert_int_equal(c.kind, KIND_PPPOE);
	assert_int_equal(c.code, PADI);
	assert_int_equal(c.dir, DIR_UP);
	assert_int_equal(c.session_id, 0x1234);
	assert_string_equal(c.circuit_id, CIRCUIT);
	assert_string_equal(c.remote_id, REMOTE);
	assert_int_equal(c.rate_up, 1023);
	assert_int_equal(c.rate_down, 16383);
	assert_false(c.error);
	assert_memory_equal(c.cpe_mac, frame_cpe, 6);
	assert_memory_equal(c.ac_mac, frame_ac, 6);
	assert_cuts_are_honest(KIND_PPPOE, DIR_UP, PADI);
}

static void macs_follow_the_direction(void **state)
{
	(void)state;
	start();
	read_all(KIND_PPPOE, DIR_DOWN, PADS);
	assert_memory_equal(c.cpe_mac, frame_cpe, 6);
	assert_memory_equal(c.ac_mac, frame_ac, 6);
}

static void padt_with_a_reason(void **state)
{
	(void)state;
	start();
	frame_hex(&f, "02030015");
	frame_text(&f, "LCP keepalive timeout");
	read_all(KIND_PPPOE, DIR_DOWN, PADT);
	assert_true(c.error);
	assert_string_equal(c.text, "LCP keepalive timeout");
	for (uint32_t type = 0x0201; type <= 0x0203; type++) {
		start();
		put_tag(type, "6e6f");
		read_all(KIND_PPPOE, DIR_DOWN, PADS);
		assert_true(c.error);
		assert_string_equal(c.text, "no");
	}
	start();
	put_tag(0x0201, ""); /* RFC 2516: may be empty */
	read_all(KIND_PPPOE, DIR_DOWN, PADS);
	assert_true(c.error);
	start();
	put_tag(0x0102, "6261 7331");
	read_all(KIND_PPPOE, DIR_DOWN, PADO);
	assert_false(c.error);
}

static void two_vendor_tags(void **state)
{
	(void)state;
	start();
	put_tag(0x0105, "00000009 0105 6f74686572"); /* another vendor */
	put_tag(0x0105, "00000de9 0103 613a31 8204 00000064");
	put_tag(0x0105, "000037e4 0203 7a7a7a");
	read_all(KIND_PPPOE, DIR_UP, PADR);
	assert_string_equal(c.circuit_id, "a:1");
	assert_string_equal(c.remote_id, "");
	assert_int_equal(c.rate_down, 100);
	assert_int_equal(c.rate_up, 0);
}

/* wire-formats 4.1, trap 3: a rate has four bytes, unknown types are skipped, a truncated
 * sub-tag invalidates what follows it. */
static void sub_tags_that_lie(void **state)
{
	(void)state;
	start();
	put_tag(0x0105, "00000de9 8102 03ff 8205 0000003fff 0102 6131 fe00 7f03 112233 0202 6232");
	read_all(KIND_PPPOE, DIR_UP, PADI);
	assert_int_equal(c.rate_up, 0);
	assert_int_equal(c.rate_down, 0);
	assert_string_equal(c.circuit_id, "a1");
	assert_string_equal(c.remote_id, "b2");

	start();
	put_tag(0x0105, "00000de9 0102 6131 0240 6232");
	put_tag(0x0201, "6e6f");
	read_all(KIND_PPPOE, DIR_UP, PADI);
	assert_string_equal(c.circuit_id, "a1");
	assert_string_equal(c.remote_id, ""); /* never beyond its own tag */
	assert_true(c.error);		      /* the next tag is unharmed */
}

static void tags_that_lie(void **state)
{
	(void)state;
	start();
	put_tag(0x0105, "00000de9 0102 6131");
	frame_hex(&f, "0203 00ff 6e6f"); /* longer than the packet */
	read_all(KIND_PPPOE, DIR_UP, PADI);
	assert_string_equal(c.circuit_id, "a1");
	assert_string_equal(c.text, "");
	start();
	put_tag(0x0105, "00000d"); /* too short for a vendor */
	put_tag(0x0105, "00000de9 0102 6131");
	read_all(KIND_PPPOE, DIR_UP, PADI);
	assert_string_equal(c.circuit_id, "a1");
}

static void end_of_list_ends(void **state)
{
	(void)state;
	start();
	frame_hex(&f, "00000000");
	put_tag(0x0105, "00000de9 0102 6131");
	read_all(KIND_PPPOE, DIR_UP, PADI);
	assert_string_equal(c.circuit_id, "");
}

static void binary_circuit_id(void **state)
{
	(void)state;
	start();
	put_tag(0x0105, "00000de9 0106 000408770017 0208 0006 02aabbccddee");
	read_all(KIND_PPPOE, DIR_UP, PADI);
	assert_string_equal(c.circuit_id, "2167/0/23");
	assert_string_equal(c.remote_id, "02:aa:bb:cc:dd:ee");
}

/* wire-formats 4.1: case kept, trimmed, runs of spaces joined. */
static void spaces_in_a_circuit_id(void **state)
{
	(void)state;
	start();
	put_tag(0x0105, "00000de9 010d 20 4120 20 2065 7468 20 312f 32 20 20");
	f.bytes[9] = (uint8_t)(f.len - 10);
	read_all(KIND_PPPOE, DIR_UP, PADI);
	assert_string_equal(c.circuit_id, "A eth 1/2");
}

static void longest_circuit_id(void **state)
{
	char want[64] = {0};
	(void)state;
	start();
	frame_hex(&f, "0105 0000 00000de9 013f");
	for (int i = 0; i < 63; i++) {
		want[i] = (char)('a' + i % 26);
		frame_u8(&f, (uint32_t)want[i]);
	}
	frame_set16(&f, 2, f.len - 4);
	read_all(KIND_PPPOE, DIR_UP, PADI);
	assert_string_equal(c.circuit_id, want);
}

/* --- LCP, PAP, CHAP, IPCP ------------------------------------------------------------------------ */

static void lcp(void **state)
{
	(void)state;
	start();
	frame_hex(&f, "0907 0008 11223344");
	read_all(KIND_LCP, DIR_DOWN, 0);
	assert_int_equal(c.code, PPP_ECHO_REQ);
	assert_int_equal(c.id, 7);
	assert_int_equal(c.magic, 0x11223344);
	start();
	frame_hex(&f, "0a07 0008 55667788");
	read_all(KIND_LCP, DIR_UP, 0);
	assert_int_equal(c.code, PPP_ECHO_REP);
	assert_int_equal(c.magic, 0x55667788);
	start(); /* MRU, authentication protocol, magic number */
	frame_hex(&f, "0101 0013 0104 05d4 0305 c223 05 0506 deadbeef 0000");
	read_all(KIND_LCP, DIR_DOWN, 0);
	assert_int_equal(c.code, PPP_CONF_REQ);
	assert_int_equal(c.magic, 0xdeadbeef);
	assert_cuts_are_honest(KIND_LCP, DIR_DOWN, 0);
}

static void lcp_lengths_that_lie(void **state)
{
	(void)state;
	start();
	frame_hex(&f, "0101 0004 0506 deadbeef"); /* padding behind the length */
	read_all(KIND_LCP, DIR_DOWN, 0);
	assert_int_equal(c.magic, 0);
	start();
	frame_hex(&f, "0101 0010 0100 0506 deadbeef 0000"); /* an option of length 0 */
	read_all(KIND_LCP, DIR_DOWN, 0);
	assert_int_equal(c.magic, 0);
	start();
	frame_hex(&f, "0101 000a 0507 deadbeef"); /* an option longer than the message */
	read_all(KIND_LCP, DIR_DOWN, 0);
	assert_int_equal(c.magic, 0);
	start();
	frame_hex(&f, "0907 0004 11223344"); /* an echo without a magic number */
	read_all(KIND_LCP, DIR_DOWN, 0);
	assert_int_equal(c.magic, 0);
}

static void terminate_request_text(void **state)
{
	(void)state;
	start();
	frame_hex(&f, "0502 000c");
	frame_text(&f, "User req");
	frame_fill(&f, 'p', 6); /* padding */
	read_all(KIND_LCP, DIR_UP, 0);
	assert_int_equal(c.code, PPP_TERM_REQ);
	assert_string_equal(c.text, "User req");
}

/* No byte of a password may be anywhere in what is handed on. */
static void assert_nowhere(const void *where, size_t n, const char *what)
{
	const uint8_t *bytes = where;
	size_t len = strlen(what);
	for (size_t i = 0; i + len <= n; i++)
		assert_memory_not_equal(bytes + i, what, len);
}

static void pap(void **state)
{
	static const char user[] = "02188776655@asia", password[] = "s3kr1t!Pw";
	(void)state;
	start();
	frame_hex(&f, "0105");
	frame_u16(&f, 4 + 1 + 16 + 1 + 9);
	frame_u8(&f, 16);
	frame_text(&f, user);
	frame_u8(&f, 9);
	frame_text(&f, password);
	for (uint32_t len = 0; len <= f.len; len++) {
		read_part(KIND_PAP, DIR_UP, 0, len);
		assert_nowhere(&c, sizeof c, "s3k");
	}
	assert_string_equal(c.user, user);
	assert_int_equal(c.id, 5);
	for (uint32_t lie = 0; lie < 256; lie++) { /* the name's length lies */
		f.bytes[4] = (uint8_t)lie;
		read_all(KIND_PAP, DIR_UP, 0);
		if (lie <= 16)
			assert_nowhere(&c, sizeof c, "s3k");
		else if (4 + 1 + lie > f.len)
			assert_string_equal(c.user, "");
	}
}

static void pap_answers(void **state)
{
	(void)state;
	start();
	frame_hex(&f, "0305 000b 06");
	frame_text(&f, "denied");
	read_all(KIND_PAP, DIR_DOWN, 0);
	assert_int_equal(c.code, PAP_NAK);
	assert_string_equal(c.text, "denied");
	assert_string_equal(c.user, "");
	start();
	frame_hex(&f, "0205 0004"); /* no message at all */
	read_all(KIND_PAP, DIR_DOWN, 0);
	assert_int_equal(c.code, PAP_ACK);
	assert_string_equal(c.text, "");
}

static void chap(void **state)
{
	(void)state;
	start();
	frame_hex(&f, "0109 0019 10 00112233445566778899aabbccddeeff");
	frame_text(&f, "BRAS");
	read_all(KIND_CHAP, DIR_DOWN, 0);
	assert_int_equal(c.code, CHAP_CHALLENGE);
	assert_string_equal(c.user, ""); /* the name of the concentrator is nobody's */
	f.bytes[0] = CHAP_RESPONSE;
	read_all(KIND_CHAP, DIR_UP, 0);
	assert_string_equal(c.user, "BRAS");
	assert_cuts_are_honest(KIND_CHAP, DIR_UP, 0);
	f.bytes[4] = 0xff; /* a value longer than the message */
	read_all(KIND_CHAP, DIR_UP, 0);
	assert_string_equal(c.user, "");
	start();
	frame_hex(&f, "0409 0010");
	frame_text(&f, "E=691 R=1 V=");
	read_all(KIND_CHAP, DIR_DOWN, 0);
	assert_int_equal(c.code, CHAP_FAILURE);
	assert_string_equal(c.text, "E=691 R=1 V=");
}

static void ipcp(void **state)
{
	(void)state;
	start();
	frame_hex(&f, "0203 0016 0306 64400102 8106 08080808 8306 01010101");
	read_all(KIND_IPCP, DIR_DOWN, 0);
	assert_int_equal(c.code, PPP_CONF_ACK);
	assert_true(c.has_ipv4);
	assert_memory_equal(c.ipv4, ((uint8_t[]){100, 64, 1, 2}), 4);
	assert_cuts_are_honest(KIND_IPCP, DIR_DOWN, 0);
	start();
	frame_hex(&f, "0101 000a 0306 00000000"); /* "give me one" */
	read_all(KIND_IPCP, DIR_UP, 0);
	assert_false(c.has_ipv4);
	start();
	frame_hex(&f, "0101 0008 0304 6440"); /* an address of two bytes */
	read_all(KIND_IPCP, DIR_UP, 0);
	assert_false(c.has_ipv4);
}

/* --- DHCP and router advertisements ---------------------------------------------------------------- */

static void dhcp_message(uint32_t type, const char *yiaddr)
{
	start();
	frame_hex(&f, "02 01 06 00 3d60d802 0000 0000 00000000");
	frame_hex(&f, yiaddr);
	frame_fill(&f, 0, 8);
	frame_put(&f, frame_cpe, 6);
	frame_fill(&f, 0, 202);
	frame_hex(&f, "63825363 3501");
	frame_u8(&f, type);
}

/* The vector of wire-formats 4.2. */
static void option_82_vector(void **state)
{
	(void)state;
	dhcp_message(DHCP_ACK, "0a010002");
	frame_hex(&f, "00 00 523b 0119"); /* two pad options first */
	frame_text(&f, CIRCUIT);
	frame_hex(&f, "020b");
	frame_text(&f, REMOTE);
	frame_hex(&f, "0911 00000de9 0c 8104000003ff 820400003fff ff");
	read_all(KIND_DHCP, DIR_DOWN, 0);
	assert_int_equal(c.code, DHCP_ACK);
	assert_string_equal(c.circuit_id, CIRCUIT);
	assert_string_equal(c.remote_id, REMOTE);
	assert_true(c.has_ipv4);
	assert_memory_equal(c.ipv4, ((uint8_t[]){10, 1, 0, 2}), 4);
	assert_memory_equal(c.cpe_mac, frame_cpe, 6);
	assert_cuts_are_honest(KIND_DHCP, DIR_DOWN, 0);
}

/* Sub-option 9 (RFC 4243) carries the rates of TR-101 when its enterprise is 3561. */
static void option_82_line_rates(void **state)
{
	(void)state;
	dhcp_message(DHCP_DISCOVER, "00000000");
	frame_hex(&f, "5213 0911 00000de9 0c 8104000003ff 820400003fff ff");
	read_all(KIND_DHCP, DIR_UP, 0);
	assert_int_equal(c.rate_up, 1023);
	assert_int_equal(c.rate_down, 16383);
	dhcp_message(DHCP_DISCOVER, "00000000");
	frame_hex(&f, "5213 0911 00000009 0c 8104000003ff 820400003fff ff");
	read_all(KIND_DHCP, DIR_UP, 0);
	assert_int_equal(c.rate_up, 0); /* another enterprise's numbers */
}

static void dhcp_binary_circuit_id(void **state)
{
	(void)state;
	dhcp_message(DHCP_REQUEST, "00000000");
	frame_hex(&f, "5212 0106 000408770017 0208 0006 02aabbccddee ff");
	read_all(KIND_DHCP, DIR_UP, 0);
	assert_string_equal(c.circuit_id, "2167/0/23");
	assert_string_equal(c.remote_id, "02:aa:bb:cc:dd:ee");
	assert_false(c.has_ipv4);
}

static void dhcp_that_lies(void **state)
{
	(void)state;
	dhcp_message(DHCP_ACK, "0a010002");
	frame_hex(&f, "52ff 0102 6131");
	read_all(KIND_DHCP, DIR_DOWN, 0);
	assert_int_equal(c.code, DHCP_ACK);
	assert_string_equal(c.circuit_id, "");
	dhcp_message(DHCP_ACK, "0a010002");
	frame_hex(&f, "ff 5204 0102 6131"); /* behind the end */
	read_all(KIND_DHCP, DIR_DOWN, 0);
	assert_string_equal(c.circuit_id, "");
	f.bytes[236] = 0; /* no DHCP without its cookie: BOOTP options are another language */
	read_all(KIND_DHCP, DIR_DOWN, 0);
	assert_int_equal(c.code, 0);
}

#define PREFIX "20010db8006400000000000000000000"

static void dhcp6_delegation(void **state)
{
	(void)state;
	start();
	frame_hex(&f, "07 a1b2c3 0001 0004 00010203"); /* reply, client id */
	frame_hex(&f,
		  "0019 0029 00000001 00000e10 00001518 001a 0019 00000e10 00001518 38 " PREFIX);
	frame_hex(&f, "0012 0004 65746830 0025 0007 00000de9 726964");
	read_all(KIND_DHCP6, DIR_DOWN, 0);
	assert_int_equal(c.code, DHCP6_REPLY);
	assert_int_equal(c.prefix_len, 56);
	assert_memory_equal(c.ipv6, ((uint8_t[]){0x20, 1, 0xd, 0xb8, 0, 0x64}), 6);
	assert_string_equal(c.circuit_id, "eth0");
	assert_string_equal(c.remote_id, "rid");
	assert_cuts_are_honest(KIND_DHCP6, DIR_DOWN, 0);
	f.bytes[12 + 4 + 12 + 4 + 8] = 129; /* no prefix is that long */
	read_all(KIND_DHCP6, DIR_DOWN, 0);
	assert_int_equal(c.prefix_len, 0);
}

/* wire-formats 4.2: vendor options of 3561 are the line tags with two-byte types and lengths. */
static void dhcp6_line_rates(void **state)
{
	(void)state;
	start();
	frame_hex(&f, "01 a1b2c3 0011 0014 00000de9 0081 0004 000003ff 0082 0004 00003fff");
	read_all(KIND_DHCP6, DIR_UP, 0);
	assert_int_equal(c.rate_up, 1023);
	assert_int_equal(c.rate_down, 16383);
}

static void dhcp6_withdrawn(void **state)
{
	(void)state;
	start(); /* valid lifetime 0: the prefix is taken away (RFC 8415 18.2.10.1) */
	frame_hex(&f, "07 a1b2c3 0019 0029 00000001 00000e10 00001518 001a 0019 00000000 00000000 "
		      "38 " PREFIX);
	read_all(KIND_DHCP6, DIR_DOWN, 0);
	assert_int_equal(c.prefix_len, 0);
}

static void router_advertisement(void **state)
{
	(void)state;
	start();
	frame_hex(&f, "86 00 0000 40 00 0708 00000000 00000000");
	frame_hex(&f, "0101 001122334455"); /* link-layer address */
	frame_hex(&f, "0304 40 c0 00015180 00003840 00000000 " PREFIX);
	read_all(KIND_ICMP6_RA, DIR_DOWN, 0);
	assert_int_equal(c.prefix_len, 64);
	assert_memory_equal(c.ipv6, ((uint8_t[]){0x20, 1, 0xd, 0xb8, 0, 0x64, 0, 0}), 8);
	assert_cuts_are_honest(KIND_ICMP6_RA, DIR_DOWN, 0);
	f.bytes[17] = 0; /* RFC 4861 4.6: length 0 is invalid */
	read_all(KIND_ICMP6_RA, DIR_DOWN, 0);
	assert_int_equal(c.prefix_len, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(line_tag_vector),
		cmocka_unit_test(macs_follow_the_direction),
		cmocka_unit_test(padt_with_a_reason),
		cmocka_unit_test(two_vendor_tags),
		cmocka_unit_test(sub_tags_that_lie),
		cmocka_unit_test(tags_that_lie),
		cmocka_unit_test(end_of_list_ends),
		cmocka_unit_test(binary_circuit_id),
		cmocka_unit_test(spaces_in_a_circuit_id),
		cmocka_unit_test(longest_circuit_id),
		cmocka_unit_test(lcp),
		cmocka_unit_test(lcp_lengths_that_lie),
		cmocka_unit_test(terminate_request_text),
		cmocka_unit_test(pap),
		cmocka_unit_test(pap_answers),
		cmocka_unit_test(chap),
		cmocka_unit_test(ipcp),
		cmocka_unit_test(option_82_vector),
		cmocka_unit_test(option_82_line_rates),
		cmocka_unit_test(dhcp_binary_circuit_id),
		cmocka_unit_test(dhcp_that_lies),
		cmocka_unit_test(dhcp6_delegation),
		cmocka_unit_test(dhcp6_line_rates),
		cmocka_unit_test(dhcp6_withdrawn),
		cmocka_unit_test(router_advertisement),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
