/* SPDX-License-Identifier: BSD-3-Clause */
#include "engine/analysis/analysis.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "engine/analysis/session.h"
#include "engine/analysis/summary.h"
#include "engine/packet/worker.h"

/* A changed card is told at the next round, any other before its TTL of 900 s is half gone. */
#define CARDS_ROUND_NS	10000000000ull
#define CARD_REFRESH_NS 240000000000ull

void analysis_init(struct analysis *a, const struct analysis_options *options,
		   const struct worker *worker, struct report_sink sink)
{
	*a = (struct analysis){.options = *options, .worker = worker, .sink = sink};
}

void analysis_fini(struct analysis *a)
{
	for (uint32_t i = 0; i < a->n_subjects; i++)
		free(a->subjects[i].sessions);
	free(a->subjects);
	timers_fini(&a->timers);
	*a = (struct analysis){0};
}

/* What the line is called while no circuit-id is known. */
static void name_subject(struct subject *s, const struct line *line)
{
	char mac[18];
	const uint8_t *m = line->cpe_mac;
	snprintf(mac, sizeof mac, "%02x:%02x:%02x:%02x:%02x:%02x", m[0], m[1], m[2], m[3], m[4],
		 m[5]);
	s->svlan = line->svlan;
	s->cvlan = line->cvlan;
	switch (line->by) {
	case LINE_BY_VLANS:
		snprintf(s->fallback, sizeof s->fallback, "%u.%u", line->svlan, line->cvlan);
		break;
	case LINE_BY_IPV4:
		inet_ntop(AF_INET, line->address, s->fallback, sizeof s->fallback);
		break;
	case LINE_BY_IPV6:
		inet_ntop(AF_INET6, line->address, s->fallback, sizeof s->fallback);
		break;
	case LINE_BY_MAC:
		if (line->svlan)
			snprintf(s->fallback, sizeof s->fallback, "%u/%s", line->svlan, mac);
		else
			snprintf(s->fallback, sizeof s->fallback, "%s", mac);
		break;
	default:
		snprintf(s->fallback, sizeof s->fallback, "link-%llu",
			 (unsigned long long)(line->key & 0xffffffffffffull));
	}
	s->known = true;
}

static bool make_room(struct analysis *a, uint32_t line)
{
	uint32_t room = a->room ? a->room : 64;
	struct subject *grown;
	while (room <= line)
		room *= 2;
	if (room == a->room)
		return true;
	grown = realloc(a->subjects, room * sizeof *grown);
	if (!grown)
		return false;
	memset(grown + a->room, 0, (room - a->room) * sizeof *grown);
	a->subjects = grown;
	a->room = room;
	return true;
}

static struct subject *subject_of(struct analysis *a, uint32_t line)
{
	struct subject *s;
	if (!make_room(a, line)) {
		a->refused++;
		return NULL;
	}
	if (line >= a->n_subjects)
		a->n_subjects = line + 1;
	s = &a->subjects[line];
	if (!s->known)
		name_subject(s, line_at(&a->worker->meter.lines, line));
	return s;
}

static void tell_flapping(struct analysis *a, struct subject *s, uint64_t now_ns)
{
	const struct report_flap_summary summary = {
		.unix_ns = (int64_t)now_ns,
		.who = subject_who(s),
		.flapping = s->flap.flapping,
		.flaps = s->flap.since_summary,
		.flaps_5m = flap_count(&s->flap, now_ns, 300),
		.flaps_1h = flap_count(&s->flap, now_ns, 3600),
		.flaps_24h = flap_count(&s->flap, now_ns, 86400),
		.penalty = (uint32_t)flap_penalty(&s->flap, now_ns),
	};
	const struct report report = {REPORT_FLAP_SUMMARY, {.flap_summary = &summary}};
	a->sink.take(a->sink.context, &report);
	s->flap.summary_ns = now_ns;
	s->flap.since_summary = 0;
	s->changed = true;
}

/* The bookkeeping of flaps; true when this transition is no longer news by itself. */
static bool follow_flaps(struct analysis *a, struct subject *s, uint64_t now_ns,
			 const struct session_news *news)
{
	bool was = s->flap.flapping, begins = false;
	if (news->kind == SESSION_DOWN || news->cause == CAUSE_AUTH_FAIL)
		begins = flap_drop(&s->flap, news->cause, now_ns);
	else if (news->kind == SESSION_UP && s->drop_since_ns)
		begins = flap_return(&s->flap, s->drop_cause,
				     now_ns > s->drop_since_ns ? now_ns - s->drop_since_ns : 0,
				     now_ns);
	if (begins)
		tell_flapping(a, s, now_ns);
	return was;
}

