/* SPDX-License-Identifier: BSD-3-Clause */
/* Reserved memory: zeroed, aligned, all of it usable, nothing used before it is touched. */
#include "engine/base/mem.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static const size_t MB = 1 << 20;

/* Resident pages of this process, in bytes. */
static size_t resident(void)
{
	unsigned long all, here = 0;
	FILE *file = fopen("/proc/self/statm", "r");
	assert_non_null(file);
	assert_int_equal(fscanf(file, "%lu %lu", &all, &here), 2);
	fclose(file);
	return here * 4096;
}

static void any_size(void **state)
{
	static const size_t sizes[] = {1,	4095,	       4096,	4097,	       100000,
				       2 << 20, (2 << 20) + 1, 5 << 20, (6 << 20) - 13};
	uint8_t *at[sizeof sizes / sizeof *sizes];
	enum { N = sizeof sizes / sizeof *sizes };
	(void)state;
	for (size_t i = 0; i < N; i++) {
		at[i] = mem_reserve(sizes[i]);
		assert_non_null(at[i]);
		assert_int_equal((uintptr_t)at[i] % (2 << 20), 0);
		for (size_t b = 0; b < sizes[i]; b++)
			if (at[i][b])
				fail_msg("byte %zu of %zu is not zero", b, sizes[i]);
		memset(at[i], (int)i + 1, sizes[i]);
	}
	for (size_t i = 0; i < N; i++) { /* none overlaps another */
		for (size_t b = 0; b < sizes[i]; b++)
			if (at[i][b] != i + 1)
				fail_msg("byte %zu of %zu was overwritten", b, sizes[i]);
		mem_release(at[i], sizes[i]);
	}
	mem_release(NULL, 100);
}

static void only_what_is_touched(void **state)
{
	size_t size = (size_t)64 << 30, before = resident();
	uint8_t *at = mem_reserve(size);
	(void)state;
	assert_non_null(at);
	assert_true(resident() - before < 4 * MB);
	at[0] = at[size / 2] = at[size - 1] = 1;
	assert_true(resident() - before < 12 * MB); /* three large pages at most */
	mem_release(at, size);
	assert_true(resident() < before + 4 * MB);
}

static void no_such_space(void **state)
{
	(void)state;
	assert_null(mem_reserve((size_t)1 << 60));
}

/* Address space is given back: a thousand times a terabyte. */
static void given_back(void **state)
{
	(void)state;
	for (int i = 0; i < 1000; i++) {
		uint8_t *at = mem_reserve((size_t)1 << 40);
		assert_non_null(at);
		at[i * 4096] = 1;
		mem_release(at, (size_t)1 << 40);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(any_size),
		cmocka_unit_test(only_what_is_touched),
		cmocka_unit_test(no_such_space),
		cmocka_unit_test(given_back),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
