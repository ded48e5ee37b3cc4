/* SPDX-License-Identifier: BSD-3-Clause */
/* Builds protobuf messages from records, piece by piece in an arena. NULL: out of memory. */
#ifndef RASAD_ENGINE_PUBLISH_MESSAGES_H
#define RASAD_ENGINE_PUBLISH_MESSAGES_H

#include "engine/analysis/report.h"

struct arena;
struct codec_producer;
struct codec_publisher_health;
struct codec_replay;
typedef struct ProtobufCMessage ProtobufCMessage;

ProtobufCMessage *message_of_event(struct arena *arena, const struct report_session_event *event);
ProtobufCMessage *message_of_flap(struct arena *arena, const struct report_flap_summary *flap);
ProtobufCMessage *message_of_subscriber(struct arena *arena,
					const struct report_subscriber *subscriber);
ProtobufCMessage *message_of_minute(struct arena *arena, const struct report_minute *minute);
ProtobufCMessage *message_of_flow(struct arena *arena, const struct report_flow *flow);
ProtobufCMessage *message_of_node(struct arena *arena, const struct report_node *node);
ProtobufCMessage *message_of_health(struct arena *arena, const struct report_health *health);
ProtobufCMessage *message_of_replay(struct arena *arena, const struct codec_replay *replay);
ProtobufCMessage *message_of_incident(struct arena *arena, const struct report_incident *incident,
				      const struct codec_producer *producer);
/* `named`: with the names of the lines, too. */
ProtobufCMessage *message_of_members(struct arena *arena, const struct report_incident *incident,
				     bool named);
ProtobufCMessage *message_of_gap(struct arena *arena, const struct report_gap *gap);
ProtobufCMessage *message_of_lint(struct arena *arena, const struct report_topology_lint *lint);
/* Fills in what the publisher knows; message is a CollectorHealth. */
void message_add_publisher(struct arena *arena, ProtobufCMessage *message,
			   const struct codec_publisher_health *own);

#endif
