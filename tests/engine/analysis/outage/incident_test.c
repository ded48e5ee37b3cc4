/* SPDX-License-Identifier: BSD-3-Clause */
/* The life of incidents: what is told is held against what was done to a small network. */
#include "engine/analysis/outage/incident.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "engine/base/inventory.h"
#include "tests/engine/analysis/outage/world.h"

static void one_fault_is_one_incident(void **state)
{
	static struct world w;
	(void)state;
	world_begin(&w);
	world_cut(&w, 100, 1, 2);
	world_run_to(&w, 110);
	assert_int_equal(w.n_told, 1);
	assert_int_equal(w.told[0].state, INCIDENT_OPEN);
	assert_string_equal(w.told[0].type, "card");
	assert_string_equal(w.told[0].group, "N1/2");
	assert_int_equal(w.told[0].class, CLASS_CARD_FAILURE);
	assert_int_equal(w.told[0].category, CATEGORY_ACCESS_INFRA);
	assert_int_equal(w.told[0].severity, SEVERITY_MINOR);
	assert_int_equal(w.told[0].affected, CARD_LINES);
	assert_int_equal(w.told[0].members, CARD_LINES);
	assert_true(w.told[0].page);
	assert_float_equal(w.told[0].onset_s, 100, 2);
	world_run_to(&w, 400);
	world_heal(&w, 400, 1, 2);
	world_run_to(&w, 455);
	assert_int_not_equal(world_last(&w)->state, INCIDENT_CLEARED); /* it holds for 60 s first */
	world_run_to(&w, 470);
	assert_int_equal(world_last(&w)->state, INCIDENT_CLEARED);
	assert_float_equal(world_last(&w)->clear_s, 400, 5);
	assert_int_equal(world_last(&w)->peak, CARD_LINES);
	assert_int_equal(world_last(&w)->affected, 0);
	world_run_to(&w, 4000);
	assert_int_equal(world_distinct(&w), 1);
	for (uint32_t i = 1; i < w.n_told; i++) {
		assert_int_equal(w.told[i].revision, w.told[i - 1].revision + 1);
		assert_false(w.told[i].page);
	}
	world_end(&w);
}

/* Two shards see the lines of one card: their incidents open in one tick, on groups of one name. */
static void shards_have_ids_of_their_own(void **state)
{
	static struct world w[2];
	(void)state;
	for (uint32_t shard = 0; shard < 2; shard++) {
		world_begin_with(&w[shard], (struct outage_options){.shard = shard});
		world_cut(&w[shard], 100, 1, 2);
		world_run_to(&w[shard], 110);
		assert_int_equal(w[shard].n_told, 1);
	}
	assert_memory_equal(w[0].told[0].id, w[1].told[0].id, 10); /* the time */
	assert_string_not_equal(w[0].told[0].id, w[1].told[0].id);
	world_end(&w[0]);
	world_end(&w[1]);
}

static void suspicion_ripens(void **state)
{
	static struct world w;
	(void)state;
	world_begin(&w);
	/* A switch-over: silent for five seconds. */
	world_card(&w, 100, 0, 0, 0, CARD_LINES, CHANNEL_DROP, SYMPTOM_SUSPECT);
	world_card(&w, 105, 0, 0, 0, CARD_LINES, CHANNEL_DROP, SYMPTOM_GOOD);
	world_run_to(&w, 300);
	assert_int_equal(w.n_told, 0);
	world_card(&w, 300, 0, 0, 0, CARD_LINES, CHANNEL_DROP, SYMPTOM_SUSPECT);
	world_run_to(&w, 312);
	assert_int_equal(w.n_told, 1);
	world_end(&w);
}

/* Lines of a node that fall silent over seven seconds, and are heard again from `back_s` on, each
 * card a second after the one before. */
static void switch_over(struct world *w, double s, double back_s, int cards_back)
{
	for (int part = 0; part < CARD_LINES; part++)
		for (int c = 0; c < CARDS; c++)
			world_say(w, s + 0.3 * part, world_line(2, c, part), CHANNEL_DROP,
				  SYMPTOM_SUSPECT);
	for (int c = 0; c < cards_back; c++)
		world_card(w, back_s + c, 2, c, 0, CARD_LINES, CHANNEL_DROP, SYMPTOM_GOOD);
}

