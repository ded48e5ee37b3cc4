/* SPDX-License-Identifier: BSD-3-Clause */
#include "engine/match/call_json.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "proto/rasad/v1/call.pb-c.h"

#define NOW 1763202900000000000ll

static void a_call_is_completed(void **state)
{
	(void)state;
	static const char text[] = "{\"phone\":\"۰۲۱۸۸۷۷۶۶۵۵\",\"colour\":\"green\"}";
	char error[CALL_JSON_ERROR_SIZE];
	Rasad__V1__CallEvent *call = call_from_json(text, strlen(text), NOW, error);

	assert_non_null(call);
	assert_string_equal(call->phone, "۰۲۱۸۸۷۷۶۶۵۵");
	assert_int_equal(call->unix_ns, NOW);
	assert_int_equal(call->complaint, RASAD__V1__COMPLAINT__COMPLAINT_OTHER);
	assert_string_equal(call->call_id, "");
	rasad__v1__call_event__free_unpacked(call, NULL);
}

static void what_is_wrong_is_named(void **state)
{
	(void)state;
	static const struct {
		const char *text, *why;
	} rows[] = {
		{"{}", "expected one of \"phone\""},
		{"{\"phone\":\"\"}", "expected one of"},
		{"{\"phone\":\"1\",\"call_id\":\"a b\"}", "\"call_id\""},
		{"{\"phone\":\"1\",\"call_id\":\"a\\nb\"}", "\"call_id\""},
		{"{\"phone\":\"1\",\"call_id\":\"ب\"}", "\"call_id\""},
		{"{\"phone\":\"1\",\"call_id\":\"0123456789012345678901234567890123456789012345678901234567890123x\"}",
		 "\"call_id\""},
		{"{\"phone\":\"1\",\"unix_ns\":5}", "\"unix_ns\""},
		{"{\"phone\":\"1\",\"reported_start_unix_ns\":-5}", "\"reported_start_unix_ns\""},
		{"{\"phone\":\"1\",\"complaint\":\"LOUD\"}", "complaint"},
		{"{\"type\":\"incident\",\"phone\":\"1\"}", "\"type\""},
		{"phone=1", "no JSON"},
	};
	char error[CALL_JSON_ERROR_SIZE];

	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		assert_null(call_from_json(rows[i].text, strlen(rows[i].text), NOW, error));
		if (!strstr(error, rows[i].why))
			fail_msg("%s: \"%s\"", rows[i].text, error);
	}
	char *big = malloc(CALL_JSON_BYTES_MAX + 1);
	memset(big, ' ', CALL_JSON_BYTES_MAX + 1);
	assert_null(call_from_json(big, CALL_JSON_BYTES_MAX + 1, NOW, error));
	assert_non_null(strstr(error, "longer"));
	free(big);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_call_is_completed),
		cmocka_unit_test(what_is_wrong_is_named),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
