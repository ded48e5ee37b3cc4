/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A worker under floods and over long times: made-up flows at the limit and made-up MACs neither
 * grow anything nor change what is measured of lines that live; ageing clears the table and changes
 * no result; how packets are cut into bursts does not matter.
 */
#include "engine/packet/worker.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "tests/engine/packet/packet.h"

#define START 1700000000000000000ull
#define MS    1000000ull

enum { MAX_FLOWS = 10000, MAX_LINES = 4000, SVLAN = 300, LIVES = 20, KINDS = 8 };

/* What a line told, all windows together. */
struct sums {
	uint64_t packets[2], bytes[2], data[2], samples[KINDS], ticks[KINDS];
	int64_t lost_before[2], lost_after[2], spurious[2];
};

static struct worker worker;
static struct ring outbox;
static struct feed feed;
static uint64_t now_ns;
static struct sums told[MAX_LINES + 1]; /* by line number */
static uint32_t appeared, gone, signals[SIGNAL_NAMES + 1];

static void begin(const struct worker_options *options)
{
	memset(told, 0, sizeof told);
	memset(&feed, 0, sizeof feed);
	memset(signals, 0, sizeof signals);
	appeared = gone = 0;
	now_ns = START;
	packet_seed(88172645463325252ull);
	feed.worker = &worker;
	assert_int_equal(ring_init(&outbox, 1 << 20), 0);
	assert_int_equal(worker_init(&worker, options, &outbox), 0);
}

static const struct worker_options *usual(void)
{
	static const struct worker_options options = {.max_lines = MAX_LINES,
						      .max_flows = MAX_FLOWS};
	return &options;
}

static int start(void **state)
{
	(void)state;
	begin(usual());
	return 0;
}

static int stop(void **state)
{
	(void)state;
	worker_fini(&worker);
	ring_fini(&outbox);
	return 0;
}

static void take_window(const struct out_window *r)
{
	struct sums *to = &told[r->out.line];
	for (int way = 0; way < 2; way++) {
		to->packets[way] += r->packets[way];
		to->bytes[way] += r->bytes[way];
		to->data[way] += r->data_packets[way];
		to->lost_before[way] += r->lost_before[way];
		to->lost_after[way] += r->lost_after[way];
		to->spurious[way] += r->spurious[way];
	}
	for (uint32_t i = 0; i < r->n_samples; i++) {
		to->samples[r->samples[i] >> SAMPLE_KIND_SHIFT]++;
		to->ticks[r->samples[i] >> SAMPLE_KIND_SHIFT] += r->samples[i] & SAMPLE_TICKS_MASK;
	}
}

static void read_all(void)
{
	const struct out *record;
	for (; (record = ring_peek(&outbox)); ring_release(&outbox)) {
		appeared += record->kind == OUT_APPEARED;
		gone += record->kind == OUT_GONE;
		if (record->kind == OUT_WINDOW)
			take_window((const struct out_window *)record);
		else if (record->kind == OUT_SIGNAL)
			signals[((const struct out_signal *)record)->signal.kind]++;
	}
}

static void send(const struct packet *k)
{
	feed_packet(&feed, k, now_ns);
	if (feed.burst.n == 0)
		read_all();
}

static void finish(void)
{
	feed_burst(&feed);
	while (!worker_flush(&worker))
		read_all();
	read_all();
	assert_int_equal(worker.told_late + worker.signals_lost + worker.samples_lost, 0);
}

/* --- lines that live ---------------------------------------------------------------------------- */

static void data_down(uint32_t i, uint32_t seq)
{
	struct packet k = packet_tcp(SVLAN, (uint16_t)(1 + i), 1, DIR_DOWN);
	packet_data(&k, seq, 1, 1400);
	send(&k);
}

