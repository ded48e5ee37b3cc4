/* SPDX-License-Identifier: BSD-3-Clause */
#include "engine/match/book.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "tests/engine/match/fixture.h"

#define SUB 0xb98c12002e206d3aull

static struct book *book;

static int set_up(void **state)
{
	(void)state;
	book = book_new();
	return book ? 0 : -1;
}

static int tear_down(void **state)
{
	(void)state;
	book = book_free(book);
	fixture_free();
	return 0;
}

static enum book_change take(const char *json)
{
	return book_take_incident(book, given_away(incident_of(json)));
}

static enum book_change take_members(const char *json)
{
	return book_take_members(book, given_away(members_of(json)));
}

static size_t candidates(struct score_incident out[SCORE_INCIDENTS_MAX])
{
	const Rasad__V1__SubscriberCard *card = card_of(
		"{'groups':[{'group_type':'card','group':'D1/3'},"
		"{'group_type':'access_node','group':'D1'},{'group_type':'cabinet','group':'K9'}]}");

	return book_candidates(book, card, SUB, out);
}

#define NODE                                                                                       \
	"{'incident_id':'I1','revision':1,'state':'OPEN','group_type':'access_node','group':'D1'," \
	"'equivalent_groups':['svlan:300'],'onset_unix_ns':%T(-9)}"

static void found_by_element_and_equivalent(void **state)
{
	(void)state;
	struct score_incident out[SCORE_INCIDENTS_MAX];

	assert_int_equal(take(NODE), BOOK_OPENED);
	assert_int_equal(candidates(out), 1);
	assert_true(out[0].in_scope);
	assert_int_equal(out[0].membership, MEMBER_NOT);
	const Rasad__V1__SubscriberCard *other =
		card_of("{'groups':[{'group_type':'svlan','group':'300'}]}");
	assert_int_equal(book_candidates(book, other, SUB, out), 1);
	other = card_of("{'groups':[{'group_type':'svlan','group':'301'}]}");
	assert_int_equal(book_candidates(book, other, SUB, out), 0);
}

static void members_make_affected_and_recovered(void **state)
{
	(void)state;
	struct score_incident out[SCORE_INCIDENTS_MAX];

	take(NODE);
	assert_int_equal(take_members("{'incident_id':'I1','revision':1,'down':"
				      "['00000000000000aa','b98c12002e206d3a'],'recovered':[]}"),
			 BOOK_SCOPE);
	candidates(out);
	assert_int_equal(out[0].membership, MEMBER_DOWN);
	/* Back, 5 minutes after the onset; the same lines are no change of scope. */
	assert_int_equal(
		take_members("{'incident_id':'I1','revision':2,'down':['00000000000000aa'],"
			     "'recovered':['b98c12002e206d3a'],'recovered_after_s':[300]}"),
		BOOK_NONE);
	candidates(out);
	assert_int_equal(out[0].membership, MEMBER_RECOVERED);
	assert_int_equal(out[0].recovered_unix_ns, NOW_NS - 4 * MIN_NS);
	/* An older list than that one changes nothing. */
	assert_int_equal(
		take_members("{'incident_id':'I1','revision':1,'down':['b98c12002e206d3a']}"),
		BOOK_NONE);
	assert_int_equal(book_membership(book, "I1", SUB), MEMBER_RECOVERED);
	assert_int_equal(book_counts(book).stale, 1);
}

/* Members first, in any order; lists that are not sorted. */
static void any_order_of_messages(void **state)
{
	(void)state;
	struct score_incident out[SCORE_INCIDENTS_MAX];

	take_members("{'incident_id':'I1','revision':3,'down':"
		     "['ffffffffffffffff','b98c12002e206d3a','0000000000000001']}");
	assert_int_equal(candidates(out), 0);
	take(NODE);
	assert_int_equal(candidates(out), 1);
	assert_int_equal(out[0].membership, MEMBER_DOWN);
	assert_int_equal(take("{'incident_id':'I1','revision':1,'state':'CLEARED'}"), BOOK_NONE);
	assert_int_equal(book_find(book, "I1")->state,
			 RASAD__V1__INCIDENT_STATE__INCIDENT_STATE_OPEN);
}

