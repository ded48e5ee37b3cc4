/* SPDX-License-Identifier: BSD-3-Clause */
#include "engine/analysis/outage/incident.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "engine/analysis/outage/classify.h"
#include "engine/analysis/outage/tell.h"
#include "engine/analysis/outage/trouble.h"
#include "engine/analysis/outage/watch.h"

#define CLEAR_SHARE	0.2
#define CLEAR_HOLD_NS	(60 * SECOND_IN_NS)
#define REOPEN_NS	(180 * SECOND_IN_NS) /* once more each time that it was */
#define REOPEN_MOST_NS	(900 * SECOND_IN_NS)
#define AGAIN_SHARE	0.8 /* of what fails was its own before: the same fault again */
#define UPDATE_NS	(15 * SECOND_IN_NS)
#define UPDATE_SHARE	0.2
#define ONSET_FIT_NS	(120 * SECOND_IN_NS)
#define ONSET_SPREAD_NS (4 * SECOND_IN_NS)

enum { LARGE_LINES = 2000, ULID_RANDOM_DIGITS = 16, ULID_TIME_DIGITS = 10 };

void incident_note(struct incident *i, uint64_t at_ns, const char *what, const char *format, ...)
{
	va_list arguments;
	uint32_t n = i->n_timeline;
	if (n == INCIDENT_TIMELINE_MAX) { /* the story keeps its beginning and its newest lines */
		n--;
		memmove(&i->timeline[INCIDENT_TIMELINE_MAX / 2],
			&i->timeline[INCIDENT_TIMELINE_MAX / 2 + 1],
			(INCIDENT_TIMELINE_MAX / 2 - 1) * sizeof *i->timeline);
	}
	i->timeline[n].at_ns = at_ns;
	i->timeline[n].what = what;
	va_start(arguments, format);
	vsnprintf(i->timeline[n].text, sizeof i->timeline[n].text, format, arguments);
	va_end(arguments);
	i->n_timeline = n + 1;
}

/* A ULID: time of opening, then what tells it apart, the same on every run. */
static void write_id(struct incident *i, uint64_t salt)
{
	static const char digits[] = "0123456789ABCDEFGHJKMNPQRSTVWXYZ";
	uint64_t ms = i->open_ns / 1000000, mix = map_hash(salt ^ i->open_ns);
	for (int d = ULID_TIME_DIGITS; d-- > 0; ms >>= 5)
		i->id[d] = digits[ms & 31];
	for (int d = 0; d < ULID_RANDOM_DIGITS; d++) {
		i->id[ULID_TIME_DIGITS + d] = digits[mix & 31];
		mix = map_hash(mix + (uint64_t)d + 1);
	}
	i->id[ULID_TIME_DIGITS + ULID_RANDOM_DIGITS] = '\0';
}

static uint64_t salt_of(const struct outage *o, enum symptom_channel channel, uint32_t group)
{
	struct report_group name = groups_name(&o->groups, group);
	uint64_t salt = (uint64_t)o->options.shard << 8 | (uint64_t)channel;
	for (const char *t = name.type; *t; t++)
		salt = map_hash(salt ^ (uint8_t)*t);
	for (const char *t = name.name; *t; t++)
		salt = map_hash(salt ^ (uint8_t)*t);
	return salt;
}

/* A slot that is free; 0 without memory. */
static uint32_t take_slot(struct outage *o)
{
	struct incidents *all = &o->incidents;
	struct incident *grown;
	uint32_t room = all->room ? 2 * all->room : 16;
	for (uint32_t i = 1; i < all->n; i++)
		if (!all->at[i].live && !all->at[i].cleared)
			return i;
	if (all->n == 0)
		all->n = 1;
	if (all->n >= all->room) {
		grown = realloc(all->at, room * sizeof *grown);
		if (!grown) {
			o->counters.no_memory++;
			return 0;
		}
		all->at = grown;
		all->room = room;
	}
	all->at[all->n] = (struct incident){0};
	return all->n++;
}

/* What has come and gone before will do so again: it is waited for longer. */
static bool may_reopen(const struct outage *o, const struct incident *i)
{
	uint64_t wait_ns = REOPEN_NS * (1 + i->reopened);
	if (wait_ns > REOPEN_MOST_NS)
		wait_ns = REOPEN_MOST_NS;
	return i->cleared && o->now_ns - i->clear_ns <= wait_ns;
}

