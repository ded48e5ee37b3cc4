/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The BRAS's side of one line: PPPoE server, LCP, authentication, address, and the echoes that tell
 * it when a line is gone. Its RADIUS server exists only as a delay.
 */
#include <stdlib.h>
#include <string.h>

#include "tools/rasad-gen/mem.h"
#include "tools/rasad-gen/subscriber.h"

#define AC_NAME	      "BRAS-GEN-1"
#define RESTART_NS    (3 * NS_PER_S)
#define MAX_RESTARTS  8
#define ECHO_NS	      (10 * NS_PER_S)
#define ECHO_FAILURES 3
#define RADIUS_NS     (3 * NS_PER_S) /* it is asked so often, when it is silent */
#define RADIUS_TRIES  4

enum {
	LCP_MRU = 1,
	LCP_AUTH = 3,
	LCP_MAGIC = 5,
	IPCP_ADDRESS = 3,
	IPCP_DNS1 = 129,
	IPCP_DNS2 = 131
};

static const uint8_t bras_address[4] = {100, 64, 0, 1};
static const uint8_t dns_address[2][4] = {{192, 0, 2, 53}, {192, 0, 2, 54}};

static uint64_t now(const struct subscriber *s)
{
	return s->world->sim.now_ns;
}

static void send(struct session *b, enum ppp_protocol protocol, const uint8_t head[2],
		 const void *data, size_t n)
{
	msg_ppp(msg_new(b->sub, DIR_DOWN), protocol, b->id, head, data, n);
}

struct session *bras_session(struct subscriber *s, uint16_t id)
{
	for (struct session *b = s->sessions; b; b = b->next)
		if (b->id == id)
			return b->alive ? b : NULL;
	return NULL;
}

void bras_note_down(struct subscriber *s, const char *cause, const char *event)
{
	struct session *b = s->sessions;

	if (!b || b->down_ns || !b->alive)
		return;
	b->down_ns = now(s);
	b->cause = cause;
	b->event = event;
}

static void send_padt(struct session *b, const char *error)
{
	struct ppp_msg *m = msg_new(b->sub, DIR_DOWN);

	msg_tag(m, 0x0102, AC_NAME, strlen(AC_NAME));
	if (error)
		msg_tag(m, 0x0203, error, strlen(error));
	msg_discovery(m, PADT, b->id);
}

/* Forgets a session; what the network still has for it is not delivered any more. */
static void end_session(struct session *b, const char *cause, const char *event)
{
	struct subscriber *s = b->sub;

	if (!b->down_ns) {
		b->down_ns = now(s);
		b->cause = cause;
		b->event = event;
	}
	if (!b->last_up_ns)
		b->last_up_ns = s->line->last_up_ns;
	b->end_ns = now(s);
	b->alive = false;
	alarm_clear(&b->restart);
	alarm_clear(&b->echo);
	alarm_clear(&b->radius);
	traffic_abort_session(s, b->id);
}

static void hang_up(struct session *b, const char *cause, const char *event, const char *error)
{
	send(b, PPP_LCP, (uint8_t[]){TERM_REQ, ++b->next_id}, error ? error : "",
	     error ? strlen(error) : 0);
	send_padt(b, error);
	end_session(b, cause, event);
}

static void send_lcp_request(struct session *b)
{
	uint8_t options[32];
	size_t n = 0;

	if (b->use_pap)
		msg_options(options, &n, LCP_AUTH, (uint8_t[]){0xc0, 0x23}, 2);
	else
		msg_options(options, &n, LCP_AUTH, (uint8_t[]){0xc2, 0x23, 5}, 3);
	msg_options(options, &n, LCP_MRU, (uint8_t[]){PPP_MTU >> 8, PPP_MTU & 0xff}, 2);
	msg_options(options, &n, LCP_MAGIC, &b->magic, 4);
	send(b, PPP_LCP, (uint8_t[]){CONF_REQ, ++b->next_id}, options, n);
}

