/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The flow table against an array of all keys, under random work, growth, long chains and a full
 * table. After each growth, and now and then, every flow is looked up, and what the groups say of
 * those that had to move on is counted anew.
 */
#include "engine/packet/flow.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { KEYS = 40000, MARK = 0x5a };

/* How keys are made: as they are, or such that all belong to one place of the table. */
enum crowd { NO_CROWD, IN_THE_MIDDLE, AT_THE_END, CROWDS };

static struct flow_table table;
static uint32_t keys[KEYS][4];
static uint8_t known[KEYS]; /* the model */
static uint64_t random_state;

static uint32_t random32(void)
{
	random_state ^= random_state << 13;
	random_state ^= random_state >> 7;
	random_state ^= random_state << 17;
	return (uint32_t)(random_state >> 20);
}

/* Keys as they are: one VLAN pair, few hosts, consecutive ports. */
static void key_of(uint32_t i, uint32_t key[4])
{
	key[0] = 300u << 20 | (i % 7) << 8 | 6;
	key[1] = 0x02014064 + (i % 11) * 0x01000000u;
	key[2] = 0x22d8b85d + (i >> 16);
	key[3] = (1024 + i) << 16 | 443;
}

static void make_keys(enum crowd crowd)
{
	static const uint32_t place[CROWDS] = {0, 0x80, 0xff};
	for (uint32_t i = 0, from = 0; i < KEYS; from++) {
		key_of(from, keys[i]);
		i += crowd == NO_CROWD || flow_hash(keys[i], 0) >> 24 == place[crowd];
	}
}

static int start(void **state)
{
	(void)state;
	random_state = 88172645463325252ull;
	memset(known, 0, sizeof known);
	make_keys(NO_CROWD);
	return 0;
}

static int stop(void **state)
{
	(void)state;
	flow_table_fini(&table);
	return 0;
}

static uint32_t hash_of(uint32_t i)
{
	return flow_hash(keys[i], table.seed);
}

static int32_t find(uint32_t i)
{
	return flow_find(&table, keys[i], hash_of(i));
}

static int32_t create(uint32_t i)
{
	return flow_create(&table, keys[i], hash_of(i));
}

static const struct flow *guess_of(uint32_t i)
{
	return flow_guess(&table, flow_home(&table, hash_of(i)), hash_of(i), table.simd);
}

static const struct flow *new_guess_of(uint32_t i)
{
	return flow_new_guess(&table, flow_home(&table, hash_of(i)), hash_of(i), table.simd);
}

/* Found exactly when it should be, with all that was written into it. */
static void assert_flow(uint32_t i)
{
	static const uint8_t mark[sizeof(struct flow_dir)] = {[0 ... 33] = MARK};
	int32_t slot = find(i);
	const struct flow *guess;
	assert_int_equal(slot != FLOW_NONE, known[i]);
	if (slot == FLOW_NONE)
		return;
	assert_memory_equal(flow_at(&table, slot)->key, keys[i], sizeof keys[i]);
	assert_int_equal(flow_at(&table, slot)->line, i);
	assert_memory_equal(&flow_at(&table, slot)->dir[1], mark, sizeof mark);
	guess = guess_of(i);
	if (guess) /* it shares the tag at least */
		assert_int_equal(hash_of(i) & 0xffff, flow_hash(guess->key, table.seed) & 0xffff);
	else /* then it does not live at home, and home is full or was */
		assert_int_not_equal(slot / FLOW_GROUP, flow_home(&table, hash_of(i)));
}

static void fill_new(uint32_t i, int32_t slot)
{
	static const uint8_t zeros[sizeof(struct flow) - 16];
	struct flow *f = flow_at(&table, slot);
	assert_int_not_equal(slot, FLOW_NONE);
	assert_memory_equal(f->key, keys[i], 16);
	assert_memory_equal((uint8_t *)f + 16, zeros, sizeof zeros); /* also when used before */
	f->line = i & 0xffffff;
	memset(f->dir, MARK, sizeof f->dir);
	known[i] = 1;
}

