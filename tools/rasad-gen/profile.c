/* SPDX-License-Identifier: BSD-3-Clause */
#include "tools/rasad-gen/profile.h"

#include <math.h>
#include <stdio.h>

#define LINES_PER_NODE 48
#define FIRST_SVLAN    101
#define FIRST_CVLAN    11
#define LOSS_SIGMA     1.0 /* losses differ from line to line and from server to server */

struct choice {
	double share;
	double value;
};

/* Picks by share; the last row takes the rest. */
static double pick(struct rng *r, const struct choice *c)
{
	double u = rng_unit(r);

	for (; c[1].share > 0 && u >= c->share; c++)
		u -= c->share;
	return c->value;
}

#define PICK(r, ...) pick(r, (const struct choice[]){__VA_ARGS__, {0, 0}})

struct ip_addr profile_ipv4(uint32_t a)
{
	return (struct ip_addr){
		.byte = {(uint8_t)(a >> 24), (uint8_t)(a >> 16), (uint8_t)(a >> 8), (uint8_t)a}};
}

static struct ip_addr ipv6(uint16_t third, uint16_t fourth, uint32_t host)
{
	return (struct ip_addr){
		.v6 = true,
		.byte = {0x20, 0x01, 0x0d, 0xb8, (uint8_t)(third >> 8), (uint8_t)third,
			 (uint8_t)(fourth >> 8), (uint8_t)fourth, 0, 0, 0, 0, (uint8_t)(host >> 24),
			 (uint8_t)(host >> 16), (uint8_t)(host >> 8), (uint8_t)host},
	};
}

void profile_line_address(struct line *l)
{
	l->ipv4 = profile_ipv4(0x64400100u + l->number); /* 100.64.1.0 on */
	l->ipv6 = ipv6((uint16_t)(0x4000 + (l->number >> 16)), (uint16_t)l->number, 2);
}

static double some_loss(struct rng *r, double mean)
{
	return mean > 0 ? mean * rng_lognormal(r, exp(-LOSS_SIGMA * LOSS_SIGMA / 2), LOSS_SIGMA)
			: 0;
}

static void line_identity(struct line *l, const struct options *o)
{
	uint32_t node = l->number / LINES_PER_NODE, port = l->number % LINES_PER_NODE,
		 n = l->number;

	l->l2 = (struct l2){
		.encap = o->encap,
		.cpe_mac = {0x02, 0x5a, (uint8_t)(n >> 16), (uint8_t)(n >> 8), (uint8_t)n, 0x01},
		.ac_mac = {0x02, 0xb0, 0, 0, 0, 0x01},
		.outer_tpid = node % 3 == 2 ? 0x8100 : 0x88a8,
		.svlan = (uint16_t)(FIRST_SVLAN + node),
		.cvlan = (uint16_t)(FIRST_CVLAN + port),
		.pppoe_session_id = (uint16_t)(1 + n % 65534),
		.mpls_label = 100000 + n,
	};
	if (o->encap == ENCAP_VLAN) { /* one tag has to tell all lines apart */
		l->l2.svlan = 0;
		l->l2.cvlan = (uint16_t)(1 + n % 4094);
	}
	snprintf(l->name, sizeof(l->name), "%u/%u", l->l2.svlan, l->l2.cvlan);
}

static void line_path(struct line *l, const struct options *o, struct rng *r)
{
	struct link *down = &l->access[DIR_DOWN], *up = &l->access[DIR_UP];
	double down_mbps = rng_lognormal(r, 24, 0.8), asymmetry = rng_range(r, 0.08, 0.4);

	for (int d = 0; d < 2; d++) {
		link_init(&l->access[d], o->seed, 2 * (uint64_t)l->number + (unsigned)d);
		l->access[d].delay_ns = rng_lognormal(r, 4, 0.6) * 1e6;
		l->access[d].jitter_ns = rng_lognormal(r, 0.8, 1.0) * 1e6;
		l->access[d].queue_limit_ns = (uint64_t)(rng_range(r, 60, 250) * 1e6);
		if (rng_chance(r, 0.05)) {
			l->access[d].spike_ns = rng_range(r, 200, 900) * 1e6;
			l->access[d].spike_chance = 0.15;
		}
	}
	down->ns_per_byte = 8000.0 / (down_mbps < 3 ? 3 : down_mbps);
	up->ns_per_byte = down->ns_per_byte / asymmetry;
	down->loss = some_loss(r, o->loss_after_tap);
	up->loss = some_loss(r, o->loss_before_tap);
}

void profile_line(struct line *l, const struct options *o, uint32_t number)
{
	struct rng r = rng_make(o->seed, RNG_LINE, number);

	l->number = number;
	l->next_port = (uint16_t)(20000 + rng_below(&r, 20000));
	line_identity(l, o);
	profile_line_address(l);
	line_path(l, o, &r);
}

