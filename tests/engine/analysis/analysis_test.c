/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What analysis tells the world while a line flaps (algorithms.md 2.1.3): single transitions until
 * it is FLAPPING, then one summary at once, one every five minutes, and one when it is let go. And
 * that time is an argument: years may pass between two signals, at no cost.
 */
#include "engine/analysis/analysis.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "engine/packet/worker.h"

#define S     1000000000ull
#define START (1700000000ull * S)

enum { MAX_TOLD = 512 };

static struct worker worker;
static struct analysis analysis;
static uint64_t now_ns, last_up_ns;
static uint32_t line, n_told;
static struct {
	enum report_kind kind;
	uint64_t at_ns;
	enum session_event_kind event;
	struct report_flap_summary flaps;
	char line[64];
} told[MAX_TOLD];

static void take(void *context, const struct report *report)
{
	(void)context;
	assert_true(n_told < MAX_TOLD);
	told[n_told].kind = report->kind;
	if (report->kind == REPORT_SESSION_EVENT) {
		told[n_told].at_ns = (uint64_t)report->session_event->unix_ns;
		told[n_told].event = report->session_event->kind;
		strncpy(told[n_told].line, report->session_event->who.line, 63);
	} else if (report->kind == REPORT_FLAP_SUMMARY) {
		told[n_told].at_ns = (uint64_t)report->flap_summary->unix_ns;
		told[n_told].flaps = *report->flap_summary;
	}
	n_told++;
}

static int start(void **state)
{
	const struct worker_options options = {.max_lines = 100, .max_flows = 100};
	const struct analysis_options quiet = {0};
	const struct pkt p = {.flags = PKT_TWO_TAGS | PKT_PPPOE, .dir = DIR_UP};
	const struct pkt_extra x = {.svlan = 300, .cvlan = 1517};
	(void)state;
	if (worker_init(&worker, &options) != 0)
		return -1;
	analysis_init(&analysis, &quiet, &worker, (struct report_sink){take, NULL});
	line = line_of(&worker.meter.lines, &p, &x, true);
	now_ns = START;
	last_up_ns = 0;
	n_told = 0;
	return line ? 0 : -1;
}

static int stop(void **state)
{
	(void)state;
	analysis_fini(&analysis);
	worker_fini(&worker);
	return 0;
}

static void say(uint8_t kind, uint8_t code, uint8_t dir, uint16_t id)
{
	struct signal signal = {
		.ts_ns = now_ns,
		.clock_ns = now_ns,
		.last_up_ns = last_up_ns,
		.line = line,
		.kind = SIGNAL_CONTROL,
		.control = {.kind = kind, .code = code, .dir = dir, .session_id = id},
	};
	memcpy(signal.control.cpe_mac, (uint8_t[]){2, 0, 0, 0, 0, 1}, 6);
	memcpy(signal.control.ac_mac, (uint8_t[]){2, 0, 0, 0, 0, 2}, 6);
	analysis_signals(&analysis, &signal, 1, now_ns);
	if (dir == DIR_UP)
		last_up_ns = now_ns;
}

/* The modem dials; it did not say goodbye before. */
static void dial(uint16_t id)
{
	say(KIND_PPPOE, PADI, DIR_UP, 0);
	say(KIND_PPPOE, PADS, DIR_DOWN, id);
	say(KIND_IPV6CP, PPP_CONF_ACK, DIR_UP, id);
	say(KIND_IPV6CP, PPP_CONF_ACK, DIR_DOWN, id);
}

static uint32_t count(enum report_kind kind, uint32_t from)
{
	uint32_t n = 0;
	for (uint32_t i = from; i < n_told; i++)
		n += told[i].kind == kind;
	return n;
}

static void transitions_are_told(void **state)
{
	(void)state;
	dial(1);
	assert_int_equal(n_told, 1);
	assert_int_equal(told[0].event, SESSION_UP);
	assert_string_equal(told[0].line, "300.1517");
	now_ns += 3600 * S;
	dial(2);
	assert_int_equal(n_told, 3);
	assert_int_equal(told[1].event, SESSION_DOWN);
	assert_int_equal(told[2].event, SESSION_UP);
}