static void a_superseded_one_leads_on(void **state)
{
	(void)state;
	struct score_incident out[SCORE_INCIDENTS_MAX];

	take("{'incident_id':'C1','revision':1,'state':'OPEN','group_type':'card','group':'D1/3'}");
	assert_int_equal(
		take("{'incident_id':'C1','revision':2,'state':'SUPERSEDED','group_type':'card',"
		     "'group':'D1/3','superseded_by':'I1'}"),
		BOOK_GONE);
	assert_null(book_find(book, "C1"));
	take(NODE);
	assert_string_equal(book_find(book, "C1")->incident_id, "I1");
	assert_int_equal(candidates(out), 1);
	assert_string_equal(out[0].incident->incident_id, "I1");
	/* A circle ends. */
	take("{'incident_id':'X','revision':1,'state':'MERGED','superseded_by':'Y'}");
	take("{'incident_id':'Y','revision':1,'state':'MERGED','superseded_by':'X'}");
	assert_null(book_find(book, "X"));
}

static void scope_changes_and_clearing(void **state)
{
	(void)state;
	struct score_incident out[SCORE_INCIDENTS_MAX];

	take(NODE);
	assert_int_equal(
		take("{'incident_id':'I1','revision':2,'state':'UPDATED','group_type':'access_node',"
		     "'group':'D1','equivalent_groups':['svlan:300'],'onset_unix_ns':%T(-9),"
		     "'affected':9}"),
		BOOK_NONE);
	assert_int_equal(
		take("{'incident_id':'I1','revision':3,'state':'UPDATED','group_type':'cabinet',"
		     "'group':'K9','onset_unix_ns':%T(-9)}"),
		BOOK_SCOPE);
	assert_int_equal(candidates(out), 1);
	assert_int_equal(
		take("{'incident_id':'I1','revision':4,'state':'CLEARED','group_type':'cabinet',"
		     "'group':'K9','clear_unix_ns':%T(-1)}"),
		BOOK_CLEARED);
	assert_int_equal(candidates(out), 1);
	book_advance(book, NOW_NS + 60 * MIN_NS);
	assert_int_equal(candidates(out), 1);
	book_advance(book, NOW_NS + 120 * MIN_NS);
	assert_int_equal(candidates(out), 0);
	assert_null(book_find(book, "I1"));
	assert_int_equal(book_counts(book).incidents, 0);
	assert_int_equal(take(NODE), BOOK_OPENED); /* its slot and id are free again */
}

/* Of more than an answer holds, members stay. */
static void members_before_neighbours(void **state)
{
	(void)state;
	struct score_incident out[SCORE_INCIDENTS_MAX];
	char text[256];

	take("{'incident_id':'old','revision':1,'state':'OPEN','group_type':'cabinet','group':'K9',"
	     "'onset_unix_ns':%T(-100)}");
	take_members("{'incident_id':'old','down':['b98c12002e206d3a']}");
	for (int i = 0; i < 40; i++) {
		snprintf(text, sizeof(text),
			 "{'incident_id':'n%d','revision':1,'state':'OPEN','group_type':'card',"
			 "'group':'D1/3','onset_unix_ns':%%T(-%d)}",
			 i, i);
		take(text);
	}
	assert_int_equal(candidates(out), SCORE_INCIDENTS_MAX);
	assert_string_equal(out[0].incident->incident_id, "old");
	assert_string_equal(out[1].incident->incident_id, "n0");
	assert_true(book_counts(book).candidates_cut > 0);
	/* A line whose elements nobody knows is found on the lists. */
	assert_int_equal(book_candidates(book, NULL, SUB, out), 1);
	assert_false(out[0].in_scope);
	const Rasad__V1__Incident *all[100];
	assert_int_equal(book_all(book, all, 100), 41);
}

static void areas_are_learnt_from_cards(void **state)
{
	(void)state;
	struct score_incident out[SCORE_INCIDENTS_MAX];

	take("{'incident_id':'E','revision':1,'state':'OPEN','group_type':'exchange','group':'Tehran-3'}");
	assert_int_equal(book_area(book, "+982188771111", out), 0);
	book_learn_area(book, card_of("{'phone':'+982188776655','exchange':'Tehran-3'}"));
	assert_int_equal(book_area(book, "+982188771111", out), 1);
	assert_int_equal(book_area(book, "+982144771111", out), 0);
	assert_int_equal(book_area(book, "", out), 0);
	assert_int_equal(book_sub_id("b98c12002e206d3a"), SUB);
	assert_int_equal(book_sub_id("no id"), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
		TEST(found_by_element_and_equivalent), TEST(members_make_affected_and_recovered),
		TEST(any_order_of_messages),	       TEST(a_superseded_one_leads_on),
		TEST(scope_changes_and_clearing),      TEST(members_before_neighbours),
		TEST(areas_are_learnt_from_cards),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
