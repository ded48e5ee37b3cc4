/* SPDX-License-Identifier: BSD-3-Clause */
#include <stdlib.h>
#include <string.h>

#include "tests/bench/textbook.h"
#include "tests/bench/variant.h"
#include "tests/bench/wire.h"

static uint16_t get16(const uint8_t *at)
{
	return (uint16_t)(at[0] << 8 | at[1]);
}

static uint32_t get32(const uint8_t *at)
{
	return (uint32_t)get16(at) << 16 | get16(at + 2);
}

static uint32_t fold_address(const uint8_t *at, int bytes)
{
	uint64_t h = 0;
	for (; bytes > 0; bytes -= 4, at += 4)
		h = (h ^ get32(at)) * 0x9e3779b97f4a7c15u;
	return (uint32_t)(h >> 32);
}

/* Orders the endpoints, so that both directions have one key. */
static void set_key(struct plain_packet *p, uint32_t protocol, const uint32_t address[2],
		    const uint16_t port[2])
{
	p->side = address[0] > address[1] || (address[0] == address[1] && port[0] > port[1]);
	p->flow_key[0] = p->subscriber_key << 8 | protocol;
	p->flow_key[1] = address[p->side];
	p->flow_key[2] = address[!p->side];
	p->flow_key[3] = (uint32_t)port[p->side] << 16 | port[!p->side];
}

static void decode_options(const uint8_t *at, const uint8_t *end, struct plain_packet *p)
{
	while (at < end && *at != 0) {
		if (*at == 1) {
			at++;
			continue;
		}
		if (end - at < 2 || at[1] < 2 || at + at[1] > end)
			return;
		if (at[0] == 8 && at[1] == 10) {
			p->timestamps = true;
			p->tsval = get32(at + 2);
			p->tsecr = get32(at + 6);
		}
		at += at[1];
	}
}

static bool decode_l4(const uint8_t *at, const uint8_t *end, uint32_t length,
		      struct plain_packet *p)
{
	uint32_t header = 8;
	p->payload = 0;
	if (p->tcp) {
		if (end - at < 20)
			return false;
		header = (uint32_t)at[12] >> 4 << 2;
		p->seq = get32(at + 4);
		p->ack = get32(at + 8);
		p->tcp_flags = at[13];
		if (header < 20 || at + header > end)
			return false;
		decode_options(at + 20, at + header, p);
	}
	p->payload = (uint16_t)(length > header ? length - header : 0);
	return true;
}

static bool decode_ip(const uint8_t *at, const uint8_t *end, struct plain_packet *p)
{
	uint32_t address[2], header, length, protocol;
	uint16_t port[2];
	bool v6;
	if (end - at < 20)
		return false;
	v6 = at[0] >> 4 == 6;
	if (v6 ? end - at < 40 : at[0] >> 4 != 4)
		return false;
	header = v6 ? 40 : (at[0] & 15u) * 4;
	length = v6 ? get16(at + 4) : get16(at + 2) - header;
	protocol = v6 ? at[6] : at[9];
	address[0] = v6 ? fold_address(at + 8, 16) : get32(at + 12);
	address[1] = v6 ? fold_address(at + 24, 16) : get32(at + 16);
	at += header;
	if ((protocol != 6 && protocol != 17) || end - at < 8)
		return false;
	port[0] = get16(at);
	port[1] = get16(at + 2);
	p->tcp = protocol == 6;
	set_key(p, protocol | (v6 ? 0x80 : 0), address, port);
	return decode_l4(at, end, length, p);
}

bool plain_decode(const uint8_t *frame, uint32_t caplen, uint32_t wire_len, const uint8_t ac[6],
		  struct plain_packet *p)
{
	const uint8_t *at = frame + 14, *end = frame + caplen;
	uint32_t type = get16(frame + 12), tags = 0;
	p->down = memcmp(frame + 6, ac, 6) == 0;
	p->wire_len = (uint16_t)wire_len;
	p->timestamps = false;
	for (; type == 0x8100 || type == 0x88a8 || type == 0x9100; at += 4) {
		if (end - at < 4)
			return false;
		tags = tags << 12 | (get16(at) & 0xfff);
		type = get16(at + 2);
	}
	p->subscriber_key = tags;
	if (type == 0x8864) {
		if (end - at < 8 || at[0] != 0x11 || at[1] != 0)
			return false;
		type = get16(at + 6) == 0x21 ? 0x0800 : get16(at + 6) == 0x57 ? 0x86dd : 0;
		at += 8;
	}
	return (type == 0x0800 || type == 0x86dd) && decode_ip(at, end, p);
}

static void *plain_open(const struct setup *setup)
{
	(void)setup;
	return calloc(1, sizeof(struct plain_packet));
}

static void plain_lap(void *state, const struct slot *slots, uint32_t n, uint64_t start_ns)
{
	struct plain_packet *p = state;
	(void)start_ns;
	for (uint32_t i = 0; i < n; i++) {
		fetch_slot(&slots[i + FETCH_AHEAD]);
		plain_decode(slots[i].frame, slots[i].caplen, slots[i].wire_len, wire_ac_mac, p);
		__asm__ volatile("" ::"r"(p) : "memory"); /* each result counts */
	}
}

const struct variant plain_variant = {"plain", plain_open, plain_lap, free, NULL, false, NULL};
