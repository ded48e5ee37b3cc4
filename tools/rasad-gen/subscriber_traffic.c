/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What the household does while the session is up: it looks up names, fetches pages, uploads,
 * pings, and talks over UDP. Requests that go unanswered are forgotten, except by TCP.
 */
#include <stdlib.h>
#include <string.h>

#include "tools/rasad-gen/mem.h"
#include "tools/rasad-gen/profile.h"
#include "tools/rasad-gen/refuse.h"
#include "tools/rasad-gen/subscriber.h"

#define PING_NS	       (5 * NS_PER_S)
#define SERVER_NS      (200 * NS_PER_US)
#define DGRAM_MAX      220
#define FRAME_OVERHEAD 30
#define VOICE_PACKETS  25
#define VOICE_GAP_NS   (20 * NS_PER_MS)
#define VOICE_BYTES    160
#define ASK_AGAIN_NS   (5 * NS_PER_S)
#define ASK_TIMES      3

enum dgram_kind { DGRAM_DNS, DGRAM_PING, DGRAM_VOICE, DGRAM_ADVERTISEMENT };

/* A datagram that is asked by the device and answered by the far end. */
struct dgram {
	struct subscriber *sub;
	struct l2 l2;
	enum dgram_kind kind;
	enum far far;
	enum dir dir;
	struct ip_addr server;
	uint16_t client_port, server_port, ip_id;
	uint16_t n;
	uint8_t payload[DGRAM_MAX];
	uint64_t tap_ns; /* of the question */
};

static uint64_t now(const struct subscriber *s)
{
	return s->world->sim.now_ns;
}

static void at_tap(void *arg);

static struct dgram *stop_asking(struct subscriber *s)
{
	alarm_clear(&s->again);
	free(s->question);
	return NULL;
}

static bool session_alive(const struct dgram *d)
{
	return bras_session(d->sub, d->l2.pppoe_session_id);
}

static void fetch_after_lookup(struct subscriber *s);

/* The resolver says that it can, and nobody has said so before. */
static bool looked_up(const struct dgram *d)
{
	struct subscriber *s = d->sub;
	bool asked = s->question && !memcmp(s->question->payload, d->payload, 2);

	if (s->asks_again && !asked)
		return false;
	if (asked)
		s->question = stop_asking(s);
	return (d->payload[3] & 15) == 0;
}

static void at_device(void *arg)
{
	struct dgram *d = arg;
	struct subscriber *s = d->sub;
	bool ours = s->cpe.state == CPE_UP && s->cpe.session_id == d->l2.pppoe_session_id;

	if (ours && d->kind == DGRAM_DNS && looked_up(d))
		fetch_after_lookup(s);
	free(d);
}

static void answer_dns(struct dgram *d)
{
	bool servfail = outage_is(&d->sub->world->outage, OUTAGE_SERVFAIL);

	static const uint8_t answer[] = {0xc0, 12, 0, 1, 0, 1, 0, 0, 0, 60, 0, 4, 203, 0, 113, 10};

	d->payload[2] = 0x81; /* response, recursion */
	d->payload[3] = 0x80;
	if (servfail) {
		d->payload[3] |= 2;
		return;
	}
	d->payload[7] = 1; /* one answer */
	memcpy(d->payload + d->n, answer, sizeof(answer));
	d->n += sizeof(answer);
}

static void at_server(void *arg)
{
	struct dgram *d = arg;
	struct link *back = &d->sub->far[d->far][DIR_DOWN];
	uint64_t arrive_ns;

	d->dir = DIR_DOWN;
	if (d->kind == DGRAM_DNS && outage_is(&d->sub->world->outage, OUTAGE_DNS)) {
		free(d);
		return;
	}
	if (d->kind == DGRAM_DNS)
		answer_dns(d);
	else if (d->kind == DGRAM_PING)
		d->payload[0] = 0; /* echo reply */
	if (link_send(back, d->n + FRAME_OVERHEAD, now(d->sub) + SERVER_NS, &arrive_ns))
		sim_at_owned(&d->sub->world->sim, arrive_ns, at_tap, d);
	else
		free(d);
}

