/* SPDX-License-Identifier: BSD-3-Clause */
/* Every code has both texts with the same placeholders; digits, dates and isolates are right. */
#include "engine/match/texts.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "engine/match/jalali.h"
#include "proto/utf8.h"

#define NS   1000000000ll
#define NOON 1763202900 /* 2025-11-15 14:05 in Tehran */

static char *written;

static const char *written_as(enum text_language language, struct text_value value)
{
	size_t n;

	free(written);
	FILE *out = open_memstream(&written, &n);
	text_write_value(out, language, &value);
	fclose(out);
	return written;
}

static void has_placeholders_of(const char *code, const char *one, const char *other)
{
	for (const char *at = strchr(one, '{'); at; at = strchr(at + 1, '{')) {
		char name[32];
		size_t n = strcspn(at, "}") + 1;
		assert_true(n < sizeof(name) && at[n - 1] == '}');
		memcpy(name, at, n);
		name[n] = 0;
		if (!strstr(other, name))
			fail_msg("%s: %s is in one language only", code, name);
	}
}

static bool is_persian(const char *text)
{
	for (; *text; text++)
		if ((unsigned char)*text >= 0xD8 && (unsigned char)*text <= 0xDB)
			return true;
	return false;
}

static void every_code_has_both_texts(void **state)
{
	(void)state;
	const char *code;

	for (size_t i = 0; (code = text_code(i)); i++) {
		const char *fa = text_template(TEXT_FA, code), *en = text_template(TEXT_EN, code);
		assert_true(fa && *fa && en && *en);
		has_placeholders_of(code, fa, en);
		has_placeholders_of(code, en, fa);
		assert_true(utf8_is_valid(fa, strlen(fa)));
		/* Arabic yeh and kaf are other letters than the Persian ones; so are ASCII digits. */
		assert_null(strstr(fa, "ي"));
		assert_null(strstr(fa, "ك"));
		assert_null(strpbrk(fa, "0123456789"));
		for (const char *c = en; *c && strncmp(code, "CARD_LEGEND", 11) != 0; c++)
			if (*c & 0x80)
				fail_msg("%s: English has %s", code, c);
		for (size_t j = 0; j < i; j++)
			assert_string_not_equal(code, text_code(j));
		if (strncmp(code, "GROUP_other", 11) != 0 && strncmp(code, "ITEM", 4) != 0 &&
		    strncmp(code, "UNIT_share", 10) != 0)
			if (!is_persian(fa))
				fail_msg("%s: \"%s\" is no Persian", code, fa);
	}
	assert_null(text_template(TEXT_FA, "NO_SUCH_CODE"));
}

static void dates_are_jalali_and_of_tehran(void **state)
{
	(void)state;
	static const struct {
		int64_t unix_s;
		int year, month, day, hour, weekday;
	} vectors[] = {
		{1763154000, 1404, 8, 24, 0, 0},   /* 2025-11-15, a Saturday */
		{1742416200, 1403, 12, 30, 0, 5},  /* 2025-03-20 */
		{1742502600, 1404, 1, 1, 0, 6},	   /* 2025-03-21, a Friday */
		{1774038600, 1405, 1, 1, 0, 0},	   /* 2026-03-21 */
		{1742502599, 1403, 12, 30, 23, 5}, /* a second before Nowruz */
		{0, 1348, 10, 11, 3, 5},	   /* 1970-01-01, 3:30 */
		{-16200, 1348, 10, 10, 23, 4},
	};

	for (size_t i = 0; i < sizeof(vectors) / sizeof(*vectors); i++) {
		struct jalali at = jalali_of(vectors[i].unix_s * NS);
		assert_int_equal(at.year, vectors[i].year);
		assert_int_equal(at.month, vectors[i].month);
		assert_int_equal(at.day, vectors[i].day);
		assert_int_equal(at.hour, vectors[i].hour);
		assert_int_equal(at.weekday, vectors[i].weekday);
	}
	/* Each day from 1979 to 2077 follows the one before, with a month of 29 to 31 days. */
	struct jalali before = jalali_of(283996800 * NS);
	for (int64_t day = 1; day < 36000; day++) {
		struct jalali at = jalali_of((283996800 + day * 86400) * NS);
		bool next = at.day == before.day + 1 && at.month == before.month;
		bool month = at.day == 1 && before.day >= 29 && at.month == before.month % 12 + 1;
		assert_true(next || month);
		assert_int_equal(at.weekday, (before.weekday + 1) % 7);
		before = at;
	}
	assert_string_equal(jalali_month_name(8), "آبان");
	assert_string_equal(jalali_month_name(13), "");
	jalali_of(INT64_MAX);
	jalali_of(INT64_MIN);
}

