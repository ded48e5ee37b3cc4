/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * How a session ends: one scenario for each cause that packets can show (algorithms.md 2.1.2), and
 * the silences that must, or must not, be taken for an end. How one begins: session_setup_test.c.
 */
#include "engine/analysis/session.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "tests/engine/analysis/dial.h"

#define S DIAL_S

static struct dial d;

/* Every test starts with a session that is up. */
static int start(void **state)
{
	(void)state;
	dial_start(&d);
	dial_up(&d, 0x1234);
	if (d.n != 1 || d.news[0].news.kind != SESSION_UP)
		return -1;
	d.n = 0;
	return 0;
}

static int stop(void **state)
{
	(void)state;
	dial_stop(&d);
	return 0;
}

static void assert_down(enum drop_cause cause, uint64_t since_ns)
{
	const struct dial_news *news = dial_expect(&d, SESSION_DOWN, cause);
	assert_int_equal(news->news.down_since_ns, since_ns);
	assert_int_equal(news->news.pppoe_session_id, 0x1234);
	assert_int_equal(subject_state(&d.subject), LINE_DOWN);
	const struct report_session *told = &subject_find(&d.subject, 0x1234, true)->told;
	assert_int_equal(told->cause, cause);
	assert_int_equal(told->down_unix_ns, since_ns);
	assert_int_equal(told->detected_unix_ns, news->at_ns);
}

/* --- somebody says goodbye ------------------------------------------------------------------------- */

static void padt_from_the_cpe(void **state)
{
	(void)state;
	dial_wait(&d, 60 * S);
	dial_say(&d, KIND_PPPOE, PADT, DIR_UP, NULL);
	assert_down(CAUSE_CPE_TERM, d.now_ns);
}

/* The request, its acknowledgement and the PADT are one goodbye. */
static void term_req_from_the_cpe(void **state)
{
	(void)state;
	dial_wait(&d, 60 * S);
	uint64_t at = d.now_ns;
	dial_say(&d, KIND_LCP, PPP_TERM_REQ, DIR_UP, "User request");
	dial_wait(&d, S / 10);
	dial_say(&d, KIND_LCP, PPP_TERM_REQ, DIR_UP, "User request"); /* said twice */
	dial_say(&d, KIND_LCP, PPP_TERM_ACK, DIR_DOWN, NULL);
	dial_wait(&d, S / 10);
	dial_say(&d, KIND_PPPOE, PADT, DIR_DOWN, NULL);
	dial_say(&d, KIND_PPPOE, PADT, DIR_UP, NULL);
	dial_wait(&d, 100 * S);
	assert_down(CAUSE_CPE_TERM, at);
}

static void term_ack_alone(void **state)
{
	(void)state;
	dial_wait(&d, 60 * S);
	dial_say(&d, KIND_LCP, PPP_TERM_ACK, DIR_DOWN, NULL); /* the request was not captured */
	const struct dial_news *news = dial_only_news(&d);
	assert_int_equal(news->news.kind, SESSION_DOWN);
}

static void padt_with_a_reason(void **state)
{
	(void)state;
	dial_wait(&d, 60 * S);
	dial_say(&d, KIND_PPPOE, PADT, DIR_DOWN, "disconnected by operator");
	assert_string_equal(d.news[0].text, "disconnected by operator");
	assert_down(CAUSE_ADMIN, d.now_ns);
}

static void idle_timeout(void **state)
{
	(void)state;
	dial_wait(&d, 60 * S);
	dial_say(&d, KIND_LCP, PPP_TERM_REQ, DIR_DOWN, "Idle timeout");
	assert_down(CAUSE_IDLE_TIMEOUT, d.now_ns);
}

static void session_timeout_in_words(void **state)
{
	(void)state;
	dial_wait(&d, 7200 * S);
	dial_say(&d, KIND_PPPOE, PADT, DIR_DOWN, "Session Timeout");
	assert_down(CAUSE_SESSION_TIMEOUT, d.now_ns);
}

