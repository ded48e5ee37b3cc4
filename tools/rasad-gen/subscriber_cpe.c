/* SPDX-License-Identifier: BSD-3-Clause */
/* The modem's PPPoE client. It behaves like pppd: PADI with back-off, 3 s restart timer. */
#include <string.h>

#include "tools/rasad-gen/subscriber.h"

#define RESTART_NS	  (3 * NS_PER_S)
#define MAX_TRIES	  10
#define HOLD_OFF_NS	  (3 * NS_PER_S)
#define AUTH_HOLD_OFF_NS  (12 * NS_PER_S)
#define VENDOR_ADSL_FORUM "\0\0\x0d\xe9"

enum {
	LCP_MRU = 1,
	LCP_AUTH = 3,
	LCP_MAGIC = 5,
	IPCP_ADDRESS = 3,
	IPCP_DNS1 = 129,
	IPCP_DNS2 = 131
};

static uint64_t now(const struct subscriber *s)
{
	return s->world->sim.now_ns;
}

static uint64_t soon(struct subscriber *s, double low_us, double high_us)
{
	return now(s) + (uint64_t)(rng_range(&s->rng, low_us, high_us) * 1e3);
}

static void send(struct subscriber *s, enum ppp_protocol protocol, const uint8_t head[2],
		 const void *data, size_t n)
{
	msg_ppp(msg_new(s, DIR_UP), protocol, s->cpe.session_id, head, data, n);
}

/* The access node adds the line's names on the way up (TR-101). */
static void add_line_tag(struct ppp_msg *m, const struct subscriber *s)
{
	uint8_t tag[160], *t = tag + 4;
	const char *names[] = {s->circuit_id, s->remote_id};

	memcpy(tag, VENDOR_ADSL_FORUM, 4);
	for (uint8_t i = 0; i < 2; i++) {
		*t++ = (uint8_t)(i + 1);
		*t++ = (uint8_t)strlen(names[i]);
		memcpy(t, names[i], strlen(names[i]));
		t += strlen(names[i]);
	}
	for (uint8_t i = 0; i < 2; i++) { /* actual rates, kbit/s: 0x81 up, 0x82 down */
		uint32_t kbps =
			(uint32_t)(8e6 / s->line->access[i ? DIR_DOWN : DIR_UP].ns_per_byte);

		*t++ = (uint8_t)(0x81 + i);
		*t++ = 4;
		for (int shift = 24; shift >= 0; shift -= 8)
			*t++ = (uint8_t)(kbps >> shift);
	}
	msg_tag(m, 0x0105, tag, (size_t)(t - tag));
}

static void send_discovery(struct subscriber *s, uint8_t code)
{
	struct ppp_msg *m = msg_new(s, DIR_UP);

	msg_tag(m, 0x0101, "", 0);
	msg_tag(m, 0x0103, &s->cpe.host_uniq, 4);
	if (code == PADR)
		msg_tag(m, 0x0104, s->cpe.cookie, sizeof(s->cpe.cookie));
	add_line_tag(m, s);
	msg_discovery(m, code, 0);
}

static void send_lcp_request(struct subscriber *s)
{
	uint8_t options[32];
	size_t n = 0;

	msg_options(options, &n, LCP_MRU, (uint8_t[]){PPP_MTU >> 8, PPP_MTU & 0xff}, 2);
	msg_options(options, &n, LCP_MAGIC, &s->cpe.magic, 4);
	send(s, PPP_LCP, (uint8_t[]){CONF_REQ, ++s->cpe.next_id}, options, n);
}

static void send_pap_request(struct subscriber *s)
{
	uint8_t data[80], *d = data;
	size_t n = strlen(s->username);

	*d++ = (uint8_t)n;
	memcpy(d, s->username, n);
	d += n;
	*d++ = 6;
	memcpy(d, "secret", 6);
	send(s, PPP_PAP, (uint8_t[]){PAP_REQUEST, ++s->cpe.next_id}, data, n + 8);
}

/* The first request asks for everything with zeros; one after a Nak repeats what was offered. */
static void send_ipcp_request(struct subscriber *s, const uint8_t *offer, size_t n)
{
	static const uint8_t zero[4];
	uint8_t options[32];
	size_t length = 0;

	if (!offer) {
		msg_options(options, &length, IPCP_ADDRESS, zero, 4);
		msg_options(options, &length, IPCP_DNS1, zero, 4);
		msg_options(options, &length, IPCP_DNS2, zero, 4);
		offer = options;
		n = length;
	}
	send(s, PPP_IPCP, (uint8_t[]){CONF_REQ, ++s->cpe.next_id}, offer, n);
}

static void send_ipv6cp_request(struct subscriber *s)
{
	uint8_t options[16], interface_id[8] = {2, 0x5a, 0, 0xff, 0xfe};
	size_t n = 0;

	memcpy(interface_id + 5, s->line->l2.cpe_mac + 3, 3);
	msg_options(options, &n, 1, interface_id, 8);
	send(s, PPP_IPV6CP, (uint8_t[]){CONF_REQ, ++s->cpe.next_id}, options, n);
}