static void emit(struct dgram *d)
{
	struct world *w = d->sub->world;
	struct frame *f = world_frame(w);
	const struct line *l = d->sub->line;
	struct ip_addr client = d->server.v6 ? l->ipv6 : l->ipv4;
	bool down = d->dir == DIR_DOWN;
	size_t ip_bytes = frame_ip_bytes(d->server.v6);
	struct ip_header ip = {
		.source = down ? d->server : client,
		.destination = down ? client : d->server,
		.protocol = IP_UDP,
		.id = d->ip_id,
		.ttl = down ? 57 : 63,
	};

	if (d->kind == DGRAM_PING) {
		ip.protocol = IP_ICMP;
		frame_begin_ip(f, &d->l2, d->dir, false, ip_bytes + d->n);
		frame_icmp(f, &ip, d->payload, d->n);
	} else {
		frame_begin_ip(f, &d->l2, d->dir, d->server.v6, ip_bytes + 8 + d->n);
		frame_udp(f, &ip, down ? d->server_port : d->client_port,
			  down ? d->client_port : d->server_port, d->payload, d->n);
	}
	world_emit(w, d->dir);
}

static void sample(struct dgram *d)
{
	uint64_t rtt_ns = now(d->sub) - d->tap_ns;

	if (d->kind == DGRAM_DNS)
		samples_add(&d->sub->rtt_dns, rtt_ns);
	else if (d->kind == DGRAM_PING)
		samples_add(&d->sub->rtt_icmp, rtt_ns);
}

static bool is_stopped(const struct world *w)
{
	return outage_cuts_internet(&w->outage) || outage_stops_bras(&w->outage);
}

static void pass_up(struct dgram *d)
{
	struct subscriber *s = d->sub;
	uint64_t arrive_ns;

	d->tap_ns = s->line->last_up_ns = now(s);
	if (!is_stopped(s->world) &&
	    link_send(&s->far[d->far][DIR_UP], d->n + FRAME_OVERHEAD, now(s), &arrive_ns))
		sim_at_owned(&s->world->sim, arrive_ns, at_server, d);
	else
		free(d);
}

static void pass_down(struct dgram *d)
{
	struct subscriber *s = d->sub;
	uint64_t at_cpe, arrive_ns;

	sample(d);
	if (link_send(&s->line->access[DIR_DOWN], d->n + FRAME_OVERHEAD, now(s), &at_cpe) &&
	    link_send(&s->line->home[DIR_DOWN], d->n, at_cpe, &arrive_ns))
		sim_at_owned(&s->world->sim, arrive_ns, at_device, d);
	else
		free(d);
}

static void at_tap(void *arg)
{
	struct dgram *d = arg;

	if (d->dir == DIR_DOWN && (is_stopped(d->sub->world) || !session_alive(d))) {
		free(d); /* the BRAS has no route for it any more */
		return;
	}
	emit(d);
	if (d->dir == DIR_UP)
		refuse(d->sub->world, &d->l2,
		       d->server.v6 ? &d->sub->line->ipv6 : &d->sub->line->ipv4);
	if (d->dir == DIR_UP)
		pass_up(d);
	else
		pass_down(d);
}

static void at_cpe(void *arg)
{
	struct dgram *d = arg;
	struct subscriber *s = d->sub;
	uint64_t arrive_ns;

	if (link_send(&s->line->access[DIR_UP], d->n + FRAME_OVERHEAD, now(s), &arrive_ns))
		sim_at_owned(&s->world->sim, arrive_ns, at_tap, d);
	else
		free(d);
}

static struct dgram *dgram_new(struct subscriber *s, enum dgram_kind kind, enum far far)
{
	static const uint32_t servers[] = {0xcb00710a, 0xc6336414, 0xc0000235};
	struct dgram *d = mem_new(1, sizeof(*d));

	d->sub = s;
	d->l2 = s->line->l2;
	d->kind = kind;
	d->far = far;
	d->dir = DIR_UP;
	d->server = profile_ipv4(servers[far]);
	d->client_port = profile_port(s->line);
	d->ip_id = (uint16_t)rng_next(&s->rng);
	return d;
}

static void dgram_send(struct dgram *d)
{
	struct subscriber *s = d->sub;

	sim_at_owned(&s->world->sim, link_probe(&s->line->home[DIR_UP], 0, now(s)), at_cpe, d);
}

static void put(struct dgram *d, const void *data, size_t n)
{
	memcpy(d->payload + d->n, data, n);
	d->n += (uint16_t)n;
}

/* A client that gets no answer asks its resolver again, twice. */
static void again(void *subscriber)
{
	struct subscriber *s = subscriber;
	struct dgram *d;

	if (s->asked == ASK_TIMES) {
		s->question = stop_asking(s);
		return;
	}
	s->asked++;
	d = mem_new(1, sizeof(*d));
	*d = *s->question;
	dgram_send(d);
	alarm_set(&s->again, now(s) + ASK_AGAIN_NS);
}

