/* SPDX-License-Identifier: BSD-3-Clause */
/* The whole page in both languages, as text beside this file; and what it must never do. */
#include "engine/match/card_text.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "engine/match/score.h"
#include "proto/utf8.h"
#include "tests/engine/match/fixture.h"

#define FOLDER "tests/engine/match/card_text/"
#define RLM    "\xE2\x80\x8F"

static char *page;

static int tear_down(void **state)
{
	(void)state;
	free(page);
	page = NULL;
	fixture_free();
	return 0;
}

static const Rasad__V1__SubscriberCard *full_card(void)
{
	return healthy_card(
		",'service':'VDSL','plan_down_kbps':16384,'snr_db':8,'attenuation_db':31.5,"
		"'line_sample_unix_ns':%T(-4),'last_down_unix_ns':%T(-8884),'last_down_cause':'CPE_TERM',"
		"'flaps_24h':2,'peak_down_kbps':15700,'peak_unix_ns':%T(-22),'exchange':'Tehran-3',"
		"'node':'DSLAM-1','card':'3','cabinet':'K-12','open_ticket':'T-4711',"
		"'usual':{'rtt_line_us':8000,'rtt_access_us':11000,'rtt_internet_us':42000,"
		"'peak_down_kbps':16000,'line_rate_down':17000},"
		"'summary':{'line':'DSLAM-1 eth 0/1/3:7','subscriber':'u7@isp.test','state':'UP',"
		"'line_rate_down':16800,'last_upstream_unix_ns':%T(-0.1)},"
		"'strip':['OK','OK','SLOW','JITTER','DOWN','UNKNOWN','OK'],"
		"'changes':[{'unix_ns':%T(-3000),'what':'cpe','before':'Huawei','after':'TP-Link'},"
		"{'unix_ns':%T(-60),'what':'line_rate','before':'17000','after':'16800'}]");
}

static Rasad__V1__CallMatch *answer(const Rasad__V1__SubscriberCard *card, const char *complaint)
{
	char call[160];

	snprintf(call, sizeof(call),
		 "{'call_id':'c1','unix_ns':%%T(0),'phone':'02188776655','complaint':'%s'}",
		 complaint);
	struct score_input input = {.call = call_of(call),
				    .card = card,
				    .now_unix_ns = NOW_NS,
				    .wall_unix_ms = NOW_NS / 1000000};
	return kept(score_call(&input));
}

static const char *text_of(const Rasad__V1__SubscriberCard *card, const Rasad__V1__CallMatch *match,
			   enum text_language language, bool with_hypotheses)
{
	struct card_text_options options = {
		.language = language, .now_unix_ns = NOW_NS, .wall_unix_ms = NOW_NS / 1000000};
	size_t n;

	free(page);
	FILE *out = open_memstream(&page, &n);
	if (card)
		card_text(out, card, match, &options);
	if (with_hypotheses)
		match_text(out, match, &options);
	fclose(out);
	assert_true(utf8_is_valid(page, n));
	return page;
}

static void is_as_in(const char *name, const char *text)
{
	char path[128], expected[16384] = "";

	snprintf(path, sizeof(path), FOLDER "%s.txt", name);
	FILE *file = fopen(path, "r");
	if (file) {
		expected[fread(expected, 1, sizeof(expected) - 1, file)] = 0;
		fclose(file);
	}
	if (strcmp(text, expected) != 0) {
		fprintf(stderr, "%s", text); /* longer than cmocka's messages may be */
		fail_msg("%s differs from this", path);
	}
}

static void pages_are_as_in_the_files(void **state)
{
	(void)state;
	const Rasad__V1__SubscriberCard *card = full_card(), *down = down_card(20, "");

	is_as_in("card_en", text_of(card, answer(card, "SLOW"), TEXT_EN, false));
	is_as_in("card_fa", text_of(card, answer(card, "SLOW"), TEXT_FA, false));
	is_as_in("verdict_en", text_of(NULL, answer(down, "OUTAGE"), TEXT_EN, true));
	is_as_in("verdict_fa", text_of(NULL, answer(down, "OUTAGE"), TEXT_FA, true));
}

/* Each Persian line is right-to-left from its start, and no isolate stays open over a line's end. */
static void lines_keep_their_direction(void **state)
{
	(void)state;
	const Rasad__V1__SubscriberCard *card = full_card();
	char *text = strdup(text_of(card, answer(card, "PING"), TEXT_FA, true));

	for (char *line = strtok(text, "\n"); line; line = strtok(NULL, "\n")) {
		int depth = 0;
		assert_true(!strncmp(line, RLM, strlen(RLM)));
		for (const char *c = line; *c; c++) {
			depth += !strncmp(c, "\u2068", 3) || !strncmp(c, "\u2066", 3);
			depth -= !strncmp(c, "\u2069", 3);
			assert_true(depth >= 0);
		}
		assert_int_equal(depth, 0);
	}
	free(text);
}

static void an_ended_card_says_so(void **state)
{
	(void)state;
	Rasad__V1__SubscriberCard *card = healthy_card("");

	assert_null(strstr(text_of(card, NULL, TEXT_EN, false), "unavailable"));
	card->valid_until_unix_ms = 1;
	assert_non_null(strstr(text_of(card, NULL, TEXT_EN, false), "monitoring is unavailable"));
	Rasad__V1__SubscriberCard empty = RASAD__V1__SUBSCRIBER_CARD__INIT;
	assert_non_null(strstr(text_of(&empty, NULL, TEXT_EN, false), "latency: not measured"));
	assert_non_null(
		strstr(text_of(&empty, NULL, TEXT_FA, false), "اندازه‌گیری نشده"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_teardown(pages_are_as_in_the_files, tear_down),
		cmocka_unit_test_teardown(lines_keep_their_direction, tear_down),
		cmocka_unit_test_teardown(an_ended_card_says_so, tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
