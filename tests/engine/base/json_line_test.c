/* SPDX-License-Identifier: BSD-3-Clause */
/* One flat object of JSON, member by member: what RFC 8259 allows, and what it does not. */
#include "engine/base/json_line.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { MEMBERS_MAX = 16 };

/* What was read. The line lies in memory of just its size, so that nothing behind it is touched. */
struct reading {
	char *line;
	enum json_kind kinds[MEMBERS_MAX], last;
	struct json_member members[MEMBERS_MAX];
	int n;
	const char *wrong;
};

static struct reading read_bytes(const char *bytes, size_t length)
{
	struct reading r = {.line = malloc(length + 1)};
	struct json_line l;
	memcpy(r.line, bytes, length);
	l = json_line_begin(r.line, length);
	while (r.n < MEMBERS_MAX) {
		r.last = json_line_next(&l, &r.members[r.n]);
		if (r.last == JSON_END || r.last == JSON_WRONG)
			break;
		r.kinds[r.n++] = r.last;
	}
	r.wrong = l.wrong;
	return r;
}

static struct reading read_text(const char *text)
{
	return read_bytes(text, strlen(text));
}

static void every_kind_of_value(void **state)
{
	struct reading r = read_text("{\"t\":\"x\",\"n\":12,\"m\":-7,\"f\":1.5e3,\"w\":true,"
				     "\"v\":null,\"o\":{\"a\":[1,\"}\"]},\"l\":[],\"e\":\"\"}");
	static const enum json_kind kinds[] = {JSON_TEXT,   JSON_NUMBER, JSON_NUMBER,
					       JSON_NUMBER, JSON_WORD,	 JSON_WORD,
					       JSON_NESTED, JSON_NESTED, JSON_TEXT};
	static const char *const keys[] = {"t", "n", "m", "f", "w", "v", "o", "l", "e"};
	static const char *const texts[] = {"x", "12", "-7", "1.5e3", "true", "null", "", "", ""};
	(void)state;
	assert_int_equal(r.last, JSON_END);
	assert_int_equal(r.n, 9);
	for (int i = 0; i < r.n; i++) {
		assert_int_equal(r.kinds[i], kinds[i]);
		assert_string_equal(r.members[i].key, keys[i]);
		assert_string_equal(r.members[i].text, texts[i]);
		assert_int_equal(r.members[i].whole, i == 1 || i == 2);
	}
	assert_int_equal(r.members[1].number, 12);
	assert_int_equal(r.members[2].number, -7);
	free(r.line);
}

static void white_space(void **state)
{
	static const char *const lines[] = {
		" { \"a\" : 1 , \"b\" : \"x\" } ",
		"{\"a\":1\t,\"b\":\"x\"}\r\n",
		"\t{\r\n\"a\"\t:\n1 ,\"b\"\n:\"x\"\n}\n",
	};
	(void)state;
	for (size_t i = 0; i < sizeof lines / sizeof *lines; i++) {
		struct reading r = read_text(lines[i]);
		assert_int_equal(r.last, JSON_END);
		assert_int_equal(r.n, 2);
		assert_int_equal(r.members[0].number, 1);
		assert_string_equal(r.members[1].text, "x");
		free(r.line);
	}
	for (int crlf = 0; crlf < 2; crlf++) {
		struct reading r = read_text(crlf ? " { } \r\n" : "{}");
		assert_int_equal(r.last, JSON_END);
		assert_int_equal(r.n, 0);
		free(r.line);
	}
}

static void expect_text(const char *line, const char *text)
{
	struct reading r = read_text(line);
	assert_int_equal(r.last, JSON_END);
	assert_int_equal(r.kinds[0], JSON_TEXT);
	assert_string_equal(r.members[0].text, text);
	free(r.line);
}

static void escapes_and_surrogates(void **state)
{
	(void)state;
	expect_text("{\"a\":\"\\\"\\\\\\/\\b\\f\\n\\r\\t\"}", "\"\\/\b\f\n\r\t");
	expect_text("{\"a\":\"\\u0041\\u00e9\\u06a9\\u20AC\"}", "A\xc3\xa9\xda\xa9\xe2\x82\xac");
	expect_text("{\"a\":\"\\ud83d\\ude00\"}", "\xf0\x9f\x98\x80");
	expect_text("{\"a\":\"\\uDBFF\\uDFFF\"}", "\xf4\x8f\xbf\xbf");
	expect_text("{\"a\":\"\\u0000\"}", "\xef\xbf\xbd"); /* a text ends at NUL */
	/* Halves of a pair. */
	expect_text("{\"a\":\"\\ud83d\"}", "\xef\xbf\xbd");
	expect_text("{\"a\":\"\\ude00x\"}", "\xef\xbf\xbdx");
	expect_text("{\"a\":\"\\ud83d\\u0041\"}", "\xef\xbf\xbd\x41");
	expect_text("{\"a\":\"\\ud83d\\n\"}", "\xef\xbf\xbd\n");
	expect_text("{\"\\u0061\":\"کافو\"}", "کافو");
}