static void ask(struct subscriber *s, const struct dgram *d)
{
	stop_asking(s);
	s->question = mem_new(1, sizeof(*d));
	*s->question = *d;
	s->asked = 1;
	alarm_set(&s->again, now(s) + ASK_AGAIN_NS);
}

static void look_up(struct subscriber *s)
{
	static const uint8_t question[] = "\0\0\1\0\0\1\0\0\0\0\0\0\5site0\4test\0\0\1\0";
	struct dgram *d = dgram_new(s, DGRAM_DNS, FAR_RESOLVER);

	put(d, question, sizeof(question)); /* the final zero belongs to class IN */
	d->payload[0] = (uint8_t)rng_next(&s->rng);
	d->payload[1] = (uint8_t)rng_next(&s->rng);
	d->payload[17] = (uint8_t)('0' + rng_below(&s->rng, 10));
	d->payload[d->n - 1] = 1;
	d->server_port = 53;
	if (s->asks_again)
		ask(s, d);
	dgram_send(d);
}

static void ping(void *subscriber)
{
	struct subscriber *s = subscriber;
	struct dgram *d = dgram_new(s, DGRAM_PING, FAR_DISTANT);

	s->ping_seq++;
	d->n = 64;
	d->payload[0] = 8;
	d->payload[4] = (uint8_t)(s->ping_id >> 8);
	d->payload[5] = (uint8_t)s->ping_id;
	d->payload[6] = (uint8_t)(s->ping_seq >> 8);
	d->payload[7] = (uint8_t)s->ping_seq;
	dgram_send(d);
	alarm_set(&s->ping, now(s) + PING_NS);
}

static void say(void *arg)
{
	dgram_send(arg);
}

static void talk(struct subscriber *s)
{
	uint16_t port = profile_port(s->line);

	for (unsigned i = 0; i < VOICE_PACKETS; i++) {
		struct dgram *d = dgram_new(s, DGRAM_VOICE, FAR_NEAR);

		d->client_port = port;
		d->server_port = 5004;
		d->n = VOICE_BYTES;
		sim_at_owned(&s->world->sim, now(s) + i * VOICE_GAP_NS, say, d);
	}
}

static void plan_core(struct tcp_plan *p, struct subscriber *s, enum far far)
{
	static const uint32_t servers[] = {0xcb00710a, 0xc6336414};
	uint32_t host = (uint32_t)rng_below(&s->rng, 4);

	p->server_addr = p->client_addr.v6 ? (struct ip_addr){
		.v6 = true,
		.byte = {0x20, 0x01, 0x0d, 0xb8, 0xff, 0xff, 0, 0, 0, 0, 0, 0, 0, 0, (uint8_t)far,
			 (uint8_t)(16 + host)},
	} : profile_ipv4(servers[far] + host);
	p->server_port = rng_chance(&s->rng, 0.8) ? 443 : 80;
	for (int d = 0; d < 2; d++) {
		link_init(&p->core[d], s->world->options->seed ^ 0xc04e,
			  2 * (uint64_t)s->world->n_flows + (unsigned)d);
		p->core[d].delay_ns = s->far[far][d].delay_ns;
		p->core[d].jitter_ns = s->far[far][d].jitter_ns;
	}
	p->core[DIR_DOWN].ns_per_byte = 8000.0 / 200;
	p->core[DIR_DOWN].queue_limit_ns = 40 * NS_PER_MS;
	p->core[DIR_DOWN].loss = s->loss_internet_down;
	p->core[DIR_UP].loss = s->loss_internet_up;
}