/* Half of the suspicions are ripe when the first lines are heard again. */
static void what_comes_back_by_itself_is_none(void **state)
{
	static struct world w;
	(void)state;
	world_begin(&w);
	switch_over(&w, 100, 108.5, CARDS);
	world_run_to(&w, 300);
	assert_int_equal(w.n_told, 0);
	/* One card is back; the others stay silent: their faults are told ten seconds later, and as they
	 * are several, when none wider has shown itself in another five. */
	switch_over(&w, 300, 308.5, 1);
	world_run_to(&w, 323);
	assert_int_equal(w.n_told, 0);
	world_run_to(&w, 328);
	assert_int_equal(w.n_told, CARDS - 1);
	for (uint32_t i = 0; i < w.n_told; i++)
		assert_int_equal(w.told[i].affected, CARD_LINES);
	world_end(&w);
}

/* A fault of hours says nothing about how often its lines drop by themselves, or for how long. */
static void what_is_explained_is_not_learned(void **state)
{
	static struct world w;
	struct rates before;
	(void)state;
	world_begin(&w);
	before = w.outage->rates;
	world_cut(&w, 100, 1, 2);
	world_run_to(&w, 7000);
	world_heal(&w, 7000, 1, 2);
	world_run_to(&w, 8000);
	assert_int_equal(world_last(&w)->state, INCIDENT_CLEARED);
	assert_int_equal(w.outage->rates.drops_quarters, before.drops_quarters);
	assert_int_equal(w.outage->rates.dwells, before.dwells);
	world_card(&w, 9000, 1, 2, 0, 1, CHANNEL_DROP, SYMPTOM_BAD);
	world_card(&w, 9090, 1, 2, 0, 1, CHANNEL_DROP, SYMPTOM_GOOD);
	world_run_to(&w, 9200);
	assert_int_equal(w.outage->rates.drops_quarters, before.drops_quarters + QUARTERS);
	assert_int_equal(w.outage->rates.dwell_ms, before.dwell_ms + 120000);
	world_end(&w);
}

static void what_fails_later_is_absorbed(void **state)
{
	static struct world w;
	(void)state;
	world_begin(&w);
	world_card(&w, 100, 1, 2, 0, 12, CHANNEL_DROP, SYMPTOM_BAD);
	world_run_to(&w, 110);
	assert_string_equal(world_last(&w)->group, "N1/2");
	world_card(&w, 130, 1, 2, 12, 24, CHANNEL_DROP, SYMPTOM_BAD);
	world_run_to(&w, 200);
	assert_int_equal(world_distinct(&w), 1);
	assert_int_equal(world_last(&w)->affected, CARD_LINES);
	assert_float_equal(world_last(&w)->onset_s, 100, 2);
	world_end(&w);
}

/* Books in which one cabinet has the first seven lines of each card of two nodes. */
static struct inventory *cabinet_books(void)
{
	static char text[LINES * 16];
	size_t n = (size_t)sprintf(text, "line,cabinet\n");
	for (int node = 0; node < 2; node++)
		for (int card = 0; card < CARDS; card++)
			for (int line = 0; line < 7; line++)
				n += (size_t)sprintf(text + n, "L%u,K1\n",
						     world_line(node, card, line));
	return inventory_parse(text, n, "books", stderr);
}

/* Of one node `more` lines on two cards fail with the cabinet, that hang elsewhere by the books. */
static void cut_cabinet(struct world *w, double s, int more)
{
	for (int node = 0; node < 2; node++)
		for (int card = 0; card < CARDS; card++)
			world_card(w, s + 0.1 * card, node, card, 0, 7, CHANNEL_DROP, SYMPTOM_BAD);
	for (int card = 0; card < 2; card++)
		world_card(w, s + 0.5, 0, card, 7, 7 + more / 2, CHANNEL_DROP, SYMPTOM_BAD);
}

/* The few others of a group that went with most of its lines belong to their incident, though they do
 * not hang on what it blames; as many lines as these are a fault of their own. */
