/* SPDX-License-Identifier: BSD-3-Clause */
#include "engine/match/call_json.h"

#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "proto/json_read.h"
#include "proto/rasad/v1/call.pb-c.h"

#define FIELD_MAX     256
#define FREE_TEXT_MAX 4096
#define YEAR_2000_NS  946684800000000000ll
#define YEAR_2200_NS  7258118400000000000ll

static bool is_id(const char *text)
{
	for (; *text; text++)
		if (*text <= ' ' || *text > '~')
			return false;
	return true;
}

/* 0 is "not said". */
static bool is_time(int64_t unix_ns)
{
	return !unix_ns || (unix_ns > YEAR_2000_NS && unix_ns < YEAR_2200_NS);
}

const char *call_check(const Rasad__V1__CallEvent *call)
{
	if (strlen(call->call_id) > CALL_ID_MAX || !is_id(call->call_id))
		return "\"call_id\": expected at most 64 printable ASCII characters without blanks";
	if (!*call->phone && !*call->line_number && !*call->account)
		return "expected one of \"phone\", \"line_number\" and \"account\"";
	if (strlen(call->phone) > FIELD_MAX || strlen(call->line_number) > FIELD_MAX ||
	    strlen(call->account) > FIELD_MAX || strlen(call->agent) > FIELD_MAX ||
	    strlen(call->channel) > FIELD_MAX)
		return "a name is longer than 256 bytes";
	if (strlen(call->free_text) > FREE_TEXT_MAX)
		return "\"free_text\" is longer than 4096 bytes";
	if (!is_time(call->unix_ns))
		return "\"unix_ns\": expected nanoseconds since 1970";
	if (call->has_reported_start_unix_ns_case && !is_time(call->reported_start_unix_ns))
		return "\"reported_start_unix_ns\": expected nanoseconds since 1970";
	return NULL;
}

Rasad__V1__CallEvent *call_from_json(const char *text, size_t n, int64_t now_unix_ns,
				     char error[CALL_JSON_ERROR_SIZE])
{
	static const ProtobufCMessageDescriptor *const types[] = {
		&rasad__v1__call_event__descriptor};

	if (n > CALL_JSON_BYTES_MAX) {
		snprintf(error, CALL_JSON_ERROR_SIZE, "longer than %d bytes", CALL_JSON_BYTES_MAX);
		return NULL;
	}
	Rasad__V1__CallEvent *call = (Rasad__V1__CallEvent *)json_read(text, n, types, 1, error);
	if (!call)
		return NULL;
	const char *wrong = call_check(call);
	if (wrong) {
		snprintf(error, CALL_JSON_ERROR_SIZE, "%s", wrong);
		rasad__v1__call_event__free_unpacked(call, NULL);
		return NULL;
	}
	if (!call->unix_ns)
		call->unix_ns = now_unix_ns;
	if (!call->complaint)
		call->complaint = RASAD__V1__COMPLAINT__COMPLAINT_OTHER;
	return call;
}