static void take_news(void *context, struct subject *s, uint64_t now_ns,
		      const struct session_news *news)
{
	struct analysis *a = context;
	const struct report_session_event event = {
		.unix_ns = (int64_t)now_ns,
		.who = subject_who(s),
		.kind = news->kind,
		.cause = news->cause,
		.stage = news->stage,
		.down_since_unix_ns =
			news->down_since_ns ? (int64_t)news->down_since_ns : REPORT_ABSENT,
		.pppoe_session_id = news->pppoe_session_id,
		.evidence = EVIDENCE_TAP,
		.text = news->text,
		.setup_ms = news->setup_ms,
	};
	const struct report report = {REPORT_SESSION_EVENT, {.session_event = &event}};
	if (!follow_flaps(a, s, now_ns, news))
		a->sink.take(a->sink.context, &report);
}

static void tell_card(struct analysis *a, uint32_t line)
{
	struct subject *s = &a->subjects[line];
	summary_line(a, line, a->now_ns);
	s->changed = false;
	s->told_ns = a->now_ns;
}

/* A round over all lines, at most one however far time has jumped. */
static void tell_cards(struct analysis *a)
{
	if (!a->options.cards || a->now_ns < a->cards_ns + CARDS_ROUND_NS)
		return;
	a->cards_ns = a->now_ns;
	for (uint32_t i = 1; i < a->n_subjects; i++) {
		struct subject *s = &a->subjects[i];
		if (s->known && (s->changed || a->now_ns >= s->told_ns + CARD_REFRESH_NS))
			tell_card(a, i);
	}
}

static uint64_t deadline(const struct subject *s)
{
	uint64_t at = session_deadline(s), flap;
	if (!s->flap.flapping)
		return at;
	flap = flap_release_ns(&s->flap);
	if (s->flap.summary_ns + FLAP_SUMMARY_NS < flap)
		flap = s->flap.summary_ns + FLAP_SUMMARY_NS;
	return !at || flap < at ? flap : at;
}

/* Sets the subject's timer to its deadline; an earlier entry in the heap goes stale. */
static void arm(struct analysis *a, uint32_t line)
{
	struct subject *s = &a->subjects[line];
	uint64_t at = deadline(s);
	if (at == s->timer_ns)
		return;
	s->timer_ns = at;
	if (at && !timers_add(&a->timers, at, line))
		a->refused++;
}

static void run_timer(struct analysis *a, const struct timer *due)
{
	struct subject *s = &a->subjects[due->owner];
	const struct session_out out = {take_news, a};
	if (s->timer_ns != due->at_ns)
		return;
	s->timer_ns = 0;
	session_timer(s, due->at_ns, &out);
	if (flap_release(&s->flap, due->at_ns) ||
	    (s->flap.flapping && s->flap.summary_ns + FLAP_SUMMARY_NS <= due->at_ns))
		tell_flapping(a, s, due->at_ns);
	arm(a, due->owner);
}

void analysis_advance(struct analysis *a, uint64_t now_ns)
{
	struct timer due;
	while (timers_due(&a->timers, now_ns, &due))
		run_timer(a, &due);
	if (now_ns > a->now_ns || now_ns + CLOCK_BEHIND_NS < a->now_ns)
		a->now_ns = now_ns;
	if (a->cards_ns > a->now_ns)
		a->cards_ns = a->now_ns;
	tell_cards(a);
}

static void take_signal(struct analysis *a, const struct signal *signal)
{
	const struct session_out out = {take_news, a};
	struct subject *s = subject_of(a, signal->line);
	if (!s)
		return;
	switch (signal->kind) {
	case SIGNAL_CONTROL:
		session_control(s, &signal->control, signal->ts_ns, signal->last_up_ns, &out);
		break;
	case SIGNAL_SESSION:
		subject_learn(s, &signal->control);
		session_seen(s, &signal->control, signal->ts_ns, &out);
		break;
	case SIGNAL_UPSTREAM:
		session_upstream(s, signal->ts_ns, &out);
		break;
	case SIGNAL_UNANSWERED:
		session_unanswered(s, signal->ts_ns, signal->last_up_ns, &out);
		break;
	case SIGNAL_ADDRESS:
		subject_address(s, signal->ipv6, signal->address, 0, false);
		break;
	}
	arm(a, signal->line);
}

void analysis_signals(struct analysis *a, const struct signal *signals, uint32_t n, uint64_t now_ns)
{
	for (uint32_t i = 0; i < n; i++) {
		analysis_advance(a, signals[i].clock_ns);
		take_signal(a, &signals[i]);
	}
	analysis_advance(a, now_ns);
}

bool analysis_knows(struct analysis *a, uint32_t line)
{
	return subject_of(a, line) != NULL;
}

void analysis_summaries(struct analysis *a)
{
	uint32_t lines = line_count(&a->worker->meter.lines);
	for (uint32_t i = 1; i <= lines; i++)
		if (subject_of(a, i))
			summary_line(a, i, a->now_ns);
	summary_nodes(a);
}
