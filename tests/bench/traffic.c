/* SPDX-License-Identifier: BSD-3-Clause */
#include "tests/bench/traffic.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>

#include "tests/bench/wire.h"

enum phase { SYN, SYN_ACK, OPENED, DATA1, DATA2, ACK, DUP_ACK, FILL };

enum { HANDSHAKE_ROUNDS = 3, PHASE_ROUNDS = 2 }; /* of the warm-up */

/* Per packet of an exchange of three, so that 0.5 % of all packets are such. */
static const double resend_chance = 0.0075, hole_chance = 0.015, turn_chance = 0.25;

static const uint64_t spread = 2654435761u; /* prime: number -> number mod n is one to one */

struct conversation {
	uint32_t seq[2];   /* next byte of the server (0) and the subscriber (1) */
	uint32_t tsval[2]; /* that the other side has to echo */
	uint16_t ip_id[2];
	uint8_t phase; /* enum phase */
	uint8_t up;    /* the subscriber sends in this exchange */
};

static uint64_t mix(uint64_t v)
{
	v = (v ^ v >> 32) * 0xd6e8feb86659fd93u;
	v = (v ^ v >> 32) * 0xd6e8feb86659fd93u;
	return v ^ v >> 32;
}

static uint64_t draw(struct traffic *t) /* splitmix64 */
{
	return mix(t->rng += 0x9e3779b97f4a7c15u);
}

static bool chance(struct traffic *t, double p)
{
	return (double)(draw(t) >> 11) < p * 0x1p53;
}

static void begin(struct conversation *c, uint64_t seed)
{
	*c = (struct conversation){.seq = {(uint32_t)mix(seed), (uint32_t)(mix(seed) >> 32)}};
}

int traffic_init(struct traffic *t, uint32_t lines, uint32_t flows, enum pick pick)
{
	*t = (struct traffic){.lines = lines, .flows = flows, .pick = pick, .rng = flows};
	t->now_ns = TRAFFIC_START_NS;
	t->zipf_first = log(1.5) - 1;
	t->zipf_last = log(flows + 0.5);
	t->zipf_cut = 1 - exp(log(2.5) - 0.5);
	t->talks = calloc(flows, sizeof *t->talks);
	if (!t->talks)
		return -ENOMEM;
	for (uint32_t i = 0; i < flows; i++)
		begin(&t->talks[i], i);
	return 0;
}

void traffic_reopen(struct traffic *t)
{
	for (uint32_t i = 0; i < t->flows; i++)
		begin(&t->talks[i], draw(t));
}

void traffic_fini(struct traffic *t)
{
	free(t->talks);
	*t = (struct traffic){0};
}

/* Rejection-inversion (Hoermann and Derflinger 1996) for s = 1: a rank from 1 to flows. */
static uint32_t zipf_rank(struct traffic *t)
{
	for (;;) {
		double u = (double)(draw(t) >> 11) * 0x1p-53;
		double y = t->zipf_last + u * (t->zipf_first - t->zipf_last), x = exp(y);
		double k = fmin(fmax(floor(x + 0.5), 1), t->flows);
		if (k - x <= t->zipf_cut || y >= log(k + 0.5) - 1 / k)
			return (uint32_t)k;
	}
}

static uint32_t scatter(const struct traffic *t, uint64_t number)
{
	return (uint32_t)(number * spread % t->flows);
}

static uint32_t pick_flow(struct traffic *t)
{
	if (t->pick == PICK_ZIPF)
		return scatter(t, zipf_rank(t));
	return (uint32_t)((draw(t) >> 32) * t->flows >> 32);
}

static struct wire_flow describe(const struct traffic *t, uint64_t number)
{
	uint64_t h = mix(number * 3 + 1);
	uint32_t percent = (uint32_t)(h >> 8) % 100;
	struct wire_flow f = {
		.flow = (uint32_t)number,
		.line = (uint32_t)(number % t->lines),
		.server = mix(h),
		/* differs between the flows of a line, of which there are a few */
		.sub_port = (uint16_t)(1024 + (number / t->lines & 15) + 16 * (h >> 32 & 2047)),
		.ipv6 = (h & 0xff) % 5 == 0,
		.kind = percent < 85   ? WIRE_TCP
			: percent < 95 ? WIRE_QUIC
				       : WIRE_UDP,
	};
	f.server_port = f.kind == WIRE_UDP ? 3478 : 443;
	return f;
}

static uint16_t payload_of(const struct wire_flow *f)
{
	return f->server & 3 ? 1400 : 600;
}

static uint32_t ts_clock(const struct traffic *t, const struct wire_flow *f, int side)
{
	return (uint32_t)(t->now_ns / 1000000) + (uint32_t)(f->server >> (side ? 8 : 24));
}

/* A segment of `side` with the fields that do not depend on the phase. `oldest`: it is what the
 * other side waits for, so its timestamp is the one to be echoed (RFC 7323). */
static struct wire_segment segment(struct traffic *t, struct conversation *c,
				   const struct wire_flow *f, int side, bool oldest)
{
	uint32_t tsval = ts_clock(t, f, side);
	if (oldest)
		c->tsval[side] = tsval;
	return (struct wire_segment){
		.down = side == 0,
		.flags = WIRE_ACK,
		.seq = c->seq[side],
		.ack = c->seq[!side],
		.tsval = tsval,
		.tsecr = c->tsval[!side],
		.ip_id = ++c->ip_id[side],
	};
}

static struct wire_segment open_flow(struct traffic *t, struct conversation *c,
				     const struct wire_flow *f)
{
	int side = c->phase != SYN_ACK;
	struct wire_segment s = segment(t, c, f, side, true);
	if (c->phase != OPENED) {
		s.flags = c->phase == SYN ? WIRE_SYN : WIRE_SYN | WIRE_ACK;
		s.ack = c->phase == SYN ? 0 : s.ack;
		c->seq[side]++;
	}
	c->phase++;
	return s;
}

