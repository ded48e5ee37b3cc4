/* SPDX-License-Identifier: BSD-3-Clause */
#include "proto/json.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>
#include <jansson.h>

#include "proto/rasad/v1/card.pb-c.h"
#include "proto/rasad/v1/health.pb-c.h"
#include "proto/rasad/v1/metrics.pb-c.h"
#include "proto/rasad/v1/session.pb-c.h"

static struct json_buffer buffer;

static int tear_down(void **state)
{
	(void)state;
	json_buffer_fini(&buffer);
	return 0;
}

static const char *line_of(const void *message)
{
	buffer.length = 0;
	assert_int_equal(json_append_line(&buffer, message), 0);
	assert_int_equal(buffer.text[buffer.length - 1], '\n');
	json_append_string(&buffer, "", 0); /* grows it; then the newline is made an end */
	buffer.length -= 2;
	buffer.text[buffer.length - 1] = 0;
	return buffer.text;
}

static const char *string_of(const char *text, size_t n)
{
	buffer.length = 0;
	json_append_string(&buffer, text, n);
	json_append_string(&buffer, "", 0);
	buffer.text[buffer.length - 2] = 0;
	return buffer.text;
}

static void test_empty_event(void **state)
{
	(void)state;
	Rasad__V1__SessionEvent event = RASAD__V1__SESSION_EVENT__INIT;
	assert_string_equal(line_of(&event), "{\"type\":\"session_event\",\"unix_ns\":0}");
}

static void test_members(void **state)
{
	(void)state;
	Rasad__V1__SessionEvent event = RASAD__V1__SESSION_EVENT__INIT;
	event.unix_ns = INT64_MIN;
	event.kind = RASAD__V1__SESSION_EVENT_KIND__SESSION_EVENT_KIND_SETUP_FAILED;
	event.stage = RASAD__V1__SETUP_STAGE__SETUP_STAGE_PADI_NO_PADO;
	event.has_svlan_case = RASAD__V1__SESSION_EVENT__HAS_SVLAN_SVLAN;
	event.svlan = 0; /* present, and 0 */
	assert_string_equal(line_of(&event),
			    "{\"type\":\"session_event\",\"unix_ns\":-9223372036854775808,"
			    "\"kind\":\"SETUP_FAILED\",\"stage\":\"PADI_NO_PADO\",\"svlan\":0}");
}

/* An enum value of a later schema is kept as its number. */
static void test_unknown_enum(void **state)
{
	(void)state;
	Rasad__V1__SessionEvent event = RASAD__V1__SESSION_EVENT__INIT;
	event.cause = (Rasad__V1__DropCause)77;
	assert_string_equal(line_of(&event),
			    "{\"type\":\"session_event\",\"unix_ns\":0,\"cause\":77}");
}

static void test_unknown_state_is_said(void **state)
{
	(void)state;
	Rasad__V1__SubscriberSummary summary = RASAD__V1__SUBSCRIBER_SUMMARY__INIT;
	const char *line = line_of(&summary);
	assert_non_null(strstr(line, "\"state\":\"UNKNOWN\""));
	assert_non_null(strstr(line, "\"ipv4\":[],\"ipv6\":[]"));
	assert_non_null(strstr(line, "\"sessions\":[]"));
	assert_null(strstr(line, "rtt"));
	assert_null(strstr(line, "subscriber\":"));
}

static const char *double_of(double value)
{
	Rasad__V1__ReplaySummary summary = RASAD__V1__REPLAY_SUMMARY__INIT;
	summary.elapsed_s = value;
	char *found = strstr(line_of(&summary), "\"elapsed_s\":");
	if (!found)
		return "absent";
	found += strlen("\"elapsed_s\":");
	*strpbrk(found, ",}") = 0;
	return found;
}

static void test_doubles(void **state)
{
	(void)state;
	assert_string_equal(double_of(0), "0");
	assert_string_equal(double_of(12.1), "12.1");
	assert_string_equal(double_of(0.1 + 0.2), "0.3");
	assert_string_equal(double_of(12.0994), "12.099");
	assert_string_equal(double_of(12.0996), "12.1");
	assert_string_equal(double_of(-0.0001), "0");
	assert_string_equal(double_of(-1.5), "-1.5");
	assert_string_equal(double_of(0.005), "0.005");
	assert_string_equal(double_of(0.05), "0.05");
	assert_string_equal(double_of(1e12), "1000000000000");
	assert_string_equal(double_of(1e300), "1.0000000000000001e+300");
	assert_string_equal(double_of(NAN), "absent");
	assert_string_equal(double_of(-INFINITY), "absent");
}

