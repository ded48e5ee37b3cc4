/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * How a session begins, or does not: set-up with its times, each stage that can get stuck, refusals,
 * ids that are used again, and several sessions on one line (algorithms.md 2.0, 2.1.1).
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

static int start(void **state)
{
	(void)state;
	dial_start(&d);
	return 0;
}

static int stop(void **state)
{
	(void)state;
	dial_stop(&d);
	return 0;
}

static const struct report_session *told(uint16_t id)
{
	const struct session *session = subject_find(&d.subject, id, true);
	assert_non_null(session);
	return &session->told;
}

static void assert_setup_failed(enum setup_stage stage, enum drop_cause cause, uint64_t at_ns)
{
	const struct dial_news *news = dial_expect(&d, SESSION_SETUP_FAILED, cause);
	assert_int_equal(news->news.stage, stage);
	assert_int_equal(news->at_ns, at_ns);
	assert_int_equal(d.subject.setup_failures, 1);
	dial_wait(&d, 1000 * S);
	dial_expect_nothing(&d);
}

/* --- it works ------------------------------------------------------------------------------------------ */

static void from_padi_to_up(void **state)
{
	(void)state;
	uint64_t padi = d.now_ns;
	dial_up(&d, 0x1234);
	const struct dial_news *news = dial_expect(&d, SESSION_UP, CAUSE_NONE);
	assert_int_equal(news->at_ns, d.now_ns);
	assert_int_equal(news->news.pppoe_session_id, 0x1234);
	assert_int_equal(news->news.setup_ms, (int64_t)((d.now_ns - padi) / 1000000));
	assert_int_equal(told(0x1234)->pads_unix_ns, padi + 3 * S / 10);
	assert_int_equal(told(0x1234)->up_unix_ns, d.now_ns);
	assert_int_equal(subject_state(&d.subject), LINE_UP);
	assert_int_equal(d.subject.n_ipv4, 1);
	assert_memory_equal(d.subject.ipv4[0].bytes, ((uint8_t[]){100, 64, 1, 1}), 4);
	dial_wait(&d, 1000 * S);
	dial_expect_nothing(&d);
}

static void ipv6_alone_is_up_too(void **state)
{
	(void)state;
	dial_discovery(&d, 5);
	dial_lcp(&d, PPP_CONF_REQ, DIR_DOWN, DIAL_MAGIC_AC);
	dial_say(&d, KIND_CHAP, CHAP_RESPONSE, DIR_UP, NULL);
	dial_say(&d, KIND_CHAP, CHAP_SUCCESS, DIR_DOWN, NULL);
	dial_say(&d, KIND_IPV6CP, PPP_CONF_REQ, DIR_UP, NULL);
	dial_say(&d, KIND_IPV6CP, PPP_CONF_ACK, DIR_DOWN, NULL);
	dial_say(&d, KIND_IPV6CP, PPP_CONF_ACK, DIR_UP, NULL);
	dial_expect(&d, SESSION_UP, CAUSE_NONE);
	dial_say(&d, KIND_IPCP, PPP_CONF_ACK, DIR_DOWN, NULL); /* the other protocol follows */
	dial_expect_nothing(&d);
}

/* Joined mid-stream: up, since when nobody knows. */
static void joined_mid_stream(void **state)
{
	(void)state;
	d.id = 9;
	dial_data(&d);
	const struct dial_news *news = dial_expect(&d, SESSION_UP, CAUSE_NONE);
	assert_true(news->news.setup_ms == REPORT_ABSENT);
	assert_true(told(9)->pads_unix_ns == REPORT_ABSENT);
	assert_int_equal(told(9)->first_seen_unix_ns, d.now_ns);
	dial_wait(&d, 1000 * S);
	dial_data(&d);
	dial_expect_nothing(&d);
}

