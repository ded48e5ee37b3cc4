/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Which line a packet belongs to: by both tags, by MAC, by address, by session; what a circuit-id
 * joins; and that a flood of made-up MACs costs nobody his place.
 */
#include "engine/packet/line.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "tests/engine/packet/packet.h"

static struct line_table table;

/* What the table has told: how often each number has appeared and gone, and as whom. */
static uint32_t appeared, gone, last_gone;
static struct line_identity last;
static uint8_t *alive; /* by number */
static uint32_t limit;

static void tell(void *context, uint32_t line, const struct line_identity *identity)
{
	assert_ptr_equal(context, &table);
	assert_true(line > 0 && line <= limit);
	assert_int_equal(alive[line], !identity); /* in turns */
	alive[line] = identity != NULL;
	if (identity) {
		appeared++;
		last = *identity;
	} else {
		gone++;
		last_gone = line;
	}
}

static void begin(uint32_t max_lines)
{
	limit = max_lines;
	appeared = gone = 0;
	alive = calloc(max_lines + 1, 1);
	assert_int_equal(line_table_init(&table, max_lines), 0);
	table.tell = tell;
	table.context = &table;
}

static int start(void **state)
{
	(void)state;
	begin(1000);
	return 0;
}

static int stop(void **state)
{
	(void)state;
	line_table_fini(&table);
	free(alive);
	alive = NULL;
	return 0;
}

static uint32_t line_for(const struct packet *k, bool sub_is_src)
{
	return line_of(&table, &k->p, &k->x, sub_is_src);
}

/* --- names ----------------------------------------------------------------------------------------- */

static void by_both_tags(void **state)
{
	struct packet k = packet_tcp(300, 1517, 1, DIR_UP), other = k;
	uint32_t line = line_for(&k, true);
	(void)state;
	assert_int_equal(line, 1);
	assert_int_equal(last.by, LINE_BY_VLANS);
	assert_int_equal(last.svlan << 12 | last.cvlan, 300 << 12 | 1517);
	packet_mac(&other, 77); /* whatever the MAC, the address or the direction */
	other.p.dir = DIR_DOWN;
	memset(other.x.src, 9, 16);
	assert_int_equal(line_for(&other, false), line);
	assert_int_equal(line_by_vlans(&table, &other.p), line);
	other = packet_tcp(300, 1518, 1, DIR_UP);
	assert_int_equal(line_by_vlans(&table, &other.p), 0);
	assert_int_equal(line_for(&other, true), 2);
	other = packet_tcp(1517, 300, 1, DIR_UP);
	assert_int_equal(line_for(&other, true), 3);
	assert_int_equal(appeared, 3);
}

/* All pairs of some VLANs, in random order, against an array. */
static void any_pair_of_tags(void **state)
{
	enum { SVLANS = 40, CVLANS = 200 };
	static uint32_t model[SVLANS][CVLANS];
	uint32_t n = 0;
	(void)state;
	stop(NULL);
	begin(SVLANS * CVLANS);
	memset(model, 0, sizeof model);
	for (uint32_t round = 0; round < 60000; round++) {
		uint32_t s = packet_random() % SVLANS, c = packet_random() % CVLANS;
		struct packet k = packet_tcp((uint16_t)(s * 105), (uint16_t)(4095 - c), round,
					     round % 2 ? DIR_UP : DIR_DOWN);
		uint32_t line = line_for(&k, round % 2);
		if (!model[s][c])
			model[s][c] = ++n; /* in order of appearance */
		assert_int_equal(line, model[s][c]);
		assert_int_equal(line_by_vlans(&table, &k.p), line);
	}
	assert_int_equal(table.n, n);
	assert_int_equal(table.refused, 0);
}