static void add(uint32_t i)
{
	fill_new(i, create(i));
}

static void drop(uint32_t i)
{
	flow_remove(&table, find(i));
	known[i] = 0;
}

/* Each group counts those flows that belong before it or to it and live behind it; a free slot
 * has neither tag nor key, a used one the tag of its flow. */
static void assert_groups(void)
{
	uint16_t *passed = calloc(table.n_groups, sizeof *passed);
	uint32_t used = 0;
	for (int32_t s = 0; s < flow_slots(&table); s++) {
		uint32_t group = (uint32_t)s / FLOW_GROUP, hash, g;
		uint16_t tag = table.groups[group].tag[s % FLOW_GROUP];
		if (!tag) { /* whoever remembers the slot must see that nobody is there */
			assert_memory_equal(flow_at(&table, s)->key, (uint32_t[4]){0}, 16);
			continue;
		}
		hash = flow_hash(flow_at(&table, s)->key, table.seed);
		assert_int_equal(tag, hash & 0xffff ? hash & 0xffff : 1);
		for (g = flow_home(&table, hash); g != group; g = (g + 1) % table.n_groups)
			passed[g]++;
		used++;
	}
	assert_int_equal(used, table.used);
	for (uint32_t g = 0; g < table.n_groups; g++)
		assert_int_equal(table.groups[g].overflow, passed[g]);
	free(passed);
}

static void assert_all(uint32_t n_keys)
{
	for (uint32_t i = 0; i < n_keys; i++)
		assert_flow(i);
	assert_groups();
}

/* --- against an array --------------------------------------------------------------------------- */

/* Grows from nothing to most of the keys, then shrinks again. */
static void random_work(uint32_t n_keys, uint32_t rounds)
{
	uint32_t n = 0, created = 0, groups = table.n_groups, growths = 0;
	for (uint32_t round = 0; round < rounds; round++) {
		uint32_t i = random32() % n_keys, grows = round < rounds / 2 ? 80 : 25;
		if (known[i] && random32() % 100 >= grows) {
			drop(i);
			n--;
		} else if (!known[i] && random32() % 100 < grows) {
			add(i);
			created++;
			n++;
		}
		assert_flow(random32() % n_keys);
		assert_int_equal(table.used, n);
		if (table.n_groups != groups) {
			assert_all(n_keys);
			groups = table.n_groups;
			growths++;
		}
	}
	assert_true(growths > 2);
	assert_int_equal(table.created, created);
	assert_all(n_keys);
	for (uint32_t i = 0; i < n_keys; i++)
		if (known[i])
			drop(i);
	assert_int_equal(table.used, 0);
	assert_all(n_keys);
}

static void against_an_array(void **state)
{
	(void)state;
	for (uint64_t seed = 0; seed < 2; seed++) {
		assert_int_equal(flow_table_init(&table, KEYS, false, seed * 0xdeadbeefcafef00dull),
				 0);
		random_work(KEYS, 300000);
		stop(NULL);
	}
}

/* All flows belong to one place: long chains, around the end of the table too. */
static void long_chains(void **state)
{
	(void)state;
	for (enum crowd crowd = IN_THE_MIDDLE; crowd < CROWDS; crowd++) {
		make_keys(crowd);
		assert_int_equal(flow_table_init(&table, 3000, false, 0), 0);
		random_work(3000, 20000);
		stop(NULL);
	}
}

/* --- the limit ------------------------------------------------------------------------------------- */

