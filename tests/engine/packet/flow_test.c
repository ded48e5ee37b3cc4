/* SPDX-License-Identifier: BSD-3-Clause */
/* The flow table against an array of all keys, under random work, growth and a full table. */
#include "engine/packet/flow.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { KEYS = 40000 };

static struct flow_table table;
static uint32_t index_of[KEYS]; /* the model: 0 = not in the table */
static uint64_t random_state = 88172645463325252ull;

static uint32_t random32(void)
{
	random_state ^= random_state << 13;
	random_state ^= random_state >> 7;
	random_state ^= random_state << 17;
	return (uint32_t)(random_state >> 20);
}

static int stop(void **state)
{
	(void)state;
	flow_table_fini(&table);
	memset(index_of, 0, sizeof index_of);
	return 0;
}

/* Keys as they are: one VLAN pair, few hosts, consecutive ports. */
static void key_of(uint32_t i, uint32_t key[4])
{
	key[0] = 300u << 20 | (i % 7) << 8 | 6;
	key[1] = 0x02014064 + (i % 11) * 0x01000000u;
	key[2] = 0x22d8b85d;
	key[3] = (1024 + i) << 16 | 443;
}

static uint32_t find(uint32_t i)
{
	uint32_t key[4];
	key_of(i, key);
	return flow_find(&table, key, flow_hash(key, 0));
}

static uint32_t create(uint32_t i)
{
	uint32_t key[4];
	key_of(i, key);
	return flow_create(&table, key, flow_hash(key, 0));
}

static void assert_flow(uint32_t i)
{
	uint32_t key[4], index = find(i);
	key_of(i, key);
	assert_int_equal(index, index_of[i]);
	if (!index)
		return;
	assert_memory_equal(flow_at(&table, index)->key, key, sizeof key);
	assert_int_equal(flow_at(&table, index)->first_ns, i + 1);
}

static void add(uint32_t i)
{
	static const struct flow_dir none;
	struct flow *f;
	index_of[i] = create(i);
	assert_int_not_equal(index_of[i], 0);
	f = flow_at(&table, index_of[i]);
	assert_memory_equal(&f->dir[0], &none, sizeof none); /* zeroed, also when used before */
	assert_int_equal(f->line | f->rare[0] | f->rare[1] | f->samples[0] | f->addresses, 0);
	f->first_ns = i + 1;
	memset(&f->dir, 0xff, sizeof f->dir);
}

static void drop(uint32_t i)
{
	flow_unlink(&table, index_of[i]);
	flow_free(&table, index_of[i]);
	index_of[i] = 0;
}

/* Grows from nothing to tens of thousands, then shrinks again. */
static void against_an_array(void **state)
{
	uint32_t n = 0, created = 0;
	(void)state;
	assert_int_equal(flow_table_init(&table, KEYS, 0), 0);
	for (uint32_t round = 0; round < 300000; round++) {
		uint32_t i = random32() % KEYS, grows = round < 150000 ? 80 : 25;
		if (index_of[i] && random32() % 100 >= grows) {
			drop(i);
			n--;
		} else if (!index_of[i] && random32() % 100 < grows) {
			add(i);
			created++;
			n++;
		}
		assert_flow(random32() % KEYS);
		assert_int_equal(table.used, n);
	}
	for (uint32_t i = 0; i < KEYS; i++)
		assert_flow(i);
	assert_int_equal(table.created, created);
	assert_int_equal(table.records.used, n);
	for (uint32_t i = 0; i < KEYS; i++)
		if (index_of[i])
			drop(i);
	assert_int_equal(table.used + table.records.used, 0);
	for (uint32_t i = 0; i < KEYS; i++)
		assert_flow(i);
}

static void full(void **state)
{
	(void)state;
	assert_int_equal(flow_table_init(&table, 1000, 0), 0);
	for (uint32_t i = 0; i < 1000; i++)
		add(i);
	assert_int_equal(create(1000), 0);
	assert_int_equal(create(1001), 0);
	assert_int_equal(table.records.refused, 2);
	for (uint32_t i = 0; i < 1000; i++)
		assert_flow(i);
	assert_int_equal(find(1000), 0);
	drop(500);
	add(1000); /* room for one again */
	assert_flow(1000);
}

/* Whoever is evicted is in the table, and is not one that has just been used while others near
 * it have been idle for long. */
static void eviction(void **state)
{
	uint64_t now = 1;
	uint32_t young = 0;
	(void)state;
	assert_int_equal(flow_table_init(&table, 2000, 0), 0);
	for (uint32_t i = 0; i < 2000; i++) {
		add(i);
		flow_at(&table, index_of[i])->last_ns = now++;
	}
	for (uint32_t i = 2000; i < 20000; i++) {
		uint32_t key[4], victim, evicted = 0, oldest;
		key_of(i, key);
		victim = flow_victim(&table, flow_hash(key, 0));
		assert_int_not_equal(victim, 0);
		evicted = (uint32_t)flow_at(&table, victim)->first_ns - 1;
		assert_int_equal(index_of[evicted], victim);
		oldest = (uint32_t)(now - 2000);
		young += flow_at(&table, victim)->last_ns > oldest + 1000;
		drop(evicted);
		add(i);
		flow_at(&table, index_of[i])->last_ns = now++;
		assert_flow(evicted);
	}
	assert_true(young < 18000 / 10); /* by chance alone it would be half of them */
	assert_int_equal(table.used, 2000);
}

static void nothing_to_evict(void **state)
{
	(void)state;
	assert_int_equal(flow_table_init(&table, 10, 0), 0);
	assert_int_equal(flow_victim(&table, 12345), 0);
}

/* The look-up in two halves leads to the same record, unless two share a tag. */
static void guesses(void **state)
{
	uint32_t right = 0;
	(void)state;
	assert_int_equal(flow_table_init(&table, KEYS, 0), 0);
	for (uint32_t i = 0; i < 20000; i++)
		add(i);
	for (uint32_t i = 0; i < 20000; i++) {
		uint32_t key[4];
		key_of(i, key);
		right += flow_guess(&table, flow_hash(key, 0)) == index_of[i];
	}
	assert_true(right > 19000); /* else the prefetch is in vain */
}

static void hash_spreads(void **state)
{
	static uint16_t load[1 << 12];
	(void)state;
	for (uint32_t i = 0; i < KEYS; i++) {
		uint32_t key[4];
		key_of(i, key);
		load[flow_hash(key, 0) & 0xfff]++;
	}
	for (uint32_t b = 0; b < 1 << 12; b++) /* 10 expected, Poisson */
		assert_true(load[b] <= 30);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_teardown(against_an_array, stop),
		cmocka_unit_test_teardown(full, stop),
		cmocka_unit_test_teardown(eviction, stop),
		cmocka_unit_test_teardown(nothing_to_evict, stop),
		cmocka_unit_test_teardown(guesses, stop),
		cmocka_unit_test(hash_spreads),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
