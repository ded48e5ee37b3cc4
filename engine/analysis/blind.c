/* SPDX-License-Identifier: BSD-3-Clause */
#include "engine/analysis/blind.h"

#include "engine/analysis/analysis.h"
#include "engine/analysis/outage/outage.h"
#include "engine/analysis/session.h"
#include "engine/packet/worker.h"

/* Demand that began unseen is believed when it goes on for so long. */
#define BLIND_AFTER_NS 10000000000ull

bool blind_is(const struct analysis *a, const struct subject *s)
{
	return a->taps[s->tap].blind;
}

/* Since when the line's tap, and the whole stream, see; 0: always. */
static uint64_t sighted_ns_of(const struct analysis *a, const struct subject *s)
{
	uint64_t all_ns = a->options.many_taps ? a->taps[0].sighted_ns : 0;
	uint64_t own_ns = a->taps[s->tap].sighted_ns;
	return own_ns > all_ns ? own_ns : all_ns;
}

bool blind_hid(const struct analysis *a, const struct subject *s, uint64_t since_ns)
{
	return since_ns && since_ns < sighted_ns_of(a, s);
}

bool blind_voids(const struct analysis *a, const struct subject *s, const struct signal *signal)
{
	uint64_t sighted_ns = sighted_ns_of(a, s);
	uint64_t began_ns =
		signal->kind == SIGNAL_UNANSWERED ? signal->last_up_ns : signal->asked_ns;
	if (signal->kind != SIGNAL_UNANSWERED && signal->kind != SIGNAL_NO_INTERNET &&
	    signal->kind != SIGNAL_NO_NAMES)
		return false;
	return began_ns < sighted_ns && signal->ts_ns < sighted_ns + BLIND_AFTER_NS;
}

void blind_heard_by(struct analysis *a, uint32_t number, uint32_t tap)
{
	struct subject *s = &a->subjects[number];
	if (tap >= ANALYSIS_MAX_TAPS || s->tap == tap)
		return;
	s->tap = (uint8_t)tap;
	if (a->outage)
		outage_heard_by(a->outage, number, tap);
}

/* The whole stream is every line's tap. */
static bool concerns(const struct analysis *a, const struct subject *s, uint32_t tap)
{
	return s->known && ((a->options.many_taps && tap == 0) || s->tap == tap);
}

static const char *name_of(const struct analysis *a, uint32_t tap)
{
	const char *name =
		a->options.tap_name ? a->options.tap_name(a->options.tap_context, tap) : NULL;
	return name ? name : "";
}

static void fall_blind(struct analysis *a, uint32_t tap, const struct out_tap *record)
{
	const uint64_t since_ns = record->out.clock_ns;
	const struct reach_out reach = analysis_reach_out(a);
	bras_unseen(&a->brases);
	for (uint32_t i = 1; i < a->n_subjects; i++) {
		struct subject *s = &a->subjects[i];
		if (!concerns(a, s, tap))
			continue;
		if (s->tap != tap)
			blind_heard_by(a, i, tap);
		session_blind(s);
		reach_forget(s, since_ns, &reach);
		s->timer_ns = 0;
	}
	a->taps[tap].blind = true;
	a->taps[tap].since_ns = since_ns;
	if (a->outage)
		outage_gap_begins(a->outage, tap, name_of(a, tap),
				  record->what == TAP_CLOCK ? "clock" : "silent", since_ns,
				  a->now_ns > since_ns ? a->now_ns : since_ns);
}

static void see_again(struct analysis *a, uint32_t tap, uint64_t now_ns)
{
	struct analysis_tap *t = &a->taps[tap];
	uint64_t passed_ns = now_ns > t->since_ns ? now_ns - t->since_ns : 0;
	if (!t->blind)
		return;
	t->blind = false;
	t->sighted_ns = now_ns;
	for (uint32_t i = 1; i < a->n_subjects; i++) {
		struct subject *s = &a->subjects[i];
		if (!concerns(a, s, tap))
			continue;
		session_sighted(s, passed_ns);
		analysis_arm(a, i);
	}
	if (a->outage)
		outage_gap_ends(a->outage, tap, now_ns);
}

void blind_take(struct analysis *a, const struct out_tap *record)
{
	uint32_t tap = record->tap;
	if (tap >= ANALYSIS_MAX_TAPS)
		a->refused++;
	else if (record->what == TAP_SPEAKS)
		see_again(a, tap, record->out.clock_ns);
	else if (!a->taps[tap].blind)
		fall_blind(a, tap, record);
}

void blind_drops(struct analysis *a, uint32_t tap, bool too_many, uint64_t since_ns)
{
	if (a->outage && too_many)
		outage_gap_begins(a->outage, tap, name_of(a, tap), "drops", since_ns, a->now_ns);
	else if (a->outage)
		outage_gap_ends(a->outage, tap, a->now_ns);
}
