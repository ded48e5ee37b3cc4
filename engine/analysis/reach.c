/* SPDX-License-Identifier: BSD-3-Clause */
#include "engine/analysis/reach.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <string.h>

#include "engine/analysis/subject.h"
#include "engine/packet/worker.h"

#define STEP_NS 1000000000ull /* between two looks at the BRAS */
/* What is heard so long after the resolver fell silent was not under way before. */
#define ASIDE_NS 2000000000ull

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
static void end(struct subject *s, struct reach_want *want, const char *resolver,
		enum symptom_state state, uint64_t now_ns, const struct reach_out *out)
{
	bool was_bad = want->state == REACH_BAD;
	*want = (struct reach_want){0};
	if (was_bad && !(resolver && reach_symptoms(s) & 1u << CHANNEL_DNS))
		tell(s, resolver ? CHANNEL_DNS : CHANNEL_INTERNET, state, want, resolver, now_ns,
		     out);
}

static void begin(struct subject *s, struct reach_want *want, const char *resolver,
		  uint64_t now_ns, const struct reach_out *out)
{
	want->state = REACH_BAD;
	tell(s, resolver ? CHANNEL_DNS : CHANNEL_INTERNET, SYMPTOM_BAD, want, resolver, now_ns,
	     out);
}

/* Whose fault it is; the want is pending. */
static void judge_internet(struct subject *s, const struct bras *bras, uint64_t now_ns,
			   const struct reach_out *out)
{
	struct reach_want *want = &s->reach.internet;
	if (!bras || bras->silent_ns)
		*want = (struct reach_want){0};
	else if (bras->heard_ns >= want->asked_ns + REACH_ALIVE_NS ||
		 now_ns >= want->first_ns + REACH_WAIT_NS)
		begin(s, want, NULL, now_ns, out);
}

static void judge_names(struct subject *s, struct reach_resolver *r, const struct bras *bras,
			uint64_t now_ns, const struct reach_out *out)
{
	if (!bras || bras->silent_ns || s->reach.internet.state == REACH_BAD ||
	    now_ns >= r->want.first_ns + REACH_OTHERS_NS)
		r->want = (struct reach_want){0};
	else if (bras->internet_ns >= r->want.since_ns + ASIDE_NS)
		begin(s, &r->want, r->address, now_ns, out);
}

/* The packet floor tells of it, first or again; true: it is new. */
static bool note(struct reach_want *want, const struct signal *signal, uint64_t now_ns)
{
	bool fresh = want->state == REACH_GOOD;
	want->told_ns = now_ns;
	if (!fresh)
		return false;
	want->state = REACH_PENDING;
	want->first_ns = now_ns;
	want->look_ns = now_ns + STEP_NS;
	want->since_ns = signal->since_ns;
	want->asked_ns = signal->asked_ns;
	return true;
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

static void no_names(struct subject *s, struct reach_resolver *r, const struct signal *signal,
		     const struct bras *bras, uint64_t now_ns, const struct reach_out *out)
{
	if (!note(&r->want, signal, now_ns) && r->want.state == REACH_BAD)
		return;
	if (!signal->alone && bras && !bras->silent_ns)
		begin(s, &r->want, r->address, now_ns, out);
	else
		judge_names(s, r, bras, now_ns, out);
}

bool reach_signal(struct subject *s, const struct signal *signal, const struct bras *bras,
		  uint64_t now_ns, const struct reach_out *out)
{
	struct reach_resolver *r;
	if (signal->kind == SIGNAL_NO_INTERNET) {
		if (note(&s->reach.internet, signal, now_ns))
			judge_internet(s, bras, now_ns, out);
		return true;
	}
	if (signal->kind != SIGNAL_RESOLVER && signal->kind != SIGNAL_NO_NAMES &&
	    signal->kind != SIGNAL_NAMES)
		return false;
	r = resolver_of(s, signal);
	if (r && signal->kind == SIGNAL_NO_NAMES)
		no_names(s, r, signal, bras, now_ns, out);
	else if (r && signal->kind == SIGNAL_NAMES)
		end(s, &r->want, r->address, SYMPTOM_GOOD, now_ns, out);
	return true;
}

void reach_heard(struct subject *s, uint64_t last_down_ns, uint64_t now_ns,
		 const struct reach_out *out)
{
	struct reach_want *want = &s->reach.internet;
	if (want->state != REACH_GOOD && last_down_ns > want->asked_ns)
		end(s, want, NULL, SYMPTOM_GOOD, now_ns, out);
}

void reach_forget(struct subject *s, uint64_t now_ns, const struct reach_out *out)
{
	end(s, &s->reach.internet, NULL, SYMPTOM_UNKNOWN, now_ns, out);
	for (int i = 0; i < REACH_RESOLVERS; i++)
		end(s, &s->reach.resolver[i].want, s->reach.resolver[i].address, SYMPTOM_UNKNOWN,
		    now_ns, out);
}

static uint64_t deadline(const struct reach_want *want)
{
	if (want->state == REACH_GOOD)
		return 0;
	return want->state == REACH_BAD ? want->told_ns + REACH_STALE_NS : want->look_ns;
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
	return want->state == REACH_BAD && now_ns >= want->told_ns + REACH_STALE_NS;
}

static bool is_due(struct reach_want *want, uint64_t now_ns)
{
	if (want->state != REACH_PENDING || now_ns < want->look_ns)
		return false;
	want->look_ns = now_ns + STEP_NS;
	return true;
}

void reach_timer(struct subject *s, const struct bras *bras, uint64_t now_ns,
		 const struct reach_out *out)
{
	struct reach *reach = &s->reach;
	if (is_due(&reach->internet, now_ns))
		judge_internet(s, bras, now_ns, out);
	else if (is_stale(&reach->internet, now_ns))
		end(s, &reach->internet, NULL, SYMPTOM_UNKNOWN, now_ns, out);
	for (int i = 0; i < REACH_RESOLVERS; i++) {
		struct reach_resolver *r = &reach->resolver[i];
		if (is_due(&r->want, now_ns))
			judge_names(s, r, bras, now_ns, out);
		else if (is_stale(&r->want, now_ns))
			end(s, &r->want, r->address, SYMPTOM_UNKNOWN, now_ns, out);
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