static void send_challenge(struct session *b)
{
	uint8_t data[17 + sizeof(AC_NAME)] = {16};

	for (int i = 1; i <= 16; i++)
		data[i] = (uint8_t)rng_next(&b->sub->rng);
	memcpy(data + 17, AC_NAME, strlen(AC_NAME));
	send(b, PPP_CHAP, (uint8_t[]){CHAP_CHALLENGE, 1}, data, 17 + strlen(AC_NAME));
}

static void send_ncp_requests(struct session *b)
{
	static const uint8_t interface_id[8] = {0, 0, 0, 0xff, 0xfe, 0, 0, 1};
	uint8_t options[16];
	size_t n = 0;

	msg_options(options, &n, IPCP_ADDRESS, bras_address, 4);
	send(b, PPP_IPCP, (uint8_t[]){CONF_REQ, ++b->next_id}, options, n);
	if (!b->sub->ipv6)
		return;
	n = 0;
	msg_options(options, &n, 1, interface_id, 8);
	send(b, PPP_IPV6CP, (uint8_t[]){CONF_REQ, ++b->next_id}, options, n);
}

static void restart(void *session)
{
	struct session *b = session;

	if (!b->alive || b->up_ns)
		return;
	if (outage_stops_bras(&b->sub->world->outage)) {
		alarm_set(&b->restart, now(b->sub) + RESTART_NS);
		return;
	}
	if (++b->restarts > MAX_RESTARTS) {
		hang_up(b, "LINE_LOST", "setup-timeout", NULL);
		return;
	}
	alarm_set(&b->restart, now(b->sub) + RESTART_NS);
	if (!b->lcp_open) {
		if (!b->lcp_mine)
			send_lcp_request(b);
	} else if (!b->authenticated) {
		if (!b->use_pap)
			send_challenge(b);
	} else if (!b->ip_mine) {
		send_ncp_requests(b);
	}
}

static void echo_tick(void *session)
{
	struct session *b = session;

	if (!b->alive)
		return;
	if (outage_stops_bras(&b->sub->world->outage)) {
		alarm_set(&b->echo, now(b->sub) + ECHO_NS);
		return;
	}
	if (b->echo_waiting && ++b->missed >= ECHO_FAILURES) {
		bool talks = rng_chance(&b->sub->rng, 0.5);

		hang_up(b, "LINE_LOST", "echo-timeout", talks ? "LCP keepalive timeout" : NULL);
		return;
	}
	b->echo_waiting = true;
	send(b, PPP_LCP, (uint8_t[]){ECHO_REQ, ++b->echo_id}, &b->magic, 4);
	alarm_set(&b->echo, now(b->sub) + ECHO_NS);
}

static void radius_answered(void *session);

static void lcp_maybe_open(struct session *b)
{
	if (!b->lcp_mine || !b->lcp_peer || b->lcp_open)
		return;
	b->lcp_open = true;
	b->restarts = 0;
	alarm_set(&b->restart, now(b->sub) + RESTART_NS);
	alarm_set(&b->echo, now(b->sub) + 1 + rng_below(&b->sub->rng, ECHO_NS));
	if (!b->use_pap)
		send_challenge(b);
}

static void maybe_up(struct session *b)
{
	if (!b->ip_mine || !b->ip_peer || b->up_ns)
		return;
	b->up_ns = now(b->sub);
	alarm_clear(&b->restart);
	/* the address now belongs to this session: what runs in an older one is over */
	for (struct session *old = b->next; old; old = old->next)
		traffic_abort_session(b->sub, old->id);
	if (b->sub->ipv6)
		traffic_router_advertisement(b->sub);
}

static void send_padx(struct subscriber *s, uint8_t code, uint16_t session_id)
{
	struct ppp_msg *m = msg_new(s, DIR_DOWN);
	uint8_t cookie[16];

	memset(cookie, 0xc0, sizeof(cookie));
	msg_tag(m, 0x0102, AC_NAME, strlen(AC_NAME));
	msg_tag(m, 0x0101, "", 0);
	if (code == PADO)
		msg_tag(m, 0x0104, cookie, sizeof(cookie));
	msg_tag(m, 0x0103, &s->cpe.host_uniq, 4);
	msg_discovery(m, code, session_id);
}

