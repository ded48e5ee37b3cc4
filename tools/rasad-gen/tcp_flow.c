/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The life of a flow: handshake, the application's requests and responses, the end; and the way of
 * its packets past the tap.
 */
#include <stdlib.h>
#include <string.h>

#include "tools/rasad-gen/mem.h"
#include "tools/rasad-gen/refuse.h"
#include "tools/rasad-gen/tcp.h"

#define PKT_CHUNK	   512
#define MID_STREAM_RTT_NS  (200 * NS_PER_MS) /* what a stack remembers when the capture begins */
#define DUPLICATE_DELAY_NS (150 * NS_PER_US)
#define REORDER_DELAY_MIN  0.2e6
#define REORDER_DELAY_MAX  5e6

struct pkt_chunk {
	struct pkt_chunk *next;
	struct tcp_pkt pkt[PKT_CHUNK];
};

uint64_t tcp_now(const struct tcp_end *e)
{
	return e->flow->world->sim.now_ns;
}

struct tcp_end *tcp_peer(const struct tcp_end *e)
{
	return &e->flow->end[!e->dir];
}

static struct tcp_pkt *pkt_get(struct world *w)
{
	struct tcp_pkt *p = w->free_pkts;

	if (!p) {
		struct pkt_chunk *c = mem_new(1, sizeof(*c));

		c->next = w->pkt_chunks;
		w->pkt_chunks = c;
		for (int i = 0; i < PKT_CHUNK; i++) {
			c->pkt[i].next_free = p;
			p = &c->pkt[i];
		}
	}
	w->free_pkts = p->next_free;
	return p;
}

static void pkt_put(struct tcp_pkt *p)
{
	struct world *w = p->flow->world;

	p->next_free = w->free_pkts;
	w->free_pkts = p;
}

void tcp_pkts_fini(struct world *w)
{
	for (struct pkt_chunk *c = w->pkt_chunks, *next; c; c = next) {
		next = c->next;
		free(c);
	}
	w->pkt_chunks = NULL;
	w->free_pkts = NULL;
}

struct tcp_pkt *tcp_pkt_new(struct tcp_end *e, enum tcp_kind kind, uint8_t flags)
{
	struct tcp_pkt *p = pkt_get(e->flow->world);

	p->flow = e->flow;
	p->seq = p->ack = 0;
	p->segment = p->ts_value = p->ts_echo = 0;
	p->window = p->length = 0;
	p->dir = (uint8_t)e->dir;
	p->kind = (uint8_t)kind;
	p->flags = flags;
	p->n_sack = p->transmission = 0;
	p->first_at_tap = false;
	if (kind == KIND_RTT_PROBE)
		return p;
	p->ip_id = e->host.ip_id_zero ? 0 : e->ip_id++;
	tcp_fill_ack(e, p);
	return p;
}

static void send_reset(struct tcp_end *e, uint8_t flags)
{
	struct tcp_pkt *p = tcp_pkt_new(e, KIND_RESET, flags);

	p->seq = e->nxt;
	tcp_pkt_send(p);
}

static void on_receive(void *arg)
{
	struct tcp_pkt *p = arg;
	struct tcp_flow *f = p->flow;
	struct tcp_end *e = &f->end[!p->dir];

	if (f->reset_sent && e->dir == DIR_UP && !f->done) {
		send_reset(e, TCP_RST);
	} else if (!f->done && !(f->client_gone && e->dir == DIR_UP)) {
		tcp_recv_packet(e, p);
	}
	pkt_put(p);
}

static void on_duplicate(void *arg)
{
	struct tcp_pkt *p = arg;

	p->flow->tap[p->dir].duplicate++;
	tcp_wire_emit(p);
	pkt_put(p);
}

static void maybe_duplicate(const struct tcp_pkt *p)
{
	struct world *w = p->flow->world;
	struct tcp_pkt *copy;

	if (!rng_chance(&p->flow->rng, w->options->mirror_duplicates))
		return;
	copy = pkt_get(w);
	*copy = *p;
	sim_at(&w->sim, w->sim.now_ns + 1000 + rng_below(&p->flow->rng, DUPLICATE_DELAY_NS),
	       on_duplicate, copy);
}