static void enter(struct subscriber *s, enum cpe_state state)
{
	s->cpe.state = state;
	s->cpe.tries = 0;
	alarm_set(&s->cpe.timer, now(s) + RESTART_NS);
	if (state == CPE_OFF || state == CPE_UP)
		alarm_clear(&s->cpe.timer);
}

void cpe_dial(void *subscriber)
{
	struct subscriber *s = subscriber;
	struct cpe *c = &s->cpe;

	c->lcp_mine = c->lcp_peer = c->ip_mine = c->ip_peer = c->terminating = false;
	c->session_id = 0;
	c->magic = (uint32_t)rng_next(&s->rng);
	c->host_uniq = (uint32_t)rng_next(&s->rng);
	c->missed = 0;
	c->redial_ns = HOLD_OFF_NS;
	enter(s, CPE_DISCOVERY);
	send_discovery(s, PADI);
}

static void go_off(struct subscriber *s)
{
	enter(s, CPE_OFF);
	alarm_clear(&s->cpe.echo);
	traffic_stop(s);
	if (s->cpe.redial_ns)
		alarm_set(&s->cpe.redial, now(s) + s->cpe.redial_ns);
}

static void timer(void *subscriber)
{
	struct subscriber *s = subscriber;
	struct cpe *c = &s->cpe;

	if (c->terminating) { /* no TermAck: go anyway */
		msg_discovery(msg_new(s, DIR_UP), PADT, c->session_id);
		go_off(s);
		return;
	}
	if (++c->tries > MAX_TRIES || (c->state == CPE_REQUEST && c->tries > 3)) {
		cpe_dial(s);
		return;
	}
	alarm_set(&c->timer,
		  now(s) + RESTART_NS * (c->state == CPE_DISCOVERY ? 1u + c->tries : 1u));
	if (c->state == CPE_DISCOVERY)
		send_discovery(s, PADI);
	else if (c->state == CPE_REQUEST)
		send_discovery(s, PADR);
	else if (c->state == CPE_LCP && !c->lcp_mine)
		send_lcp_request(s);
	else if (c->state == CPE_AUTH && c->pap)
		send_pap_request(s);
	else if (c->state == CPE_NCP && !c->ip_mine)
		send_ipcp_request(s, NULL, 0);
}

static void echo_tick(void *subscriber)
{
	struct subscriber *s = subscriber;
	struct cpe *c = &s->cpe;

	if (c->state < CPE_AUTH)
		return;
	if (c->echo_waiting && ++c->missed >= c->echo_failures) {
		if (c->says_goodbye)
			msg_discovery(msg_new(s, DIR_UP), PADT, c->session_id);
		go_off(s); /* pppd hangs up; as a rule nobody hears it */
		return;
	}
	c->echo_waiting = true;
	send(s, PPP_LCP, (uint8_t[]){ECHO_REQ, ++c->next_id}, &c->magic, 4);
	alarm_set(&c->echo, now(s) + c->echo_ns);
}

static void lcp_maybe_open(struct subscriber *s)
{
	struct cpe *c = &s->cpe;

	if (!c->lcp_mine || !c->lcp_peer || c->state != CPE_LCP)
		return;
	enter(s, CPE_AUTH);
	if (c->pap)
		send_pap_request(s);
	if (c->echo_ns)
		alarm_set(&c->echo, now(s) + c->echo_ns);
}

static void ipcp_maybe_open(struct subscriber *s)
{
	if (!s->cpe.ip_mine || !s->cpe.ip_peer || s->cpe.state != CPE_NCP)
		return;
	enter(s, CPE_UP);
	traffic_start(s);
}

static void receive_discovery(struct subscriber *s, const struct ppp_msg *m)
{
	struct cpe *c = &s->cpe;

	if (m->pppoe_code == PADO && c->state == CPE_DISCOVERY) {
		memset(c->cookie, 0xc0, sizeof(c->cookie));
		enter(s, CPE_REQUEST);
		send_discovery(s, PADR);
	} else if (m->pppoe_code == PADS && c->state == CPE_REQUEST) {
		c->session_id = m->session_id;
		enter(s, CPE_LCP);
		alarm_set(&c->timer, soon(s, 5e3, 25e3)); /* pppd takes a moment to start */
	} else if (m->pppoe_code == PADT && m->session_id == c->session_id && c->state >= CPE_LCP) {
		go_off(s);
	}
}

/* Does the peer ask for an authentication that we do not speak? */
static bool wrong_auth(const struct subscriber *s, const struct ppp_msg *m)
{
	for (unsigned i = 4; i + 3 < m->n && m->body[i + 1]; i += m->body[i + 1])
		if (m->body[i] == LCP_AUTH)
			return (m->body[i + 2] == 0xc0) != s->cpe.pap;
	return false;
}