/* Losses every two minutes: the fourth trips it. Flaps for 40 minutes, then holds. */
static void flapping(void **state)
{
	uint32_t entered = 0, last = 0, transitions;
	uint64_t end;
	(void)state;
	for (uint16_t id = 1; id <= 20; id++) {
		dial(id);
		now_ns += 120 * S;
	}
	end = last_up_ns;
	analysis_advance(&analysis, now_ns + 3 * 3600 * S);
	while (entered < n_told && told[entered].kind != REPORT_FLAP_SUMMARY)
		entered++;
	assert_true(entered < n_told);
	assert_true(told[entered].flaps.flapping);
	assert_true(told[entered].at_ns <= START + 4 * 120 * S);
	/* up, and three times down and up; the fourth drop is the news that it is FLAPPING */
	assert_true(entered >= 7 && entered <= 8);
	transitions = count(REPORT_SESSION_EVENT, entered);
	assert_true(transitions <= 1); /* the drop that tripped it */
	for (uint32_t i = entered + 1; i < n_told; i++) {
		if (told[i].kind != REPORT_FLAP_SUMMARY)
			continue;
		assert_true(told[i].at_ns - told[last ? last : entered].at_ns <= 300 * S);
		assert_true(told[i].flaps.flapping == (i + 1 < n_told));
		last = i;
	}
	assert_false(told[last].flaps.flapping); /* let go, within an hour of the last flap */
	assert_true(told[last].at_ns > end && told[last].at_ns <= end + 3600 * S);
	assert_true(told[last].flaps.penalty <= FLAP_LEAVE);
	now_ns += 4 * 3600 * S;
	n_told = 0;
	dial(100); /* and transitions are news again */
	assert_int_equal(count(REPORT_SESSION_EVENT, 0), 2);
}

/* 24-hour reconnects of the BRAS are no flaps. */
static void daily_reconnects(void **state)
{
	(void)state;
	dial(1);
	for (uint16_t id = 2; id < 40; id++) {
		now_ns += 86400 * S;
		say(KIND_PPPOE, PADT, DIR_DOWN, (uint16_t)(id - 1));
		now_ns += 5 * S;
		dial(id);
	}
	assert_int_equal(count(REPORT_FLAP_SUMMARY, 0), 0);
	assert_int_equal(analysis.subjects[line].flap.total, 0);
	assert_int_equal(analysis.subjects[line].flap.outages, 0);
	assert_true(flap_penalty(&analysis.subjects[line].flap, now_ns) == 0);
}

/* The same signals, one by one or all at once: the same reports. */
static void bursts_do_not_matter(void **state)
{
	static struct signal signals[32];
	uint32_t n = 0, alone;
	(void)state;
	for (uint16_t id = 1; id <= 5; id++) {
		static const struct {
			uint8_t kind, code, dir;
		} steps[] = {{KIND_PPPOE, PADI, DIR_UP},
			     {KIND_PPPOE, PADS, DIR_DOWN},
			     {KIND_IPV6CP, PPP_CONF_ACK, DIR_UP},
			     {KIND_IPV6CP, PPP_CONF_ACK, DIR_DOWN}};
		for (int k = 0; k < 4; k++)
			signals[n++] = (struct signal){
				.ts_ns = START + (id * 60u + (uint64_t)k) * S,
				.clock_ns = START + (id * 60u + (uint64_t)k) * S,
				.last_up_ns = START + id * 30u * S,
				.line = line,
				.kind = SIGNAL_CONTROL,
				.control = {.kind = steps[k].kind,
					    .code = steps[k].code,
					    .dir = steps[k].dir,
					    .session_id = steps[k].code == PADI ? 0 : id},
			};
	}
	for (uint32_t i = 0; i < n; i++)
		analysis_signals(&analysis, &signals[i], 1, signals[i].ts_ns);
	analysis_advance(&analysis, START + 7200 * S);
	alone = n_told;
	assert_true(alone > 8);
	uint64_t times[MAX_TOLD];
	for (uint32_t i = 0; i < alone; i++)
		times[i] = told[i].at_ns;
	stop(NULL);
	start(NULL);
	analysis_signals(&analysis, signals, n, START + 7200 * S);
	assert_int_equal(n_told, alone);
	for (uint32_t i = 0; i < alone; i++)
		assert_int_equal(told[i].at_ns, times[i]);
}

static void years_cost_nothing(void **state)
{
	(void)state;
	for (uint16_t id = 1; id <= 6; id++) {
		dial(id);
		now_ns += 60 * S;
	}
	analysis_advance(&analysis, START + 50ull * 365 * 86400 * S);
	assert_true(n_told < 60);
	assert_int_equal(analysis.refused, 0);
	uint64_t then = analysis.now_ns;
	analysis_advance(&analysis, then - 30 * S); /* a little late: time stands still */
	assert_true(analysis.now_ns == then);
	analysis_advance(&analysis, START); /* a clock that was set back is followed */
	assert_true(analysis.now_ns == START);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(transitions_are_told, start, stop),
		cmocka_unit_test_setup_teardown(flapping, start, stop),
		cmocka_unit_test_setup_teardown(daily_reconnects, start, stop),
		cmocka_unit_test_setup_teardown(bursts_do_not_matter, start, stop),
		cmocka_unit_test_setup_teardown(years_cost_nothing, start, stop),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
