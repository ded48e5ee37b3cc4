/* SPDX-License-Identifier: BSD-3-Clause */
#include "engine/match/surge.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "proto/rasad/v1/call.pb-c.h"
#include "proto/rasad/v1/incident.pb-c.h"

#define MIN 60000000000ll
#define T0  (1763202900 * 1000000000ll)

static struct surge *surge;
static int told;
static char last_id[64], last_group[128], last_hint[128], last_text[256];
static int last_state, last_severity;
static uint64_t last_affected;

static int set_up(void **state)
{
	(void)state;
	surge = surge_new(10);
	told = 0;
	return surge ? 0 : -1;
}

static int tear_down(void **state)
{
	(void)state;
	surge = surge_free(surge);
	return 0;
}

static void say(void *context, const Rasad__V1__Incident *incident)
{
	(void)context;
	told++;
	snprintf(last_id, sizeof(last_id), "%s", incident->incident_id);
	snprintf(last_group, sizeof(last_group), "%s:%s", incident->group_type, incident->group);
	last_hint[0] = 0;
	if (incident->evidence && incident->evidence->n_children)
		snprintf(last_hint, sizeof(last_hint), "%s:%s",
			 incident->evidence->children[0]->group_type,
			 incident->evidence->children[0]->group);
	snprintf(last_text, sizeof(last_text), "%s", incident->text);
	last_state = (int)incident->state;
	last_severity = (int)incident->severity;
	last_affected = incident->affected;
}

struct one {
	int number;
	double minute;
	const char *card, *resolver;
	const char *incident; /* that explains it, or NULL */
};

static void call(struct one one)
{
	char id[32], sub[32], card[64], resolver[64];
	char *groups[] = {card, resolver, (char *)"exchange:T3"};
	Rasad__V1__CallMatch match = RASAD__V1__CALL_MATCH__INIT;

	snprintf(id, sizeof(id), "c%d", one.number);
	snprintf(sub, sizeof(sub), "%016x", one.number);
	snprintf(card, sizeof(card), "card:%s", one.card);
	snprintf(resolver, sizeof(resolver), "resolver:%s", one.resolver);
	match.call_id = id;
	match.sub_id = sub;
	match.call_unix_ns = T0 + (int64_t)(one.minute * (double)MIN);
	match.groups = groups;
	match.n_groups = 3;
	match.revision = 1;
	match.verdict = one.incident ? RASAD__V1__VERDICT__VERDICT_MATCHED
				     : RASAD__V1__VERDICT__VERDICT_NO_FAULT_FOUND;
	if (one.incident)
		match.incident_id = (char *)one.incident;
	surge_call(surge, &match);
}

static void poisson_tail(void **state)
{
	(void)state;
	/* By summing the probabilities of fewer with exact fractions. */
	assert_true(fabs(surge_tail(1, 1) - (1 - exp(-1))) < 1e-12);
	assert_true(fabs(surge_tail(0.25, 5) - 6.6117e-6) < 1e-9);
	assert_true(fabs(surge_tail(2.5, 12) - 1.25985e-5) < 1e-9);
	assert_true(surge_tail(0.1, 50) > 0 && surge_tail(0.1, 50) < 1e-100);
	assert_true(surge_tail(0, 3) <= 0);
	assert_true(surge_tail(7, 0) >= 1);
	assert_true(fabs(surge_tail(1000, 900) - 0.9993) < 0.001);
}

/* A year of background, spread evenly: silence. */
static void usual_calls_are_no_news(void **state)
{
	(void)state;
	char card[16];

	for (int i = 0; i < 10 * 24 * 14; i++) {
		snprintf(card, sizeof(card), "D%d/1", i * 7919 % 500);
		call((struct one){i, i * 6.0, card, i % 2 ? "a" : "b", NULL});
		if (i % 2)
			surge_tick(surge, T0 + (int64_t)(i * 6.0 * (double)MIN), say, NULL);
	}
	assert_int_equal(told, 0);
}