static void lcp_request(struct subscriber *s, const struct ppp_msg *m)
{
	static const uint8_t nak_pap[] = {LCP_AUTH, 4, 0xc0, 0x23};
	static const uint8_t nak_chap[] = {LCP_AUTH, 5, 0xc2, 0x23, 5};

	if (wrong_auth(s, m)) {
		send(s, PPP_LCP, (uint8_t[]){CONF_NAK, m->body[1]}, s->cpe.pap ? nak_pap : nak_chap,
		     s->cpe.pap ? sizeof(nak_pap) : sizeof(nak_chap));
		return;
	}
	send(s, PPP_LCP, (uint8_t[]){CONF_ACK, m->body[1]}, m->body + 4, m->n - 4u);
	s->cpe.lcp_peer = true;
	lcp_maybe_open(s);
}

static void receive_lcp(struct subscriber *s, const struct ppp_msg *m)
{
	struct cpe *c = &s->cpe;

	switch (m->body[0]) {
	case CONF_REQ:
		lcp_request(s, m);
		break;
	case CONF_ACK:
		c->lcp_mine = true;
		lcp_maybe_open(s);
		break;
	case TERM_REQ:
		send(s, PPP_LCP, (uint8_t[]){TERM_ACK, m->body[1]}, "", 0);
		break;
	case TERM_ACK:
		if (c->terminating) {
			msg_discovery(msg_new(s, DIR_UP), PADT, c->session_id);
			go_off(s);
		}
		break;
	case ECHO_REQ:
		send(s, PPP_LCP, (uint8_t[]){ECHO_REP, m->body[1]}, &c->magic, 4);
		break;
	case ECHO_REP:
		c->echo_waiting = false;
		c->missed = 0;
		break;
	}
}

static void authenticated(struct subscriber *s, bool ok)
{
	if (s->cpe.state != CPE_AUTH)
		return;
	if (!ok) {
		s->cpe.redial_ns = AUTH_HOLD_OFF_NS;
		return; /* the BRAS hangs up now */
	}
	enter(s, CPE_NCP);
	send_ipcp_request(s, NULL, 0);
	if (s->ipv6)
		send_ipv6cp_request(s);
}

static void receive_auth(struct subscriber *s, const struct ppp_msg *m)
{
	uint8_t data[80] = {16};
	size_t n = strlen(s->username);

	if (m->protocol == PPP_PAP) {
		authenticated(s, m->body[0] == PAP_ACK);
	} else if (m->body[0] == CHAP_CHALLENGE) {
		for (int i = 1; i <= 16; i++)
			data[i] = (uint8_t)rng_next(&s->rng);
		memcpy(data + 17, s->username, n);
		send(s, PPP_CHAP, (uint8_t[]){CHAP_RESPONSE, m->body[1]}, data, 17 + n);
	} else {
		authenticated(s, m->body[0] == CHAP_SUCCESS);
	}
}

static void receive_ncp(struct subscriber *s, const struct ppp_msg *m)
{
	struct cpe *c = &s->cpe;
	bool ipcp = m->protocol == PPP_IPCP;

	if (m->body[0] == CONF_REQ) {
		send(s, m->protocol, (uint8_t[]){CONF_ACK, m->body[1]}, m->body + 4, m->n - 4u);
		c->ip_peer |= ipcp;
	} else if (m->body[0] == CONF_NAK && ipcp) {
		send_ipcp_request(s, m->body + 4, m->n - 4u);
	} else if (m->body[0] == CONF_ACK) {
		c->ip_mine |= ipcp;
	}
	ipcp_maybe_open(s);
}

void cpe_receive(struct subscriber *s, const struct ppp_msg *m)
{
	if (m->discovery)
		receive_discovery(s, m);
	else if (m->session_id != s->cpe.session_id || s->cpe.state < CPE_LCP)
		return; /* a session that we have forgotten */
	else if (m->protocol == PPP_LCP)
		receive_lcp(s, m);
	else if (m->protocol == PPP_PAP || m->protocol == PPP_CHAP)
		receive_auth(s, m);
	else if (s->cpe.state >= CPE_NCP)
		receive_ncp(s, m);
}

void cpe_terminate(struct subscriber *s, uint64_t redial_ns)
{
	static const char reason[] = "User request";

	if (s->cpe.state != CPE_UP)
		return;
	traffic_stop(s);
	s->cpe.terminating = true;
	s->cpe.redial_ns = redial_ns;
	send(s, PPP_LCP, (uint8_t[]){TERM_REQ, ++s->cpe.next_id}, reason, sizeof(reason) - 1);
	alarm_set(&s->cpe.timer, now(s) + RESTART_NS);
}

void cpe_vanish(struct subscriber *s, uint64_t off_ns)
{
	s->cpe.redial_ns = off_ns;
	go_off(s);
}

void cpe_init(struct subscriber *s)
{
	struct sim *sim = &s->world->sim;

	alarm_init(&s->cpe.timer, sim, timer, s);
	alarm_init(&s->cpe.redial, sim, cpe_dial, s);
	alarm_init(&s->cpe.echo, sim, echo_tick, s);
}
