/* SPDX-License-Identifier: BSD-3-Clause */
#include "engine/analysis/outage/tell.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "engine/analysis/outage/classify.h"
#include "engine/analysis/outage/watch.h"

enum { CHILDREN_MAX = 12, SIBLINGS_MAX = 8, TEXT_BYTES = 400 };

/* A suspicion is not a certainty: until so many of the lines are confirmed down. */
#define CONFIRMED_SHARE	   0.3
#define SUSPECT_CONFIDENCE 0.8
#define SURE		   0.999

#define ETA_SHARE_MIN 0.2 /* of the lines must be back before the rest is guessed */
#define ETA_SHARE     0.9

/* What a report points to, while it is told. */
struct told {
	struct report_incident report;
	struct report_group equivalent[WATCH_GROUPS_MAX], path[KIND_TREE_LEVELS];
	struct report_group_share children[CHILDREN_MAX], siblings[SIBLINGS_MAX];
	struct report_timeline_entry timeline[INCIDENT_TIMELINE_MAX];
	const char *supersedes[INCIDENT_SUPERSEDES_MAX];
	char runner_up[NAME_BYTES], text[TEXT_BYTES];
	struct report_member *members; /* owned */
};

static void fill_groups(const struct outage *o, const struct incident *i, struct told *t,
			uint32_t group)
{
	uint32_t equal[WATCH_GROUPS_MAX], up[KIND_TREE_LEVELS], n_up = 0;
	uint32_t n = classify_equivalents(o, i, group, equal, WATCH_GROUPS_MAX);
	t->report.group = groups_name(&o->groups, group);
	for (uint32_t e = 0; e < n; e++)
		t->equivalent[e] = groups_name(&o->groups, equal[e]);
	t->report.equivalent = t->equivalent;
	t->report.n_equivalent = n;
	for (uint32_t g = o->groups.at[group].parent; g > GROUP_ROOT; g = o->groups.at[g].parent)
		up[n_up++] = g;
	while (n_up)
		t->path[t->report.n_path++] = groups_name(&o->groups, up[--n_up]);
	t->report.path = t->path;
}

/* The part of the tree in which a line's share is shown: the child of `group` on its way up, or
 * its access node when the group is no part of the tree. */
static uint32_t child_of(const struct outage *o, uint32_t group, uint32_t line)
{
	bool tree = kind_in_tree(o->groups.at[group].kind);
	for (uint32_t g = o->lines[line].leaf; g; g = o->groups.at[g].parent)
		if (tree ? o->groups.at[g].parent == group : o->groups.at[g].kind == KIND_NODE)
			return g;
	return GROUP_NONE;
}

struct share {
	uint32_t group, bad, back;
	uint64_t recovered_ns;
};

static int by_bad(const void *a, const void *b)
{
	const struct share *x = a, *y = b;
	if (x->bad != y->bad)
		return x->bad < y->bad ? 1 : -1;
	return (x->group > y->group) - (x->group < y->group);
}

/* How the group's parts are hit, and in which order they come back. */
static void fill_children(struct outage *o, const struct incident *i, struct told *t,
			  uint32_t group)
{
	struct map seen = {0};
	struct share *shares = calloc(i->n_members + 1u, sizeof *shares);
	uint32_t n = 0;
	for (uint32_t m = 0; shares && m < i->n_members; m++) {
		uint32_t child = child_of(o, group, i->members[m].line), *found;
		struct share *s;
		if (!child)
			continue;
		found = map_find(&seen, child);
		if (!found && map_put(&seen, child, n))
			shares[n++].group = child;
		found = map_find(&seen, child);
		if (!found)
			continue;
		s = &shares[*found];
		s->bad++;
		s->back += i->members[m].recovered_ns != 0;
		if (i->members[m].recovered_ns > s->recovered_ns)
			s->recovered_ns = i->members[m].recovered_ns;
	}
	if (shares)
		qsort(shares, n, sizeof *shares, by_bad);
	for (uint32_t c = 0; c < n && c < CHILDREN_MAX; c++)
		t->children[c] = (struct report_group_share){
			groups_name(&o->groups, shares[c].group), shares[c].bad,
			o->groups.at[shares[c].group].members,
			shares[c].back >= ETA_SHARE * shares[c].bad
				? (int64_t)shares[c].recovered_ns
				: REPORT_ABSENT};
	t->report.evidence.children = t->children;
	t->report.evidence.n_children = n < CHILDREN_MAX ? n : CHILDREN_MAX;
	free(shares);
	map_fini(&seen);
}

