/* SPDX-License-Identifier: BSD-3-Clause */
#include "engine/analysis/outage/outage.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "engine/analysis/outage/crowd.h"
#include "engine/analysis/outage/fit.h"
#include "engine/analysis/outage/incident.h"
#include "engine/analysis/outage/trouble.h"
#include "engine/analysis/outage/watch.h"
#include "engine/base/clock.h"

/* After a silence of the clock so many ticks run one by one; the rest would find nothing new. */
enum { TICKS_MAX = 160 };

#define ABSORB_NS (600 * SECOND_IN_NS)

/* Every line's rate is brought up to date in so many ticks: six hours. */
enum { REFRESH_TICKS = 8640 };

struct outage *outage_new(const struct outage_options *options, struct report_sink sink)
{
	struct outage *o = calloc(1, sizeof *o);
	if (!o)
		return NULL;
	o->options = *options;
	o->sink = sink;
	pool_init(&o->troubles, sizeof(struct trouble), CHANNEL_COUNT * options->max_lines);
	rates_init(&o->rates);
	if (groups_init(&o->groups) || placing_init(&o->placing, &o->groups, options->inventory))
		return outage_free(o);
	return o;
}

struct outage *outage_free(struct outage *o)
{
	if (!o)
		return NULL;
	for (uint32_t i = 1; i < o->incidents.n; i++)
		incident_fini(&o->incidents.at[i]);
	free(o->incidents.at);
	for (int q = 0; q < AGENDAS; q++)
		agenda_fini(&o->agendas[q]);
	for (int c = 0; c < CHANNEL_COUNT; c++)
		free(o->tests[c]);
	watch_fini(o);
	pool_fini(&o->troubles);
	localiser_fini(&o->localiser);
	placing_fini(&o->placing);
	groups_fini(&o->groups);
	free(o);
	return NULL;
}

/* --- lines --- */

static uint32_t fold(uint32_t sign, const char *text)
{
	for (; text && *text; text++)
		sign = (sign ^ (uint8_t)*text) * 0x01000193u;
	return (sign ^ 0xff) * 0x01000193u;
}

static uint32_t sign_of(const struct outage_place *p)
{
	const char *const texts[] = {p->line, p->node,	   p->card,	  p->port,
				     p->pool, p->resolver, p->cpe_vendor, p->bras};
	uint32_t sign = 0x811c9dc5u ^ p->svlan;
	for (size_t i = 0; i < sizeof texts / sizeof *texts; i++)
		sign = fold(sign, texts[i]);
	return sign ? sign : 1;
}

/* Whether the line still is where it was when it was alone on that port. */
static bool is_on_card_of(const struct outage *o, uint32_t line, uint32_t port)
{
	return o->lines[line].known && o->lines[line].leaf == o->groups.at[port].parent;
}

void outage_line(struct outage *o, uint32_t line, const struct outage_place *seen)
{
	struct watched *w = watch_line(o, line);
	uint32_t sign = sign_of(seen);
	struct place place;
	if (!w || w->sign == sign)
		return;
	place = placing_find(&o->placing, line, seen);
	if (!w->known)
		rate_begin(&o->rates, &w->rate, (uint32_t)(o->now_ns / SECOND_IN_NS));
	w->sign = sign;
	watch_move(o, line, &place);
	if (place.moved_line && is_on_card_of(o, place.moved_line, place.moved_to)) {
		struct watched *other = &o->lines[place.moved_line];
		struct place theirs = {.leaf = place.moved_to, .n_risks = other->n_risks};
		memcpy(theirs.risks, other->risks, sizeof theirs.risks);
		watch_move(o, place.moved_line, &theirs);
	}
}

void outage_line_gone(struct outage *o, uint32_t line)
{
	struct watched *w = line < o->room ? &o->lines[line] : NULL;
	if (w && w->known)
		watch_gone(o, line);
}

/* --- symptoms --- */

static void good(struct outage *o, const struct symptom *s)
{
	struct watched *w = &o->lines[s->line];
	struct trouble *t = trouble_of(o, w, s->channel);
	if (s->channel == CHANNEL_DROP) {
		watch_set_up(o, w, true);
		o->last_up_ns = s->at_ns;
	}
	if (!t || t->good_ns)
		return;
	trouble_good(o, t, s->at_ns);
	t = trouble_of(o, w, s->channel);
	if (t && t->incident)
		incident_member_good(o, t);
}

/* What fails within a group that has an incident is part of it; when that is long open, and of a
 * part of the group only, it may be another fault. */
