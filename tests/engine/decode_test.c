/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The decoder against the parser's layers, frame by frame: the same record, bit for bit, with the
 * direction that the concentrator's MAC tells; its counters; and how it learns that MAC.
 */
#include "engine/decode.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "ebpf/parse.h"
#include "engine/access.h"
#include "tests/ebpf/access_frames.h"

static struct decoder decoder; /* knows one concentrator */
static struct burst burst;
static uint64_t looks;

static struct held { /* frames of a burst, each in a heap block of just its size */
	uint8_t *block;
	struct raw_frame raw;
} held[BURST_MAX];
static uint32_t n_held;

static uint32_t dir_of(const struct raw_frame *f)
{
	bool up = f->caplen >= 14 && memcmp(f->bytes, frame_ac, 6) == 0;
	bool down = f->caplen >= 14 && memcmp(f->bytes + 6, frame_ac, 6) == 0;
	return up == down ? DIR_UNKNOWN : down ? DIR_DOWN : DIR_UP;
}

/* Of an IPv4 address the rest is old. */
static void forget_what_nobody_reads(struct pkt_extra *x, const struct pkt *p)
{
	if (!(p->flags & PKT_IPV6))
		memset(x->src + 4, 0, 12), memset(x->dst + 4, 0, 12);
}

static void check_one(const struct raw_frame *f, uint32_t i)
{
	struct parsed layers;
	uint32_t dir = dir_of(f);
	struct pkt_extra extra = *burst_extra(&burst, i);
	memset(&layers, 0x5a, sizeof layers);
	parse_frame_layers(f->bytes, f->bytes + f->caplen, f->wire_len, LINK_ETHERNET, &layers.pkt,
			   &layers.extra);
	if (dir != DIR_UNKNOWN && !pkt_is_control(&layers.pkt)) {
		layers.pkt.dir = dir & 3;
		if (dir == DIR_DOWN)
			memcpy(layers.pkt.cpe_mac, f->bytes, 6);
	} else { /* by other rules, below */
		layers.pkt.dir = burst.pkt[i].dir;
		memcpy(layers.pkt.cpe_mac, burst.pkt[i].cpe_mac, 6);
	}
	layers.pkt.ts_ns = f->ts_ns;
	forget_what_nobody_reads(&layers.extra, &layers.pkt);
	forget_what_nobody_reads(&extra, &layers.pkt);
	assert_memory_equal(&burst.pkt[i], &layers.pkt, sizeof layers.pkt);
	assert_memory_equal(&extra, &layers.extra, sizeof layers.extra);
}

/* All that are held, in two parts, as collectors bring them. */
static void check_held(void)
{
	uint32_t part = n_held * 2 / 3, n = n_held;
	struct raw_frame raw[BURST_MAX] = {0};
	for (uint32_t i = 0; i < n; i++)
		raw[i] = held[i].raw;
	memset(burst.pkt, 0x5a, sizeof burst.pkt);
	memset(burst.extra, 0x5a, sizeof burst.extra);
	burst.n = 0;
	decode_frames(&decoder, &burst, raw, part);
	decode_frames(&decoder, &burst, raw + part, n - part);
	decode_burst(&decoder, &burst);
	for (uint32_t i = 0; i < n; i++)
		looks += burst.unfilled[i];
	for (uint32_t i = 0; i < n; i++)
		check_one(&raw[i], i);
	for (uint32_t i = 0; i < n; i++)
		free(held[i].block);
	n_held = 0;
}

/* From a heap block of just that size: AddressSanitizer sees a read beyond it. */
static void check(const struct frame *f, uint32_t caplen, uint32_t wire_len)
{
	struct held *h = &held[n_held];
	h->block = malloc(caplen ? caplen : 1);
	assert_non_null(h->block);
	h->raw = (struct raw_frame){.ts_ns = n_held,
				    .bytes = caplen ? h->block : h->block + 1,
				    .caplen = caplen,
				    .wire_len = wire_len,
				    .link = LINK_ETHERNET};
	memcpy(h->block, f->bytes, caplen);
	if (++n_held == BURST_MAX)
		check_held();
}

static int build(void **state)
{
	(void)state;
	access_frames_build();
	return 0;
}

/* --- records ------------------------------------------------------------------------------------ */

static void unchanged_and_cut(void **state)
{
	(void)state;
	access_frames_cut(check);
	check_held();
}

static void changed(void **state)
{
	(void)state;
	access_frames_changed(check);
	check_held();
}

static void endpoints_in_any_order(void **state)
{
	(void)state;
	access_frames_ends(check);
	check_held();
}

/* Or the tests above have compared the parser with itself. */
static void most_were_taken(void **state)
{
	(void)state;
#if defined(__AVX2__)
	assert_true(looks > 100000);
#else
	skip();
#endif
}

/* --- directions --------------------------------------------------------------------------------- */

static const uint8_t second_ac[6] = {0x00, 0x00, 0x5e, 0, 1, 2};

static uint32_t decode(struct decoder *d, const struct frame *f)
{
	burst.n = 0;
	decode_frame(d, &burst, f->bytes, f->len, f->len, LINK_ETHERNET, 0);
	assert_int_equal(burst.n, 1);
	return burst.pkt[0].dir;
}