/* In a shared VLAN PPPoE packets name their line by the CPE's MAC, in both directions. */
static void by_mac(void **state)
{
	struct packet k = packet_pppoe(300, 1, DIR_UP), down = packet_pppoe(300, 1, DIR_DOWN),
		      other = packet_pppoe(300, 2, DIR_UP), vlan = packet_pppoe(301, 1, DIR_UP);
	(void)state;
	assert_int_equal(line_for(&k, true), 1);
	assert_int_equal(last.by, LINE_BY_MAC);
	assert_memory_equal(last.cpe_mac, k.p.cpe_mac, 6);
	assert_int_equal(line_for(&down, false), 1);
	assert_int_equal(line_for(&other, true), 2);
	assert_int_equal(line_for(&vlan, true), 3); /* the same MAC elsewhere */
	assert_int_equal(line_for(&k, true), 1);
}

/* While nobody knows who is the concentrator, the session and the pair of MACs name the line. */
static void by_session(void **state)
{
	struct packet k = packet_pppoe(300, 1, DIR_UNKNOWN), other = k;
	(void)state;
	assert_int_equal(line_for(&k, true), 1);
	assert_int_equal(last.by, LINE_BY_SESSION);
	assert_int_equal(line_for(&k, false), 1);
	other.p.session_id++;
	assert_int_equal(line_for(&other, true), 2);
	other = k;
	other.x.wire_pair++; /* another concentrator */
	assert_int_equal(line_for(&other, true), 3);
}

/* Without PPPoE and C-VLAN it is the address of the subscriber's side. */
static void by_address(void **state)
{
	struct packet up = packet_ip(0, 7, DIR_UP), down = packet_ip(0, 7, DIR_DOWN);
	uint32_t line;
	(void)state;
	line = line_for(&up, true);
	assert_int_equal(line, 1);
	assert_int_equal(last.by, LINE_BY_IPV4);
	assert_memory_equal(last.address, up.x.src, 4);
	assert_int_equal(line_for(&down, false), line);
	assert_int_equal(line_for(&up, false), 2); /* the server, if it were the subscriber */
	up = packet_ip(5, 7, DIR_UP);
	assert_int_equal(line_for(&up, true), 3); /* the same address in another VLAN */
	packet_ipv6(&up, 7);
	assert_int_equal(line_for(&up, true), 4);
	assert_int_equal(last.by, LINE_BY_IPV6);
	assert_memory_equal(last.address, up.x.src, 16);
	up.x.src[15] ^= 1;
	assert_int_equal(line_for(&up, true), 5);
	up.p.flags &= (uint8_t) ~(PKT_IP | PKT_IPV6);
	line_for(&up, true);
	assert_int_equal(last.by, LINE_BY_LINK);
}

static void nobody_lives_there(void **state)
{
	static const uint8_t nobody[][4] = {
		{0, 0, 0, 0}, {224, 0, 0, 1}, {239, 1, 2, 3}, {255, 255, 255, 255}};
	struct packet k = packet_ip(0, 7, DIR_UP);
	(void)state;
	for (size_t i = 0; i < sizeof nobody / sizeof *nobody; i++) {
		memcpy(k.x.src, nobody[i], 4);
		assert_int_equal(line_for(&k, true), 0);
	}
	packet_ipv6(&k, 1);
	k.x.src[0] = 0xff;
	assert_int_equal(line_for(&k, true), 0);
	memset(k.x.src, 0, 16);
	assert_int_equal(line_for(&k, true), 0);
	assert_int_equal(table.n + table.refused, 0);
}

/* --- limits ------------------------------------------------------------------------------------------ */

static void full(void **state)
{
	(void)state;
	for (uint32_t i = 0; i < 1100; i++) {
		struct packet k = packet_tcp(300, (uint16_t)(1 + i), i, DIR_UP);
		assert_int_equal(line_for(&k, true), i < 1000 ? i + 1 : 0);
	}
	assert_int_equal(table.refused, 100);
	assert_int_equal(appeared, 1000);
	for (uint32_t i = 0; i < 1000; i++) {
		struct packet k = packet_tcp(300, (uint16_t)(1 + i), i, DIR_DOWN);
		assert_int_equal(line_for(&k, false), i + 1);
	}
	struct packet padi = packet_padi(300, 5); /* nobody who lives makes room for it */
	assert_int_equal(line_for(&padi, true), 0);
	assert_int_equal(gone, 0);
}

