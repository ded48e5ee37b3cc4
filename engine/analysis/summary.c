/* SPDX-License-Identifier: BSD-3-Clause */
#include "engine/analysis/summary.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "engine/analysis/analysis.h"
#include "engine/packet/worker.h"

struct measured {
	struct line_metrics counts;
	struct hist_sum hists[HIST_COUNT];
};

/* The home network is what the subscriber's devices add to the line (algorithms 2.2.1). */
static struct dist home_of(const struct dist *access, const struct dist *line)
{
	struct dist home = *access;
	double *values[] = {&home.min_us, &home.p50_us, &home.p90_us, &home.p95_us,
			    &home.p99_us, &home.max_us, &home.mean_us};
	if (!access->n || !line->n)
		return (struct dist){0};
	for (size_t i = 0; i < sizeof values / sizeof *values; i++) {
		*values[i] -= line->p50_us;
		if (*values[i] < 0)
			*values[i] = 0;
	}
	return home;
}

static struct report_rtt rtt_of(const struct hist_sum hists[HIST_COUNT])
{
	struct report_rtt rtt = {
		.line = dist_of_hist(&hists[HIST_LINE]),
		.access = dist_of_hist(&hists[HIST_ACCESS]),
		.internet = dist_of_hist(&hists[HIST_INTERNET]),
		.dns = dist_of_hist(&hists[HIST_DNS]),
		.icmp = dist_of_hist(&hists[HIST_ICMP]),
		.host_delay = dist_of_hist(&hists[HIST_HOST_DELAY]),
	};
	rtt.home = home_of(&rtt.access, &rtt.line);
	return rtt;
}

/* Downstream data lost behind the tap, and upstream data lost before it, was lost on the access
 * side. What is lost before the tap was not seen, so it is added to what there was. */
static struct report_loss_sides loss_of(const struct line_metrics *m)
{
	struct report_loss_sides l = {
		.access_down = {m->lost_after[DOWN], m->data_packets[DOWN]},
		.access_up = {m->lost_before[UP], m->data_packets[UP] + m->lost_before[UP]},
		.internet_down = {m->lost_before[DOWN],
				  m->data_packets[DOWN] + m->lost_before[DOWN]},
		.internet_up = {m->lost_after[UP], m->data_packets[UP]},
	};
	return l;
}

static void measure(const struct analysis *a, uint32_t line, struct measured *sum)
{
	worker_add_line(a->worker, line, &sum->counts, sum->hists);
}

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

void summary_line(struct analysis *a, uint32_t line, uint64_t now_ns)
{
	const struct subject *s = &a->subjects[line];
	struct measured *m = calloc(1, sizeof *m);
	struct report_session sessions[SUBJECT_MAX_SESSIONS];
	struct texts ipv4, ipv6;
	const struct line_metrics *c = &m->counts;
	if (!m) {
		a->refused++;
		return;
	}
	measure(a, line, m);
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
		.last_upstream_unix_ns = c->last_ns[UP] ? (int64_t)c->last_ns[UP] : REPORT_ABSENT,
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
		.packets_down = c->packets[DOWN],
		.packets_up = c->packets[UP],
		.bytes_down = c->bytes[DOWN],
		.bytes_up = c->bytes[UP],
		.rtt = rtt_of(m->hists),
		.loss = loss_of(c),
		.reordered_down = c->reordered[DOWN],
		.reordered_up = c->reordered[UP],
		.spurious_down = c->spurious[DOWN],
		.spurious_up = c->spurious[UP],
		.suspected_tail_loss_down = c->tail_loss[DOWN],
		.suspected_tail_loss_up = c->tail_loss[UP],
		.line_rate_down = s->rate_down,
		.line_rate_up = s->rate_up,
	};
	const struct report report = {REPORT_SUBSCRIBER, {.subscriber = &told}};
	a->sink.take(a->sink.context, &report);
	free(m);
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
	struct measured *m = calloc(1, sizeof *m);
	struct report_node node = {.group_type = type, .group = members->group, .lines = n};
	const struct report report = {REPORT_NODE, {.node = &node}};
	if (!m) {
		a->refused++;
		return;
	}
	for (size_t i = 0; i < n; i++) {
		const struct subject *s = &a->subjects[members[i].line];
		enum line_state state = subject_state(s);
		node.up += state == LINE_UP;
		node.down += state == LINE_DOWN;
		node.suspect += state == LINE_SUSPECT;
		node.unknown += state == LINE_UNKNOWN;
		node.flaps += s->flap.total;
		measure(a, members[i].line, m);
	}
	node.rtt = rtt_of(m->hists);
	node.loss = loss_of(&m->counts);
	node.packets_down = m->counts.packets[DOWN];
	node.packets_up = m->counts.packets[UP];
	node.bytes_down = m->counts.bytes[DOWN];
	node.bytes_up = m->counts.bytes[UP];
	a->sink.take(a->sink.context, &report);
	free(m);
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
