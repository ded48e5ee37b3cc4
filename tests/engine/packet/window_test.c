/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Windows against a plain sum. Random packets of random lines at random times, a reader who comes
 * when he likes, an outbox from tiny to large: what the records of a line say adds up to what was
 * sent; each packet is in its own window, or, when the outbox was full, in a later one; every list
 * ends; after a window is said to be closed nothing of it comes any more.
 */
#include "engine/packet/window.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "engine/packet/worker.h"
#include "tests/engine/packet/packet.h"

#define START 1700000000000000000ull
#define MS    1000000ull

enum { LINES = 60, WINDOWS = 2000, SECONDS = WINDOWS * 10, SVLAN = 300, ECHOES = 20 };

/* What a line did, or said it did. */
struct sums {
	uint64_t packets[2], bytes[2], data[2], n_samples, ticks;
	int64_t lost_before[2], lost_after[2], spurious[2];
	uint64_t reordered[2];
};

static struct worker worker;
static struct ring outbox;
static struct feed feed;
static uint64_t now_ns, start_ns;

/* Sent, and told, by line and window. */
static struct sums sent[LINES][WINDOWS], told[LINES][WINDOWS];
static uint64_t last_up[LINES], told_up[LINES];
static struct {
	uint64_t packets;
	uint8_t heard[LINES];
} second[SECONDS];
static uint64_t told_second[SECONDS][2];
static uint32_t line_of_number[LINES + 1]; /* as told; number 0 is nobody */
static uint64_t closed_ns, n_closed;
static uint64_t echo_at[LINES]; /* request under way; 0: none */

static void begin(size_t ring_bytes, void (*full)(void *), uint64_t from_ns)
{
	struct worker_options options = {.max_lines = LINES, .max_flows = 2000, .full = full};
	memset(sent, 0, sizeof sent);
	memset(told, 0, sizeof told);
	memset(last_up, 0, sizeof last_up);
	memset(told_up, 0, sizeof told_up);
	memset(second, 0, sizeof second);
	memset(told_second, 0, sizeof told_second);
	memset(echo_at, 0, sizeof echo_at);
	memset(&feed, 0, sizeof feed);
	closed_ns = n_closed = 0;
	now_ns = start_ns = from_ns - from_ns % WINDOW_NS;
	feed.worker = &worker;
	assert_int_equal(ring_init(&outbox, ring_bytes), 0);
	assert_int_equal(worker_init(&worker, &options, &outbox), 0);
}

static int stop(void **state)
{
	(void)state;
	worker_fini(&worker);
	ring_fini(&outbox);
	return 0;
}

/* --- the reader ------------------------------------------------------------------------------------- */

static void read_window(const struct out_window *r)
{
	uint32_t line = line_of_number[r->out.line];
	uint64_t w = (r->start_ns - start_ns) / WINDOW_NS;
	struct sums *to = &told[line][w];
	assert_int_equal(r->start_ns % WINDOW_NS, 0);
	assert_true(w < WINDOWS && r->start_ns >= closed_ns);
	if (r->only_samples) {
		assert_true(r->n_samples > 0 && !r->packets[UP] && !r->packets[DOWN]);
	} else {
		assert_true(r->last_up_ns >= told_up[line]);
		told_up[line] = r->last_up_ns;
	}
	for (int way = 0; way < 2; way++) {
		to->packets[way] += r->packets[way];
		to->bytes[way] += r->bytes[way];
		to->data[way] += r->data_packets[way];
		to->lost_before[way] += r->lost_before[way];
		to->lost_after[way] += r->lost_after[way];
		to->spurious[way] += r->spurious[way];
		to->reordered[way] += r->reordered[way];
	}
	assert_true(r->n_samples <= WINDOW_SAMPLES);
	for (uint32_t i = 0; i < r->n_samples; i++)
		if (r->samples[i] >> SAMPLE_KIND_SHIFT == HIST_LINE) {
			to->n_samples++;
			to->ticks += r->samples[i] & SAMPLE_TICKS_MASK;
		}
}

static void read_second(const struct out_second *r)
{
	uint64_t s = (r->start_ns - start_ns) / SECOND_NS;
	assert_int_equal(r->start_ns % SECOND_NS, 0);
	assert_true(s < SECONDS && r->packets > 0);
	told_second[s][0] += r->packets;
	told_second[s][1] += r->lines_heard;
}