/* Whether what fails in the group were lines of the incident before: it shows in a part of it first. */
static bool had_its_lines(const struct outage *o, const struct incident *old,
			  const struct finding *finding)
{
	uint32_t n = 0;
	for (uint32_t m = 0; m < old->n_members; m++) {
		const struct watched *w = &o->lines[old->members[m].line];
		const struct trouble *t = trouble_of(o, w, old->channel);
		n += t && !t->incident && watch_hangs_on(o, old->members[m].line, finding->group);
	}
	return n >= AGAIN_SHARE * finding->k;
}

/* One of the same group that was cleared just now; one that comes and goes, of its lines, too. */
static uint32_t find_cleared(const struct outage *o, enum symptom_channel channel,
			     const struct finding *finding)
{
	uint32_t found = 0;
	for (uint32_t i = 1; i < o->incidents.n; i++) {
		const struct incident *old = incident_at(o, i);
		if (!may_reopen(o, old) || old->channel != channel)
			continue;
		if (groups_equal(&o->groups, old->group, finding->group))
			return i;
		if (old->reopened && had_its_lines(o, old, finding))
			found = i;
	}
	return found;
}

static void seat(struct outage *o, uint32_t incident, const struct finding *finding)
{
	struct incident *i = incident_at(o, incident);
	i->finding = *finding;
	i->group = finding->group;
	i->fitted_ns = o->now_ns;
	i->grown = false;
	o->groups.at[i->group].incident[i->channel] = incident;
}

static struct member *add_member(struct outage *o, struct incident *i)
{
	uint32_t room = i->members_room ? 2 * i->members_room : 16;
	struct member *grown;
	if (i->n_members == i->members_room) {
		grown = realloc(i->members, room * sizeof *grown);
		if (!grown) {
			o->counters.no_memory++;
			return NULL;
		}
		i->members = grown;
		i->members_room = room;
	}
	return &i->members[i->n_members++];
}

/* Where the lines are that were members before it was opened again. */
static void index_members(struct outage *o, struct incident *i)
{
	map_fini(&i->before);
	for (uint32_t m = 0; i->reopened && m < i->n_members; m++)
		o->counters.no_memory += !map_put(&i->before, i->members[m].line, m);
}

static struct member *find_member(const struct incident *i, uint32_t line)
{
	const uint32_t *at = map_find(&i->before, line);
	return at ? &i->members[*at] : NULL;
}

static void count_member(struct incident *i, const struct member *m, int one)
{
	i->down += (uint32_t)(m->recovered_ns ? 0 : one);
	i->confirmed += (uint32_t)(m->confirmed ? one : 0);
	i->redialled += (uint32_t)(m->redialled ? one : 0);
}

static void count_most(struct incident *i)
{
	i->high = i->down > i->high ? i->down : i->high;
	i->peak = i->down > i->peak ? i->down : i->peak;
}

void incident_absorb(struct outage *o, uint32_t incident, struct trouble *t)
{
	struct incident *i = incident_at(o, incident);
	struct member *m = find_member(i, t->line);
	if (m)
		count_member(i, m, -1);
	else
		m = add_member(o, i);
	if (!m)
		return;
	*m = (struct member){
		.since_ns = t->since_ns,
		.at_ns = t->at_ns,
		.recovered_ns = t->good_ns,
		.line = t->line,
		.trouble = o->lines[t->line].trouble[t->channel],
		.cause = t->cause,
		.stage = t->stage,
		.weight = t->weight,
		.confirmed = t->confirmed,
		.redialled = t->redialled,
	};
	t->member = (uint32_t)(m - i->members);
	count_member(i, m, 1);
	count_most(i);
	i->grown = true;
	trouble_explain(o, t, incident);
	if (i->settled && i->channel == CHANNEL_DROP && !t->good_ns)
		watch_set_up(o, &o->lines[t->line], false);
}

/* Lines that were down still when the incident was cleared are its own again, if they are. */
static void take_back(struct outage *o, uint32_t incident, uint32_t group)
{
	struct incident *i = incident_at(o, incident);
	for (uint32_t m = 0; m < i->n_members; m++) {
		struct member *member = &i->members[m];
		struct trouble *t = trouble_of(o, &o->lines[member->line], i->channel);
		if (member->recovered_ns)
			continue;
		if (t && !t->incident && !t->good_ns && watch_hangs_on(o, member->line, group)) {
			incident_absorb(o, incident, t);
			continue;
		}
		member->recovered_ns = i->clear_ns;
		i->down--;
	}
}

