/* SPDX-License-Identifier: BSD-3-Clause */
#include "engine/packet/demand.h"

#include <string.h>

#include "engine/base/map.h"
#include "engine/packet/account.h"

enum {
	ASKED_LEAST = 4,				/* questions, */
	OTHERS_LEAST = 2,				/* not all of them for names, */
	WAITED_LEAST = (int)(3000000000 >> BEAT_SHIFT), /* and so long */
	NAMES_ASKED = 2,
	NAMES_LEAST = (int)(4000000000 >> BEAT_SHIFT), /* a resolver is asked again after 5 s */
	AGAIN_LEAST = (int)(1000000000 >> BEAT_SHIFT), /* between two questions that are two */
	ASIDE_LEAST = (int)(DEMAND_ASIDE_NS >> BEAT_SHIFT),
	TELL_ALONE = (int)(9000000000 >> BEAT_SHIFT),  /* what analysis could not judge */
	TELL_AGAIN = (int)(30000000000 >> BEAT_SHIFT), /* what goes on */
	NAMES_SERVER = 0,			       /* all resolvers together */
};

enum {			/* names_wait.flags */
       NAMES_KNOWN = 1, /* it has answered this line */
       NAMES_TOLD = 2,
       NAMES_ALONE = 4, /* nothing else was heard when that was told */
};

enum { RCODE_SERVFAIL = 2, RCODE_REFUSED = 5, CLOSED_PORT6 = 4 };

static uint32_t beat_of(uint64_t ns)
{
	return (uint32_t)(ns >> BEAT_SHIFT);
}

static uint64_t address_hash(const struct pkt *p, const uint8_t *address)
{
	uint64_t words[2] = {0};
	memcpy(words, address, p->flags & PKT_IPV6 ? 16 : 4);
	return map_hash(map_hash(words[0]) + words[1]);
}

/* --- the way to the Internet ---------------------------------------------------------------- */

/* True while nothing has come down since the first question that waits. */
static bool is_waiting(const struct worker *w, uint32_t line)
{
	const struct line_wait *wait = &line_at(&w->meter.lines, line)->wait;
	uint32_t last_down = window_last_down(w, line);
	return wait->n && (!last_down || (int32_t)(last_down - wait->since) < 0);
}

static void count(struct line_wait *wait, uint8_t flow, uint8_t server)
{
	wait->n_others += server != NAMES_SERVER && wait->n_others < UINT8_MAX;
	wait->many_flows |= flow != wait->flow;
	wait->many_servers |= server != wait->server;
	wait->n += wait->n < UINT8_MAX;
}

/* When a beat before `now_ns` began. */
static uint64_t beat_ns(uint64_t now_ns, uint32_t beat)
{
	uint64_t now = now_ns >> BEAT_SHIFT;
	return (now - (uint64_t)(int32_t)((uint32_t)now - beat)) << BEAT_SHIFT;
}

static void tell(struct worker *w, uint32_t line, const struct pkt *p)
{
	struct line_wait *wait = &line_at(&w->meter.lines, line)->wait;
	struct signal *s = account_signal(w, SIGNAL_NO_INTERNET, line, p);
	if (!s) /* the next question tells */
		return;
	s->since_ns = beat_ns(p->ts_ns, window_last_down(w, line)) + (1ull << (BEAT_SHIFT - 1));
	s->asked_ns = beat_ns(p->ts_ns, wait->since);
	wait->told = true;
	wait->told_at = beat_of(p->ts_ns);
	ring_commit(w->outbox);
	window_keep_last(w, line); /* so that the next frame is the first */
}

void demand_answered(struct worker *w, uint32_t line, const struct pkt *p)
{
	struct line_wait *wait = &line_at(&w->meter.lines, line)->wait;
	const struct signal *s;
	if (!wait->told)
		return;
	s = account_signal(w, SIGNAL_INTERNET, line, p);
	if (!s) /* the first frame of the next window tells */
		return;
	ring_commit(w->outbox);
	*wait = (struct line_wait){0};
}

static void asked(struct worker *w, uint32_t line, const struct pkt *p, uint8_t flow,
		  uint8_t server)
{
	struct line_wait *wait = &line_at(&w->meter.lines, line)->wait;
	uint32_t now = beat_of(p->ts_ns);
	if (!is_waiting(w, line))
		*wait = (struct line_wait){.since = now, .flow = flow, .server = server};
	count(wait, flow, server);
	if (wait->n >= ASKED_LEAST && wait->n_others >= OTHERS_LEAST && wait->many_flows &&
	    wait->many_servers && now - wait->since >= WAITED_LEAST && window_last_down(w, line) &&
	    (!wait->told || now - wait->told_at >= TELL_AGAIN))
		tell(w, line, p);
}

void demand_asked(struct worker *w, uint32_t line, const struct pkt *p, const struct pkt_extra *x,
		  uint32_t flow)
{
	uint8_t server = (uint8_t)(address_hash(p, x->dst) >> 32);
	asked(w, line, p, (uint8_t)flow, server == NAMES_SERVER ? 1 : server);
}

bool demand_is_refusal(const struct pkt *p)
{
	uint32_t type = p->ack >> 8, code = p->ack & 255;
	if (p->kind != KIND_ICMP)
		return false;
	if (p->flags & PKT_IPV6)
		return type == 3 || (type == 1 && code != CLOSED_PORT6);
	return type == 11 || (type == 3 && (code < 2 || code > 4)); /* 2 to 4: somebody is there */
}

/* --- names ------------------------------------------------------------------------------------ */

