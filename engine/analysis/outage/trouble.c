/* SPDX-License-Identifier: BSD-3-Clause */
#include "engine/analysis/outage/trouble.h"

#include <stdlib.h>

#include "engine/analysis/outage/watch.h"

/* What a drop weighs as evidence of a shared fault, in quarters (algorithms.md 2.1.2). */
static const uint8_t cause_weight[CAUSE_COUNT] = {
	[CAUSE_NONE] = 4, /* suspected: nobody knows yet */
	[CAUSE_LINE_LOST] = 4,	  [CAUSE_CPE_TERM] = 1,	 [CAUSE_CPE_POWER] = 4,
	[CAUSE_ADMIN] = 0,	  [CAUSE_NAS_FAULT] = 4, [CAUSE_SESSION_TIMEOUT] = 0,
	[CAUSE_IDLE_TIMEOUT] = 0, [CAUSE_AUTH_FAIL] = 0, [CAUSE_RESOURCE] = 0,
	[CAUSE_REPLACED] = 0,	  [CAUSE_LOOPBACK] = 0,	 [CAUSE_UNKNOWN] = 2,
};

#define REJECTED_OFTEN 0.1 /* of those who dial */

static const uint64_t window_ns[CHANNEL_COUNT] = {
	[CHANNEL_DROP] = EVIDENCE_NS,
	[CHANNEL_SETUP] = SETUP_NS,
	[CHANNEL_INTERNET] = EVIDENCE_NS,
	[CHANNEL_DNS] = EVIDENCE_NS,
};

static struct trouble *at(const struct outage *o, uint32_t trouble)
{
	return pool_at(&o->troubles, trouble);
}

struct trouble *trouble_of(const struct outage *o, const struct watched *w,
			   enum symptom_channel channel)
{
	return w->trouble[channel] ? at(o, w->trouble[channel]) : NULL;
}

uint32_t trouble_incident(const struct outage *o, const struct watched *w, enum symptom_channel c)
{
	return w->trouble[c] ? at(o, w->trouble[c])->incident : 0;
}

/* A line that is down cannot resolve names either. */
static bool is_consequence(const struct outage *o, const struct watched *w,
			   enum symptom_channel channel)
{
	if (channel == CHANNEL_DROP)
		return false;
	return trouble_incident(o, w, CHANNEL_DROP) ||
	       (channel == CHANNEL_DNS && trouble_incident(o, w, CHANNEL_INTERNET));
}

static void list_test(struct outage *o, enum symptom_channel c, uint32_t group)
{
	struct group *g = &o->groups.at[group];
	if (g->listed & 1u << c)
		return;
	if (o->n_tests[c] == o->tests_room[c]) {
		uint32_t room = o->tests_room[c] ? 2 * o->tests_room[c] : 256;
		uint32_t *grown = realloc(o->tests[c], room * sizeof *grown);
		if (!grown) {
			o->counters.no_memory++;
			return;
		}
		o->tests[c] = grown;
		o->tests_room[c] = room;
	}
	g->listed |= (uint8_t)(1u << c);
	o->tests[c][o->n_tests[c]++] = group;
}

/* What a trouble is worth to its groups. */
struct worth {
	uint8_t quarters, fresh, relief;
};

static struct worth worth_of(const struct outage *o, const struct trouble *t)
{
	const struct watched *w = &o->lines[t->line];
	bool none = t->incident || t->aged || w->blind ||
		    is_consequence(o, w, (enum symptom_channel)t->channel);
	if (none)
		return (struct worth){0};
	if (t->good_ns && !t->confirmed)
		return (struct worth){.relief = t->weight};
	return (struct worth){.quarters = t->ripe ? t->weight : 0,
			      .fresh = t->ripe && t->young ? t->weight : 0};
}

/* Brings into its groups what the trouble weighs now. */
static void recount(struct outage *o, struct trouble *t)
{
	const struct worth is = worth_of(o, t);
	const struct worth was = {t->quarters, t->fresh, t->relief};
	uint32_t ids[WATCH_GROUPS_MAX], n;
	if (is.quarters == was.quarters && is.fresh == was.fresh && is.relief == was.relief)
		return;
	n = watch_groups(o, &o->lines[t->line], ids);
	for (uint32_t i = 0; i < n; i++) {
		struct group *g = &o->groups.at[ids[i]];
		g->quarters[t->channel] += (uint32_t)is.quarters - was.quarters;
		g->fresh[t->channel] += (uint32_t)is.fresh - was.fresh;
		g->relief[t->channel] += (uint32_t)is.relief - was.relief;
		if (is.quarters > was.quarters)
			list_test(o, (enum symptom_channel)t->channel, ids[i]);
	}
	t->quarters = is.quarters;
	t->fresh = is.fresh;
	t->relief = is.relief;
}

