/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A PPPoE subscriber: the CPE and the BRAS's side of it, each a small state machine that sends real
 * frames through the line's path and repeats itself when they are lost.
 *
 * subscriber_msg.c: control frames and their way; subscriber_cpe.c: the modem;
 * subscriber_bras.c: the BRAS; subscriber_traffic.c: what the household does;
 * subscriber_truth.c: the truth about it
 */
#ifndef RASAD_GEN_SUBSCRIBER_H
#define RASAD_GEN_SUBSCRIBER_H

#include "tools/rasad-gen/tcp.h"

enum pppoe_code {
	PADO = 0x07,
	PADI = 0x09,
	PADR = 0x19,
	PADS = 0x65,
	PADT = 0xa7,
};

/* LCP, IPCP and IPV6CP share the first seven. */
enum ppp_code {
	CONF_REQ = 1,
	CONF_ACK = 2,
	CONF_NAK = 3,
	TERM_REQ = 5,
	TERM_ACK = 6,
	ECHO_REQ = 9,
	ECHO_REP = 10,
	CHAP_CHALLENGE = 1,
	CHAP_RESPONSE = 2,
	CHAP_SUCCESS = 3,
	CHAP_FAILURE = 4,
	PAP_REQUEST = 1,
	PAP_ACK = 2,
	PAP_NAK = 3,
};

enum cpe_state { CPE_OFF, CPE_DISCOVERY, CPE_REQUEST, CPE_LCP, CPE_AUTH, CPE_NCP, CPE_UP };

#define MSG_BODY_MAX 256
#define PPP_MTU	     1492

struct subscriber;

struct ppp_msg {
	struct subscriber *sub;
	enum dir dir;
	bool discovery;
	uint8_t pppoe_code;
	enum ppp_protocol protocol;
	uint16_t session_id, n;
	uint8_t body[MSG_BODY_MAX]; /* discovery tags, or code, id, length, data */
};

/* The BRAS's view of one session, and the truth about it. */
struct session {
	struct session *next; /* the one before it */
	struct subscriber *sub;
	uint16_t id;
	bool alive, lcp_mine, lcp_peer, lcp_open, authenticated, ip_mine, ip_peer;
	bool use_pap, echo_waiting;
	uint8_t next_id, restarts, missed, echo_id, auth_id, radius_tries;
	uint32_t magic;
	struct alarm restart, echo, radius;
	uint64_t echo_tap_ns;
	uint64_t pads_ns, up_ns, down_ns, end_ns, last_up_ns; /* 0: did not happen */
	const char *cause, *event;
};

struct dgram;

struct cpe {
	enum cpe_state state;
	uint16_t session_id;
	bool lcp_mine, lcp_peer, ip_mine, ip_peer, pap, echo_waiting, terminating;
	uint8_t next_id, tries, missed;
	uint32_t magic, host_uniq;
	uint8_t cookie[16];
	struct alarm timer, redial, echo;
	uint64_t redial_ns; /* pause before dialling again after an end */
	uint64_t echo_ns;   /* between its own LCP echoes; 0: it sends none */
	uint8_t echo_failures;
	bool says_goodbye; /* when its own echoes fail */
};

struct subscriber {
	struct world *world;
	struct line *line;
	struct rng rng;
	uint16_t node; /* 101, 102, ... */
	uint16_t card, port;
	bool hit; /* by the outage */
	char circuit_id[64], remote_id[24], username[48];
	struct cpe cpe;
	struct session *sessions; /* newest first */
	uint64_t previous_up_ns;  /* the last upstream frame before the last PADI */
	uint32_t auth_failures;
	uint64_t bad_password_until_ns;
	bool ipv6;
	double pause_s; /* mean time between two things that the household does */
	struct alarm traffic, ping;
	struct link far[3][2]; /* to the servers of the traffic, one way each */
	double loss_internet_down, loss_internet_up;
	uint16_t ping_id, ping_seq;
	bool sleeps;		/* there is no traffic */
	bool asks_again;	/* a name that it got no answer for */
	struct dgram *question; /* open; a copy */
	struct alarm again;
	uint8_t asked;
	struct samples rtt_line, rtt_dns, rtt_icmp;
	uint32_t interruptions;
	uint64_t interrupted_ns[8][2]; /* silences that the session survived */
};

enum far { FAR_NEAR, FAR_DISTANT, FAR_RESOLVER };

void subscriber_init(struct subscriber *s, struct world *w, struct line *l);
void subscriber_fini(struct subscriber *s);

/* subscriber_msg.c */
struct ppp_msg *msg_new(struct subscriber *s, enum dir dir);
void msg_add(struct ppp_msg *m, const void *data, size_t n);
void msg_tag(struct ppp_msg *m, uint16_t type, const void *value, size_t n);
void msg_send(struct ppp_msg *m);
void msg_discovery(struct ppp_msg *m, uint8_t code, uint16_t session_id);
/* A PPP packet: the data after code, id and length. Sends it too. */
void msg_ppp(struct ppp_msg *m, enum ppp_protocol protocol, uint16_t session_id,
	     const uint8_t head[2], const void *data, size_t n);
void msg_options(uint8_t *out, size_t *n, uint8_t type, const void *value, size_t value_bytes);

/* subscriber_cpe.c */
void cpe_init(struct subscriber *s);
void cpe_dial(void *subscriber);
void cpe_receive(struct subscriber *s, const struct ppp_msg *m);
void cpe_terminate(struct subscriber *s, uint64_t redial_ns);
/* Loses power or the line's signal: says nothing, dials again after off_ns. */
void cpe_vanish(struct subscriber *s, uint64_t off_ns);

/* subscriber_bras.c */
void bras_receive(struct subscriber *s, const struct ppp_msg *m);
void bras_terminate(struct subscriber *s);
void bras_crash(struct subscriber *s);
struct session *bras_session(struct subscriber *s, uint16_t id);
/* Notes when and why the newest session really ended, before the BRAS knows. */
void bras_note_down(struct subscriber *s, const char *cause, const char *event);

/* subscriber_traffic.c */
void traffic_init(struct subscriber *s);
void traffic_start(struct subscriber *s);
void traffic_stop(struct subscriber *s);
void traffic_abort_session(struct subscriber *s, uint16_t session_id);
void traffic_router_advertisement(struct subscriber *s);

/* subscriber_truth.c */
void subscriber_inventory(const struct options *o, const struct subscriber *subs, uint32_t n);

#endif
