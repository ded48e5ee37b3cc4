/* SPDX-License-Identifier: BSD-3-Clause */
/* Any bytes as a stored message: taken or refused, and what is taken can be said as JSON. */
#include <stdint.h>
#include <stdlib.h>

#include "proto/bounded.h"
#include "proto/json.h"
#include "proto/rasad/v1/card.pb-c.h"
#include "proto/rasad/v1/health.pb-c.h"
#include "proto/rasad/v1/incident.pb-c.h"
#include "proto/rasad/v1/metrics.pb-c.h"
#include "proto/rasad/v1/session.pb-c.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	const ProtobufCMessageDescriptor *const types[] = {
		&rasad__v1__subscriber_card__descriptor, &rasad__v1__subscriber_index__descriptor,
		&rasad__v1__session_event__descriptor,	 &rasad__v1__collector_health__descriptor,
		&rasad__v1__minute_batch__descriptor,	 &rasad__v1__incident__descriptor,
		&rasad__v1__member_set__descriptor,	 &rasad__v1__gap_notice__descriptor};

	for (size_t i = 0; i < sizeof(types) / sizeof(*types); i++) {
		struct json_buffer buffer = {0};
		ProtobufCMessage *message = bounded_unpack(types[i], data, len);
		if (!message)
			continue;
		if (json_append_line(&buffer, message) || buffer.text[0] != '{')
			abort();
		json_buffer_fini(&buffer);
		protobuf_c_message_free_unpacked(message, NULL);
	}
	return 0;
}