static void bound_macs(void **state)
{
	struct packet first = packet_pppoe(300, 1, DIR_UP);
	uint32_t line = line_for(&first, true);
	(void)state;
	for (uint32_t i = 0; i < LINE_MAX_BOUND + 5; i++) {
		struct packet k = packet_pppoe(300, 100 + i, DIR_UP);
		line_bind(&table, &k.p, &k.x, line);
		line_bind(&table, &k.p, &k.x, line); /* again: nothing new */
		if (i < LINE_MAX_BOUND)
			assert_int_equal(line_for(&k, true), line);
		else
			assert_int_not_equal(line_for(&k, true), line);
	}
	assert_int_equal(line_at(&table, line)->n_bound, LINE_MAX_BOUND);
	assert_int_equal(table.bound_refused, 10);
	assert_int_equal(table.n, 6); /* the five that could not be bound are lines of their own */
	assert_int_equal(line_for(&first, true), line);
}

/* --- provisional lines --------------------------------------------------------------------------- */

/* Lines of all kinds that live, found again later. */
static uint32_t live(uint32_t i)
{
	struct packet k = i % 3 == 0   ? packet_tcp(200, (uint16_t)i, i, DIR_UP)
			  : i % 3 == 1 ? packet_pppoe(300, 5000000 + i, DIR_UP)
				       : packet_ip(0, i, DIR_UP);
	return line_for(&k, true);
}

static void a_flood_of_macs(uint32_t macs, uint32_t max_lines, uint32_t lives)
{
	uint32_t *lines = calloc(lives, sizeof *lines), most;
	for (uint32_t i = 0; i < lives; i++)
		lines[i] = live(i);
	for (uint32_t i = 0; i < macs; i++) {
		struct packet k = packet_padi(300, i);
		assert_int_not_equal(line_for(&k, true), 0);
		if (i % 1000 == 0)
			assert_int_equal(live(i / 1000 % lives), lines[i / 1000 % lives]);
	}
	most = max_lines / 4 + 1 < LINE_PROVISIONAL ? max_lines / 4 + 1 : LINE_PROVISIONAL;
	assert_int_equal(table.n, lives + most);
	assert_int_equal(table.recycled, macs - most);
	assert_int_equal(gone, table.recycled);
	assert_int_equal(appeared - gone, table.n);
	assert_int_equal(table.refused, 0);
	assert_int_equal(table.keys.used, lives - (lives + 2) / 3 + most);
	for (uint32_t i = 0; i < lives; i++)
		assert_int_equal(live(i), lines[i]);
	for (uint32_t i = macs - most; i < macs; i++) { /* the last ones are known */
		struct packet k = packet_padi(300, i);
		line_for(&k, true);
	}
	assert_int_equal(gone, table.recycled);
	assert_int_equal(table.recycled, macs - most);
	free(lines);
}

static void a_million_macs(void **state)
{
	(void)state;
	stop(NULL);
	begin(1000000);
	a_flood_of_macs(1000000, 1000000, 3000);
	assert_true(table.keys.mask + 1 <= 1 << 17);
}

static void a_flood_into_a_small_table(void **state)
{
	(void)state;
	a_flood_of_macs(50000, 1000, 700);
}

/* The table is full, and a line with traffic comes: one that only dialled makes room. */
static void traffic_displaces_discovery(void **state)
{
	(void)state;
	for (uint32_t i = 0; i < 5000; i++) {
		struct packet k = packet_padi(300, i);
		line_for(&k, true);
	}
	for (uint32_t i = 0; i < 1000; i++)
		assert_int_not_equal(live(i), 0);
	assert_int_equal(live(1000), 0); /* now all are in use */
	assert_int_equal(table.n, 1000);
	assert_int_equal(table.refused, 1);
	assert_int_equal(appeared - gone, 1000);
	for (uint32_t i = 0; i < 1000; i++)
		assert_int_not_equal(live(i), 0);
}

