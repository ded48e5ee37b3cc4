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

enum { MAX_TOLD = 512, LINE = 7 };

static struct analysis analysis;
static uint64_t now_ns, last_up_ns;
static uint32_t n_told;
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

static void appeared(void)
{
	const struct out_appeared record = {
		.out = {OUT_APPEARED, LINE, 1, now_ns},
		.identity = {.svlan = 300, .cvlan = 1517, .by = LINE_BY_VLANS},
	};
	analysis_take(&analysis, 0, &record.out);
}

static int start(void **state)
{
	const struct analysis_options quiet = {.n_workers = 1, .max_lines = 100};
	(void)state;
	analysis_init(&analysis, &quiet, (struct report_sink){take, NULL});
	now_ns = START;
	last_up_ns = 0;
	n_told = 0;
	appeared();
	return analysis_subject(&analysis, 0, LINE) ? 0 : -1;
}

static int stop(void **state)
{
	(void)state;
	analysis_fini(&analysis);
	return 0;
}

static void say(uint8_t kind, uint8_t code, uint8_t dir, uint16_t id)
{
	struct out_signal record = {
		.out = {OUT_SIGNAL, LINE, 1, now_ns},
		.signal = {.ts_ns = now_ns,
			   .last_up_ns = last_up_ns,
			   .kind = SIGNAL_CONTROL,
			   .control = {.kind = kind, .code = code, .dir = dir, .session_id = id}},
	};
	memcpy(record.signal.control.cpe_mac, (uint8_t[]){2, 0, 0, 0, 0, 1}, 6);
	memcpy(record.signal.control.ac_mac, (uint8_t[]){2, 0, 0, 0, 0, 2}, 6);
	analysis_take(&analysis, 0, &record.out);
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
	const struct subject *s = analysis_subject(&analysis, 0, LINE);
	assert_int_equal(s->flap.total, 0);
	assert_int_equal(s->flap.outages, 0);
	assert_true(flap_penalty(&s->flap, now_ns) == 0);
}

/* Timers run before each record, up to its time: how often anybody says what time it is in between
 * makes no difference. */
static void the_cut_does_not_matter(void **state)
{
	uint64_t times[MAX_TOLD];
	uint32_t once = 0;
	(void)state;
	for (uint64_t step = 0; step <= 7 * S; step += S) { /* 0: never */
		stop(NULL);
		start(NULL);
		for (uint16_t id = 1; id <= 8; id++) {
			uint64_t next = now_ns + (id % 3 ? 60 : 400) * S;
			dial(id);
			for (uint64_t at = now_ns; step && at < next; at += step)
				analysis_advance(&analysis, at);
			now_ns = next;
		}
		analysis_advance(&analysis, START + 7200 * S);
		once = step ? once : n_told;
		assert_true(once > 8);
		assert_int_equal(n_told, once);
		for (uint32_t i = 0; !step && i < once; i++)
			times[i] = told[i].at_ns;
		for (uint32_t i = 0; i < once; i++)
			assert_int_equal(told[i].at_ns, times[i]);
	}
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
		cmocka_unit_test_setup_teardown(the_cut_does_not_matter, start, stop),
		cmocka_unit_test_setup_teardown(years_cost_nothing, start, stop),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
