/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Minutes against a plain sum: whatever windows the workers tell, at whatever pace, each minute of
 * each line is told once, with what was counted in it, and all minutes of a line add up to its
 * totals. Lines that go take their minute with them.
 */
#include "engine/analysis/minute.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "engine/analysis/analysis.h"

#define START 1700000040000000000ull /* a whole minute */

enum { WORKERS = 3, LINES = 20, WINDOWS = 30, MINUTES = 6, COUNTS = 14 };
_Static_assert(WINDOWS *(WINDOW_NS / 1000000000) <= MINUTES * 60, "all windows have a minute");

static struct analysis analysis;
static uint64_t random_state;

/* The plain sum, by S-VLAN (worker) and C-VLAN (line): told, and to be told. */
static uint64_t want[WORKERS][LINES][MINUTES][COUNTS], got[WORKERS][LINES][MINUTES][COUNTS];
static uint64_t totals[WORKERS][LINES][COUNTS];
static uint32_t told[WORKERS][LINES][MINUTES];
static int64_t last_told[WORKERS][LINES];

static uint32_t random32(void)
{
	random_state ^= random_state << 13;
	random_state ^= random_state >> 7;
	random_state ^= random_state << 17;
	return (uint32_t)(random_state >> 20);
}

static void take_minute(const struct report_minute *m)
{
	uint32_t worker, line,
		minute = (uint32_t)((m->start_unix_ns - (int64_t)START) / 60000000000);
	assert_int_equal(sscanf(m->line, "%u.%u", &worker, &line), 2);
	assert_true(worker < WORKERS && line < LINES && minute < MINUTES);
	assert_int_equal(m->start_unix_ns % 60000000000, 0);
	assert_int_equal(m->duration_ms, 60000);
	assert_true(m->start_unix_ns > last_told[worker][line]); /* in order of time */
	last_told[worker][line] = m->start_unix_ns;
	told[worker][line][minute]++;
	const uint64_t counts[COUNTS] = {
		m->packets_up,
		m->packets_down,
		m->bytes_up,
		m->bytes_down,
		m->spurious_up,
		m->loss.access_up.lost,
		m->loss.access_down.lost,
		m->loss.internet_up.lost,
		m->loss.internet_down.lost,
		m->loss.access_down.packets,
		m->reordered_down,
		m->suspected_tail_loss_up,
		m->rtt.access.n,
		m->rtt.line.n,
	};
	memcpy(got[worker][line][minute], counts, sizeof counts);
}

static void take_totals(const struct report_subscriber *s)
{
	uint32_t worker, line;
	assert_int_equal(sscanf(s->who.line, "%u.%u", &worker, &line), 2);
	const uint64_t counts[COUNTS] = {
		s->packets_up,
		s->packets_down,
		s->bytes_up,
		s->bytes_down,
		s->spurious_up,
		s->loss.access_up.lost,
		s->loss.access_down.lost,
		s->loss.internet_up.lost,
		s->loss.internet_down.lost,
		s->loss.access_down.packets,
		s->reordered_down,
		s->suspected_tail_loss_up,
		s->rtt.access.n,
		s->rtt.line.n,
	};
	memcpy(totals[worker][line], counts, sizeof counts);
}

static void take(void *context, const struct report *report)
{
	(void)context;
	if (report->kind == REPORT_MINUTE)
		take_minute(report->minute);
	else if (report->kind == REPORT_SUBSCRIBER)
		take_totals(report->subscriber);
}

static int start(void **state)
{
	const struct analysis_options options = {
		.minutes = true, .n_workers = WORKERS, .max_lines = LINES + 1};
	(void)state;
	memset(want, 0, sizeof want);
	memset(got, 0, sizeof got);
	memset(told, 0, sizeof told);
	memset(totals, 0, sizeof totals);
	memset(last_told, 0, sizeof last_told);
	random_state = 88172645463325252ull;
	analysis_init(&analysis, &options, (struct report_sink){take, NULL});
	return 0;
}