/* Up to the limit, and not one more, whether it grows or not; all of them are found. */
static void up_to_the_limit(void **state)
{
	static const uint32_t limits[] = {1, 2, 30, 31, 32, 100, 1000, 20000};
	(void)state;
	for (size_t k = 0; k < 2 * sizeof limits / sizeof *limits; k++) {
		uint32_t limit = limits[k / 2];
		uint64_t slots;
		assert_int_equal(flow_table_init(&table, limit, k % 2, 0), 0);
		memset(known, 0, sizeof known);
		for (uint32_t i = 0; i < limit; i++)
			add(i);
		for (uint32_t i = limit; i < limit + 3; i++)
			assert_int_equal(create(i), FLOW_NONE);
		assert_int_equal(table.used, limit);
		slots = (uint64_t)flow_slots(&table);
		assert_true(slots >= limit && slots * 8 <= limit * 10 + 31 * 10);
		assert_all(limit + 3);
		drop(limit / 2);
		add(limit); /* room for one again */
		assert_all(limit + 3);
		assert_int_equal(create(limit / 2), FLOW_NONE);
		stop(NULL);
	}
}

/* 80 % of the slots in use: nearly all flows live at home. */
static void few_overflow(void **state)
{
	uint32_t away = 0, right = 0;
	(void)state;
	assert_int_equal(flow_table_init(&table, KEYS, true, 0), 0);
	for (uint32_t i = 0; i < KEYS; i++)
		add(i);
	for (uint32_t i = 0; i < KEYS; i++) {
		away += (uint32_t)find(i) / FLOW_GROUP != flow_home(&table, hash_of(i));
		right += guess_of(i) == flow_at(&table, find(i));
	}
	assert_true(away < KEYS / 25);
	assert_true(right > KEYS * 95 / 100); /* else the prefetch is in vain */
}

/* --- eviction ------------------------------------------------------------------------------------- */

static uint32_t victim_for(uint32_t i, uint32_t now)
{
	int32_t victim = flow_victim(&table, hash_of(i), now);
	uint32_t who;
	assert_int_not_equal(victim, FLOW_NONE);
	who = flow_at(&table, victim)->line;
	assert_int_equal(find(who), victim); /* it is one of the table */
	return who;
}

static void used_at(uint32_t i, uint32_t now, bool answered)
{
	flow_at(&table, find(i))->last = now;
	flow_at(&table, find(i))->answered = answered;
}

static void add_at(uint32_t i, uint32_t now, bool answered)
{
	add(i);
	used_at(i, now, answered);
}

/* The new flow takes the old one's record, if it lives in that group. */
static void replace(uint32_t who, uint32_t i)
{
	int32_t old = find(who), slot = flow_replace(&table, old, keys[i], hash_of(i));
	known[who] = 0;
	fill_new(i, slot);
	assert_flow(who);
	if (old / FLOW_GROUP == (int32_t)flow_home(&table, hash_of(i)))
		assert_int_equal(slot, old);
}

/* Who goes is no one that has just been used while others near it have been idle for long; time
 * may wrap meanwhile. */
static void the_idle_go_first(void **state)
{
	uint32_t now = UINT32_MAX - 5000, young = 0;
	(void)state;
	assert_int_equal(flow_table_init(&table, 2000, true, 0), 0);
	for (uint32_t i = 0; i < 2000; i++)
		add_at(i, now++, true);
	for (uint32_t i = 2000; i < 20000; i++) {
		uint32_t who = victim_for(i, now);
		young += now - flow_at(&table, find(who))->last < 1000;
		replace(who, i);
		used_at(i, now++, true);
	}
	assert_true(young < 18000 / 4); /* by chance alone it would be half of them */
	assert_int_equal(table.used, 2000);
	assert_groups();
}

/* One flow in two was never answered: whenever one of those is near, it goes, however young. And
 * however long the flood, flows find their place at home, and it was asked for. */
static void the_unanswered_go_before(void **state)
{
	uint32_t answered = 0, away = 0, right = 0, now = 1000000;
	(void)state;
	assert_int_equal(flow_table_init(&table, 2000, true, 0), 0);
	for (uint32_t i = 0; i < 2000; i++)
		add_at(i, i % 2 ? now : 1, i % 2 == 0); /* who was answered is old */
	for (uint32_t i = 2000; i < 12000; i++) {
		uint32_t who = victim_for(i, now);
		const struct flow *guess = new_guess_of(i);
		answered += flow_at(&table, find(who))->answered;
		replace(who, i);
		used_at(i, now, false);
		right += guess == flow_at(&table, find(i));
		away += (uint32_t)find(i) / FLOW_GROUP != flow_home(&table, hash_of(i));
	}
	/* of a thousand, in a flood of ten times as many; by chance alone all but a few would go */
	assert_true(answered < 1000 / 8);
	assert_true(away < 10000 / 100);
	assert_true(right > 10000 / 2); /* whenever the first candidate was never answered */
	assert_groups();
}

