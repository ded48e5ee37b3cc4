/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Is the line alive? Silence and time: LCP echoes without an answer, downstream demand without an
 * answer, set-ups that stand still; and the sign of life that ends a suspicion.
 */
#include "engine/analysis/transition.h"

#include <string.h>

static void recover(struct subject *s, struct session *session, uint64_t now_ns,
		    const struct session_out *out)
{
	session->state = STATE_UP;
	transition_tell(
		s, now_ns, out, session,
		(struct session_news){.kind = SESSION_RECOVERED, .setup_ms = REPORT_ABSENT});
}

static void suspect(struct subject *s, struct session *session, uint64_t now_ns, uint64_t since_ns,
		    enum drop_cause cause, const struct session_out *out)
{
	session->state = STATE_SUSPECT;
	s->suspect_ns = now_ns;
	s->silent_since_ns = since_ns;
	transition_tell(s, now_ns, out, session,
			(struct session_news){.kind = SESSION_SUSPECT,
					      .cause = cause,
					      .down_since_ns = since_ns,
					      .setup_ms = REPORT_ABSENT});
}

void session_upstream(struct subject *s, uint64_t now_ns, const struct session_out *out)
{
	struct session *session = subject_current(s);
	bool suspect = session && session->state == STATE_SUSPECT;
	if (!session && s->n_sessions && s->sessions[s->n_sessions - 1].inferred &&
	    s->sessions[s->n_sessions - 1].was_up && s->discovery == DISCOVERY_NONE) {
		transition_revived(s, &s->sessions[s->n_sessions - 1], now_ns, out);
		return;
	}
	if (s->bras_silent_ns)
		return; /* the line was never in doubt */
	transition_calm(s);
	if (suspect)
		recover(s, session, now_ns, out);
}

void session_bras_silent(struct subject *s, uint64_t now_ns, uint64_t since_ns,
			 const struct session_out *out)
{
	struct session *session = subject_current(s);
	s->bras_silent_ns = since_ns;
	if (session && session->state == STATE_UP)
		suspect(s, session, now_ns, since_ns, CAUSE_NAS_FAULT, out);
}

void session_bras_speaks(struct subject *s, struct session *session, uint64_t now_ns,
			 const struct session_out *out)
{
	s->bras_silent_ns = 0;
	transition_calm(s);
	if (session->state == STATE_SUSPECT)
		recover(s, session, now_ns, out);
}

void session_unanswered(struct subject *s, uint64_t now_ns, uint64_t last_up_ns,
			const struct session_out *out)
{
	struct session *session = subject_current(s);
	if (!session || !last_up_ns)
		return;
	s->suspect_by_demand = true;
	if (session->state == STATE_UP)
		suspect(s, session, now_ns, last_up_ns, CAUSE_NONE, out);
}

void session_blind(struct subject *s)
{
	s->n_echoes = 0;
	s->echoes_missed = 0;
	s->discovery = DISCOVERY_NONE;
	s->padi_ns = 0;
}

void session_sighted(struct subject *s, uint64_t passed_ns)
{
	if (s->suspect_ns)
		s->suspect_ns += passed_ns;
	for (uint32_t i = 0; i < s->n_sessions; i++)
		if (s->sessions[i].state >= STATE_LCP && s->sessions[i].state <= STATE_REFUSED)
			s->sessions[i].progress_ns += passed_ns;
}

static uint64_t setup_deadline(const struct subject *s)
{
	uint64_t at = s->discovery ? s->discovery_ns + SESSION_SETUP_NS : 0;
	for (uint32_t i = s->n_sessions; i-- > 0;) {
		const struct session *session = &s->sessions[i];
		uint64_t then = session->progress_ns + SESSION_SETUP_NS;
		if (session->state >= STATE_LCP && session->state <= STATE_REFUSED &&
		    (!at || then < at))
			at = then;
		if (session->state == STATE_ENDED && i + 4 < s->n_sessions)
			break; /* set-ups under way are among the newest */
	}
	return at;
}

uint64_t session_deadline(const struct subject *s)
{
	uint64_t at = setup_deadline(s), echo = s->n_echoes ? s->echo_ns[0] + SESSION_ECHO_NS : 0;
	uint64_t confirm =
		s->suspect_ns && s->suspect_by_demand ? s->suspect_ns + SESSION_SUSPECT_NS : 0;
	if (echo && (!at || echo < at))
		at = echo;
	return confirm && (!at || confirm < at) ? confirm : at;
}

static void lose(struct subject *s, struct session *session, uint64_t now_ns,
		 const struct session_out *out)
{
	session->inferred = true;
	transition_down_silently(s, session, s->silent_since_ns, now_ns, NULL, out);
}

static void echo_missed(struct subject *s, uint64_t now_ns, const struct session_out *out)
{
	struct session *session = subject_current(s);
	s->n_echoes--;
	memmove(s->echo_ns, s->echo_ns + 1, s->n_echoes * sizeof *s->echo_ns);
	if (!session)
		return;
	s->echoes_missed++;
	if (session->state == STATE_UP)
		suspect(s, session, now_ns, s->echo_last_up_ns, CAUSE_NONE, out);
	if (s->echoes_missed >= SESSION_ECHOES_LOST)
		lose(s, session, now_ns, out);
}

static void setup_timed_out(struct subject *s, uint64_t now_ns, const struct session_out *out)
{
	if (s->discovery && s->discovery_ns + SESSION_SETUP_NS <= now_ns)
		transition_setup_failed(s, NULL,
					s->discovery == DISCOVERY_PADI ? STAGE_PADI_NO_PADO
								       : STAGE_PADR_NO_PADS,
					CAUSE_UNKNOWN, now_ns, NULL, out);
	for (uint32_t i = 0; i < s->n_sessions; i++)
		if (s->sessions[i].state >= STATE_LCP && s->sessions[i].state <= STATE_REFUSED &&
		    s->sessions[i].progress_ns + SESSION_SETUP_NS <= now_ns) {
			s->sessions[i].inferred = true;
			transition_setup_ended(s, &s->sessions[i], now_ns, NULL, out);
		}
}

void session_timer(struct subject *s, uint64_t now_ns, const struct session_out *out)
{
	struct session *session;
	while (s->n_echoes && s->echo_ns[0] + SESSION_ECHO_NS <= now_ns)
		echo_missed(s, now_ns, out);
	session = subject_current(s);
	if (!session)
		transition_calm(s);
	if (session && s->suspect_ns && s->suspect_by_demand &&
	    s->suspect_ns + SESSION_SUSPECT_NS <= now_ns)
		lose(s, session, now_ns, out);
	setup_timed_out(s, now_ns, out);
}
