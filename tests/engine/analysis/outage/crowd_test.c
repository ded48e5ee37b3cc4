/* SPDX-License-Identifier: BSD-3-Clause */
/* An evening on which three in ten switch their modems off around eleven, within minutes of each other. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "tests/engine/analysis/outage/world.h"

enum { PLACES = 8, PLACE_CARDS = 10, IN_CARD = 40, MANY = PLACES * PLACE_CARDS * IN_CARD };

#define ELEVEN_S 2400.0
#define SPREAD_S 300.0

static uint32_t line_of(int place, int card, int line)
{
	return (uint32_t)(LINES + 1 + (place * PLACE_CARDS + card) * IN_CARD + line);
}

static void begin(struct world *w)
{
	world_begin(w);
	for (int i = 0; i < MANY; i++) {
		char name[16], node[16], card[16];
		int place = i / IN_CARD / PLACE_CARDS;
		struct outage_place seen = {.line = name, .node = node, .card = card};
		snprintf(name, sizeof name, "M%d", i);
		snprintf(node, sizeof node, "P%d", place);
		snprintf(card, sizeof card, "%d", i / IN_CARD % PLACE_CARDS);
		outage_line(w->outage, (uint32_t)(LINES + 1 + i), &seen);
		world_say(w, 1, (uint32_t)(LINES + 1 + i), CHANNEL_DROP, SYMPTOM_GOOD);
	}
}

/* The same numbers on every run. */
static double next(uint64_t *state)
{
	*state = *state * 6364136223846793005u + 1442695040888963407u;
	return (double)(*state >> 33) / (double)(1u << 31);
}

/* When those who switch off do; a bell of twelve dice. */
static uint32_t evening(struct world_drop *drops, uint64_t seed)
{
	uint32_t n = 0;
	for (uint32_t line = 1; line <= LINES + MANY; line++) {
		double sum = -6;
		bool off = next(&seed) < 0.3;
		for (int d = 0; d < 12; d++)
			sum += next(&seed);
		if (off)
			drops[n++] = (struct world_drop){ELEVEN_S + SPREAD_S * sum, line};
	}
	return n;
}

static void people_who_switch_off_are_no_outage(void **state)
{
	struct world_drop *drops = malloc((LINES + MANY) * sizeof *drops);
	(void)state;
	for (uint64_t seed = 1; seed <= 5; seed++) {
		struct world w;
		uint32_t n = evening(drops, seed);
		begin(&w);
		world_drop(&w, drops, n);
		world_run_to(&w, 2 * ELEVEN_S);
		assert_int_equal(world_distinct(&w), 0);
		world_end(&w);
	}
	free(drops);
}

static void a_card_that_dies_among_them_is_found(void **state)
{
	struct world_drop *drops = malloc((LINES + MANY + IN_CARD) * sizeof *drops);
	uint32_t all = evening(drops, 7), n = 0;
	struct world w;
	(void)state;
	begin(&w);
	for (uint32_t d = 0; d < all; d++)
		if (drops[d].s < ELEVEN_S + 60)
			drops[n++] = drops[d];
	for (int l = 0; l < IN_CARD; l++)
		drops[n++] = (struct world_drop){ELEVEN_S, line_of(3, 4, l)};
	world_drop(&w, drops, n);
	world_run_to(&w, ELEVEN_S + 60);
	assert_int_equal(world_distinct(&w), 1);
	assert_string_equal(world_last(&w)->group, "P3/4");
	world_end(&w);
	free(drops);
}

/* The network itself fails at once, or within a minute. */
static void a_network_that_fails_is_found(void **state)
{
	static const double smear_s[] = {1, 60};
	(void)state;
	for (size_t i = 0; i < sizeof smear_s / sizeof *smear_s; i++) {
		struct world w;
		begin(&w);
		for (uint32_t l = 0; l < LINES + MANY; l++)
			world_say(&w, 100 + smear_s[i] * l / (LINES + MANY),
				  1 + l * 7919 % (LINES + MANY), CHANNEL_DROP, SYMPTOM_BAD);
		world_run_to(&w, 100 + smear_s[i] + 60);
		assert_string_equal(world_last(&w)->group, "all");
		assert_true(world_last(&w)->affected >= (LINES + MANY) * 8 / 10);
		world_end(&w);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(people_who_switch_off_are_no_outage),
		cmocka_unit_test(a_card_that_dies_among_them_is_found),
		cmocka_unit_test(a_network_that_fails_is_found),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