static void fetch_after_lookup(struct subscriber *s)
{
	bool upload = rng_chance(&s->rng, 0.15), v6 = s->ipv6 && rng_chance(&s->rng, 0.5);
	double bytes = rng_lognormal(&s->rng, upload ? 15e3 : 40e3, 0.8);
	struct tcp_plan p = {
		.line = s->line,
		.client_addr = v6 ? s->line->ipv6 : s->line->ipv4,
		.client_port = profile_port(s->line),
		.client = profile_client(&s->rng, v6),
		.server = profile_server(&s->rng, v6),
		.n_exchanges = 1 + (uint32_t)rng_below(&s->rng, 2),
		.close = rng_chance(&s->rng, 0.6) ? CLOSE_BY_SERVER : CLOSE_BY_CLIENT,
	};

	p.client.mss = v6 ? 1432 : 1452;
	plan_core(&p, s, rng_chance(&s->rng, 0.5) ? FAR_NEAR : FAR_DISTANT);
	p.exchanges = mem_new(p.n_exchanges, sizeof(*p.exchanges));
	for (uint32_t i = 0; i < p.n_exchanges; i++)
		p.exchanges[i] = (struct tcp_exchange){
			.think_ns = i ? (uint64_t)(rng_exponential(&s->rng, 0.3) * 1e9) : 0,
			.server_ns = (uint64_t)(rng_lognormal(&s->rng, 4, 0.7) * 1e6),
			.request_bytes =
				upload ? (uint32_t)bytes : 120 + (uint32_t)rng_below(&s->rng, 500),
			.response_bytes = upload ? 200 : (uint32_t)bytes,
		};
	tcp_flow_start(s->world, &p);
}

static void act(void *subscriber)
{
	struct subscriber *s = subscriber;

	if (rng_chance(&s->rng, 0.88))
		look_up(s); /* and fetch when the answer comes */
	else
		talk(s);
	alarm_set(&s->traffic, now(s) + (uint64_t)(rng_exponential(&s->rng, s->pause_s) * 1e9));
}

void traffic_init(struct subscriber *s)
{
	static const double one_way_ms[] = {4, 20, 1};

	for (int f = 0; f < 3; f++)
		for (int d = 0; d < 2; d++) {
			uint64_t number = 6 * (uint64_t)s->line->number + (uint64_t)(2 * f + d);

			link_init(&s->far[f][d], s->world->options->seed ^ 0xfa4, number);
			s->far[f][d].delay_ns = one_way_ms[f] * 1e6;
			s->far[f][d].jitter_ns = 0.3e6;
		}
	s->ping_id = (uint16_t)rng_next(&s->rng);
	alarm_init(&s->traffic, &s->world->sim, act, s);
	alarm_init(&s->ping, &s->world->sim, ping, s);
	alarm_init(&s->again, &s->world->sim, again, s);
}

void traffic_start(struct subscriber *s)
{
	s->line->l2.pppoe_session_id = s->cpe.session_id;
	if (s->sleeps)
		return;
	alarm_set(&s->traffic, now(s) + (uint64_t)(rng_exponential(&s->rng, 2) * 1e9));
	if (s->line->number % 3 == 0)
		alarm_set(&s->ping, now(s) + rng_below(&s->rng, PING_NS));
}

void traffic_stop(struct subscriber *s)
{
	struct world *w = s->world;

	alarm_clear(&s->traffic);
	alarm_clear(&s->ping);
	s->question = stop_asking(s);
	for (uint32_t i = 0; i < w->n_flows; i++)
		if (w->flows[i]->line == s->line)
			w->flows[i]->client_gone = true;
}

void traffic_abort_session(struct subscriber *s, uint16_t session_id)
{
	struct world *w = s->world;

	for (uint32_t i = 0; i < w->n_flows; i++)
		if (w->flows[i]->line == s->line && w->flows[i]->l2.pppoe_session_id == session_id)
			tcp_flow_abort(w->flows[i]);
}

void traffic_router_advertisement(struct subscriber *s)
{
	struct world *w = s->world;
	struct frame *f = world_frame(w);
	struct l2 l2 = s->line->l2;
	struct ip_header ip = {
		.source = {.v6 = true, .byte = {0xfe, 0x80, [11] = 0xff, 0xfe, 0, 0, 1}},
		.destination = {.v6 = true, .byte = {0xff, 2, [15] = 1}},
		.protocol = IP_ICMPV6,
		.ttl = 255,
	};
	/* hop limit 64, lifetime 1800 s; one /64 prefix for address configuration */
	uint8_t ra[48] = {134, 0,    0, 0, 64,	 0,    7, 8, [16] = 3, 4,
			  64,  0xc0, 0, 0, 0x0e, 0x10, 0, 0, 7,	       8};

	memcpy(ra + 32, s->line->ipv6.byte, 8);
	l2.pppoe_session_id = s->sessions->id;
	frame_begin_ip(f, &l2, DIR_DOWN, true, 40 + sizeof(ra));
	frame_icmp(f, &ip, ra, sizeof(ra));
	world_emit(w, DIR_DOWN);
}