static void values_in_both_languages(void **state)
{
	(void)state;
	struct text_value at = {.kind = TEXT_TIME, .unix_ns = NOON * NS, .now_unix_ns = NOON * NS};

	assert_string_equal(written_as(TEXT_FA, at), "۱۴:۰۵");
	assert_string_equal(written_as(TEXT_EN, at), "14:05");
	at.now_unix_ns += 86400 * NS;
	assert_string_equal(written_as(TEXT_FA, at), "۱۴:۰۵ روز ۲۴ آبان ۱۴۰۴");
	assert_string_equal(written_as(TEXT_EN, at), "2025-11-15 14:05");
	static const struct {
		enum text_kind kind;
		double number;
		const char *fa, *en;
	} rows[] = {
		{TEXT_COUNT, 1204, "۱٬۲۰۴", "1,204"},
		{TEXT_COUNT, 0, "۰", "0"},
		{TEXT_COUNT, -1234567, "-۱٬۲۳۴٬۵۶۷", "-1,234,567"},
		{TEXT_DECIMAL, 0.02, "۰٫۰۲", "0.02"},
		{TEXT_DECIMAL, 9, "۹", "9"},
		{TEXT_DECIMAL, 12.34, "۱۲٫۳", "12.3"},
		{TEXT_DECIMAL, 430.4, "۴۳۰", "430"},
		{TEXT_PERCENT, 0.85, "۸۵", "85"},
		{TEXT_PERCENT, 0.9999, "۹۹", "99"},
		{TEXT_PERCENT, 1, "۱۰۰", "100"},
		{TEXT_DURATION, 532800, "۶ روز و ۴ ساعت", "6 d 4 h"},
		{TEXT_DURATION, 1325, "۲۲ دقیقه", "22 min"},
		{TEXT_DURATION, 7, "۷ ثانیه", "7 s"},
		{TEXT_DURATION, 0, "۰ ثانیه", "0 s"},
		{TEXT_RATE, 15700, "۱۵٫۷ مگابیت بر ثانیه", "15.7 Mb/s"},
		{TEXT_RATE, 512, "۵۱۲ کیلوبیت بر ثانیه", "512 kb/s"},
	};
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		struct text_value value = {.kind = rows[i].kind, .number = rows[i].number};
		assert_string_equal(written_as(TEXT_FA, value), rows[i].fa);
		assert_string_equal(written_as(TEXT_EN, value), rows[i].en);
	}
	const double wild[] = {1e300, -1e300, 0.0 / 0.0, 1.0 / 0.0};
	for (size_t i = 0; i < 4; i++)
		for (int kind = TEXT_COUNT; kind <= TEXT_RATE; kind++)
			written_as(TEXT_FA, (struct text_value){.kind = kind, .number = wild[i]});
}

/* A name cannot turn the sentence round, move the cursor, or fill the screen. */
static void names_are_isolated_and_tame(void **state)
{
	(void)state;
	struct text_value value = {.kind = TEXT_NAME, .text = "DSLAM-1\n\x1b[2J\u202e/\u20663\xff"};
	char long_name[1001];

	assert_string_equal(written_as(TEXT_FA, value), "\u2068DSLAM-1[2J/3\uFFFD\u2069");
	assert_string_equal(written_as(TEXT_EN, value), "DSLAM-1[2J/3\uFFFD");
	memset(long_name, 'x', 1000);
	long_name[1000] = 0;
	value.text = long_name;
	assert_true(strlen(written_as(TEXT_EN, value)) < 200);
}

static void a_missing_value_shows(void **state)
{
	(void)state;
	char *text = NULL;
	size_t n;
	FILE *out = open_memstream(&text, &n);
	const struct text_value values[] = {{.name = "pct", .kind = TEXT_PERCENT, .number = 0.5}};

	assert_int_equal(text_write(out, TEXT_EN, "INC_ETA", values, 1), -EINVAL);
	assert_int_equal(text_write(out, TEXT_EN, "NO_SUCH_CODE", values, 1), -ENOENT);
	fclose(out);
	assert_string_equal(text, "50% restored; full restoration expected about ?.");
	free(text);
}

static int tear_down(void **state)
{
	(void)state;
	free(written);
	written = NULL;
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_code_has_both_texts),
		cmocka_unit_test(dates_are_jalali_and_of_tehran),
		cmocka_unit_test_teardown(values_in_both_languages, tear_down),
		cmocka_unit_test_teardown(names_are_isolated_and_tame, tear_down),
		cmocka_unit_test(a_missing_value_shows),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