/* One round of a download: two segments down, one of them lost now and then, an ACK, an echo. */
static void round_of(uint32_t i, uint32_t round)
{
	struct packet k = packet_tcp(SVLAN, (uint16_t)(1 + i), 1, DIR_UP);
	uint32_t seq = 1 + round * 2800;
	data_down(i, seq);
	data_down(i, seq + 1400);
	if ((round + i) % 50 == 7) /* lost behind the tap, sent again at once */
		data_down(i, seq + 1400);
	now_ns += (5 + i) * MS;
	packet_data(&k, 1, seq + 2800, 0);
	send(&k);
	k = packet_echo(SVLAN, (uint16_t)(1 + i), (uint8_t)round, false);
	send(&k);
	now_ns += 2 * MS;
	k = packet_echo(SVLAN, (uint16_t)(1 + i), (uint8_t)round, true);
	send(&k);
}

static void open_all(void)
{
	for (uint32_t i = 0; i < LIVES; i++) {
		struct packet syn = packet_tcp(SVLAN, (uint16_t)(1 + i), 1, DIR_UP),
			      ack = packet_tcp(SVLAN, (uint16_t)(1 + i), 1, DIR_DOWN);
		syn.p.tcp_flags = TCP_SYN;
		syn.x.mss = ack.x.mss = 1400;
		packet_data(&syn, 0, 0, 0);
		send(&syn);
		now_ns += 10 * MS;
		ack.p.tcp_flags = TCP_SYN | TCP_ACK;
		packet_data(&ack, 0, 1, 0);
		send(&ack);
		now_ns += MS;
	}
}

/* Everything that the lines do, and between two rounds of theirs whatever a flood does. */
static void live(uint32_t rounds, void (*flood)(uint32_t n), uint32_t per_round)
{
	static uint32_t n;
	n = 0;
	open_all();
	for (uint32_t round = 0; round < rounds; round++) {
		for (uint32_t i = 0; i < LIVES; i++) {
			round_of(i, round);
			for (uint32_t k = 0; flood && k < per_round; k++)
				flood(n++);
		}
		now_ns += 50 * MS;
	}
}

/* --- floods ---------------------------------------------------------------------------------------- */

/* SYNs from made-up addresses to the line of a victim who does not answer. */
static void syn_flood(uint32_t n)
{
	struct packet k = packet_tcp(SVLAN, 4000, n, DIR_DOWN);
	k.p.key[2] += n * 2654435761u; /* any server */
	k.p.tcp_flags = TCP_SYN;
	packet_data(&k, n * 7919, 0, 0);
	send(&k);
}

static void padi_flood(uint32_t n)
{
	struct packet k = packet_padi(SVLAN, n);
	send(&k);
}

static void assert_as_without(void (*flood)(uint32_t n), uint32_t rounds, uint32_t per_round)
{
	static struct sums calm[LIVES + 1];
	live(rounds, NULL, 0);
	finish();
	memcpy(calm, told, sizeof calm);
	for (uint32_t i = 1; i <= LIVES; i++) { /* there is something to compare */
		assert_true(calm[i].samples[HIST_ACCESS] > rounds / 2);
		assert_int_equal(calm[i].samples[HIST_LINE], rounds);
		assert_true(calm[i].lost_after[DOWN] > 0);
		assert_true(calm[i].packets[DOWN] > 2 * rounds);
	}
	stop(NULL);
	begin(usual());
	live(rounds, flood, per_round);
	finish();
	assert_memory_equal(told, calm, sizeof calm);
}

/* Ten thousand flows fit; a hundred times as many come. */
static void a_flood_of_flows(void **state)
{
	enum { ROUNDS = 100, PER_ROUND = 500 };
	(void)state;
	assert_as_without(syn_flood, ROUNDS, PER_ROUND);
	assert_int_equal(worker.flows.used, MAX_FLOWS);
	assert_true(worker.flows_evicted > ROUNDS * LIVES * PER_ROUND - MAX_FLOWS - 1000);
	assert_int_equal(worker.flows_refused, 0);
	assert_true(worker.meter.extras.next < LIVES * 4 + 100);
	assert_true(worker.meter.segs.next < LIVES * 4 + 100);
	assert_int_equal(told[LIVES + 1].packets[DOWN], ROUNDS * LIVES * PER_ROUND);
}

