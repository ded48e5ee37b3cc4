/* SPDX-License-Identifier: BSD-3-Clause */
#include "engine/analysis/session.h"

#include <string.h>
#include <strings.h>

#define DAY_NS	     86400000000000ull
#define DAY_SLACK_NS 120000000000ull
/* RADIUS that does not answer makes the BRAS refuse after its time-outs, not at once. */
#define AUTH_SILENT_NS 5000000000ull
/* Frames of a torn-down session still under way do not open it again. */
#define PADS_AGAIN_NS 5000000000ull

static void tell(struct subject *s, uint64_t now_ns, const struct session_out *out,
		 const struct session *session, struct session_news news)
{
	news.pppoe_session_id = session ? session->told.pppoe_session_id : -1;
	s->changed = true;
	out->tell(out->context, s, now_ns, &news);
}

static void calm(struct subject *s)
{
	s->echo_ns = 0;
	s->echoes_missed = 0;
	s->suspect_ns = 0;
	s->suspect_by_demand = false;
}

static void end_session(struct session *session, enum drop_cause cause, uint64_t since_ns,
			uint64_t now_ns)
{
	session->state = STATE_ENDED;
	session->told.cause = cause;
	session->told.down_unix_ns = (int64_t)since_ns;
	session->told.detected_unix_ns = (int64_t)now_ns;
}

static void go_down(struct subject *s, struct session *session, enum drop_cause cause,
		    uint64_t since_ns, uint64_t now_ns, const char *text,
		    const struct session_out *out)
{
	if (session->loopback)
		cause = CAUSE_LOOPBACK;
	end_session(session, cause, since_ns, now_ns);
	calm(s);
	s->drop_since_ns = since_ns;
	s->drop_cause = cause;
	tell(s, now_ns, out, session,
	     (struct session_news){.kind = SESSION_DOWN,
				   .cause = cause,
				   .down_since_ns = since_ns,
				   .text = text,
				   .setup_ms = REPORT_ABSENT});
}

/* Silent: nobody said goodbye, so the line was gone since its last frame. */
static void go_down_silently(struct subject *s, struct session *session, uint64_t last_up_ns,
			     uint64_t now_ns, const char *text, const struct session_out *out)
{
	uint64_t since = last_up_ns ? last_up_ns : now_ns;
	if (s->suspect_ns && s->silent_since_ns)
		since = s->silent_since_ns;
	go_down(s, session, CAUSE_LINE_LOST, since, now_ns, text, out);
}