static void joined_by_an_echo(void **state)
{
	(void)state;
	d.id = 9;
	dial_lcp(&d, PPP_ECHO_REQ, DIR_DOWN, DIAL_MAGIC_AC);
	dial_expect(&d, SESSION_UP, CAUSE_NONE);
}

static void pads_twice(void **state)
{
	(void)state;
	dial_discovery(&d, 7);
	dial_say(&d, KIND_PPPOE, PADS, DIR_DOWN, NULL);
	dial_negotiation(&d);
	dial_expect(&d, SESSION_UP, CAUSE_NONE);
	assert_int_equal(d.subject.sessions_total, 1);
}

static void pads_not_captured(void **state)
{
	(void)state;
	dial_discovery(&d, 7);
	stop(NULL), start(NULL);
	dial_say(&d, KIND_PPPOE, PADI, DIR_UP, NULL);
	dial_say(&d, KIND_PPPOE, PADO, DIR_DOWN, NULL);
	dial_say(&d, KIND_PPPOE, PADR, DIR_UP, NULL);
	d.id = 7;
	dial_negotiation(&d);
	const struct dial_news *news = dial_expect(&d, SESSION_UP, CAUSE_NONE);
	assert_int_equal(news->news.setup_ms, (int64_t)((d.now_ns - DIAL_START) / 1000000));
	dial_wait(&d, 100 * S);
	dial_expect_nothing(&d);
	assert_int_equal(d.subject.setup_failures, 0);
}

/* All of the answers were missed; the first that is seen of the session is its traffic. */
static void whole_set_up_not_captured(void **state)
{
	(void)state;
	dial_say(&d, KIND_PPPOE, PADI, DIR_UP, NULL);
	dial_say(&d, KIND_PPPOE, PADR, DIR_UP, NULL);
	dial_wait(&d, S);
	d.id = 7;
	dial_data(&d);
	dial_expect(&d, SESSION_UP, CAUSE_NONE);
	dial_wait(&d, 100 * S);
	dial_expect_nothing(&d); /* and not a set-up that failed */
	assert_int_equal(d.subject.setup_failures, 0);
}

/* Both concentrators offer; the CPE takes one. */
static void two_offers(void **state)
{
	(void)state;
	dial_say(&d, KIND_PPPOE, PADI, DIR_UP, NULL);
	dial_say(&d, KIND_PPPOE, PADO, DIR_DOWN, NULL);
	d.ac = 3;
	dial_say(&d, KIND_PPPOE, PADO, DIR_DOWN, NULL);
	dial_say(&d, KIND_PPPOE, PADR, DIR_UP, NULL);
	d.id = 11;
	dial_say(&d, KIND_PPPOE, PADS, DIR_DOWN, NULL);
	dial_negotiation(&d);
	dial_expect(&d, SESSION_UP, CAUSE_NONE);
	assert_int_equal(d.subject.sessions_total, 1);
}

/* --- it does not --------------------------------------------------------------------------------------- */

static void no_offer(void **state)
{
	(void)state;
	uint64_t first = d.now_ns;
	for (int i = 0; i < 4; i++) { /* saying it again is no progress */
		dial_say(&d, KIND_PPPOE, PADI, DIR_UP, NULL);
		dial_wait(&d, 4 * S);
	}
	assert_setup_failed(STAGE_PADI_NO_PADO, CAUSE_UNKNOWN, first + 15 * S);
	assert_int_equal(subject_state(&d.subject), LINE_DOWN);
}

static void no_pads(void **state)
{
	(void)state;
	dial_say(&d, KIND_PPPOE, PADI, DIR_UP, NULL);
	dial_say(&d, KIND_PPPOE, PADO, DIR_DOWN, NULL);
	dial_wait(&d, 10 * S);
	dial_say(&d, KIND_PPPOE, PADR, DIR_UP, NULL);
	uint64_t at = d.now_ns;
	dial_wait(&d, 20 * S);
	assert_setup_failed(STAGE_PADR_NO_PADS, CAUSE_UNKNOWN, at + 15 * S);
}

