/* SPDX-License-Identifier: BSD-3-Clause */
/* Payloads against the fixtures beside this file, and what must not depend on luck. */
#include "engine/match/export.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <jansson.h>

#include "tests/engine/match/fixture.h"

#define FOLDER "tests/engine/match/export/"

static int tear_down(void **state)
{
	(void)state;
	fixture_free();
	return 0;
}

static const Rasad__V1__Incident *cable_cut(void)
{
	return incident_of(
		"{'incident_id':'01K9ABC','revision':3,'state':'UPDATED','class':'CABLE_CUT',"
		"'category':'EXCHANGE_TRANSPORT','severity':'MAJOR','probable_cause':8,"
		"'alarm_type':'COMMUNICATIONS','group_type':'cabinet','group':'K-12',"
		"'equivalent_groups':['svlan:300'],'onset_unix_ns':%T(-30),'open_unix_ns':%T(-29.5),"
		"'changed_unix_ns':%T(-5),'affected':140,'affected_peak':142,'members':150,"
		"'confidence':0.98,'dedupe_key':'CABLE_CUT:cabinet:K-12','service_affecting':true,"
		"'path':['exchange:Tehran-3','cabinet:K-12'],'text':'140 of 150 lines of cabinet K-12',"
		"'evidence':{'k':141.5,'n':148,'mu':0.4,'fraction':0.96,'neg_log10_p':300,'llr':812.5,"
		"'runner_up':'access_node:DSLAM-1'},'supersedes':['01K9AAA']}");
}

static const Rasad__V1__CallMatch *match(void)
{
	return match_of(
		"{'call_id':'c-17','revision':2,'verdict':'MATCHED','line':'DSLAM-1 eth 0/1/3:7',"
		"'subscriber':'u7@isp.test','incident_id':'01K9ABC','category':'EXCHANGE_TRANSPORT',"
		"'probability':0.997,'unix_ns':%T(0),'call_unix_ns':%T(-1),'text_fa':'خط شما قطع است.',"
		"'text_en':'Your line is cut.','recommended_action':'Attach the call.',"
		"'hypotheses':[{'kind':'INCIDENT','ref':'01K9ABC','posterior':0.997,'reasons':["
		"{'code':'INC_AFFECTED','weight':5,'n':140},"
		"{'code':'INC_CONFIDENCE','weight':2,'value':0.98,'unit':'share'}]}]}");
}

/* Sorted and indented, as the fixtures are. */
static char *tidy(char *text)
{
	json_t *root = json_loads(text, 0, NULL);

	assert_non_null(root);
	free(text);
	text = json_dumps(root, JSON_SORT_KEYS | JSON_INDENT(2));
	json_decref(root);
	return text;
}

static void is_as_in(const char *name, char *payload)
{
	char path[128];
	json_error_t error;

	assert_non_null(payload);
	snprintf(path, sizeof(path), FOLDER "%s.json", name);
	payload = tidy(payload);
	json_t *fixture = json_load_file(path, 0, &error);
	json_t *made = json_loads(payload, 0, NULL);
	if (!fixture || !json_equal(fixture, made)) {
		fprintf(stderr, "%s\n", payload); /* longer than cmocka's messages may be */
		fail_msg("%s differs from this (%s)", path, error.text);
	}
	json_decref(fixture);
	json_decref(made);
	free(payload);
}

static void payloads_are_as_in_the_fixtures(void **state)
{
	(void)state;
	char name[64];

	for (enum export_format format = 0; format < EXPORT_FORMATS; format++) {
		snprintf(name, sizeof(name), "%s_incident", export_name(format));
		is_as_in(name, export_incident(format, cable_cut()));
		snprintf(name, sizeof(name), "%s_match", export_name(format));
		if (format != EXPORT_TMF642)
			is_as_in(name, export_match(format, match(), cable_cut()));
	}
	assert_null(export_match(EXPORT_TMF642, match(), NULL));
}

static void names_of_formats(void **state)
{
	(void)state;
	for (int i = 0; i < EXPORT_FORMATS; i++)
		assert_int_equal(export_format_of(export_name(i)), i);
	assert_int_equal(export_format_of("smoke signals"), -EINVAL);
	assert_null(export_name(EXPORT_FORMATS));
}

/* Cleared says so in each system's own word; names that look like JSON stay names. */
static void cleared_and_hostile(void **state)
{
	(void)state;
	const Rasad__V1__Incident *cleared = incident_of(
		"{'incident_id':'I\\\\\\\"}','state':'CLEARED','severity':'CRITICAL','group_type':'card',"
		"'group':'<script>\\\\n\\u202e','clear_unix_ns':%T(0),'dedupe_key':'k'}");
	static const char *const words[EXPORT_FORMATS] = {
		"\"perceivedSeverity\":\"cleared\"", "\"status\":\"resolved\"",
		"\"severity\":\"0\"", "closed successful", "\"fields\""};

	for (enum export_format format = 0; format < EXPORT_FORMATS; format++) {
		char *payload = export_incident(format, cleared);
		json_t *root = json_loads(payload, 0, NULL);
		assert_non_null(root);
		assert_non_null(strstr(payload, words[format]));
		json_decref(root);
		free(payload);
		/* A message with nothing in it is still a payload. */
		Rasad__V1__Incident nothing = RASAD__V1__INCIDENT__INIT;
		payload = export_incident(format, &nothing);
		assert_non_null(payload);
		free(payload);
		Rasad__V1__CallMatch nobody = RASAD__V1__CALL_MATCH__INIT;
		payload = export_match(format, &nobody, NULL);
		assert_true(payload || format == EXPORT_TMF642);
		free(payload);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_teardown(payloads_are_as_in_the_fixtures, tear_down),
		cmocka_unit_test(names_of_formats),
		cmocka_unit_test_teardown(cleared_and_hostile, tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
