/* SPDX-License-Identifier: BSD-3-Clause */
/* What is no outage though lines fail or fall silent: gaps, planned work, storms, bad input. */
#include "engine/analysis/outage/outage.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "tests/engine/analysis/outage/world.h"

/* --- what is no outage --- */

static void a_gap_retracts(void **state)
{
	static struct world w;
	(void)state;
	world_begin(&w);
	world_cut(&w, 100, 1, 2);
	world_run_to(&w, 105);
	assert_int_equal(world_last(&w)->state, INCIDENT_OPEN);
	outage_gap_begins(w.outage, 0, "tap0", "silent", world_at(99), world_at(106));
	assert_int_equal(world_last(&w)->state, INCIDENT_RETRACTED);
	assert_int_equal(w.gaps_begun, 1);
	assert_int_equal(w.gap_lines, LINES);
	assert_int_equal(world_group(&w, "all")->eligible, 0);
	world_run_to(&w, 200);
	outage_gap_ends(w.outage, 0, world_at(200));
	assert_int_equal(w.gaps_ended, 1);
	assert_int_equal(world_group(&w, "all")->eligible, LINES);
	world_run_to(&w, 600);
	assert_int_equal(w.n_told, 2);
	world_end(&w);
}

static void a_blind_tap_is_no_outage(void **state)
{
	static struct world w;
	(void)state;
	world_begin(&w);
	outage_gap_begins(w.outage, 0, "tap0", "silent", world_at(98), world_at(100));
	for (int node = 0; node < NODES; node++)
		for (int c = 0; c < CARDS; c++)
			world_card(&w, 101, node, c, 0, CARD_LINES, CHANNEL_DROP, SYMPTOM_SUSPECT);
	world_run_to(&w, 160);
	outage_gap_begins(w.outage, 0, "tap0", "silent", world_at(98),
			  world_at(160)); /* again: known */
	for (int node = 0; node < NODES; node++)
		for (int c = 0; c < CARDS; c++)
			world_card(&w, 161, node, c, 0, CARD_LINES, CHANNEL_DROP, SYMPTOM_GOOD);
	outage_gap_ends(w.outage, 0, world_at(162));
	outage_gap_ends(w.outage, 0, world_at(162)); /* again: nothing */
	world_run_to(&w, 600);
	assert_int_equal(w.n_told, 0);
	assert_int_equal(w.gaps_begun, 1);
	assert_int_equal(w.gaps_ended, 1);
	outage_gap_begins(w.outage, OUTAGE_TAPS_MAX, "tap", "silent", world_at(600), world_at(600));
	assert_int_equal(outage_counters(w.outage).taps_full, 1);
	world_end(&w);
}

/* Silence that was told while the tap was blind is no evidence afterwards either. */
static void what_a_blind_tap_told_is_nothing(void **state)
{
	static struct world w;
	(void)state;
	world_begin(&w);
	outage_gap_begins(w.outage, 0, "tap0", "silent", world_at(98), world_at(100));
	world_card(&w, 101, 1, 2, 0, CARD_LINES, CHANNEL_DROP, SYMPTOM_BAD);
	world_run_to(&w, 150);
	outage_gap_ends(w.outage, 0, world_at(150));
	world_run_to(&w, 154);
	world_heal(&w, 154, 1, 2);
	world_run_to(&w, 600);
	assert_int_equal(w.n_told, 0);
	/* What is down still, some seconds after it sees again, is an outage. */
	outage_gap_begins(w.outage, 0, "tap0", "silent", world_at(600), world_at(602));
	world_cut(&w, 610, 1, 2);
	outage_gap_ends(w.outage, 0, world_at(1000));
	world_run_to(&w, 1015);
	assert_int_equal(world_distinct(&w), 1);
	assert_string_equal(world_last(&w)->group, "N1/2");
	assert_int_equal(world_last(&w)->affected, CARD_LINES);
	world_end(&w);
}