static struct line_names *names_of(struct worker *w, uint32_t line)
{
	struct line *l = line_at(&w->meter.lines, line);
	if (!l->names) {
		l->names = pool_take(&w->names);
		if (l->names)
			*(struct line_names *)pool_at(&w->names, l->names) = (struct line_names){0};
	}
	return l->names ? pool_at(&w->names, l->names) : NULL;
}

static struct names_wait *find(struct line_names *names, uint32_t resolver)
{
	for (int i = 0; i < DEMAND_RESOLVERS; i++)
		if (names->of[i].resolver == resolver)
			return &names->of[i];
	return NULL;
}

static struct signal *signal_of(struct worker *w, enum signal_kind kind, uint32_t line,
				const struct pkt *p, const uint8_t *address)
{
	struct signal *s = account_signal(w, kind, line, p);
	if (!s)
		return NULL;
	s->ipv6 = p->flags & PKT_IPV6;
	memcpy(s->address, address, s->ipv6 ? 16 : 4);
	return s;
}

static bool tell_names(struct worker *w, enum signal_kind kind, uint32_t line, const struct pkt *p,
		       const uint8_t *address)
{
	const struct signal *s = signal_of(w, kind, line, p, address);
	if (s)
		ring_commit(w->outbox);
	return s;
}

/* The resolver's place among the line's; it takes that of the one used least recently, unless
 * analysis knows that one for silent. */
static struct names_wait *place(struct line_names *names, uint32_t resolver, uint32_t now)
{
	struct names_wait *found = find(names, resolver), *old = &names->of[0];
	if (found)
		return found;
	for (int i = 1; i < DEMAND_RESOLVERS; i++)
		if (!names->of[i].resolver ||
		    (!(names->of[i].flags & NAMES_TOLD) && old->resolver &&
		     (int32_t)(names->of[i].used - old->used) < 0))
			old = &names->of[i];
	if (old->flags & NAMES_TOLD)
		return NULL;
	*old = (struct names_wait){.resolver = resolver, .used = now};
	return old;
}

/* Something else came down since the resolver fell silent, and was not under way before. */
static bool hears_others(uint32_t last_down, const struct names_wait *wait)
{
	return last_down && (int32_t)(last_down - wait->since) > ASIDE_LEAST;
}

static void tell_silent(struct worker *w, uint32_t line, const struct pkt *p,
			struct names_wait *wait, const uint8_t *resolver)
{
	struct signal *s = signal_of(w, SIGNAL_NO_NAMES, line, p, resolver);
	uint32_t last_down = window_last_down(w, line);
	if (!s)
		return;
	s->since_ns = beat_ns(p->ts_ns, wait->answered);
	s->asked_ns = beat_ns(p->ts_ns, wait->since);
	s->heard_ns = last_down ? beat_ns(p->ts_ns, last_down) : 0;
	wait->flags = NAMES_KNOWN | NAMES_TOLD | (hears_others(last_down, wait) ? 0 : NAMES_ALONE);
	wait->told = beat_of(p->ts_ns);
	ring_commit(w->outbox);
}

/* One more question without an answer, or the answer that there is none. */
static void names_wanted(struct worker *w, uint32_t line, const struct pkt *p,
			 struct names_wait *wait, const uint8_t *resolver)
{
	uint32_t now = beat_of(p->ts_ns);
	if (!wait->n)
		wait->since = now;
	wait->n += wait->n < UINT8_MAX;
	if (wait->flags & NAMES_KNOWN && wait->n >= NAMES_ASKED &&
	    now - wait->since >= NAMES_LEAST &&
	    (!(wait->flags & NAMES_TOLD) ||
	     now - wait->told >= (wait->flags & NAMES_ALONE ? TELL_ALONE : TELL_AGAIN)))
		tell_silent(w, line, p, wait, resolver);
}

static void question(struct worker *w, uint32_t line, const struct pkt *p,
		     const struct pkt_extra *x, uint32_t resolver)
{
	uint32_t now = beat_of(p->ts_ns);
	struct line_names *names = names_of(w, line);
	bool fresh = names && !find(names, resolver);
	struct names_wait *wait = names ? place(names, resolver, now) : NULL;
	if (!wait)
		return;
	if (fresh && line_at(&w->meter.lines, line)->n_resolvers < DEMAND_RESOLVERS &&
	    tell_names(w, SIGNAL_RESOLVER, line, p, x->dst))
		line_at(&w->meter.lines, line)->n_resolvers++;
	if (wait->n && now - wait->since >= AGAIN_LEAST)
		asked(w, line, p, (uint8_t)p->seq, NAMES_SERVER);
	names_wanted(w, line, p, wait, x->dst);
	wait->used = now;
}

static void answer(struct worker *w, uint32_t line, const struct pkt *p, const struct pkt_extra *x,
		   uint32_t resolver)
{
	uint32_t index = line_at(&w->meter.lines, line)->names, code = p->ack & 15;
	struct names_wait *wait = index ? find(pool_at(&w->names, index), resolver) : NULL;
	if (!wait)
		return;
	if (code == RCODE_SERVFAIL || code == RCODE_REFUSED) {
		names_wanted(w, line, p, wait, x->src);
		return;
	}
	if (wait->flags & NAMES_TOLD && !tell_names(w, SIGNAL_NAMES, line, p, x->src))
		return; /* the next answer tells */
	wait->flags = NAMES_KNOWN;
	wait->answered = beat_of(p->ts_ns);
	wait->n = 0;
}

void demand_names(struct worker *w, uint32_t line, const struct pkt *p, const struct pkt_extra *x,
		  bool is_question)
{
	uint32_t resolver = (uint32_t)(address_hash(p, is_question ? x->dst : x->src) >> 32) | 1;
	if (is_question)
		question(w, line, p, x, resolver);
	else
		answer(w, line, p, x, resolver);
}