/* Its siblings that are fine: the fact that tells it from its parent. */
static void fill_siblings(const struct outage *o, const struct incident *i, struct told *t,
			  uint32_t group)
{
	uint32_t parent = o->groups.at[group].parent, n = 0;
	uint32_t g = parent ? o->groups.at[parent].first_child : GROUP_NONE;
	for (; g && n < SIBLINGS_MAX; g = o->groups.at[g].next) {
		const struct group *s = &o->groups.at[g];
		if (g != group && s->members && !s->incident[i->channel] &&
		    s->quarters[i->channel] * 10 <= s->members * QUARTERS)
			t->siblings[n++] = (struct report_group_share){
				groups_name(&o->groups, g), s->quarters[i->channel] / QUARTERS,
				s->members, REPORT_ABSENT};
	}
	t->report.evidence.healthy_siblings = t->siblings;
	t->report.evidence.n_healthy_siblings = n;
}

static void fill_evidence(const struct outage *o, const struct incident *i, struct told *t)
{
	struct report_incident_evidence *e = &t->report.evidence;
	const struct finding *f = &i->finding;
	e->k = f->k;
	e->n = f->n;
	e->mu = f->mu;
	e->fraction = f->n > 0 ? fmin(1, f->k / f->n) : 0;
	e->neg_log10_p = isfinite(f->neg_log10_p) ? f->neg_log10_p : 0;
	e->llr = f->llr;
	if (f->runner_up) {
		struct report_group name = groups_name(&o->groups, f->runner_up);
		snprintf(t->runner_up, sizeof t->runner_up, "%s:%s", name.type, name.name);
		e->runner_up = t->runner_up;
		e->runner_up_llr = f->runner_up_llr;
	}
	for (uint32_t m = 0; m < i->n_members; m++) {
		e->causes[i->members[m].cause]++;
		e->suspect_only += !i->members[m].confirmed && i->channel == CHANNEL_DROP;
	}
	e->redialled = i->redialled;
	e->upstream_seen =
		i->channel != CHANNEL_DROP || e->causes[CAUSE_NAS_FAULT] * 2 > i->n_members;
	e->downstream_seen = i->channel == CHANNEL_DROP || i->channel == CHANNEL_SETUP;
}

static double confidence_of(const struct incident *i)
{
	double c = fmin(SURE, i->finding.confidence);
	bool suspected =
		i->channel == CHANNEL_DROP && i->confirmed < CONFIRMED_SHARE * i->n_members;
	return suspected ? fmin(c, SUSPECT_CONFIDENCE) : c;
}

/* When nine in ten should be back, when the rest follows as those before did. */
static int64_t eta_of(const struct outage *o, const struct incident *i)
{
	uint32_t back = i->n_members - i->down;
	double passed, share = i->n_members ? (double)back / i->n_members : 0;
	if (!i->live || !i->recovering_ns || share < ETA_SHARE_MIN || share >= ETA_SHARE)
		return REPORT_ABSENT;
	passed = (double)(o->now_ns - i->recovering_ns);
	return (int64_t)i->recovering_ns + (int64_t)(passed * ETA_SHARE / share);
}

static void fill_members(const struct outage *o, const struct incident *i, struct told *t)
{
	t->members = malloc((i->n_members + 1u) * sizeof *t->members);
	if (!t->members)
		return;
	for (uint32_t m = 0; m < i->n_members; m++)
		t->members[m] = (struct report_member){
			o->options.line_name(o->options.context, i->members[m].line),
			(int64_t)i->members[m].since_ns,
			i->members[m].recovered_ns ? (int64_t)i->members[m].recovered_ns
						   : REPORT_ABSENT};
	t->report.affected_lines = t->members;
	t->report.affected_total = i->n_members;
}

