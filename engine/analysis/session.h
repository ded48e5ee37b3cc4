/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The session state machine of one line (algorithms.md 2.1.1 and 2.1.2).
 *
 *   discovery -PADS-> LCP -> AUTH -> NCP -ConfAck-> UP <-> SUSPECT -> ENDED
 *
 * What packets of PPPoE lines cannot show, or only beside other sources, is not here yet: DHCP
 * leases as sessions, two routers that share a credential, the learned
 * hour of a daily reconnect.
 *
 * Fed with control messages and signals in packet order, and with packet time for its timers. It
 * says what happened through session_out; who is told (and that a FLAPPING line is not news) is
 * the caller's affair. A silent loss is dated back to the last upstream frame.
 */
#ifndef RASAD_ENGINE_ANALYSIS_SESSION_H
#define RASAD_ENGINE_ANALYSIS_SESSION_H

#include "engine/analysis/subject.h"

#define SESSION_SETUP_NS   15000000000ull /* without progress: the set-up has failed */
#define SESSION_ECHO_NS	   3000000000ull  /* an LCP echo unanswered for that long is missed */
#define SESSION_SUSPECT_NS 30000000000ull /* unanswered demand confirms the loss */

enum { SESSION_ECHOES_LOST = 3 };

/* An event of the line; fields as in struct report_session_event. */
struct session_news {
	enum session_event_kind kind;
	enum drop_cause cause;
	enum setup_stage stage;
	uint64_t down_since_ns; /* 0: none */
	uint64_t began_ns; /* SETUP_FAILED: the first request that found no answer; 0: unknown */
	int32_t pppoe_session_id;
	const char *text;
	int64_t setup_ms;
	bool redialled; /* DOWN: the CPE dialled over a session that lived, so it had lost its state */
};

struct session_out {
	void (*tell)(void *context, struct subject *s, uint64_t now_ns,
		     const struct session_news *news);
	void *context;
};

/* `last_up_ns`: the line's last upstream frame before this one. */
void session_control(struct subject *s, const struct control *c, uint64_t now_ns,
		     uint64_t last_up_ns, const struct session_out *out);

/* Upstream traffic in session `session_id`, which may be one whose set-up nobody saw. */
void session_seen(struct subject *s, const struct control *c, uint64_t now_ns,
		  const struct session_out *out);

/* The line spoke after an echo or an unanswered demand. */
void session_upstream(struct subject *s, uint64_t now_ns, const struct session_out *out);

/* Downstream demand found no answer since `last_up_ns`. */
void session_unanswered(struct subject *s, uint64_t now_ns, uint64_t last_up_ns,
			const struct session_out *out);

/* Its BRAS, which all lines ask in vain, is silent since `since_ns`: what ends now ends for that. */
void session_bras_silent(struct subject *s, uint64_t now_ns, uint64_t since_ns,
			 const struct session_out *out);

/* Nobody sees the line from now on; nobody saw it for `passed_ns`. What was open is void, and what
 * takes its time goes on where it stood. */
void session_blind(struct subject *s);
void session_sighted(struct subject *s, uint64_t passed_ns);

/* The earliest moment at which session_timer has something to do; 0: none. */
uint64_t session_deadline(const struct subject *s);
void session_timer(struct subject *s, uint64_t now_ns, const struct session_out *out);

#endif
