/* SPDX-License-Identifier: BSD-3-Clause */
#include "engine/analysis/summary.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "engine/analysis/analysis.h"
#include "engine/analysis/outage/outage.h"

enum { GROUPS_MAX = 24 }; /* of a line: more than it can hang on */

struct texts {
	char text[SUBJECT_MAX_ADDRESSES][INET6_ADDRSTRLEN + 4];
	const char *list[SUBJECT_MAX_ADDRESSES];
};

static void write_addresses(struct texts *t, const struct address *addresses, uint8_t n, int family)
{
	for (uint8_t i = 0; i < n; i++) {
		inet_ntop(family, addresses[i].bytes, t->text[i], sizeof t->text[i]);
		if (addresses[i].prefix_len)
			snprintf(t->text[i] + strlen(t->text[i]), 5, "/%u",
				 addresses[i].prefix_len);
		t->list[i] = t->text[i];
	}
}

/* Of one line: 43 KB of sums are cleared where they were touched, not made anew. */
static struct report_rtt rtt_of(struct analysis *a, const struct hist_pools *hists,
				const struct totals *t)
{
	struct report_rtt rtt;
	totals_sum(&a->sum, hists, t);
	rtt = totals_rtt(&a->sum);
	totals_sum_clear(&a->sum);
	return rtt;
}

void summary_line(struct analysis *a, uint32_t number, uint64_t now_ns)
{
	const struct subject *s = &a->subjects[number];
	struct report_session sessions[SUBJECT_MAX_SESSIONS];
	struct report_group groups[GROUPS_MAX];
	struct texts ipv4, ipv6;
	const struct totals *c = &a->totals[number];
	write_addresses(&ipv4, s->ipv4, s->n_ipv4, AF_INET);
	write_addresses(&ipv6, s->ipv6, s->n_ipv6, AF_INET6);
	for (uint32_t i = 0; i < s->n_sessions; i++)
		sessions[i] = s->sessions[i].told;
	const struct report_subscriber told = {
		.unix_ns = (int64_t)now_ns,
		.who = subject_who(s),
		.ipv4 = ipv4.list,
		.ipv6 = ipv6.list,
		.n_ipv4 = s->n_ipv4,
		.n_ipv6 = s->n_ipv6,
		.state = subject_state(s),
		.down_since_unix_ns = s->drop_since_ns ? (int64_t)s->drop_since_ns : REPORT_ABSENT,
		.last_upstream_unix_ns = c->last_up_ns ? (int64_t)c->last_up_ns : REPORT_ABSENT,
		.flaps = s->flap.total,
		.outages = s->flap.outages,
		.auth_failures = s->auth_failures,
		.setup_failures = s->setup_failures,
		.flaps_5m = flap_count(&s->flap, now_ns, 300),
		.flaps_1h = flap_count(&s->flap, now_ns, 3600),
		.flaps_24h = flap_count(&s->flap, now_ns, 86400),
		.flapping = s->flap.flapping,
		.sessions = sessions,
		.n_sessions = s->n_sessions,
		.sessions_total = s->sessions_total,
		.groups = groups,
		.n_groups = a->outage ? outage_groups_of(a->outage, number, groups, GROUPS_MAX) : 0,
		.symptoms = a->outage ? outage_symptoms_of(a->outage, number) : 0,
		.packets_down = c->packets[DOWN],
		.packets_up = c->packets[UP],
		.bytes_down = c->bytes[DOWN],
		.bytes_up = c->bytes[UP],
		.rtt = rtt_of(a, &a->hists, c),
		.loss = totals_loss(c),
		.reordered_down = c->reordered[DOWN],
		.reordered_up = c->reordered[UP],
		.spurious_down = totals_count(c->spurious[DOWN]),
		.spurious_up = totals_count(c->spurious[UP]),
		.suspected_tail_loss_down = c->tail_loss[DOWN],
		.suspected_tail_loss_up = c->tail_loss[UP],
		.line_rate_down = s->rate_down,
		.line_rate_up = s->rate_up,
	};
	const struct report report = {REPORT_SUBSCRIBER, {.subscriber = &told}};
	a->sink.take(a->sink.context, &report);
}