static void pads_refuses(void **state)
{
	(void)state;
	dial_say(&d, KIND_PPPOE, PADI, DIR_UP, NULL);
	dial_say(&d, KIND_PPPOE, PADO, DIR_DOWN, NULL);
	dial_say(&d, KIND_PPPOE, PADR, DIR_UP, NULL);
	d.id = 0;
	dial_say(&d, KIND_PPPOE, PADS, DIR_DOWN, "no resources");
	assert_string_equal(d.news[0].text, "no resources");
	assert_setup_failed(STAGE_PADR_NO_PADS, CAUSE_RESOURCE, d.now_ns);
}

static void lcp_gets_stuck(void **state)
{
	(void)state;
	dial_discovery(&d, 7);
	uint64_t pads = d.now_ns - S / 10;
	for (int i = 0; i < 5; i++) {
		dial_lcp(&d, PPP_CONF_REQ, DIR_DOWN, DIAL_MAGIC_AC);
		dial_wait(&d, 4 * S);
	}
	assert_setup_failed(STAGE_LCP, CAUSE_UNKNOWN, pads + 15 * S);
	assert_int_equal(told(7)->failed_stage, STAGE_LCP);
	assert_true(told(7)->up_unix_ns == REPORT_ABSENT);
}

static void authentication_gets_no_answer(void **state)
{
	(void)state;
	dial_discovery(&d, 7);
	dial_lcp(&d, PPP_CONF_ACK, DIR_UP, 0);
	dial_wait(&d, S);
	dial_say(&d, KIND_PAP, PAP_REQ, DIR_UP, NULL);
	uint64_t asked = d.now_ns;
	for (int i = 0; i < 6; i++) {
		dial_wait(&d, 3 * S);
		dial_say(&d, KIND_PAP, PAP_REQ, DIR_UP, NULL);
	}
	assert_setup_failed(STAGE_AUTH_SILENT, CAUSE_UNKNOWN, asked + 15 * S);
}

static void rejected(uint8_t kind, uint8_t asked, uint8_t answer)
{
	stop(NULL), start(NULL);
	dial_discovery(&d, 7);
	dial_say(&d, kind, asked, DIR_UP, NULL);
	dial_wait(&d, S / 10);
	dial_say(&d, kind, answer, DIR_DOWN, "Login incorrect");
	uint64_t at = d.now_ns;
	assert_string_equal(d.news[0].text, "Login incorrect");
	dial_wait(&d, S / 10);
	dial_say(&d, KIND_LCP, PPP_TERM_REQ, DIR_DOWN, NULL);
	dial_say(&d, KIND_PPPOE, PADT, DIR_DOWN, NULL);
	assert_setup_failed(STAGE_AUTH_REJECT, CAUSE_AUTH_FAIL, at);
	assert_int_equal(told(7)->cause, CAUSE_AUTH_FAIL);
	assert_int_equal(d.subject.auth_failures, 1);
	assert_int_equal(subject_state(&d.subject), LINE_DOWN);
}

static void authentication_rejected(void **state)
{
	(void)state;
	rejected(KIND_PAP, PAP_REQ, PAP_NAK);
	rejected(KIND_CHAP, CHAP_RESPONSE, CHAP_FAILURE);
}

static void no_address(void **state)
{
	(void)state;
	dial_discovery(&d, 7);
	dial_say(&d, KIND_PAP, PAP_REQ, DIR_UP, NULL);
	dial_say(&d, KIND_PAP, PAP_ACK, DIR_DOWN, NULL);
	uint64_t at = d.now_ns;
	dial_wait(&d, S);
	for (int i = 0; i < 6; i++) {
		dial_say(&d, KIND_IPCP, PPP_CONF_REQ, DIR_UP, NULL);
		dial_say(&d, KIND_IPCP, PPP_CONF_NAK, DIR_DOWN, NULL);
		dial_wait(&d, 3 * S);
	}
	assert_setup_failed(STAGE_NCP, CAUSE_RESOURCE, at + 15 * S);
}

