/* SPDX-License-Identifier: BSD-3-Clause */
/* What is printed between begin and end is kept, and only that. */
#include "collectors/hush.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

static void keeps_both_streams(void **state)
{
	struct hush h = HUSH_NONE;
	char *said;

	(void)state;
	hush_begin(&h);
	printf("out ");
	fflush(stdout);
	fprintf(stderr, "err ");
	if (write(STDERR_FILENO, "raw", 3) != 3)
		fail();
	hush_note(&h, "first %d", 1);
	hush_note(&h, "second");
	said = hush_end(&h);
	assert_string_equal(said, "out err raw");
	assert_string_equal(h.notes, "first 1\nsecond");
	free(said);
}

static void can_be_used_again_and_the_notes_stay(void **state)
{
	struct hush h = HUSH_NONE;
	char *said;

	(void)state;
	hush_note(&h, "before");
	for (int i = 0; i < 3; i++) {
		hush_begin(&h);
		fprintf(stderr, "%d", i);
		said = hush_end(&h);
		assert_int_equal(atoi(said), i);
		free(said);
	}
	assert_string_equal(h.notes, "before");
	assert_null(hush_end(&h));
}

static void notes_have_an_end(void **state)
{
	struct hush h = HUSH_NONE;

	(void)state;
	for (int i = 0; i < 1000; i++)
		hush_note(&h, "note number %d of many", i);
	assert_int_equal(strlen(h.notes), sizeof h.notes - 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(keeps_both_streams),
		cmocka_unit_test(can_be_used_again_and_the_notes_stay),
		cmocka_unit_test(notes_have_an_end),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
