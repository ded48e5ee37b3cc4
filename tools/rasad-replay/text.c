/* SPDX-License-Identifier: BSD-3-Clause */
#include "tools/rasad-replay/text.h"

#include <inttypes.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "engine/analysis/report.h"
#include "tools/rasad-replay/text_incidents.h"
#include "tools/rasad-replay/text_lint.h"
#include "tools/rasad-replay/text_parts.h"

enum { NAME = 48, MAX_EVENTS = 20, MAX_NODES = 12 };

struct line_row {
	char name[NAME], subscriber[NAME];
	enum line_state state;
	uint64_t flaps, failures, packets;
	struct dist line, access, internet;
	struct report_loss access_loss, internet_loss;
	double badness;
};

struct node_row {
	char type[16], name[NAME];
	struct report_node node;
};

struct event_row {
	int64_t unix_ns, since_ns;
	char name[NAME];
	enum session_event_kind kind;
	enum drop_cause cause;
};

struct text {
	uint32_t top;
	struct line_row *lines;
	struct node_row *nodes;
	struct event_row *events;
	struct text_incidents incidents;
	struct text_lint lint;
	size_t n_lines, n_nodes, n_events, lines_room, nodes_room, events_room;
	uint64_t up, down, suspect, unknown, event_count[SESSION_SETUP_FAILED + 1];
	uint64_t packets, bytes, dropped, flows, flow_reports;
	int64_t first_ns, last_ns;
	char verdicts[512], refusals[512];
};

static const char *const state_names[] = {"unknown", "up", "suspect", "DOWN"};
static const char *const kind_names[] = {"", "up", "suspect", "recovered", "DOWN", "set-up failed"};
static const char *const cause_names[CAUSE_COUNT] = {
	"",	      "line lost",   "modem hung up", "modem lost power", "ended by the BRAS",
	"BRAS fault", "time limit",  "idle limit",    "refused",	  "no resource",
	"replaced",   "line looped", "cause unknown",
};

struct text *text_new(uint32_t top)
{
	struct text *t = calloc(1, sizeof *t);
	if (t)
		t->top = top;
	return t;
}

struct text *text_free(struct text *t)
{
	if (t) {
		free(t->lines);
		free(t->nodes);
		free(t->events);
		text_incidents_fini(&t->incidents);
		text_lint_fini(&t->lint);
	}
	free(t);
	return NULL;
}

static double ratio(struct report_loss l)
{
	return l.packets ? (double)l.lost / (double)l.packets : 0;
}

static struct report_loss sum(struct report_loss a, struct report_loss b)
{
	return (struct report_loss){a.lost + b.lost, a.packets + b.packets};
}

/* What a NOC operator would look at first: down, flapping, lossy, slow. Loss counts when there
 * was enough traffic to tell. */
static double badness(const struct line_row *r)
{
	double score = r->state == LINE_DOWN ? 1000 : r->state == LINE_SUSPECT ? 900 : 0;
	score += 100.0 * (double)r->flaps + 20.0 * (double)(r->failures < 10 ? r->failures : 10);
	if (r->access_loss.packets >= 100 && r->access_loss.lost > 2)
		score += 5000 * ratio(r->access_loss);
	if (r->internet_loss.packets >= 100 && r->internet_loss.lost > 2)
		score += 500 * ratio(r->internet_loss);
	if (r->access.n)
		score += r->access.p50_us / 1000;
	return score;
}

static void take_line(struct text *t, const struct report_subscriber *s)
{
	struct line_row *r =
		text_add_row((void **)&t->lines, &t->n_lines, &t->lines_room, sizeof *t->lines);
	t->up += s->state == LINE_UP;
	t->down += s->state == LINE_DOWN;
	t->suspect += s->state == LINE_SUSPECT;
	t->unknown += s->state == LINE_UNKNOWN;
	if (!r)
		return;
	text_copy(r->name, sizeof r->name, s->who.line);
	text_copy(r->subscriber, sizeof r->subscriber, s->who.subscriber);
	r->state = s->state;
	r->flaps = s->flaps;
	r->failures = s->setup_failures;
	r->packets = s->packets_up + s->packets_down;
	r->line = s->rtt.line;
	r->access = s->rtt.access;
	r->internet = s->rtt.internet;
	r->access_loss = sum(s->loss.access_down, s->loss.access_up);
	r->internet_loss = sum(s->loss.internet_down, s->loss.internet_up);
	r->badness = badness(r);
}

static void take_node(struct text *t, const struct report_node *node)
{
	struct node_row *r =
		text_add_row((void **)&t->nodes, &t->n_nodes, &t->nodes_room, sizeof *t->nodes);
	if (!r)
		return;
	snprintf(r->type, sizeof r->type, "%s", node->group_type);
	text_copy(r->name, sizeof r->name, node->group);
	r->node = *node;
}

