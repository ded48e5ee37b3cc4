/* SPDX-License-Identifier: BSD-3-Clause */
#include "engine/analysis/transition.h"

void transition_tell(struct subject *s, uint64_t now_ns, const struct session_out *out,
		     const struct session *session, struct session_news news)
{
	news.pppoe_session_id = session ? session->told.pppoe_session_id : -1;
	s->changed = true;
	out->tell(out->context, s, now_ns, &news);
}

void transition_calm(struct subject *s)
{
	s->n_echoes = 0;
	s->echoes_missed = 0;
	s->suspect_ns = 0;
	s->suspect_by_demand = false;
}

static void transition_end(struct session *session, enum drop_cause cause, uint64_t since_ns,
			   uint64_t now_ns)
{
	session->reached = session->state;
	session->state = STATE_ENDED;
	session->told.cause = cause;
	session->told.down_unix_ns = (int64_t)since_ns;
	session->told.detected_unix_ns = (int64_t)now_ns;
}

void transition_down(struct subject *s, struct session *session, enum drop_cause cause,
		     uint64_t since_ns, uint64_t now_ns, const char *text,
		     const struct session_out *out)
{
	if (session->loopback)
		cause = CAUSE_LOOPBACK;
	if (s->bras_silent_ns) { /* whoever says goodbye now, the BRAS was first */
		cause = CAUSE_NAS_FAULT;
		since_ns = s->bras_silent_ns;
		s->bras_silent_ns = 0;
	}
	transition_end(session, cause, since_ns, now_ns);
	transition_calm(s);
	s->drop_since_ns = since_ns;
	s->drop_cause = cause;
	transition_tell(s, now_ns, out, session,
			(struct session_news){.kind = SESSION_DOWN,
					      .cause = cause,
					      .down_since_ns = since_ns,
					      .text = text,
					      .setup_ms = REPORT_ABSENT,
					      .redialled = s->redialling});
}

/* Silent: nobody said goodbye, so the line was gone since its last frame. */
void transition_down_silently(struct subject *s, struct session *session, uint64_t last_up_ns,
			      uint64_t now_ns, const char *text, const struct session_out *out)
{
	uint64_t since = last_up_ns ? last_up_ns : now_ns;
	if (s->suspect_ns && s->silent_since_ns)
		since = s->silent_since_ns;
	transition_down(s, session, CAUSE_LINE_LOST, since, now_ns, text, out);
}

void transition_setup_failed(struct subject *s, struct session *session, enum setup_stage stage,
			     enum drop_cause cause, uint64_t now_ns, const char *text,
			     const struct session_out *out)
{
	uint64_t began = session && session->auth_ns ? session->auth_ns : s->padi_ns;
	s->setup_failures++;
	s->discovery = DISCOVERY_NONE;
	s->padi_ns = 0;
	if (session && session->state != STATE_REFUSED)
		session->told.failed_stage = stage;
	transition_tell(s, now_ns, out, session,
			(struct session_news){.kind = SESSION_SETUP_FAILED,
					      .cause = cause,
					      .stage = stage,
					      .began_ns = began,
					      .text = text,
					      .setup_ms = REPORT_ABSENT});
}

static enum setup_stage stage_of(const struct session *session)
{
	if (session->state == STATE_AUTH)
		return STAGE_AUTH_SILENT;
	return session->state == STATE_NCP ? STAGE_NCP : STAGE_LCP;
}

/* A set-up that ended before it was up. */
void transition_setup_ended(struct subject *s, struct session *session, uint64_t now_ns,
			    const char *text, const struct session_out *out)
{
	enum setup_stage stage = stage_of(session);
	bool refused = session->state == STATE_REFUSED;
	enum drop_cause cause = refused		     ? session->told.cause
				: stage == STAGE_NCP ? CAUSE_RESOURCE
						     : CAUSE_UNKNOWN;
	if (session->loopback)
		cause = CAUSE_LOOPBACK;
	if (!refused && session->told.failed_stage == STAGE_NONE)
		transition_setup_failed(s, session, stage, cause, now_ns, text, out);
	transition_end(session, cause, now_ns, now_ns);
}

void transition_up(struct subject *s, struct session *session, uint64_t now_ns,
		   const struct session_out *out)
{
	int64_t setup_ms = s->padi_ns ? (int64_t)((now_ns - s->padi_ns) / 1000000) : REPORT_ABSENT;
	session->state = STATE_UP;
	session->was_up = true;
	session->told.up_unix_ns = (int64_t)now_ns;
	s->discovery = DISCOVERY_NONE;
	s->padi_ns = 0;
	s->bras_silent_ns = 0;
	transition_calm(s);
	transition_tell(s, now_ns, out, session,
			(struct session_news){.kind = SESSION_UP, .setup_ms = setup_ms});
	s->drop_since_ns = 0;
}

void transition_revived(struct subject *s, struct session *session, uint64_t now_ns,
			const struct session_out *out)
{
	session->state = STATE_UP;
	session->inferred = false;
	session->told.cause = CAUSE_NONE;
	session->told.down_unix_ns = session->told.detected_unix_ns = REPORT_ABSENT;
	transition_calm(s);
	s->drop_since_ns = 0;
	transition_tell(
		s, now_ns, out, session,
		(struct session_news){.kind = SESSION_RECOVERED, .setup_ms = REPORT_ABSENT});
}
