/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The transitions of a session: what changes in the line, and what is told of it. Whoever sees a
 * reason (control messages in session.c, silence and time in liveness.c) calls them.
 */
#ifndef RASAD_ENGINE_ANALYSIS_TRANSITION_H
#define RASAD_ENGINE_ANALYSIS_TRANSITION_H

#include "engine/analysis/session.h"

/* Tells news of the line; the session may be NULL. */
void transition_tell(struct subject *s, uint64_t now_ns, const struct session_out *out,
		     const struct session *session, struct session_news news);

/* Forgets every suspicion. */
void transition_calm(struct subject *s);

void transition_up(struct subject *s, struct session *session, uint64_t now_ns,
		   const struct session_out *out);

void transition_down(struct subject *s, struct session *session, enum drop_cause cause,
		     uint64_t since_ns, uint64_t now_ns, const char *text,
		     const struct session_out *out);

/* Nobody said goodbye, so the line was gone since its last frame. */
void transition_down_silently(struct subject *s, struct session *session, uint64_t last_up_ns,
			      uint64_t now_ns, const char *text, const struct session_out *out);

/* A set-up got no further than `stage`; the session may be NULL (discovery). */
void transition_setup_failed(struct subject *s, struct session *session, enum setup_stage stage,
			     enum drop_cause cause, uint64_t now_ns, const char *text,
			     const struct session_out *out);

/* A session ended before it was up; told once. */
void transition_setup_ended(struct subject *s, struct session *session, uint64_t now_ns,
			    const char *text, const struct session_out *out);

/* A session that was taken for lost lives. */
void transition_revived(struct subject *s, struct session *session, uint64_t now_ns,
			const struct session_out *out);

/* The BRAS speaks again in this session (liveness.c). */
void session_bras_speaks(struct subject *s, struct session *session, uint64_t now_ns,
			 const struct session_out *out);

#endif