static void numbers(void **state)
{
	static const struct {
		const char *text;
		bool whole;
		int64_t number;
	} rows[] = {
		{"0", true, 0},
		{"-0", true, 0},
		{"1700000000000000000", true, 1700000000000000000},
		{"9223372036854775799", true, 9223372036854775799},
		{"9223372036854775808", false, 0},
		{"99999999999999999999999", false, 0},
		{"1.0", false, 0},
		{"1e9", false, 0},
		{"-12.5E-3", false, 0},
	};
	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		char line[64];
		struct reading r;
		snprintf(line, sizeof line, "{\"n\":%s}", rows[i].text);
		r = read_text(line);
		assert_int_equal(r.last, JSON_END);
		assert_int_equal(r.kinds[0], JSON_NUMBER);
		assert_int_equal(r.members[0].whole, rows[i].whole);
		assert_string_equal(r.members[0].text, rows[i].text);
		if (rows[i].whole)
			assert_int_equal(r.members[0].number, rows[i].number);
		free(r.line);
	}
}

static void wrong_lines(void **state)
{
	static const char *const lines[] = {
		"",
		" ",
		"x",
		"[]",
		"1",
		"\"a\"",
		"{",
		"{\"a\"",
		"{\"a\":",
		"{\"a\":}",
		"{\"a\":1",
		"{\"a\":1,",
		"{\"a\":1,}",
		"{\"a\":1 2}",
		"{\"a\":1}}",
		"{\"a\":1}{",
		"{\"a\":1} x",
		"{,\"a\":1}",
		"{\"a\" 1}",
		"{a:1}",
		"{'a':1}",
		"{\"a\":'x'}",
		"{\"a\":tru}",
		"{\"a\":True}",
		"{\"a\":nullx}",
		"{\"a\":NaN}",
		"{\"a\":+1}",
		"{\"a\":-}",
		"{\"a\":01}",
		"{\"a\":1x}",
		"{\"a\":1.}",
		"{\"a\":.5}",
		"{\"a\":1e}",
		"{\"a\":1-1}",
		"{\"a\":0x10}",
		"{\"a\":\"x}",
		"{\"a\":\"\\x\"}",
		"{\"a\":\"\\u12\"}",
		"{\"a\":\"\\u12g4\"}",
		"{\"a\":\"\\",
		"{\"a\":\"\t\"}",
		"{\"a\":{}",
		"{\"a\":[1}",
		"{\"a\":[\"x]}",
		"{\"a\":[1]]}",
		"{}x",
		"{}{}",
		"{\"a\":{\"b\":1]}",
	};
	(void)state;
	for (size_t i = 0; i < sizeof lines / sizeof *lines; i++) {
		struct reading r = read_text(lines[i]);
		if (r.last != JSON_WRONG)
			fail_msg("taken for good: %s", lines[i]);
		assert_non_null(r.wrong);
		free(r.line);
	}
}

static void nul_is_no_end(void **state)
{
	static const char *const lines[] = {
		"{\"a\":1@,\"b\":2}", "{\"a\":1,@\"b\":2}", "{\"a\":\"x@y\"}", "{\"a\":1}@",
		"@{\"a\":1}",	      "{\"a\":tr@ue}",	    "{\"a\":1@"};
	(void)state;
	for (size_t i = 0; i < sizeof lines / sizeof *lines; i++) {
		char line[32];
		struct reading r;
		strcpy(line, lines[i]);
		*strchr(line, '@') = '\0';
		r = read_bytes(line, strlen(lines[i]));
		assert_int_equal(r.last, JSON_WRONG);
		free(r.line);
	}
}

static void depth_is_limited(void **state)
{
	char line[256];
	(void)state;
	for (int depth = 1; depth <= 100; depth++) {
		struct reading r;
		int n = snprintf(line, sizeof line, "{\"a\":");
		memset(line + n, '[', (size_t)depth);
		memset(line + n + depth, ']', (size_t)depth);
		strcpy(line + n + 2 * depth, "}");
		r = read_text(line);
		assert_int_equal(r.last, depth <= 32 ? JSON_END : JSON_WRONG);
		free(r.line);
	}
}

/* No beginning of an object is an object, and every one is told so. */
static void truncated_at_each_byte(void **state)
{
	static const char line[] =
		"{\"type\":\"session_event\",\"unix_ns\":1700000000000000000,"
		"\"line\":\"D\\u0627 \\ud83d\\ude00 eth 0/1\",\"up\":true,\"f\":-1.5e-3,"
		"\"x\":{\"y\":[1,{\"z\":\"}\"}]},\"s\":\"\\\\\"}";
	(void)state;
	for (size_t n = 0; n < sizeof line - 1; n++) {
		struct reading r = read_bytes(line, n);
		assert_int_equal(r.last, JSON_WRONG);
		free(r.line);
	}
	expect_text(line, "session_event");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_kind_of_value),
		cmocka_unit_test(white_space),
		cmocka_unit_test(escapes_and_surrogates),
		cmocka_unit_test(numbers),
		cmocka_unit_test(wrong_lines),
		cmocka_unit_test(nul_is_no_end),
		cmocka_unit_test(depth_is_limited),
		cmocka_unit_test(truncated_at_each_byte),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