/* Torn down half way: one failure, at the stage that was reached. */
static void torn_down_half_way(void **state)
{
	(void)state;
	dial_discovery(&d, 7);
	dial_say(&d, KIND_PPPOE, PADT, DIR_DOWN, "config error");
	assert_string_equal(d.news[0].text, "config error");
	assert_setup_failed(STAGE_LCP, CAUSE_UNKNOWN, d.now_ns);
}

static void slow_but_steady(void **state)
{
	(void)state;
	dial_say(&d, KIND_PPPOE, PADI, DIR_UP, NULL);
	dial_wait(&d, 14 * S);
	dial_say(&d, KIND_PPPOE, PADO, DIR_DOWN, NULL);
	dial_wait(&d, 14 * S);
	dial_say(&d, KIND_PPPOE, PADR, DIR_UP, NULL);
	dial_wait(&d, 14 * S);
	d.id = 7;
	dial_say(&d, KIND_PPPOE, PADS, DIR_DOWN, NULL);
	dial_wait(&d, 14 * S);
	dial_say(&d, KIND_PAP, PAP_REQ, DIR_UP, NULL);
	dial_wait(&d, 14 * S);
	dial_say(&d, KIND_PAP, PAP_ACK, DIR_DOWN, NULL);
	dial_wait(&d, 14 * S);
	dial_say(&d, KIND_IPCP, PPP_CONF_ACK, DIR_UP, NULL);
	dial_say(&d, KIND_IPCP, PPP_CONF_ACK, DIR_DOWN, NULL);
	dial_expect(&d, SESSION_UP, CAUSE_NONE);
}

/* --- again, and others ------------------------------------------------------------------------------------ */

static void session_id_used_again(void **state)
{
	(void)state;
	dial_up(&d, 7);
	dial_wait(&d, 60 * S);
	d.n = 0;
	dial_say(&d, KIND_PPPOE, PADS, DIR_DOWN, NULL); /* its PADI was not captured */
	const struct dial_news *news = dial_expect(&d, SESSION_DOWN, CAUSE_REPLACED);
	assert_int_equal(news->news.pppoe_session_id, 7);
	dial_negotiation(&d);
	dial_expect(&d, SESSION_UP, CAUSE_NONE);
	assert_int_equal(d.subject.sessions_total, 2);
	assert_int_equal(subject_state(&d.subject), LINE_UP);
}

static void session_id_used_again_after_an_end(void **state)
{
	(void)state;
	for (uint32_t i = 1; i <= 5; i++) {
		dial_up(&d, 7);
		dial_expect(&d, SESSION_UP, CAUSE_NONE);
		dial_wait(&d, 60 * S);
		dial_say(&d, KIND_PPPOE, PADT, DIR_UP, NULL);
		dial_expect(&d, SESSION_DOWN, CAUSE_CPE_TERM);
		dial_wait(&d, 60 * S);
		assert_int_equal(d.subject.sessions_total, i);
	}
}

/* A new session of the same CPE: the old one is over, whatever the cause is called. */
static void another_id_for_the_same_cpe(void **state)
{
	(void)state;
	dial_up(&d, 7);
	dial_wait(&d, 60 * S);
	d.n = 0;
	d.id = 8;
	dial_say(&d, KIND_PPPOE, PADS, DIR_DOWN, NULL);
	const struct dial_news *news = dial_only_news(&d);
	assert_int_equal(news->news.kind, SESSION_DOWN);
	assert_int_equal(news->news.pppoe_session_id, 7);
	assert_true(news->news.cause == CAUSE_REPLACED || news->news.cause == CAUSE_LINE_LOST);
}