static void nothing_to_evict(void **state)
{
	(void)state;
	assert_int_equal(flow_table_init(&table, 10, false, 0), 0);
	assert_int_equal(flow_victim(&table, hash_of(1), 1), FLOW_NONE);
	stop(NULL);
	assert_int_equal(flow_table_init(&table, 2000, true, 0), 0);
	assert_int_equal(flow_victim(&table, hash_of(1), 1), FLOW_NONE);
	add(7); /* and from anywhere the only one is found */
	for (uint32_t i = 0; i < 1000; i++)
		assert_int_equal(victim_for(i, 1), 7);
	replace(7, 8);
	assert_int_equal(table.used, 1);
	assert_groups();
}

/* --- looking at a group ------------------------------------------------------------------------- */

/* The record of the first tag that matches, or none; for a new flow the first that is free, or at the
 * limit the first in use from where its hash points to; else any one of the table, for what follows is
 * only a prefetch. */
static void assert_guess(uint32_t hash)
{
	uint32_t home = flow_home(&table, hash), first = home * FLOW_GROUP;
	uint32_t found = FLOW_GROUP, room = FLOW_GROUP, used = FLOW_GROUP;
	uint16_t tag = hash & 0xffff ? (uint16_t)hash : 1;
	const struct flow *guess = flow_guess(&table, home, hash, table.simd);
	for (uint32_t i = FLOW_GROUP; i-- > 0;) {
		uint32_t turned = (i + (hash & 0xffff) * FLOW_GROUP / 65536) % FLOW_GROUP;
		found = table.groups[home].tag[i] == tag ? i : found;
		room = table.groups[home].tag[i] ? room : i;
		used = table.groups[home].tag[turned] ? turned : used;
	}
	assert_ptr_equal(guess, found < FLOW_GROUP ? &table.records[first + found] : NULL);
	for (int full = 0; full < 2; full++) {
		uint32_t want = full ? used : room;
		table.used = full ? table.limit : 0;
		guess = flow_new_guess(&table, home, hash, table.simd);
		if (want < FLOW_GROUP)
			assert_ptr_equal(guess, &table.records[first + want]);
		assert_true(guess >= table.records && guess < table.records + flow_slots(&table));
	}
}

/* Groups of a few different tags, so that all patterns of matches appear; what counts the overflow
 * looks like a tag, and is none. With and without the instructions. */
static void any_pattern_of_tags(void **state)
{
	bool has_simd;
	(void)state;
	assert_int_equal(flow_table_init(&table, 1000, true, 0), 0);
	has_simd = table.simd;
	for (uint32_t round = 0; round < 200000; round++) {
		uint32_t hash = random32() << 16 ^ random32(), kinds = 1 + random32() % 8;
		struct flow_group *g = &table.groups[flow_home(&table, hash)];
		uint32_t dense = random32() % 2;
		for (uint32_t i = 0; i < FLOW_GROUP; i++)
			g->tag[i] = (uint16_t)(dense + random32() % kinds);
		g->overflow = (uint16_t)(random32() % kinds);
		hash = (hash & 0xffff0000) | random32() % (kinds + 3);
		for (int simd = 0; simd <= has_simd; simd++) {
			table.simd = simd;
			assert_guess(hash);
		}
	}
	if (!has_simd)
		print_message("[   NOTE   ] no AVX2 here: the portable version alone\n");
}