static void take_event(struct text *t, const struct report_session_event *e)
{
	struct event_row *r;
	t->event_count[e->kind]++;
	if (e->kind == SESSION_UP)
		return;
	r = text_add_row((void **)&t->events, &t->n_events, &t->events_room, sizeof *t->events);
	if (!r)
		return;
	text_copy(r->name, sizeof r->name, e->who.line);
	r->unix_ns = e->unix_ns;
	r->since_ns = e->down_since_unix_ns;
	r->kind = e->kind;
	r->cause = e->cause;
}

static void list_counts(char *to, size_t room, const struct report_count *counts, size_t n)
{
	size_t used = 0;
	to[0] = '\0';
	for (size_t i = 0; i < n; i++)
		if (counts[i].value && used < room)
			used += (size_t)snprintf(to + used, room - used, "%s%s %" PRIu64,
						 used ? ", " : "", counts[i].name, counts[i].value);
}

static void take_health(struct text *t, const struct report_health *h)
{
	t->packets = h->packets;
	t->bytes = h->bytes;
	t->dropped = h->dropped;
	t->flows = h->flows;
	t->first_ns = h->first_unix_ns;
	t->last_ns = h->last_unix_ns;
	list_counts(t->verdicts, sizeof t->verdicts, h->verdicts, h->n_verdicts);
	list_counts(t->refusals, sizeof t->refusals, h->refusals, h->n_refusals);
}

static void print_flow(const struct report_flow *f, FILE *out)
{
	fprintf(out, "flow %s %s:%u - %s:%u", f->line, f->client, f->client_port, f->server,
		f->server_port);
	if (f->rtt_access.n)
		fprintf(out, "  access %.1f ms", f->rtt_access.p50_us / 1000);
	if (f->rtt_internet.n)
		fprintf(out, "  internet %.1f ms", f->rtt_internet.p50_us / 1000);
	fprintf(out, "  down %" PRIu64 " B, resent %" PRIu64 ", holes %" PRIu64, f->down.bytes,
		f->down.retransmit_seen, f->down.hole_fill);
	fprintf(out, "  up %" PRIu64 " B, resent %" PRIu64 ", holes %" PRIu64 "\n", f->up.bytes,
		f->up.retransmit_seen, f->up.hole_fill);
}

void text_take(struct text *t, const struct report *report)
{
	switch (report->kind) {
	case REPORT_SUBSCRIBER:
		take_line(t, report->subscriber);
		break;
	case REPORT_NODE:
		take_node(t, report->node);
		break;
	case REPORT_SESSION_EVENT:
		take_event(t, report->session_event);
		break;
	case REPORT_HEALTH:
		take_health(t, report->health);
		break;
	case REPORT_FLOW:
		if (!t->flow_reports++)
			printf("TCP flows, in order of their first packet\n");
		print_flow(report->flow, stdout);
		break;
	case REPORT_INCIDENT:
		text_incidents_take(&t->incidents, report->incident);
		break;
	case REPORT_GAP:
		text_gaps_take(&t->incidents, report->gap);
		break;
	case REPORT_TOPOLOGY_LINT:
		text_lint_take(&t->lint, report->topology_lint);
		break;
	case REPORT_FLAP_SUMMARY:
	case REPORT_MINUTE:
		break;
	}
}

static const char *ms(const struct dist *d, char to[16])
{
	if (!d->n)
		snprintf(to, 16, "-");
	else
		snprintf(to, 16, "%.1f", d->p50_us / 1000);
	return to;
}

static const char *percent(struct report_loss l, char to[16])
{
	if (!l.packets)
		snprintf(to, 16, "-");
	else if (!l.lost)
		snprintf(to, 16, "0");
	else
		snprintf(to, 16, "%.2f%%", 100 * ratio(l));
	return to;
}

static void print_packets(const struct text *t, FILE *out)
{
	fprintf(out,
		"%zu lines: %" PRIu64 " up, %" PRIu64 " down, %" PRIu64 " suspect, %" PRIu64
		" without a session; %" PRIu64 " flows\n",
		t->n_lines, t->up, t->down, t->suspect, t->unknown, t->flows);
	fprintf(out,
		"%" PRIu64 " sessions came up, %" PRIu64 " went down, %" PRIu64
		" set-ups failed, %" PRIu64 " lines fell silent and came back\n",
		t->event_count[SESSION_UP], t->event_count[SESSION_DOWN],
		t->event_count[SESSION_SETUP_FAILED], t->event_count[SESSION_RECOVERED]);
}

/* Events (--events) count as packets that have no bytes. */
static void print_summary(const struct text *t, const char *const *files, uint32_t n_files,
			  double elapsed_s, FILE *out)
{
	bool events = t->packets && !t->bytes;
	double duration =
		t->first_ns == REPORT_ABSENT ? 0 : (double)(t->last_ns - t->first_ns) / 1e9;
	fprintf(out, "%s%s: %" PRIu64 " %s, ", files[0], n_files > 1 ? " and others" : "",
		t->packets, events ? "events" : "packets");
	if (!events)
		fprintf(out, "%.1f MB, ", (double)t->bytes / 1e6);
	fprintf(out, "%.0f s of %s, read in %.2f s\n", duration, events ? "time" : "traffic",
		elapsed_s);
	if (!events)
		print_packets(t, out);
	fprintf(out, "%s: %s\n", events ? "events" : "packets",
		t->verdicts[0] ? t->verdicts : "none");
	if (t->refusals[0])
		fprintf(out, "LIMITS HIT: %s\n", t->refusals);
}