static bool takes_more(const struct outage *o, uint32_t incident)
{
	const struct incident *i = incident_at(o, incident);
	return o->now_ns - i->again_ns < ABSORB_NS || 2 * i->down >= o->groups.at[i->group].members;
}

static void absorb(struct outage *o, struct trouble *t)
{
	uint32_t groups[WATCH_GROUPS_MAX];
	uint32_t n = watch_groups(o, &o->lines[t->line], groups);
	for (uint32_t g = 0; g < n && t->weight && !t->incident; g++) {
		uint32_t incident = o->groups.at[groups[g]].incident[t->channel];
		if (incident && takes_more(o, incident))
			incident_absorb(o, incident, t);
	}
}

/* Rejected again, as it was before RADIUS fell silent: for the incident that is over. */
static bool is_own_affair(const struct trouble *t, const struct symptom *s)
{
	return s->channel == CHANNEL_SETUP && t->incident && t->stage == STAGE_AUTH_SILENT &&
	       s->stage == STAGE_AUTH_REJECT;
}

static void bad(struct outage *o, const struct symptom *s)
{
	struct watched *w = &o->lines[s->line];
	struct trouble *t = trouble_of(o, w, s->channel);
	if (!t && s->channel != CHANNEL_SETUP && !w->up)
		return; /* it was not known to work */
	if (t && is_own_affair(t, s)) {
		good(o, s);
		return;
	}
	if (t) {
		trouble_change(o, t, s);
		if (t->incident)
			incident_member_bad(o, t);
	} else {
		t = trouble_begin(o, s);
	}
	if (t && !t->incident)
		absorb(o, t);
}

void outage_take(struct outage *o, const struct symptom *s)
{
	struct watched *w = s->line < o->room ? &o->lines[s->line] : NULL;
	o->counters.symptoms++;
	if (!w || !w->known || s->channel <= CHANNEL_NONE || s->channel >= CHANNEL_COUNT) {
		o->counters.unknown_lines++;
		return;
	}
	outage_advance(o, s->at_ns);
	if (s->channel == CHANNEL_SETUP)
		watch_tried(o, s->line, s->at_ns);
	if (s->state == SYMPTOM_GOOD)
		good(o, s);
	else if (s->state == SYMPTOM_UNKNOWN)
		watch_set_up(o, w, false);
	else
		bad(o, s);
}

/* --- time --- */

static void refresh_rates(struct outage *o)
{
	uint32_t n = o->room / REFRESH_TICKS + 1;
	for (uint32_t i = 0; i < n && o->room; i++) {
		o->refresh = (o->refresh + 1) % o->room;
		if (o->lines[o->refresh].known)
			watch_refresh(o, &o->lines[o->refresh], 0, o->now_ns);
	}
}

static void tick(struct outage *o)
{
	const struct group *root = &o->groups.at[GROUP_ROOT];
	o->now_ns = o->tick * TICK_NS;
	watch_expire(o, o->now_ns);
	troubles_expire(o, o->now_ns);
	refresh_rates(o);
	rates_advance(&o->rates, o->now_ns / SECOND_IN_NS, root->rate, root->eligible);
	crowd_step(o);
	fit_tick(o);
}

/* The clock was set back: what was seen before belongs to another time. */
static void restart_clock(struct outage *o, uint64_t now_ns)
{
	watch_expire(o, UINT64_MAX);
	troubles_expire(o, UINT64_MAX);
	o->tick = now_ns / TICK_NS;
	o->now_ns = now_ns;
}

void outage_advance(struct outage *o, uint64_t now_ns)
{
	uint64_t last = now_ns / TICK_NS;
	if (!o->tick || now_ns + CLOCK_BEHIND_NS < o->now_ns) {
		restart_clock(o, now_ns);
		return;
	}
	for (int n = 0; o->tick < last; n++) {
		o->tick = n < TICKS_MAX ? o->tick + 1 : last;
		tick(o);
	}
	if (now_ns > o->now_ns)
		o->now_ns = now_ns;
}

/* --- taps --- */

static void tell_gap(struct outage *o, uint32_t tap, uint64_t at_ns, int64_t until, uint64_t lines)
{
	const struct outage_tap *t = &o->taps[tap];
	const struct report_gap gap = {
		.unix_ns = (int64_t)at_ns,
		.since_unix_ns = (int64_t)t->since_ns,
		.until_unix_ns = until,
		.tap = t->name,
		.reason = t->reason,
		.lines = lines,
	};
	const struct report report = {REPORT_GAP, {.gap = &gap}};
	o->sink.take(o->sink.context, &report);
}