static void new_session(struct subscriber *s)
{
	struct session *b = mem_new(1, sizeof(*b)), *old = s->sessions;

	if (old && old->alive && !old->last_up_ns)
		old->last_up_ns = s->line->last_up_ns;
	b->next = old;
	s->sessions = b;
	b->sub = s;
	b->id = ++s->world->last_session_id;
	b->alive = true;
	b->pads_ns = now(s);
	b->magic = (uint32_t)rng_next(&s->rng);
	alarm_init(&b->restart, &s->world->sim, restart, b);
	alarm_init(&b->echo, &s->world->sim, echo_tick, b);
	alarm_init(&b->radius, &s->world->sim, radius_answered, b);
	send_padx(s, PADS, b->id);
	alarm_set(&b->restart, now(s) + (uint64_t)rng_range(&s->rng, 3e6, 10e6));
}

static void receive_discovery(struct subscriber *s, const struct ppp_msg *m)
{
	struct session *b = bras_session(s, m->session_id);

	if (m->pppoe_code == PADI) {
		/* dead air before this is the old session's last word */
		if (s->sessions && s->sessions->alive && !s->sessions->last_up_ns)
			s->sessions->last_up_ns = s->previous_up_ns;
		send_padx(s, PADO, 0);
	} else if (m->pppoe_code == PADR) {
		if (s->sessions && s->sessions->alive && !s->sessions->lcp_mine &&
		    !s->sessions->lcp_peer)
			send_padx(s, PADS, s->sessions->id); /* our PADS was lost */
		else
			new_session(s);
	} else if (m->pppoe_code == PADT && b) {
		end_session(b, "CPE_TERM", "cpe-terminate");
	}
}

static void lcp_nak(struct session *b, const struct ppp_msg *m)
{
	if (m->n >= 8 && m->body[4] == LCP_AUTH)
		b->use_pap = m->body[6] == 0xc0;
	send_lcp_request(b);
}

static void receive_lcp(struct session *b, const struct ppp_msg *m)
{
	switch (m->body[0]) {
	case CONF_REQ:
		send(b, PPP_LCP, (uint8_t[]){CONF_ACK, m->body[1]}, m->body + 4, m->n - 4u);
		b->lcp_peer = true;
		lcp_maybe_open(b);
		break;
	case CONF_ACK:
		b->lcp_mine = true;
		lcp_maybe_open(b);
		break;
	case CONF_NAK:
		lcp_nak(b, m);
		break;
	case TERM_REQ:
		send(b, PPP_LCP, (uint8_t[]){TERM_ACK, m->body[1]}, "", 0);
		end_session(b, "CPE_TERM", "cpe-terminate");
		break;
	case ECHO_REQ:
		send(b, PPP_LCP, (uint8_t[]){ECHO_REP, m->body[1]}, &b->magic, 4);
		break;
	case ECHO_REP:
		b->echo_waiting = false;
		b->missed = 0;
		break;
	}
}

static void accept(struct session *b)
{
	static const char hello[] = "Authentication succeeded";

	if (b->use_pap) {
		uint8_t data[sizeof(hello)] = {sizeof(hello) - 1};

		memcpy(data + 1, hello, sizeof(hello) - 1);
		send(b, PPP_PAP, (uint8_t[]){PAP_ACK, b->auth_id}, data, sizeof(hello));
	} else {
		send(b, PPP_CHAP, (uint8_t[]){CHAP_SUCCESS, b->auth_id}, hello, sizeof(hello) - 1);
	}
	b->authenticated = true;
	b->restarts = 0;
	send_ncp_requests(b);
	alarm_set(&b->restart, now(b->sub) + RESTART_NS);
}

