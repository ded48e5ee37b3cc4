/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Upstream demand without an answer: what shows that the Internet, or a resolver, is gone, and what
 * does not.
 */
#include "engine/packet/demand.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "engine/packet/worker.h"
#include "tests/engine/packet/packet.h"

#define START 1700000000000000000ull
#define S     1000000000ull
#define MS    1000000ull

enum { SVLAN = 300, CVLAN = 20, SERVER_A = 0, SERVER_B = 60000, RESOLVER = 120000 };
enum { SERVFAIL = 2, NXDOMAIN = 3, ICMP = 1, UDP = 17 };

static struct worker worker;
static struct ring outbox;
static struct feed feed;
static uint64_t now_ns;
static uint32_t n_signals[SIGNAL_NAMES + 1];
static struct signal last;

static int start(void **state)
{
	static const struct worker_options options = {.max_lines = 100, .max_flows = 1000};
	(void)state;
	memset(&feed, 0, sizeof feed);
	memset(n_signals, 0, sizeof n_signals);
	now_ns = START;
	feed.worker = &worker;
	assert_int_equal(ring_init(&outbox, 1 << 20), 0);
	return worker_init(&worker, &options, &outbox);
}

static int stop(void **state)
{
	(void)state;
	worker_fini(&worker);
	ring_fini(&outbox);
	return 0;
}

static void send(struct packet k, uint64_t at)
{
	const struct out *record;
	feed_packet(&feed, &k, START + at);
	feed_burst(&feed);
	for (; (record = ring_peek(&outbox)); ring_release(&outbox)) {
		if (record->kind != OUT_SIGNAL)
			continue;
		last = ((const struct out_signal *)record)->signal;
		n_signals[last.kind]++;
	}
}

static struct packet syn(uint32_t flow)
{
	struct packet k = packet_tcp(SVLAN, CVLAN, flow, DIR_UP);
	k.p.tcp_flags = TCP_SYN;
	k.p.seq = flow;
	return k;
}

static struct packet from_server(uint32_t flow)
{
	return packet_tcp(SVLAN, CVLAN, flow, DIR_DOWN);
}

/* Not TCP; a question goes up, its answer down. */
static struct packet datagram(uint32_t flow, uint8_t kind, uint8_t proto, uint8_t dir)
{
	struct packet k = packet_tcp(SVLAN, CVLAN, flow, dir);
	k.p.key[0] = pkt_key0(SVLAN, CVLAN, proto, 0);
	k.p.kind = kind;
	k.p.tcp_flags = 0;
	return k;
}

static struct packet name(uint16_t id, uint8_t dir, uint32_t rcode)
{
	struct packet k = datagram(RESOLVER + id, KIND_DNS, UDP, dir);
	*(dir == DIR_UP ? &k.x.dport : &k.x.sport) = 53;
	k.p.seq = id;
	k.p.ack = dir == DIR_UP ? 0x100 : 0x8180 | rcode;
	return k;
}

static struct packet ping(uint32_t server, uint16_t seq, uint8_t dir)
{
	struct packet k = datagram(server, KIND_ICMP, ICMP, dir);
	k.p.seq = 77u << 16 | seq;
	k.p.ack = dir == DIR_UP ? 8 << 8 : 0;
	return k;
}

static struct packet unreachable(uint8_t code)
{
	struct packet k = datagram(SERVER_A, KIND_ICMP, ICMP, DIR_DOWN);
	k.p.ack = 3u << 8 | code;
	return k;
}

/* Five SYNs of two flows to two servers, the first at `at`, within five seconds. */
static void ask(uint64_t at)
{
	for (uint32_t i = 0; i < 5; i++)
		send(syn((i % 2 ? SERVER_A : SERVER_B) + 10 + i), at + i * 1200 * MS);
}

static void nothing_comes_back(void **state)
{
	(void)state;
	send(from_server(SERVER_A + 1), 0);
	ask(10 * S);
	assert_int_equal(n_signals[SIGNAL_NO_INTERNET], 1);
	assert_in_range(last.since_ns, START - 70 * MS, START + 70 * MS);
	assert_in_range(last.asked_ns, START + 10 * S - 140 * MS, START + 10 * S);
}

