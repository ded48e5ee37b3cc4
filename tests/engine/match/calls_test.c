/* SPDX-License-Identifier: BSD-3-Clause */
/* Late binding, counting under incidents, and calls as evidence. */
#include "engine/match/calls.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "engine/match/book.h"
#include "engine/match/score.h"
#include "tests/engine/match/fixture.h"

#define GROUPS                                                                                     \
	"'groups':[{'group_type':'card','group':'D1/3'},{'group_type':'access_node','group':'D1'}]"
#define CARD_INCIDENT                                                                                 \
	"{'incident_id':'I1','revision':1,'state':'OPEN','class':'CARD_FAILURE','group_type':'card'," \
	"'group':'D1/3','onset_unix_ns':%T(-3),'affected':40,'members':48,'confidence':0.95}"

static struct calls *calls;
static struct book *book;

static int set_up(void **state)
{
	(void)state;
	calls = calls_new();
	book = book_new();
	return calls && book ? 0 : -1;
}

static int tear_down(void **state)
{
	(void)state;
	calls = calls_free(calls);
	book = book_free(book);
	fixture_free();
	return 0;
}

static Rasad__V1__CallMatch *score(const Rasad__V1__CallEvent *call,
				   const Rasad__V1__SubscriberCard *card)
{
	struct score_incident incidents[SCORE_INCIDENTS_MAX];
	struct score_input input = {
		.call = call,
		.card = card,
		.now_unix_ns = NOW_NS,
		.wall_unix_ms = NOW_NS / 1000000,
		.incidents = incidents,
		.n_incidents = book_candidates(book, card, book_sub_id(card->sub_id), incidents),
	};

	return kept(score_call(&input));
}

/* A call before detection: own line first, then revision 2 with the incident. */
static void a_call_before_detection_is_answered_again(void **state)
{
	(void)state;
	const Rasad__V1__CallEvent *call = call_of(
		"{'call_id':'c1','unix_ns':%T(-2),'phone':'02188776655','complaint':'OUTAGE'}");
	const Rasad__V1__SubscriberCard *card = down_card(3, "," GROUPS);
	struct calls_due due[4];

	Rasad__V1__CallMatch *first = score(call, card);
	assert_int_equal(first->hypotheses[0]->kind,
			 RASAD__V1__HYPOTHESIS_KIND__HYPOTHESIS_KIND_OWN_LINE);
	assert_int_equal(calls_add(calls, call, first), 0);
	Rasad__V1__Incident *incident = given_away(incident_of(CARD_INCIDENT));
	assert_int_equal(book_take_incident(book, incident), BOOK_OPENED);
	book_take_members(
		book, given_away(members_of("{'incident_id':'I1','down':['b98c12002e206d3a']}")));
	assert_int_equal(calls_due(calls, book, incident, NOW_NS, due, 4), 1);
	assert_string_equal(due[0].call->call_id, "c1");
	Rasad__V1__CallMatch *second = score(due[0].call, card);
	assert_true(calls_settle(calls, second));
	assert_int_equal(second->revision, 2);
	assert_int_equal(second->supersedes, 1);
	assert_string_equal(second->incident_id, "I1");
	/* The same answer once more is no news. */
	assert_false(calls_settle(calls, score(call, card)));
	assert_int_equal(calls_find(calls, "c1")->revision, 2);
	assert_int_equal(calls_counts(calls, NOW_NS).revised, 1);
}

static void live_for_15_minutes_or_back_dated(void **state)
{
	(void)state;
	const Rasad__V1__CallEvent *call = call_of(
		"{'call_id':'c1','unix_ns':%T(-20),'phone':'02188776655','complaint':'OUTAGE'}");
	struct calls_due due[4];

	calls_add(calls, call, score(call, down_card(22, "," GROUPS)));
	Rasad__V1__Incident *late = incident_of(CARD_INCIDENT);
	assert_int_equal(calls_due(calls, book, late, NOW_NS, due, 4), 0);
	late->onset_unix_ns = NOW_NS - 21 * MIN_NS;
	assert_int_equal(calls_due(calls, book, late, NOW_NS, due, 4), 1);
	assert_int_equal(calls_due(calls, book, late, NOW_NS, due, 0), 0);
	assert_int_equal(calls_counts(calls, NOW_NS).cut, 1);
	calls_advance(calls, NOW_NS + 101 * MIN_NS);
	assert_int_equal(calls_due(calls, book, late, NOW_NS, due, 4), 0);
	assert_int_equal(calls_counts(calls, NOW_NS).known, 0);
	assert_null(calls_find(calls, "c1"));
}