static void read_record(const struct out *record)
{
	switch ((enum out_kind)record->kind) {
	case OUT_APPEARED:
		line_of_number[record->line] =
			((const struct out_appeared *)record)->identity.cvlan;
		break;
	case OUT_WINDOW:
		read_window((const struct out_window *)record);
		break;
	case OUT_SECOND:
		read_second((const struct out_second *)record);
		break;
	case OUT_CLOSED:
		assert_true(((const struct out_closed *)record)->end_ns > closed_ns);
		closed_ns = ((const struct out_closed *)record)->end_ns;
		n_closed++;
		break;
	case OUT_GONE:
		fail_msg("no line has gone");
		break;
	case OUT_SIGNAL:
	case OUT_TAP:
		break;
	}
}

static uint32_t read_some(uint32_t most)
{
	const struct out *record;
	uint32_t n = 0;
	for (; n < most && (record = ring_peek(&outbox)); n++) {
		read_record(record);
		ring_release(&outbox);
	}
	return n;
}

static void read_all(void *context)
{
	(void)context;
	read_some(UINT32_MAX);
}

/* --- the sender --------------------------------------------------------------------------------- */

static struct sums *sums_now(uint32_t line)
{
	return &sent[line][(now_ns - start_ns) / WINDOW_NS];
}

static void send(uint32_t line, struct packet *k)
{
	uint64_t s = (now_ns - start_ns) / SECOND_NS;
	int way = k->p.dir == DIR_UP ? UP : DOWN;
	sums_now(line)->packets[way]++;
	sums_now(line)->bytes[way] += k->p.wire_len;
	sums_now(line)->data[way] += k->p.kind == KIND_TCP && k->p.payload_len;
	second[s].packets++;
	if (way == UP) {
		last_up[line] = now_ns;
		second[s].heard[line] = 1;
	}
	feed_packet(&feed, k, now_ns);
}

static void send_tcp(uint32_t line)
{
	struct packet k = packet_tcp(SVLAN, (uint16_t)line, packet_random() % 8,
				     packet_random() % 3 ? DIR_DOWN : DIR_UP);
	packet_data(&k, packet_random() % 8 * 1000, 1, packet_random() % 4 ? 1000 : 0);
	send(line, &k);
}

static void send_udp(uint32_t line)
{
	struct packet k = packet_tcp(SVLAN, (uint16_t)line, packet_random() % 8,
				     packet_random() % 2 ? DIR_DOWN : DIR_UP);
	k.p.kind = KIND_UDP;
	k.p.wire_len = (uint16_t)packet_random();
	send(line, &k);
}

/* The BRAS asks, or the modem answers what it asked: one sample. */
static void send_echo(uint32_t line)
{
	struct packet k = packet_echo(SVLAN, (uint16_t)line, (uint8_t)line, echo_at[line] != 0);
	uint64_t ticks = (now_ns - echo_at[line]) / HIST_TICK_NS;
	if (echo_at[line] && ticks <= SAMPLE_TICKS_MASK) { /* else it is no round trip */
		sums_now(line)->n_samples++;
		sums_now(line)->ticks += ticks;
	}
	echo_at[line] = echo_at[line] ? 0 : now_ns;
	send(line, &k);
}

static void pass_time(uint64_t ns)
{
	if ((now_ns + ns - start_ns) / WINDOW_NS < WINDOWS)
		now_ns += ns;
	if (packet_random() % 50 == 0) { /* time without packets */
		feed_burst(&feed);
		worker_idle(&worker, now_ns);
	}
}

/* Mostly close together; now and then seconds, and at times minutes, in which ticks wrap. */
static void wait_a_little(void)
{
	uint32_t what = packet_random() % 1000;
	if (what < 2)
		pass_time(packet_random() % 1200 * SECOND_NS);
	else if (what < 20)
		pass_time(packet_random() % 30000 * MS);
	else if (what < 600)
		pass_time(packet_random() % 10 * MS);
}

/* Some lines speak much more often than others. */
static void traffic(uint32_t packets, uint32_t reads)
{
	for (uint32_t i = 0; i < packets; i++) {
		uint32_t line = packet_random() % LINES, what = packet_random() % 10;
		if (packet_random() % 2)
			line %= 5;
		wait_a_little();
		if (what < 5)
			send_tcp(line);
		else if (what < 8)
			send_udp(line);
		else
			send_echo(line);
		if (reads && packet_random() % reads == 0)
			read_some(packet_random() % 64);
	}
	feed_burst(&feed);
}

/* Everything leaves in the end, however slow the reader. */
static void flush(void)
{
	uint32_t rounds = 0;
	while (!worker_flush(&worker)) {
		assert_true(read_some(1 + packet_random() % 8) > 0);
		assert_true(rounds++ < 10000);
	}
	read_some(UINT32_MAX);
	assert_int_equal(worker.window.n[0] + worker.window.n[1], 0);
	assert_int_equal(worker.window.closing_end_ns, 0);
	for (uint32_t i = 1; i <= worker.meter.lines.n; i++)
		assert_int_equal(line_pulse(&worker.meter.lines, i)->state & PULSE_LISTED, 0);
	assert_int_equal(worker.meter.samples.used, 0);
}

