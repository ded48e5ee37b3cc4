/* SPDX-License-Identifier: BSD-3-Clause */
/* Incidents and gaps as an operator reads them at the end of a replay. */
#include "tools/rasad-replay/text_incidents.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "engine/analysis/report.h"
#include "tests/engine/publish/sample.h"

#define SECOND_NS 1000000000

static struct text_incidents text;
static char printed[65536];

static int set_up(void **state)
{
	(void)state;
	text = (struct text_incidents){0};
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	text_incidents_fini(&text);
	return 0;
}

static const char *print(void)
{
	FILE *out = fmemopen(printed, sizeof(printed), "w");

	text_incidents_print(&text, out);
	fclose(out);
	return printed;
}

static void test_nothing(void **state)
{
	(void)state;
	assert_string_equal(print(), "no incidents\n");
}

static void test_last_word(void **state)
{
	(void)state;
	struct report_incident incident = sample_incident();
	text_incidents_take(&text, &incident);
	assert_non_null(strstr(print(), "; it goes on, with 2 lines\n"));
	incident.affected = 0;
	text_incidents_take(&text, &incident);
	assert_non_null(strstr(print(), "; all lines are back, but it is too early"));
	incident.revision++;
	incident.state = INCIDENT_CLEARED;
	incident.severity = SEVERITY_CLEARED;
	incident.clear_unix_ns = incident.onset_unix_ns + 90 * (int64_t)SECOND_NS;
	text_incidents_take(&text, &incident);
	assert_string_equal(
		print(),
		"\nincidents (UTC)\n"
		"2023-11-14 22:13:00  MAJOR    country IR > exchange Azadi > access_node DSLAM-102 "
		"(EXCHANGE_TRANSPORT)\n"
		"                     NODE_OR_UPLINK: the access node or its uplink; 3 of 24 lines; "
		"98 % sure\n"
		"                     known after 11 s; over at 22:14:30 after 90 s\n"
		"                     or: svlan 102, which has the very same lines\n"
		"                     next best: card DSLAM-102/1\n"
		"                     to do: exchange power or uplink: call the exchange\n");
}

/* One fault, one entry; by onset, whatever came first. */
static void test_parts_are_counted(void **state)
{
	(void)state;
	struct report_incident incident = sample_incident();
	incident.incident_id = "late";
	incident.group.name = "LATE";
	incident.onset_unix_ns += SECOND_NS;
	text_incidents_take(&text, &incident);
	incident = sample_incident();
	incident.group.name = "EARLY";
	text_incidents_take(&text, &incident);
	incident.incident_id = "part";
	incident.group.name = "PART";
	incident.state = INCIDENT_SUPERSEDED;
	text_incidents_take(&text, &incident);
	print();
	assert_true(strstr(printed, "EARLY") < strstr(printed, "LATE"));
	assert_null(strstr(printed, "PART"));
	assert_non_null(strstr(printed, "1 more became part of these\n"));
}

static void test_gaps(void **state)
{
	(void)state;
	struct report_gap gap = sample_gap();
	text_gaps_take(&text, &gap);
	assert_non_null(strstr(print(),
			       "2023-11-14 22:13:15  pcap:eth0: silent for the rest of the "
			       "time, 24 lines unknown, 7 packets lost\n"));
	gap.until_unix_ns = gap.unix_ns;
	text_gaps_take(&text, &gap);
	assert_null(strstr(print(), "the rest of"));
	assert_non_null(strstr(printed, "silent for 5 s, 24 lines"));
}

/* Names are what somebody wrote into a circuit-id. */
static void test_hostile_names(void **state)
{
	(void)state;
	static char evil[4096];
	for (size_t i = 0; i < sizeof(evil) - 1; i++)
		evil[i] = (char)(1 + i % 255);
	const struct report_group group = {evil, evil};
	struct report_incident incident = sample_incident();
	struct report_gap gap = sample_gap();
	incident.group = group;
	incident.path = incident.equivalent = &group;
	incident.n_path = incident.n_equivalent = 1;
	incident.evidence.runner_up = incident.recommended_action = evil;
	gap.tap = gap.reason = evil;
	text_incidents_take(&text, &incident);
	text_gaps_take(&text, &gap);
	for (const char *c = print(); *c; c++)
		assert_true(*c == '\n' || (unsigned char)*c >= ' ');
	assert_null(strchr(printed, 0x7f));
	incident = (struct report_incident){.incident_id = "empty", .group = {"", ""}};
	text_incidents_take(&text, &incident);
	gap = (struct report_gap){0};
	text_gaps_take(&text, &gap);
	assert_non_null(strstr(print(), "all taps"));
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
	const struct CMUnitTest tests[] = {
		TEST(test_nothing), TEST(test_last_word),     TEST(test_parts_are_counted),
		TEST(test_gaps),    TEST(test_hostile_names),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
