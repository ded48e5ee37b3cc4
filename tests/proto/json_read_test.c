/* SPDX-License-Identifier: BSD-3-Clause */
#include "proto/json_read.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "proto/json.h"
#include "proto/rasad/v1/call.pb-c.h"
#include "proto/rasad/v1/card.pb-c.h"
#include "proto/rasad/v1/incident.pb-c.h"

static const ProtobufCMessageDescriptor *const types[] = {
	&rasad__v1__call_event__descriptor, &rasad__v1__member_set__descriptor,
	&rasad__v1__incident__descriptor, &rasad__v1__subscriber_card__descriptor};

static void *read_text(const char *text, char error[JSON_READ_ERROR_SIZE])
{
	*error = 0;
	return json_read(text, strlen(text), types, 4, error);
}

static void fails_with(const char *text, const char *why)
{
	char error[JSON_READ_ERROR_SIZE];

	assert_null(read_text(text, error));
	if (!strstr(error, why))
		fail_msg("%s: \"%s\", expected \"%s\"", text, error, why);
}

static void every_kind_of_value(void **state)
{
	(void)state;
	char error[JSON_READ_ERROR_SIZE];
	Rasad__V1__Incident *incident = read_text(
		"{\"type\":\"incident\",\"incident_id\":\"\\u06f1x\",\"revision\":7,\"state\":\"OPEN\","
		"\"class\":\"INCIDENT_CLASS_CABLE_CUT\",\"category\":3,\"onset_unix_ns\":\"-5\","
		"\"clear_unix_ns\":0,\"confidence\":0.5,\"planned\":true,\"unknown\":{\"a\":[1]},"
		"\"path\":[\"a\",\"b\"],\"eta_90_unix_ns\":null,\"evidence\":{\"k\":3,\"causes\":"
		"[{\"cause\":\"LINE_LOST\",\"lines\":4}]}}",
		error);

	assert_non_null(incident);
	assert_string_equal(incident->incident_id, "\u06f1x");
	assert_int_equal(incident->revision, 7);
	assert_int_equal(incident->state, RASAD__V1__INCIDENT_STATE__INCIDENT_STATE_OPEN);
	assert_int_equal(incident->class_, RASAD__V1__INCIDENT_CLASS__INCIDENT_CLASS_CABLE_CUT);
	assert_int_equal(incident->category, 3);
	assert_int_equal(incident->onset_unix_ns, -5);
	assert_true(incident->has_clear_unix_ns_case != 0); /* 0 is there; null is not */
	assert_true(incident->has_eta_90_unix_ns_case == 0);
	assert_true(incident->planned);
	assert_int_equal(incident->n_path, 2);
	assert_int_equal(incident->evidence->causes[0]->lines, 4);
	rasad__v1__incident__free_unpacked(incident, NULL);
}

/* What json.h writes is read back: numbers of 64 bits in full. */
static void reads_what_we_write(void **state)
{
	(void)state;
	uint64_t down[] = {1, 9223372036854775807ull, 9223372036854775808ull, UINT64_MAX};
	Rasad__V1__MemberSet set = RASAD__V1__MEMBER_SET__INIT;
	struct json_buffer buffer = {0};
	char error[JSON_READ_ERROR_SIZE];

	set.incident_id = (char *)"I \" 18446744073709551615 \\";
	set.down = down;
	set.n_down = 4;
	assert_int_equal(json_append_line(&buffer, &set.base), 0);
	Rasad__V1__MemberSet *read = (void *)json_read(buffer.text, buffer.length, types, 4, error);
	assert_non_null(read);
	assert_string_equal(read->incident_id, set.incident_id);
	assert_int_equal(read->n_down, 4);
	for (size_t i = 0; i < 4; i++)
		assert_true(read->down[i] == down[i]);
	rasad__v1__member_set__free_unpacked(read, NULL);
	json_buffer_fini(&buffer);
	read = read_text("{\"type\":\"member_set\",\"down\":[\"ffffffffffffffff\",\"12\"]}", error);
	assert_true(read->down[0] == UINT64_MAX && read->down[1] == 12);
	rasad__v1__member_set__free_unpacked(read, NULL);
}

static void errors_name_the_field(void **state)
{
	(void)state;
	char *deep = malloc(8192), *big = malloc(JSON_READ_BYTES_MAX + 2);
	char error[JSON_READ_ERROR_SIZE];

	fails_with("", "no JSON");
	fails_with("[]", "expected an object");
	fails_with("{\"a\":1", "no JSON");
	fails_with("{\"a\":1} x", "no JSON");
	fails_with("{\"a\":\"\xff\"}", "no JSON");
	fails_with("{}", "\"type\": missing");
	fails_with("{\"type\":\"flow_summary\"}", "not one that is expected");
	fails_with("{\"type\":7}", "not one that is expected");
	fails_with("{\"type\":\"call_event\",\"type\":\"call_event\"}", "duplicate");
	fails_with("{\"type\":\"call_event\",\"phone\":7}", "\"phone\": expected a text");
	fails_with("{\"type\":\"call_event\",\"phone\":\"a\\u0000b\"}", "no JSON");
	fails_with("{\"type\":\"call_event\",\"complaint\":\"SLOWER\"}", "no value is called");
	fails_with("{\"type\":\"call_event\",\"complaint\":\"\"}", "name of a value");
	fails_with("{\"type\":\"call_event\",\"unix_ns\":1.5}", "whole number");
	fails_with("{\"type\":\"call_event\",\"unix_ns\":9223372036854775808}", "whole number");
	fails_with("{\"type\":\"call_event\",\"unix_ns\":\"\"}", "whole number");
	fails_with("{\"type\":\"incident\",\"revision\":4294967296}", "32 bits");
	fails_with("{\"type\":\"incident\",\"revision\":-1}", "whole number");
	fails_with("{\"type\":\"incident\",\"planned\":1}", "true or false");
	fails_with("{\"type\":\"incident\",\"path\":\"a\"}", "\"path\": expected a list");
	fails_with("{\"type\":\"incident\",\"path\":[\"a\",7]}", "\"path\": expected a text");
	fails_with("{\"type\":\"incident\",\"evidence\":[]}", "\"evidence\": expected an object");
	fails_with("{\"type\":\"incident\",\"evidence\":{\"causes\":[{\"lines\":\"x\"}]}}",
		   "\"lines\"");
	fails_with("{\"type\":\"incident\",\"confidence\":\"high\"}", "a number");
	for (int i = 0; i < 4095; i++)
		deep[i] = '[';
	deep[4095] = 0;
	assert_null(read_text(deep, error));
	memset(big, ' ', JSON_READ_BYTES_MAX + 1);
	assert_null(json_read(big, JSON_READ_BYTES_MAX + 1, types, 4, error));
	assert_non_null(strstr(error, "longer"));
	free(deep);
	free(big);
}

static void a_single_type_needs_no_name(void **state)
{
	(void)state;
	char error[JSON_READ_ERROR_SIZE];
	Rasad__V1__CallEvent *call = (void *)json_read("{\"phone\":\"1\"}", 13, types, 1, error);

	assert_non_null(call);
	assert_string_equal(call->phone, "1");
	rasad__v1__call_event__free_unpacked(call, NULL);
	assert_null(json_read("{\"type\":\"incident\"}", 19, types, 1, error));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_kind_of_value),
		cmocka_unit_test(reads_what_we_write),
		cmocka_unit_test(errors_name_the_field),
		cmocka_unit_test(a_single_type_needs_no_name),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
