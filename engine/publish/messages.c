/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Record -> message, field by field: long on purpose, so that the schema can be read off it.
 *
 * What was not measured stays absent: a distribution without samples and a loss without packets
 * become NULL messages, REPORT_ABSENT an unset member. The enums of report.h carry the numbers
 * of the schema. Texts may hold any byte on the wire and are cleaned to UTF-8 here.
 */
#include "engine/publish/messages.h"

#include "engine/publish/arena.h"
#include "engine/publish/codec.h"
#include "engine/publish/encode_parts.h"
#include "engine/publish/keyspace.h"
#include "engine/publish/messages_parts.h"
#include "proto/rasad/v1/health.pb-c.h"
#include "proto/rasad/v1/metrics.pb-c.h"
#include "proto/rasad/v1/session.pb-c.h"

static_assert((int)CAUSE_UNKNOWN == (int)RASAD__V1__DROP_CAUSE__DROP_CAUSE_UNKNOWN);
static_assert((int)STAGE_NCP == (int)RASAD__V1__SETUP_STAGE__SETUP_STAGE_NCP);
static_assert((int)EVIDENCE_LOG == (int)RASAD__V1__EVIDENCE_SOURCE__EVIDENCE_SOURCE_LOG);
static_assert((int)LINE_DOWN == (int)RASAD__V1__LINE_STATE__LINE_STATE_DOWN);
static_assert((int)SESSION_SETUP_FAILED ==
	      (int)RASAD__V1__SESSION_EVENT_KIND__SESSION_EVENT_KIND_SETUP_FAILED);

/* protobuf-c gives each map<string, uint64> an entry type of its own, all of this shape. */
struct count_entry {
	ProtobufCMessage base;
	char *key;
	uint64_t value;
};
static_assert(sizeof(struct count_entry) == sizeof(Rasad__V1__CollectorHealth__VerdictsEntry));
static_assert(offsetof(struct count_entry, value) ==
	      offsetof(Rasad__V1__CollectorHealth__VerdictsEntry, value));

static void *counts(struct arena *arena, const ProtobufCMessageDescriptor *type,
		    const struct report_count *from, size_t *n)
{
	struct count_entry **to = arena_take(arena, *n * sizeof(*to));
	struct count_entry *entries = arena_take(arena, *n * sizeof(*entries));

	if (!to || !entries)
		*n = 0;
	for (size_t i = 0; i < *n; i++) {
		to[i] = &entries[i];
		protobuf_c_message_init(type, to[i]);
		to[i]->key = message_text(arena, from[i].name);
		to[i]->value = from[i].value;
	}
	return to;
}

