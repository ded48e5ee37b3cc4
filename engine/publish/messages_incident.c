/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Incidents, who is affected by them, and monitoring gaps, field by field.
 *
 * Elements of the network become "type:name" where the schema wants one text. The members of an
 * incident become sub_ids: 8 bytes each, whatever the names, sorted so that readers can search.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "engine/publish/codec.h"
#include "engine/publish/keyspace.h"
#include "engine/publish/messages.h"
#include "engine/publish/messages_parts.h"
#include "proto/rasad/v1/incident.pb-c.h"

#define NS_PER_S 1000000000

static_assert((int)INCIDENT_RETRACTED == (int)RASAD__V1__INCIDENT_STATE__INCIDENT_STATE_RETRACTED);
static_assert((int)CATEGORY_ACCOUNT_ADMIN == (int)RASAD__V1__CATEGORY__CATEGORY_ACCOUNT_ADMIN);
static_assert((int)SEVERITY_WARNING == (int)RASAD__V1__SEVERITY__SEVERITY_WARNING);
static_assert((int)ALARM_ENVIRONMENTAL == (int)RASAD__V1__ALARM_TYPE__ALARM_TYPE_ENVIRONMENTAL);
static_assert((int)CLASS_CALLS ==
	      (int)RASAD__V1__INCIDENT_CLASS__INCIDENT_CLASS_CALLS_WITHOUT_NETWORK_SYMPTOM);
static_assert((int)CHANNEL_DNS == (int)RASAD__V1__SYMPTOM_CHANNEL__SYMPTOM_CHANNEL_DNS);

/* --- parts --- */

static char *group_text(struct arena *arena, const struct report_group *group)
{
	const char *type = group->type ? group->type : "", *name = group->name ? group->name : "";
	size_t n = strlen(type) + strlen(name) + 2;
	char *joined = arena_take(arena, n);

	if (!joined)
		return NULL;
	snprintf(joined, n, "%s:%s", type, name);
	return message_text(arena, joined);
}

static char **group_texts(struct arena *arena, const struct report_group *from, size_t *n)
{
	char **to = arena_take(arena, *n * sizeof(*to));

	if (!to)
		*n = 0;
	for (size_t i = 0; i < *n; i++)
		to[i] = group_text(arena, &from[i]);
	return to;
}

/* Pointers to n new messages of the same type, or NULL and *n is 0. */
static void *list(struct arena *arena, const ProtobufCMessageDescriptor *type, size_t *n)
{
	ProtobufCMessage **to = arena_take(arena, *n * sizeof(*to));
	char *bytes = arena_take(arena, *n * type->sizeof_message);

	if (!to || !bytes)
		*n = 0;
	for (size_t i = 0; i < *n; i++) {
		to[i] = (ProtobufCMessage *)(bytes + i * type->sizeof_message);
		protobuf_c_message_init(type, to[i]);
	}
	return to;
}

static Rasad__V1__GroupShare **shares(struct arena *arena, const struct report_group_share *from,
				      size_t *n)
{
	Rasad__V1__GroupShare **to = list(arena, &rasad__v1__group_share__descriptor, n);

	for (size_t i = 0; i < *n; i++) {
		to[i]->group_type = message_text(arena, from[i].group.type);
		to[i]->group = message_text(arena, from[i].group.name);
		to[i]->bad = from[i].bad;
		to[i]->members = from[i].members;
		SET_TIME(to[i], GROUP_SHARE, RECOVERED_UNIX_NS, recovered_unix_ns,
			 from[i].recovered_unix_ns);
	}
	return to;
}

static Rasad__V1__CauseCount **causes(struct arena *arena, const uint64_t from[CAUSE_COUNT],
				      size_t *n)
{
	size_t at = 0;

	*n = 0;
	for (int cause = 0; cause < CAUSE_COUNT; cause++)
		*n += from[cause] > 0;
	Rasad__V1__CauseCount **to = list(arena, &rasad__v1__cause_count__descriptor, n);
	for (int cause = 0; cause < CAUSE_COUNT && at < *n; cause++)
		if (from[cause]) {
			to[at]->cause = (Rasad__V1__DropCause)cause;
			to[at++]->lines = from[cause];
		}
	return to;
}

static Rasad__V1__IncidentEvidence *evidence(struct arena *arena,
					     const struct report_incident_evidence *from)
{
	Rasad__V1__IncidentEvidence *to = NEW(arena, IncidentEvidence);

	rasad__v1__incident_evidence__init(to);
	to->k = from->k;
	to->n = from->n;
	to->mu = from->mu;
	to->fraction = from->fraction;
	to->neg_log10_p = from->neg_log10_p;
	to->llr = from->llr;
	to->runner_up = message_text(arena, from->runner_up);
	to->runner_up_llr = from->runner_up_llr;
	to->causes = causes(arena, from->causes, &to->n_causes);
	to->n_children = from->n_children;
	to->children = shares(arena, from->children, &to->n_children);
	to->n_healthy_siblings = from->n_healthy_siblings;
	to->healthy_siblings = shares(arena, from->healthy_siblings, &to->n_healthy_siblings);
	to->suspect_only = from->suspect_only;
	to->redialled = from->redialled;
	to->upstream_seen = from->upstream_seen;
	to->downstream_seen = from->downstream_seen;
	return to;
}

