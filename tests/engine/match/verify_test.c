/* SPDX-License-Identifier: BSD-3-Clause */
#include "engine/match/verify.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "tests/engine/match/fixture.h"

#define STATE(name) RASAD__V1__VERIFY_STATE__VERIFY_STATE_##name

static int tear_down(void **state)
{
	(void)state;
	fixture_free();
	return 0;
}

static Rasad__V1__Incident *cleared(int minutes_ago)
{
	Rasad__V1__Incident *incident = incident_of(
		"{'incident_id':'I1','state':'CLEARED','class':'CARD_FAILURE','group_type':'card',"
		"'group':'D1/3','onset_unix_ns':%T(-90),'clear_unix_ns':%T(0)}");

	incident->clear_unix_ns = NOW_NS - minutes_ago * MIN_NS;
	return incident;
}

static Rasad__V1__VerifyResult *verify(int minutes_after_clearing,
				       const Rasad__V1__SubscriberCard *card)
{
	struct verify_input input = {
		.incident = cleared(minutes_after_clearing),
		.sub_id = "b98c12002e206d3a",
		.card = card,
		.now_unix_ns = NOW_NS,
		.wall_unix_ms = NOW_NS / 1000000,
	};
	Rasad__V1__VerifyResult *result = verify_line(&input);

	assert_non_null(result);
	assert_true(*result->text_fa && *result->text_en && *result->action);
	assert_int_equal(result->call_back,
			 result->state == STATE(VERIFIED) || result->state == STATE(UP_NO_TRAFFIC));
	return kept(result);
}

#define BACK(minutes) ",'up_since_unix_ns':%T(-" #minutes "),'last_down_unix_ns':%T(-90)"

static void every_state(void **state)
{
	(void)state;
	static const struct {
		int age;
		bool down;
		const char *more;
		int expected;
	} rows[] = {
		{3, true, "", STATE(WAIT)},
		{6, true, "", STATE(STILL_DOWN)},
		{60, true, "", STATE(STILL_DOWN)},
		{20, false, ",'summary':{'state':'SUSPECT'}", STATE(STILL_DOWN)},
		{20, false, ",'summary':{'state':'UNKNOWN'}", STATE(UNKNOWN)},
		{14, false, BACK(14), STATE(VERIFYING)},
		{20, false, BACK(9), STATE(VERIFYING)},
		{20, false, BACK(20), STATE(VERIFIED)},
		{20, false, ",'last_down_unix_ns':%T(-12),'up_since_unix_ns':%T(-11)",
		 STATE(UNSTABLE)},
		{20, false, BACK(20) ",'summary':{'state':'UP','flapping':true}", STATE(UNSTABLE)},
		{20, false,
		 BACK(20) ",'summary':{'state':'UP','sessions':[{'cause':'LINE_LOST','down_unix_ns':%T(-15)},"
			  "{'up_unix_ns':%T(-14)}]}",
		 STATE(UNSTABLE)},
		{20, false,
		 BACK(20) ",'recent':{'bytes_up':9,'bytes_down':9,'rtt':{'line':{'n':50,'p50_us':14000}}}",
		 STATE(DEGRADED)},
		{20, false,
		 BACK(20) ",'recent':{'bytes_up':9,'bytes_down':9,'loss':{'access_down':{'lost':20,"
			  "'packets':1900}}}",
		 STATE(DEGRADED)},
		{20, false,
		 BACK(20) ",'recent':{'bytes_up':9,'bytes_down':9},'usual':{'line_rate_down':16000},"
			  "'summary':{'state':'UP','line_rate_down':14000}",
		 STATE(DEGRADED)},
		{20, false, BACK(20) ",'recent':{}", STATE(UP_NO_TRAFFIC)},
		{20, false, BACK(20) ",'recent':{'rtt':{'line':{'n':3,'p50_us':9000}}}",
		 STATE(VERIFIED)},
		{-5, false, BACK(20), STATE(WAIT)},
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		const Rasad__V1__SubscriberCard *card =
			rows[i].down ? down_card(70, rows[i].more) : healthy_card(rows[i].more);
		Rasad__V1__VerifyResult *result = verify(rows[i].age, card);
		if ((int)result->state != rows[i].expected)
			fail_msg("row %zu: state %d, expected %d", i, result->state,
				 rows[i].expected);
		assert_int_equal(verify_says_fixed(result), rows[i].expected == STATE(VERIFIED));
	}
	assert_int_equal(verify(20, NULL)->state, STATE(UNKNOWN));
	Rasad__V1__SubscriberCard *expired = healthy_card(BACK(20));
	expired->valid_until_unix_ms = 1;
	assert_int_equal(verify(20, expired)->state, STATE(UNKNOWN));
}

/* Nobody who is down or unstable is told that it is fixed, whatever the card says besides. */
static void never_fixed_when_it_is_not(void **state)
{
	(void)state;
	Rasad__V1__VerifyResult *down = verify(30, down_card(30, ""));

	assert_false(down->call_back);
	assert_non_null(strstr(down->text_en, "do not tell"));
	assert_non_null(strstr(down->text_fa, "گفته نشود"));
	Rasad__V1__VerifyResult *fixed = verify(20, healthy_card(BACK(20)));
	assert_non_null(strstr(fixed->text_en, "fault at card D1/3 is fixed"));
	assert_non_null(strstr(fixed->text_fa, "۲۰ دقیقه"));
	assert_non_null(strstr(fixed->text_fa, "\u2068D1/3\u2069"));
}

static void callers_first_longest_wait_first(void **state)
{
	(void)state;
	Rasad__V1__VerifyResult *all[6];
	static const struct {
		const char *sub_id;
		int called_min_ago;
		bool vip, down;
	} lines[] = {
		{"0000000000000001", 0, false, false}, {"0000000000000002", 10, false, false},
		{"0000000000000003", 0, true, false},  {"0000000000000004", 50, false, false},
		{"0000000000000005", 99, true, true},  {"0000000000000006", 0, false, false},
	};
	static const char order[] = "423165";

	for (size_t i = 0; i < 6; i++) {
		struct verify_input input = {
			.incident = cleared(30),
			.sub_id = lines[i].sub_id,
			.card = lines[i].down ? down_card(80, "") : healthy_card(BACK(30)),
			.now_unix_ns = NOW_NS,
			.wall_unix_ms = NOW_NS / 1000000,
			.call_unix_ns = lines[i].called_min_ago
						? NOW_NS - lines[i].called_min_ago * MIN_NS
						: 0,
			.vip = lines[i].vip,
			.repeat = i == 1,
		};
		all[i] = kept(verify_line(&input));
	}
	verify_sort(all, 6);
	for (size_t i = 0; i < 6; i++) {
		assert_int_equal(all[i]->sub_id[15], order[i]);
		assert_true(!i || verify_priority(all[i]) >= verify_priority(all[i - 1]));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_teardown(every_state, tear_down),
		cmocka_unit_test_teardown(never_fixed_when_it_is_not, tear_down),
		cmocka_unit_test_teardown(callers_first_longest_wait_first, tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
