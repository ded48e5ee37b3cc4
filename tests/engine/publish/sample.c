/* SPDX-License-Identifier: BSD-3-Clause */
#include "tests/engine/publish/sample.h"

#define SECOND_NS 1000000000

static const struct report_line who = {
	.line = "DSLAM-101 eth 0/1/1:11",
	.subscriber = "u101-11@isp.test",
	.circuit_id = "DSLAM-101 eth 0/1/1:11",
	.remote_id = "r11",
	.cpe_mac = "02:5a:00:01:01:0b",
	.ac_mac = "02:ac:00:00:00:01",
	.svlan = 101,
	.cvlan = 11,
};

struct report_session_event sample_event(void)
{
	return (struct report_session_event){
		.unix_ns = SAMPLE_UNIX_NS,
		.who = who,
		.kind = SESSION_DOWN,
		.cause = CAUSE_LINE_LOST,
		.down_since_unix_ns = SAMPLE_UNIX_NS - SECOND_NS,
		.pppoe_session_id = 7,
		.evidence = EVIDENCE_TAP,
		.setup_ms = REPORT_ABSENT,
	};
}

struct report_flap_summary sample_flap(void)
{
	return (struct report_flap_summary){
		.unix_ns = SAMPLE_UNIX_NS,
		.who = who,
		.flapping = true,
		.flaps = 4,
		.flaps_5m = 4,
		.flaps_1h = 6,
		.flaps_24h = 9,
		.penalty = 3999,
	};
}

static const struct report_session sessions[] = {
	{.pppoe_session_id = 7,
	 .pads_unix_ns = REPORT_ABSENT,
	 .up_unix_ns = REPORT_ABSENT,
	 .down_unix_ns = SAMPLE_UNIX_NS - 60 * (int64_t)SECOND_NS,
	 .first_seen_unix_ns = SAMPLE_UNIX_NS - 90 * (int64_t)SECOND_NS,
	 .detected_unix_ns = SAMPLE_UNIX_NS - 30 * (int64_t)SECOND_NS,
	 .cause = CAUSE_LINE_LOST},
	{.pppoe_session_id = 8,
	 .pads_unix_ns = SAMPLE_UNIX_NS - 20 * (int64_t)SECOND_NS,
	 .up_unix_ns = SAMPLE_UNIX_NS - 19 * (int64_t)SECOND_NS,
	 .down_unix_ns = REPORT_ABSENT,
	 .first_seen_unix_ns = REPORT_ABSENT,
	 .detected_unix_ns = REPORT_ABSENT},
};
static const char *const ipv4[] = {"100.64.1.11"};
static const char *const ipv6[] = {"2001:db8:0:11::1", "2001:db8:1100::/56"};

static const struct report_rtt rtt = {
	.line = {10, 9000, 9100.5, 9400, 9500, 9900, 10000, 9200.25},
	.access = {200, 10000, 12100, 15000, 16000, 19000, 25000, 12500},
	.home = {10, 900, 2900, 5600, 6500, 9100, 15000, 3300},
	.internet = {150, 20000, 30500, 35000, 36000, 39000, 45000, 31000},
};

struct report_subscriber sample_subscriber(void)
{
	return (struct report_subscriber){
		.unix_ns = SAMPLE_UNIX_NS,
		.who = who,
		.ipv4 = ipv4,
		.n_ipv4 = 1,
		.ipv6 = ipv6,
		.n_ipv6 = 2,
		.state = LINE_UP,
		.down_since_unix_ns = REPORT_ABSENT,
		.last_upstream_unix_ns = SAMPLE_UNIX_NS - SECOND_NS,
		.flaps = 1,
		.flaps_1h = 1,
		.flaps_24h = 1,
		.sessions = sessions,
		.n_sessions = 2,
		.sessions_total = 2,
		.packets_down = 1000,
		.packets_up = 500,
		.bytes_down = 1200000,
		.bytes_up = 60000,
		.rtt = rtt,
		.loss = {.access_down = {12, 1000}, .internet_down = {0, 1000}},
		.reordered_down = 3,
		.line_rate_down = 8192,
		.line_rate_up = 768,
	};
}

struct report_minute sample_minute(void)
{
	return (struct report_minute){
		.start_unix_ns = 1699999980 * (int64_t)SECOND_NS,
		.duration_ms = 60000,
		.line = "DSLAM-101 eth 0/1/1:11",
		.packets_down = 1000,
		.packets_up = 500,
		.bytes_down = 1200000,
		.bytes_up = 60000,
		.rtt = rtt,
		.loss = {.access_down = {12, 1000}, .internet_down = {0, 1000}},
		.reordered_down = 3,
		.suspected_tail_loss_up = 1,
	};
}

struct report_flow sample_flow(void)
{
	return (struct report_flow){
		.line = who.line,
		.svlan = 101,
		.cvlan = 11,
		.client = "100.64.1.11",
		.server = "203.0.113.5",
		.client_port = 50000,
		.server_port = 443,
		.first_unix_ns = SAMPLE_UNIX_NS,
		.last_unix_ns = SAMPLE_UNIX_NS + SECOND_NS,
		.down = {.packets = 100,
			 .data_packets = 90,
			 .bytes = 130000,
			 .retransmit_seen = 5,
			 .hole_fill = 9,
			 .reordered = 2,
			 .spurious = 1},
		.up = {.packets = 50, .spurious = 1, .reordered = 1},
		.rtt_access = rtt.access,
	};
}