static void fill_story(const struct incident *i, struct told *t)
{
	for (uint32_t n = 0; n < i->n_timeline; n++)
		t->timeline[n] = (struct report_timeline_entry){
			(int64_t)i->timeline[n].at_ns, i->timeline[n].what, i->timeline[n].text};
	t->report.timeline = t->timeline;
	t->report.n_timeline = i->n_timeline;
	t->report.recovery = i->curve;
	t->report.n_recovery = i->n_curve;
	for (uint32_t s = 0; s < i->n_supersedes; s++)
		t->supersedes[s] = i->supersedes[s];
	t->report.supersedes = t->supersedes;
	t->report.n_supersedes = i->n_supersedes;
	t->report.superseded_by = *i->superseded_by ? i->superseded_by : NULL;
}

static const char *verb_of(enum symptom_channel channel)
{
	switch (channel) {
	case CHANNEL_SETUP:
		return "cannot set up a session";
	case CHANNEL_INTERNET:
		return "get nothing from the Internet";
	case CHANNEL_DNS:
		return "get no answer from their resolver";
	default:
		return "are down";
	}
}

static void fill_text(const struct incident *i, struct told *t)
{
	const struct report_group *g = &t->report.group;
	if (t->report.state != INCIDENT_CLEARED)
		snprintf(t->text, sizeof t->text, "%u of %u lines of %s %.200s %s", i->down,
			 (uint32_t)t->report.members, g->type, g->name, verb_of(i->channel));
	else
		snprintf(t->text, sizeof t->text, "%u of %u affected lines of %s %.200s are back",
			 i->n_members - i->down, i->n_members, g->type, g->name);
	t->report.text = t->text;
}

static void fill(struct outage *o, struct incident *i, struct told *t, enum incident_state state)
{
	uint32_t group = classify_group(o, i);
	const struct class_row *row;
	classify(o, i);
	row = class_row(i->class);
	t->report = (struct report_incident){
		.incident_id = i->id,
		.revision = ++i->revision,
		.reopen_count = i->reopened,
		.state = state,
		.class = i->class,
		.category = row->category,
		.severity = i->severity,
		.alarm_type = row->alarm_type,
		.channel = i->channel,
		.probable_cause = row->probable_cause,
		.onset_unix_ns = (int64_t)i->onset_ns,
		.open_unix_ns = (int64_t)i->open_ns,
		.changed_unix_ns = (int64_t)o->now_ns,
		.clear_unix_ns = i->clear_ns ? (int64_t)i->clear_ns : REPORT_ABSENT,
		.eta_90_unix_ns = eta_of(o, i),
		.affected = i->down,
		.affected_peak = i->peak,
		.members = o->groups.at[group].members,
		.confidence = confidence_of(i),
		.recommended_action = row->action,
		.planned = i->planned,
		.page = !i->told && !i->planned && state == INCIDENT_OPEN,
		.service_affecting = true,
	};
	fill_groups(o, i, t, group);
	fill_evidence(o, i, t);
	fill_children(o, i, t, group);
	fill_siblings(o, i, t, group);
	fill_members(o, i, t);
	fill_story(i, t);
	fill_text(i, t);
}

void tell_incident(struct outage *o, uint32_t incident, enum incident_state state)
{
	struct incident *i = incident_at(o, incident);
	struct told *t = calloc(1, sizeof *t);
	struct report report = {REPORT_INCIDENT, {.incident = NULL}};
	if (!t) {
		o->counters.no_memory++;
		return;
	}
	if (state == INCIDENT_OPEN) {
		incident_note(i, i->onset_ns, "onset", "the first of its lines fell silent");
		incident_note(i, o->now_ns, "opened", "%u lines within %u", i->n_members,
			      o->groups.at[i->group].members);
	}
	fill(o, i, t, state);
	report.incident = &t->report;
	o->sink.take(o->sink.context, &report);
	o->incidents.told++;
	i->told = true;
	i->scope_changed = false;
	i->told_ns = o->now_ns;
	i->told_affected = i->down;
	i->told_severity = i->severity;
	i->told_class = i->class;
	free(t->members);
	free(t);
}