/* The BRAS lets nothing of it pass, either way. */
static bool is_stopped(const struct tcp_flow *f)
{
	const struct outage *o = &f->world->outage;

	return f->orphan || outage_cuts_internet(o) || outage_stops_bras(o);
}

static bool send_from_tap(struct tcp_pkt *p, uint64_t *arrive_ns)
{
	struct tcp_flow *f = p->flow;
	uint64_t now = f->world->sim.now_ns, at_cpe;
	unsigned bytes = tcp_wire_bytes(p);

	if (p->dir == DIR_UP && is_stopped(f))
		return false;
	if (p->dir == DIR_UP)
		return link_send(&f->core[DIR_UP], bytes, now, arrive_ns);
	return link_send(&f->line->access[DIR_DOWN], bytes, now, &at_cpe) &&
	       link_send(&f->line->home[DIR_DOWN], bytes, at_cpe, arrive_ns);
}

static void on_tap(void *arg)
{
	struct tcp_pkt *p = arg;
	struct world *w = p->flow->world;
	uint64_t arrive_ns;

	if (p->flow->aborted) {
		pkt_put(p);
		return;
	}
	if (p->dir == DIR_DOWN && is_stopped(p->flow)) {
		tcp_tap_lost_before(p);
		pkt_put(p);
		return;
	}
	p->tap_ns = w->sim.now_ns;
	tcp_tap_see(p);
	tcp_wire_emit(p);
	if (p->dir == DIR_UP && refuse(w, &p->flow->l2, &p->flow->client_addr) &&
	    p->flags & TCP_SYN)
		p->flow->client_gone = true; /* its stack gives up at once */
	maybe_duplicate(p);
	if (!send_from_tap(p, &arrive_ns)) {
		tcp_tap_lost_after(p);
		pkt_put(p);
		return;
	}
	tcp_tap_passed(p);
	sim_at(&w->sim, arrive_ns, on_receive, p);
}

static void send_to_tap(struct tcp_pkt *p, struct link *l)
{
	struct tcp_flow *f = p->flow;
	struct sim *s = &f->world->sim;
	uint64_t arrive_ns;

	if (!link_send(l, tcp_wire_bytes(p), s->now_ns, &arrive_ns)) {
		tcp_tap_lost_before(p);
		pkt_put(p);
		return;
	}
	if (p->kind == KIND_DATA && p->length && rng_chance(&f->rng, f->reorder))
		arrive_ns += (uint64_t)rng_range(&f->rng, REORDER_DELAY_MIN, REORDER_DELAY_MAX);
	sim_at(s, arrive_ns, on_tap, p);
}

static void take_sample(struct tcp_pkt *p, const struct link *way_back)
{
	struct tcp_flow *f = p->flow;
	uint64_t back_ns = link_probe(way_back, p->length, f->world->sim.now_ns);
	/* the way back of a downstream segment is upstream */
	bool access = p->dir == DIR_UP;

	samples_add(&f->tap[!p->dir].rtt, back_ns - p->tap_ns);
	if (f->line->keep_samples)
		samples_add(access ? &f->line->rtt_access : &f->line->rtt_internet,
			    back_ns - p->tap_ns);
	pkt_put(p);
}

/* At the CPE on the way up, or at the server on the way down. */
static void on_first_hop(void *arg)
{
	struct tcp_pkt *p = arg;
	struct tcp_flow *f = p->flow;
	struct link *l = p->dir == DIR_UP ? &f->line->access[DIR_UP] : &f->core[DIR_DOWN];

	if (f->aborted)
		pkt_put(p);
	else if (p->kind == KIND_RTT_PROBE)
		take_sample(p, l);
	else
		send_to_tap(p, l);
}

void tcp_pkt_send(struct tcp_pkt *p)
{
	struct tcp_flow *f = p->flow;
	struct sim *s = &f->world->sim;
	const struct link *home = &f->line->home[DIR_UP];

	if (p->dir == DIR_UP && home->delay_ns + home->jitter_ns > 0)
		sim_at(s, link_probe(home, 0, s->now_ns), on_first_hop, p);
	else
		on_first_hop(p);
}