static void an_answer_in_between(void **state)
{
	(void)state;
	send(from_server(SERVER_A + 1), 0);
	ask(10 * S);
	send(from_server(SERVER_A + 1), 20 * S);
	assert_int_equal(n_signals[SIGNAL_INTERNET], 1);
	send(syn(SERVER_A + 30), 21 * S);
	send(syn(SERVER_B + 31), 26 * S);
	send(from_server(SERVER_A + 1), 26 * S + 10 * MS);
	send(syn(SERVER_A + 32), 31 * S);
	send(syn(SERVER_B + 33), 32 * S);
	assert_int_equal(n_signals[SIGNAL_NO_INTERNET], 1); /* the first one */
}

/* Windows end meanwhile, and the line remembers. */
static void over_windows(void **state)
{
	(void)state;
	send(from_server(SERVER_A + 1), 9 * S);
	for (uint32_t i = 0; i < 6; i++)
		send(syn((i % 2 ? SERVER_A : SERVER_B) + 10 + i), (uint64_t)(12 + 9 * i) * S);
	assert_int_equal(n_signals[SIGNAL_NO_INTERNET], 1);
	assert_in_range(last.since_ns, START + 9 * S - 140 * MS, START + 9 * S + 140 * MS);
	assert_in_range(last.asked_ns, START + 12 * S - 140 * MS, START + 12 * S);
}

static void told_again_while_it_lasts(void **state)
{
	(void)state;
	send(from_server(SERVER_A + 1), 0);
	for (uint64_t at = 0; at < 70; at += 10)
		ask((5 + at) * S);
	assert_int_equal(n_signals[SIGNAL_NO_INTERNET], 3);
}

static void one_dead_server_is_no_fault_of_the_line(void **state)
{
	(void)state;
	send(from_server(SERVER_A + 1), 0);
	for (uint32_t i = 0; i < 20; i++)
		send(syn(SERVER_A + 10 + i), (10 + i) * S);
	for (uint16_t i = 0; i < 20; i++)
		send(ping(SERVER_A, i, DIR_UP), (30 + (uint64_t)i) * S);
	assert_int_equal(n_signals[SIGNAL_NO_INTERNET], 0);
}

/* A tap of one direction only; and a line that nobody has ever answered. */
static void never_answered_is_not_told(void **state)
{
	(void)state;
	ask(10 * S);
	ask(20 * S);
	assert_int_equal(n_signals[SIGNAL_NO_INTERNET], 0);
}

static void what_the_bras_says_is_no_answer(void **state)
{
	(void)state;
	send(from_server(SERVER_A + 1), 0);
	for (uint32_t i = 0; i < 5; i++) {
		send(syn((i % 2 ? SERVER_A : SERVER_B) + 10 + i), (10 + i) * S);
		send(unreachable(i % 2), (10 + i) * S + MS);
	}
	assert_int_equal(n_signals[SIGNAL_NO_INTERNET], 1);
	send(unreachable(3), 20 * S); /* a closed port: somebody far away says so */
	assert_int_equal(n_signals[SIGNAL_INTERNET], 1);
}

static void no_names(uint64_t at, uint16_t id)
{
	send(name(id, DIR_UP, 0), at);
	send(name(id, DIR_UP, 0), at + 5 * S);
	send(name(id, DIR_UP, 0), at + 10 * S);
}

static void a_resolver_that_falls_silent(void **state)
{
	(void)state;
	send(name(1, DIR_UP, 0), 0);
	assert_int_equal(n_signals[SIGNAL_RESOLVER], 1);
	send(name(1, DIR_DOWN, 0), 10 * MS);
	no_names(10 * S, 2);
	assert_int_equal(n_signals[SIGNAL_NO_NAMES], 1);
	assert_in_range(last.since_ns, START - 140 * MS, START + 10 * MS);
	assert_in_range(last.asked_ns, START + 10 * S - 140 * MS, START + 10 * S);
	assert_int_equal(last.heard_ns, 0); /* names are not the Internet */
	send(name(3, DIR_UP, 0), 30 * S);
	send(name(3, DIR_DOWN, NXDOMAIN), 30 * S + MS);
	assert_int_equal(n_signals[SIGNAL_NAMES], 1);
	assert_int_equal(n_signals[SIGNAL_NO_INTERNET], 0);
}

