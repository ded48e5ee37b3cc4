/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What the analysis floor says to the world: typed records, one call each, in time order.
 *
 * Whoever takes them (the replay printer, the publisher) copies or encodes within the call:
 * every pointer belongs to the engine and dies with it. Absent values: a NULL or empty string,
 * an int64 time of REPORT_ABSENT, a distribution with n == 0. The enums carry the numbers of
 * proto/rasad/v1, so that the codec hands them over as they are.
 */
#ifndef RASAD_ENGINE_ANALYSIS_REPORT_H
#define RASAD_ENGINE_ANALYSIS_REPORT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "engine/base/dist.h"

#define REPORT_ABSENT INT64_MIN

enum session_event_kind {
	SESSION_UP = 1,
	SESSION_SUSPECT,
	SESSION_RECOVERED,
	SESSION_DOWN,
	SESSION_SETUP_FAILED,
};

enum drop_cause { /* reference: DropCause of the session state machine */
		  CAUSE_NONE,
		  CAUSE_LINE_LOST,
		  CAUSE_CPE_TERM,
		  CAUSE_CPE_POWER,
		  CAUSE_ADMIN,
		  CAUSE_NAS_FAULT,
		  CAUSE_SESSION_TIMEOUT,
		  CAUSE_IDLE_TIMEOUT,
		  CAUSE_AUTH_FAIL,
		  CAUSE_RESOURCE,
		  CAUSE_REPLACED,
		  CAUSE_LOOPBACK,
		  CAUSE_UNKNOWN,
		  CAUSE_COUNT,
};

enum setup_stage {
	STAGE_NONE,
	STAGE_PADI_NO_PADO,
	STAGE_PADR_NO_PADS,
	STAGE_LCP,
	STAGE_AUTH_REJECT,
	STAGE_AUTH_SILENT,
	STAGE_NCP,
};

enum evidence_source { EVIDENCE_NONE, EVIDENCE_TAP, EVIDENCE_RADIUS, EVIDENCE_ANCP, EVIDENCE_LOG };

enum line_state { LINE_UNKNOWN, LINE_UP, LINE_SUSPECT, LINE_DOWN };

/* Who a line is. VLAN id 0 = none; MAC as text, "" = unknown. */
struct report_line {
	const char *line; /* the name: circuit-id, else S-VLAN.C-VLAN, else the address */
	const char *subscriber, *circuit_id, *remote_id;
	const char *cpe_mac, *ac_mac;
	uint16_t svlan, cvlan;
};

struct report_session_event {
	int64_t unix_ns;
	struct report_line who;
	enum session_event_kind kind;
	enum drop_cause cause;
	enum setup_stage stage;
	int64_t down_since_unix_ns; /* or REPORT_ABSENT */
	int32_t pppoe_session_id;   /* -1: none */
	enum evidence_source evidence;
	const char *text; /* error tag or authentication message, or NULL */
	int64_t setup_ms; /* or REPORT_ABSENT */
};

struct report_flap_summary {
	int64_t unix_ns;
	struct report_line who;
	bool flapping;
	uint32_t flaps, flaps_5m, flaps_1h, flaps_24h, penalty;
};

struct report_rtt {
	struct dist line, access, home, internet, dns, icmp, host_delay;
};

struct report_loss {
	uint64_t lost, packets; /* packets == 0: not measured */
};

struct report_loss_sides {
	struct report_loss access_down, access_up, internet_down, internet_up;
};

struct report_flow_direction {
	uint64_t packets, data_packets, bytes;
	uint64_t retransmit_seen, hole_fill, reordered, spurious;
	uint64_t suspected_tail_loss, keepalive, zero_window_probe, duplicate;
	uint64_t syn_retransmit, fin_retransmit, tap_missed;
};

struct report_flow {
	const char *line;
	uint16_t svlan, cvlan;
	const char *client, *server;
	uint16_t client_port, server_port;
	int64_t first_unix_ns, last_unix_ns;
	struct report_flow_direction down, up;
	struct dist rtt_access, rtt_internet, host_delay;
};

struct report_session {
	uint16_t pppoe_session_id;
	int64_t pads_unix_ns, up_unix_ns, down_unix_ns, first_seen_unix_ns, detected_unix_ns;
	enum drop_cause cause;
	enum setup_stage failed_stage;
};