static int stop(void **state)
{
	(void)state;
	analysis_fini(&analysis);
	return 0;
}

/* The worker's numbers for lines run from 1, in another order in each. */
static uint32_t number_of(uint32_t worker, uint32_t line)
{
	return (line * 7 + worker * 3) % LINES + 1;
}

static void appear(uint32_t worker, uint32_t line)
{
	const struct out_appeared record = {
		.out = {OUT_APPEARED, number_of(worker, line), 1, START},
		.identity = {.svlan = (uint16_t)worker,
			     .cvlan = (uint16_t)line,
			     .by = LINE_BY_VLANS},
	};
	analysis_take(&analysis, worker, &record.out);
}

static void go(uint32_t worker, uint32_t line)
{
	const struct out record = {OUT_GONE, number_of(worker, line), 1, START};
	analysis_take(&analysis, worker, &record);
}

static void add_to(uint64_t sum[COUNTS], const struct out_window *r)
{
	const uint64_t counts[COUNTS] = {
		r->packets[UP],	      r->packets[DOWN],	     r->bytes[UP],	  r->bytes[DOWN],
		r->spurious[UP],      r->lost_before[UP],    r->lost_after[DOWN], r->lost_after[UP],
		r->lost_before[DOWN], r->data_packets[DOWN], r->reordered[DOWN],  r->tail_loss[UP],
	};
	for (uint32_t i = 0; i < COUNTS - 2; i++)
		sum[i] += counts[i];
	for (uint32_t i = 0; i < r->n_samples; i++)
		if (r->samples[i] >> SAMPLE_KIND_SHIFT == HIST_ACCESS)
			sum[COUNTS - 2]++;
		else
			sum[COUNTS - 1]++;
}

static void window(uint32_t worker, uint32_t line, uint32_t w)
{
	uint64_t start = START + w * WINDOW_NS;
	struct out_window r = {
		.out = {OUT_WINDOW, number_of(worker, line), 1, start + WINDOW_NS},
		.start_ns = start,
		.last_up_ns = start + random32(),
		.bytes = {random32(), random32()},
		.packets = {(uint16_t)random32(), (uint16_t)random32()},
		.data_packets = {(uint16_t)random32(), (uint16_t)random32()},
		.lost_before = {(int32_t)(random32() % 1000), (int32_t)(random32() % 1000)},
		.lost_after = {(int32_t)(random32() % 1000), (int32_t)(random32() % 1000)},
		.spurious = {(int32_t)(random32() % 1000), 0},
		.reordered = {0, random32() % 100},
		.tail_loss = {random32() % 100, 0},
		.n_samples = random32() % (WINDOW_SAMPLES + 1),
	};
	for (uint32_t i = 0; i < r.n_samples; i++)
		r.samples[i] = (uint32_t)(random32() % 2 ? HIST_ACCESS : HIST_LINE)
				       << SAMPLE_KIND_SHIFT |
			       random32() % 1000000;
	add_to(want[worker][line][w / 6], &r);
	analysis_take(&analysis, worker, &r.out);
}

static void closed(uint32_t worker, uint32_t w)
{
	const struct out_closed record = {
		.out = {OUT_CLOSED, 0, 1, START + (w + 1) * WINDOW_NS},
		.end_ns = START + (w + 1) * WINDOW_NS,
	};
	analysis_take(&analysis, worker, &record.out);
}

/* A window of a worker: some lines speak, once or more often. */
static void busy_window(uint32_t worker, uint32_t w)
{
	for (uint32_t line = 0; line < LINES; line++)
		for (uint32_t n = random32() % 8; n > 5 - worker; n--)
			window(worker, line, w);
}

static uint32_t minutes_of(uint32_t worker, uint32_t line)
{
	uint32_t n = 0;
	for (uint32_t m = 0; m < MINUTES; m++)
		n += told[worker][line][m];
	return n;
}