static void story(struct arena *arena, Rasad__V1__Incident *to, const struct report_incident *from)
{
	to->n_recovery = from->n_recovery;
	to->recovery = list(arena, &rasad__v1__recovery_point__descriptor, &to->n_recovery);
	for (size_t i = 0; i < to->n_recovery; i++) {
		to->recovery[i]->unix_ns = from->recovery[i].unix_ns;
		to->recovery[i]->down = from->recovery[i].down;
	}
	to->n_timeline = from->n_timeline;
	to->timeline = list(arena, &rasad__v1__timeline_entry__descriptor, &to->n_timeline);
	for (size_t i = 0; i < to->n_timeline; i++) {
		to->timeline[i]->unix_ns = from->timeline[i].unix_ns;
		to->timeline[i]->what = message_text(arena, from->timeline[i].what);
		to->timeline[i]->text = message_text(arena, from->timeline[i].text);
	}
}

/* --- the incident --- */

/* class:group_type:group, by the names of the schema: what one fault has in common over time. */
static char *dedupe_key(struct arena *arena, const struct report_incident *from)
{
	static const char prefix[] = "INCIDENT_CLASS_";
	const ProtobufCEnumValue *class = protobuf_c_enum_descriptor_get_value(
		&rasad__v1__incident_class__descriptor, (int)from->class);
	struct report_group typed = {class ? class->name + sizeof(prefix) - 1 : "",
				     group_text(arena, &from->group)};

	return typed.name ? group_text(arena, &typed) : NULL;
}

static void identity(struct arena *arena, Rasad__V1__Incident *to,
		     const struct report_incident *from)
{
	to->incident_id = message_text(arena, from->incident_id);
	to->revision = from->revision;
	to->state = (Rasad__V1__IncidentState)from->state;
	to->class_ = (Rasad__V1__IncidentClass)from->class;
	to->category = (Rasad__V1__Category)from->category;
	to->severity = (Rasad__V1__Severity)from->severity;
	to->probable_cause = from->probable_cause;
	to->alarm_type = (Rasad__V1__AlarmType)from->alarm_type;
	to->channel = (Rasad__V1__SymptomChannel)from->channel;
	to->dedupe_key = dedupe_key(arena, from);
	to->planned = from->planned;
	to->page = from->page;
	to->service_affecting = from->service_affecting;
	to->reopen_count = from->reopen_count;
	to->superseded_by = message_text(arena, from->superseded_by);
	to->n_supersedes = from->n_supersedes;
	to->supersedes = message_texts(arena, from->supersedes, &to->n_supersedes);
}

static void where(struct arena *arena, Rasad__V1__Incident *to, const struct report_incident *from)
{
	to->group_type = message_text(arena, from->group.type);
	to->group = message_text(arena, from->group.name);
	to->n_equivalent_groups = from->n_equivalent;
	to->equivalent_groups = group_texts(arena, from->equivalent, &to->n_equivalent_groups);
	to->n_path = from->n_path;
	to->path = group_texts(arena, from->path, &to->n_path);
}

static void how_much(Rasad__V1__Incident *to, const struct report_incident *from)
{
	to->onset_unix_ns = from->onset_unix_ns;
	to->open_unix_ns = from->open_unix_ns;
	to->changed_unix_ns = from->changed_unix_ns;
	SET_TIME(to, INCIDENT, CLEAR_UNIX_NS, clear_unix_ns, from->clear_unix_ns);
	SET_TIME(to, INCIDENT, ETA_90_UNIX_NS, eta_90_unix_ns, from->eta_90_unix_ns);
	to->affected = from->affected;
	to->affected_peak = from->affected_peak;
	to->affected_total = from->affected_total;
	to->members = from->members;
	to->confidence = from->confidence;
}

ProtobufCMessage *message_of_incident(struct arena *arena, const struct report_incident *incident,
				      const struct codec_producer *producer)
{
	Rasad__V1__Incident *to = NEW(arena, Incident);

	rasad__v1__incident__init(to);
	identity(arena, to, incident);
	where(arena, to, incident);
	how_much(to, incident);
	to->evidence = evidence(arena, &incident->evidence);
	story(arena, to, incident);
	to->recommended_action = message_text(arena, incident->recommended_action);
	to->text = message_text(arena, incident->text);
	if (producer->name) {
		to->producer = message_text(arena, producer->name);
		to->collector = message_text(arena, producer->collector);
		SET(to, INCIDENT, EPOCH, epoch, producer->epoch_unix_ms);
	}
	return &to->base;
}

/* --- its members --- */

struct member {
	uint64_t sub_id;
	const char *line;
	uint32_t after_s;
};

