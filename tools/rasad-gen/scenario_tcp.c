/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Scenario "tcp": many flows of all sorts through healthy and lossy paths. There is no PPPoE
 * control traffic, so the inner packets and their times are the same whatever the encapsulation.
 */
#include <math.h>
#include <stdlib.h>

#include "tools/rasad-gen/mem.h"
#include "tools/rasad-gen/profile.h"
#include "tools/rasad-gen/scenario.h"
#include "tools/rasad-gen/truth.h"

#define PACKETS_PER_FLOW     250 /* on average, without --packets */
#define PACKETS_PER_SEGMENT  1.6 /* a data packet and its share of ACKs */
#define PACKETS_OF_HANDSHAKE 10
#define SMALLEST_FLOW	     14 /* packets */
#define PLAN_MARGIN	     1.08
#define SIZE_SIGMA	     1.5
#define DEFAULT_DURATION_S   60
#define DRAIN_S		     120 /* after the last flow has started */
#define MAX_EXCHANGES	     8
#define FLOWS_PER_LINE	     8
#define LOSS_BEFORE_TAP	     0.004
#define LOSS_AFTER_TAP	     0.002
#define REORDER		     0.001
#define IPV6_SHARE	     0.25

struct start {
	struct world *world;
	uint32_t number;
	double packets; /* about so many should the flow make */
};

enum kind { DOWNLOAD, UPLOAD, BOTH };

static void split_bytes(struct tcp_exchange *x, enum kind kind, double bytes, struct rng *r)
{
	double small = rng_range(r, 80, 900), large = bytes > 200 ? bytes : 200;

	large = large > 2e9 ? 2e9 : large;
	x->request_bytes = (uint32_t)(kind == DOWNLOAD ? small
				      : kind == UPLOAD ? large
						       : large / 2);
	x->response_bytes = (uint32_t)(kind == DOWNLOAD ? large
				       : kind == UPLOAD ? small
							: large / 2);
}

static void plan_exchanges(struct tcp_plan *p, struct rng *r, double packets)
{
	double segments = (packets - PACKETS_OF_HANDSHAKE) / PACKETS_PER_SEGMENT;
	double u = rng_unit(r);
	enum kind kind = u < 0.80 ? DOWNLOAD : u < 0.92 ? UPLOAD : BOTH;
	uint32_t most = (uint32_t)(segments / 3) + 1;
	uint32_t n = 1 + (uint32_t)rng_below(r, most < MAX_EXCHANGES ? most : MAX_EXCHANGES);

	segments = segments < 2 ? 2 : segments;
	p->n_exchanges = n;
	p->exchanges = mem_new(n, sizeof(*p->exchanges));
	for (uint32_t i = 0; i < n; i++) {
		double bytes = segments / n * 1400 * rng_range(r, 0.5, 1.5);
		struct tcp_exchange *x = &p->exchanges[i];

		split_bytes(x, kind, bytes, r);
		x->think_ns = i ? (uint64_t)(rng_exponential(r, 0.8) * 1e9) : 0;
		x->server_ns = (uint64_t)(rng_lognormal(r, 12, 1.0) * 1e6);
	}
}

static void plan_end(struct tcp_plan *p, struct rng *r)
{
	double u = rng_unit(r);

	p->close = u < 0.55   ? CLOSE_BY_SERVER
		   : u < 0.85 ? CLOSE_BY_CLIENT
		   : u < 0.92 ? CLOSE_BY_RESET
			      : CLOSE_NEVER;
	p->close_ns = rng_chance(r, 0.3) ? (uint64_t)(rng_exponential(r, 2) * 1e9) : 0;
	if (rng_chance(r, 0.06)) { /* idle for a while, kept alive from one end */
		struct tcp_host *h = rng_chance(r, 0.5) ? &p->client : &p->server;

		h->keepalive_ns = (uint64_t)(rng_range(r, 3, 10) * 1e9);
		p->close_ns = (uint64_t)(rng_range(r, 15, 60) * 1e9);
	}
	if (rng_chance(r, 0.05)) { /* the reader stops for a while and the window shuts */
		p->stall_at = (uint64_t)rng_range(r, 20e3, 200e3);
		p->stall_ns = (uint64_t)(rng_range(r, 0.8, 4) * 1e9);
		p->client.receive_buffer = p->server.receive_buffer = 65535;
	}
}