/* --- judging ------------------------------------------------------------------------------------ */

static void add(struct sums *to, const struct sums *from)
{
	for (int way = 0; way < 2; way++) {
		to->packets[way] += from->packets[way];
		to->bytes[way] += from->bytes[way];
		to->data[way] += from->data[way];
		to->lost_before[way] += from->lost_before[way];
		to->lost_after[way] += from->lost_after[way];
		to->spurious[way] += from->spurious[way];
		to->reordered[way] += from->reordered[way];
	}
	to->n_samples += from->n_samples;
	to->ticks += from->ticks;
}

/* What was sent of a line up to each window is not told before it, and in the end all of it is. */
static void assert_nothing_lost(struct sums all_told[LINES])
{
	uint64_t samples_sent = 0, samples_told = 0;
	for (uint32_t line = 0; line < LINES; line++) {
		struct sums s = {0}, t = {0};
		for (uint32_t w = 0; w < WINDOWS; w++) {
			add(&s, &sent[line][w]);
			add(&t, &told[line][w]);
			for (int way = 0; way < 2; way++)
				assert_true(t.packets[way] <= s.packets[way] &&
					    t.bytes[way] <= s.bytes[way] &&
					    t.data[way] <= s.data[way]);
			assert_true(t.n_samples <= s.n_samples);
		}
		assert_memory_equal(t.packets, s.packets, sizeof s.packets);
		assert_memory_equal(t.bytes, s.bytes, sizeof s.bytes);
		assert_memory_equal(t.data, s.data, sizeof s.data);
		assert_true(last_up[line] - told_up[line] < HIST_TICK_NS);
		samples_sent += s.n_samples;
		samples_told += t.n_samples;
		all_told[line] = t;
	}
	assert_int_equal(samples_told + worker.samples_lost + worker.meter.queue_refused +
				 worker.meter.samples.refused,
			 samples_sent);
	assert_int_equal(worker.meter.samples.refused, 0);
}

static void assert_right_windows(void)
{
	for (uint32_t line = 0; line < LINES; line++)
		for (uint32_t w = 0; w < WINDOWS; w++) {
			const struct sums *s = &sent[line][w], *t = &told[line][w];
			assert_memory_equal(t->packets, s->packets, sizeof s->packets);
			assert_memory_equal(t->bytes, s->bytes, sizeof s->bytes);
			assert_memory_equal(t->data, s->data, sizeof s->data);
			assert_int_equal(t->n_samples, s->n_samples);
			assert_int_equal(t->ticks, s->ticks);
		}
}

static void assert_right_seconds(void)
{
	for (uint32_t s = 0; s < SECONDS; s++) {
		uint32_t heard = 0;
		for (uint32_t line = 0; line < LINES; line++)
			heard += second[s].heard[line];
		assert_int_equal(told_second[s][0], second[s].packets);
		if (told_second[s][1] != heard)
			fail_msg("second %u: %u lines spoke, %u were heard", s, heard,
				 (uint32_t)told_second[s][1]);
	}
}

static void assert_seconds_add_up(void)
{
	uint64_t got = 0, want = 0;
	for (uint32_t s = 0; s < SECONDS; s++) {
		got += told_second[s][0];
		want += second[s].packets;
		assert_true(got <= want);
	}
	assert_int_equal(got, want);
}

/* --- with room ------------------------------------------------------------------------------------ */

/* At any time of the clock: its ticks wrap every nine minutes. */
static void in_their_windows(void **state)
{
	static struct sums all[LINES];
	(void)state;
	for (uint64_t seed = 1; seed <= 12; seed++) {
		begin(16 << 20, NULL, START + seed * 47 * SECOND_NS);
		packet_seed(seed);
		traffic(15000, 100);
		flush();
		assert_int_equal(worker.told_late, 0);
		assert_nothing_lost(all);
		assert_right_windows();
		assert_right_seconds();
		assert_true(n_closed > 20);
		stop(NULL);
	}
}

/* A reader who is called when the outbox is full, and reads all there is. */
static void waited_for(void **state)
{
	static struct sums all[LINES];
	(void)state;
	for (uint64_t seed = 1; seed <= 4; seed++) {
		begin(2048, read_all, START);
		packet_seed(seed);
		traffic(15000, 0);
		flush();
		assert_int_equal(worker.told_late + worker.samples_lost + worker.signals_lost, 0);
		assert_nothing_lost(all);
		assert_right_windows();
		assert_right_seconds();
		stop(NULL);
	}
}

/* --- without ---------------------------------------------------------------------------------------- */

