/* SPDX-License-Identifier: BSD-3-Clause */
/* The rules before the arithmetic: when nothing may be said, and which line is meant. */
#include "engine/match/score.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "proto/json.h"
#include "tests/engine/match/answer.h"

static int tear_down(void **state)
{
	(void)state;
	fixture_free();
	return 0;
}

static void expired_or_absent_card_is_unavailable(void **state)
{
	(void)state;
	Rasad__V1__SubscriberCard *card = healthy_card(GROUPS);
	card->valid_until_unix_ms = NOW_NS / 1000000;
	const Rasad__V1__CallMatch *expired =
		answer((struct told){"SLOW", card, NULL, 0, NULL, NULL});
	const Rasad__V1__CallMatch *absent =
		answer((struct told){"SLOW", NULL, NULL, 0, NULL, NULL});

	assert_int_equal(expired->verdict, VERDICT(MONITORING_UNAVAILABLE));
	assert_string_equal(expired->line, "DSLAM-1 eth 0/1/3:7");
	assert_int_equal(absent->verdict, VERDICT(MONITORING_UNAVAILABLE));
	assert_int_equal(absent->n_hypotheses, 0);
	assert_null(strstr(absent->text_en, "fine"));
	assert_string_equal(absent->cannot_see[0], "BLIND_LINE");
	card->valid_until_unix_ms++;
	assert_int_equal(answer((struct told){"SLOW", card, NULL, 0, NULL, NULL})->verdict,
			 VERDICT(NO_FAULT_FOUND));
}

/* Few samples, an old last sign of life, a state that nobody knows: never "no fault". */
static void no_fault_only_on_evidence(void **state)
{
	(void)state;
	static const char *const cards[] = {
		",'recent':{}",
		",'recent':{'packets_up':5,'bytes_up':500,'rtt':{'line':{'n':2,'p50_us':9000}}}",
		",'summary':{'state':'UNKNOWN'}",
		",'summary':{'state':'UP','last_upstream_unix_ns':%T(-9)}",
		",'recent':{'packets_up':5,'bytes_up':500,'rtt':{'access':{'n':19,'p50_us':9000}}}",
	};

	for (size_t i = 0; i < sizeof(cards) / sizeof(*cards); i++) {
		const Rasad__V1__CallMatch *match =
			answer((struct told){"SLOW", healthy_card(cards[i]), NULL, 0, NULL, NULL});
		if (match->verdict == VERDICT(NO_FAULT_FOUND))
			fail_msg("card %zu: no fault", i);
		assert_true(match->n_cannot_see > 0);
	}
	const Rasad__V1__CallMatch *unknown = answer((struct told){
		"OUTAGE", healthy_card(",'summary':{'state':'UNKNOWN'}"), NULL, 0, NULL, NULL});
	assert_int_equal(unknown->verdict, VERDICT(INSUFFICIENT_DATA));
	assert_string_equal(unknown->cannot_see[0], "BLIND_STATE");
}

/* That it was up minutes ago is no answer to somebody who says that it has been cut since. */
static void a_cut_since_the_last_sign_of_life(void **state)
{
	(void)state;
	static const struct {
		const char *complaint, *card, *call;
		int verdict;
	} cases[] = {
		{"OUTAGE", "-0.9", "", VERDICT(NO_FAULT_FOUND)},
		{"OUTAGE", "-1.1", "", VERDICT(INSUFFICIENT_DATA)},
		{"FLAP", "-3", "", VERDICT(INSUFFICIENT_DATA)},
		{"SLOW", "-3", "", VERDICT(NO_FAULT_FOUND)},
		/* Heard long after it had begun, as the caller tells: it is not the line. */
		{"OUTAGE", "-3", ",'reported_start_unix_ns':%T(-18)", VERDICT(NO_FAULT_FOUND)},
		{"OUTAGE", "-3", ",'reported_start_unix_ns':%T(-17)", VERDICT(INSUFFICIENT_DATA)},
		/* What counts is the call, not when it is looked at again. */
		{"OUTAGE", "-3", ",'unix_ns':%T(-2.5)", VERDICT(NO_FAULT_FOUND)},
		{"OUTAGE", "-4.5", ",'unix_ns':%T(-2.5)", VERDICT(INSUFFICIENT_DATA)},
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		char card[128];
		snprintf(card, sizeof(card),
			 ",'summary':{'state':'UP','last_upstream_unix_ns':%%T(%s)}",
			 cases[i].card);
		const Rasad__V1__CallMatch *match = answer((struct told){
			cases[i].complaint, healthy_card(card), NULL, 0, NULL, cases[i].call});
		if ((int)match->verdict != cases[i].verdict)
			fail_msg("case %zu: verdict %d", i, (int)match->verdict);
	}
}

