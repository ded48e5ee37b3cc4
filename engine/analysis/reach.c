/* SPDX-License-Identifier: BSD-3-Clause */
#include "engine/analysis/reach.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <string.h>

#include "engine/analysis/subject.h"
#include "engine/packet/demand.h"
#include "engine/packet/worker.h"

#define STEP_NS 1000000000ull /* between two looks at the BRAS */

static void tell(struct subject *s, enum symptom_channel channel, enum symptom_state state,
		 const struct reach_want *want, const char *resolver, uint64_t now_ns,
		 const struct reach_out *out)
{
	out->tell(out->context, s,
		  (struct symptom){
			  .channel = channel,
			  .state = state,
			  .at_ns = now_ns,
			  .since_ns = state == SYMPTOM_BAD ? want->since_ns : 0,
			  .shared_risk = resolver,
		  });
}

/* The channel of names has one state: bad while one resolver is. */
static void end(struct subject *s, struct reach_want *want, const char *resolver, uint64_t now_ns,
		const struct reach_out *out)
{
	bool was_bad = want->state == REACH_BAD;
	*want = (struct reach_want){0};
	if (was_bad && !(resolver && reach_symptoms(s) & 1u << CHANNEL_DNS))
		tell(s, resolver ? CHANNEL_DNS : CHANNEL_INTERNET, SYMPTOM_GOOD, want, resolver,
		     now_ns, out);
}

static void begin(struct subject *s, struct reach_want *want, const char *resolver, uint64_t now_ns,
		  const struct reach_out *out)
{
	want->state = REACH_BAD;
	tell(s, resolver ? CHANNEL_DNS : CHANNEL_INTERNET, SYMPTOM_BAD, want, resolver, now_ns,
	     out);
}

static uint64_t *answered_ns(struct reach_resolvers *t, const char *address)
{
	static uint64_t nobody;
	for (uint32_t i = 0; i < t->n; i++)
		if (strcmp(t->of[i].address, address) == 0)
			return &t->of[i].answered_ns;
	if (t->n == REACH_RESOLVERS_MAX) {
		t->refused++;
		nobody = 0;
		return &nobody;
	}
	snprintf(t->of[t->n].address, sizeof t->of[t->n].address, "%s", address);
	return &t->of[t->n++].answered_ns;
}

/* Of the moments between the line's last answer and its first question without one, the first that
 * is not before the last answer that anybody got. */
static uint64_t latest_answer(const struct reach_want *want, uint64_t of_all_ns)
{
	uint64_t at = of_all_ns > want->since_ns ? of_all_ns : want->since_ns;
	return at < want->asked_ns || want->asked_ns < want->since_ns ? at : want->asked_ns;
}

/* Whose fault it is; the want is pending. */
static void judge_internet(struct subject *s, const struct bras *bras, uint64_t now_ns,
			   const struct reach_out *out)
{
	struct reach_want *want = &s->reach.internet;
	want->look_ns = now_ns + STEP_NS;
	if (!bras || bras->silent_ns) {
		*want = (struct reach_want){0};
	} else if (bras->heard_ns >= want->asked_ns + REACH_ALIVE_NS ||
		   now_ns >= want->first_ns + REACH_WAIT_NS) {
		want->since_ns = latest_answer(want, bras->internet_ns);
		begin(s, want, NULL, now_ns, out);
	}
}

static void judge_names(struct subject *s, struct reach_resolver *r, const struct bras *bras,
			uint64_t now_ns, const struct reach_out *out)
{
	struct reach_want *want = &r->want;
	want->look_ns = 0; /* when it is told again */
	if (!bras || bras->silent_ns || s->reach.internet.state == REACH_BAD) {
		*want = (struct reach_want){0};
	} else if (!r->alone ||
		   bras_had_internet(bras, want->asked_ns + DEMAND_ASIDE_NS, want->told_ns)) {
		want->since_ns = latest_answer(want, *answered_ns(out->resolvers, r->address));
		begin(s, want, r->address, now_ns, out);
	}
}

/* The packet floor tells of it, first or again. The question that made it tell may yet be answered:
 * nothing is judged at once. */
static void note(struct reach_want *want, const struct signal *signal, uint64_t now_ns)
{
	want->told_ns = now_ns;
	want->look_ns = now_ns + STEP_NS;
	if (want->state != REACH_GOOD)
		return;
	want->state = REACH_PENDING;
	want->first_ns = now_ns;
	want->since_ns = signal->since_ns;
	want->asked_ns = signal->asked_ns;
}