struct report_subscriber {
	int64_t unix_ns; /* packet time of this state */
	struct report_line who;
	const char *const *ipv4, *const *ipv6;
	size_t n_ipv4, n_ipv6;
	enum line_state state;
	int64_t down_since_unix_ns, last_upstream_unix_ns;
	uint64_t flaps, outages, auth_failures, setup_failures;
	uint32_t flaps_5m, flaps_1h, flaps_24h;
	bool flapping;
	const struct report_session *sessions;
	size_t n_sessions;
	uint64_t sessions_total;
	const struct report_group *groups; /* that the line hangs on */
	size_t n_groups;
	uint32_t symptoms; /* bits 1 << enum symptom_channel that it shows now */
	uint64_t packets_down, packets_up, bytes_down, bytes_up;
	struct report_rtt rtt;
	struct report_loss_sides loss;
	uint64_t reordered_down, reordered_up, spurious_down, spurious_up;
	uint64_t suspected_tail_loss_down, suspected_tail_loss_up;
	uint32_t line_rate_down, line_rate_up; /* TR-101 actual rates as sent; 0: unknown */
};

/* What was measured of a line in one interval; only lines with packets have one. */
struct report_minute {
	int64_t start_unix_ns; /* a multiple of the duration */
	uint32_t duration_ms;
	const char *line; /* its name, as in struct report_line */
	uint64_t packets_down, packets_up, bytes_down, bytes_up;
	struct report_rtt rtt;
	struct report_loss_sides loss;
	uint64_t reordered_down, reordered_up, spurious_down, spurious_up;
	uint64_t suspected_tail_loss_down, suspected_tail_loss_up;
};

struct report_node {
	const char *group_type, *group;
	uint64_t lines, up, down, suspect, unknown, flaps;
	struct report_rtt rtt;
	struct report_loss_sides loss;
	uint64_t packets_down, packets_up, bytes_down, bytes_up;
};

enum incident_state {
	INCIDENT_OPEN = 1,
	INCIDENT_UPDATED,
	INCIDENT_CLEARED,
	INCIDENT_SUPERSEDED,
	INCIDENT_MERGED,
	INCIDENT_RETRACTED,
};

enum category {
	CATEGORY_NONE_FOUND,
	CATEGORY_PREMISES,
	CATEGORY_ACCESS_INFRA,
	CATEGORY_EXCHANGE_TRANSPORT,
	CATEGORY_ISP_CORE_UPSTREAM,
	CATEGORY_ACCOUNT_ADMIN,
};

enum severity { /* X.733, by the numbers of IANAItuPerceivedSeverity */
		SEVERITY_CLEARED = 1,
		SEVERITY_INDETERMINATE,
		SEVERITY_CRITICAL,
		SEVERITY_MAJOR,
		SEVERITY_MINOR,
		SEVERITY_WARNING,
};

enum alarm_type { /* IANAItuEventType */
		  ALARM_OTHER = 1,
		  ALARM_COMMUNICATIONS,
		  ALARM_QUALITY_OF_SERVICE,
		  ALARM_PROCESSING_ERROR,
		  ALARM_EQUIPMENT,
		  ALARM_ENVIRONMENTAL,
};

enum incident_class {
	CLASS_UNSPECIFIED,
	CLASS_AREA_POWER,
	CLASS_CPE_FIRMWARE,
	CLASS_CARD_FAILURE,
	CLASS_PORT_FAULT,
	CLASS_CABLE_CUT,
	CLASS_MDF,
	CLASS_NODE_OR_UPLINK,
	CLASS_TRANSMISSION,
	CLASS_BRAS,
	CLASS_BRAS_PORT,
	CLASS_AAA,
	CLASS_POOL,
	CLASS_DNS,
	CLASS_UPSTREAM,
	CLASS_CONGESTION,
	CLASS_DEGRADATION,
	CLASS_FLAP_STORM,
	CLASS_SHARED_RISK,
	CLASS_CALLS,
};

/* A symptom that a line can show; groups count each by itself. */
enum symptom_channel {
	CHANNEL_NONE,
	CHANNEL_DROP,	  /* the session is lost, or the line does not answer */
	CHANNEL_SETUP,	  /* its session cannot be set up */
	CHANNEL_INTERNET, /* the line speaks, nothing comes back from the Internet */
	CHANNEL_DNS,	  /* its resolver does not answer */
	CHANNEL_COUNT,
};

struct report_group {
	const char *type, *name;
};

