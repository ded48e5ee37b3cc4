/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Who a line is: the access node in a circuit-id (wire-formats 4.1), names that are learned,
 * addresses, and the list of its sessions.
 */
#include "engine/analysis/subject.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static struct subject s;

static int start(void **state)
{
	(void)state;
	s = (struct subject){.known = true};
	return 0;
}

static int stop(void **state)
{
	(void)state;
	free(s.sessions);
	return 0;
}

static void circuit_id_to_node(void **state)
{
	static const struct {
		const char *circuit_id, *node;
	} table[] = {
		/* TR-101, RFC 4679 */
		{"THR-VNK-D12 atm 3/17:0.35", "THR-VNK-D12"},
		{"THR-VNK-D12 eth 3/17", "THR-VNK-D12"},
		{"THR-VNK-D12 eth 3/17:300", "THR-VNK-D12"},
		/* with frame */
		{"MA5600-1 atm 0/3/0/17:0.35", "MA5600-1"},
		{"MA5600-1 eth 0/3/0/17", "MA5600-1"},
		/* TR-156 */
		{"OLT7 eth 1/4/23/1/1:100", "OLT7"},
		/* China Telecom */
		{"3/0/17:0.35 THR-D12/0/1/3/0/17:0.35", "THR-D12"},
		{"1/2/3:4096.100 OLT.9/1/1/1/2/3", "OLT.9"},
		{"0/0/1:8.35 NODE_x/0/0/1/0/1", "NODE_x"},
		/* opaque */
		{"", NULL},
		{"2167/0/23", NULL},
		{"just-a-name", NULL},
		{"lonely ", NULL},
		{"NODE foo 1/2:3", NULL},
		{"cabinet 12 pair 3", NULL},
	};
	char node[64];
	(void)state;
	for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
		snprintf(s.circuit_id, sizeof s.circuit_id, "%s", table[i].circuit_id);
		bool found = subject_node(&s, node, sizeof node);
		if (found != (table[i].node != NULL) || (found && strcmp(node, table[i].node) != 0))
			fail_msg("\"%s\": node \"%s\", expected \"%s\"", table[i].circuit_id,
				 found ? node : "(none)", table[i].node ? table[i].node : "(none)");
	}
}

static void positions_in_circuit_ids(void **state)
{
	static const struct {
		const char *circuit_id, *card, *port;
	} table[] = {
		{"THR-VNK-D12 atm 3/17:0.35", "3", "17"},
		{"DSLAM-102 eth 0/1/3:13", "0/1", "3"},
		{"MA5600-1 eth 0/3/0/17", "0/3/0", "17"},
		{"OLT7 eth 1/4/23/1/1:100", "1", "4"},
		{"3/0/17:0.35 THR-D12/0/1/3/0/17:0.35", "0/1/3/0", "17"},
		{"N eth 17:300", "", ""},
		{"N eth :300", "", ""},
		{"N eth /:300", "", ""},
		{"", "", ""},
		{"2167/0/23", "", ""},
		{"NODE foo 1/2:3", "", ""},
	};
	(void)state;
	for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
		struct subject_position at;
		snprintf(s.circuit_id, sizeof s.circuit_id, "%s", table[i].circuit_id);
		at = subject_position(&s);
		assert_string_equal(at.card, table[i].card);
		assert_string_equal(at.port, table[i].port);
	}
}

static void pools(void **state)
{
	static const uint8_t given[] = {100, 64, 7, 9}, used[] = {192, 168, 1, 2};
	char pool[20];
	(void)state;
	subject_pool(&s, pool);
	assert_string_equal(pool, "");
	subject_address(&s, false, used, 0, false); /* of the LAN: nobody assigned it */
	subject_pool(&s, pool);
	assert_string_equal(pool, "");
	subject_address(&s, false, given, 0, true);
	subject_pool(&s, pool);
	assert_string_equal(pool, "100.64.7.0/24");
}

static void node_that_does_not_fit(void **state)
{
	char node[8];
	(void)state;
	snprintf(s.circuit_id, sizeof s.circuit_id, "12345678 eth 1/2");
	assert_false(subject_node(&s, node, sizeof node));
	snprintf(s.circuit_id, sizeof s.circuit_id, "1234567 eth 1/2");
	assert_true(subject_node(&s, node, sizeof node));
	assert_string_equal(node, "1234567");
}

static void names(void **state)
{
	struct control c = {.kind = KIND_PPPOE, .code = PADI, .dir = DIR_UP};
	(void)state;
	snprintf(s.fallback, sizeof s.fallback, "300.1517");
	assert_string_equal(subject_name(&s), "300.1517");
	snprintf(c.circuit_id, sizeof c.circuit_id, "N eth 1/2");
	snprintf(c.remote_id, sizeof c.remote_id, "02188776655");
	memcpy(c.cpe_mac, (uint8_t[]){2, 0, 0, 0xa, 0xb, 0xc}, 6);
	memset(c.ac_mac, 0xff, 6); /* a broadcast PADI has no concentrator */
	c.rate_down = 16383;
	subject_learn(&s, &c);
	assert_string_equal(subject_name(&s), "N eth 1/2");
	assert_true(s.changed);
	struct report_line who = subject_who(&s);
	assert_string_equal(who.remote_id, "02188776655");
	assert_string_equal(who.cpe_mac, "02:00:00:0a:0b:0c");
	assert_string_equal(who.ac_mac, "");
	assert_int_equal(s.rate_down, 16383);
	c = (struct control){.kind = KIND_PPPOE, .code = PADO, .dir = DIR_DOWN};
	subject_learn(&s, &c); /* what a message does not carry is not forgotten */
	assert_string_equal(subject_name(&s), "N eth 1/2");
	assert_int_equal(s.rate_down, 16383);
}