void summary_minute(struct analysis *a, uint32_t number, const struct minute *minute)
{
	const struct totals *c = &minute->totals;
	const struct report_minute told = {
		.start_unix_ns = (int64_t)minute->start_ns,
		.duration_ms = MINUTE_NS / 1000000,
		.line = subject_name(&a->subjects[number]),
		.packets_down = c->packets[DOWN],
		.packets_up = c->packets[UP],
		.bytes_down = c->bytes[DOWN],
		.bytes_up = c->bytes[UP],
		.rtt = rtt_of(a, &a->minutes.hists, c),
		.loss = totals_loss(c),
		.reordered_down = c->reordered[DOWN],
		.reordered_up = c->reordered[UP],
		.spurious_down = totals_count(c->spurious[DOWN]),
		.spurious_up = totals_count(c->spurious[UP]),
		.suspected_tail_loss_down = c->tail_loss[DOWN],
		.suspected_tail_loss_up = c->tail_loss[UP],
	};
	const struct report report = {REPORT_MINUTE, {.minute = &told}};
	a->sink.take(a->sink.context, &report);
}

/* Lines by group: sorted, then each run of equal names is one group. */
struct member {
	char group[CONTROL_NAME_MAX];
	uint32_t line;
};

static int by_group(const void *a, const void *b)
{
	const struct member *x = a, *y = b;
	int order = strcmp(x->group, y->group);
	return order ? order : (x->line > y->line) - (x->line < y->line);
}

static void tell_group(struct analysis *a, const char *type, const struct member *members, size_t n)
{
	struct totals_sum *m = &a->sum;
	struct report_node node = {.group_type = type, .group = members->group, .lines = n};
	const struct report report = {REPORT_NODE, {.node = &node}};
	for (size_t i = 0; i < n; i++) {
		const struct subject *s = &a->subjects[members[i].line];
		enum line_state state = subject_state(s);
		node.up += state == LINE_UP;
		node.down += state == LINE_DOWN;
		node.suspect += state == LINE_SUSPECT;
		node.unknown += state == LINE_UNKNOWN;
		node.flaps += s->flap.total;
		totals_sum(m, &a->hists, &a->totals[members[i].line]);
	}
	node.rtt = totals_rtt(m);
	node.loss = totals_loss(&m->counts);
	node.packets_down = m->counts.packets[DOWN];
	node.packets_up = m->counts.packets[UP];
	node.bytes_down = m->counts.bytes[DOWN];
	node.bytes_up = m->counts.bytes[UP];
	totals_sum_clear(m);
	a->sink.take(a->sink.context, &report);
}

static void tell_groups(struct analysis *a, const char *type, struct member *members, size_t n)
{
	qsort(members, n, sizeof *members, by_group);
	for (size_t from = 0, to; from < n; from = to) {
		for (to = from + 1; to < n && !strcmp(members[to].group, members[from].group);)
			to++;
		tell_group(a, type, members + from, to - from);
	}
}

void summary_nodes(struct analysis *a)
{
	struct member *members = calloc(a->n_subjects + 1u, sizeof *members);
	size_t n = 0;
	if (!members) {
		a->refused++;
		return;
	}
	for (uint32_t i = 1; i < a->n_subjects; i++)
		if (a->subjects[i].known &&
		    subject_node(&a->subjects[i], members[n].group, CONTROL_NAME_MAX))
			members[n++].line = i;
	tell_groups(a, "access_node", members, n);
	n = 0;
	for (uint32_t i = 1; i < a->n_subjects; i++) {
		if (!a->subjects[i].known || !a->subjects[i].svlan)
			continue;
		snprintf(members[n].group, CONTROL_NAME_MAX, "%u", a->subjects[i].svlan);
		members[n++].line = i;
	}
	tell_groups(a, "svlan", members, n);
	free(members);
}