static void the_other_tap_still_sees(void **state)
{
	static struct world w;
	(void)state;
	world_begin(&w);
	for (int c = 0; c < CARDS; c++)
		for (int l = 0; l < CARD_LINES; l++)
			outage_heard_by(w.outage, world_line(3, c, l), 1);
	outage_gap_begins(w.outage, 0, "tap0", "drops", world_at(98), world_at(100));
	assert_int_equal(w.gap_lines, LINES - CARDS * CARD_LINES);
	world_cut(&w, 101, 0, 0); /* unseen */
	world_cut(&w, 120, 3, 1);
	world_run_to(&w, 130);
	assert_int_equal(world_distinct(&w), 1);
	assert_string_equal(world_last(&w)->group, "N3/1");
	world_end(&w);
}

static void planned_work_is_a_warning(void **state)
{
	static struct world w;
	const struct calendar_plan plans[] = {
		{"card", "N1/2", WORLD_START_NS + 50 * SECOND_IN_NS,
		 WORLD_START_NS + 500 * SECOND_IN_NS},
		{"svlan", "102", WORLD_START_NS + 50 * SECOND_IN_NS,
		 WORLD_START_NS + 500 * SECOND_IN_NS},
	};
	(void)state;
	world_begin_with(&w, (struct outage_options){.plans = plans, .n_plans = 2});
	world_cut(&w, 100, 1, 2);
	world_run_to(&w, 110);
	assert_true(world_last(&w)->planned);
	assert_int_equal(world_last(&w)->severity, SEVERITY_WARNING);
	/* Planned by the name of its equal. */
	for (int c = 0; c < CARDS; c++)
		world_cut(&w, 120, 2, c);
	world_run_to(&w, 130);
	assert_string_equal(world_last(&w)->group, "N2");
	assert_true(world_last(&w)->planned);
	assert_int_equal(world_last(&w)->severity, SEVERITY_WARNING);
	/* Not that card, and not at that time. */
	world_cut(&w, 140, 0, 0);
	world_run_to(&w, 150);
	assert_string_equal(world_last(&w)->group, "N0/0");
	assert_false(world_last(&w)->planned);
	assert_int_equal(world_last(&w)->severity, SEVERITY_MINOR);
	world_heal(&w, 150, 1, 2);
	world_run_to(&w, 900);
	world_cut(&w, 900, 1, 2);
	world_run_to(&w, 910);
	assert_string_equal(world_last(&w)->group, "N1/2");
	assert_false(world_last(&w)->planned);
	world_end(&w);
}

/* After a large repair set-ups fail for a while: no fault as long as sessions come up. */
static void storm_after_a_large_repair(void **state)
{
	enum { FIRST = LINES + 1, MANY = 2400 };
	static struct world w;
	uint32_t before;
	(void)state;
	world_begin(&w);
	for (uint32_t i = FIRST; i < FIRST + MANY; i++) {
		char name[16];
		const struct outage_place place = {.line = name, .node = "BIG", .svlan = 200};
		snprintf(name, sizeof name, "L%u", i);
		outage_line(w.outage, i, &place);
		world_say(&w, 1, i, CHANNEL_DROP, SYMPTOM_GOOD);
	}
	for (uint32_t i = FIRST; i < FIRST + MANY; i++)
		world_say(&w, 100, i, CHANNEL_DROP, SYMPTOM_BAD);
	world_run_to(&w, 200);
	assert_string_equal(world_last(&w)->group, "BIG");
	for (uint32_t i = FIRST; i < FIRST + MANY; i++)
		world_say(&w, 300, i, CHANNEL_DROP, SYMPTOM_GOOD);
	world_run_to(&w, 380);
	assert_int_equal(world_last(&w)->state, INCIDENT_CLEARED);
	before = w.n_told;
	world_say(&w, 380, world_line(0, 0, 0), CHANNEL_DROP, SYMPTOM_GOOD);
	for (double s = 400; s < 500; s += 20) { /* one comes up, many do not yet */
		world_card(&w, s, 1, 2, 0, CARD_LINES, CHANNEL_SETUP, SYMPTOM_BAD);
		world_say(&w, s + 5, world_line(0, 0, 0), CHANNEL_DROP, SYMPTOM_GOOD);
	}
	assert_int_equal(w.n_told, before);
	for (double s = 500; s < 620; s += 20) /* nobody comes up any more */
		world_card(&w, s, 1, 3, 0, CARD_LINES, CHANNEL_SETUP, SYMPTOM_BAD);
	assert_int_equal(world_distinct(&w), 2);
	assert_int_equal(world_last(&w)->class, CLASS_AAA);
	world_end(&w);
}