static void a_flood_of_macs(void **state)
{
	enum { ROUNDS = 200, PER_ROUND = 250 }; /* a million in all */
	(void)state;
	assert_as_without(padi_flood, ROUNDS, PER_ROUND);
	assert_true(worker.meter.lines.n <= LIVES + MAX_LINES / 4 + 1);
	assert_int_equal(worker.meter.lines.refused, 0);
	assert_int_equal(worker.meter.lines.recycled, gone);
	assert_int_equal(appeared - gone, worker.meter.lines.n);
	assert_true(gone > ROUNDS * LIVES * PER_ROUND - MAX_LINES);
}

/* What a MAC of the flood did is told before it goes, and does not stick to the next one. */
static void what_goes_has_told(void **state)
{
	uint64_t packets = 0;
	(void)state;
	for (uint32_t i = 0; i < 20000; i++) {
		struct packet k = packet_padi(SVLAN, i);
		send(&k);
		send(&k);
		now_ns += 10 * MS;
	}
	finish();
	for (uint32_t i = 0; i <= MAX_LINES; i++)
		packets += told[i].packets[UP];
	assert_int_equal(packets, 40000);
	assert_int_equal(signals[SIGNAL_CONTROL], 40000);
}

/* --- ageing ------------------------------------------------------------------------------------------ */

static void idle_flows_leave(void **state)
{
	struct packet k;
	(void)state;
	for (uint32_t i = 0; i < 5000; i++) {
		k = packet_tcp(SVLAN, (uint16_t)(1 + i % 100), i, DIR_UP);
		packet_data(&k, 1, 1, 100);
		send(&k);
		packet_data(&k, 5000, 1, 100); /* with a hole: it holds an extra */
		send(&k);
	}
	feed_burst(&feed);
	assert_int_equal(worker.flows.used, 5000);
	assert_true(worker.meter.holes.used == 5000 && worker.meter.extras.used == 5000);
	for (uint32_t s = 0; s < 290; s++) { /* nobody leaves before his time */
		now_ns += SECOND_NS;
		worker_idle(&worker, now_ns);
		worker.clock_ns = now_ns;
		read_all();
	}
	assert_int_equal(worker.flows.used, 5000);
	k = packet_tcp(SVLAN, 1, 60000, DIR_UP);
	for (uint32_t ms = 0; ms < 120000; ms += 10) { /* one flow goes on, and so does the sweep */
		now_ns += 10 * MS;
		packet_data(&k, ms, 1, 0);
		send(&k);
		feed_burst(&feed);
		read_all();
	}
	assert_int_equal(worker.flows.used, 1);
	assert_int_equal(
		worker.meter.holes.used + worker.meter.extras.used + worker.meter.segs.used, 0);
	finish();
}

/* Flows that pause for minutes, with the sweep and without it (a table so full of time that it never
 * comes round): whoever comes back begins anew in any case. */
static void pauses(bool sweep)
{
	for (uint32_t round = 0; round < 40; round++) {
		for (uint32_t i = 0; i < 500; i++) {
			uint32_t line = i % 50, seq = 1 + round * 1400;
			struct packet up = packet_tcp(SVLAN, (uint16_t)(1 + line), i, DIR_UP),
				      down = packet_tcp(SVLAN, (uint16_t)(1 + line), i, DIR_DOWN);
			packet_data(&down, seq + packet_random() % 3 * 700, 1, 700);
			send(&down);
			now_ns += packet_random() % (4 * MS);
			packet_data(&up, 1, seq + packet_random() % 3 * 700, 0);
			send(&up);
			if (!sweep)
				worker.aged_at = flow_age(now_ns);
		}
		now_ns += (packet_random() % 10) * 100 * SECOND_NS;
	}
	finish();
}

static void the_sweep_changes_nothing(void **state)
{
	static struct sums swept[MAX_LINES + 1];
	uint64_t created;
	(void)state;
	pauses(true);
	memcpy(swept, told, sizeof swept);
	created = worker.flows.created;
	assert_true(swept[1].samples[HIST_ACCESS] > 10 && created > 1000);
	stop(NULL);
	begin(usual());
	pauses(false);
	assert_memory_equal(told, swept, sizeof told);
	assert_int_equal(worker.flows.created, created);
}

/* --- bursts ------------------------------------------------------------------------------------------ */

/* The same packets in bursts of any size, by either way of comparing tags: the same records, byte by
 * byte. */
