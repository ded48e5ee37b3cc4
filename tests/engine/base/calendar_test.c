/* SPDX-License-Identifier: BSD-3-Clause */
/* Planned work: both forms of time, and rows that are told with their line. */
#include "engine/base/calendar.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define HEADER "group_type,group,from,to\n"
#define S      1000000000ull

static char complaints[4096];

static int parse(struct calendar *calendar, const char *text)
{
	FILE *file = fmemopen(complaints, sizeof complaints, "w");
	int error = calendar_parse(calendar, text, strlen(text), "work.csv", file);
	fclose(file);
	return error;
}

static void both_forms_of_time(void **state)
{
	struct calendar c;
	(void)state;
	assert_int_equal(parse(&c, "\xEF\xBB\xBF" HEADER
				   "card,\"D1, old/3\",2026-03-21T00:30:00Z,1774060200\r\n"
				   "\n"
				   "exchange,تهران,2024-02-29T23:59:59Z,2024-03-01T00:00:00Z"),
			 0);
	assert_int_equal(c.n, 2);
	assert_int_equal(c.bad, 0);
	assert_string_equal(c.plans[0].group_type, "card");
	assert_string_equal(c.plans[0].group, "D1, old/3");
	assert_true(c.plans[0].from_ns == 1774053000 * S && c.plans[0].to_ns == 1774060200 * S);
	assert_string_equal(c.plans[1].group, "تهران");
	assert_true(c.plans[1].to_ns - c.plans[1].from_ns == S);
	calendar_fini(&c);
	calendar_fini(&c);
}

static void bad_rows_are_told_with_their_line(void **state)
{
	static const char *const rows[] = {
		"card,D1/3,2026-03-21T00:30:00,2026-03-22T00:00:00Z", /* of which zone? */
		"card,D1/3,2026-02-30T00:30:00Z,2026-03-22T00:00:00Z",
		"card,D1/3,2026-13-01T00:30:00Z,2027-03-22T00:00:00Z",
		"card,D1/3,2026-03-21T00:30:00Zx,2027-03-22T00:00:00Z",
		"card,D1/3,yesterday,1",
		"card,D1/3,,1",
		"card,D1/3,-5,1",
		"card,D1/3,1,99999999999999999999",
		"card,D1/3,2,1",
		"card,D1/3,2,2",
		"card,,1,2",
		",D1/3,1,2",
		"card,D1/3,1",
		"card,D1/3,1,2,3",
		"card,\"D1/3,1,2",
	};
	struct calendar c;
	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		char text[256];
		snprintf(text, sizeof text, HEADER "card,a,1,2\n%s\ncard,b,1,2\n", rows[i]);
		assert_int_equal(parse(&c, text), 0);
		if (c.n != 2 || c.bad != 1 || strncmp(complaints, "work.csv:3: ", 12) != 0)
			fail_msg("%s: %u, %zu, %s", rows[i], c.n, c.bad, complaints);
		assert_string_equal(c.plans[1].group, "b");
		calendar_fini(&c);
	}
}

static void a_file_of_no_use(void **state)
{
	static const char *const texts[] = {"", "group,group_type,from,to\n", "card,a,1,2\n",
					    "group_type,group,from\n",
					    "group_type,group,from,to,why\n"};
	struct calendar c;
	(void)state;
	for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
		assert_int_equal(parse(&c, texts[i]), -EINVAL);
		assert_true(strncmp(complaints, "work.csv:1: ", 12) == 0);
		assert_null(c.plans);
	}
	assert_int_equal(calendar_parse(&c, "a\0b", 3, "work.csv", NULL), -EINVAL);
	assert_int_equal(calendar_load(&c, "/no/such/file", NULL), -EINVAL);
	assert_null(c.plans);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(both_forms_of_time),
		cmocka_unit_test(bad_rows_are_told_with_their_line),
		cmocka_unit_test(a_file_of_no_use),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