struct report_node sample_node(void)
{
	return (struct report_node){
		.group_type = "access_node",
		.group = "DSLAM-101",
		.lines = 24,
		.up = 20,
		.down = 2,
		.suspect = 1,
		.unknown = 1,
		.flaps = 3,
		.rtt = rtt,
		.packets_down = 10,
	};
}

static const struct report_count verdicts[] = {{"ok", 1000}, {"truncated", 0}};
static const struct report_count refusals[] = {{"flow_table_full", 0}};

struct report_health sample_health(void)
{
	return (struct report_health){
		.unix_ns = SAMPLE_UNIX_NS,
		.collector = "pcap:access.pcap",
		.packets = 1000,
		.bytes = 64000,
		.lines = 24,
		.flows = 30,
		.verdicts = verdicts,
		.n_verdicts = 2,
		.refusals = refusals,
		.n_refusals = 1,
		.first_unix_ns = SAMPLE_UNIX_NS,
		.last_unix_ns = REPORT_ABSENT,
		.running = true,
	};
}

static const struct report_group path[] = {{"country", "IR"}, {"exchange", "Azadi"}};
static const struct report_group equivalent[] = {{"svlan", "102"}};
static const struct report_group_share children[] = {
	{{"card", "DSLAM-102/1"}, 2, 12, REPORT_ABSENT},
	{{"card", "DSLAM-102/2"}, 1, 12, SAMPLE_UNIX_NS},
};
static const struct report_group_share siblings[] = {
	{{"access_node", "DSLAM-101"}, 0, 24, REPORT_ABSENT}};
static const struct report_recovery_point recovery[] = {
	{SAMPLE_UNIX_NS - 5 * (int64_t)SECOND_NS, 3}, {SAMPLE_UNIX_NS, 2}};
static const struct report_timeline_entry timeline[] = {
	{SAMPLE_UNIX_NS - 20 * (int64_t)SECOND_NS, "onset", "the first of them fell silent"},
	{SAMPLE_UNIX_NS - 9 * (int64_t)SECOND_NS, "opened", ""},
};
static const struct report_member affected_lines[] = {
	{"a", SAMPLE_UNIX_NS - 20 * (int64_t)SECOND_NS, REPORT_ABSENT},
	{"b", SAMPLE_UNIX_NS - 25 * (int64_t)SECOND_NS, REPORT_ABSENT},
	{"c", SAMPLE_UNIX_NS - 19 * (int64_t)SECOND_NS, SAMPLE_UNIX_NS},
};

static const char *const supersedes[] = {"01HF7YAT30"};

struct report_incident sample_incident(void)
{
	return (struct report_incident){
		.incident_id = "01HF7YAT31",
		.revision = 3,
		.state = INCIDENT_UPDATED,
		.class = CLASS_NODE_OR_UPLINK,
		.category = CATEGORY_EXCHANGE_TRANSPORT,
		.severity = SEVERITY_MAJOR,
		.alarm_type = ALARM_COMMUNICATIONS,
		.channel = CHANNEL_DROP,
		.probable_cause = 10,
		.group = {"access_node", "DSLAM-102"},
		.equivalent = equivalent,
		.n_equivalent = 1,
		.path = path,
		.n_path = 2,
		.onset_unix_ns = SAMPLE_UNIX_NS - 20 * (int64_t)SECOND_NS,
		.open_unix_ns = SAMPLE_UNIX_NS - 9 * (int64_t)SECOND_NS,
		.changed_unix_ns = SAMPLE_UNIX_NS,
		.clear_unix_ns = REPORT_ABSENT,
		.eta_90_unix_ns = SAMPLE_UNIX_NS + 60 * (int64_t)SECOND_NS,
		.affected = 2,
		.affected_peak = 3,
		.affected_total = 3,
		.members = 24,
		.confidence = 0.98,
		.evidence = {.k = 3,
			     .n = 24,
			     .mu = 0.01,
			     .fraction = 0.125,
			     .neg_log10_p = 7.25,
			     .llr = 12.5,
			     .runner_up = "card:DSLAM-102/1",
			     .runner_up_llr = 8.5,
			     .causes = {[CAUSE_LINE_LOST] = 2, [CAUSE_CPE_POWER] = 1},
			     .children = children,
			     .n_children = 2,
			     .healthy_siblings = siblings,
			     .n_healthy_siblings = 1,
			     .suspect_only = 1,
			     .downstream_seen = true},
		.recommended_action = "exchange power or uplink: call the exchange",
		.text = "3 of 24 lines of DSLAM-102 are down",
		.supersedes = supersedes,
		.n_supersedes = 1,
		.service_affecting = true,
		.recovery = recovery,
		.n_recovery = 2,
		.timeline = timeline,
		.n_timeline = 2,
		.affected_lines = affected_lines,
	};
}

struct report_gap sample_gap(void)
{
	return (struct report_gap){
		.unix_ns = SAMPLE_UNIX_NS,
		.since_unix_ns = SAMPLE_UNIX_NS - 5 * (int64_t)SECOND_NS,
		.until_unix_ns = REPORT_ABSENT,
		.tap = "pcap:eth0",
		.reason = "silent",
		.lines = 24,
		.dropped = 7,
	};
}