/* A whole life of the table in both versions: the same slots all along. */
static void both_versions_agree(void **state)
{
	static struct flow_table portable;
	uint32_t created = 0;
	(void)state;
	assert_int_equal(flow_table_init(&table, 3000, false, 0), 0);
	assert_int_equal(flow_table_init(&portable, 3000, false, 0), 0);
	portable.simd = false;
	for (uint32_t round = 0; round < 60000; round++) {
		uint32_t i = random32() % 4000, hash = hash_of(i);
		int32_t slot = find(i);
		assert_int_equal(flow_find(&portable, keys[i], hash), slot);
		assert_int_equal(flow_victim(&portable, hash, round),
				 flow_victim(&table, hash, round));
		if (slot == FLOW_NONE) {
			slot = create(i);
			assert_int_equal(flow_create(&portable, keys[i], hash), slot);
			created += slot != FLOW_NONE;
		} else if (random32() % 3 == 0) {
			flow_remove(&table, slot);
			flow_remove(&portable, slot);
		}
	}
	assert_true(created > 10000);
	flow_table_fini(&portable);
}

/* --- the rest ------------------------------------------------------------------------------------ */

/* A sweep in steps of any size meets every flow once. */
static void sweeps(void **state)
{
	static uint8_t met[KEYS];
	(void)state;
	assert_int_equal(flow_table_init(&table, KEYS, false, 0), 0);
	for (uint32_t i = 0; i < KEYS; i += 1 + random32() % 20)
		add(i);
	for (int round = 0; round < 20; round++) {
		int32_t slots = flow_slots(&table);
		memset(met, 0, sizeof met);
		for (int32_t at = 0, end; at < slots; at = end) {
			end = at + 1 + (int32_t)(random32() % 500);
			end = end < slots ? end : slots;
			for (int32_t s = flow_next(&table, at, end); s != FLOW_NONE;
			     s = flow_next(&table, s + 1, end)) {
				assert_true(s >= at && s < end);
				met[flow_at(&table, s)->line]++;
			}
		}
		assert_memory_equal(met, known, sizeof met);
	}
}

static void assert_spread(uint32_t n, const uint32_t (*of)[4], uint64_t seed)
{
	static uint16_t home[1 << 12], tag[1 << 12];
	memset(home, 0, sizeof home);
	memset(tag, 0, sizeof tag);
	for (uint32_t i = 0; i < n; i++) {
		uint32_t hash = flow_hash(of[i], seed);
		home[hash >> 20]++;
		tag[hash & 0xfff]++;
	}
	for (uint32_t b = 0; b < 1 << 12; b++) /* 10 expected, Poisson */
		assert_true(home[b] <= 32 && tag[b] <= 32);
}

/* The group comes from the high bits, the tag from the low ones. Who makes all his flows collide
 * in a replay does not know how to in a live engine. */
static void hash_spreads(void **state)
{
	(void)state;
	assert_spread(KEYS, (const uint32_t(*)[4])keys, 0);
	assert_spread(KEYS, (const uint32_t(*)[4])keys, 0x123456789abcdefull);
	make_keys(AT_THE_END);
	assert_spread(KEYS, (const uint32_t(*)[4])keys, 0x123456789abcdefull);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(against_an_array, start, stop),
		cmocka_unit_test_setup_teardown(long_chains, start, stop),
		cmocka_unit_test_setup_teardown(up_to_the_limit, start, stop),
		cmocka_unit_test_setup_teardown(few_overflow, start, stop),
		cmocka_unit_test_setup_teardown(the_idle_go_first, start, stop),
		cmocka_unit_test_setup_teardown(the_unanswered_go_before, start, stop),
		cmocka_unit_test_setup_teardown(nothing_to_evict, start, stop),
		cmocka_unit_test_setup_teardown(any_pattern_of_tags, start, stop),
		cmocka_unit_test_setup_teardown(both_versions_agree, start, stop),
		cmocka_unit_test_setup_teardown(sweeps, start, stop),
		cmocka_unit_test_setup_teardown(hash_spreads, start, stop),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
