/* SPDX-License-Identifier: BSD-3-Clause */
#include "engine/analysis/bras.h"

#include <string.h>

#define BRAS_APART_NS 5000000000ull

struct bras *bras_find(struct bras_table *t, const uint8_t mac[6])
{
	for (uint32_t i = 0; i < t->n; i++)
		if (memcmp(t->of[i].mac, mac, 6) == 0)
			return &t->of[i];
	return NULL;
}

struct bras *bras_of(struct bras_table *t, const uint8_t mac[6])
{
	struct bras *known = bras_find(t, mac);
	if (known)
		return known;
	if (t->n == BRAS_MAX) {
		t->refused++;
		return NULL;
	}
	memcpy(t->of[t->n].mac, mac, 6);
	return &t->of[t->n++];
}

bool bras_one_way(const struct bras_table *t)
{
	for (uint32_t i = 0; i < t->n; i++)
		if (t->of[i].heard_ns)
			return false;
	return t->n;
}

/* The BRAS itself answers this, whatever RADIUS does. */
static bool owes_answer(const struct control *c)
{
	if (c->kind == KIND_PPPOE)
		return c->code == PADR;
	return c->kind == KIND_LCP &&
	       (c->code == PPP_CONF_REQ || c->code == PPP_TERM_REQ || c->code == PPP_ECHO_REQ);
}

static void note_asker(struct bras *b, uint32_t line, uint64_t now_ns)
{
	if (!b->n_askers)
		b->asked_ns = now_ns;
	for (uint32_t i = 0; i < b->n_askers; i++)
		if (b->asker[i] == line)
			return;
	if (b->n_askers < BRAS_ASKERS)
		b->asker[b->n_askers++] = line;
}

static void heard(struct bras *b, uint64_t now_ns)
{
	b->heard_ns = now_ns;
	b->n_askers = 0;
	b->silent_ns = 0;
}

bool bras_follow(struct bras *b, uint32_t line, const struct control *c, uint64_t now_ns)
{
	if (c->dir == DIR_DOWN)
		heard(b, now_ns);
	if (c->dir != DIR_UP || !owes_answer(c) || !b->heard_ns)
		return false;
	note_asker(b, line, now_ns);
	if (b->silent_ns || b->n_askers < BRAS_ASKERS || now_ns < b->asked_ns + BRAS_SILENT_NS)
		return false;
	b->silent_ns = b->heard_ns;
	return true;
}

void bras_internet(struct bras *b, uint64_t at_ns)
{
	if (at_ns <= b->internet_ns)
		return;
	if (at_ns > b->internet_ns + BRAS_APART_NS)
		b->before_ns = b->internet_ns;
	b->internet_ns = at_ns;
}

bool bras_had_internet(const struct bras *b, uint64_t from_ns, uint64_t to_ns)
{
	return (b->internet_ns >= from_ns && b->internet_ns <= to_ns) ||
	       (b->before_ns >= from_ns && b->before_ns <= to_ns);
}

static bool is_verdict(const struct control *c)
{
	return c->kind == KIND_PAP ? c->code == PAP_ACK || c->code == PAP_NAK
				   : c->code == CHAP_SUCCESS || c->code == CHAP_FAILURE;
}

void bras_authenticates(struct bras *b, const struct control *c, uint64_t asked_ns, uint64_t now_ns)
{
	bool asks = c->kind == KIND_PAP ? c->code == PAP_REQ : c->code == CHAP_RESPONSE;
	if (asks && !b->auth_asked_ns)
		b->auth_asked_ns = now_ns;
	if (!is_verdict(c) || !asked_ns || now_ns >= asked_ns + BRAS_AUTH_NS)
		return;
	b->auth_ns = now_ns;
	b->auth_asked_ns = 0;
}

uint64_t bras_radius_silent(const struct bras *b, uint64_t asked_ns)
{
	uint64_t gap_ns = (b->auth_asked_ns - b->auth_ns) / 2;
	if (!b->auth_ns || asked_ns < b->auth_ns || !b->auth_asked_ns)
		return asked_ns;
	return b->auth_asked_ns - (gap_ns < BRAS_AUTH_GAP_NS ? gap_ns : BRAS_AUTH_GAP_NS);
}

void bras_unseen(struct bras_table *t)
{
	for (uint32_t i = 0; i < t->n; i++)
		t->of[i].n_askers = 0;
}
