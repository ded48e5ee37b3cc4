/* SPDX-License-Identifier: BSD-3-Clause */
/* Timers come in order of (time, owner), whatever the order in which they were set. */
#include "engine/analysis/timer.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { ROUNDS = 200, MANY = 3000 };

static uint64_t random_state = 88172645463325252ull;

static uint64_t random64(void)
{
	random_state ^= random_state << 13;
	random_state ^= random_state >> 7;
	return random_state ^= random_state << 17;
}

static int compare(const void *a, const void *b)
{
	const struct timer *x = a, *y = b;
	if (x->at_ns != y->at_ns)
		return x->at_ns < y->at_ns ? -1 : 1;
	return x->owner < y->owner ? -1 : x->owner > y->owner;
}

/* Adds and takes at random; a sorted list is the judge. */
static void against_a_sorted_list(void **state)
{
	static struct timer model[MANY];
	struct timers timers = {0};
	uint32_t n = 0;
	uint64_t now = 0;
	struct timer due;
	(void)state;
	for (int round = 0; round < ROUNDS; round++) {
		for (uint64_t i = random64() % 30; i-- && n < MANY;) {
			/* few different times, so that many are equal; some of them past */
			struct timer t = {.at_ns = now + random64() % 20 - (now ? 1 : 0),
					  .owner = (uint32_t)(random64() % 5)};
			model[n++] = t;
			assert_true(timers_add(&timers, t.at_ns, t.owner));
		}
		qsort(model, n, sizeof *model, compare);
		now += random64() % 10;
		uint32_t taken = 0;
		while (timers_due(&timers, now, &due)) {
			assert_true(taken < n && due.at_ns <= now);
			assert_int_equal(due.at_ns, model[taken].at_ns);
			assert_int_equal(due.owner, model[taken].owner);
			taken++;
		}
		assert_true(taken == n || model[taken].at_ns > now);
		memmove(model, model + taken, (n - taken) * sizeof *model);
		n -= taken;
		assert_int_equal(timers.n, n);
	}
	timers_fini(&timers);
}

static void empty(void **state)
{
	struct timers timers = {0};
	struct timer due;
	(void)state;
	assert_false(timers_due(&timers, UINT64_MAX, &due));
	timers_fini(&timers);
	timers_fini(&timers); /* a dead one may be buried twice */
}

static void a_jump_of_years(void **state)
{
	struct timers timers = {0};
	struct timer due;
	(void)state;
	timers_add(&timers, UINT64_MAX, 1);
	timers_add(&timers, 0, 2);
	assert_true(timers_due(&timers, 0, &due));
	assert_int_equal(due.owner, 2);
	assert_false(timers_due(&timers, UINT64_MAX - 1, &due));
	assert_true(timers_due(&timers, UINT64_MAX, &due));
	assert_int_equal(due.owner, 1);
	timers_fini(&timers);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(against_a_sorted_list),
		cmocka_unit_test(empty),
		cmocka_unit_test(a_jump_of_years),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
