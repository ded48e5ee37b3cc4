/* SPDX-License-Identifier: BSD-3-Clause */
/* The map against an array, under keys that collide. */
#include "engine/base/map.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { KEYS = 5000 };

static uint64_t random_state = 88172645463325252ull;

static uint64_t random64(void)
{
	random_state ^= random_state << 13;
	random_state ^= random_state >> 7;
	return random_state ^= random_state << 17;
}

static void against_an_array(uint64_t (*key)(uint32_t i))
{
	static uint32_t model[KEYS];
	static uint8_t known[KEYS];
	struct map map = {0};
	uint32_t n = 0;
	memset(known, 0, sizeof known);
	for (uint32_t i = 0; i < 40000; i++) {
		uint32_t k = (uint32_t)(random64() % KEYS);
		if (random64() & 1) {
			n += !known[k];
			known[k] = 1;
			model[k] = (uint32_t)random64();
			assert_true(map_put(&map, key(k), model[k]));
		}
		uint32_t *found = map_find(&map, key(k));
		assert_int_equal(found != NULL, known[k]);
		if (found)
			assert_int_equal(*found, model[k]);
	}
	for (uint32_t k = 0; k < KEYS; k++)
		assert_int_equal(map_find(&map, key(k)) != NULL, known[k]);
	assert_int_equal(map.used, n);
	map_fini(&map);
}

static uint64_t small_key(uint32_t i)
{
	return i + 1;
}

static uint64_t high_key(uint32_t i)
{
	return (uint64_t)(i + 1) << 48;
}

static uint64_t strided_key(uint32_t i)
{
	return (uint64_t)(i + 1) * 0x100000001ull; /* halves that cancel each other */
}

static void all_kinds_of_keys(void **state)
{
	(void)state;
	against_an_array(small_key);
	against_an_array(high_key);
	against_an_array(strided_key);
}

static void empty(void **state)
{
	struct map map = {0};
	(void)state;
	assert_null(map_find(&map, 1));
	map_fini(&map);
	map_put(&map, 1, 2);
	map_fini(&map);
	assert_null(map_find(&map, 1)); /* dead, and as good as new */
}

/* The found value may be changed in place. */
static void in_place(void **state)
{
	struct map map = {0};
	(void)state;
	map_put(&map, 7, 1);
	*map_find(&map, 7) = 9;
	assert_int_equal(*map_find(&map, 7), 9);
	map_put(&map, 7, 3);
	assert_int_equal(*map_find(&map, 7), 3);
	assert_int_equal(map.used, 1);
	map_fini(&map);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(all_kinds_of_keys),
		cmocka_unit_test(empty),
		cmocka_unit_test(in_place),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
