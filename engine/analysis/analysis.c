/* SPDX-License-Identifier: BSD-3-Clause */
#include "engine/analysis/analysis.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "engine/analysis/blind.h"
#include "engine/analysis/cards.h"
#include "engine/analysis/event.h"
#include "engine/analysis/lint.h"
#include "engine/analysis/outage/outage.h"
#include "engine/analysis/reach.h"
#include "engine/analysis/session.h"
#include "engine/analysis/summary.h"
#include "engine/analysis/watcher.h"
#include "engine/base/clock.h"
#include "engine/base/mac.h"
#include "engine/packet/worker.h"

static const char *line_name(void *context, uint32_t number)
{
	const struct analysis *a = context;
	return subject_name(&a->subjects[number]);
}

void analysis_init(struct analysis *a, const struct analysis_options *options,
		   struct report_sink sink)
{
	uint32_t lines = options->max_lines * options->n_workers;
	*a = (struct analysis){.options = *options, .sink = sink};
	hist_pools_init(&a->hists, HIST_COUNT * lines);
	if (options->minutes)
		minute_table_init(&a->minutes, lines);
	a->outage = outage_new(
		&(struct outage_options){
			.inventory = options->inventory,
			.plans = options->plans,
			.n_plans = options->n_plans,
			.shard = options->shard,
			.max_lines = lines,
			.line_name = line_name,
			.context = a,
		},
		sink);
	a->refused += !a->outage;
}

void analysis_fini(struct analysis *a)
{
	for (uint32_t i = 0; i < ANALYSIS_MAX_WORKERS; i++)
		free(a->workers[i].subject_of);
	for (uint32_t i = 0; i < a->n_subjects; i++)
		free(a->subjects[i].sessions);
	free(a->subjects);
	free(a->totals);
	hist_pools_fini(&a->hists);
	minute_table_fini(&a->minutes);
	timers_fini(&a->timers);
	a->events = event_intake_free(a->events);
	a->outage = outage_free(a->outage);
	*a = (struct analysis){0};
}