static void app_continue(struct tcp_flow *f)
{
	struct tcp_end *client = &f->end[DIR_UP];
	const struct tcp_exchange *x = &f->exchanges[f->exchange];

	if (f->exchange < f->n_exchanges)
		alarm_set(&client->app, tcp_now(client) + x->think_ns);
	else if (f->close == CLOSE_BY_CLIENT || f->close == CLOSE_BY_RESET)
		alarm_set(&client->app, tcp_now(client) + f->close_ns);
}

static void client_acts(struct tcp_flow *f)
{
	struct tcp_end *client = &f->end[DIR_UP];

	if (f->exchange < f->n_exchanges) {
		uint32_t bytes = f->exchanges[f->exchange].request_bytes;

		f->request_end = client->written + bytes;
		f->request_sent = true;
		tcp_write(client, bytes);
	} else if (f->close == CLOSE_BY_RESET) {
		f->reset_sent = true;
		send_reset(client, TCP_RST | TCP_ACK);
	} else {
		client->fin_wanted = true;
		tcp_send_more(client);
	}
}

static void server_acts(struct tcp_flow *f)
{
	struct tcp_end *server = &f->end[DIR_DOWN];
	bool last = f->exchange + 1 >= f->n_exchanges && f->close == CLOSE_BY_SERVER;
	uint32_t bytes;

	if (!f->request_sent) { /* the response is long gone: time to close */
		server->fin_wanted = true;
		tcp_send_more(server);
		return;
	}
	bytes = f->exchanges[f->exchange].response_bytes;
	f->request_sent = false;
	f->response_sent = true;
	f->response_end = server->written + bytes;
	server->fin_wanted = last && !f->close_ns;
	tcp_write(server, bytes);
	if (last && f->close_ns)
		alarm_set(&server->app, tcp_now(server) + f->close_ns);
}

static void app_alarm(void *end)
{
	struct tcp_end *e = end;

	if (e->flow->done || (e->flow->client_gone && e->dir == DIR_UP))
		return;
	if (e->stalled_until_ns) {
		e->stalled_until_ns = 0;
		tcp_app_read(e);
		if (!e->flow->done)
			tcp_send_ack(e); /* opens the window again */
	} else if (e->dir == DIR_UP) {
		client_acts(e->flow);
	} else {
		server_acts(e->flow);
	}
}

void tcp_app_read(struct tcp_end *e)
{
	struct tcp_flow *f = e->flow;

	e->read += e->buffered;
	e->buffered = 0;
	if (e->dir == DIR_DOWN && f->request_sent && e->read >= f->request_end && !e->app.at_ns) {
		uint64_t wait = f->exchanges[f->exchange].server_ns;

		alarm_set(&e->app, tcp_now(e) + wait);
	} else if (e->dir == DIR_UP && f->response_sent && e->read >= f->response_end) {
		f->response_sent = false;
		f->exchange++;
		app_continue(f);
	}
}

void tcp_established(struct tcp_end *e)
{
	e->state = TCP_ESTABLISHED;
	e->una = e->nxt = e->written = 1;
	e->back_off = 0;
	alarm_clear(&e->rto);
	if (e->dir == DIR_UP)
		app_continue(e->flow);
}

static void release(struct tcp_flow *f)
{
	f->done = true;
	for (int d = 0; d < 2; d++) {
		tcp_send_fini(&f->end[d]);
		tcp_recv_fini(&f->end[d]);
		alarm_clear(&f->end[d].rto);
		alarm_clear(&f->end[d].delayed_ack);
		alarm_clear(&f->end[d].app);
		alarm_clear(&f->end[d].keepalive);
	}
	free(f->exchanges);
	f->exchanges = NULL;
}

void tcp_check_done(struct tcp_flow *f)
{
	if (!f->done && f->end[DIR_UP].fin_acked && f->end[DIR_DOWN].fin_acked)
		release(f);
}

void tcp_flow_reset(struct tcp_flow *f)
{
	if (!f->done)
		release(f);
}

void tcp_flow_abort(struct tcp_flow *f)
{
	f->aborted = true;
	tcp_flow_reset(f);
}