static void print_nodes(const struct text *t, FILE *out)
{
	char a[16], b[16], c[16], d[16], e[16];
	size_t shown = 0;
	for (size_t i = 0; i < t->n_nodes; i++) {
		const struct node_row *r = &t->nodes[i];
		if (strcmp(r->type, "access_node") != 0 || shown++ >= MAX_NODES)
			continue;
		if (shown == 1)
			fprintf(out,
				"\n%-24s %6s %6s %6s %6s  %8s %8s %8s  %8s %8s\n%-24s %6s %6s %6s %6s  "
				"%8s %8s %8s  %8s %8s\n",
				"access node", "lines", "up", "down", "flaps", "line", "access",
				"internet", "access", "internet", "", "", "", "", "", "ms", "ms",
				"ms", "loss", "loss");
		fprintf(out,
			"%-24.24s %6" PRIu64 " %6" PRIu64 " %6" PRIu64 " %6" PRIu64
			"  %8s %8s %8s  %8s %8s\n",
			r->name, r->node.lines, r->node.up, r->node.down, r->node.flaps,
			ms(&r->node.rtt.line, a), ms(&r->node.rtt.access, b),
			ms(&r->node.rtt.internet, c),
			percent(sum(r->node.loss.access_down, r->node.loss.access_up), d),
			percent(sum(r->node.loss.internet_down, r->node.loss.internet_up), e));
	}
	if (shown > MAX_NODES)
		fprintf(out, "... and %zu more access nodes\n", shown - MAX_NODES);
}

static int worse_first(const void *a, const void *b)
{
	const struct line_row *x = a, *y = b;
	if (x->badness != y->badness)
		return x->badness < y->badness ? 1 : -1;
	return strcmp(x->name, y->name);
}

static void print_lines(struct text *t, FILE *out)
{
	char a[16], b[16], c[16], d[16], e[16];
	size_t n = t->n_lines < t->top ? t->n_lines : t->top;
	if (!n)
		return;
	qsort(t->lines, t->n_lines, sizeof *t->lines, worse_first);
	fprintf(out, "\n%-28s %-20s %-8s %5s %6s  %8s %8s %8s  %8s %8s\n", "worst lines",
		"subscriber", "state", "flaps", "failed", "line", "access", "internet", "access",
		"internet");
	fprintf(out, "%-28s %-20s %-8s %5s %6s  %8s %8s %8s  %8s %8s\n", "", "", "", "", "set-up",
		"ms", "ms", "ms", "loss", "loss");
	for (size_t i = 0; i < n; i++) {
		const struct line_row *r = &t->lines[i];
		fprintf(out,
			"%-28.28s %-20.20s %-8s %5" PRIu64 " %6" PRIu64 "  %8s %8s %8s  %8s %8s\n",
			r->name, r->subscriber[0] ? r->subscriber : "-", state_names[r->state],
			r->flaps, r->failures, ms(&r->line, a), ms(&r->access, b),
			ms(&r->internet, c), percent(r->access_loss, d),
			percent(r->internet_loss, e));
	}
}

static void print_events(const struct text *t, FILE *out)
{
	char at[TEXT_TIME], since[TEXT_TIME];
	size_t n = t->n_events < MAX_EVENTS ? t->n_events : MAX_EVENTS;
	if (n)
		fprintf(out, "\nevents (UTC)\n");
	for (size_t i = 0; i < n; i++) {
		const struct event_row *e = &t->events[i];
		fprintf(out, "%s  %-28.28s %s", text_time(e->unix_ns, at), e->name,
			kind_names[e->kind]);
		if (cause_names[e->cause][0])
			fprintf(out, ", %s", cause_names[e->cause]);
		if (e->since_ns != REPORT_ABSENT && e->unix_ns - e->since_ns >= 1000000000)
			fprintf(out, ", silent since %s", text_time(e->since_ns, since));
		fputc('\n', out);
	}
	if (t->n_events > n)
		fprintf(out, "... and %zu more; -o json tells all\n", t->n_events - n);
}

void text_print(struct text *t, const char *const *files, uint32_t n_files, double elapsed_s,
		FILE *out)
{
	if (t->flow_reports)
		fputc('\n', out);
	print_summary(t, files, n_files, elapsed_s, out);
	text_incidents_print(&t->incidents, out);
	print_nodes(t, out);
	print_lines(t, out);
	print_events(t, out);
	text_lint_print(&t->lint, out);
}