static void assert_all_told(void)
{
	assert_memory_equal(got, want, sizeof got);
	for (uint32_t i = 0; i < WORKERS * LINES * MINUTES; i++) {
		uint32_t w = i / MINUTES / LINES, line = i / MINUTES % LINES, m = i % MINUTES;
		bool silent = !memcmp(want[w][line][m], (uint64_t[COUNTS]){0}, sizeof **want[w]);
		assert_int_equal(told[w][line][m], !silent);
	}
}

static void assert_totals(void)
{
	for (uint32_t w = 0; w < WORKERS; w++)
		for (uint32_t line = 0; line < LINES; line++)
			for (uint32_t c = 0; c < COUNTS; c++) {
				uint64_t sum = 0;
				for (uint32_t m = 0; m < MINUTES; m++)
					sum += got[w][line][m][c];
				assert_int_equal(sum, totals[w][line][c]);
			}
}

static void run(uint32_t lead)
{
	uint32_t at[WORKERS] = {0}, least = 0;
	for (uint32_t w = 0; w < WORKERS; w++)
		for (uint32_t line = 0; line < LINES; line++)
			appear(w, line);
	while (least < WINDOWS) { /* some worker goes on; none gets ahead by more than `lead` */
		uint32_t w = random32() % WORKERS;
		if (at[w] < WINDOWS && at[w] < least + lead) {
			busy_window(w, at[w]);
			if (at[w] % 7 != 3) /* a window that was put off is not told of */
				closed(w, at[w]);
			at[w]++;
		}
		least = UINT32_MAX;
		for (uint32_t i = 0; i < WORKERS; i++)
			least = at[i] < least ? at[i] : least;
	}
	analysis_summaries(&analysis);
}

static void minutes_add_up(void **state)
{
	(void)state;
	for (uint32_t lead = 1; lead <= WINDOWS; lead += 7) {
		stop(NULL);
		start(NULL);
		run(lead);
		assert_all_told();
		assert_totals();
		assert_int_equal(analysis.refused + analysis.minutes.refused, 0);
		assert_int_equal(hist_pools_refused(&analysis.minutes.hists), 0);
		assert_int_equal(analysis.minutes.hists.few.used + analysis.minutes.hists.many.used,
				 0);
	}
}

/* A minute is told as soon as every worker has closed its last window, and no sooner. */
static void told_in_time(void **state)
{
	(void)state;
	for (uint32_t w = 0; w < WORKERS; w++)
		appear(w, 1);
	for (uint32_t w = 0; w < WORKERS; w++) {
		window(w, 1, 5);
		closed(w, 4);
	}
	for (uint32_t w = 0; w < WORKERS; w++) {
		for (uint32_t k = 0; k < WORKERS; k++)
			assert_int_equal(minutes_of(k, 1), 0);
		closed(w, 5);
	}
	for (uint32_t w = 0; w < WORKERS; w++)
		assert_int_equal(minutes_of(w, 1), 1);
	assert_all_told();
}

/* The number of a line that went is given to another: it begins at nothing. */
static void lines_that_go(void **state)
{
	(void)state;
	for (uint32_t round = 0; round < 100; round++) {
		uint32_t line = round % 2 ? 3 : 4;
		appear(0, line);
		window(0, line, 0);
		window(0, line, 1);
		if (round < 99) {
			go(0, line);
			memset(want[0][line][0], 0, sizeof want[0][line][0]);
		}
	}
	for (uint32_t w = 0; w < WORKERS; w++)
		closed(w, 5);
	assert_all_told();
	assert_int_equal(told[0][3][0], 1);
	analysis_summaries(&analysis);
	assert_totals();
	assert_true(analysis.n_subjects <= 2); /* number 0 is nobody */
	assert_int_equal(analysis.minutes.hists.few.used + analysis.minutes.hists.many.used, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(minutes_add_up, start, stop),
		cmocka_unit_test_setup_teardown(told_in_time, start, stop),
		cmocka_unit_test_setup_teardown(lines_that_go, start, stop),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
