/* SPDX-License-Identifier: BSD-3-Clause */
/* Several elements that die within seconds, and one that has all their lines: the same lines, other
 * times. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "tests/engine/analysis/outage/world.h"

/* Behind a second BRAS, 100 in each node and two nodes behind each VLAN; and in no books and behind
 * nothing. */
enum {
	NODE_LINES = 100,
	SECOND_LINES = 4 * NODE_LINES,
	LOST_LINES = 40,
	ALL_LINES = LINES + SECOND_LINES + LOST_LINES
};

static void add_lines(struct world *w)
{
	for (int l = LINES; l < ALL_LINES; l++) {
		char name[16], node[16];
		struct outage_place place = {.line = name};
		uint32_t line = (uint32_t)(l + 1);
		snprintf(name, sizeof name, "L%u", line);
		snprintf(node, sizeof node, "M%d", (l - LINES) / NODE_LINES);
		if (l < LINES + SECOND_LINES) {
			place.node = node;
			place.svlan = (uint16_t)(200 + (l - LINES) / NODE_LINES / 2);
			place.bras = "02:00:00:00:00:02";
		}
		outage_line(w->outage, line, &place);
		world_say(w, 1, line, CHANNEL_DROP, SYMPTOM_GOOD);
	}
}

static double part_of(uint32_t l)
{
	return l * 7919 % 1000 / 1000.0;
}

static void play(struct world *w, struct world_drop *cuts, uint32_t n)
{
	world_begin(w);
	add_lines(w);
	world_drop(w, cuts, n);
	world_run_to(w, 200);
}

/* The first BRAS dies at 100 s, the second one so many seconds later, both within `smear_s`; the others
 * die with one of them. */
static void kill_both(struct world *w, double later_s, double smear_s)
{
	struct world_drop cuts[ALL_LINES];
	for (uint32_t l = 0; l < ALL_LINES; l++) {
		bool second = l >= LINES && (l < LINES + SECOND_LINES || l % 2);
		cuts[l] = (struct world_drop){100 + (second ? later_s : 0) + part_of(l) * smear_s,
					      l + 1};
	}
	play(w, cuts, ALL_LINES);
}

/* So do both nodes behind a VLAN. */
static void kill_nodes(struct world *w, double later_s, double smear_s)
{
	struct world_drop cuts[2 * NODE_LINES];
	for (uint32_t l = 0; l < 2 * NODE_LINES; l++) {
		bool second = l >= NODE_LINES;
		cuts[l] = (struct world_drop){100 + (second ? later_s : 0) + part_of(l) * smear_s,
					      LINES + l + 1};
	}
	play(w, cuts, 2 * NODE_LINES);
}

/* What was told last of each incident that goes on, of this type. */
static uint32_t live(const struct world *w, const char *type)
{
	uint32_t n = 0;
	for (uint32_t i = 0; i < w->n_told; i++) {
		bool newest = true;
		for (uint32_t j = i + 1; j < w->n_told; j++)
			newest &= strcmp(w->told[i].id, w->told[j].id) != 0;
		n += newest && w->told[i].state <= INCIDENT_UPDATED &&
		     strcmp(w->told[i].type, type) == 0;
	}
	return n;
}

static void two_bras_are_no_network(void **state)
{
	static const double later_s[] = {8, 15, 30, -20};
	(void)state;
	for (size_t i = 0; i < sizeof later_s / sizeof *later_s; i++) {
		struct world w;
		kill_both(&w, later_s[i], 1);
		assert_int_equal(live(&w, "bras"), 2);
		assert_int_equal(live(&w, "network"), 0);
		assert_int_equal(world_distinct(&w), 2);
		world_end(&w);
	}
}

/* Though it takes a minute to fall apart. */
static void a_network_is_one_fault(void **state)
{
	static const double smear_s[] = {0.5, 10, 60};
	(void)state;
	for (size_t i = 0; i < sizeof smear_s / sizeof *smear_s; i++) {
		struct world w;
		kill_both(&w, 0, smear_s[i]);
		assert_int_equal(live(&w, "bras"), 0);
		assert_int_equal(live(&w, "network"), 1);
		world_end(&w);
	}
}

static void two_nodes_are_no_vlan(void **state)
{
	static const double later_s[] = {8, 15, 30, -20};
	(void)state;
	for (size_t i = 0; i < sizeof later_s / sizeof *later_s; i++) {
		struct world w;
		kill_nodes(&w, later_s[i], 3);
		assert_int_equal(live(&w, "access_node"), 2);
		assert_int_equal(live(&w, "svlan"), 0);
		assert_int_equal(world_distinct(&w), 2);
		world_end(&w);
	}
}

static void a_vlan_is_one_fault(void **state)
{
	static const double smear_s[] = {0.5, 10, 60};
	(void)state;
	for (size_t i = 0; i < sizeof smear_s / sizeof *smear_s; i++) {
		struct world w;
		kill_nodes(&w, 0, smear_s[i]);
		assert_int_equal(live(&w, "access_node"), 0);
		assert_int_equal(live(&w, "svlan"), 1);
		world_end(&w);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(two_bras_are_no_network),
		cmocka_unit_test(a_network_is_one_fault),
		cmocka_unit_test(two_nodes_are_no_vlan),
		cmocka_unit_test(a_vlan_is_one_fault),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