/* What the line is called while no circuit-id is known. */
static void name_subject(struct subject *s, const struct line_identity *line)
{
	char mac[MAC_TEXT];
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
		mac_text(mac, line->cpe_mac);
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

static bool grow_subjects(struct analysis *a)
{
	uint32_t room = a->room ? 2 * a->room : 64;
	struct subject *subjects = realloc(a->subjects, room * sizeof *subjects);
	struct totals *totals;
	if (!subjects)
		return false;
	a->subjects = subjects;
	totals = realloc(a->totals, room * sizeof *totals);
	if (!totals)
		return false;
	a->totals = totals;
	a->room = room;
	return true;
}

/* A subject number that is free; 0 without memory. Number 0 is nobody. */
uint32_t analysis_new_subject(struct analysis *a)
{
	uint32_t number = a->free_subject;
	if (number) {
		a->free_subject = (uint32_t)a->subjects[number].timer_ns;
	} else {
		if (a->n_subjects + 2 > a->room && !grow_subjects(a))
			return 0;
		a->n_subjects += a->n_subjects == 0;
		number = a->n_subjects++;
	}
	a->subjects[0] = a->subjects[number] = (struct subject){0};
	a->totals[number] = (struct totals){0};
	return number;
}

/* The line's place in the map of its worker; NULL without memory. */
static uint32_t *number_of(struct analysis_worker *w, uint32_t line)
{
	uint32_t room = w->room ? w->room : 64, *grown;
	while (room <= line)
		room *= 2;
	if (room != w->room) {
		grown = realloc(w->subject_of, room * sizeof *grown);
		if (!grown)
			return NULL;
		memset(grown + w->room, 0, (room - w->room) * sizeof *grown);
		w->subject_of = grown;
		w->room = room;
	}
	return &w->subject_of[line];
}

static void line_appeared(struct analysis *a, uint32_t worker, const struct out_appeared *record)
{
	uint32_t *slot = number_of(&a->workers[worker], record->out.line);
	uint32_t number = slot ? analysis_new_subject(a) : 0;
	if (!number) {
		a->refused++;
		return;
	}
	*slot = number;
	name_subject(&a->subjects[number], &record->identity);
}

/* A line of which nothing but its discovery was seen; its number is free. */
static void line_gone(struct analysis *a, uint32_t worker, uint32_t line)
{
	uint32_t *slot = number_of(&a->workers[worker], line), number = slot ? *slot : 0;
	struct subject *s = &a->subjects[number];
	if (!number)
		return;
	free(s->sessions);
	if (a->outage)
		outage_line_gone(a->outage, number);
	totals_clear(&a->totals[number], &a->hists);
	minute_table_forget(&a->minutes, number);
	*s = (struct subject){.timer_ns = a->free_subject};
	a->free_subject = number;
	*slot = 0;
}

static uint32_t subject_number(const struct analysis *a, uint32_t worker, uint32_t line)
{
	const struct analysis_worker *w = &a->workers[worker];
	return line < w->room ? w->subject_of[line] : 0;
}

const struct subject *analysis_subject(const struct analysis *a, uint32_t worker, uint32_t line)
{
	uint32_t number = subject_number(a, worker, line);
	return number ? &a->subjects[number] : NULL;
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

/* The BRAS of the line's session; NULL: there is none, or it is not known. */
static struct bras *bras_of_line(struct analysis *a, struct subject *s)
{
	const struct session *session = subject_current(s);
	return session ? bras_find(&a->brases, session->ac_mac) : NULL;
}

static void take_symptom(void *context, struct subject *s, struct symptom symptom)
{
	struct analysis *a = context;
	symptom.line = (uint32_t)(s - a->subjects);
	s->changed = true;
	if (a->outage)
		outage_take(a->outage, &symptom);
}

struct reach_out analysis_reach_out(struct analysis *a)
{
	return (struct reach_out){take_symptom, a, &a->resolvers};
}

/* All lines that find RADIUS silent find it so since the same moment. */
static void watch_news(struct analysis *a, const struct subject *s, uint64_t now_ns,
		       const struct session_news *news)
{
	struct session_news known = *news;
	uint32_t number = (uint32_t)(s - a->subjects);
	const struct session *session = NULL;
	const struct bras *bras = NULL;
	if (news->stage == STAGE_AUTH_SILENT && news->began_ns && news->pppoe_session_id >= 0)
		session =
			subject_find(&a->subjects[number], (uint16_t)news->pppoe_session_id, true);
	if (session)
		bras = bras_find(&a->brases, session->ac_mac);
	if (bras)
		known.began_ns = bras_radius_silent(bras, news->began_ns);
	if (news->cause == CAUSE_LINE_LOST && s->padi_ns && blind_hid(a, s, news->down_since_ns))
		known.cause = CAUSE_REPLACED;
	watcher_place(a->outage, number, s);
	outage_heard_by(a->outage, number, s->tap);
	if (news->kind == SESSION_SETUP_FAILED && bras_one_way(&a->brases))
		return; /* whoever answered, nobody saw it */
	watcher_news(a->outage, number, &known, now_ns);
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
	const struct reach_out reach = analysis_reach_out(a);
	if (a->outage)
		watch_news(a, s, now_ns, news);
	if (news->kind == SESSION_DOWN)
		reach_forget(s, now_ns, &reach);
	if (!follow_flaps(a, s, now_ns, news))
		a->sink.take(a->sink.context, &report);
}

struct session_out analysis_session_out(struct analysis *a)
{
	return (struct session_out){take_news, a};
}

static void tell_minute(void *context, uint32_t number, const struct minute *minute)
{
	struct analysis *a = context;
	if (a->subjects[number].known)
		summary_minute(a, number, minute);
}

/* All that happened before `closed_ns` is known now, of every worker. */
static void windows_closed(struct analysis *a, uint64_t closed_ns)
{
	const struct minute_out out = {tell_minute, a};
	if (a->options.minutes)
		minute_table_close(&a->minutes, closed_ns, &out);
	cards_tell(a);
}

static void window_closed(struct analysis *a, uint32_t worker, const struct out_closed *record)
{
	uint64_t before = UINT64_MAX, after = UINT64_MAX;
	for (uint32_t i = 0; i < a->options.n_workers; i++) {
		if (a->workers[i].closed_ns < before)
			before = a->workers[i].closed_ns;
		if (i == worker)
			a->workers[i].closed_ns = record->end_ns;
		if (a->workers[i].closed_ns < after)
			after = a->workers[i].closed_ns;
	}
	if (after != before)
		windows_closed(a, after);
}

static void take_window(struct analysis *a, uint32_t number, const struct out_window *record)
{
	const struct minute_out out = {tell_minute, a};
	totals_add(&a->totals[number], &a->hists, record);
	if (a->options.minutes)
		minute_table_add(&a->minutes, number, record, &out);
}

static uint64_t deadline(const struct subject *s)
{
	uint64_t at = session_deadline(s), reach = reach_deadline(s), flap;
	if (reach && (!at || reach < at))
		at = reach;
	if (!s->flap.flapping)
		return at;
	flap = flap_release_ns(&s->flap);
	if (s->flap.summary_ns + FLAP_SUMMARY_NS < flap)
		flap = s->flap.summary_ns + FLAP_SUMMARY_NS;
	return !at || flap < at ? flap : at;
}

/* Sets the subject's timer to its deadline; an earlier entry in the heap goes stale. */
void analysis_arm(struct analysis *a, uint32_t number)
{
	struct subject *s = &a->subjects[number];
	uint64_t at = blind_is(a, s) ? 0 : deadline(s);
	if (at == s->timer_ns)
		return;
	s->timer_ns = at;
	if (at && !timers_add(&a->timers, at, number))
		a->refused++;
}

static void run_timer(struct analysis *a, const struct timer *due)
{
	struct subject *s = &a->subjects[due->owner];
	const struct session_out out = {take_news, a};
	const struct reach_out reach = analysis_reach_out(a);
	if (s->timer_ns != due->at_ns)
		return;
	s->timer_ns = 0;
	session_timer(s, due->at_ns, &out);
	reach_timer(s, bras_of_line(a, s), due->at_ns, &reach);
	if (flap_release(&s->flap, due->at_ns) ||
	    (s->flap.flapping && s->flap.summary_ns + FLAP_SUMMARY_NS <= due->at_ns))
		tell_flapping(a, s, due->at_ns);
	analysis_arm(a, due->owner);
}

void analysis_advance(struct analysis *a, uint64_t now_ns)
{
	struct timer due;
	while (timers_due(&a->timers, now_ns, &due))
		run_timer(a, &due);
	if (a->outage)
		outage_advance(a->outage, now_ns);
	if (!a->first_ns)
		a->first_ns = now_ns;
	if (now_ns > a->now_ns || now_ns + CLOCK_BEHIND_NS < a->now_ns)
		a->now_ns = now_ns;
}

/* All lines with a session there have lost it. */
static void bras_fell_silent(struct analysis *a, const struct bras *bras, uint64_t now_ns)
{
	const struct session_out out = {take_news, a};
	for (uint32_t i = 1; i < a->n_subjects; i++) {
		struct subject *s = &a->subjects[i];
		if (!s->known || bras_of_line(a, s) != bras)
			continue;
		session_bras_silent(s, now_ns, bras->silent_ns, &out);
		analysis_arm(a, i);
	}
}

static void follow_radius(struct analysis *a, uint32_t number, struct bras *bras,
			  const struct control *c, uint64_t now_ns)
{
	const struct session *session = subject_session_of(&a->subjects[number], c, false);
	bras_authenticates(bras, c, session ? session->auth_ns : 0, now_ns);
}

static void follow_bras(struct analysis *a, uint32_t number, const struct control *c,
			uint64_t now_ns)
{
	bool discovery = c->kind == KIND_PPPOE, ppp = c->kind >= KIND_LCP && c->kind <= KIND_IPV6CP;
	struct bras *bras;
	if ((!discovery && !ppp) || c->dir == DIR_UNKNOWN || (discovery && c->code == PADI))
		return;
	bras = bras_of(&a->brases, c->ac_mac);
	if (bras && bras_follow(bras, number, c, now_ns))
		bras_fell_silent(a, bras, now_ns);
	if (bras && (c->kind == KIND_PAP || c->kind == KIND_CHAP))
		follow_radius(a, number, bras, c, now_ns);
}

static void take_signal(struct analysis *a, uint32_t number, const struct signal *signal)
{
	const struct session_out out = {take_news, a};
	const struct reach_out reach = analysis_reach_out(a);
	struct subject *s = &a->subjects[number];
	blind_heard_by(a, number, signal->tap);
	if (blind_voids(a, s, signal))
		return;
	switch (signal->kind) {
	case SIGNAL_CONTROL:
		follow_bras(a, number, &signal->control, signal->ts_ns);
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
	case SIGNAL_NO_INTERNET:
	case SIGNAL_INTERNET:
	case SIGNAL_RESOLVER:
	case SIGNAL_NO_NAMES:
	case SIGNAL_NAMES:
		reach_signal(s, signal, bras_of_line(a, s), &reach);
		if (signal->kind == SIGNAL_RESOLVER && a->outage)
			watcher_place(a->outage, number, s);
		break;
	}
	analysis_arm(a, number);
}

void analysis_fetch(const struct analysis *a, uint32_t worker, const struct out *const *records,
		    uint32_t n)
{
	struct totals_news news[ANALYSIS_FETCH];
	uint32_t found = 0;
	for (uint32_t i = 0; i < n; i++) {
		uint32_t number = subject_number(a, worker, records[i]->line);
		if (records[i]->kind == OUT_WINDOW && number)
			news[found++] = (struct totals_news){&a->totals[number],
							     (const struct out_window *)records[i]};
	}
	totals_fetch(news, found, &a->hists);
}

void analysis_take(struct analysis *a, uint32_t worker, const struct out *record)
{
	uint32_t number = subject_number(a, worker, record->line);
	analysis_advance(a, record->clock_ns);
	switch ((enum out_kind)record->kind) {
	case OUT_APPEARED:
		line_appeared(a, worker, (const struct out_appeared *)record);
		break;
	case OUT_GONE:
		line_gone(a, worker, record->line);
		break;
	case OUT_SIGNAL:
		if (number)
			take_signal(a, number, &((const struct out_signal *)record)->signal);
		break;
	case OUT_WINDOW:
		if (number)
			take_window(a, number, (const struct out_window *)record);
		break;
	case OUT_CLOSED:
		window_closed(a, worker, (const struct out_closed *)record);
		break;
	case OUT_TAP:
		blind_take(a, (const struct out_tap *)record);
		break;
	case OUT_SECOND:
		break; /* of the detection of outages */
	}
}

void analysis_summaries(struct analysis *a)
{
	const struct minute_out out = {tell_minute, a};
	if (a->options.minutes)
		minute_table_close(&a->minutes, UINT64_MAX, &out);
	for (uint32_t i = 1; i < a->n_subjects; i++)
		if (a->subjects[i].known)
			summary_line(a, i, a->now_ns);
	summary_nodes(a);
	lint_topology(a);
}