#define COUNTS(arena, message, descriptor, field, from)                                            \
	do {                                                                                       \
		(message)->n_##field = (from)->n_##field;                                          \
		(message)->field = counts(arena, &rasad__v1__##descriptor##__descriptor,           \
					  (from)->field, &(message)->n_##field);                   \
	} while (0)

/* --- parts --- */

static Rasad__V1__Distribution *distribution(struct arena *arena, const struct dist *from)
{
	if (!from->n)
		return NULL;
	Rasad__V1__Distribution *to = NEW(arena, Distribution);
	rasad__v1__distribution__init(to);
	to->n = from->n;
	to->min_us = from->min_us;
	to->p50_us = from->p50_us;
	to->p90_us = from->p90_us;
	to->p95_us = from->p95_us;
	to->p99_us = from->p99_us;
	to->max_us = from->max_us;
	to->mean_us = from->mean_us;
	return to;
}

static Rasad__V1__RttSegments *rtt(struct arena *arena, const struct report_rtt *from)
{
	Rasad__V1__RttSegments *to = NEW(arena, RttSegments);

	rasad__v1__rtt_segments__init(to);
	to->line = distribution(arena, &from->line);
	to->access = distribution(arena, &from->access);
	to->home = distribution(arena, &from->home);
	to->internet = distribution(arena, &from->internet);
	to->dns = distribution(arena, &from->dns);
	to->icmp = distribution(arena, &from->icmp);
	to->host_delay = distribution(arena, &from->host_delay);
	return to;
}

static Rasad__V1__LossCount *loss_count(struct arena *arena, const struct report_loss *from)
{
	if (!from->packets)
		return NULL;
	Rasad__V1__LossCount *to = NEW(arena, LossCount);
	rasad__v1__loss_count__init(to);
	to->lost = from->lost;
	to->packets = from->packets;
	return to;
}

static Rasad__V1__LossSides *loss(struct arena *arena, const struct report_loss_sides *from)
{
	Rasad__V1__LossSides *to = NEW(arena, LossSides);

	rasad__v1__loss_sides__init(to);
	to->access_down = loss_count(arena, &from->access_down);
	to->access_up = loss_count(arena, &from->access_up);
	to->internet_down = loss_count(arena, &from->internet_down);
	to->internet_up = loss_count(arena, &from->internet_up);
	return to;
}

static Rasad__V1__FlowDirection *direction(struct arena *arena,
					   const struct report_flow_direction *from)
{
	Rasad__V1__FlowDirection *to = NEW(arena, FlowDirection);

	rasad__v1__flow_direction__init(to);
	to->packets = from->packets;
	to->data_packets = from->data_packets;
	to->bytes = from->bytes;
	to->retransmit_seen = from->retransmit_seen;
	to->hole_fill = from->hole_fill;
	to->reordered = from->reordered;
	to->spurious = from->spurious;
	/* A count that takes back more than was given would wrap: it is 0 then. */
	to->lost_before_tap =
		from->hole_fill > from->reordered ? from->hole_fill - from->reordered : 0;
	to->lost_after_tap =
		from->retransmit_seen > from->spurious ? from->retransmit_seen - from->spurious : 0;
	to->suspected_tail_loss = from->suspected_tail_loss;
	to->keepalive = from->keepalive;
	to->zero_window_probe = from->zero_window_probe;
	to->duplicate = from->duplicate;
	to->syn_retransmit = from->syn_retransmit;
	to->fin_retransmit = from->fin_retransmit;
	to->tap_missed = from->tap_missed;
	return to;
}

static Rasad__V1__Session *session(struct arena *arena, const struct report_session *from)
{
	Rasad__V1__Session *to = NEW(arena, Session);

	rasad__v1__session__init(to);
	to->pppoe_session_id = from->pppoe_session_id;
	SET_TIME(to, SESSION, PADS_UNIX_NS, pads_unix_ns, from->pads_unix_ns);
	SET_TIME(to, SESSION, UP_UNIX_NS, up_unix_ns, from->up_unix_ns);
	SET_TIME(to, SESSION, DOWN_UNIX_NS, down_unix_ns, from->down_unix_ns);
	SET_TIME(to, SESSION, FIRST_SEEN_UNIX_NS, first_seen_unix_ns, from->first_seen_unix_ns);
	SET_TIME(to, SESSION, DETECTED_UNIX_NS, detected_unix_ns, from->detected_unix_ns);
	to->cause = (Rasad__V1__DropCause)from->cause;
	to->failed_stage = (Rasad__V1__SetupStage)from->failed_stage;
	return to;
}

static Rasad__V1__Session **sessions(struct arena *arena, const struct report_session *from,
				     size_t *n)
{
	Rasad__V1__Session **to = arena_take(arena, *n * sizeof(*to));

	for (size_t i = 0; to && i < *n; i++)
		if (!(to[i] = session(arena, &from[i])))
			to = NULL;
	if (!to)
		*n = 0;
	return to;
}

/* --- messages --- */

ProtobufCMessage *message_of_event(struct arena *arena, const struct report_session_event *event)
{
	Rasad__V1__SessionEvent *to = NEW(arena, SessionEvent);

	rasad__v1__session_event__init(to);
	to->unix_ns = event->unix_ns;
	to->line = message_text(arena, event->who.line);
	to->subscriber = message_text(arena, event->who.subscriber);
	to->kind = (Rasad__V1__SessionEventKind)event->kind;
	to->cause = (Rasad__V1__DropCause)event->cause;
	to->stage = (Rasad__V1__SetupStage)event->stage;
	SET_TIME(to, SESSION_EVENT, DOWN_SINCE_UNIX_NS, down_since_unix_ns,
		 event->down_since_unix_ns);
	SET_NONZERO(to, SESSION_EVENT, SVLAN, svlan, event->who.svlan);
	SET_NONZERO(to, SESSION_EVENT, CVLAN, cvlan, event->who.cvlan);
	to->cpe_mac = message_text(arena, event->who.cpe_mac);
	if (event->pppoe_session_id >= 0)
		SET(to, SESSION_EVENT, PPPOE_SESSION_ID, pppoe_session_id,
		    (uint32_t)event->pppoe_session_id);
	to->evidence = (Rasad__V1__EvidenceSource)event->evidence;
	to->text = message_text(arena, event->text);
	SET_TIME(to, SESSION_EVENT, SETUP_MS, setup_ms, event->setup_ms);
	return &to->base;
}

ProtobufCMessage *message_of_flap(struct arena *arena, const struct report_flap_summary *flap)
{
	Rasad__V1__FlapSummary *to = NEW(arena, FlapSummary);

	rasad__v1__flap_summary__init(to);
	to->unix_ns = flap->unix_ns;
	to->line = message_text(arena, flap->who.line);
	to->subscriber = message_text(arena, flap->who.subscriber);
	to->flapping = flap->flapping;
	to->flaps = flap->flaps;
	to->flaps_5m = flap->flaps_5m;
	to->flaps_1h = flap->flaps_1h;
	to->flaps_24h = flap->flaps_24h;
	to->penalty = flap->penalty;
	SET_NONZERO(to, FLAP_SUMMARY, SVLAN, svlan, flap->who.svlan);
	SET_NONZERO(to, FLAP_SUMMARY, CVLAN, cvlan, flap->who.cvlan);
	return &to->base;
}

static void summary_identity(struct arena *arena, Rasad__V1__SubscriberSummary *to,
			     const struct report_subscriber *from)
{
	to->line = message_text(arena, from->who.line);
	SET_NONZERO(to, SUBSCRIBER_SUMMARY, SVLAN, svlan, from->who.svlan);
	SET_NONZERO(to, SUBSCRIBER_SUMMARY, CVLAN, cvlan, from->who.cvlan);
	to->subscriber = message_text(arena, from->who.subscriber);
	to->circuit_id = message_text(arena, from->who.circuit_id);
	to->remote_id = message_text(arena, from->who.remote_id);
	to->cpe_mac = message_text(arena, from->who.cpe_mac);
	to->ac_mac = message_text(arena, from->who.ac_mac);
	to->n_ipv4 = from->n_ipv4;
	to->ipv4 = message_texts(arena, from->ipv4, &to->n_ipv4);
	to->n_ipv6 = from->n_ipv6;
	to->ipv6 = message_texts(arena, from->ipv6, &to->n_ipv6);
	SET_NONZERO(to, SUBSCRIBER_SUMMARY, LINE_RATE_DOWN, line_rate_down, from->line_rate_down);
	SET_NONZERO(to, SUBSCRIBER_SUMMARY, LINE_RATE_UP, line_rate_up, from->line_rate_up);
}

static void summary_sessions(struct arena *arena, Rasad__V1__SubscriberSummary *to,
			     const struct report_subscriber *from)
{
	to->state = (Rasad__V1__LineState)from->state;
	SET_TIME(to, SUBSCRIBER_SUMMARY, DOWN_SINCE_UNIX_NS, down_since_unix_ns,
		 from->down_since_unix_ns);
	SET_TIME(to, SUBSCRIBER_SUMMARY, LAST_UPSTREAM_UNIX_NS, last_upstream_unix_ns,
		 from->last_upstream_unix_ns);
	to->flaps = from->flaps;
	to->outages = from->outages;
	to->auth_failures = from->auth_failures;
	to->setup_failures = from->setup_failures;
	to->flapping = from->flapping;
	to->sessions_total = from->sessions_total;
	to->n_sessions = from->n_sessions;
	to->sessions = sessions(arena, from->sessions, &to->n_sessions);
}

static void summary_traffic(struct arena *arena, Rasad__V1__SubscriberSummary *to,
			    const struct report_subscriber *from)
{
	to->packets_down = from->packets_down;
	to->packets_up = from->packets_up;
	to->bytes_down = from->bytes_down;
	to->bytes_up = from->bytes_up;
	to->rtt = rtt(arena, &from->rtt);
	to->loss = loss(arena, &from->loss);
	to->reordered_down = from->reordered_down;
	to->reordered_up = from->reordered_up;
	to->spurious_down = from->spurious_down;
	to->spurious_up = from->spurious_up;
	to->suspected_tail_loss_down = from->suspected_tail_loss_down;
	to->suspected_tail_loss_up = from->suspected_tail_loss_up;
}

static Rasad__V1__SubscriberSummary *summary(struct arena *arena,
					     const struct report_subscriber *from)
{
	Rasad__V1__SubscriberSummary *to = NEW(arena, SubscriberSummary);

	rasad__v1__subscriber_summary__init(to);
	summary_identity(arena, to, from);
	summary_sessions(arena, to, from);
	summary_traffic(arena, to, from);
	return to;
}

ProtobufCMessage *message_of_subscriber(struct arena *arena,
					const struct report_subscriber *subscriber)
{
	/* encode_card.c writes the same bytes into a card. */
	return (ProtobufCMessage *)summary(arena, subscriber);
}

static Rasad__V1__MinuteLatency *minute_latency(struct arena *arena, const struct dist *from)
{
	if (!from->n)
		return NULL;
	Rasad__V1__MinuteLatency *to = NEW(arena, MinuteLatency);
	rasad__v1__minute_latency__init(to);
	to->n = from->n;
	to->min_us = encode_whole_us(from->min_us);
	to->p50_us = encode_whole_us(from->p50_us);
	to->p90_us = encode_whole_us(from->p90_us);
	to->p95_us = encode_whole_us(from->p95_us);
	to->p99_us = encode_whole_us(from->p99_us);
	to->max_us = encode_whole_us(from->max_us);
	to->mean_us = encode_whole_us(from->mean_us);
	return to;
}

static Rasad__V1__MinuteSegments *minute_rtt(struct arena *arena, const struct report_rtt *from)
{
	Rasad__V1__MinuteSegments *to = NEW(arena, MinuteSegments);

	rasad__v1__minute_segments__init(to);
	to->line = minute_latency(arena, &from->line);
	to->access = minute_latency(arena, &from->access);
	to->home = minute_latency(arena, &from->home);
	to->internet = minute_latency(arena, &from->internet);
	to->dns = minute_latency(arena, &from->dns);
	to->icmp = minute_latency(arena, &from->icmp);
	to->host_delay = minute_latency(arena, &from->host_delay);
	return to;
}

/* encode_minute.c writes the same bytes without a message. */
ProtobufCMessage *message_of_minute(struct arena *arena, const struct report_minute *minute)
{
	Rasad__V1__MinuteSummary *to = NEW(arena, MinuteSummary);
	char *sub_id = arena_take(arena, KEYSPACE_SUB_ID_SIZE);

	if (!sub_id)
		return NULL;
	rasad__v1__minute_summary__init(to);
	keyspace_sub_id(minute->line, sub_id);
	to->line = message_text(arena, minute->line);
	to->sub_id = sub_id;
	to->start_unix_ns = minute->start_unix_ns;
	to->duration_ms = minute->duration_ms;
	to->packets_down = minute->packets_down;
	to->packets_up = minute->packets_up;
	to->bytes_down = minute->bytes_down;
	to->bytes_up = minute->bytes_up;
	to->rtt = minute_rtt(arena, &minute->rtt);
	to->loss = loss(arena, &minute->loss);
	to->reordered_down = minute->reordered_down;
	to->reordered_up = minute->reordered_up;
	to->spurious_down = minute->spurious_down;
	to->spurious_up = minute->spurious_up;
	to->suspected_tail_loss_down = minute->suspected_tail_loss_down;
	to->suspected_tail_loss_up = minute->suspected_tail_loss_up;
	return &to->base;
}

ProtobufCMessage *message_of_flow(struct arena *arena, const struct report_flow *flow)
{
	Rasad__V1__FlowSummary *to = NEW(arena, FlowSummary);

	rasad__v1__flow_summary__init(to);
	to->line = message_text(arena, flow->line);
	to->client = message_text(arena, flow->client);
	to->client_port = flow->client_port;
	to->server = message_text(arena, flow->server);
	to->server_port = flow->server_port;
	to->first_unix_ns = flow->first_unix_ns;
	to->last_unix_ns = flow->last_unix_ns;
	to->down = direction(arena, &flow->down);
	to->up = direction(arena, &flow->up);
	to->rtt_access = distribution(arena, &flow->rtt_access);
	to->rtt_internet = distribution(arena, &flow->rtt_internet);
	to->host_delay = distribution(arena, &flow->host_delay);
	SET_NONZERO(to, FLOW_SUMMARY, SVLAN, svlan, flow->svlan);
	SET_NONZERO(to, FLOW_SUMMARY, CVLAN, cvlan, flow->cvlan);
	return &to->base;
}

ProtobufCMessage *message_of_node(struct arena *arena, const struct report_node *node)
{
	Rasad__V1__NodeSummary *to = NEW(arena, NodeSummary);

	rasad__v1__node_summary__init(to);
	to->group_type = message_text(arena, node->group_type);
	to->group = message_text(arena, node->group);
	to->lines = node->lines;
	to->up = node->up;
	to->down = node->down;
	to->suspect = node->suspect;
	to->unknown = node->unknown;
	to->flaps = node->flaps;
	to->rtt = rtt(arena, &node->rtt);
	to->loss = loss(arena, &node->loss);
	to->packets_down = node->packets_down;
	to->packets_up = node->packets_up;
	to->bytes_down = node->bytes_down;
	to->bytes_up = node->bytes_up;
	return &to->base;
}

ProtobufCMessage *message_of_health(struct arena *arena, const struct report_health *health)
{
	Rasad__V1__CollectorHealth *to = NEW(arena, CollectorHealth);

	rasad__v1__collector_health__init(to);
	to->unix_ns = health->unix_ns;
	to->collector = message_text(arena, health->collector);
	to->packets = health->packets;
	to->bytes = health->bytes;
	to->dropped = health->dropped;
	to->lines = health->lines;
	to->flows = health->flows;
	COUNTS(arena, to, collector_health__verdicts_entry, verdicts, health);
	COUNTS(arena, to, collector_health__refusals_entry, refusals, health);
	COUNTS(arena, to, collector_health__control_entry, control, health);
	COUNTS(arena, to, collector_health__notes_entry, notes, health);
	to->running = health->running;
	return &to->base;
}

void message_add_publisher(struct arena *arena, ProtobufCMessage *message,
			   const struct codec_publisher_health *own)
{
	Rasad__V1__CollectorHealth *to = (Rasad__V1__CollectorHealth *)message;

	to->version = message_text(arena, own->version);
	to->epoch = own->epoch_unix_ms;
	to->events_published = own->events_published;
	to->cards_published = own->cards_published;
	to->events_queued = own->events_queued;
	to->minutes_published = own->minutes_published;
	to->running = own->running;
	COUNTS(arena, to, collector_health__shed_entry, shed, own);
}

ProtobufCMessage *message_of_replay(struct arena *arena, const struct codec_replay *replay)
{
	const struct report_health *health = replay->health;
	Rasad__V1__ReplaySummary *to = NEW(arena, ReplaySummary);

	rasad__v1__replay_summary__init(to);
	to->n_files = replay->n_files;
	to->files = message_texts(arena, replay->files, &to->n_files);
	to->n_warnings = replay->n_warnings;
	to->warnings = message_texts(arena, replay->warnings, &to->n_warnings);
	to->packets = health->packets;
	to->bytes = health->bytes;
	SET_TIME(to, REPLAY_SUMMARY, FIRST_UNIX_NS, first_unix_ns, health->first_unix_ns);
	SET_TIME(to, REPLAY_SUMMARY, LAST_UNIX_NS, last_unix_ns, health->last_unix_ns);
	COUNTS(arena, to, replay_summary__verdicts_entry, verdicts, health);
	COUNTS(arena, to, replay_summary__refusals_entry, refusals, health);
	COUNTS(arena, to, replay_summary__control_entry, control, health);
	COUNTS(arena, to, replay_summary__notes_entry, notes, health);
	to->lines = health->lines;
	to->flows = health->flows;
	to->elapsed_s = replay->elapsed_s;
	to->version = message_text(arena, replay->version);
	return &to->base;
}
