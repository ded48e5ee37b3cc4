/* SPDX-License-Identifier: BSD-3-Clause */
#include "engine/base/inventory.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

static char complaints[4096];

static struct inventory *parse(const char *text)
{
	FILE *file = fmemopen(complaints, sizeof(complaints), "w");
	struct inventory *inventory = inventory_parse(text, strlen(text), "lines.csv", file);

	fclose(file);
	return inventory;
}

static void assert_counts(const struct inventory *inventory, size_t rows, size_t bad,
			  size_t duplicates)
{
	struct inventory_counts counts = inventory_counts(inventory);

	if (counts.rows != rows || counts.bad != bad || counts.duplicates != duplicates)
		fail_msg("%zu rows, %zu bad, %zu duplicates; %s", counts.rows, counts.bad,
			 counts.duplicates, complaints);
}

static void test_good_file(void **state)
{
	(void)state;
	struct inventory *inventory =
		parse("line,subscriber,phone,exchange,node,card,port,cabinet,feeder,plan_down_kbps,"
		      "plan_up_kbps\n"
		      "DSLAM-1 eth 0/1/1:11,u11,02188776655,Azadi,DSLAM-1,1,11,KV7,F3,16000,1024\n"
		      "101.12,,,,,,,,,,\n");
	assert_counts(inventory, 2, 0, 0);
	assert_string_equal(complaints, "");
	const struct inventory_row *row = inventory_find(inventory, "DSLAM-1 eth 0/1/1:11");
	assert_string_equal(row->subscriber, "u11");
	assert_string_equal(row->phone, "+982188776655");
	assert_string_equal(row->exchange, "Azadi");
	assert_string_equal(row->node, "DSLAM-1");
	assert_string_equal(row->card, "1");
	assert_string_equal(row->port, "11");
	assert_string_equal(row->cabinet, "KV7");
	assert_int_equal(row->plan_down_kbps, 16000);
	assert_int_equal(row->plan_up_kbps, 1024);
	int feeder = inventory_column(inventory, "feeder"); /* a shared-risk group */
	assert_string_equal(row->cells[feeder], "F3");
	assert_string_equal(inventory_column_name(inventory, (size_t)feeder), "feeder");
	assert_int_equal(inventory_columns(inventory), 11);
	row = inventory_find(inventory, "101.12");
	assert_string_equal(row->phone, "");
	assert_int_equal(row->plan_down_kbps, INVENTORY_ABSENT);
	assert_ptr_equal(inventory_at(inventory, 1), row);
	assert_null(inventory_at(inventory, 2));
	assert_null(inventory_find(inventory, "101.13"));
	assert_int_equal(inventory_column(inventory, "bras"), -1);
	assert_null(inventory_free(inventory));
}

static void test_rfc_4180(void **state)
{
	(void)state;
	struct inventory *inventory = parse("\xEF\xBB\xBFline,exchange,node\r\n"
					    "\"a,1\",\"say \"\"hello\"\"\",\r\n"
					    "\r\n"
					    "b,\"two\r\nlines\",\"\"\r\n"
					    "c,a \"bare\" quote,x");
	assert_counts(inventory, 3, 0, 0);
	assert_string_equal(inventory_find(inventory, "a,1")->exchange, "say \"hello\"");
	assert_string_equal(inventory_find(inventory, "b")->exchange, "two\r\nlines");
	assert_string_equal(inventory_find(inventory, "b")->node, "");
	assert_string_equal(inventory_find(inventory, "c")->exchange, "a \"bare\" quote");
	assert_string_equal(inventory_find(inventory, "c")->node, "x");
	inventory_free(inventory);
}