void troubles_recount(struct outage *o, const struct watched *w)
{
	for (int c = CHANNEL_DROP; c < CHANNEL_COUNT; c++)
		if (w->trouble[c])
			recount(o, at(o, w->trouble[c]));
}

static bool is_rejected(const struct symptom *s)
{
	return s->channel == CHANNEL_SETUP && s->stage == STAGE_AUTH_REJECT;
}

/* Rejected credentials are the subscriber's own affair, until ten lines at least and four in ten of
 * those who dial are rejected anew; at an hour at which many are as ever, until nearly all are. */
static uint8_t weight_of(const struct outage *o, const struct symptom *s)
{
	if (s->channel == CHANNEL_DROP)
		return s->cause < CAUSE_COUNT ? cause_weight[s->cause] : 2;
	if (is_rejected(s))
		return rates_rejected(&o->rates, s->at_ns / SECOND_IN_NS) < REJECTED_OFTEN ? 2 : 1;
	return QUARTERS;
}

static uint32_t number_of(const struct outage *o, const struct trouble *t)
{
	return o->lines[t->line].trouble[t->channel];
}

static void look_at(struct outage *o, const struct trouble *t, int agenda, uint64_t at_ns)
{
	const struct due due = {at_ns, number_of(o, t), t->generation};
	o->counters.no_memory += !agenda_push(&o->agendas[agenda], due);
}

/* Has the trouble looked at then; what was put down for it before goes stale. */
static void put_down(struct outage *o, struct trouble *t, int agenda, uint64_t at_ns)
{
	t->generation = ++o->generation;
	look_at(o, t, agenda, at_ns);
}

/* Evidence since at_ns, by what the clock says now: how it ripens, is fresh no more and ages. */
static void follow(struct outage *o, struct trouble *t)
{
	t->aged = false;
	t->ripe |= o->now_ns >= t->at_ns + RIPE_NS;
	t->young = o->now_ns < t->at_ns + BURST_NS;
	put_down(o, t, t->channel == CHANNEL_SETUP ? AGENDA_SETUP : AGENDA_DROP,
		 t->at_ns + window_ns[t->channel]);
	if (!t->ripe)
		look_at(o, t, AGENDA_RIPE, t->at_ns + RIPE_NS);
	if (t->young)
		look_at(o, t, AGENDA_FRESH, t->at_ns + BURST_NS);
	recount(o, t);
}

/* It is evidence as of `at_ns`: from now on, or once it has lasted. */
static void start(struct outage *o, struct trouble *t, uint64_t at_ns, bool ripe)
{
	t->at_ns = at_ns;
	t->ripe = ripe;
	follow(o, t);
}

static void fill(struct outage *o, struct trouble *t, const struct symptom *s)
{
	t->since_ns = s->since_ns ? s->since_ns : s->at_ns;
	t->good_ns = 0;
	t->cause = (uint8_t)s->cause;
	t->stage = (uint8_t)s->stage;
	t->weight = weight_of(o, s);
	o->rates.rejects += is_rejected(s);
	t->confirmed = s->state == SYMPTOM_BAD;
	t->redialled = s->redialled;
	start(o, t, s->at_ns, t->confirmed);
}

struct trouble *trouble_begin(struct outage *o, const struct symptom *s)
{
	struct watched *w = &o->lines[s->line];
	uint32_t index = pool_take(&o->troubles);
	struct trouble *t;
	if (!index) {
		o->counters.troubles_full++;
		return NULL;
	}
	t = at(o, index);
	*t = (struct trouble){.line = s->line, .channel = (uint8_t)s->channel};
	w->trouble[s->channel] = index;
	fill(o, t, s);
	return t;
}

/* A drop that no incident explains tells how often the line drops by itself. */
static void learn(struct outage *o, const struct trouble *t, uint64_t now_ns)
{
	if (t->channel != CHANNEL_DROP || t->incident || !t->weight)
		return;
	watch_refresh(o, &o->lines[t->line], t->weight, now_ns);
	rates_learn(&o->rates, t->weight, (now_ns - t->at_ns) / 1000000);
}

void trouble_change(struct outage *o, struct trouble *t, const struct symptom *s)
{
	if (t->good_ns && !t->incident) {
		if (t->confirmed)
			learn(o, t, t->good_ns);
		fill(o, t, s);
		return;
	}
	t->good_ns = 0;
	t->redialled |= s->redialled;
	if (s->channel == CHANNEL_SETUP && s->stage != t->stage && !t->incident &&
	    weight_of(o, s) > t->weight) {
		fill(o, t, s);
		return;
	}
	t->stage = (uint8_t)s->stage;
	if (s->state == SYMPTOM_BAD && !t->confirmed) {
		t->confirmed = t->ripe = true;
		t->cause = (uint8_t)s->cause;
		t->weight = weight_of(o, s);
		recount(o, t);
	}
}

