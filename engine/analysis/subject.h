/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What analysis knows of a line: who it is (line, subscriber and CPE kept apart), its sessions
 * and where the current one stands. Numbered like the worker's lines. One thread.
 */
#ifndef RASAD_ENGINE_ANALYSIS_SUBJECT_H
#define RASAD_ENGINE_ANALYSIS_SUBJECT_H

#include <stdbool.h>
#include <stdint.h>

#include "engine/analysis/flap.h"
#include "engine/analysis/reach.h"
#include "engine/analysis/report.h"
#include "engine/base/mac.h"
#include "engine/packet/control.h"

enum { SUBJECT_MAX_SESSIONS = 256, SUBJECT_MAX_ADDRESSES = 8, SUBJECT_ECHOES = 3 };

enum session_state {
	STATE_NONE,
	STATE_LCP,
	STATE_AUTH,
	STATE_NCP,
	STATE_REFUSED, /* rejected; waits for its end */
	STATE_UP,
	STATE_SUSPECT,
	STATE_ENDED,
};

struct session {
	struct report_session told;	   /* identity and times */
	enum session_state state, reached; /* reached: before it ended */
	uint8_t cpe_mac[6], ac_mac[6];
	uint32_t ac_magic;
	uint64_t seen_ns;	       /* of data in it that followed another session, or a PADI */
	uint64_t progress_ns, auth_ns; /* last step of the set-up; first authentication request */
	bool inferred;		       /* ended by silence alone: a sign of life revives it */
	bool was_up;
	bool loopback;
	bool acked_up, acked_down; /* an NCP's ConfAck, by sender */
};

struct address {
	uint8_t bytes[16];
	uint8_t prefix_len; /* of a delegated prefix; 0: a host */
	bool assigned;	    /* by IPCP, DHCP or delegation, not only used */
};

struct subject {
	char circuit_id[CONTROL_NAME_MAX], remote_id[CONTROL_NAME_MAX], user[CONTROL_NAME_MAX];
	char fallback[48]; /* the name while no circuit-id is known */
	char cpe_mac_text[MAC_TEXT], ac_mac_text[MAC_TEXT];
	uint16_t svlan, cvlan;
	uint32_t rate_up, rate_down;
	struct session *sessions; /* owned, oldest first */
	uint32_t n_sessions;
	uint64_t sessions_total, sessions_refused, auth_failures, setup_failures;
	/* discovery under way */
	enum { DISCOVERY_NONE, DISCOVERY_PADI, DISCOVERY_PADO, DISCOVERY_PADR } discovery;
	uint64_t padi_ns, discovery_ns; /* first PADI; last step */
	uint64_t padi_last_up_ns;	/* the line's last upstream frame before the first PADI */
	/* liveness of the session that is up */
	uint64_t echo_ns[SUBJECT_ECHOES]; /* open LCP echo requests, oldest first */
	uint32_t n_echoes;
	uint64_t echo_last_up_ns; /* last upstream frame before the oldest of them */
	uint32_t echoes_missed;
	uint64_t suspect_ns, silent_since_ns;
	bool suspect_by_demand;
	bool redialling; /* its CPE opens a session while the one before is ended */
	/* the line's last drop */
	uint64_t drop_since_ns; /* 0: none */
	enum drop_cause drop_cause;
	uint64_t
		bras_silent_ns; /* the BRAS of the session is silent since then; 0: not known to be */
	struct flap flap;
	struct reach reach;
	struct address ipv4[SUBJECT_MAX_ADDRESSES], ipv6[SUBJECT_MAX_ADDRESSES];
	uint8_t n_ipv4, n_ipv6;
	uint8_t tap;	    /* that heard the line last */
	bool known;	    /* initialised */
	bool changed;	    /* since its card was told last */
	uint8_t card_group; /* of its card, and the next in the list of those that are told */
	uint32_t next_card;
	uint64_t told_ns;
	uint64_t event_ns; /* of a line that events tell of: the stamp of the last one */
	uint64_t timer_ns; /* the deadline that counts; 0: none */
};

static inline const char *subject_name(const struct subject *s)
{
	return s->circuit_id[0] ? s->circuit_id : s->fallback;
}

/* The session that carries traffic now, the newest that is UP or SUSPECT; NULL: none. */
struct session *subject_current(struct subject *s);

/* The newest session with this id that has not ended; with `ended` the newest at all. */
struct session *subject_find(struct subject *s, uint16_t session_id, bool ended);

/* The same for the session that a message belongs to: the CPE must be the same too, for two
 * concentrators may give the same id to two CPEs of a line. */
struct session *subject_session_of(struct subject *s, const struct control *c, bool ended);

/* A new session at the end of the list; the oldest ended one goes when there are too many.
 * NULL: no memory, or every kept session is still open (counted in sessions_refused). */
struct session *subject_open(struct subject *s, uint16_t session_id);

/* Remembers an address; an assigned one comes first, and drives out those that were only used. */
void subject_address(struct subject *s, bool ipv6, const uint8_t *bytes, uint8_t prefix_len,
		     bool assigned);

/* Identity from a control message. */
void subject_learn(struct subject *s, const struct control *c);

/* "up", "down"... of the line as a whole. */
enum line_state subject_state(const struct subject *s);

struct report_line subject_who(const struct subject *s);

/* The access node in a circuit-id: TR-101 "<node> atm|eth ...", or the "China Telecom" form;
 * false when it follows none. */
bool subject_node(const struct subject *s, char *node, uint32_t room);

/* Where on that node, by the same circuit-id: the last number is the port and those before it are the
 * card, but on a PON (five numbers) the second is, with the ONU behind it. "": not told. */
struct subject_position {
	char card[32], port[16];
};
struct subject_position subject_position(const struct subject *s);

/* The pool of its address: the /24 of what was assigned; "" when nothing was. */
void subject_pool(const struct subject *s, char pool[20]);

#endif