static int by_sub_id(const void *a, const void *b)
{
	const struct member *x = a, *y = b;

	return (x->sub_id > y->sub_id) - (x->sub_id < y->sub_id);
}

static uint32_t seconds_after(int64_t unix_ns, int64_t onset_unix_ns)
{
	int64_t s = unix_ns > onset_unix_ns ? (unix_ns - onset_unix_ns) / NS_PER_S : 0;

	return s < UINT32_MAX ? (uint32_t)s : UINT32_MAX;
}

static bool is_down(const struct report_member *member)
{
	return member->recovered_unix_ns == REPORT_ABSENT;
}

/* The members that are down, or those that are not, at most `room`; sorted. *n: how many. */
static struct member *members(struct arena *arena, const struct report_incident *from, bool down,
			      size_t room, size_t *n)
{
	struct member *to = arena_take(arena, room * sizeof(*to));

	*n = 0;
	for (size_t i = 0; to && i < from->affected_total && *n < room; i++) {
		const struct report_member *one = &from->affected_lines[i];
		if (is_down(one) != down)
			continue;
		int64_t when = down ? one->down_unix_ns : one->recovered_unix_ns;
		to[(*n)++] = (struct member){keyspace_hash(one->line, strlen(one->line)), one->line,
					     seconds_after(when, from->onset_unix_ns)};
	}
	if (*n)
		qsort(to, *n, sizeof(*to), by_sub_id);
	return to;
}

/* As the two arrays of the schema. Returns their length, 0 without memory. */
static size_t two_lists(struct arena *arena, const struct member *from, size_t n,
			uint64_t **sub_ids, uint32_t **after_s)
{
	*sub_ids = arena_take(arena, n * sizeof(**sub_ids));
	*after_s = arena_take(arena, n * sizeof(**after_s));
	if (!*sub_ids || !*after_s)
		return 0;
	for (size_t i = 0; i < n; i++) {
		(*sub_ids)[i] = from[i].sub_id;
		(*after_s)[i] = from[i].after_s;
	}
	return n;
}

/* Names in the same order. Returns their number, 0 without memory. */
static size_t names(struct arena *arena, const struct member *from, size_t n, char ***lines)
{
	*lines = arena_take(arena, n * sizeof(**lines));
	for (size_t i = 0; *lines && i < n; i++)
		(*lines)[i] = message_text(arena, from[i].line);
	return *lines ? n : 0;
}

ProtobufCMessage *message_of_members(struct arena *arena, const struct report_incident *incident,
				     bool named)
{
	Rasad__V1__MemberSet *to = NEW(arena, MemberSet);
	size_t all = incident->affected_total,
	       room = all < CODEC_MEMBERS_MAX ? all : CODEC_MEMBERS_MAX;
	size_t n_down, n_back;
	struct member *down = members(arena, incident, true, room, &n_down);
	struct member *back = members(arena, incident, false, room - n_down, &n_back);

	rasad__v1__member_set__init(to);
	to->incident_id = message_text(arena, incident->incident_id);
	to->revision = incident->revision;
	to->n_down = to->n_down_after_s =
		two_lists(arena, down, n_down, &to->down, &to->down_after_s);
	to->n_recovered = to->n_recovered_after_s =
		two_lists(arena, back, n_back, &to->recovered, &to->recovered_after_s);
	if (named) {
		to->n_down_lines = names(arena, down, n_down, &to->down_lines);
		to->n_recovered_lines = names(arena, back, n_back, &to->recovered_lines);
	}
	to->left_out = all - n_down - n_back;
	return &to->base;
}

/* --- gaps --- */

ProtobufCMessage *message_of_gap(struct arena *arena, const struct report_gap *gap)
{
	Rasad__V1__GapNotice *to = NEW(arena, GapNotice);

	rasad__v1__gap_notice__init(to);
	to->unix_ns = gap->unix_ns;
	to->tap = message_text(arena, gap->tap);
	to->since_unix_ns = gap->since_unix_ns;
	SET_TIME(to, GAP_NOTICE, UNTIL_UNIX_NS, until_unix_ns, gap->until_unix_ns);
	to->reason = message_text(arena, gap->reason);
	to->lines = gap->lines;
	to->dropped = gap->dropped;
	return &to->base;
}

/* --- the inventory --- */

ProtobufCMessage *message_of_lint(struct arena *arena, const struct report_topology_lint *lint)
{
	Rasad__V1__TopologyLint *to = NEW(arena, TopologyLint);

	rasad__v1__topology_lint__init(to);
	to->unix_ns = lint->unix_ns;
	to->kind = message_text(arena, lint->kind);
	to->count = lint->count;
	to->n_examples = lint->n_examples;
	to->examples = list(arena, &rasad__v1__topology_lint_example__descriptor, &to->n_examples);
	for (size_t i = 0; i < to->n_examples; i++) {
		to->examples[i]->line = message_text(arena, lint->examples[i].line);
		to->examples[i]->seen = message_text(arena, lint->examples[i].seen);
		to->examples[i]->inventory = message_text(arena, lint->examples[i].inventory);
	}
	return &to->base;
}