void trouble_forget(struct outage *o, struct trouble *t)
{
	struct watched *w = &o->lines[t->line];
	uint32_t index = w->trouble[t->channel];
	t->aged = true;
	recount(o, t);
	t->generation = 0;
	w->trouble[t->channel] = 0;
	pool_give(&o->troubles, index);
}

void trouble_good(struct outage *o, struct trouble *t, uint64_t at_ns)
{
	t->good_ns = at_ns;
	if (t->incident)
		return;
	if (t->aged || t->channel == CHANNEL_SETUP) {
		trouble_forget(o, t);
		return;
	}
	/* A suspicion that proved wrong was nothing; a drop that is over was one all the same. */
	if (t->confirmed)
		put_down(o, t, AGENDA_OVER, at_ns + AFTERGLOW_NS);
	else
		put_down(o, t, AGENDA_RELIEF, at_ns + RELIEF_NS);
	recount(o, t);
}

/* It has lasted too long to be news; the line is out of the count until it works again. */
static void grow_old(struct outage *o, struct trouble *t, uint64_t now_ns)
{
	learn(o, t, now_ns);
	t->aged = true;
	recount(o, t);
	if (t->channel == CHANNEL_DROP && !t->good_ns)
		watch_set_up(o, &o->lines[t->line], false);
	if (t->good_ns)
		trouble_forget(o, t);
}

void trouble_explain(struct outage *o, struct trouble *t, uint32_t incident)
{
	struct watched *w = &o->lines[t->line];
	t->incident = incident;
	if (!incident && (t->good_ns || o->now_ns > t->at_ns + window_ns[t->channel]))
		grow_old(o, t, o->now_ns);
	else if (!incident)
		follow(o, t);
	troubles_recount(o, w);
}

static void expire(struct outage *o, int agenda, uint64_t now_ns)
{
	struct due due;
	while (agenda_pop(&o->agendas[agenda], now_ns, &due)) {
		struct trouble *t = at(o, due.what);
		if (t->generation != due.generation || t->incident)
			continue;
		if (agenda == AGENDA_RIPE) {
			t->ripe = true;
			recount(o, t);
		} else if (agenda == AGENDA_FRESH) {
			t->young = false;
			recount(o, t);
		} else if (agenda == AGENDA_RELIEF) {
			trouble_forget(o, t);
		} else if (agenda == AGENDA_OVER) {
			learn(o, t, t->good_ns + AFTERGLOW_NS);
			trouble_forget(o, t);
		} else {
			grow_old(o, t, due.at_ns);
		}
	}
}

void troubles_expire(struct outage *o, uint64_t now_ns)
{
	expire(o, AGENDA_DROP, now_ns);
	expire(o, AGENDA_SETUP, now_ns);
	expire(o, AGENDA_OVER, now_ns);
	expire(o, AGENDA_RIPE, now_ns);
	expire(o, AGENDA_FRESH, now_ns);
	expire(o, AGENDA_RELIEF, now_ns);
}

/* Evidence that no incident explains, of one channel, in the order in which it came. */
uint32_t troubles_evidence(const struct outage *o, enum symptom_channel channel, uint32_t *troubles,
			   uint32_t room)
{
	uint32_t n = 0;
	for (int q = AGENDA_DROP; q <= AGENDA_OVER; q++)
		for (uint32_t i = 0; i < o->agendas[q].n && n < room; i++) {
			const struct agenda *agenda = &o->agendas[q];
			const struct due *due = agenda_at(agenda, i);
			const struct trouble *t = at(o, due->what);
			if (t->generation == due->generation && t->channel == channel && t->fresh)
				troubles[n++] = due->what;
		}
	return n;
}

void troubles_void(struct outage *o, uint32_t tap, uint64_t since_ns)
{
	for (uint32_t line = 0; line < o->room; line++) {
		struct watched *w = &o->lines[line];
		for (int c = CHANNEL_DROP; w->known && w->tap == tap && c < CHANNEL_COUNT; c++) {
			struct trouble *t = trouble_of(o, w, (enum symptom_channel)c);
			if (t && !t->incident && t->at_ns >= since_ns)
				trouble_forget(o, t);
		}
	}
}

void troubles_doubt(struct outage *o, uint32_t tap, uint64_t since_ns, uint64_t now_ns)
{
	for (uint32_t line = 0; line < o->room; line++) {
		struct watched *w = &o->lines[line];
		for (int c = CHANNEL_DROP; w->known && w->tap == tap && c < CHANNEL_COUNT; c++) {
			struct trouble *t = trouble_of(o, w, (enum symptom_channel)c);
			if (!t || t->incident || t->at_ns < since_ns)
				continue;
			if (t->good_ns) {
				trouble_forget(o, t);
				continue;
			}
			if (c == CHANNEL_DROP)
				watch_set_up(o, w, true);
			start(o, t, now_ns, false);
		}
	}
}
