/* SPDX-License-Identifier: BSD-3-Clause */
/* The worked examples of algorithms.md 2.5.2 by their numbers. */
#include "engine/match/score.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "tests/engine/match/answer.h"

static int tear_down(void **state)
{
	(void)state;
	fixture_free();
	return 0;
}

/* 1: 0.999 */
static void member_of_a_cable_cut(void **state)
{
	(void)state;
	struct score_incident incident = cable_cut(MEMBER_DOWN);
	const Rasad__V1__CallMatch *match =
		answer((struct told){"OUTAGE", down_card(30, GROUPS), &incident, 1, NULL,
				     ",'reported_start_unix_ns':%T(-35)"});

	assert_int_equal(match->verdict, VERDICT(MATCHED));
	near(match->probability, 0.999, 0.0005);
	assert_string_equal(match->incident_id, "I1");
	assert_int_equal(match->category, RASAD__V1__CATEGORY__CATEGORY_ACCESS_INFRA);
	assert_int_equal(match->revision, 1);
	assert_null(reason(match, "LINE_DOWN_ALONE"));
	assert_non_null(reason(match, "INC_SAME_START"));
	assert_string_equal(match->actions[0], "ACTION_WAIT");
	assert_non_null(
		strstr(match->text_en, "one of 142 cut since 13:35 by a fault at cabinet K-12"));
	assert_non_null(strstr(match->text_fa, "خط شما جزو ۱۴۲ مشترکی است که از ساعت ۱۳:۳۵"));
}

/* 2: NFF 0.92 */
static void in_scope_but_healthy_and_slow(void **state)
{
	(void)state;
	struct score_incident incident = cable_cut(MEMBER_NOT);
	const Rasad__V1__CallMatch *match =
		answer((struct told){"SLOW", healthy_card(GROUPS), &incident, 1, NULL, NULL});

	assert_int_equal(match->verdict, VERDICT(NO_FAULT_FOUND));
	near(match->probability, 0.92, 0.005);
	assert_non_null(reason(match, "INC_HEALTHY"));
	assert_true(match->n_cannot_see > 0);
	assert_string_equal(match->cannot_see[match->n_cannot_see - 1], "BLIND_WIFI");
	assert_string_equal(match->incident_id, "");
	assert_non_null(strstr(match->text_en, "Wi-Fi quality and your device"));
	assert_non_null(strstr(match->text_en, "9 ms to the modem (usual 8)"));
}

/* 3: OWN_LINE 0.80, CPE 0.11 */
static void alone_down(void **state)
{
	(void)state;
	const Rasad__V1__CallMatch *match =
		answer((struct told){"OUTAGE", down_card(20, GROUPS), NULL, 0, NULL, NULL});

	near(posterior(match, KIND(OWN_LINE), NULL), 0.80, 0.005);
	near(posterior(match, KIND(CPE_HOME), NULL), 0.11, 0.005);
	assert_int_equal(match->category, RASAD__V1__CATEGORY__CATEGORY_ACCESS_INFRA);
	assert_string_equal(match->actions[0], "ACTION_ASK_POWER");
}

/* The same with neighbours known to be fine: surer, and the sentence says so. */
static void alone_down_with_fine_neighbours(void **state)
{
	(void)state;
	const Rasad__V1__CallMatch *match = answer((struct told){
		"OUTAGE", down_card(20, GROUPS), NULL, 0,
		node_of("{'group_type':'card','group':'DSLAM-1/3','lines':40,'up':39,'down':1}"),
		NULL});

	assert_true(match->probability > 0.84);
	assert_int_equal(match->verdict, VERDICT(MATCHED));
	assert_non_null(strstr(match->text_fa, "زوج‌سیم"));
	near(reason(match, "SIBLINGS_FINE")->value, 0, 0);
}

/* 4: 0.94 */
static void quota_reject(void **state)
{
	(void)state;
	const Rasad__V1__CallMatch *match = answer((struct told){
		"OUTAGE",
		card_of("{'sub_id':'b98c12002e206d3a','unix_ns':%T(0),"
			"'valid_until_unix_ms':1763203500000,'last_down_cause':'AUTH_FAIL',"
			"'summary':{'line':'L','state':'DOWN','sessions':[{'failed_stage':'AUTH_REJECT',"
			"'cause':'AUTH_FAIL','down_unix_ns':%T(-5),'detected_unix_ns':%T(-5)}]}}"),
		NULL, 0,
		node_of("{'group_type':'card','group':'DSLAM-1/3','lines':40,'up':39,'down':1}"),
		NULL});

	near(posterior(match, KIND(ACCOUNT), NULL), 0.94, 0.015);
	assert_int_equal(match->verdict, VERDICT(MATCHED));
	assert_int_equal(match->category, RASAD__V1__CATEGORY__CATEGORY_ACCOUNT_ADMIN);
	near(reason(match, "ACCOUNT_REJECTED")->value, 300, 1);
}