/* What another desk answered is counted, and not scored again here; lines count once. */
static void counted_under_their_incident(void **state)
{
	(void)state;
	const Rasad__V1__Incident *incident = incident_of(CARD_INCIDENT);
	char text[256];

	for (int i = 0; i < 6; i++) {
		snprintf(
			text, sizeof(text),
			"{'call_id':'c%d','revision':1,'verdict':'MATCHED','incident_id':'I1',"
			"'sub_id':'00000000000000%02d','call_unix_ns':%%T(-%d),'groups':['card:D1/3']}",
			i, i / 2 + 10, i * 4);
		assert_int_equal(calls_add(calls, NULL, match_of(text)), 0);
		assert_int_equal(calls_add(calls, NULL, match_of(text)), 0); /* delivered twice */
	}
	struct calls_of_incident of = calls_of_incident(calls, incident, NULL, NOW_NS);
	assert_int_equal(of.calls, 6);
	assert_int_equal(of.lines, 3);
	assert_int_equal(of.last_15m, 4);
	assert_int_equal(of.first_unix_ns, NOW_NS - 20 * MIN_NS);
	assert_int_equal(calls_of_incident(calls, incident, "c0", NOW_NS).calls, 5);
	assert_int_equal(calls_recent_of(calls, "I1", "c0", NOW_NS), 3);
	struct calls_due due[8];
	assert_int_equal(calls_due(calls, book, incident, NOW_NS, due, 8), 0);
	assert_int_equal(calls_counts(calls, NOW_NS).duplicates, 6);
	assert_int_equal(calls_counts(calls, NOW_NS).by_verdict[1], 6);
	/* A revision that says otherwise takes the call away. */
	calls_add(
		calls, NULL,
		match_of(
			"{'call_id':'c0','revision':2,'verdict':'NO_FAULT_FOUND','call_unix_ns':%T(0)}"));
	assert_int_equal(calls_of_incident(calls, incident, NULL, NOW_NS).calls, 5);
}

/* Three lines of one card say "outage" and nothing explains it: the card, not the exchange. */
static void outage_calls_are_evidence(void **state)
{
	(void)state;
	struct calls_evidence found[4];
	char text[320];

	for (int i = 0; i < 4; i++) {
		snprintf(
			text, sizeof(text),
			"{'call_id':'c%d','revision':1,'verdict':'INSUFFICIENT_DATA','complaint':'OUTAGE',"
			"'sub_id':'000000000000001%d','call_unix_ns':%%T(-%d),'groups':['card:D1/%d',"
			"'exchange:T3']}",
			i, i, 2 + i, i < 3 ? 3 : 4);
		calls_add(calls, NULL, match_of(text));
		if (i == 1)
			assert_int_equal(calls_evidence(calls, NOW_NS, found, 4), 0);
	}
	assert_int_equal(calls_evidence(calls, NOW_NS, found, 4), 2);
	assert_string_equal(found[0].group, "card:D1/3");
	assert_int_equal(found[0].lines, 3);
	assert_string_equal(found[1].group, "exchange:T3");
	assert_int_equal(calls_evidence(calls, NOW_NS + 6 * MIN_NS, found, 4), 2);
	assert_int_equal(calls_evidence(calls, NOW_NS + 7 * MIN_NS, found, 4), 0);
}

/* More calls than there is room for: the oldest go, nothing breaks. */
static void the_ring_wraps(void **state)
{
	(void)state;
	Rasad__V1__CallMatch *match =
		match_of("{'call_id':'x','revision':1,'verdict':'MATCHED','incident_id':'I1',"
			 "'call_unix_ns':%T(0),'groups':['card:D1/3']}");
	char id[32];
	char *own = match->call_id;

	for (int i = 0; i < CALLS_MAX + 10; i++) {
		snprintf(id, sizeof(id), "w%d", i);
		match->call_id = id;
		assert_int_equal(calls_add(calls, NULL, match), 0);
	}
	match->call_id = own;
	struct calls_counts counts = calls_counts(calls, NOW_NS);
	assert_int_equal(counts.known, CALLS_MAX);
	assert_int_equal(counts.evicted, 10);
	assert_null(calls_find(calls, "w9"));
	assert_non_null(calls_find(calls, "w10"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
		TEST(a_call_before_detection_is_answered_again),
		TEST(live_for_15_minutes_or_back_dated),
		TEST(counted_under_their_incident),
		TEST(outage_calls_are_evidence),
		TEST(the_ring_wraps),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