static void test_maps(void **state)
{
	(void)state;
	Rasad__V1__CollectorHealth health = RASAD__V1__COLLECTOR_HEALTH__INIT;
	Rasad__V1__CollectorHealth__VerdictsEntry ok =
		RASAD__V1__COLLECTOR_HEALTH__VERDICTS_ENTRY__INIT;
	Rasad__V1__CollectorHealth__VerdictsEntry none =
		RASAD__V1__COLLECTOR_HEALTH__VERDICTS_ENTRY__INIT;
	Rasad__V1__CollectorHealth__VerdictsEntry *verdicts[] = {&ok, &none};
	ok.key = (char *)"o\"k";
	ok.value = UINT64_MAX;
	none.key = (char *)"truncated";
	health.verdicts = verdicts;
	health.n_verdicts = 2;
	const char *line = line_of(&health);
	assert_non_null(strstr(
		line,
		"\"verdicts\":{\"o\\\"k\":18446744073709551615,\"truncated\":0},\"refusals\":{}"));
	assert_non_null(strstr(line, "\"running\":false"));
}

static void test_nested_messages_have_no_type(void **state)
{
	(void)state;
	Rasad__V1__SubscriberCard card = RASAD__V1__SUBSCRIBER_CARD__INIT;
	Rasad__V1__SubscriberSummary summary = RASAD__V1__SUBSCRIBER_SUMMARY__INIT;
	card.summary = &summary;
	const char *line = line_of(&card);
	assert_int_equal(strncmp(line, "{\"type\":\"subscriber_card\",", 26), 0);
	assert_null(strstr(line + 10, "\"type\""));
	assert_non_null(strstr(line, "\"summary\":{\"ipv4\""));
}

static void test_strings(void **state)
{
	(void)state;
	assert_string_equal(string_of("plain", 5), "\"plain\"");
	assert_string_equal(string_of("a\0b", 3), "\"a\\u0000b\"");
	assert_string_equal(string_of("\"\\\n\t\r\x1b\x7f", 7),
			    "\"\\\"\\\\\\n\\t\\r\\u001b\\u007f\"");
	assert_string_equal(string_of("\xd8\xb1\xd8\xb5\xd8\xaf", 6),
			    "\"\xd8\xb1\xd8\xb5\xd8\xaf\"");
	assert_string_equal(string_of("\xc2\x9b", 2), "\"\\u009b\""); /* C1: CSI */
	assert_string_equal(string_of("\xf0\x9f\x98\x80", 4), "\"\xf0\x9f\x98\x80\"");
#define BAD "\xef\xbf\xbd"
	assert_string_equal(string_of("a\xff"
				      "b",
				      3),
			    "\"a" BAD "b\"");
	assert_string_equal(string_of("\xc0\xaf", 2), "\"" BAD BAD "\"");	  /* overlong */
	assert_string_equal(string_of("\xed\xa0\x80", 3), "\"" BAD BAD BAD "\""); /* surrogate */
	assert_string_equal(string_of("\xf4\x90\x80\x80", 4), "\"" BAD BAD BAD BAD "\"");
	assert_string_equal(string_of("\xe2\x82", 2), "\"" BAD BAD "\""); /* cut off */
}

/* Every byte pair makes JSON that a strict reader takes. */
static void test_any_bytes_are_json(void **state)
{
	(void)state;
	for (unsigned pair = 0; pair < 65536; pair++) {
		char text[] = {'[', (char)(pair >> 8), (char)pair, 'x'};
		buffer.length = 0;
		json_append_string(&buffer, text, sizeof(text));
		json_t *value = json_loadb(buffer.text, buffer.length,
					   JSON_DECODE_ANY | JSON_ALLOW_NUL, NULL);
		if (!value)
			fail_msg("bytes %04x are no JSON", pair);
		json_decref(value);
	}
}

static void test_lines_follow_each_other(void **state)
{
	(void)state;
	Rasad__V1__SessionEvent event = RASAD__V1__SESSION_EVENT__INIT;
	buffer.length = 0;
	for (int i = 0; i < 10000; i++)
		assert_int_equal(json_append_line(&buffer, &event.base), 0);
	static const char line[] = "{\"type\":\"session_event\",\"unix_ns\":0}\n";
	assert_int_equal(buffer.length, 10000 * (sizeof(line) - 1));
	assert_memory_equal(buffer.text + buffer.length - (sizeof(line) - 1), line,
			    sizeof(line) - 1);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_teardown(name, tear_down)
	const struct CMUnitTest tests[] = {
		TEST(test_empty_event),
		TEST(test_members),
		TEST(test_unknown_enum),
		TEST(test_unknown_state_is_said),
		TEST(test_doubles),
		TEST(test_maps),
		TEST(test_nested_messages_have_no_type),
		TEST(test_strings),
		TEST(test_any_bytes_are_json),
		TEST(test_lines_follow_each_other),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