/* Whoever showed more than discovery keeps his number, even when the ring has gone round. */
static void established(void **state)
{
	struct packet k = packet_padi(300, 4000000), traffic = packet_pppoe(300, 4000000, DIR_UP);
	struct packet bound = packet_padi(300, 4000001), plain = packet_padi(300, 4000002);
	uint32_t line = line_for(&k, true), other = line_for(&bound, true),
		 third = line_for(&plain, true);
	(void)state;
	assert_int_equal(line_for(&traffic, true), line);
	line_established(&table, other);
	for (uint32_t i = 0; i < 3000; i++) {
		struct packet flood = packet_padi(300, i);
		assert_int_not_equal(line_for(&flood, true), line);
		assert_int_not_equal(line_for(&flood, true), other);
	}
	assert_int_equal(line_for(&k, true), line);
	assert_int_equal(line_for(&bound, true), other);
	assert_true(alive[line] && alive[other]);
	assert_int_not_equal(third, 0);
	last = (struct line_identity){0};
	line_for(&plain, true); /* it is new again */
	assert_int_equal(last.by, LINE_BY_MAC);
	assert_memory_equal(last.cpe_mac, plain.p.cpe_mac, 6);
}

/* A MAC that the circuit-id joined to a line is not lost with it: its line is established. */
static void bound_lines_stay(void **state)
{
	struct packet first = packet_padi(300, 4000000), second = packet_padi(300, 4000001);
	uint32_t line = line_for(&first, true);
	(void)state;
	line_bind(&table, &second.p, &second.x, line);
	for (uint32_t i = 0; i < 3000; i++) {
		struct packet flood = packet_padi(300, i);
		line_for(&flood, true);
	}
	assert_int_equal(line_for(&first, true), line);
	assert_int_equal(line_for(&second, true), line);
}

/* A MAC that had a line of its own before: when that one goes, the MAC stays where it is. */
static void bound_after_all(void **state)
{
	struct packet first = packet_padi(300, 4000000), second = packet_padi(300, 4000001);
	uint32_t line = line_for(&first, true), own = line_for(&second, true);
	(void)state;
	assert_int_not_equal(own, line);
	line_bind(&table, &second.p, &second.x, line);
	assert_int_equal(line_for(&second, true), line);
	for (uint32_t i = 0; i < 3000; i++) {
		struct packet flood = packet_padi(300, i);
		line_for(&flood, true);
	}
	assert_false(line_at(&table, line)->provisional);
	assert_int_equal(line_for(&first, true), line);
	assert_int_equal(line_for(&second, true), line);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(by_both_tags, start, stop),
		cmocka_unit_test_setup_teardown(any_pair_of_tags, start, stop),
		cmocka_unit_test_setup_teardown(by_mac, start, stop),
		cmocka_unit_test_setup_teardown(by_session, start, stop),
		cmocka_unit_test_setup_teardown(by_address, start, stop),
		cmocka_unit_test_setup_teardown(nobody_lives_there, start, stop),
		cmocka_unit_test_setup_teardown(full, start, stop),
		cmocka_unit_test_setup_teardown(bound_macs, start, stop),
		cmocka_unit_test_setup_teardown(a_million_macs, start, stop),
		cmocka_unit_test_setup_teardown(a_flood_into_a_small_table, start, stop),
		cmocka_unit_test_setup_teardown(traffic_displaces_discovery, start, stop),
		cmocka_unit_test_setup_teardown(established, start, stop),
		cmocka_unit_test_setup_teardown(bound_lines_stay, start, stop),
		cmocka_unit_test_setup_teardown(bound_after_all, start, stop),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