static void end_init(struct tcp_flow *f, enum dir dir, const struct tcp_host *host)
{
	struct tcp_end *e = &f->end[dir];
	struct sim *s = &f->world->sim;

	e->flow = f;
	e->dir = dir;
	e->host = *host;
	e->isn = (uint32_t)rng_next(&f->rng);
	if (rng_chance(&f->rng, 0.05)) /* soon to wrap */
		e->isn = UINT32_MAX - (uint32_t)rng_below(&f->rng, 100000);
	e->ip_id = (uint16_t)rng_next(&f->rng);
	e->read = 1;
	tcp_send_init(e);
	tcp_recv_init(e);
	alarm_init(&e->rto, s, tcp_rto_alarm, e);
	alarm_init(&e->delayed_ack, s, tcp_delayed_ack_alarm, e);
	alarm_init(&e->app, s, app_alarm, e);
	alarm_init(&e->keepalive, s, tcp_keepalive_alarm, e);
}

static void agree(struct tcp_flow *f, const struct tcp_host *a, const struct tcp_host *b)
{
	f->timestamps = a->timestamp_hz && b->timestamp_hz;
	f->sack = a->sack && b->sack;
	f->window_scaling = a->window_scale && b->window_scale;
	f->mss = (uint16_t)((a->mss < b->mss ? a->mss : b->mss) - (f->timestamps ? 12 : 0));
}

/* A connection that is older than the capture: both ends know each other and were idle. */
static void resume(struct tcp_flow *f)
{
	for (int d = 0; d < 2; d++) {
		struct tcp_end *e = &f->end[d];

		e->state = TCP_ESTABLISHED;
		e->una = e->nxt = e->written = e->rcv_nxt = e->last_ack_sent = 1;
		e->window_end = 1 + UINT16_MAX;
		e->srtt_ns = MID_STREAM_RTT_NS;
		e->rttvar_ns = MID_STREAM_RTT_NS / 4;
		e->cwnd = 10 + (double)rng_below(&f->rng, 30);
		e->quick_acks = 0;
		e->ts_recent = f->end[!d].host.timestamp_base;
	}
	app_continue(f);
}

static void remember(struct world *w, struct tcp_flow *f)
{
	if (w->n_flows == w->flows_capacity) {
		w->flows_capacity = w->flows_capacity ? 2 * w->flows_capacity : 64;
		w->flows = mem_grow(w->flows, w->flows_capacity, sizeof(*w->flows));
	}
	f->number = w->n_flows;
	w->flows[w->n_flows++] = f;
}

struct tcp_flow *tcp_flow_start(struct world *w, struct tcp_plan *plan)
{
	struct tcp_flow *f = mem_new(1, sizeof(*f));

	remember(w, f);
	f->world = w;
	f->line = plan->line;
	f->l2 = plan->line->l2;
	f->rng = rng_make(w->options->seed, RNG_FLOW, f->number);
	f->client_addr = plan->client_addr;
	f->server_addr = plan->server_addr;
	f->client_port = plan->client_port;
	f->server_port = plan->server_port;
	f->core[DIR_DOWN] = plan->core[DIR_DOWN];
	f->core[DIR_UP] = plan->core[DIR_UP];
	f->reorder = plan->reorder;
	f->exchanges = plan->exchanges;
	f->n_exchanges = plan->n_exchanges;
	f->close = plan->close;
	f->close_ns = plan->close_ns;
	f->mid_stream = plan->mid_stream;
	f->start_ns = w->sim.now_ns;
	agree(f, &plan->client, &plan->server);
	end_init(f, DIR_UP, &plan->client);
	end_init(f, DIR_DOWN, &plan->server);
	f->end[DIR_UP].stall_at = f->end[DIR_DOWN].stall_at = plan->stall_at;
	f->end[DIR_UP].stall_ns = f->end[DIR_DOWN].stall_ns = plan->stall_ns;
	if (plan->mid_stream) {
		resume(f);
	} else {
		f->end[DIR_UP].state = TCP_SYN_SENT;
		tcp_send_syn(&f->end[DIR_UP]);
	}
	return f;
}

struct tcp_flow *tcp_flow_free(struct tcp_flow *f)
{
	if (!f)
		return NULL;
	release(f);
	samples_fini(&f->tap[DIR_DOWN].rtt);
	samples_fini(&f->tap[DIR_UP].rtt);
	free(f);
	return NULL;
}