static uint64_t set_blind(struct outage *o, uint32_t tap, bool blind)
{
	uint64_t lines = 0;
	for (uint32_t line = 0; line < o->room; line++) {
		struct watched *w = &o->lines[line];
		if (!w->known || w->tap != tap)
			continue;
		lines++;
		watch_set_blind(o, w, blind);
	}
	return lines;
}

/* What was concluded from the silence of the tap itself was no outage. */
static void retract(struct outage *o, uint32_t tap, uint64_t since_ns)
{
	for (uint32_t k = 1; k < o->incidents.n; k++) {
		const struct incident *i = incident_at(o, k);
		uint32_t blind = 0;
		for (uint32_t m = 0; i->live && m < i->n_members; m++)
			blind += o->lines[i->members[m].line].tap == tap;
		if (i->live && i->open_ns >= since_ns && 2 * blind > i->n_members)
			incident_end(o, k, INCIDENT_RETRACTED, 0);
	}
}

void outage_gap_begins(struct outage *o, uint32_t tap, const char *name, const char *reason,
		       uint64_t since_ns, uint64_t at_ns)
{
	struct outage_tap *t;
	if (tap >= OUTAGE_TAPS_MAX) {
		o->counters.taps_full++;
		return;
	}
	t = &o->taps[tap];
	if (t->since_ns)
		return;
	t->since_ns = since_ns ? since_ns : 1;
	snprintf(t->name, sizeof t->name, "%s", name);
	snprintf(t->reason, sizeof t->reason, "%s", reason);
	retract(o, tap, since_ns);
	troubles_void(o, tap, since_ns);
	tell_gap(o, tap, at_ns, REPORT_ABSENT, set_blind(o, tap, true));
}

void outage_gap_ends(struct outage *o, uint32_t tap, uint64_t at_ns)
{
	struct outage_tap *t = tap < OUTAGE_TAPS_MAX ? &o->taps[tap] : NULL;
	if (!t || !t->since_ns)
		return;
	troubles_doubt(o, tap, t->since_ns, at_ns);
	tell_gap(o, tap, at_ns, (int64_t)at_ns, set_blind(o, tap, false));
	t->since_ns = 0;
}

void outage_heard_by(struct outage *o, uint32_t line, uint32_t tap)
{
	struct watched *w = line < o->room ? &o->lines[line] : NULL;
	if (!w || !w->known || w->tap == tap || tap >= OUTAGE_TAPS_MAX)
		return;
	w->tap = (uint8_t)tap;
	if (w->blind != (o->taps[tap].since_ns != 0))
		watch_set_blind(o, w, !w->blind);
}

/* --- what others ask --- */

struct outage_counters outage_counters(const struct outage *o)
{
	struct outage_counters c = o->counters;
	c.groups_refused = o->groups.refused;
	c.risks_full = o->placing.risks_full;
	c.unmapped = o->placing.unmapped;
	c.mismatched = o->placing.mismatched;
	c.incidents = o->incidents.opened;
	c.troubles_full += o->troubles.refused;
	return c;
}

const struct inventory_row *outage_outvoted(const struct outage *o, const struct inventory_row *row,
					    bool *card)
{
	enum place_level level;
	const struct inventory_row *most = placing_outvoted(&o->placing, row, &level);
	*card = level == LEVEL_CARD;
	return most;
}

uint32_t outage_groups_of(const struct outage *o, uint32_t line, struct report_group *groups,
			  uint32_t room)
{
	const struct watched *w = line < o->room ? &o->lines[line] : NULL;
	uint32_t ids[WATCH_GROUPS_MAX], n = w && w->known ? watch_groups(o, w, ids) : 0;
	if (n > room)
		n = room;
	for (uint32_t g = 0; g < n; g++)
		groups[g] = groups_name(&o->groups, ids[g]);
	return n;
}

uint32_t outage_symptoms_of(const struct outage *o, uint32_t line)
{
	const struct watched *w = line < o->room ? &o->lines[line] : NULL;
	uint32_t bits = 0;
	for (int c = CHANNEL_DROP; w && w->known && c < CHANNEL_COUNT; c++) {
		const struct trouble *t = trouble_of(o, w, (enum symptom_channel)c);
		bits |= t && !t->good_ns ? 1u << c : 0;
	}
	return bits;
}