static void the_rest_of_a_group_joins(void **state)
{
	static struct world w;
	struct inventory *books = cabinet_books();
	(void)state;
	for (int more = 6; more <= 16; more += 10) {
		world_begin_with(&w, (struct outage_options){.inventory = books});
		cut_cabinet(&w, 100, more);
		world_run_to(&w, 150);
		assert_string_equal(w.told[0].group, "K1");
		assert_int_equal(world_distinct(&w), more == 6 ? 1 : 3);
		if (more == 6)
			assert_int_equal(world_last(&w)->affected, 2 * CARDS * 7 + more);
		world_end(&w);
	}
	inventory_free(books);
}

/* A card was silent first, then the rest of its node: the same incident, wider. */
static void scope_changes_and_the_id_stays(void **state)
{
	static struct world w;
	(void)state;
	world_begin(&w);
	world_cut(&w, 100, 0, 0);
	world_run_to(&w, 110);
	assert_string_equal(world_last(&w)->type, "card");
	for (int c = 1; c < CARDS; c++)
		world_cut(&w, 120 + 0.3 * c, 0, c); /* within one tick */
	world_run_to(&w, 200);
	assert_int_equal(world_distinct(&w), 1);
	assert_int_equal(world_last(&w)->state, INCIDENT_UPDATED);
	assert_string_equal(world_last(&w)->type, "access_node");
	assert_string_equal(world_last(&w)->group, "N0");
	assert_string_equal(world_last(&w)->equivalent, "svlan:100");
	assert_int_equal(world_last(&w)->class, CLASS_NODE_OR_UPLINK);
	assert_int_equal(world_last(&w)->affected, CARDS * CARD_LINES);
	world_end(&w);
}

static void the_whole_supersedes_its_parts(void **state)
{
	static struct world w;
	const struct told *ended = NULL;
	(void)state;
	world_begin(&w);
	world_cut(&w, 100, 0, 0);
	world_run_to(&w, 110);
	world_cut(&w, 112, 0, 1);
	world_run_to(&w, 120);
	assert_int_equal(world_distinct(&w), 2);
	world_cut(&w, 130, 0, 2);
	world_cut(&w, 131, 0, 3);
	world_run_to(&w, 200);
	for (uint32_t i = 0; i < w.n_told; i++)
		if (w.told[i].state == INCIDENT_SUPERSEDED)
			ended = &w.told[i];
	assert_non_null(ended);
	assert_string_equal(ended->superseded_by, w.told[0].id); /* the first told survives */
	assert_int_equal(world_distinct(&w), 2);
	for (int c = 0; c < CARDS; c++)
		world_heal(&w, 400, 0, c);
	world_run_to(&w, 500);
	assert_string_equal(world_last(&w)->id, w.told[0].id);
	assert_int_equal(world_last(&w)->state, INCIDENT_CLEARED);
	assert_int_equal(world_last(&w)->peak, CARDS * CARD_LINES);
	world_end(&w);
}

static void siblings_are_two_incidents(void **state)
{
	static struct world w;
	(void)state;
	world_begin(&w);
	world_cut(&w, 100, 0, 0);
	world_cut(&w, 100, 2, 3);
	world_run_to(&w, 400);
	assert_int_equal(world_distinct(&w), 2);
	world_heal(&w, 400, 0, 0);
	world_run_to(&w, 600);
	assert_int_equal(world_last(&w)->state, INCIDENT_CLEARED);
	assert_string_equal(world_last(&w)->group, "N0/0");
	world_end(&w);
}

/* A card fails, and its incident is cleared within 270 s. */
static void fail_and_clear(struct world *w)
{
	world_begin(w);
	world_cut(w, 100, 1, 2);
	world_run_to(w, 200);
	world_heal(w, 200, 1, 2);
	world_run_to(w, 270);
	assert_int_equal(world_last(w)->state, INCIDENT_CLEARED);
}

static void reopens_within_three_minutes(void **state)
{
	static struct world w;
	(void)state;
	fail_and_clear(&w);
	world_cut(&w, 400, 1, 2);
	world_run_to(&w, 420);
	assert_int_equal(world_distinct(&w), 1);
	assert_int_equal(world_last(&w)->reopened, 1);
	assert_int_equal(world_last(&w)->affected, CARD_LINES);
	world_heal(&w, 430, 1, 2);
	world_run_to(&w, 500);
	assert_int_equal(world_last(&w)->state, INCIDENT_CLEARED);
	world_run_to(&w, 900);
	world_cut(&w, 900, 1, 2);
	world_run_to(&w, 920);
	assert_int_equal(world_distinct(&w), 2); /* too late: another one */
	assert_int_equal(world_last(&w)->reopened, 0);
	world_end(&w);
}