/* 5: 0.83 */
static void own_saturation(void **state)
{
	(void)state;
	const Rasad__V1__CallMatch *match = answer((struct told){
		"SLOW",
		healthy_card(",'saturated_minutes':6,'bloat_ms':180,'peak_down_kbps':15700,"
			     "'peak_unix_ns':%T(-1)"),
		NULL, 0, NULL, NULL});

	near(posterior(match, KIND(OWN_SATURATION), NULL), 0.83, 0.005);
	assert_int_equal(match->verdict, VERDICT(MATCHED));
	assert_non_null(strstr(match->text_en, "fully used at 15.7 Mb/s"));
	assert_non_null(strstr(match->text_fa, "۱۵٫۷ مگابیت بر ثانیه"));
}

/* 6: 0.61 / 0.39 -> PROBABLE, both shown */
static void two_overlapping_incidents(void **state)
{
	(void)state;
	struct score_incident incidents[] = {
		{incident_of("{'incident_id':'I1','state':'OPEN','class':'NODE_OR_UPLINK',"
			     "'group_type':'access_node','group':'DSLAM-1','onset_unix_ns':%T(-9),"
			     "'affected':300,'members':384,'confidence':0.88}"),
		 MEMBER_DOWN, true, 0, 0},
		{incident_of("{'incident_id':'I2','state':'OPEN','class':'CABLE_CUT',"
			     "'group_type':'cabinet','group':'K-12','onset_unix_ns':%T(-8),"
			     "'affected':100,'members':150,'confidence':0.825}"),
		 MEMBER_DOWN, true, 0, 0},
	};
	const Rasad__V1__CallMatch *match =
		answer((struct told){"OUTAGE", down_card(8, GROUPS), incidents, 2, NULL, NULL});

	assert_int_equal(match->verdict, VERDICT(PROBABLE));
	near(posterior(match, KIND(INCIDENT), "I1"), 0.61, 0.005);
	near(posterior(match, KIND(INCIDENT), "I2"), 0.39, 0.005);
	assert_string_equal(match->incident_id, "I1");
	assert_non_null(strstr(match->text_en, "Most likely (61%)"));
	assert_non_null(strstr(match->text_en, "Also possible: a fault at cabinet K-12 (39%)"));
}

/* 7: 0.78 / NFF 0.21 */
static void restored_20_minutes_ago(void **state)
{
	(void)state;
	struct score_incident incident = {
		.incident = incident_of(
			"{'incident_id':'I1','state':'CLEARED','class':'CARD_FAILURE',"
			"'group_type':'card','group':'DSLAM-1/3','onset_unix_ns':%T(-60),"
			"'changed_unix_ns':%T(-19),'clear_unix_ns':%T(-19),'affected_peak':40,"
			"'members':48,'confidence':0.98}"),
		.membership = MEMBER_RECOVERED,
		.in_scope = true,
		.recovered_unix_ns = NOW_NS - 20 * MIN_NS,
	};
	const Rasad__V1__CallMatch *match =
		answer((struct told){"OUTAGE", healthy_card(",'up_since_unix_ns':%T(-20)" GROUPS),
				     &incident, 1, NULL, NULL});

	near(posterior(match, KIND(INCIDENT), "I1"), 0.78, 0.005);
	near(posterior(match, KIND(NONE_FOUND), NULL), 0.21, 0.007);
	assert_int_equal(match->verdict, VERDICT(PROBABLE));
	assert_string_equal(match->actions[0], "ACTION_VERIFY");
	assert_non_null(strstr(match->text_en, "cleared 13:46; your line has been stable 20 min"));
}

/* 8: a line that nobody sees counts by the share of its neighbours */
static void unseen_member_counts_by_share(void **state)
{
	(void)state;
	struct score_incident incident = cable_cut(MEMBER_NOT);
	const Rasad__V1__CallMatch *match = answer((struct told){
		"OUTAGE",
		card_of("{'sub_id':'b98c12002e206d3a','unix_ns':%T(0),"
			"'valid_until_unix_ms':1763203500000,'summary':{'line':'L','state':'UNKNOWN'}}"),
		&incident, 1, NULL, NULL});

	near(reason(match, "INC_UNSEEN")->weight, log(140.0 / 10.0), 0.001);
	assert_string_equal(match->incident_id, "I1");
	assert_non_null(strstr(match->text_en, "probably includes your line"));
	assert_non_null(strstr(match->text_fa, "احتمالاً خط شما را هم"));
}