uint32_t incident_open(struct outage *o, enum symptom_channel channel,
		       const struct finding *finding)
{
	uint32_t number = find_cleared(o, channel, finding);
	struct incident *i;
	if (number) {
		i = incident_at(o, number);
		i->reopened++;
		i->cleared = false;
		index_members(o, i);
		take_back(o, number, finding->group);
		i->scope_changed = i->group != finding->group;
		i->again_ns = o->now_ns;
		i->settled = false;
		i->high = i->down;
		i->low_since_ns = i->clear_ns = i->recovering_ns = 0;
		incident_note(i, o->now_ns, "reopened", "its lines went again");
	} else {
		number = take_slot(o);
		if (!number)
			return 0;
		i = incident_at(o, number);
		*i = (struct incident){.channel = channel,
				       .open_ns = o->now_ns,
				       .again_ns = o->now_ns,
				       .curve_stride = 1};
		write_id(i, salt_of(o, channel, finding->group));
		o->incidents.opened++;
	}
	i->live = true;
	o->incidents.open++;
	seat(o, number, finding);
	return number;
}

void incident_member_good(struct outage *o, const struct trouble *t)
{
	struct incident *i = incident_at(o, t->incident);
	struct member *m = &i->members[t->member];
	if (!m->recovered_ns)
		i->down--;
	m->recovered_ns = t->good_ns;
	if (!i->recovering_ns)
		i->recovering_ns = t->good_ns;
}

void incident_member_bad(struct outage *o, const struct trouble *t)
{
	struct incident *i = incident_at(o, t->incident);
	struct member *m = &i->members[t->member];
	if (m->recovered_ns)
		i->down++;
	m->recovered_ns = 0;
	i->confirmed += t->confirmed && !m->confirmed;
	i->redialled += t->redialled && !m->redialled;
	m->confirmed |= t->confirmed;
	m->redialled |= t->redialled;
	m->cause = t->cause;
	m->stage = t->stage;
	m->weight = t->weight;
	count_most(i);
	if (i->settled && i->channel == CHANNEL_DROP)
		watch_set_up(o, &o->lines[t->line], false);
}

static void let_go(struct outage *o, struct member *m)
{
	struct trouble *t = m->trouble ? pool_at(&o->troubles, m->trouble) : NULL;
	m->trouble = 0;
	if (t)
		trouble_explain(o, t, 0);
}

static void recount_members(struct incident *i)
{
	i->down = i->confirmed = i->redialled = 0;
	for (uint32_t m = 0; m < i->n_members; m++)
		count_member(i, &i->members[m], 1);
}

void incident_rescope(struct outage *o, uint32_t incident, enum symptom_channel channel,
		      const struct finding *finding)
{
	struct incident *i = incident_at(o, incident);
	struct report_group name = groups_name(&o->groups, finding->group);
	uint32_t kept = 0;
	if (o->groups.at[i->group].incident[i->channel] == incident)
		o->groups.at[i->group].incident[i->channel] = 0;
	for (uint32_t m = 0; m < i->n_members; m++) {
		struct member *member = &i->members[m];
		if (channel != i->channel || !watch_hangs_on(o, member->line, finding->group)) {
			let_go(o, member);
			continue;
		}
		i->members[kept] = *member;
		if (member->trouble)
			((struct trouble *)pool_at(&o->troubles, member->trouble))->member = kept;
		kept++;
	}
	i->n_members = kept;
	index_members(o, i);
	i->channel = channel;
	i->scope_changed = true;
	recount_members(i);
	seat(o, incident, finding);
	incident_note(i, o->now_ns, "scope", "%s %.80s explains it better", name.type, name.name);
}

static void leave(struct outage *o, uint32_t incident)
{
	struct incident *i = incident_at(o, incident);
	if (o->groups.at[i->group].incident[i->channel] == incident)
		o->groups.at[i->group].incident[i->channel] = 0;
	for (uint32_t m = 0; m < i->n_members; m++)
		let_go(o, &i->members[m]);
	o->incidents.open--;
	i->live = false;
}

void incident_fini(struct incident *i)
{
	free(i->members);
	map_fini(&i->before);
	*i = (struct incident){0};
}

/* Its members go over to another one, whose group they hang on. */
static void hand_over(struct outage *o, uint32_t from, uint32_t to)
{
	struct incident *i = incident_at(o, from), *by = incident_at(o, to);
	for (uint32_t m = 0; m < i->n_members; m++) {
		struct member *member = &i->members[m];
		struct trouble *t = member->trouble ? pool_at(&o->troubles, member->trouble) : NULL;
		if (!t || by->channel != i->channel || !watch_hangs_on(o, member->line, by->group))
			continue;
		member->trouble = 0;
		incident_absorb(o, to, t);
	}
	if (by->n_supersedes < INCIDENT_SUPERSEDES_MAX)
		memcpy(by->supersedes[by->n_supersedes++], i->id, sizeof i->id);
	memcpy(i->superseded_by, by->id, sizeof by->id);
}