static void drop_timestamps(struct tcp_plan *p, struct rng *r, double share)
{
	double u = rng_unit(r);

	if (u < share)
		*(u < share * 0.7 ? &p->client.timestamp_hz : &p->server.timestamp_hz) = 0;
}

static void start_flow(void *arg)
{
	struct start *s = arg;
	struct world *w = s->world;
	const struct options *o = w->options;
	struct rng r = rng_make(o->seed, RNG_PLAN, s->number);
	struct tcp_plan p = {.line = &w->lines[rng_below(&r, w->n_lines)], .reorder = o->reorder};
	bool v6 = rng_chance(&r, o->ipv6_share);

	p.client_addr = v6 ? p.line->ipv6 : p.line->ipv4;
	p.client_port = profile_port(p.line);
	p.client = profile_client(&r, v6);
	p.server = profile_server(&r, v6);
	p.mid_stream = w->sim.now_ns < 2 * NS_PER_S && rng_chance(&r, 0.6);
	drop_timestamps(&p, &r, o->no_timestamps_share);
	profile_core(&p, &r, o, s->number);
	plan_exchanges(&p, &r, s->packets);
	plan_end(&p, &r);
	tcp_flow_start(w, &p);
}

/* Sizes with a heavy tail whose sum is what was asked for. */
static struct start *plan_starts(struct world *w, double duration_s)
{
	const struct options *o = w->options;
	struct start *starts = mem_new(o->flows, sizeof(*starts));
	double total = o->packets ? (double)o->packets : (double)PACKETS_PER_FLOW * o->flows;
	double sum = 0, each = total / o->flows * PLAN_MARGIN - SMALLEST_FLOW;
	struct rng r = rng_make(o->seed, RNG_PLAN, UINT64_MAX);

	for (uint32_t i = 0; i < o->flows; i++) {
		starts[i] = (struct start){w, i, rng_lognormal(&r, 1, SIZE_SIGMA)};
		sum += starts[i].packets;
	}
	for (uint32_t i = 0; i < o->flows; i++) {
		/* a tenth is there from the beginning */
		double at = i % 10 ? rng_unit(&r) * duration_s : rng_unit(&r) * 2;

		starts[i].packets =
			SMALLEST_FLOW + (each > 0 ? each * o->flows * starts[i].packets / sum : 0);
		sim_at(&w->sim, (uint64_t)(at * 1e9), start_flow, &starts[i]);
	}
	return starts;
}

void scenario_tcp(const struct options *o)
{
	double duration_s = o->duration_s > 0 ? o->duration_s : DEFAULT_DURATION_S;
	struct options mine = *o;
	struct world w;
	struct start *starts;

	if (!mine.lines)
		mine.lines = (mine.flows + FLOWS_PER_LINE - 1) / FLOWS_PER_LINE;
	mine.loss_before_tap = mine.loss_before_tap < 0 ? LOSS_BEFORE_TAP : mine.loss_before_tap;
	mine.loss_after_tap = mine.loss_after_tap < 0 ? LOSS_AFTER_TAP : mine.loss_after_tap;
	mine.ipv6_share = mine.ipv6_share < 0 ? IPV6_SHARE : mine.ipv6_share;
	mine.reorder = mine.reorder < 0 ? REORDER : mine.reorder;
	o = &mine;
	world_init(&w, o);
	for (uint32_t i = 0; i < w.n_lines; i++)
		profile_line(&w.lines[i], o, i);
	starts = plan_starts(&w, duration_s);
	sim_run(&w.sim, (uint64_t)((duration_s + DRAIN_S) * 1e9));
	truth_write_tcp(&w);
	world_summary(&w);
	free(starts);
	world_fini(&w);
}