static void what_a_stale_card_makes_us_say(void **state)
{
	(void)state;
	Rasad__V1__SubscriberCard *card =
		healthy_card(",'unix_ns':%T(-3),'summary':{'line':'L','state':'UP'}");
	const Rasad__V1__CallMatch *match =
		answer((struct told){"OUTAGE", card, NULL, 0, NULL, NULL});

	assert_int_equal(match->verdict, VERDICT(INSUFFICIENT_DATA));
	assert_int_equal(match->category, 0);
	assert_string_equal(match->cannot_see[0], "BLIND_CUT");
	assert_string_equal(match->actions[0], "ACTION_ASK_LIGHTS");
	assert_non_null(strstr(match->text_en, "still up at 14:02; what has happened since"));
	assert_non_null(strstr(match->text_fa, "تا ۱۴:۰۲ وصل بوده است"));
	near(reason(match, "NOT_HEARD_SINCE")->weight, -1, 0);
	assert_null(reason(match, "ALL_USUAL"));
}

/* The modem hung up, its password was refused twice, and it is back: the caller means that. */
static void back_after_refused_set_ups(void **state)
{
	(void)state;
	const Rasad__V1__CallMatch *match = answer((struct told){
		"OUTAGE",
		healthy_card(
			",'last_down_cause':'AUTH_FAIL','last_down_unix_ns':%T(-4),"
			"'up_since_unix_ns':%T(-3),'summary':{'state':'UP',"
			"'last_upstream_unix_ns':%T(-0.1),'sessions':["
			"{'up_unix_ns':%T(-60),'down_unix_ns':%T(-9),'cause':'CPE_TERM'},"
			"{'down_unix_ns':%T(-8),'cause':'AUTH_FAIL','failed_stage':'AUTH_REJECT'},"
			"{'down_unix_ns':%T(-4),'cause':'AUTH_FAIL','failed_stage':'AUTH_REJECT'},"
			"{'up_unix_ns':%T(-3)}]}"),
		NULL, 0, NULL, NULL});

	assert_non_null(reason(match, "LINE_RECENT_DROP"));
	assert_int_not_equal(match->verdict, VERDICT(NO_FAULT_FOUND));
	assert_non_null(strstr(match->text_en, "down from 13:56 to 14:02"));
}

static void unknown_subscriber(void **state)
{
	(void)state;
	struct score_incident area = cable_cut(MEMBER_NOT);
	Rasad__V1__CallEvent *call = call_of(
		"{'call_id':'c9','unix_ns':%T(0),'phone':'۰۲۱۱۲۳۴۵۶۷۸','complaint':'OUTAGE'}");
	Rasad__V1__CallMatch *alone = kept(score_unknown(call, NULL, 0, NOW_NS));
	Rasad__V1__CallMatch *with = kept(score_unknown(call, &area, 1, NOW_NS));

	assert_int_equal(alone->verdict, VERDICT(UNKNOWN_SUBSCRIBER));
	assert_string_equal(alone->call_id, "c9");
	assert_string_equal(alone->actions[0], "ACTION_IDENTIFY");
	assert_int_equal(with->verdict, VERDICT(UNKNOWN_SUBSCRIBER));
	assert_string_equal(with->incident_id, "");
	assert_string_equal(with->hypotheses[0]->ref, "I1");
	assert_non_null(strstr(with->text_en, "cabinet K-12 in the area"));
	Rasad__V1__CallMatch *nothing = kept(score_unavailable(call, NOW_NS));
	assert_int_equal(nothing->verdict, VERDICT(MONITORING_UNAVAILABLE));
	assert_true(*nothing->text_fa != 0);
}

/* Two lines on one phone: the one with the fault is told, the other is named. */
static void several_lines_of_one_phone(void **state)
{
	(void)state;
	Rasad__V1__CallEvent *call =
		call_of("{'call_id':'c1','unix_ns':%T(0),'phone':'0912','complaint':'OUTAGE'}");
	struct score_input inputs[] = {
		{.call = call,
		 .card = healthy_card(",'summary':{'line':'fine','state':'UP'}"),
		 .now_unix_ns = NOW_NS,
		 .wall_unix_ms = NOW_NS / 1000000},
		{.call = call,
		 .card = down_card(5, ",'summary':{'line':'broken','state':'DOWN'}"),
		 .now_unix_ns = NOW_NS,
		 .wall_unix_ms = NOW_NS / 1000000},
	};
	Rasad__V1__CallMatch *match = kept(score_lines(inputs, 2));

	assert_string_equal(match->line, "broken");
	assert_int_equal(match->n_other_lines, 1);
	assert_string_equal(match->other_lines[0], "fine");
	assert_non_null(strstr(match->text_en, "1 besides this one"));
	assert_string_equal(match->actions[match->n_actions - 1], "ACTION_ASK_WHICH_LINE");
}

