/* SPDX-License-Identifier: BSD-3-Clause */
#include "engine/analysis/transition.h"

#include <string.h>
#include <strings.h>

#define DAY_NS	     86400000000000ull
#define DAY_SLACK_NS 120000000000ull
/* RADIUS that does not answer makes the BRAS refuse after its time-outs, not at once. */
#define AUTH_SILENT_NS 5000000000ull
/* Frames of a torn-down session still under way do not open it again. */
/* No modem restarts faster: a CPE that spoke so recently may just open a second session. */
#define REDIAL_SILENCE_NS 2000000000ull
/* Nor does one that kept its power give up so soon after the line fell silent. */
#define POWER_SILENCE_NS 45000000000ull
/* A mirror port may show each refusal twice. */
#define MIRROR_COPY_NS 2000000ull
#define PADS_AGAIN_NS  5000000000ull

static void refuse(struct subject *s, struct session *session, uint64_t now_ns, const char *text,
		   const struct session_out *out)
{
	bool slow = session->auth_ns && now_ns - session->auth_ns >= AUTH_SILENT_NS;
	if (session->state == STATE_REFUSED && now_ns - session->progress_ns <= MIRROR_COPY_NS)
		return;
	s->auth_failures++;
	if (session->state != STATE_AUTH)
		return;
	transition_setup_failed(s, session, slow ? STAGE_AUTH_SILENT : STAGE_AUTH_REJECT,
				CAUSE_AUTH_FAIL, now_ns, text, out);
	session->told.cause = CAUSE_AUTH_FAIL;
	session->state = STATE_REFUSED;
	session->progress_ns = now_ns;
}

/* Whatever else this CPE had is lost, and it did not say so; unless that spoke after the CPE began
 * to dial, for some have two sessions. Should it speak later, it is revived. */
static void close_other(struct subject *s, const struct session *keep, uint64_t last_up_ns,
			uint64_t now_ns, const struct session_out *out)
{
	for (uint32_t i = 0; i < s->n_sessions; i++) {
		struct session *other = &s->sessions[i];
		if (other == keep || other->state == STATE_ENDED ||
		    memcmp(other->cpe_mac, keep->cpe_mac, 6) != 0)
			continue;
		if (other->state != STATE_UP && other->state != STATE_SUSPECT) {
			transition_setup_ended(s, other, now_ns, NULL, out);
		} else if (!s->padi_ns || other->seen_ns < s->padi_ns) {
			s->redialling = last_up_ns && now_ns - last_up_ns < POWER_SILENCE_NS;
			transition_down_silently(s, other, last_up_ns, now_ns, NULL, out);
			s->redialling = false;
			other->inferred = true;
		}
	}
}