/* 20 providers cut the line every 24 h, to within two minutes. */
static void session_timeout_by_the_clock(void **state)
{
	static const int64_t slack_s[] = {-119, 0, 119};
	(void)state;
	for (size_t i = 0; i < 3; i++)
		for (uint64_t days = 1; days <= 3; days++) {
			if (d.subject.n_sessions > 1)
				stop(NULL), start(NULL);
			dial_data(&d);
			dial_wait(&d, (uint64_t)((int64_t)(days * 86400) + slack_s[i]) * S);
			dial_data(&d);
			dial_say(&d, KIND_PPPOE, PADT, DIR_DOWN, NULL);
			assert_down(CAUSE_SESSION_TIMEOUT, d.now_ns);
			stop(NULL), start(NULL);
		}
	dial_wait(&d, (86400 - 600) * S);
	dial_say(&d, KIND_PPPOE, PADT, DIR_DOWN, NULL);
	assert_int_not_equal(dial_only_news(&d)->news.cause, CAUSE_SESSION_TIMEOUT);
}

/* The BRAS gives up after unanswered echoes: the line was gone since its last frame. */
static void keepalive_timeout(void **state)
{
	(void)state;
	dial_data(&d);
	uint64_t last = d.now_ns;
	dial_wait(&d, 20 * S);
	dial_say(&d, KIND_PPPOE, PADT, DIR_DOWN, "LCP keepalive timeout");
	assert_down(CAUSE_LINE_LOST, last);
}

static void echo_missed_then_padt(void **state)
{
	(void)state;
	dial_data(&d);
	uint64_t last = d.now_ns;
	dial_wait(&d, 5 * S);
	dial_lcp(&d, PPP_ECHO_REQ, DIR_DOWN, DIAL_MAGIC_AC);
	dial_wait(&d, 4 * S);
	dial_expect(&d, SESSION_SUSPECT, CAUSE_NONE);
	dial_say(&d, KIND_PPPOE, PADT, DIR_DOWN, NULL);
	assert_down(CAUSE_LINE_LOST, last);
}

static void goodbye_of_another_session(void **state)
{
	(void)state;
	d.id = 0x4321;
	dial_say(&d, KIND_PPPOE, PADT, DIR_DOWN, NULL);
	dial_say(&d, KIND_LCP, PPP_TERM_REQ, DIR_UP, NULL);
	dial_expect_nothing(&d);
	assert_int_equal(subject_state(&d.subject), LINE_UP);
}

/* --- nobody says goodbye ------------------------------------------------------------------------------ */

/* The modem lost power: it dials again without a word. */
static void redial_over_a_live_session(void **state)
{
	(void)state;
	dial_data(&d);
	uint64_t last = d.now_ns;
	dial_wait(&d, 90 * S);
	dial_say(&d, KIND_PPPOE, PADI, DIR_UP, NULL);
	assert_down(CAUSE_LINE_LOST, last);
	dial_say(&d, KIND_PPPOE, PADI, DIR_UP, NULL);
	dial_expect_nothing(&d);
}

static void three_echoes_missed(void **state)
{
	(void)state;
	dial_data(&d);
	uint64_t last = d.now_ns;
	dial_wait(&d, 10 * S);
	for (int i = 0; i < 3; i++) {
		uint64_t asked = d.now_ns;
		dial_lcp(&d, PPP_ECHO_REQ, DIR_DOWN, DIAL_MAGIC_AC);
		dial_wait(&d, 10 * S);
		if (i == 0) {
			const struct dial_news *news = dial_expect(&d, SESSION_SUSPECT, CAUSE_NONE);
			assert_int_equal(news->at_ns, asked + 3 * S);
			assert_int_equal(news->news.down_since_ns, last);
			assert_int_equal(subject_state(&d.subject), LINE_SUSPECT);
		} else if (i == 1) {
			dial_expect_nothing(&d);
		}
	}
	assert_down(CAUSE_LINE_LOST, last);
}

/* A BRAS that asks more often than every three seconds is not answered just as little. */
static void echoes_in_quick_succession(void **state)
{
	(void)state;
	dial_data(&d);
	uint64_t last = d.now_ns;
	for (int i = 0; i < 10; i++) {
		dial_lcp(&d, PPP_ECHO_REQ, DIR_DOWN, DIAL_MAGIC_AC);
		dial_wait(&d, 2 * S);
	}
	assert_true(d.n >= 1);
	assert_int_equal(d.news[0].news.kind, SESSION_SUSPECT);
	assert_true(d.news[0].at_ns <= last + 5 * S);
	d.news[0] = d.news[d.n - 1];
	d.n = 1;
	assert_down(CAUSE_LINE_LOST, last);
}