static void reject(struct world *w, double s, uint32_t line)
{
	const struct symptom symptom = {.line = line,
					.channel = CHANNEL_SETUP,
					.state = SYMPTOM_BAD,
					.at_ns = world_at(s),
					.cause = CAUSE_AUTH_FAIL,
					.stage = STAGE_AUTH_REJECT};
	outage_take(w->outage, &symptom);
}

/* Lines of all nodes dial every 30 s, `rejected` of them in vain, the others do not dial again. */
static void dial(struct world *w, double s, int lines, int rejected)
{
	for (int lap = 0; lap < 4; lap++)
		for (int l = 0; l < lines; l++) {
			uint32_t line = world_line(l % NODES, l / NODES % CARDS, l / NODES / CARDS);
			double at = s + 30 * lap + 0.1 * l;
			if (l < rejected)
				reject(w, at, line);
			else if (!lap)
				world_say(w, at, line, CHANNEL_SETUP, SYMPTOM_GOOD);
		}
	world_run_to(w, s + 130);
	for (int l = 0; l < rejected; l++)
		world_say(w, s + 500, world_line(l % NODES, l / NODES % CARDS, l / NODES / CARDS),
			  CHANNEL_SETUP, SYMPTOM_GOOD);
}

/* A server that rejects whoever comes, and subscribers who type in the wrong word. */
static void radius_that_rejects(void **state)
{
	static struct world w;
	(void)state;
	world_begin(&w);
	for (double s = 100; s < 3000; s += 10)
		reject(&w, s, world_line(1, 1, 1));
	dial(&w, 3000, 9, 9);
	dial(&w, 4000, 60, 12);
	assert_int_equal(w.n_told, 0);
	dial(&w, 5000, 12, 12);
	assert_int_equal(world_distinct(&w), 1);
	assert_int_equal(world_last(&w)->class, CLASS_AAA);
	assert_int_equal(world_last(&w)->category, CATEGORY_ISP_CORE_UPSTREAM);
	world_end(&w);
}

/* Half of those who dial at this hour are rejected, every day. */
static void an_hour_of_rejections_is_learned(void **state)
{
	enum { DAY_S = 86400, DAYS = 6 };
	static struct world w;
	uint32_t told[DAYS];
	(void)state;
	world_begin(&w);
	for (int day = 0; day < DAYS; day++) {
		for (int lap = 0; lap < 9; lap++) {
			double s = (day + 1.0) * DAY_S + 1200 + 300 * lap; /* from two o'clock on */
			uint32_t first = (uint32_t)(lap * 32 + 1);
			for (uint32_t l = first; l < first + 32; l++) {
				if (l % 2)
					reject(&w, s, l);
				else
					world_say(&w, s, l, CHANNEL_SETUP, SYMPTOM_GOOD);
			}
			world_run_to(&w, s + 290);
			for (uint32_t l = first; l < first + 32; l++)
				world_say(&w, s + 290, l, CHANNEL_SETUP, SYMPTOM_GOOD);
		}
		told[day] = world_distinct(&w);
	}
	assert_int_equal(told[DAYS - 1], told[DAYS - 2]);
	assert_true(told[0] >= 1);
	world_end(&w);
}

static void unknown_counts_neither_way(void **state)
{
	static struct world w;
	(void)state;
	world_begin(&w);
	world_card(&w, 50, 1, 2, 0, 12, CHANNEL_DROP, SYMPTOM_UNKNOWN);
	world_card(&w, 51, 0, 0, 0, CARD_LINES, CHANNEL_DROP, SYMPTOM_UNKNOWN);
	world_run_to(&w, 100);
	assert_int_equal(w.n_told, 0);
	assert_int_equal(world_group(&w, "N1/2")->eligible, 12);
	assert_int_equal(world_group(&w, "N1/2")->members, CARD_LINES);
	world_card(&w, 100, 1, 2, 0, CARD_LINES, CHANNEL_DROP, SYMPTOM_BAD);
	world_run_to(&w, 110);
	assert_string_equal(world_last(&w)->group, "N1/2");
	assert_int_equal(world_last(&w)->affected, 12);
	world_end(&w);
}