static uint64_t cut_into(uint32_t most, uint32_t *n_records)
{
	uint64_t hash = 0xcbf29ce484222325ull;
	const struct out *record;
	*n_records = 0;
	for (uint32_t i = 0; i < 20000; i++) {
		uint32_t line = packet_random() % 50, flow = packet_random() % 10;
		struct packet k = packet_tcp(SVLAN, (uint16_t)(1 + line), flow,
					     packet_random() % 2 ? DIR_UP : DIR_DOWN);
		if (packet_random() % 8 == 0)
			k = packet_pppoe(SVLAN, line, packet_random() % 2 ? DIR_UP : DIR_DOWN);
		else if (packet_random() % 20 == 0)
			k = packet_discovery(SVLAN, line, packet_random() % 2 ? 0x09 : 0x65,
					     "port 7");
		if (k.p.kind == KIND_TCP)
			packet_data(&k, 1 + packet_random() % 8 * 700,
				    1 + packet_random() % 8 * 700, packet_random() % 2 ? 700 : 0);
		now_ns += packet_random() % (i % 1000 < 100 ? 200 * MS : 20 * MS);
		feed_packet(&feed, &k, now_ns);
		if (feed.burst.n >= most)
			feed_burst(&feed);
	}
	feed_burst(&feed);
	assert_true(worker_flush(&worker));
	for (; (record = ring_peek(&outbox)); ring_release(&outbox)) {
		size_t size = record->kind == OUT_SECOND     ? sizeof(struct out_second)
			      : record->kind == OUT_APPEARED ? sizeof(struct out_appeared)
							     : sizeof *record;
		if (record->kind == OUT_CLOSED || record->kind == OUT_WINDOW)
			continue; /* how soon a window is closed depends on the bursts */
		for (size_t b = 0; b < size; b++)
			hash = (hash ^ ((const uint8_t *)record)[b]) * 0x100000001b3ull;
		++*n_records;
	}
	return hash;
}

static void bursts_of_any_size(void **state)
{
	static const uint32_t sizes[] = {1, 2, 3, 4, 7, 15, 16, 17, 31, 48, 63, 64, 65, 97, 127};
	uint32_t n, want_n;
	uint64_t want;
	(void)state;
	ring_fini(&outbox);
	assert_int_equal(ring_init(&outbox, 64 << 20), 0);
	want = cut_into(BURST_MAX, &want_n);
	assert_true(want_n > 1000);
	for (size_t k = 0; k < sizeof sizes / sizeof *sizes; k++) {
		stop(NULL);
		begin(usual());
		ring_fini(&outbox);
		assert_int_equal(ring_init(&outbox, 64 << 20), 0);
		worker.flows.simd = k % 2 && worker.flows.simd;
		assert_true(cut_into(sizes[k], &n) == want);
		assert_int_equal(n, want_n);
	}
}

/* --- circuit-ids --------------------------------------------------------------------------------- */

/* A new modem on the same port is the same line, dialling or sending. */
static void a_circuit_joins_its_modems(void **state)
{
	(void)state;
	for (uint32_t i = 0; i < 10; i++) {
		struct packet padi = packet_discovery(SVLAN, 100 + i, 0x09, "slot 3 port 7"),
			      data = packet_pppoe(SVLAN, 100 + i, DIR_UP),
			      other = packet_discovery(SVLAN, 500 + i, 0x09, NULL);
		send(&padi);
		send(&other);
		packet_data(&data, 1, 1, 0);
		send(&data);
		now_ns += SECOND_NS;
	}
	finish();
	assert_int_equal(worker.meter.lines.n, 11);
	assert_int_equal(told[1].packets[UP], 20);
	assert_int_equal(worker.circuits.used, 1);
}

/* More circuit-ids than lines are allowed: refused and counted, the packets go on. */
static void too_many_circuits(void **state)
{
	const struct worker_options few = {.max_lines = 50, .max_flows = 100};
	(void)state;
	stop(NULL);
	begin(&few);
	for (uint32_t i = 0; i < 200; i++) {
		char name[16] = {'p', (char)('0' + i / 100), (char)('0' + i / 10 % 10),
				 (char)('0' + i % 10)};
		struct packet k = packet_discovery(SVLAN, i, 0x09, name);
		send(&k);
	}
	finish();
	assert_int_equal(worker.meter.lines.n, 50);
	assert_int_equal(worker.circuits.used, 50);
	assert_int_equal(worker.circuits_refused + worker.meter.lines.refused, 150);
}