/* The lines must be known, else nobody knows whose records those are. */
static void everybody_speaks(void)
{
	for (uint32_t line = 0; line < LINES; line++) {
		send_udp(line);
		feed_burst(&feed);
		read_some(UINT32_MAX);
	}
}

static void put_off(void **state)
{
	static const uint32_t reads[] = {10, 100, 1000, 5000};
	static struct sums all[LINES], want[LINES];
	uint64_t late = 0, samples_lost = 0;
	(void)state;
	for (uint64_t seed = 1; seed <= 4; seed++)
		for (uint32_t k = 0; k <= 12; k++) { /* the first time with room for all */
			begin(k ? 2048 << (k % 3 * 2) : 16 << 20, NULL, START);
			packet_seed(seed);
			everybody_speaks();
			packet_seed(seed * 77);
			/* the reader draws from the same numbers: he comes as often with room */
			traffic(15000, reads[k % 4]);
			flush();
			assert_nothing_lost(all);
			assert_seconds_add_up();
			late += worker.told_late;
			samples_lost += worker.samples_lost;
			if (k % 4 == 0 && k == 0)
				memcpy(want, all, sizeof want);
			for (uint32_t line = 0; k % 4 == 0 && line < LINES; line++) {
				all[line].n_samples = want[line].n_samples;
				all[line].ticks = want[line].ticks;
				assert_memory_equal(&all[line], &want[line], sizeof *all);
			}
			stop(NULL);
		}
	assert_true(late > 1000 && samples_lost > 10); /* it was full indeed */
}

/* --- early ------------------------------------------------------------------------------------------ */

/* More packets and segments in a window than its counters hold. */
static void one_busy_line(void **state)
{
	static struct sums all[LINES];
	(void)state;
	begin(1 << 20, NULL, START);
	for (uint32_t i = 0; i < 200000; i++) {
		struct packet k = packet_tcp(SVLAN, 1, i % 4, i % 3 ? DIR_DOWN : DIR_UP);
		packet_data(&k, i / 4 * 1000, 1, 1000);
		now_ns += 20000;
		send(1, &k);
	}
	feed_burst(&feed);
	flush();
	assert_nothing_lost(all);
	assert_right_windows();
	assert_right_seconds();
	stop(NULL);
}

/* Super-segments to a receiver with a small MSS: each is a hundred segments and more. */
static void many_segments_a_packet(void **state)
{
	enum { PACKETS = 10000, MOST = 65000, MSS = 536 };
	struct packet syn = packet_tcp(SVLAN, 1, 1, DIR_UP);
	uint64_t data = 0, want = 0;
	uint32_t seq = 1;
	(void)state;
	begin(1 << 20, NULL, START);
	syn.p.tcp_flags = TCP_SYN;
	syn.x.mss = MSS;
	packet_data(&syn, 0, 0, 0);
	send(1, &syn);
	for (uint32_t i = 0; i < PACKETS; i++) {
		struct packet k = packet_tcp(SVLAN, 1, 1, DIR_DOWN);
		uint16_t bytes = (uint16_t)(MOST - packet_random() % 30000);
		packet_data(&k, seq, 1, bytes);
		seq += bytes;
		want += (bytes + MSS - 1u) / MSS;
		now_ns += 1000000;
		send(1, &k);
	}
	feed_burst(&feed);
	flush();
	for (uint32_t w = 0; w < WINDOWS; w++)
		data += told[1][w].data[DOWN];
	assert_int_equal(data, want);
	stop(NULL);
}

/* A clock that was set back is followed: windows come again, nothing is lost. */
static void the_clock_is_set_back(void **state)
{
	uint64_t packets = 0, n = 0;
	const struct out *record;
	(void)state;
	begin(1 << 20, NULL, START);
	for (uint32_t i = 0; i < 4000; i++) {
		struct packet k = packet_tcp(SVLAN, (uint16_t)(i % 40), 1, DIR_UP);
		now_ns = START + (i / 1000 % 2 ? 7200 : 20000) * SECOND_NS + i * 10 * MS;
		feed_packet(&feed, &k, now_ns);
		n++;
	}
	feed_burst(&feed);
	while (!worker_flush(&worker))
		fail_msg("there is room");
	for (; (record = ring_peek(&outbox)); ring_release(&outbox))
		if (record->kind == OUT_WINDOW)
			packets += ((const struct out_window *)record)->packets[UP];
	assert_int_equal(packets, n);
	stop(NULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(in_their_windows),
		cmocka_unit_test(waited_for),
		cmocka_unit_test(put_off),
		cmocka_unit_test(one_busy_line),
		cmocka_unit_test(many_segments_a_packet),
		cmocka_unit_test(the_clock_is_set_back),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