static void second_router(uint16_t first_id, uint16_t second_id)
{
	dial_up(&d, first_id);
	dial_expect(&d, SESSION_UP, CAUSE_NONE);
	dial_wait(&d, 60 * S);
	d.cpe = 9;
	dial_up(&d, second_id);
}

/* Two routers behind one line: neither ends the other. */
static void two_routers(void **state)
{
	(void)state;
	second_router(7, 8);
	dial_expect(&d, SESSION_UP, CAUSE_NONE);
	dial_wait(&d, 60 * S);
	dial_say(&d, KIND_PPPOE, PADT, DIR_UP, NULL); /* of the second */
	dial_expect(&d, SESSION_DOWN, CAUSE_CPE_TERM);
	assert_int_equal(subject_state(&d.subject), LINE_UP); /* the first still is */
	assert_non_null(subject_find(&d.subject, 7, false));
}

/* An id that is used again ends that session, not its neighbour. */
static void reuse_spares_the_other_router(void **state)
{
	(void)state;
	second_router(7, 8);
	dial_wait(&d, 60 * S);
	d.n = 0;
	dial_say(&d, KIND_PPPOE, PADS, DIR_DOWN, NULL); /* id 8 again, for the second router */
	const struct dial_news *news = dial_expect(&d, SESSION_DOWN, CAUSE_REPLACED);
	assert_int_equal(news->news.pppoe_session_id, 8);
	assert_non_null(subject_find(&d.subject, 7, false));
}

/* The key has both MACs in it (2.0): two concentrators may give the same number. */
static void same_id_from_two_concentrators(void **state)
{
	(void)state;
	dial_up(&d, 7);
	dial_wait(&d, 60 * S);
	d.n = 0;
	d.cpe = 9;
	d.ac = 3;
	dial_discovery(&d, 7);
	dial_expect_nothing(&d);
	assert_int_equal(subject_state(&d.subject), LINE_UP);
	dial_negotiation(&d);
	dial_expect(&d, SESSION_UP, CAUSE_NONE);
	assert_int_equal(d.subject.sessions_total, 2);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(from_padi_to_up, start, stop),
		cmocka_unit_test_setup_teardown(ipv6_alone_is_up_too, start, stop),
		cmocka_unit_test_setup_teardown(joined_mid_stream, start, stop),
		cmocka_unit_test_setup_teardown(joined_by_an_echo, start, stop),
		cmocka_unit_test_setup_teardown(pads_twice, start, stop),
		cmocka_unit_test_setup_teardown(pads_not_captured, start, stop),
		cmocka_unit_test_setup_teardown(whole_set_up_not_captured, start, stop),
		cmocka_unit_test_setup_teardown(two_offers, start, stop),
		cmocka_unit_test_setup_teardown(no_offer, start, stop),
		cmocka_unit_test_setup_teardown(no_pads, start, stop),
		cmocka_unit_test_setup_teardown(pads_refuses, start, stop),
		cmocka_unit_test_setup_teardown(lcp_gets_stuck, start, stop),
		cmocka_unit_test_setup_teardown(authentication_gets_no_answer, start, stop),
		cmocka_unit_test_setup_teardown(authentication_rejected, start, stop),
		cmocka_unit_test_setup_teardown(no_address, start, stop),
		cmocka_unit_test_setup_teardown(torn_down_half_way, start, stop),
		cmocka_unit_test_setup_teardown(slow_but_steady, start, stop),
		cmocka_unit_test_setup_teardown(session_id_used_again, start, stop),
		cmocka_unit_test_setup_teardown(session_id_used_again_after_an_end, start, stop),
		cmocka_unit_test_setup_teardown(another_id_for_the_same_cpe, start, stop),
		cmocka_unit_test_setup_teardown(two_routers, start, stop),
		cmocka_unit_test_setup_teardown(reuse_spares_the_other_router, start, stop),
		cmocka_unit_test_setup_teardown(same_id_from_two_concentrators, start, stop),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
