/* SPDX-License-Identifier: BSD-3-Clause */
/* PPPoE and PPP control frames: how they are made, and their way between CPE, tap and BRAS. */
#include <stdlib.h>
#include <string.h>

#include "tools/rasad-gen/mem.h"
#include "tools/rasad-gen/subscriber.h"

#define TAP_TO_BRAS_NS (55 * NS_PER_US)
#define FRAME_OVERHEAD 30

struct ppp_msg *msg_new(struct subscriber *s, enum dir dir)
{
	struct ppp_msg *m = mem_new(1, sizeof(*m));

	m->sub = s;
	m->dir = dir;
	return m;
}

void msg_add(struct ppp_msg *m, const void *data, size_t n)
{
	if (m->n + n > sizeof(m->body))
		die("control message longer than %zu bytes", sizeof(m->body));
	memcpy(m->body + m->n, data, n);
	m->n += (uint16_t)n;
}

void msg_tag(struct ppp_msg *m, uint16_t type, const void *value, size_t n)
{
	const uint8_t head[] = {(uint8_t)(type >> 8), (uint8_t)type, (uint8_t)(n >> 8), (uint8_t)n};

	msg_add(m, head, sizeof(head));
	msg_add(m, value, n);
}

void msg_options(uint8_t *out, size_t *n, uint8_t type, const void *value, size_t value_bytes)
{
	out[(*n)++] = type;
	out[(*n)++] = (uint8_t)(2 + value_bytes);
	memcpy(out + *n, value, value_bytes);
	*n += value_bytes;
}

void msg_discovery(struct ppp_msg *m, uint8_t code, uint16_t session_id)
{
	m->discovery = true;
	m->pppoe_code = code;
	m->session_id = session_id;
	msg_send(m);
}

void msg_ppp(struct ppp_msg *m, enum ppp_protocol protocol, uint16_t session_id,
	     const uint8_t head[2], const void *data, size_t n)
{
	const uint8_t length[] = {(uint8_t)((n + 4) >> 8), (uint8_t)(n + 4)};

	m->protocol = protocol;
	m->session_id = session_id;
	msg_add(m, head, 2);
	msg_add(m, length, 2);
	msg_add(m, data, n);
	msg_send(m);
}

static void at_cpe(void *arg)
{
	struct ppp_msg *m = arg;

	cpe_receive(m->sub, m);
	free(m);
}

static void at_bras(void *arg)
{
	struct ppp_msg *m = arg;

	if (!outage_stops_bras(&m->sub->world->outage))
		bras_receive(m->sub, m);
	free(m);
}

/* The line RTT is what passes between an echo request and its reply at the tap. */
static void watch_echo(const struct ppp_msg *m)
{
	struct session *s = bras_session(m->sub, m->session_id);
	uint64_t now = m->sub->world->sim.now_ns;

	if (!s || m->discovery || m->protocol != PPP_LCP)
		return;
	if (m->dir == DIR_DOWN && m->body[0] == ECHO_REQ)
		s->echo_tap_ns = now;
	else if (m->dir == DIR_UP && m->body[0] == ECHO_REP && m->body[1] == s->echo_id)
		samples_add(&m->sub->rtt_line, now - s->echo_tap_ns);
}

static void emit(const struct ppp_msg *m)
{
	struct world *w = m->sub->world;
	struct frame *f = world_frame(w);
	struct l2 l2 = m->sub->line->l2;

	l2.pppoe_session_id = m->session_id;
	if (m->discovery)
		frame_begin_discovery(f, &l2, m->dir, m->pppoe_code == PADI, m->pppoe_code, m->n);
	else
		frame_begin_ppp(f, &l2, m->dir, m->protocol, m->n);
	frame_bytes(f, m->body, m->n);
	world_emit(w, m->dir);
}

static void at_tap(void *arg)
{
	struct ppp_msg *m = arg;
	struct sim *s = &m->sub->world->sim;
	uint64_t arrive_ns;

	if (m->dir == DIR_DOWN && outage_stops_bras(&m->sub->world->outage)) {
		free(m);
		return;
	}
	emit(m);
	watch_echo(m);
	if (m->dir == DIR_UP) {
		if (m->pppoe_code == PADI)
			m->sub->previous_up_ns = m->sub->line->last_up_ns;
		m->sub->line->last_up_ns = s->now_ns;
		sim_at_owned(s, s->now_ns + TAP_TO_BRAS_NS, at_bras, m);
	} else if (link_send(&m->sub->line->access[DIR_DOWN], m->n + FRAME_OVERHEAD, s->now_ns,
			     &arrive_ns)) {
		sim_at_owned(s, arrive_ns, at_cpe, m);
	} else {
		free(m);
	}
}

void msg_send(struct ppp_msg *m)
{
	struct sim *s = &m->sub->world->sim;
	uint64_t arrive_ns = s->now_ns + TAP_TO_BRAS_NS;

	if (m->dir == DIR_UP && !link_send(&m->sub->line->access[DIR_UP], m->n + FRAME_OVERHEAD,
					   s->now_ns, &arrive_ns)) {
		free(m);
		return;
	}
	sim_at_owned(s, arrive_ns, at_tap, m);
}