void incident_end(struct outage *o, uint32_t incident, enum incident_state as, uint32_t by)
{
	struct incident *i = incident_at(o, incident);
	if (by)
		hand_over(o, incident, by);
	leave(o, incident);
	i->clear_ns = o->now_ns;
	if (i->told)
		tell_incident(o, incident, as);
	incident_fini(i);
}

static void draw_curve(struct incident *i, uint64_t now_ns)
{
	if (i->curve_skip) {
		i->curve_skip--;
		return;
	}
	if (i->n_curve == INCIDENT_CURVE_MAX) {
		for (uint32_t p = 0; p < INCIDENT_CURVE_MAX / 2; p++)
			i->curve[p] = i->curve[2 * p];
		i->n_curve = INCIDENT_CURVE_MAX / 2;
		i->curve_stride *= 2;
	}
	i->curve[i->n_curve++] = (struct report_recovery_point){(int64_t)now_ns, i->down};
	i->curve_skip = i->curve_stride - 1;
}

/* When it began. Each line was alive at its last sign of life, so the latest of them is the best
 * bound when all went at once; lines that went one after the other began with the first. */
static void fit_onset(struct outage *o, struct incident *i)
{
	uint64_t *since = malloc((i->n_members + 1u) * sizeof *since), late;
	uint32_t n = 0, near = 0;
	if (!since) {
		o->counters.no_memory++;
		return;
	}
	for (uint32_t m = 0; m < i->n_members; m++)
		if (i->members[m].at_ns <= i->open_ns + ONSET_FIT_NS)
			since[n++] = i->members[m].since_ns;
	qsort(since, n, sizeof *since, by_time);
	late = n ? since[n * 9 / 10] : i->open_ns;
	for (uint32_t s = 0; s < n; s++)
		near += since[s] + ONSET_SPREAD_NS >= late && since[s] <= late;
	i->onset_ns = !n || 2 * near >= n ? late : since[n / 10];
	if (i->n_timeline)
		i->timeline[0].at_ns = i->onset_ns;
	free(since);
}

static void clear(struct outage *o, uint32_t incident)
{
	struct incident *i = incident_at(o, incident);
	i->clear_ns = i->low_since_ns;
	incident_note(i, o->now_ns, "cleared", "%u of %u lines are back", i->n_members - i->down,
		      i->n_members);
	if (i->peak > LARGE_LINES)
		o->calmed_ns = o->now_ns;
	tell_incident(o, incident, INCIDENT_CLEARED);
	leave(o, incident);
	i->cleared = true;
	i->clear_ns = o->now_ns;
}

static bool is_due(const struct incident *i, uint64_t now_ns)
{
	uint32_t was = i->told_affected, change = was > i->down ? was - i->down : i->down - was;
	if (!i->told || i->scope_changed || i->severity != i->told_severity ||
	    i->class != i->told_class)
		return true;
	return now_ns >= i->told_ns + UPDATE_NS && change &&
	       (double)change >= UPDATE_SHARE * (was ? was : 1);
}

#define YOUNG_NS (300 * SECOND_IN_NS)

bool incident_is_young(const struct outage *o, const struct incident *i)
{
	return i->live && o->now_ns - i->again_ns < YOUNG_NS;
}

/* A line that is down already cannot be hit by the next fault. */
static void settle(struct outage *o, struct incident *i)
{
	i->settled = true;
	for (uint32_t m = 0; m < i->n_members && i->channel == CHANNEL_DROP; m++)
		if (!i->members[m].recovered_ns)
			watch_set_up(o, &o->lines[i->members[m].line], false);
}

void incident_step(struct outage *o, uint32_t incident)
{
	struct incident *i = incident_at(o, incident);
	if (i->cleared && !may_reopen(o, i))
		incident_fini(i);
	if (!i->live)
		return;
	if (!i->settled && !incident_is_young(o, i))
		settle(o, i);
	if (o->now_ns <= i->open_ns + ONSET_FIT_NS)
		fit_onset(o, i);
	draw_curve(i, o->now_ns);
	classify(o, i);
	if (is_due(i, o->now_ns))
		tell_incident(o, incident, i->told ? INCIDENT_UPDATED : INCIDENT_OPEN);
	if (i->down > CLEAR_SHARE * i->high) {
		i->low_since_ns = 0;
		return;
	}
	if (!i->low_since_ns)
		i->low_since_ns = o->now_ns;
	if (o->now_ns - i->low_since_ns >= CLEAR_HOLD_NS)
		clear(o, incident);
}