static void an_answer_that_it_cannot_is_none(void **state)
{
	(void)state;
	send(name(1, DIR_UP, 0), 0);
	send(name(1, DIR_DOWN, 0), MS);
	for (uint16_t i = 0; i < 3; i++) {
		send(name(10 + i, DIR_UP, 0), (10 + 3 * (uint64_t)i) * S);
		send(name(10 + i, DIR_DOWN, SERVFAIL), (10 + 3 * (uint64_t)i) * S + MS);
		send(from_server(SERVER_A + 1), (11 + 3 * (uint64_t)i) * S);
	}
	assert_int_equal(n_signals[SIGNAL_NO_NAMES], 1);
	assert_true(last.heard_ns > last.asked_ns);
}

static void one_lost_question_is_nothing(void **state)
{
	(void)state;
	send(name(1, DIR_UP, 0), 0);
	send(name(1, DIR_DOWN, 0), MS);
	for (uint16_t i = 0; i < 10; i++) {
		uint64_t at = (10 + 10 * (uint64_t)i) * S;
		send(name(10 + i, DIR_UP, 0), at);
		send(name(10 + i, DIR_UP, 0), at + 2 * S);
		send(name(10 + i, DIR_DOWN, 0), at + 2 * S + MS);
	}
	assert_int_equal(n_signals[SIGNAL_NO_NAMES], 0);
}

/* Names alone are one server; with another one they show that nothing comes back. */
static void names_and_a_server(void **state)
{
	(void)state;
	send(name(1, DIR_UP, 0), 0);
	send(name(1, DIR_DOWN, 0), MS);
	send(from_server(SERVER_A + 1), 1 * S);
	no_names(10 * S, 2);
	no_names(25 * S, 3);
	assert_int_equal(n_signals[SIGNAL_NO_INTERNET], 0);
	send(ping(SERVER_A, 1, DIR_UP), 40 * S);
	send(ping(SERVER_A, 2, DIR_UP), 45 * S);
	assert_int_equal(n_signals[SIGNAL_NO_INTERNET], 1);
}

/* Malware asks the whole world for names: two resolvers are followed, and told of, no more. */
static void resolvers_without_end(void **state)
{
	(void)state;
	for (uint32_t i = 0; i < 1000; i++) {
		struct packet k = name(7, DIR_UP, 0);
		memcpy(k.x.dst, &i, 4);
		send(k, i * 10 * MS);
	}
	assert_int_equal(n_signals[SIGNAL_RESOLVER], DEMAND_RESOLVERS);
	assert_int_equal(n_signals[SIGNAL_NO_NAMES], 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(nothing_comes_back, start, stop),
		cmocka_unit_test_setup_teardown(an_answer_in_between, start, stop),
		cmocka_unit_test_setup_teardown(over_windows, start, stop),
		cmocka_unit_test_setup_teardown(told_again_while_it_lasts, start, stop),
		cmocka_unit_test_setup_teardown(one_dead_server_is_no_fault_of_the_line, start,
						stop),
		cmocka_unit_test_setup_teardown(never_answered_is_not_told, start, stop),
		cmocka_unit_test_setup_teardown(what_the_bras_says_is_no_answer, start, stop),
		cmocka_unit_test_setup_teardown(a_resolver_that_falls_silent, start, stop),
		cmocka_unit_test_setup_teardown(an_answer_that_it_cannot_is_none, start, stop),
		cmocka_unit_test_setup_teardown(one_lost_question_is_nothing, start, stop),
		cmocka_unit_test_setup_teardown(names_and_a_server, start, stop),
		cmocka_unit_test_setup_teardown(resolvers_without_end, start, stop),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