struct report_group_share {
	struct report_group group;
	uint64_t bad, members;
	int64_t recovered_unix_ns; /* or REPORT_ABSENT */
};

struct report_incident_evidence {
	double k, n, mu, fraction, neg_log10_p, llr, runner_up_llr;
	const char *runner_up; /* "type:name", or NULL */
	uint64_t causes[CAUSE_COUNT];
	const struct report_group_share *children, *healthy_siblings;
	size_t n_children, n_healthy_siblings;
	uint64_t suspect_only, redialled;
	bool upstream_seen, downstream_seen;
};

struct report_timeline_entry {
	int64_t unix_ns;
	const char *what, *text;
};

struct report_recovery_point {
	int64_t unix_ns;
	uint64_t down;
};

/* A line that an incident affects or has affected. */
struct report_member {
	const char *line; /* its name, as in struct report_line */
	int64_t down_unix_ns;
	int64_t recovered_unix_ns; /* or REPORT_ABSENT: it is bad now */
};

struct report_incident {
	const char *incident_id;
	uint32_t revision, reopen_count;
	enum incident_state state;
	enum incident_class class;
	enum category category;
	enum severity severity;
	enum alarm_type alarm_type;
	enum symptom_channel channel;
	uint32_t probable_cause; /* IANAItuProbableCause */
	struct report_group group;
	const struct report_group *equivalent, *path; /* path: widest first, without the group */
	size_t n_equivalent, n_path;
	int64_t onset_unix_ns, open_unix_ns, changed_unix_ns;
	int64_t clear_unix_ns, eta_90_unix_ns; /* or REPORT_ABSENT */
	uint64_t affected, affected_peak, affected_total, members;
	double confidence;
	struct report_incident_evidence evidence;
	const char *recommended_action, *text;
	const char *superseded_by;     /* or NULL */
	const char *const *supersedes; /* ids */
	size_t n_supersedes;
	bool planned, page, service_affecting;
	const struct report_recovery_point *recovery;
	size_t n_recovery;
	const struct report_timeline_entry *timeline;
	size_t n_timeline;
	const struct report_member *affected_lines; /* all of affected_total */
};

struct report_gap {
	int64_t unix_ns, since_unix_ns;
	int64_t until_unix_ns; /* or REPORT_ABSENT: it goes on */
	const char *tap;       /* "": all */
	const char *reason;    /* "silent", "drops", "link down", "clock" */
	uint64_t lines;	       /* whose state is unknown for it */
	uint64_t dropped;
};

struct report_count {
	const char *name;
	uint64_t value;
};

/* The engine's own health: counters by name, zero ones included. */
struct report_health {
	int64_t unix_ns;
	const char *collector;
	uint64_t packets, bytes, dropped, lines, flows;
	const struct report_count *verdicts, *refusals, *control, *notes;
	size_t n_verdicts, n_refusals, n_control, n_notes;
	int64_t first_unix_ns, last_unix_ns; /* REPORT_ABSENT before the first packet */
	bool running;
};

/* What is wrong with the inventory, of one kind: "node", "svlan" (packets name another one),
 * "unknown_line" (seen, without a row), "card_lines" (more than a card can have). */
struct report_lint_example {
	const char *line, *seen, *inventory;
};

struct report_topology_lint {
	int64_t unix_ns;
	const char *kind;
	uint64_t count;
	const struct report_lint_example *examples; /* the first ones */
	size_t n_examples;
};

enum report_kind {
	REPORT_SESSION_EVENT,
	REPORT_FLAP_SUMMARY,
	REPORT_SUBSCRIBER, /* a line changed or its card is due; at the end of a replay, all lines */
	REPORT_FLOW,
	REPORT_NODE,
	REPORT_HEALTH,
	REPORT_MINUTE,
	REPORT_INCIDENT,
	REPORT_GAP,
	REPORT_TOPOLOGY_LINT, /* at the end of a replay */
};

struct report {
	enum report_kind kind;
	union {
		const struct report_session_event *session_event;
		const struct report_flap_summary *flap_summary;
		const struct report_subscriber *subscriber;
		const struct report_flow *flow;
		const struct report_node *node;
		const struct report_health *health;
		const struct report_minute *minute;
		const struct report_incident *incident;
		const struct report_gap *gap;
		const struct report_topology_lint *topology_lint;
	};
};

/* Takes one record; must not keep pointers. */
struct report_sink {
	void (*take)(void *context, const struct report *report);
	void *context;
};

#endif