/* 9: a line that was down before is not excused by what came later */
static void older_fault_is_its_own(void **state)
{
	(void)state;
	struct score_incident incident = cable_cut(MEMBER_NOT);
	const Rasad__V1__CallMatch *match =
		answer((struct told){"OUTAGE", down_card(300, GROUPS), &incident, 1, NULL, NULL});

	assert_non_null(reason(match, "INC_OLDER_FAULT"));
	assert_int_equal(match->hypotheses[0]->kind, KIND(OWN_LINE));
}

/* 10: degradation, DNS and the matrix of complaints */
static void kinds_of_incidents_and_complaints(void **state)
{
	(void)state;
	static const struct {
		const char *class, *complaint;
		double weight;
	} cells[] = {
		{"CABLE_CUT", "OUTAGE", 1.5}, {"CABLE_CUT", "SLOW", -2},
		{"CABLE_CUT", "PING", -2},    {"CABLE_CUT", "FLAP", 0.5},
		{"FLAP_STORM", "FLAP", 1.5},  {"FLAP_STORM", "OUTAGE", 0.5},
		{"DEGRADATION", "PING", 1.5}, {"DEGRADATION", "OUTAGE", -2},
		{"DEGRADATION", "FLAP", 0.5}, {"CONGESTION", "SLOW", 1.5},
		{"CONGESTION", "FLAP", -2},   {"DNS", "OUTAGE", 0.5},
		{"UPSTREAM", "SLOW", 1.5},    {"UPSTREAM", "FLAP", -2},
		{"AAA", "OUTAGE", 1.5},	      {"POOL", "SLOW", -2},
		{"AAA", "FLAP", 1.5},
	};

	for (size_t i = 0; i < sizeof(cells) / sizeof(*cells); i++) {
		char text[512];
		snprintf(text, sizeof(text),
			 "{'incident_id':'I1','state':'OPEN','class':'%s','group_type':'card',"
			 "'group':'DSLAM-1/3','onset_unix_ns':%%T(-9),'affected':20,'members':40}",
			 cells[i].class);
		struct score_incident incident = {incident_of(text), MEMBER_DOWN, true, 0, 0};
		const Rasad__V1__CallMatch *match = answer((struct told){
			cells[i].complaint, healthy_card(""), &incident, 1, NULL, NULL});
		const Rasad__V1__Reason *fits = reason(match, "INC_FITS"),
					*partly = reason(match, "INC_FITS_PARTLY"),
					*not = reason(match, "INC_MISFITS");
		near((fits ? fits : partly ? partly : not )->weight, cells[i].weight, 0);
	}
	struct score_incident incident = cable_cut(MEMBER_DOWN);
	const Rasad__V1__CallMatch *other =
		answer((struct told){"OTHER", down_card(9, ""), &incident, 1, NULL, NULL});
	assert_null(reason(other, "INC_FITS"));
	assert_null(reason(other, "INC_MISFITS"));
}

/* 11: degraded with the others */
static void degraded_member(void **state)
{
	(void)state;
	struct score_incident incident = {
		incident_of(
			"{'incident_id':'I1','state':'OPEN','class':'CONGESTION','category':"
			"'EXCHANGE_TRANSPORT','group_type':'access_node','group':'DSLAM-1',"
			"'onset_unix_ns':%T(-40),'affected':90,'members':300,'confidence':0.9}"),
		MEMBER_NOT, true, 0, 0};
	const Rasad__V1__CallMatch *match = answer((struct told){
		"SLOW",
		healthy_card(
			",'recent':{'rtt':{'access':{'n':900,'p50_us':90000,'p95_us':220000}}}"),
		&incident, 1, NULL, NULL});

	near(reason(match, "INC_DEGRADED")->weight, 4, 0);
	assert_int_equal(match->verdict, VERDICT(MATCHED));
	assert_null(reason(match, "ALL_USUAL"));
}

/* 12: other calls, and a call that came first */
static void other_calls_and_early_calls(void **state)
{
	(void)state;
	struct score_incident incident = cable_cut(MEMBER_DOWN);
	incident.other_calls = 3;
	const Rasad__V1__CallMatch *match = answer((struct told){
		"OUTAGE", down_card(30, ""), &incident, 1, NULL, ",'unix_ns':%T(-45)"});

	near(reason(match, "INC_OTHER_CALLS")->weight, 0.7 * log(4), 0.001);
	assert_int_equal(reason(match, "INC_OTHER_CALLS")->n, 3);
	near(reason(match, "INC_AFTER_CALL")->weight, -3, 0);
	incident.other_calls = 1000;
	match = answer((struct told){"OUTAGE", down_card(30, ""), &incident, 1, NULL, NULL});
	near(reason(match, "INC_OTHER_CALLS")->weight, 2, 0);
	assert_null(reason(match, "INC_AFTER_CALL"));
}