/* A node that comes and goes is one fault, though after the first time one of its cards goes first. */
static void flapping_is_one_incident(void **state)
{
	static const double down_s[] = {100, 350, 650, 1000};
	static struct world w;
	(void)state;
	world_begin(&w);
	for (size_t f = 0; f < sizeof down_s / sizeof *down_s; f++) {
		if (f >= 2) {
			world_cut(&w, down_s[f], 1, 2);
			world_run_to(&w, down_s[f] + 8);
		}
		for (int c = 0; c < CARDS; c++)
			if (c != 2 || f < 2)
				world_cut(&w, down_s[f] + 8, 1, c);
		world_run_to(&w, down_s[f] + 60);
		assert_string_equal(world_last(&w)->group, "N1");
		assert_int_equal(world_last(&w)->affected, CARDS * CARD_LINES);
		for (int c = 0; c < CARDS; c++)
			world_heal(&w, down_s[f] + 60 + c, 1, c);
		world_run_to(&w, down_s[f] + 135);
		assert_int_equal(world_last(&w)->state, INCIDENT_CLEARED);
		assert_int_equal(world_last(&w)->reopened, f);
		assert_int_equal(world_distinct(&w), 1);
	}
	world_end(&w);
}

/* What failed just now is a quarter of what fails next: that is no fault that comes and goes. */
static void another_fault_is_another_incident(void **state)
{
	static struct world w;
	(void)state;
	fail_and_clear(&w);
	for (int c = 0; c < CARDS; c++)
		world_cut(&w, 300, 1, c);
	world_run_to(&w, 310);
	assert_string_equal(world_last(&w)->group, "N1");
	assert_int_equal(world_distinct(&w), 2);
	assert_int_equal(world_last(&w)->reopened, 0);
	world_end(&w);
}

/* Lines that are down for long cannot fail again: they are out of the count, and back with it. */
static void settled_lines_are_out_of_the_count(void **state)
{
	static struct world w;
	(void)state;
	world_begin(&w);
	world_cut(&w, 100, 1, 2);
	world_run_to(&w, 300);
	assert_int_equal(world_group(&w, "N1/2")->eligible, CARD_LINES);
	world_run_to(&w, 420);
	assert_int_equal(world_group(&w, "N1/2")->eligible, 0);
	assert_int_equal(world_group(&w, "N1")->eligible, (CARDS - 1) * CARD_LINES);
	assert_int_equal(world_group(&w, "N1")->members, CARDS * CARD_LINES);
	/* The rest of the node fails now: not together with what failed long ago. */
	world_cut(&w, 500, 1, 0);
	world_run_to(&w, 510);
	assert_int_equal(world_distinct(&w), 2);
	assert_string_equal(world_last(&w)->group, "N1/0");
	world_heal(&w, 600, 1, 2);
	world_run_to(&w, 610);
	assert_int_equal(world_group(&w, "N1/2")->eligible, CARD_LINES);
	world_end(&w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(one_fault_is_one_incident),
		cmocka_unit_test(shards_have_ids_of_their_own),
		cmocka_unit_test(suspicion_ripens),
		cmocka_unit_test(what_comes_back_by_itself_is_none),
		cmocka_unit_test(what_is_explained_is_not_learned),
		cmocka_unit_test(what_fails_later_is_absorbed),
		cmocka_unit_test(the_rest_of_a_group_joins),
		cmocka_unit_test(scope_changes_and_the_id_stays),
		cmocka_unit_test(the_whole_supersedes_its_parts),
		cmocka_unit_test(siblings_are_two_incidents),
		cmocka_unit_test(reopens_within_three_minutes),
		cmocka_unit_test(flapping_is_one_incident),
		cmocka_unit_test(another_fault_is_another_incident),
		cmocka_unit_test(settled_lines_are_out_of_the_count),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