static void states(void **state)
{
	(void)state;
	assert_int_equal(subject_state(&s), LINE_UNKNOWN); /* nothing seen is not DOWN */
	struct session *one = subject_open(&s, 1);
	one->state = STATE_UP;
	assert_int_equal(subject_state(&s), LINE_UP);
	one->state = STATE_SUSPECT;
	assert_int_equal(subject_state(&s), LINE_SUSPECT);
	assert_ptr_equal(subject_current(&s), one);
	one->state = STATE_ENDED;
	assert_int_equal(subject_state(&s), LINE_DOWN);
	assert_null(subject_current(&s));
}

static void find_takes_the_newest(void **state)
{
	(void)state;
	for (int i = 0; i < 3; i++) {
		struct session *session = subject_open(&s, 7);
		session->state = i == 1 ? STATE_UP : STATE_ENDED;
		session->told.first_seen_unix_ns = i;
	}
	assert_int_equal(subject_find(&s, 7, true)->told.first_seen_unix_ns, 2);
	assert_int_equal(subject_find(&s, 7, false)->told.first_seen_unix_ns, 1);
	assert_null(subject_find(&s, 8, true));
}

static void fresh_sessions_are_absent(void **state)
{
	(void)state;
	struct session *session = subject_open(&s, 7);
	assert_true(session->told.pads_unix_ns == REPORT_ABSENT);
	assert_true(session->told.up_unix_ns == REPORT_ABSENT);
	assert_true(session->told.down_unix_ns == REPORT_ABSENT);
	assert_true(session->told.first_seen_unix_ns == REPORT_ABSENT);
	assert_true(session->told.detected_unix_ns == REPORT_ABSENT);
	assert_int_equal(session->told.pppoe_session_id, 7);
}

/* subject.h: "the oldest ended one goes when there are too many". */
static void the_oldest_ended_session_goes(void **state)
{
	(void)state;
	subject_open(&s, 60000)->state = STATE_UP;
	for (int i = 1; i < SUBJECT_MAX_SESSIONS + 50; i++)
		subject_open(&s, (uint16_t)i)->state = STATE_ENDED;
	assert_int_equal(s.n_sessions, SUBJECT_MAX_SESSIONS);
	assert_int_equal(s.sessions_total, SUBJECT_MAX_SESSIONS + 50);
	assert_non_null(subject_find(&s, SUBJECT_MAX_SESSIONS + 49, true));
	assert_null(subject_find(&s, 1, true));
	assert_non_null(subject_find(&s, 60000, false)); /* it carries traffic */
	assert_int_equal(subject_state(&s), LINE_UP);
}

static void addresses(void **state)
{
	static const uint8_t used[16] = {192, 0, 2, 7}, given[16] = {100, 64, 0, 9};
	static const uint8_t prefix[16] = {0x20, 1, 0xd, 0xb8, 0, 9},
			     link_local[16] = {0xfe, 0x80, 1};
	static const uint8_t none[16], multicast[16] = {239, 1, 1, 1};
	(void)state;
	subject_address(&s, false, none, 0, false);
	subject_address(&s, false, multicast, 0, false);
	subject_address(&s, true, link_local, 0, false);
	assert_int_equal(s.n_ipv4 + s.n_ipv6, 0);
	subject_address(&s, false, used, 0, false);
	subject_address(&s, false, used, 0, false);
	assert_int_equal(s.n_ipv4, 1);
	subject_address(&s, false, given, 0, true); /* drives out what was only used */
	assert_int_equal(s.n_ipv4, 1);
	assert_memory_equal(s.ipv4[0].bytes, given, 4);
	subject_address(&s, false, used, 0, false);
	assert_memory_equal(s.ipv4[0].bytes, given, 4);
	subject_address(&s, true, prefix, 56, true);
	assert_int_equal(s.n_ipv6, 1);
	assert_int_equal(s.ipv6[0].prefix_len, 56);
	for (uint8_t i = 1; i <= 20; i++) { /* never more than there is room for */
		subject_address(&s, false, (uint8_t[16]){100, 64, 1, i}, 0, true);
		subject_address(&s, true, (uint8_t[16]){0x20, 1, i}, 0, false);
	}
	assert_int_equal(s.n_ipv4, SUBJECT_MAX_ADDRESSES);
	assert_memory_equal(s.ipv4[0].bytes, ((uint8_t[]){100, 64, 1, 20}),
			    4); /* the newest first */
	assert_true(s.n_ipv6 <= SUBJECT_MAX_ADDRESSES);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(circuit_id_to_node, start, stop),
		cmocka_unit_test_setup_teardown(node_that_does_not_fit, start, stop),
		cmocka_unit_test_setup_teardown(positions_in_circuit_ids, start, stop),
		cmocka_unit_test_setup_teardown(pools, start, stop),
		cmocka_unit_test_setup_teardown(names, start, stop),
		cmocka_unit_test_setup_teardown(states, start, stop),
		cmocka_unit_test_setup_teardown(find_takes_the_newest, start, stop),
		cmocka_unit_test_setup_teardown(fresh_sessions_are_absent, start, stop),
		cmocka_unit_test_setup_teardown(the_oldest_ended_session_goes, start, stop),
		cmocka_unit_test_setup_teardown(addresses, start, stop),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