/* TCP with timestamps behind two tags and PPPoE, from one MAC to the other. */
static struct frame tcp_frame(const uint8_t dst[6], const uint8_t src[6])
{
	struct frame f = {0};
	frame_qinq(&f, 0x8864);
	frame_pppoe(&f, 0, 0x77, 2 + 20 + 52);
	frame_u16(&f, 0x0021);
	frame_ipv4(&f, 6, 52);
	frame_tcp(&f, TCP_ACK, 12);
	frame_hex(&f, "0101 080a 00000001 00000002");
	frame_fill(&f, 0, 20);
	memcpy(f.bytes, dst, 6);
	memcpy(f.bytes + 6, src, 6);
	return f;
}

static struct frame discovery(uint32_t code, const uint8_t dst[6], const uint8_t src[6])
{
	struct frame f = {0};
	frame_macs(&f);
	frame_u16(&f, 0x8863);
	frame_pppoe(&f, code, 0, 0);
	memcpy(f.bytes, dst, 6);
	memcpy(f.bytes + 6, src, 6);
	return f;
}

static void assert_directions(struct decoder *d, const uint8_t ac[6], uint32_t up, uint32_t down)
{
	struct frame to = tcp_frame(ac, frame_cpe), from = tcp_frame(frame_cpe, ac);
	assert_int_equal(decode(d, &to), up);
	assert_memory_equal(burst.pkt[0].cpe_mac, frame_cpe, 6);
	assert_int_equal(decode(d, &from), down);
	if (down == DIR_DOWN)
		assert_memory_equal(burst.pkt[0].cpe_mac, frame_cpe, 6);
}

static void concentrators_are_learned_and_lost(void **state)
{
	struct decoder d = {0};
	struct frame pado = discovery(0x07, frame_cpe, frame_ac);
	struct frame other = discovery(0x07, frame_cpe, second_ac);
	struct frame padi = discovery(0x09, frame_ac, second_ac);
	(void)state;
	assert_directions(&d, second_ac, DIR_UP, DIR_UP); /* 100.64/10 is the private side */
	assert_int_equal(decode(&d, &pado), DIR_DOWN);
	assert_directions(&d, frame_ac, DIR_UP, DIR_DOWN);
	assert_int_equal(decode(&d, &other), DIR_DOWN);
	assert_directions(&d, frame_ac, DIR_UP, DIR_DOWN);
	assert_directions(&d, second_ac, DIR_UP, DIR_DOWN);
	assert_int_equal(decode(&d, &padi), DIR_UP); /* it dials: it is none */
	assert_int_equal(d.n_ac, 1);
	assert_int_equal(decode(&d, &other), DIR_DOWN);
	assert_int_equal(d.n_ac, 1);
	assert_int_equal(d.stats.control[CONTROL_PADO], 3);
	assert_int_equal(d.stats.control[CONTROL_PADI], 1);
	assert_int_equal(d.stats.verdicts[VERDICT_OK], d.stats.packets);
}

/* A frame between two of them tells nothing, nor does a MAC of zeros while none is known. */
static void both_ends_or_none(void **state)
{
	static const uint8_t zeros[6];
	struct decoder d = {0}, two = {0};
	struct frame zero = tcp_frame(zeros, frame_cpe), between = tcp_frame(frame_ac, second_ac);
	(void)state;
	d.side = two.side = DIR_DOWN;
	assert_int_equal(decode(&d, &zero), DIR_DOWN); /* the port's */
	decode_add_ac(&two, frame_ac);
	decode_add_ac(&two, second_ac);
	assert_int_equal(decode(&two, &between), DIR_DOWN);
	assert_directions(&two, second_ac, DIR_UP, DIR_DOWN);
}

static void configured_ones_are_all(void **state)
{
	struct decoder d = {0};
	struct frame pado = discovery(0x07, frame_cpe, second_ac);
	(void)state;
	decode_add_ac(&d, frame_ac);
	decode(&d, &pado);
	assert_int_equal(d.n_ac, 1);
}

static void more_than_can_be_known_are_counted(void **state)
{
	struct decoder d = {0};
	(void)state;
	for (uint32_t i = 0; i < DECODE_MAX_AC + 3; i++) {
		uint8_t mac[6] = {2, 0, 0, 0, 1, (uint8_t)i};
		struct frame pado = discovery(0x07, frame_cpe, mac);
		decode(&d, &pado);
	}
	assert_int_equal(d.n_ac, DECODE_MAX_AC);
	assert_int_equal(d.stats.ac_refused, 3);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(unchanged_and_cut),
		cmocka_unit_test(changed),
		cmocka_unit_test(endpoints_in_any_order),
		cmocka_unit_test(most_were_taken),
		cmocka_unit_test(concentrators_are_learned_and_lost),
		cmocka_unit_test(both_ends_or_none),
		cmocka_unit_test(configured_ones_are_all),
		cmocka_unit_test(more_than_can_be_known_are_counted),
	};
	decode_add_ac(&decoder, frame_ac);
	return cmocka_run_group_tests(tests, build, NULL);
}