/* --- a full outbox --------------------------------------------------------------------------------- */

static bool is_known[MAX_LINES + 1], has_address[MAX_LINES + 1], has_session[MAX_LINES + 1];

/* Records of nobody are of no use: a line must appear before it says anything, and go before its
 * number appears again. */
static uint32_t read_known(uint32_t most)
{
	const struct out *record;
	uint32_t n = 0;
	for (; n < most && (record = ring_peek(&outbox)); ring_release(&outbox), n++) {
		const struct signal *s = &((const struct out_signal *)record)->signal;
		if (record->kind == OUT_APPEARED || record->kind == OUT_GONE) {
			assert_int_equal(is_known[record->line], record->kind == OUT_GONE);
			is_known[record->line] = record->kind == OUT_APPEARED;
		} else if (record->line) {
			assert_true(is_known[record->line]);
		}
		if (record->kind == OUT_SIGNAL) {
			has_address[record->line] |= s->kind == SIGNAL_ADDRESS;
			has_session[record->line] |= s->kind == SIGNAL_SESSION;
		}
	}
	return n;
}

static void small_outbox(void)
{
	memset(is_known, 0, sizeof is_known);
	memset(has_address, 0, sizeof has_address);
	memset(has_session, 0, sizeof has_session);
	ring_fini(&outbox);
	assert_int_equal(ring_init(&outbox, 4096), 0);
}

/* Lines whose first packets find it full appear later, with their sessions and addresses. */
static void appears_later(void **state)
{
	enum { LINES = 200 };
	(void)state;
	small_outbox();
	for (uint32_t i = 0; i < 6 * LINES; i++) {
		struct packet k = packet_pppoe(SVLAN, i % LINES, DIR_UP);
		packet_data(&k, 1, 1, 0);
		now_ns += 10 * MS;
		feed_packet(&feed, &k, now_ns);
		feed_burst(&feed);
		if (i >= LINES)
			read_known(UINT32_MAX);
	}
	assert_true(worker.signals_lost > 0);
	assert_int_equal(worker.meter.lines.n, LINES);
	for (uint32_t i = 1; i <= LINES; i++)
		assert_true(is_known[i] && has_address[i] && has_session[i]);
}

static void in_turns(void **state)
{
	(void)state;
	small_outbox();
	for (uint32_t i = 0; i < 100000; i++) {
		struct packet k = packet_padi(SVLAN, i);
		now_ns += MS;
		feed_packet(&feed, &k, now_ns);
		if (packet_random() % 64 == 0)
			feed_burst(&feed);
		if (packet_random() % 8 == 0)
			read_known(packet_random() % 64);
	}
	feed_burst(&feed);
	while (!worker_flush(&worker))
		assert_true(read_known(8) > 0);
	read_known(UINT32_MAX);
	assert_true(worker.signals_lost > 1000 && worker.meter.lines.recycled > 1000);
	for (uint32_t i = 1; i <= MAX_LINES; i++)
		assert_int_equal(is_known[i], i <= worker.meter.lines.n);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(a_flood_of_flows, start, stop),
		cmocka_unit_test_setup_teardown(a_flood_of_macs, start, stop),
		cmocka_unit_test_setup_teardown(what_goes_has_told, start, stop),
		cmocka_unit_test_setup_teardown(idle_flows_leave, start, stop),
		cmocka_unit_test_setup_teardown(the_sweep_changes_nothing, start, stop),
		cmocka_unit_test_setup_teardown(bursts_of_any_size, start, stop),
		cmocka_unit_test_setup_teardown(a_circuit_joins_its_modems, start, stop),
		cmocka_unit_test_setup_teardown(too_many_circuits, start, stop),
		cmocka_unit_test_setup_teardown(appears_later, start, stop),
		cmocka_unit_test_setup_teardown(in_turns, start, stop),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
