/* SPDX-License-Identifier: BSD-3-Clause */
#include "tests/ebpf/access_frames.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "ebpf/parse.h"

enum { ROUNDS = 40000, HEADERS = 120 };

static uint64_t random_state = 88172645463325252ull;

static uint32_t random_below(uint32_t n)
{
	random_state ^= random_state << 13;
	random_state ^= random_state >> 7;
	random_state ^= random_state << 17;
	return (uint32_t)(random_state >> 32) % n;
}

static uint32_t below_ip; /* tags, times two, and whether there is PPPoE */

static void access_ip(struct frame *f, int v6, uint32_t proto, uint32_t len)
{
	uint32_t tags = below_ip / 2;
	uint16_t type = below_ip & 1 ? 0x8864 : v6 ? 0x86dd : 0x0800;

	if (tags == 2)
		frame_qinq(f, type);
	else
		frame_hex(f, "02000000000a 02000000000b");
	if (tags == 1)
		frame_hex(f, "8100 0123");
	if (tags < 2)
		frame_u16(f, type);
	if (below_ip & 1) {
		frame_pppoe(f, 0, 0x77, len + (v6 ? 42 : 22));
		frame_u16(f, v6 ? 0x0057 : 0x0021);
	}
	if (v6)
		frame_ipv6(f, proto, len);
	else
		frame_ipv4(f, proto, len);
}

/* Variants 0 to 3: no options, timestamps, timestamps and a block, others. */
static void access_tcp(struct frame *f, int v6, int variant)
{
	static const char *const options[] = {
		"", "0101 080a 11121314 21222324",
		"0101 080a 11121314 21222324 0101 050a 00000001 00000009",
		"020405b4 0402 080a 11121314 21222324 01 030307"};
	static const uint32_t length[] = {0, 12, 24, 20};
	access_ip(f, v6, 6, 20 + length[variant] + 30);
	frame_tcp(f, TCP_ACK | TCP_PSH, length[variant]);
	frame_hex(f, options[variant]);
	frame_fill(f, 0xdd, 30);
}

static void access_udp(struct frame *f, int v6, int variant)
{
	static const uint16_t ports[] = {443, 53, 67, 547, 5060};
	access_ip(f, v6, 17, 8 + 30);
	frame_udp(f, variant & 1 ? ports[variant / 2] : 40000,
		  variant & 1 ? 40000 : ports[variant / 2], 30);
	frame_fill(f, 0x43, 30);
}

static struct frame frames[512];
static size_t n_frames;

static struct frame *new_frame(void)
{
	assert_true(n_frames < sizeof frames / sizeof *frames);
	return &frames[n_frames++];
}

void access_frames_build(void)
{
	for (below_ip = 0; below_ip < 6; below_ip++)
		for (int v6 = 0; v6 < 2; v6++) {
			for (int variant = 0; variant < 4; variant++)
				access_tcp(new_frame(), v6, variant);
			for (int variant = 0; variant < 10; variant++)
				access_udp(new_frame(), v6, variant);
		}
	below_ip = 5;
	for (size_t i = 0; i < frame_n_cases; i++)
		if (frame_cases[i].link == LINK_ETHERNET)
			frame_cases[i].build(new_frame());
}

void access_frames_cut(access_check *check)
{
	for (size_t i = 0; i < n_frames; i++)
		for (uint32_t caplen = 0; caplen <= frames[i].len; caplen++) {
			check(&frames[i], caplen, frames[i].len);
			check(&frames[i], caplen, caplen);
			check(&frames[i], caplen, caplen + 70000);
		}
}

static uint8_t some_byte(uint8_t old)
{
	static const uint8_t telling[] = {0, 1, 5, 6, 8, 17, 0x20, 0x45, 0x50, 0x80, 0xf0, 0xff};
	switch (random_below(4)) {
	case 0:
		return (uint8_t)(old + 1);
	case 1:
		return (uint8_t)(old - 1);
	case 2:
		return old ^ (uint8_t)(1u << random_below(8));
	default:
		return telling[random_below(sizeof telling)];
	}
}

void access_frames_changed(access_check *check)
{
	for (size_t i = 0; i < n_frames; i++)
		for (int round = 0; round < ROUNDS / (i < 6 * 28 ? 4 : 20); round++) {
			struct frame *f = &frames[i];
			uint8_t before[HEADERS];
			uint32_t n = f->len < HEADERS ? f->len : HEADERS, caplen = f->len;
			memcpy(before, f->bytes, n);
			for (uint32_t k = random_below(3) + 1; k > 0; k--) {
				uint32_t at = random_below(n);
				f->bytes[at] = some_byte(f->bytes[at]);
			}
			if (random_below(3) == 0)
				caplen = random_below(f->len + 1);
			check(f, caplen, caplen + (random_below(2) ? 0 : random_below(200)));
			memcpy(f->bytes, before, n);
		}
}

void access_frames_ends(access_check *check)
{
	for (int v6 = 0; v6 < 2; v6++)
		for (int round = 0; round < ROUNDS; round++) {
			struct frame f = {0};
			uint32_t at = v6 ? 38 : 42, len = v6 ? 16 : 4, same = random_below(len + 1);
			access_tcp(&f, v6, 1);
			for (uint32_t i = 0; i < 2 * len + 4; i++)
				f.bytes[at + i] = (uint8_t)random_below(3);
			memcpy(f.bytes + at + len, f.bytes + at, same);
			check(&f, f.len, f.len);
		}
}