/* The card is newer than the list: it came back, or went down just now. */
static void card_has_the_last_word(void **state)
{
	(void)state;
	struct score_incident listed = cable_cut(MEMBER_DOWN), unlisted = cable_cut(MEMBER_NOT);
	const Rasad__V1__CallMatch *back = answer((struct told){
		"OUTAGE", healthy_card(",'up_since_unix_ns':%T(-2)"), &listed, 1, NULL, NULL});
	const Rasad__V1__CallMatch *gone =
		answer((struct told){"OUTAGE", down_card(0, ""), &unlisted, 1, NULL, NULL});

	assert_non_null(reason(back, "INC_RECOVERED"));
	assert_null(reason(back, "INC_AFFECTED"));
	near(reason(gone, "INC_JUST_DOWN")->weight, 5, 0);
	assert_int_equal(gone->verdict, VERDICT(MATCHED));
}

/* Cleared, but not for this one: never told as fixed. */
static void still_down_after_the_repair(void **state)
{
	(void)state;
	struct score_incident incident = {
		incident_of(
			"{'incident_id':'I1','state':'CLEARED','class':'CABLE_CUT','group_type':"
			"'cabinet','group':'K-12','onset_unix_ns':%T(-60),'clear_unix_ns':%T(-20),"
			"'affected':9,'affected_peak':142,'members':150,'confidence':0.98}"),
		MEMBER_DOWN, true, 0, 0};
	const Rasad__V1__CallMatch *match =
		answer((struct told){"OUTAGE", down_card(58, ""), &incident, 1, NULL, NULL});

	assert_string_equal(match->incident_id, "I1");
	assert_string_equal(match->actions[0], "ACTION_TECHNICIAN");
	assert_non_null(strstr(match->text_en, "still unstable"));
}

/* Long over: no fault now, but it is not said that it never reached the line. */
static void an_incident_long_over(void **state)
{
	(void)state;
	struct score_incident incident = {
		.incident = incident_of(
			"{'incident_id':'I1','state':'CLEARED','class':'CARD_FAILURE',"
			"'group_type':'card','group':'DSLAM-1/3','onset_unix_ns':%T(-150),"
			"'changed_unix_ns':%T(-115),'clear_unix_ns':%T(-115),"
			"'affected_peak':40,'members':48,'confidence':0.98}"),
		.membership = MEMBER_RECOVERED,
		.in_scope = true,
		.recovered_unix_ns = NOW_NS - 118 * MIN_NS,
	};
	const Rasad__V1__CallMatch *match = answer((struct told){
		"SLOW", healthy_card(",'up_since_unix_ns':%T(-118),'last_down_unix_ns':%T(-150)"),
		&incident, 1, NULL, NULL});

	assert_int_equal(match->verdict, VERDICT(NO_FAULT_FOUND));
	assert_non_null(strstr(match->text_en, "had reached your line is over"));
}

/* Probabilities are probabilities, whatever the input; the answer is the same every time. */
static void answers_are_sound_and_repeatable(void **state)
{
	(void)state;
	struct score_incident incidents[SCORE_INCIDENTS_MAX];
	struct json_buffer one = {0}, other = {0};

	for (int i = 0; i < SCORE_INCIDENTS_MAX; i++) {
		incidents[i] = cable_cut(i % 3);
		incidents[i].other_calls = (unsigned)i;
	}
	struct told told = {"FLAP", down_card(5, GROUPS), incidents, SCORE_INCIDENTS_MAX, NULL,
			    NULL};
	const Rasad__V1__CallMatch *match = answer(told);
	double sum = 0;
	for (size_t i = 0; i < match->n_hypotheses; i++) {
		sum += match->hypotheses[i]->posterior;
		assert_true(!i ||
			    match->hypotheses[i]->posterior <= match->hypotheses[i - 1]->posterior);
	}
	near(sum, 1, 1e-9);
	assert_int_equal(json_append_line(&one, &match->base), 0);
	assert_int_equal(json_append_line(&other, &answer(told)->base), 0);
	assert_int_equal(one.length, other.length);
	assert_memory_equal(one.text, other.text, one.length);
	json_buffer_fini(&one);
	json_buffer_fini(&other);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_teardown(expired_or_absent_card_is_unavailable, tear_down),
		cmocka_unit_test_teardown(no_fault_only_on_evidence, tear_down),
		cmocka_unit_test_teardown(a_cut_since_the_last_sign_of_life, tear_down),
		cmocka_unit_test_teardown(what_a_stale_card_makes_us_say, tear_down),
		cmocka_unit_test_teardown(back_after_refused_set_ups, tear_down),
		cmocka_unit_test_teardown(unknown_subscriber, tear_down),
		cmocka_unit_test_teardown(several_lines_of_one_phone, tear_down),
		cmocka_unit_test_teardown(card_has_the_last_word, tear_down),
		cmocka_unit_test_teardown(still_down_after_the_repair, tear_down),
		cmocka_unit_test_teardown(an_incident_long_over, tear_down),
		cmocka_unit_test_teardown(answers_are_sound_and_repeatable, tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
