/* SPDX-License-Identifier: BSD-3-Clause */
#include "tests/ebpf/frame.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "ebpf/parse.h"

const uint8_t frame_cpe[6] = {0x02, 0, 0, 0, 0, 0x01}, frame_ac[6] = {0x00, 0x00, 0x5e, 0, 1, 1};

void frame_put(struct frame *f, const void *bytes, size_t n)
{
	assert(f->len + n <= FRAME_MAX);
	memcpy(f->bytes + f->len, bytes, n);
	f->len += (uint32_t)n;
}

void frame_text(struct frame *f, const char *text)
{
	frame_put(f, text, strlen(text));
}

static uint8_t nibble(char c)
{
	assert((c >= '0' && c <= '9') || (c >= 'a' && c <= 'f'));
	return (uint8_t)(c <= '9' ? c - '0' : c - 'a' + 10);
}

void frame_hex(struct frame *f, const char *hex)
{
	for (; *hex; hex++)
		if (*hex != ' ') {
			frame_u8(f, (uint32_t)(nibble(hex[0]) << 4 | nibble(hex[1])));
			hex++;
		}
}

void frame_fill(struct frame *f, uint8_t byte, size_t n)
{
	while (n--)
		frame_u8(f, byte);
}

void frame_u8(struct frame *f, uint32_t v)
{
	uint8_t b = (uint8_t)v;
	frame_put(f, &b, 1);
}

void frame_u16(struct frame *f, uint32_t v)
{
	frame_u8(f, v >> 8);
	frame_u8(f, v);
}

void frame_u32(struct frame *f, uint32_t v)
{
	frame_u16(f, v >> 16);
	frame_u16(f, v);
}

void frame_set16(struct frame *f, uint32_t at, uint32_t v)
{
	assert(at + 2 <= f->len);
	f->bytes[at] = (uint8_t)(v >> 8);
	f->bytes[at + 1] = (uint8_t)v;
}

void frame_macs(struct frame *f)
{
	frame_put(f, frame_ac, 6);
	frame_put(f, frame_cpe, 6);
}

void frame_macs_down(struct frame *f)
{
	frame_put(f, frame_cpe, 6);
	frame_put(f, frame_ac, 6);
}

void frame_tag(struct frame *f, uint32_t tpid, uint32_t vid)
{
	frame_u16(f, tpid);
	frame_u16(f, 0x6000 | vid); /* priority 3: not part of the id */
}

void frame_qinq(struct frame *f, uint32_t ethertype)
{
	frame_macs(f);
	frame_tag(f, 0x88a8, 300);
	frame_tag(f, 0x8100, 1517);
	frame_u16(f, ethertype);
}

void frame_pppoe(struct frame *f, uint32_t code, uint32_t session_id, uint32_t len)
{
	frame_u8(f, 0x11);
	frame_u8(f, code);
	frame_u16(f, session_id);
	frame_u16(f, len);
}

void frame_ipv4(struct frame *f, uint32_t proto, uint32_t len)
{
	FRAME_BYTES(f, 0x45, 0);
	frame_u16(f, 20 + len);
	frame_u16(f, 0xbeef);				   /* identification */
	FRAME_BYTES(f, 0x40, 0, 64, (uint8_t)proto, 0, 0); /* don't fragment, TTL, checksum */
	FRAME_BYTES(f, 100, 64, 1, 2, 93, 184, 216, 34);
}

void frame_ipv6(struct frame *f, uint32_t next, uint32_t len)
{
	frame_u32(f, 0x60012345);
	frame_u16(f, len);
	FRAME_BYTES(f, (uint8_t)next, 64);
	frame_hex(f, "20010db8006400000000000000000002 20010db8005d00000000000000000022");
}

void frame_tcp(struct frame *f, uint32_t flags, uint32_t options)
{
	frame_u16(f, FRAME_TCP_SPORT);
	frame_u16(f, FRAME_TCP_DPORT);
	frame_u32(f, FRAME_TCP_SEQ);
	frame_u32(f, FRAME_TCP_ACK);
	frame_u8(f, (20 + options) / 4 << 4);
	frame_u8(f, flags);
	frame_u16(f, 0x4321); /* window */
	frame_u16(f, 0xc5c5); /* checksum */
	frame_u16(f, 0);
}

void frame_udp(struct frame *f, uint32_t sport, uint32_t dport, uint32_t len)
{
	frame_u16(f, sport);
	frame_u16(f, dport);
	frame_u16(f, 8 + len);
	frame_u16(f, 0);
}

struct parsed frame_parse(const struct frame *f, uint32_t caplen, uint32_t wire_len, uint32_t link)
{
	struct parsed r;
	uint8_t *copy = malloc(caplen ? caplen : 1), *start = caplen ? copy : copy + 1;
	assert(copy && caplen <= f->len);
	if (caplen)
		memcpy(start, f->bytes, caplen);
	memset(&r, 0xa5, sizeof r); /* what lies there from the burst before must not matter */
	parse_frame(start, start + caplen, wire_len, link, &r.pkt, &r.extra);
	free(copy);
	return r;
}

struct parsed frame_parse_all(const struct frame *f)
{
	return frame_parse(f, f->len, f->len, LINK_ETHERNET);
}