static void fail_setup(struct subject *s, struct session *session, enum setup_stage stage,
		       enum drop_cause cause, uint64_t now_ns, const char *text,
		       const struct session_out *out)
{
	s->setup_failures++;
	s->discovery = DISCOVERY_NONE;
	s->padi_ns = 0;
	if (session && session->state != STATE_REFUSED)
		session->told.failed_stage = stage;
	tell(s, now_ns, out, session,
	     (struct session_news){.kind = SESSION_SETUP_FAILED,
				   .cause = cause,
				   .stage = stage,
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
static void end_setup(struct subject *s, struct session *session, uint64_t now_ns, const char *text,
		      const struct session_out *out)
{
	enum setup_stage stage = stage_of(session);
	bool refused = session->state == STATE_REFUSED;
	enum drop_cause cause = refused		     ? session->told.cause
				: stage == STAGE_NCP ? CAUSE_RESOURCE
						     : CAUSE_UNKNOWN;
	if (session->loopback)
		cause = CAUSE_LOOPBACK;
	if (!refused)
		fail_setup(s, session, stage, cause, now_ns, text, out);
	end_session(session, cause, now_ns, now_ns);
}

static void refuse(struct subject *s, struct session *session, uint64_t now_ns, const char *text,
		   const struct session_out *out)
{
	bool slow = session->auth_ns && now_ns - session->auth_ns >= AUTH_SILENT_NS;
	s->auth_failures++;
	if (session->state != STATE_AUTH)
		return;
	fail_setup(s, session, slow ? STAGE_AUTH_SILENT : STAGE_AUTH_REJECT, CAUSE_AUTH_FAIL,
		   now_ns, text, out);
	session->told.cause = CAUSE_AUTH_FAIL;
	session->state = STATE_REFUSED;
	session->progress_ns = now_ns;
}

static void go_up(struct subject *s, struct session *session, uint64_t now_ns,
		  const struct session_out *out)
{
	int64_t setup_ms = s->padi_ns ? (int64_t)((now_ns - s->padi_ns) / 1000000) : REPORT_ABSENT;
	session->state = STATE_UP;
	session->was_up = true;
	session->told.up_unix_ns = (int64_t)now_ns;
	s->discovery = DISCOVERY_NONE;
	s->padi_ns = 0;
	calm(s);
	tell(s, now_ns, out, session,
	     (struct session_news){.kind = SESSION_UP, .setup_ms = setup_ms});
	s->drop_since_ns = 0;
}

static void close_other(struct subject *s, struct session *keep, enum drop_cause cause,
			uint64_t last_up_ns, uint64_t now_ns, const struct session_out *out)
{
	for (uint32_t i = 0; i < s->n_sessions; i++) {
		struct session *other = &s->sessions[i];
		if (other == keep || other->state == STATE_ENDED ||
		    (keep && memcmp(other->cpe_mac, keep->cpe_mac, 6) != 0))
			continue;
		if (other->state != STATE_UP && other->state != STATE_SUSPECT)
			end_setup(s, other, now_ns, NULL, out);
		else if (cause == CAUSE_LINE_LOST)
			go_down_silently(s, other, last_up_ns, now_ns, NULL, out);
		else
			go_down(s, other, cause, now_ns, now_ns, NULL, out);
	}
}

/* The CPE dials: whatever session it had is lost, and it did not say so. */
static void padi(struct subject *s, const struct control *c, uint64_t now_ns, uint64_t last_up_ns,
		 const struct session_out *out)
{
	struct session like = {0};
	memcpy(like.cpe_mac, c->cpe_mac, 6);
	close_other(s, &like, CAUSE_LINE_LOST, last_up_ns, now_ns, out);
	if (s->discovery == DISCOVERY_NONE) {
		s->discovery = DISCOVERY_PADI;
		s->discovery_ns = now_ns;
	}
	if (!s->padi_ns)
		s->padi_ns = now_ns;
}

static void progress(struct subject *s, int discovery, uint64_t now_ns)
{
	if ((int)s->discovery >= discovery)
		return;
	s->discovery = discovery;
	s->discovery_ns = now_ns;
}

static void pads(struct subject *s, const struct control *c, uint64_t now_ns, uint64_t last_up_ns,
		 const struct session_out *out)
{
	struct session *session = subject_find(s, c->session_id, false);
	if (c->session_id == 0) {
		fail_setup(s, NULL, STAGE_PADR_NO_PADS, c->error ? CAUSE_RESOURCE : CAUSE_UNKNOWN,
			   now_ns, c->text, out);
		return;
	}
	if (session && session->told.pads_unix_ns != REPORT_ABSENT && session->state != STATE_UP &&
	    now_ns - (uint64_t)session->told.pads_unix_ns < PADS_AGAIN_NS)
		return; /* the same PADS again */
	if (session)	/* the id is in use again: the old session is over */
		close_other(s, NULL, CAUSE_REPLACED, last_up_ns, now_ns, out);
	session = subject_open(s, c->session_id);
	if (!session)
		return;
	session->state = STATE_LCP;
	session->told.pads_unix_ns = (int64_t)now_ns;
	session->progress_ns = now_ns;
	memcpy(session->cpe_mac, c->cpe_mac, 6);
	memcpy(session->ac_mac, c->ac_mac, 6);
	s->discovery = DISCOVERY_NONE;
	close_other(s, session, CAUSE_LINE_LOST, last_up_ns, now_ns, out);
}

static bool says(const char *text, const char *word)
{
	for (; *text; text++)
		if (strncasecmp(text, word, strlen(word)) == 0)
			return true;
	return false;
}

static bool near_whole_days(const struct session *session, uint64_t now_ns)
{
	uint64_t uptime;
	if (session->told.up_unix_ns == REPORT_ABSENT)
		return false;
	uptime = now_ns - (uint64_t)session->told.up_unix_ns;
	return uptime > DAY_NS - DAY_SLACK_NS &&
	       (uptime + DAY_SLACK_NS) % DAY_NS < 2 * DAY_SLACK_NS;
}

/* The BRAS ended it: because the line was silent, because its clock said so, or because somebody
 * or something told it to. */
static void ended_by_ac(struct subject *s, struct session *session, const struct control *c,
			uint64_t now_ns, uint64_t last_up_ns, const struct session_out *out)
{
	bool silent = s->suspect_ns || s->echoes_missed;
	if (silent || says(c->text, "keepalive") || says(c->text, "echo") ||
	    says(c->text, "carrier"))
		go_down_silently(s, session, last_up_ns, now_ns, c->text, out);
	else if (says(c->text, "idle"))
		go_down(s, session, CAUSE_IDLE_TIMEOUT, now_ns, now_ns, c->text, out);
	else if (says(c->text, "session timeout") || says(c->text, "session-timeout") ||
		 near_whole_days(session, now_ns))
		go_down(s, session, CAUSE_SESSION_TIMEOUT, now_ns, now_ns, c->text, out);
	else
		go_down(s, session, CAUSE_ADMIN, now_ns, now_ns, c->text, out);
}

/* Who said goodbye: by the direction, else by the MACs of the session (control_read puts the
 * sender's first while the direction is unknown). */
static bool is_from_cpe(const struct session *session, const struct control *c)
{
	if (c->dir != DIR_UNKNOWN)
		return c->dir == DIR_UP;
	return memcmp(session->cpe_mac, c->cpe_mac, 6) == 0;
}

static void terminated(struct subject *s, const struct control *c, uint64_t now_ns,
		       uint64_t last_up_ns, const struct session_out *out)
{
	struct session *session = subject_find(s, c->session_id, true);
	if (!session)
		return;
	session->inferred = false; /* now it is certain */
	if (session->state == STATE_ENDED)
		return;
	if (session->state != STATE_UP && session->state != STATE_SUSPECT)
		end_setup(s, session, now_ns, c->text, out);
	else if (is_from_cpe(session, c))
		go_down(s, session, CAUSE_CPE_TERM, now_ns, now_ns, c->text, out);
	else
		ended_by_ac(s, session, c, now_ns, last_up_ns, out);
}

static void discovery(struct subject *s, const struct control *c, uint64_t now_ns,
		      uint64_t last_up_ns, const struct session_out *out)
{
	switch (c->code) {
	case PADI:
		padi(s, c, now_ns, last_up_ns, out);
		break;
	case PADO:
		progress(s, DISCOVERY_PADO, now_ns);
		break;
	case PADR:
		if (!s->padi_ns)
			s->padi_ns = now_ns;
		progress(s, DISCOVERY_PADR, now_ns);
		break;
	case PADS:
		pads(s, c, now_ns, last_up_ns, out);
		break;
	case PADT:
		terminated(s, c, now_ns, last_up_ns, out);
		break;
	}
}

/* The session that a PPP message belongs to. One that nobody saw begin was joined mid-stream, or
 * its PADS was lost; one that ended stays ended, but for an end that was only inferred. */
static struct session *session_of(struct subject *s, const struct control *c, uint64_t now_ns,
				  bool established, const struct session_out *out)
{
	struct session *session = subject_find(s, c->session_id, false);
	if (session)
		return session;
	session = subject_find(s, c->session_id, true);
	if (session && !session->inferred)
		return NULL;
	if (session)
		return session;
	session = subject_open(s, c->session_id);
	if (!session)
		return NULL;
	session->told.first_seen_unix_ns = (int64_t)now_ns;
	session->state = established ? STATE_UP : STATE_LCP;
	session->was_up = established;
	session->progress_ns = now_ns;
	memcpy(session->cpe_mac, c->cpe_mac, 6);
	memcpy(session->ac_mac, c->ac_mac, 6);
	if (established) {
		calm(s);
		tell(s, now_ns, out, session,
		     (struct session_news){.kind = SESSION_UP, .setup_ms = REPORT_ABSENT});
		s->drop_since_ns = 0;
	}
	return session;
}

/* A request said again is no progress. */
static void step(struct session *session, enum session_state state, uint64_t now_ns)
{
	if (session->state >= state)
		return;
	session->state = state;
	session->progress_ns = now_ns;
}

/* A set-up that was given up for lost goes on after all. */
static void resume_setup(struct session *session, uint64_t now_ns)
{
	session->state = STATE_LCP;
	session->inferred = false;
	session->progress_ns = now_ns;
	session->told.cause = CAUSE_NONE;
	session->told.down_unix_ns = session->told.detected_unix_ns = REPORT_ABSENT;
}

static void echo_asked(struct subject *s, struct session *session, uint64_t now_ns,
		       uint64_t last_up_ns)
{
	if (session->state != STATE_UP && session->state != STATE_SUSPECT)
		return;
	if (!s->echo_ns)
		s->echo_last_up_ns = last_up_ns;
	s->echo_ns = now_ns;
}

static void lcp(struct subject *s, struct session *session, const struct control *c,
		uint64_t now_ns, uint64_t last_up_ns)
{
	if (c->dir == DIR_DOWN && c->magic && c->code != PPP_CONF_NAK)
		session->ac_magic = c->code == PPP_CONF_ACK ? session->ac_magic : c->magic;
	if (c->dir == DIR_UP && (c->code == PPP_ECHO_REQ || c->code == PPP_CONF_REQ) && c->magic &&
	    c->magic == session->ac_magic)
		session->loopback = true;
	if (c->code == PPP_ECHO_REQ && c->dir == DIR_DOWN)
		echo_asked(s, session, now_ns, last_up_ns);
	else if (c->code <= PPP_CONF_ACK)
		step(session, STATE_LCP, now_ns);
}

static void authentication(struct subject *s, struct session *session, const struct control *c,
			   uint64_t now_ns, const struct session_out *out)
{
	bool pap = c->kind == KIND_PAP;
	if ((pap && c->code == PAP_NAK) || (!pap && c->code == CHAP_FAILURE)) {
		step(session, STATE_AUTH, now_ns);
		refuse(s, session, now_ns, c->text, out);
		return;
	}
	if ((pap && c->code == PAP_ACK) || (!pap && c->code == CHAP_SUCCESS)) {
		step(session, STATE_NCP, now_ns);
		return;
	}
	step(session, STATE_AUTH, now_ns);
	if (!session->auth_ns && (pap || c->code == CHAP_RESPONSE))
		session->auth_ns = now_ns;
}

/* Up when both ends have acknowledged, or the CPE has been given its address. */
static void network(struct subject *s, struct session *session, const struct control *c,
		    uint64_t now_ns, const struct session_out *out)
{
	if (session->state == STATE_UP || session->state == STATE_SUSPECT) {
		if (c->code == PPP_CONF_ACK && c->dir == DIR_DOWN && c->has_ipv4)
			subject_address(s, false, c->ipv4, 0, true);
		return;
	}
	step(session, STATE_NCP, now_ns);
	if (c->code != PPP_CONF_ACK)
		return;
	session->acked_up |= c->dir == DIR_UP;
	session->acked_down |= c->dir == DIR_DOWN;
	if (c->dir == DIR_DOWN && c->has_ipv4)
		subject_address(s, false, c->ipv4, 0, true);
	if ((session->acked_up && session->acked_down) || (c->dir == DIR_DOWN && c->has_ipv4))
		go_up(s, session, now_ns, out);
}

static void ppp(struct subject *s, const struct control *c, uint64_t now_ns, uint64_t last_up_ns,
		const struct session_out *out)
{
	bool established =
		c->kind == KIND_LCP && (c->code == PPP_ECHO_REQ || c->code == PPP_ECHO_REP);
	struct session *session;
	if (c->kind == KIND_LCP && (c->code == PPP_TERM_REQ || c->code == PPP_TERM_ACK)) {
		if (c->code == PPP_TERM_REQ)
			terminated(s, c, now_ns, last_up_ns, out);
		return;
	}
	session = session_of(s, c, now_ns, established, out);
	if (session && session->state == STATE_ENDED && !session->was_up)
		resume_setup(session, now_ns);
	if (!session || session->state == STATE_ENDED)
		return;
	if (c->kind == KIND_LCP)
		lcp(s, session, c, now_ns, last_up_ns);
	else if (c->kind == KIND_PAP || c->kind == KIND_CHAP)
		authentication(s, session, c, now_ns, out);
	else
		network(s, session, c, now_ns, out);
}

static void assigned_by_dhcp(struct subject *s, const struct control *c)
{
	if (c->kind == KIND_DHCP && c->code == DHCP_ACK && c->has_ipv4)
		subject_address(s, false, c->ipv4, 0, true);
	else if (c->prefix_len && (c->kind == KIND_ICMP6_RA || c->code == DHCP6_REPLY))
		subject_address(s, true, c->ipv6, c->prefix_len, true);
}

void session_control(struct subject *s, const struct control *c, uint64_t now_ns,
		     uint64_t last_up_ns, const struct session_out *out)
{
	subject_learn(s, c);
	switch (c->kind) {
	case KIND_PPPOE:
		discovery(s, c, now_ns, last_up_ns, out);
		break;
	case KIND_LCP:
	case KIND_PAP:
	case KIND_CHAP:
	case KIND_IPCP:
	case KIND_IPV6CP:
		ppp(s, c, now_ns, last_up_ns, out);
		break;
	default:
		assigned_by_dhcp(s, c);
	}
}

/* A session that was taken for lost lives. */
static void revive(struct subject *s, struct session *session, uint64_t now_ns,
		   const struct session_out *out)
{
	session->state = STATE_UP;
	session->inferred = false;
	session->told.cause = CAUSE_NONE;
	session->told.down_unix_ns = session->told.detected_unix_ns = REPORT_ABSENT;
	calm(s);
	s->drop_since_ns = 0;
	tell(s, now_ns, out, session,
	     (struct session_news){.kind = SESSION_RECOVERED, .setup_ms = REPORT_ABSENT});
}

void session_seen(struct subject *s, const struct control *c, uint64_t now_ns,
		  const struct session_out *out)
{
	struct session *session = session_of(s, c, now_ns, true, out);
	if (!session)
		return;
	if (session->state == STATE_ENDED && session->was_up)
		revive(s, session, now_ns, out);
	else if (session->state == STATE_LCP || session->state == STATE_NCP)
		go_up(s, session, now_ns, out); /* data flows: the NCP's ConfAck was missed */
}

void session_upstream(struct subject *s, uint64_t now_ns, const struct session_out *out)
{
	struct session *session = subject_current(s);
	bool suspect = session && session->state == STATE_SUSPECT;
	if (!session && s->n_sessions && s->sessions[s->n_sessions - 1].inferred &&
	    s->sessions[s->n_sessions - 1].was_up && s->discovery == DISCOVERY_NONE) {
		revive(s, &s->sessions[s->n_sessions - 1], now_ns, out);
		return;
	}
	calm(s);
	if (!suspect)
		return;
	session->state = STATE_UP;
	tell(s, now_ns, out, session,
	     (struct session_news){.kind = SESSION_RECOVERED, .setup_ms = REPORT_ABSENT});
}

static void suspect(struct subject *s, struct session *session, uint64_t now_ns, uint64_t since_ns,
		    const struct session_out *out)
{
	session->state = STATE_SUSPECT;
	s->suspect_ns = now_ns;
	s->silent_since_ns = since_ns;
	tell(s, now_ns, out, session,
	     (struct session_news){.kind = SESSION_SUSPECT,
				   .down_since_ns = since_ns,
				   .setup_ms = REPORT_ABSENT});
}

void session_unanswered(struct subject *s, uint64_t now_ns, uint64_t last_up_ns,
			const struct session_out *out)
{
	struct session *session = subject_current(s);
	if (!session || !last_up_ns)
		return;
	s->suspect_by_demand = true;
	if (session->state == STATE_UP)
		suspect(s, session, now_ns, last_up_ns, out);
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
	uint64_t at = setup_deadline(s), echo = s->echo_ns ? s->echo_ns + SESSION_ECHO_NS : 0;
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
	go_down_silently(s, session, s->silent_since_ns, now_ns, NULL, out);
}

static void echo_missed(struct subject *s, uint64_t now_ns, const struct session_out *out)
{
	struct session *session = subject_current(s);
	s->echo_ns = 0;
	if (!session)
		return;
	s->echoes_missed++;
	if (session->state == STATE_UP)
		suspect(s, session, now_ns, s->echo_last_up_ns, out);
	if (s->echoes_missed >= SESSION_ECHOES_LOST)
		lose(s, session, now_ns, out);
}

static void setup_timed_out(struct subject *s, uint64_t now_ns, const struct session_out *out)
{
	if (s->discovery && s->discovery_ns + SESSION_SETUP_NS <= now_ns)
		fail_setup(s, NULL,
			   s->discovery == DISCOVERY_PADI ? STAGE_PADI_NO_PADO : STAGE_PADR_NO_PADS,
			   CAUSE_UNKNOWN, now_ns, NULL, out);
	for (uint32_t i = 0; i < s->n_sessions; i++)
		if (s->sessions[i].state >= STATE_LCP && s->sessions[i].state <= STATE_REFUSED &&
		    s->sessions[i].progress_ns + SESSION_SETUP_NS <= now_ns) {
			s->sessions[i].inferred = true;
			end_setup(s, &s->sessions[i], now_ns, NULL, out);
		}
}

void session_timer(struct subject *s, uint64_t now_ns, const struct session_out *out)
{
	struct session *session;
	if (s->echo_ns && s->echo_ns + SESSION_ECHO_NS <= now_ns)
		echo_missed(s, now_ns, out);
	session = subject_current(s);
	if (session && s->suspect_ns && s->suspect_by_demand &&
	    s->suspect_ns + SESSION_SUSPECT_NS <= now_ns)
		lose(s, session, now_ns, out);
	setup_timed_out(s, now_ns, out);
}