/* Eight callers with one resolver, all over the place: the resolver is what they share. */
static void callers_with_one_resolver(void **state)
{
	(void)state;
	char card[16];
	int n = 0;

	for (; n < 10 * 24 * 8; n++) {
		snprintf(card, sizeof(card), "D%d/1", n * 7919 % 500);
		call((struct one){n, n * 6.0, card, n % 8 ? "a" : "b", NULL});
	}
	double now = n * 6.0;
	surge_tick(surge, T0 + (int64_t)(now * (double)MIN), say, NULL);
	assert_int_equal(told, 0);
	for (int i = 0; i < 12; i++) {
		snprintf(card, sizeof(card), "D%d/1", i + 100);
		call((struct one){n + i, now + i * 0.5, card, "b", NULL});
	}
	surge_tick(surge, T0 + (int64_t)((now + 6) * (double)MIN), say, NULL);
	assert_int_equal(told, 1);
	assert_string_equal(last_group, "resolver:b");
	assert_string_equal(last_hint, "resolver:b");
	assert_int_equal(last_state, RASAD__V1__INCIDENT_STATE__INCIDENT_STATE_OPEN);
	assert_int_equal(last_severity, RASAD__V1__SEVERITY__SEVERITY_WARNING);
	assert_true(last_affected >= 12);
	assert_non_null(strstr(last_text, "without a network symptom"));
	assert_true(!strncmp(last_id, "blind-", 6));
	/* Nothing new: nothing is told. More callers: an update. Silence: cleared. */
	surge_tick(surge, T0 + (int64_t)((now + 7) * (double)MIN), say, NULL);
	assert_int_equal(told, 1);
	for (int i = 20; i < 32; i++) {
		snprintf(card, sizeof(card), "D%d/1", i + 200);
		call((struct one){n + i, now + 8, card, "b", NULL});
	}
	surge_tick(surge, T0 + (int64_t)((now + 8) * (double)MIN), say, NULL);
	assert_int_equal(told, 2);
	assert_int_equal(last_severity, RASAD__V1__SEVERITY__SEVERITY_MINOR);
	for (int i = 20; i < 60; i++)
		surge_tick(surge, T0 + (int64_t)((now + i) * (double)MIN), say, NULL);
	assert_int_equal(last_state, RASAD__V1__INCIDENT_STATE__INCIDENT_STATE_CLEARED);
	assert_int_equal(surge_counts(surge).open, 0);
}

static void an_open_incident_explains_them(void **state)
{
	(void)state;
	for (int i = 0; i < 20; i++)
		call((struct one){i, i * 0.3, "D1/3", "a", i % 5 ? "I1" : NULL});
	surge_tick(surge, T0 + 7 * MIN, say, NULL);
	assert_int_equal(told, 0);
	assert_int_equal(surge_counts(surge).unexplained, 4);
	/* The same calls, not explained, would be one. A revision explains them later. */
	for (int i = 0; i < 20; i++)
		call((struct one){i, i * 0.3, "D1/3", "a", NULL});
	surge_tick(surge, T0 + 7 * MIN, say, NULL);
	assert_int_equal(told, 1);
	assert_string_equal(last_hint[0] ? "hint" : "none", "hint");
}

/* One who calls six times is one caller. */
static void one_angry_caller_is_no_surge(void **state)
{
	(void)state;
	Rasad__V1__CallMatch match = RASAD__V1__CALL_MATCH__INIT;
	char id[16];

	match.sub_id = (char *)"00000000000000aa";
	match.call_unix_ns = T0;
	for (int i = 0; i < 60; i++) {
		snprintf(id, sizeof(id), "c%d", i);
		match.call_id = id;
		surge_call(surge, &match);
	}
	surge_tick(surge, T0 + MIN, say, NULL);
	assert_int_equal(told, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
		TEST(poisson_tail),
		TEST(usual_calls_are_no_news),
		TEST(callers_with_one_resolver),
		TEST(an_open_incident_explains_them),
		TEST(one_angry_caller_is_no_surge),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
