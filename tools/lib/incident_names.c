/* SPDX-License-Identifier: BSD-3-Clause */
#include "tools/lib/incident_names.h"

#include <stddef.h>

#include "proto/rasad/v1/incident.pb-c.h"

/* CATEGORY_PREMISES without its first n bytes; "?" for what a newer schema may say. */
static const char *name_after(const ProtobufCEnumDescriptor *type, int value, size_t n)
{
	const ProtobufCEnumValue *found = protobuf_c_enum_descriptor_get_value(type, value);

	return found ? found->name + n : "?";
}

const char *incident_state_name(int state)
{
	return name_after(&rasad__v1__incident_state__descriptor, state,
			  sizeof("INCIDENT_STATE_") - 1);
}

const char *severity_name(int severity)
{
	return name_after(&rasad__v1__severity__descriptor, severity, sizeof("SEVERITY_") - 1);
}

const char *category_name(int category)
{
	return name_after(&rasad__v1__category__descriptor, category, sizeof("CATEGORY_") - 1);
}

const char *class_name(int class)
{
	return name_after(&rasad__v1__incident_class__descriptor, class,
			  sizeof("INCIDENT_CLASS_") - 1);
}

const char *class_words(int class)
{
	static const char *const words[] = {
		"",
		"the area has no power",
		"modems of one vendor fail together",
		"a card of the access node failed",
		"a port or PON failed",
		"a cable or cabinet is cut",
		"the main distribution frame",
		"the access node or its uplink",
		"transmission to the exchange",
		"the BRAS",
		"a port of the BRAS",
		"logins are not answered (RADIUS)",
		"the address pool",
		"the DNS resolver does not answer",
		"the way to the Internet",
		"congestion",
		"latency or loss",
		"sessions that flap",
		"something that these lines share",
		"callers report what the network does not show",
	};

	return class >= 0 && (size_t) class < sizeof(words) / sizeof(*words) ? words[class] : "";
}
