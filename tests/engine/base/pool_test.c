/* SPDX-License-Identifier: BSD-3-Clause */
/* The pool against a list of what was given out: objects never overlap, never move, come back. */
#include "engine/base/pool.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { LIMIT = 3089 };

static uint32_t random_state = 2463534242u;

static uint32_t random32(void)
{
	random_state ^= random_state << 13;
	random_state ^= random_state >> 17;
	return random_state ^= random_state << 5;
}

/* Every object is filled with its own mark; a mark that changes shows an overlap. */
static void random_takes_and_gives(void **state)
{
	static const uint32_t sizes[] = {4, 12, 64, 100};
	(void)state;
	for (size_t k = 0; k < sizeof sizes / sizeof *sizes; k++) {
		static uint32_t held[LIMIT];
		static uint8_t *where[LIMIT];
		uint32_t n = 0, size = sizes[k];
		uint64_t refused = 0;
		struct pool pool;
		pool_init(&pool, size, LIMIT);
		for (int i = 0; i < 40000; i++) {
			if (random32() % 100 < (i < 20000 ? 60u : 45u)) {
				uint32_t index = pool_take(&pool);
				if (!index) {
					assert_int_equal(n, LIMIT);
					refused++;
					continue;
				}
				held[n] = index;
				where[n] = pool_at(&pool, index);
				memset(where[n++], (int)(index & 0xff), size);
			} else if (n) {
				uint32_t at = random32() % n;
				uint8_t *object = pool_at(&pool, held[at]);
				assert_ptr_equal(object, where[at]);
				for (uint32_t b = 0; b < size; b++)
					assert_int_equal(object[b], held[at] & 0xff);
				pool_give(&pool, held[at]);
				held[at] = held[--n];
				where[at] = where[n];
			}
			assert_int_equal(pool.used, n);
		}
		assert_int_equal(pool.refused, refused);
		pool_fini(&pool);
	}
}

static void the_limit_is_the_limit(void **state)
{
	struct pool pool;
	(void)state;
	pool_init(&pool, 8, 10);
	for (int i = 0; i < 10; i++)
		assert_int_not_equal(pool_take(&pool), 0);
	for (int i = 1; i <= 5; i++) {
		assert_int_equal(pool_take(&pool), 0);
		assert_int_equal(pool.refused, i);
	}
	pool_give(&pool, 3);
	assert_int_equal(pool_take(&pool), 3); /* the last freed is given out first */
	assert_int_equal(pool_take(&pool), 0);
	pool_fini(&pool);
	pool_fini(&pool); /* the dead state is valid */
}

static void indices_count_up_from_one(void **state)
{
	struct pool pool;
	(void)state;
	pool_init(&pool, 16, 5000);
	for (uint32_t i = 1; i <= 3000; i++)
		assert_int_equal(pool_take(&pool), i);
	pool_fini(&pool);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(random_takes_and_gives),
		cmocka_unit_test(the_limit_is_the_limit),
		cmocka_unit_test(indices_count_up_from_one),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