static void echo_answered(void **state)
{
	(void)state;
	for (int i = 0; i < 100; i++) {
		dial_lcp(&d, PPP_ECHO_REQ, DIR_DOWN, DIAL_MAGIC_AC);
		dial_wait(&d, S / 100);
		dial_lcp(&d, PPP_ECHO_REP, DIR_UP, DIAL_MAGIC_CPE);
		dial_upstream(&d);
		dial_wait(&d, 30 * S);
	}
	dial_expect_nothing(&d);
}

/* An adaptive BRAS does not ask while there is traffic: no echo is no evidence. */
static void idle_is_not_down(void **state)
{
	(void)state;
	dial_wait(&d, 40000 * S);
	dial_expect_nothing(&d);
	assert_int_equal(subject_state(&d.subject), LINE_UP);
}

static void recovered(void **state)
{
	(void)state;
	dial_lcp(&d, PPP_ECHO_REQ, DIR_DOWN, DIAL_MAGIC_AC);
	dial_wait(&d, 5 * S);
	dial_expect(&d, SESSION_SUSPECT, CAUSE_NONE);
	dial_upstream(&d);
	dial_expect(&d, SESSION_RECOVERED, CAUSE_NONE);
	assert_int_equal(subject_state(&d.subject), LINE_UP);
	for (int i = 0; i < 2; i++) { /* the one missed before counts no more */
		dial_lcp(&d, PPP_ECHO_REQ, DIR_DOWN, DIAL_MAGIC_AC);
		dial_wait(&d, 5 * S);
	}
	dial_expect(&d, SESSION_SUSPECT, CAUSE_NONE);
}

static void unanswered_demand(void **state)
{
	(void)state;
	dial_data(&d);
	uint64_t last = d.now_ns;
	dial_wait(&d, 8 * S);
	dial_unanswered(&d);
	const struct dial_news *news = dial_expect(&d, SESSION_SUSPECT, CAUSE_NONE);
	assert_int_equal(news->news.down_since_ns, last);
	dial_wait(&d, 29 * S);
	dial_expect_nothing(&d);
	dial_wait(&d, 2 * S);
	assert_down(CAUSE_LINE_LOST, last);
}

static void unanswered_then_answered(void **state)
{
	(void)state;
	dial_wait(&d, 8 * S);
	dial_unanswered(&d);
	dial_expect(&d, SESSION_SUSPECT, CAUSE_NONE);
	dial_wait(&d, 20 * S);
	dial_upstream(&d);
	dial_expect(&d, SESSION_RECOVERED, CAUSE_NONE);
	dial_wait(&d, 100 * S);
	dial_expect_nothing(&d);
}

/* The BRAS is silent: that the line speaks is no news, and whoever hangs up then, it was first. */
static void a_silent_bras(void **state)
{
	uint64_t since = d.now_ns;
	(void)state;
	dial_wait(&d, 5 * S);
	dial_bras_silent(&d, since);
	const struct dial_news *news = dial_expect(&d, SESSION_SUSPECT, CAUSE_NAS_FAULT);
	assert_int_equal(news->news.down_since_ns, since);
	dial_upstream(&d);
	dial_wait(&d, 60 * S);
	dial_expect_nothing(&d);
	dial_lcp(&d, PPP_TERM_REQ, DIR_UP, 0);
	assert_down(CAUSE_NAS_FAULT, since);
}

static void a_bras_that_speaks_again(void **state)
{
	(void)state;
	dial_bras_silent(&d, d.now_ns - S);
	dial_expect(&d, SESSION_SUSPECT, CAUSE_NAS_FAULT);
	dial_wait(&d, 20 * S);
	dial_lcp(&d, PPP_ECHO_REQ, DIR_DOWN, DIAL_MAGIC_AC);
	dial_expect(&d, SESSION_RECOVERED, CAUSE_NONE);
	dial_upstream(&d);
	dial_lcp(&d, PPP_TERM_REQ, DIR_UP, 0);
	dial_expect(&d, SESSION_DOWN, CAUSE_CPE_TERM);
}

/* Echoes that were open when the tap went blind, and the time that nobody saw, count nothing. */
static void what_nobody_saw(void **state)
{
	(void)state;
	dial_lcp(&d, PPP_ECHO_REQ, DIR_DOWN, DIAL_MAGIC_AC);
	dial_blind(&d, 100 * S);
	dial_wait(&d, 10 * S);
	dial_expect_nothing(&d);
	dial_unanswered(&d);
	dial_expect(&d, SESSION_SUSPECT, CAUSE_NONE);
	dial_wait(&d, 10 * S);
	dial_blind(&d, 100 * S);
	dial_wait(&d, 19 * S);
	dial_expect_nothing(&d);
	dial_wait(&d, 2 * S);
	dial_expect(&d, SESSION_DOWN, CAUSE_LINE_LOST);
}