static struct wire_segment send_data(struct traffic *t, struct conversation *c,
				     const struct wire_flow *f, bool first)
{
	struct wire_segment s = segment(t, c, f, c->up, first);
	s.payload = payload_of(f);
	c->seq[c->up] += s.payload;
	return s;
}

/* Sends `back` bytes before the end again. */
static struct wire_segment resend(struct traffic *t, struct conversation *c,
				  const struct wire_flow *f, uint32_t segments, bool oldest)
{
	struct wire_segment s = segment(t, c, f, c->up, oldest);
	s.payload = payload_of(f);
	s.seq -= segments * s.payload;
	return s;
}

static struct wire_segment begin_exchange(struct traffic *t, struct conversation *c,
					  const struct wire_flow *f)
{
	bool hole = chance(t, hole_chance);
	c->up = chance(t, turn_chance);
	if (hole) /* lost before the tap */
		c->seq[c->up] += payload_of(f);
	c->phase = hole ? DUP_ACK : DATA2;
	return send_data(t, c, f, !hole);
}

static struct wire_segment duplicate_ack(struct traffic *t, struct conversation *c,
					 const struct wire_flow *f)
{
	struct wire_segment s = segment(t, c, f, !c->up, true);
	s.sack_right = s.ack;
	s.sack_left = s.ack - payload_of(f);
	s.ack = s.sack_left - payload_of(f);
	c->phase = FILL;
	return s;
}

static struct wire_segment next_tcp(struct traffic *t, struct conversation *c,
				    const struct wire_flow *f)
{
	switch (c->phase) {
	case DATA1:
		return begin_exchange(t, c, f);
	case DATA2:
		if (chance(t, resend_chance))
			return resend(t, c, f, 1, true);
		c->phase = ACK;
		return send_data(t, c, f, false);
	case ACK:
		if (chance(t, resend_chance))
			return resend(t, c, f, 1, false);
		c->phase = DATA1;
		return segment(t, c, f, !c->up, true);
	case DUP_ACK:
		return duplicate_ack(t, c, f);
	case FILL:
		c->phase = ACK;
		return resend(t, c, f, 2, true);
	default:
		return open_flow(t, c, f);
	}
}

/* Two datagrams down, one up; QUIC's spin bit turns once in each exchange (RFC 9000 17.4). */
static struct wire_segment next_udp(struct conversation *c, const struct wire_flow *f)
{
	bool down = c->phase < 2;
	c->phase = (uint8_t)((c->phase + 1) % 3);
	if (!down)
		c->seq[1]++;
	return (struct wire_segment){
		.down = down,
		.payload = down ? payload_of(f) : 60,
		.first_byte = (uint8_t)(0x40 | (c->seq[1] & 1) << 5),
		.ip_id = ++c->ip_id[!down],
	};
}

static void speak(struct traffic *t, struct slot *slot, uint32_t number)
{
	struct conversation *c = &t->talks[number];
	struct wire_flow f = describe(t, number);
	struct wire_segment s = f.kind == WIRE_TCP ? next_tcp(t, c, &f) : next_udp(c, &f);
	wire_write(slot, &f, &s);
	t->now_ns += PACKET_NS;
}

static void flood(struct traffic *t, struct slot *slot)
{
	struct wire_flow f = describe(t, t->flows + t->cursor++);
	struct wire_segment s = {.flags = WIRE_SYN, .seq = (uint32_t)f.server};
	f.kind = WIRE_TCP;
	f.flow %= t->flows; /* the floor has no more records than that */
	f.line = (uint32_t)((draw(t) >> 32) * t->lines >> 32);
	s.tsval = ts_clock(t, &f, 1);
	wire_write(slot, &f, &s);
	t->now_ns += PACKET_NS;
}

uint32_t traffic_lines(struct traffic *t, struct slot *slots, uint32_t n)
{
	uint32_t i = 0;
	for (; i < n && t->cursor < t->lines; i++) {
		struct wire_flow f = describe(t, t->cursor++);
		f.kind = WIRE_UDP;
		f.server_port = 3478;
		wire_write(&slots[i], &f, &(struct wire_segment){.payload = 100});
		t->now_ns += PACKET_NS;
	}
	if (i == 0)
		t->cursor = 0;
	return i;
}

static bool is_flood(const struct traffic *t)
{
	return t->pick == PICK_FLOOD || t->pick == PICK_FILL;
}

/* In the rounds after the handshake only some flows speak, so that phases differ. */
static bool speaks_in_round(uint32_t flow, uint64_t round)
{
	return round < HANDSHAKE_ROUNDS || mix(flow ^ 0x5bd1e995) % 3 > round - HANDSHAKE_ROUNDS;
}

uint32_t traffic_warm(struct traffic *t, struct slot *slots, uint32_t n)
{
	uint64_t end = (uint64_t)t->flows * (HANDSHAKE_ROUNDS + PHASE_ROUNDS);
	uint32_t i = 0;
	for (; !is_flood(t) && i < n && t->cursor < end; t->cursor++) {
		uint32_t flow = scatter(t, t->cursor);
		if (speaks_in_round(flow, t->cursor / t->flows))
			speak(t, &slots[i++], flow);
	}
	if (i == 0)
		t->cursor = 0;
	return i;
}

uint64_t traffic_lap(struct traffic *t, struct slot *slots, uint32_t n)
{
	uint64_t start_ns = t->now_ns;
	for (uint32_t i = 0; i < n; i++)
		if (is_flood(t))
			flood(t, &slots[i]);
		else
			speak(t, &slots[i], pick_flow(t));
	return start_ns;
}