/* The resolver's place; a new one takes that of one that is well. NULL: all are silent. */
static struct reach_resolver *resolver_of(struct subject *s, const struct signal *signal)
{
	struct reach_resolver *free = NULL;
	char address[46];
	inet_ntop(signal->ipv6 ? AF_INET6 : AF_INET, signal->address, address, sizeof address);
	for (int i = 0; i < REACH_RESOLVERS; i++) {
		struct reach_resolver *r = &s->reach.resolver[i];
		if (strcmp(r->address, address) == 0)
			return r;
		if (!free && (!r->address[0] || (i && r->want.state == REACH_GOOD)))
			free = r;
	}
	if (free) {
		*free = (struct reach_resolver){0};
		snprintf(free->address, sizeof free->address, "%s", address);
	}
	return free;
}

static bool names_signal(struct subject *s, const struct signal *signal, uint64_t now_ns,
			 const struct reach_out *out)
{
	struct reach_resolver *r;
	if (signal->kind != SIGNAL_RESOLVER && signal->kind != SIGNAL_NO_NAMES &&
	    signal->kind != SIGNAL_NAMES)
		return false;
	r = resolver_of(s, signal);
	if (r && signal->kind == SIGNAL_NO_NAMES) {
		uint64_t *answered = answered_ns(out->resolvers, r->address);
		*answered = signal->since_ns > *answered ? signal->since_ns : *answered;
		r->alone = signal->heard_ns < signal->asked_ns + DEMAND_ASIDE_NS;
		note(&r->want, signal, now_ns);
	} else if (r && signal->kind == SIGNAL_NAMES) {
		end(s, &r->want, r->address, now_ns, out);
	}
	return true;
}

/* The last frame from the Internet that the signal knows of; 0: none. */
static uint64_t heard_ns(const struct signal *signal)
{
	if (signal->kind == SIGNAL_NO_INTERNET)
		return signal->since_ns;
	return signal->kind == SIGNAL_INTERNET ? signal->ts_ns : signal->heard_ns;
}

bool reach_signal(struct subject *s, const struct signal *signal, struct bras *bras,
		  const struct reach_out *out)
{
	struct reach_want *internet = &s->reach.internet;
	uint64_t now_ns = signal->ts_ns;
	if (bras)
		bras_internet(bras, heard_ns(signal));
	if (signal->kind == SIGNAL_NO_INTERNET)
		note(internet, signal, now_ns);
	else if (signal->kind == SIGNAL_INTERNET)
		end(s, internet, NULL, now_ns, out);
	else
		return names_signal(s, signal, now_ns, out);
	return true;
}

void reach_forget(struct subject *s, uint64_t now_ns, const struct reach_out *out)
{
	end(s, &s->reach.internet, NULL, now_ns, out);
	for (int i = 0; i < REACH_RESOLVERS; i++)
		end(s, &s->reach.resolver[i].want, s->reach.resolver[i].address, now_ns, out);
}

static uint64_t deadline(const struct reach_want *want)
{
	if (want->state == REACH_GOOD)
		return 0;
	return want->state == REACH_PENDING && want->look_ns ? want->look_ns
							     : want->told_ns + REACH_STALE_NS;
}

uint64_t reach_deadline(const struct subject *s)
{
	uint64_t at = deadline(&s->reach.internet);
	for (int i = 0; i < REACH_RESOLVERS; i++) {
		uint64_t then = deadline(&s->reach.resolver[i].want);
		if (then && (!at || then < at))
			at = then;
	}
	return at;
}

static bool is_stale(const struct reach_want *want, uint64_t now_ns)
{
	return want->state != REACH_GOOD && now_ns >= want->told_ns + REACH_STALE_NS;
}

static bool is_due(const struct reach_want *want, uint64_t now_ns)
{
	return want->state == REACH_PENDING && want->look_ns && now_ns >= want->look_ns;
}

void reach_timer(struct subject *s, const struct bras *bras, uint64_t now_ns,
		 const struct reach_out *out)
{
	struct reach *reach = &s->reach;
	if (is_due(&reach->internet, now_ns))
		judge_internet(s, bras, now_ns, out);
	else if (is_stale(&reach->internet, now_ns))
		end(s, &reach->internet, NULL, now_ns, out);
	for (int i = 0; i < REACH_RESOLVERS; i++) {
		struct reach_resolver *r = &reach->resolver[i];
		if (is_due(&r->want, now_ns))
			judge_names(s, r, bras, now_ns, out);
		else if (is_stale(&r->want, now_ns))
			end(s, &r->want, r->address, now_ns, out);
	}
}

uint32_t reach_symptoms(const struct subject *s)
{
	uint32_t bits = s->reach.internet.state == REACH_BAD ? 1u << CHANNEL_INTERNET : 0;
	for (int i = 0; i < REACH_RESOLVERS; i++)
		if (s->reach.resolver[i].want.state == REACH_BAD)
			bits |= 1u << CHANNEL_DNS;
	return bits;
}