/* The end was inferred from silence, and the line speaks again in the same session. */
static void inferred_end_is_taken_back(void **state)
{
	(void)state;
	dial_wait(&d, 8 * S);
	dial_unanswered(&d);
	dial_wait(&d, 40 * S);
	assert_int_equal(subject_state(&d.subject), LINE_DOWN);
	d.n = 0;
	dial_upstream(&d);
	dial_expect(&d, SESSION_RECOVERED, CAUSE_NONE);
	assert_int_equal(subject_state(&d.subject), LINE_UP);
	const struct report_session *told = &subject_find(&d.subject, 0x1234, true)->told;
	assert_int_equal(told->cause, CAUSE_NONE);
	assert_true(told->down_unix_ns == REPORT_ABSENT);
	assert_int_equal(d.subject.sessions_total, 1);
}

/* One that ended with a goodbye is not revived by frames that were still under way. */
static void a_goodbye_is_final(void **state)
{
	(void)state;
	dial_say(&d, KIND_PPPOE, PADT, DIR_UP, NULL);
	d.n = 0;
	dial_data(&d);
	dial_upstream(&d);
	dial_lcp(&d, PPP_ECHO_REP, DIR_UP, DIAL_MAGIC_CPE);
	dial_expect_nothing(&d);
	assert_int_equal(subject_state(&d.subject), LINE_DOWN);
}

/* --- loopback ---------------------------------------------------------------------------------------- */

static void own_magic_comes_back(void **state)
{
	(void)state;
	dial_lcp(&d, PPP_ECHO_REQ, DIR_DOWN, DIAL_MAGIC_AC);
	dial_lcp(&d, PPP_ECHO_REQ, DIR_UP, DIAL_MAGIC_AC); /* the very frame */
	dial_wait(&d, S);
	dial_say(&d, KIND_PPPOE, PADT, DIR_DOWN, NULL);
	assert_int_equal(dial_only_news(&d)->news.cause, CAUSE_LOOPBACK);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(padt_from_the_cpe, start, stop),
		cmocka_unit_test_setup_teardown(term_req_from_the_cpe, start, stop),
		cmocka_unit_test_setup_teardown(term_ack_alone, start, stop),
		cmocka_unit_test_setup_teardown(padt_with_a_reason, start, stop),
		cmocka_unit_test_setup_teardown(idle_timeout, start, stop),
		cmocka_unit_test_setup_teardown(session_timeout_in_words, start, stop),
		cmocka_unit_test_setup_teardown(session_timeout_by_the_clock, start, stop),
		cmocka_unit_test_setup_teardown(keepalive_timeout, start, stop),
		cmocka_unit_test_setup_teardown(echo_missed_then_padt, start, stop),
		cmocka_unit_test_setup_teardown(goodbye_of_another_session, start, stop),
		cmocka_unit_test_setup_teardown(redial_over_a_live_session, start, stop),
		cmocka_unit_test_setup_teardown(three_echoes_missed, start, stop),
		cmocka_unit_test_setup_teardown(echoes_in_quick_succession, start, stop),
		cmocka_unit_test_setup_teardown(echo_answered, start, stop),
		cmocka_unit_test_setup_teardown(idle_is_not_down, start, stop),
		cmocka_unit_test_setup_teardown(recovered, start, stop),
		cmocka_unit_test_setup_teardown(unanswered_demand, start, stop),
		cmocka_unit_test_setup_teardown(unanswered_then_answered, start, stop),
		cmocka_unit_test_setup_teardown(a_silent_bras, start, stop),
		cmocka_unit_test_setup_teardown(a_bras_that_speaks_again, start, stop),
		cmocka_unit_test_setup_teardown(what_nobody_saw, start, stop),
		cmocka_unit_test_setup_teardown(inferred_end_is_taken_back, start, stop),
		cmocka_unit_test_setup_teardown(a_goodbye_is_final, start, stop),
		cmocka_unit_test_setup_teardown(own_magic_comes_back, start, stop),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
