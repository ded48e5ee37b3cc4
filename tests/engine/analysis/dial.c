/* SPDX-License-Identifier: BSD-3-Clause */
#include "tests/engine/analysis/dial.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static void tell(void *context, struct subject *s, uint64_t now_ns, const struct session_news *news)
{
	struct dial *d = context;
	struct dial_news *n = &d->news[d->n];
	assert_ptr_equal(s, &d->subject);
	assert_true(d->n < DIAL_MAX_NEWS);
	d->n++;
	n->at_ns = now_ns;
	n->news = *news;
	snprintf(n->text, sizeof n->text, "%s", news->text ? news->text : "");
}

static struct session_out out_of(struct dial *d)
{
	return (struct session_out){tell, d};
}

void dial_start(struct dial *d)
{
	*d = (struct dial){.now_ns = DIAL_START, .cpe = 1, .ac = 2};
	d->subject.known = true;
}

void dial_stop(struct dial *d)
{
	free(d->subject.sessions);
	d->subject.sessions = NULL;
}

void dial_wait(struct dial *d, uint64_t ns)
{
	uint64_t until = d->now_ns + ns, at, before = 0;
	struct session_out out = out_of(d);
	while ((at = session_deadline(&d->subject)) && at <= until) {
		assert_true(at > before); /* a timer that has run is over */
		before = at;
		session_timer(&d->subject, at, &out);
	}
	d->now_ns = until;
}

static struct control message(const struct dial *d, uint8_t kind, uint8_t code, uint8_t dir)
{
	struct control c = {.kind = kind, .code = code, .dir = dir, .session_id = d->id};
	memcpy(c.cpe_mac, (uint8_t[]){2, 0, 0, 0, 0, d->cpe}, 6);
	memcpy(c.ac_mac, (uint8_t[]){2, 0, 0, 0, 1, d->ac}, 6);
	return c;
}

static void hand_over(struct dial *d, const struct control *c)
{
	struct session_out out = out_of(d);
	session_control(&d->subject, c, d->now_ns, d->last_up_ns, &out);
	if (c->dir == DIR_UP)
		d->last_up_ns = d->now_ns;
}

void dial_say(struct dial *d, uint8_t kind, uint8_t code, uint8_t dir, const char *text)
{
	struct control c = message(d, kind, code, dir);
	if (kind == KIND_PPPOE && code != PADS && code != PADT)
		c.session_id = 0;
	if (kind == KIND_IPCP && code == PPP_CONF_ACK && dir == DIR_DOWN) {
		c.has_ipv4 = true;
		memcpy(c.ipv4, (uint8_t[]){100, 64, 1, d->cpe}, 4);
	}
	if (text) {
		snprintf(c.text, sizeof c.text, "%s", text);
		c.error = kind == KIND_PPPOE;
	}
	hand_over(d, &c);
}

void dial_lcp(struct dial *d, uint8_t code, uint8_t dir, uint32_t magic)
{
	struct control c = message(d, KIND_LCP, code, dir);
	c.magic = magic;
	hand_over(d, &c);
}

void dial_data(struct dial *d)
{
	struct control c = message(d, 0, 0, DIR_UP);
	struct session_out out = out_of(d);
	session_seen(&d->subject, &c, d->now_ns, &out);
	d->last_up_ns = d->now_ns;
}

void dial_upstream(struct dial *d)
{
	struct session_out out = out_of(d);
	session_upstream(&d->subject, d->now_ns, &out);
	d->last_up_ns = d->now_ns;
}

void dial_unanswered(struct dial *d)
{
	struct session_out out = out_of(d);
	session_unanswered(&d->subject, d->now_ns, d->last_up_ns, &out);
}

void dial_bras_silent(struct dial *d, uint64_t since_ns)
{
	struct session_out out = out_of(d);
	session_bras_silent(&d->subject, d->now_ns, since_ns, &out);
}

void dial_blind(struct dial *d, uint64_t ns)
{
	session_blind(&d->subject);
	d->now_ns += ns;
	session_sighted(&d->subject, ns);
}

void dial_discovery(struct dial *d, uint16_t id)
{
	dial_say(d, KIND_PPPOE, PADI, DIR_UP, NULL);
	dial_wait(d, DIAL_S / 10);
	dial_say(d, KIND_PPPOE, PADO, DIR_DOWN, NULL);
	dial_wait(d, DIAL_S / 10);
	dial_say(d, KIND_PPPOE, PADR, DIR_UP, NULL);
	dial_wait(d, DIAL_S / 10);
	d->id = id;
	dial_say(d, KIND_PPPOE, PADS, DIR_DOWN, NULL);
	dial_wait(d, DIAL_S / 10);
}

void dial_negotiation(struct dial *d)
{
	dial_lcp(d, PPP_CONF_REQ, DIR_UP, DIAL_MAGIC_CPE);
	dial_lcp(d, PPP_CONF_REQ, DIR_DOWN, DIAL_MAGIC_AC);
	dial_wait(d, DIAL_S / 10);
	dial_lcp(d, PPP_CONF_ACK, DIR_UP, DIAL_MAGIC_AC);
	dial_lcp(d, PPP_CONF_ACK, DIR_DOWN, DIAL_MAGIC_CPE);
	dial_wait(d, DIAL_S / 10);
	dial_say(d, KIND_PAP, PAP_REQ, DIR_UP, NULL);
	dial_wait(d, DIAL_S / 10);
	dial_say(d, KIND_PAP, PAP_ACK, DIR_DOWN, NULL);
	dial_wait(d, DIAL_S / 10);
	dial_say(d, KIND_IPCP, PPP_CONF_REQ, DIR_UP, NULL);
	dial_say(d, KIND_IPCP, PPP_CONF_REQ, DIR_DOWN, NULL);
	dial_wait(d, DIAL_S / 10);
	dial_say(d, KIND_IPCP, PPP_CONF_ACK, DIR_UP, NULL);
	dial_wait(d, DIAL_S / 10);
	dial_say(d, KIND_IPCP, PPP_CONF_ACK, DIR_DOWN, NULL);
}

void dial_up(struct dial *d, uint16_t id)
{
	dial_discovery(d, id);
	dial_negotiation(d);
}

const struct dial_news *dial_only_news(struct dial *d)
{
	uint32_t n = d->n;
	d->n = 0;
	for (uint32_t i = 0; n != 1 && i < n; i++)
		print_error("news %u: kind %d cause %d stage %d\n", i, (int)d->news[i].news.kind,
			    (int)d->news[i].news.cause, (int)d->news[i].news.stage);
	assert_int_equal(n, 1);
	return &d->news[0];
}

const struct dial_news *dial_expect(struct dial *d, enum session_event_kind kind,
				    enum drop_cause cause)
{
	const struct dial_news *news = dial_only_news(d);
	assert_int_equal(news->news.kind, kind);
	assert_int_equal(news->news.cause, cause);
	return news;
}

void dial_expect_nothing(struct dial *d)
{
	for (uint32_t i = 0; i < d->n; i++)
		print_error("unexpected: kind %d cause %d stage %d\n", (int)d->news[i].news.kind,
			    (int)d->news[i].news.cause, (int)d->news[i].news.stage);
	assert_int_equal(d->n, 0);
}