static struct tcp_host any_host(struct rng *r, bool v6)
{
	struct tcp_host h = {
		.timestamp_hz = (uint16_t)PICK(r, {.5, 1000}, {.3, 250}, {.2, 100}),
		.timestamp_base = (uint32_t)rng_next(r),
		.window_scale = (uint8_t)PICK(r, {.6, 7}, {.27, 8}, {.1, 5}, {.03, 0}),
		.sack = rng_chance(r, 0.96),
		.dsack = rng_chance(r, 0.85),
		.tail_probe = rng_chance(r, 0.6),
		.byte_probes = rng_chance(r, 0.3),
		.ack_every = (uint8_t)PICK(r, {.85, 2}, {.1, 4}, {.05, 8}),
		.quick_acks = (uint8_t)PICK(r, {.6, 16}, {.4, 0}),
		.delayed_ack_ns =
			(uint64_t)PICK(r, {.55, 40e6}, {.15, 100e6}, {.2, 200e6}, {.1, 60e6}),
		.rto_min_ns = (uint64_t)PICK(r, {.7, 200e6}, {.2, 300e6}, {.1, 1000e6}),
		.back_off = PICK(r, {.7, .7}, {.3, .5}),
		.first_ssthresh = rng_chance(r, 0.4) ? 16 + (uint32_t)rng_below(r, 112) : 1u << 20,
		.receive_buffer = (uint32_t)rng_lognormal(r, 400e3, 0.8),
	};

	h.mss = (uint16_t)(v6 ? PICK(r, {.5, 1440}, {.3, 1432}, {.2, 1400})
			      : PICK(r, {.5, 1452}, {.25, 1460}, {.1, 1440}, {.15, 1400}));
	if (h.receive_buffer < 65535 || !h.window_scale)
		h.receive_buffer = 65535;
	return h;
}

struct tcp_host profile_client(struct rng *r, bool v6)
{
	struct tcp_host h = any_host(r, v6);

	h.ip_id_zero = rng_chance(r, 0.15);
	h.ttl = (uint8_t)PICK(r, {.7, 63}, {.3, 127});
	return h;
}

struct tcp_host profile_server(struct rng *r, bool v6)
{
	struct tcp_host h = any_host(r, v6);

	h.mss = v6 ? 1440 : 1460;
	h.ip_id_zero = rng_chance(r, 0.25);
	h.ttl = (uint8_t)(48 + rng_below(r, 13));
	return h;
}

static void server_address(struct tcp_plan *p, uint32_t number)
{
	static const uint32_t net[] = {0xcb007100, 0xc6336400, 0xc0000200}; /* TEST-NET-3, 2, 1 */

	p->server_addr = p->client_addr.v6 ? ipv6(0xffff, 0, 16 + number)
					   : profile_ipv4(net[number % 3] + 10 + number / 3);
}

void profile_core(struct tcp_plan *p, struct rng *r, const struct options *o, uint64_t flow)
{
	/* a few servers are popular, most are not */
	double u = rng_unit(r);
	uint32_t number = (uint32_t)(PROFILE_SERVERS * u * u);
	struct rng far = rng_make(o->seed, RNG_SERVER, number);
	double delay_ms = rng_lognormal(&far, 12, 0.9), mbps = rng_lognormal(r, 80, 0.9);

	server_address(p, number);
	p->server_port = (uint16_t)PICK(r, {.7, 443}, {.15, 80}, {.15, 8443});
	for (int d = 0; d < 2; d++) {
		struct link *l = &p->core[d];

		link_init(l, o->seed ^ 0xc04e, 2 * flow + (unsigned)d);
		l->delay_ns = (delay_ms < 0.5 ? 0.5 : delay_ms > 150 ? 150 : delay_ms) * 1e6;
		l->jitter_ns = rng_lognormal(&far, 0.5, 1.2) * 1e6;
		l->loss = some_loss(r, d == DIR_DOWN ? o->loss_before_tap : o->loss_after_tap);
	}
	p->core[DIR_DOWN].ns_per_byte = 8000.0 / (mbps < 5 ? 5 : mbps);
	p->core[DIR_DOWN].queue_limit_ns = (uint64_t)(rng_range(r, 10, 80) * 1e6);
	if (rng_chance(r, 0.03)) {
		p->core[DIR_DOWN].spike_ns = rng_range(r, 200, 900) * 1e6;
		p->core[DIR_DOWN].spike_chance = 0.2;
	}
}

uint16_t profile_port(struct line *l)
{
	uint16_t port = l->next_port++;

	if (l->next_port >= 60000)
		l->next_port = 20000;
	return port;
}