static void too_few_are_no_incident(void **state)
{
	static struct world w;
	(void)state;
	world_begin(&w);
	world_card(&w, 100, 1, 2, 0, 4, CHANNEL_DROP, SYMPTOM_BAD);
	world_run_to(&w, 500);
	assert_int_equal(w.n_told, 0);
	world_end(&w);
}

/* Lines that go one by one all the time are a bad day. */
static void what_trickles_is_no_fault(void **state)
{
	static struct world w;
	(void)state;
	world_begin(&w);
	for (int l = 0; l < CARD_LINES / 2; l++)
		world_say(&w, 100 + 30 * l, world_line(1, 2, l), CHANNEL_DROP, SYMPTOM_BAD);
	world_run_to(&w, 700);
	assert_int_equal(w.n_told, 0);
	world_end(&w);
}

/* --- bad input --- */

static void unknown_lines_are_counted(void **state)
{
	static struct world w;
	struct outage_place place = {.line = "far"};
	(void)state;
	world_begin(&w);
	world_say(&w, 10, 9999, CHANNEL_DROP, SYMPTOM_BAD);
	world_say(&w, 10, UINT32_MAX, CHANNEL_DROP, SYMPTOM_BAD);
	world_say(&w, 10, 1, CHANNEL_COUNT, SYMPTOM_BAD);
	world_say(&w, 10, 1, CHANNEL_NONE, SYMPTOM_BAD);
	assert_int_equal(outage_counters(w.outage).unknown_lines, 4);
	outage_line(w.outage, 100001, &place);
	assert_int_equal(outage_counters(w.outage).lines_full, 1);
	world_end(&w);
}

static void clock_is_set_back(void **state)
{
	static struct world w;
	(void)state;
	world_begin(&w);
	world_cut(&w, 100000, 1, 2);
	world_run_to(&w, 100010);
	assert_int_equal(world_distinct(&w), 1);
	world_cut(&w, 1000, 2, 1); /* a day earlier */
	world_run_to(&w, 1010);
	assert_int_equal(world_distinct(&w), 2);
	assert_string_equal(world_last(&w)->group, "N2/1");
	world_heal(&w, 1100, 2, 1);
	world_heal(&w, 1100, 1, 2);
	world_run_to(&w, 1200);
	assert_int_equal(world_last(&w)->state, INCIDENT_CLEARED);
	assert_int_equal(w.outage->incidents.open, 0);
	world_end(&w);
}

static void clock_leaps(void **state)
{
	static struct world w;
	(void)state;
	world_begin(&w);
	world_cut(&w, 100, 1, 2);
	world_run_to(&w, 110);
	world_run_to(&w, 400.0 * 86400);
	world_cut(&w, 400.0 * 86400, 2, 2);
	world_run_to(&w, 400.0 * 86400 + 10);
	assert_string_equal(world_last(&w)->group, "N2/2");
	world_end(&w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_gap_retracts),
		cmocka_unit_test(a_blind_tap_is_no_outage),
		cmocka_unit_test(what_a_blind_tap_told_is_nothing),
		cmocka_unit_test(the_other_tap_still_sees),
		cmocka_unit_test(planned_work_is_a_warning),
		cmocka_unit_test(storm_after_a_large_repair),
		cmocka_unit_test(radius_that_rejects),
		cmocka_unit_test(an_hour_of_rejections_is_learned),
		cmocka_unit_test(unknown_counts_neither_way),
		cmocka_unit_test(too_few_are_no_incident),
		cmocka_unit_test(what_trickles_is_no_fault),
		cmocka_unit_test(unknown_lines_are_counted),
		cmocka_unit_test(clock_is_set_back),
		cmocka_unit_test(clock_leaps),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
