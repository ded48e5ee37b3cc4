/* SPDX-License-Identifier: BSD-3-Clause */
/* The map against an array, under keys that collide, also while keys leave it. */
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
	for (uint32_t i = 0; i < 80000; i++) {
		uint32_t k = (uint32_t)(random64() % KEYS), leaves = i < 40000 ? 10 : 60;
		if (random64() % 100 < leaves) {
			n -= known[k];
			known[k] = 0;
			map_remove(&map, key(k)); /* whether it is there or not */
		} else if (random64() & 1) {
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
	assert_int_equal(map.used, n);
	for (uint32_t k = 0; k < KEYS; k++) {
		const uint32_t *found = map_find(&map, key(k));
		assert_int_equal(found != NULL, known[k]);
		if (found)
			assert_int_equal(*found, model[k]);
	}
	for (uint32_t k = 0; k < KEYS; k++)
		map_remove(&map, key(k));
	assert_int_equal(map.used, 0);
	for (uint32_t i = 0; i <= map.mask; i++)
		assert_int_equal(map.slots[i].key, 0);
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

/* All keys belong to a few slots at the end: runs are long, and wrap. */
static uint64_t crowded_key(uint32_t i)
{
	static uint64_t keys[KEYS];
	uint32_t n = keys[0] ? KEYS : 0;
	for (uint64_t next = 1; n < KEYS; next++)
		if ((map_hash(next) & 0x3ff) >= 0x3f8)
			keys[n++] = next;
	return keys[i];
}

static void all_kinds_of_keys(void **state)
{
	(void)state;
	against_an_array(small_key);
	against_an_array(high_key);
	against_an_array(strided_key);
	against_an_array(crowded_key);
}

static void empty(void **state)
{
	struct map map = {0};
	(void)state;
	assert_null(map_find(&map, 1));
	map_remove(&map, 1);
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