/* 13: the own troubles of the page's table, each with its weight */
static void own_troubles(void **state)
{
	(void)state;
	static const struct {
		const char *code, *complaint, *more;
		double weight;
		int kind;
	} rows[] = {
		{"LINE_FLAPPING", "FLAP", ",'summary':{'state':'UP','flapping':true}", 4,
		 KIND(OWN_LINE)},
		{"LINE_DROPS_24H", "FLAP", ",'flaps_24h':3", 2.5, KIND(OWN_LINE)},
		{"LINE_RATE_DROP", "SLOW",
		 ",'summary':{'state':'UP','line_rate_down':8000},'usual':{'line_rate_down':16000}",
		 2, KIND(OWN_LINE)},
		{"LINE_SNR_BAD", "PING", ",'snr_db':5", 2.5, KIND(OWN_LINE)},
		{"LINE_SNR_LOW", "PING", ",'snr_db':9", 1, 0},
		{"HOME_LATENCY", "PING",
		 ",'recent':{'rtt':{'line':{'n':60,'p50_us':9000},'home':{'n':60,'p50_us':80000},"
		 "'access':{'n':60,'p50_us':89000}}}",
		 3, KIND(CPE_HOME)},
		{"CPE_NO_TRAFFIC", "OUTAGE", ",'recent':{'rtt':{'line':{'n':60,'p50_us':9000}}}",
		 1.5, KIND(CPE_HOME)},
		{"CPE_RESTARTS", "FLAP", ",'cpe_restarts_24h':3", 2, 0},
		{"ACCOUNT_POLICY_RATE", "SLOW", ",'policy_rate_kbps':512", 3, KIND(ACCOUNT)},
		{"ACCOUNT_SUSPENDED", "OUTAGE", ",'account':'SUSPENDED'", 6, KIND(ACCOUNT)},
		{"UPSTREAM_LATENCY", "SLOW",
		 ",'recent':{'bytes_up':9,'rtt':{'access':{'n':60,'p50_us':12000},'internet':{'n':60,'p50_us':190000}}}",
		 3, KIND(UPSTREAM)},
		{"UPSTREAM_DNS", "SLOW", ",'symptoms':['DNS']", 3, KIND(UPSTREAM)},
		{"LINE_LOSS", "PING",
		 ",'recent':{'rtt':{'access':{'n':60,'p50_us':12000}},'loss':{'access_down':"
		 "{'lost':300,'packets':9000}}}",
		 2, KIND(OWN_LINE)},
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		const Rasad__V1__CallMatch *match = answer((struct told){
			rows[i].complaint, healthy_card(rows[i].more), NULL, 0, NULL, NULL});
		const Rasad__V1__Reason *found = reason(match, rows[i].code);
		if (!found)
			fail_msg("no %s", rows[i].code);
		near(found->weight, rows[i].weight, 0);
		if (rows[i].kind && (int)match->hypotheses[0]->kind != rows[i].kind)
			fail_msg("%s: best is %d", rows[i].code, match->hypotheses[0]->kind);
		assert_int_not_equal(match->verdict, VERDICT(NO_FAULT_FOUND));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_teardown(member_of_a_cable_cut, tear_down),
		cmocka_unit_test_teardown(in_scope_but_healthy_and_slow, tear_down),
		cmocka_unit_test_teardown(alone_down, tear_down),
		cmocka_unit_test_teardown(alone_down_with_fine_neighbours, tear_down),
		cmocka_unit_test_teardown(quota_reject, tear_down),
		cmocka_unit_test_teardown(own_saturation, tear_down),
		cmocka_unit_test_teardown(two_overlapping_incidents, tear_down),
		cmocka_unit_test_teardown(restored_20_minutes_ago, tear_down),
		cmocka_unit_test_teardown(unseen_member_counts_by_share, tear_down),
		cmocka_unit_test_teardown(older_fault_is_its_own, tear_down),
		cmocka_unit_test_teardown(kinds_of_incidents_and_complaints, tear_down),
		cmocka_unit_test_teardown(degraded_member, tear_down),
		cmocka_unit_test_teardown(other_calls_and_early_calls, tear_down),
		cmocka_unit_test_teardown(own_troubles, tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