/* The CPE dials. When it has just spoken in a session, PADS will show whether that was the end. */
static void padi(struct subject *s, const struct control *c, uint64_t now_ns, uint64_t last_up_ns,
		 const struct session_out *out)
{
	struct session like = {0};
	memcpy(like.cpe_mac, c->cpe_mac, 6);
	if (!s->padi_ns) {
		s->padi_last_up_ns = last_up_ns;
		s->padi_ns = now_ns;
	}
	if (now_ns - s->padi_last_up_ns >= REDIAL_SILENCE_NS || !last_up_ns)
		close_other(s, &like, s->padi_last_up_ns, now_ns, out);
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

/* The id is in use again, so the session that had it is over. */
static void replaced(struct subject *s, struct session *session, uint64_t now_ns,
		     const struct session_out *out)
{
	if (session->state == STATE_UP || session->state == STATE_SUSPECT)
		transition_down(s, session, CAUSE_REPLACED, now_ns, now_ns, NULL, out);
	else
		transition_setup_ended(s, session, now_ns, NULL, out);
}

static void pads(struct subject *s, const struct control *c, uint64_t now_ns, uint64_t last_up_ns,
		 const struct session_out *out)
{
	struct session *session = subject_session_of(s, c, false);
	if (c->session_id == 0) {
		transition_setup_failed(s, NULL, STAGE_PADR_NO_PADS,
					c->error ? CAUSE_RESOURCE : CAUSE_UNKNOWN, now_ns, c->text,
					out);
		return;
	}
	if (session && session->told.pads_unix_ns != REPORT_ABSENT && session->state != STATE_UP &&
	    now_ns - (uint64_t)session->told.pads_unix_ns < PADS_AGAIN_NS)
		return; /* the same PADS again */
	if (session)
		replaced(s, session, now_ns, out);
	session = subject_open(s, c->session_id);
	if (!session)
		return;
	session->state = STATE_LCP;
	session->told.pads_unix_ns = (int64_t)now_ns;
	session->progress_ns = now_ns;
	memcpy(session->cpe_mac, c->cpe_mac, 6);
	memcpy(session->ac_mac, c->ac_mac, 6);
	s->discovery = DISCOVERY_NONE;
	close_other(s, session, s->padi_ns ? s->padi_last_up_ns : last_up_ns, now_ns, out);
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
		transition_down_silently(s, session, last_up_ns, now_ns, c->text, out);
	else if (says(c->text, "idle"))
		transition_down(s, session, CAUSE_IDLE_TIMEOUT, now_ns, now_ns, c->text, out);
	else if (says(c->text, "session timeout") || says(c->text, "session-timeout") ||
		 near_whole_days(session, now_ns))
		transition_down(s, session, CAUSE_SESSION_TIMEOUT, now_ns, now_ns, c->text, out);
	else
		transition_down(s, session, CAUSE_ADMIN, now_ns, now_ns, c->text, out);
}

/* Who said goodbye: by the direction, else by the MACs of the session (control_read puts the
 * sender's first while the direction is unknown). A TermAck answers the other side's request. */
static bool is_from_cpe(const struct session *session, const struct control *c)
{
	bool ack = c->kind == KIND_LCP && c->code == PPP_TERM_ACK;
	bool cpe_sent = c->dir != DIR_UNKNOWN ? c->dir == DIR_UP
					      : memcmp(session->cpe_mac, c->cpe_mac, 6) == 0;
	return cpe_sent != ack;
}

static void terminated(struct subject *s, const struct control *c, uint64_t now_ns,
		       uint64_t last_up_ns, const struct session_out *out)
{
	struct session *session = subject_session_of(s, c, true);
	if (!session)
		return;
	session->inferred = false; /* now it is certain */
	if (session->state == STATE_ENDED)
		return;
	if (session->state != STATE_UP && session->state != STATE_SUSPECT)
		transition_setup_ended(s, session, now_ns, c->text, out);
	else if (is_from_cpe(session, c))
		transition_down(s, session, CAUSE_CPE_TERM, now_ns, now_ns, c->text, out);
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
		if (s->discovery == DISCOVERY_PADI)
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
	struct session *session = subject_session_of(s, c, false);
	if (session)
		return session;
	session = subject_session_of(s, c, true);
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
		s->discovery = DISCOVERY_NONE;
		s->padi_ns = 0;
		transition_calm(s);
		transition_tell(
			s, now_ns, out, session,
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

/* How far a set-up must be for this message to be sent. */
static enum session_state implied(const struct control *c)
{
	bool pap = c->kind == KIND_PAP;
	if (c->kind == KIND_LCP)
		return STATE_LCP;
	if (!pap && c->kind != KIND_CHAP)
		return c->code == PPP_CONF_ACK ? STATE_UP : STATE_NCP;
	return c->code == (pap ? PAP_ACK : CHAP_SUCCESS) ? STATE_NCP : STATE_AUTH;
}

/* A set-up that was given up for lost goes on after all; saying a request again is not enough. */
static void resume_setup(struct session *session, const struct control *c, uint64_t now_ns)
{
	if (implied(c) <= session->reached)
		return;
	session->state = session->reached;
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
	if (!s->n_echoes)
		s->echo_last_up_ns = last_up_ns;
	if (s->n_echoes < SUBJECT_ECHOES)
		s->echo_ns[s->n_echoes++] = now_ns;
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
		transition_up(s, session, now_ns, out);
}

static void ppp(struct subject *s, const struct control *c, uint64_t now_ns, uint64_t last_up_ns,
		const struct session_out *out)
{
	bool established =
		c->kind == KIND_LCP && (c->code == PPP_ECHO_REQ || c->code == PPP_ECHO_REP);
	struct session *session;
	if (c->kind == KIND_LCP && (c->code == PPP_TERM_REQ || c->code == PPP_TERM_ACK)) {
		terminated(s, c, now_ns, last_up_ns, out);
		return;
	}
	session = session_of(s, c, now_ns, established, out);
	if (session && session->state == STATE_ENDED && !session->was_up)
		resume_setup(session, c, now_ns);
	if (!session || session->state == STATE_ENDED)
		return;
	if (s->bras_silent_ns && c->dir == DIR_DOWN)
		session_bras_speaks(s, session, now_ns, out);
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

/* An unknown id in the data of a CPE whose session is up says nothing: any subscriber can write
 * any id. Its LCP would. */
static bool is_stranger(struct subject *s, const struct control *c)
{
	const struct session *current = subject_current(s);
	return current && memcmp(current->cpe_mac, c->cpe_mac, 6) == 0 &&
	       !subject_session_of(s, c, true);
}

void session_seen(struct subject *s, const struct control *c, uint64_t now_ns,
		  const struct session_out *out)
{
	struct session *session;
	if (is_stranger(s, c))
		return;
	session = session_of(s, c, now_ns, true, out);
	if (!session)
		return;
	session->seen_ns = now_ns;
	if (session->state == STATE_ENDED && session->was_up)
		transition_revived(s, session, now_ns, out);
	else if (session->state == STATE_LCP || session->state == STATE_NCP)
		transition_up(s, session, now_ns, out); /* data flows: a ConfAck was missed */
}