static void test_bad_rows_are_skipped(void **state)
{
	(void)state;
	struct inventory *inventory = parse("line,phone,plan_down_kbps\n"
					    "a,,1\n"
					    "b,,1,9\n"
					    "c\n"
					    ",02188776655,1\n"
					    "d,call me,1\n"
					    "e,,fast\n"
					    "f,,-5\n"
					    "g,,99999999999\n"
					    "a,,2\n"
					    "\"h\"x,,3\n"
					    "\"i,,3\n"
					    "j,,4\n");
	assert_counts(inventory, 2, 10, 1);
	assert_int_equal(inventory_find(inventory, "a")->plan_down_kbps, 1);
	assert_int_equal(inventory_find(inventory, "j")->plan_down_kbps, 4);
	static const char *const expected[] = {
		"lines.csv:3: 4 cells, expected 3 as in the header\n",
		"lines.csv:4: 1 cells, expected 3",
		"lines.csv:5: line is empty\n",
		"lines.csv:6: phone \"call me\": expected 7 to 15 digits\n",
		"lines.csv:7: plan_down_kbps \"fast\": expected a whole number of kbit/s\n",
		"lines.csv:8: plan_down_kbps \"-5\"",
		"lines.csv:9: plan_down_kbps \"99999999999\"",
		"lines.csv:10: line \"a\" is there already\n",
		"lines.csv:11: expected \"...\"",
		"lines.csv:12: expected \"...\"",
	};
	for (size_t i = 0; i < sizeof(expected) / sizeof(*expected); i++)
		if (!strstr(complaints, expected[i]))
			fail_msg("expected %s in\n%s", expected[i], complaints);
	inventory_free(inventory);
}

/* Line numbers count the lines of the file, those inside quotes too. */
static void test_line_numbers(void **state)
{
	(void)state;
	struct inventory *inventory = parse("line,node\na,\"1\n2\n3\"\nb\n");
	assert_counts(inventory, 1, 1, 0);
	assert_non_null(strstr(complaints, "lines.csv:5: 1 cells"));
	inventory_free(inventory);
}

static void assert_useless(const char *text, const char *reason)
{
	assert_null(parse(text));
	if (!strstr(complaints, reason))
		fail_msg("expected %s in %s", reason, complaints);
}

static void test_useless_files(void **state)
{
	(void)state;
	assert_useless("", "no column \"line\"");
	assert_useless("name,phone\na,b\n", "lines.csv:1: no column \"line\"");
	assert_useless("line,node,node\n", "lines.csv:1: column \"node\" is there twice");
	assert_null(inventory_parse("line\0\n", 6, "x", NULL));
	assert_null(inventory_load("/nowhere/lines.csv", NULL));
}

static void test_one_column(void **state)
{
	(void)state;
	struct inventory *inventory = parse("line\na\nb\n");
	assert_counts(inventory, 2, 0, 0);
	inventory_free(inventory);
	inventory = parse("line");
	assert_counts(inventory, 0, 0, 0);
	assert_null(inventory_find(inventory, "a"));
	inventory_free(inventory);
}

static void test_no_inventory(void **state)
{
	(void)state;
	assert_null(inventory_find(NULL, "a"));
	assert_null(inventory_at(NULL, 0));
	assert_int_equal(inventory_columns(NULL), 0);
	assert_null(inventory_free(NULL));
}

static void test_large_file(void **state)
{
	(void)state;
	char path[] = "/tmp/rasad-test-XXXXXX", line[32];
	FILE *file = fdopen(mkstemp(path), "w");
	fputs("line,node\n", file);
	for (int i = 0; i < 100000; i++)
		fprintf(file, "line %d,node %d\n", i, i / 100);
	fclose(file);
	struct inventory *inventory = inventory_load(path, stderr);
	unlink(path);
	assert_counts(inventory, 100000, 0, 0);
	for (int i = 0; i < 100000; i++) {
		snprintf(line, sizeof(line), "line %d", i);
		assert_string_equal(inventory_find(inventory, line)->line, line);
	}
	inventory_free(inventory);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_good_file),
		cmocka_unit_test(test_rfc_4180),
		cmocka_unit_test(test_bad_rows_are_skipped),
		cmocka_unit_test(test_line_numbers),
		cmocka_unit_test(test_useless_files),
		cmocka_unit_test(test_one_column),
		cmocka_unit_test(test_no_inventory),
		cmocka_unit_test(test_large_file),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