static void reject(struct session *b)
{
	static const char no[] = "Authentication failed";
	uint8_t data[sizeof(no)] = {sizeof(no) - 1};

	memcpy(data + 1, no, sizeof(no) - 1);
	if (b->use_pap)
		send(b, PPP_PAP, (uint8_t[]){PAP_NAK, b->auth_id}, data, sizeof(no));
	else
		send(b, PPP_CHAP, (uint8_t[]){CHAP_FAILURE, b->auth_id}, no, sizeof(no) - 1);
	b->sub->auth_failures++;
	hang_up(b, "AUTH_FAIL", "auth-failure", NULL);
}

static void radius_answered(void *session)
{
	struct session *b = session;
	const struct outage *o = &b->sub->world->outage;

	if (!b->alive || b->authenticated)
		return;
	if (outage_is(o, OUTAGE_RADIUS) && ++b->radius_tries < RADIUS_TRIES) {
		alarm_set(&b->radius, now(b->sub) + RADIUS_NS);
		return;
	}
	if (now(b->sub) < b->sub->bad_password_until_ns || outage_is(o, OUTAGE_RADIUS) ||
	    outage_is(o, OUTAGE_REJECT))
		reject(b);
	else
		accept(b);
}

static void receive_auth(struct session *b, const struct ppp_msg *m)
{
	if (b->authenticated || b->radius.at_ns)
		return;
	b->auth_id = m->body[1];
	alarm_set(&b->radius, now(b->sub) + (uint64_t)(rng_lognormal(&b->sub->rng, 8, 0.7) * 1e6));
}

static void ipcp_request(struct session *b, const struct ppp_msg *m)
{
	uint8_t options[32];
	size_t n = 0;

	if (m->n >= 10 && !memcmp(m->body + 6, b->sub->line->ipv4.byte, 4)) {
		send(b, PPP_IPCP, (uint8_t[]){CONF_ACK, m->body[1]}, m->body + 4, m->n - 4u);
		b->ip_peer = true;
		return;
	}
	msg_options(options, &n, IPCP_ADDRESS, b->sub->line->ipv4.byte, 4);
	msg_options(options, &n, IPCP_DNS1, dns_address[0], 4);
	msg_options(options, &n, IPCP_DNS2, dns_address[1], 4);
	send(b, PPP_IPCP, (uint8_t[]){CONF_NAK, m->body[1]}, options, n);
}

static void receive_ncp(struct session *b, const struct ppp_msg *m)
{
	bool ipcp = m->protocol == PPP_IPCP;

	if (m->body[0] == CONF_REQ && ipcp)
		ipcp_request(b, m);
	else if (m->body[0] == CONF_REQ)
		send(b, m->protocol, (uint8_t[]){CONF_ACK, m->body[1]}, m->body + 4, m->n - 4u);
	else if (m->body[0] == CONF_ACK)
		b->ip_mine |= ipcp;
	maybe_up(b);
}

void bras_receive(struct subscriber *s, const struct ppp_msg *m)
{
	struct session *b = bras_session(s, m->session_id);

	if (m->discovery)
		receive_discovery(s, m);
	else if (!b)
		return;
	else if (m->protocol == PPP_LCP)
		receive_lcp(b, m);
	else if (m->protocol == PPP_PAP || m->protocol == PPP_CHAP)
		receive_auth(b, m);
	else if (b->authenticated)
		receive_ncp(b, m);
}

/* It knows nobody any more; what the lines go on sending in their sessions it does not answer. */
void bras_crash(struct subscriber *s)
{
	struct world *w = s->world;

	bras_note_down(s, "NAS_FAULT", "bras-crash");
	for (struct session *b = s->sessions; b; b = b->next) {
		if (b->alive)
			b->end_ns = now(s);
		b->alive = false;
		alarm_clear(&b->restart);
		alarm_clear(&b->echo);
		alarm_clear(&b->radius);
	}
	for (uint32_t i = 0; i < w->n_flows; i++)
		w->flows[i]->orphan |= w->flows[i]->line == s->line;
}

void bras_terminate(struct subscriber *s)
{
	struct session *b = s->sessions;

	if (b && b->alive && b->up_ns)
		hang_up(b, "ADMIN", "bras-terminate", "session terminated by operator");
}
