/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Memory of the yardsticks: in 2 MB pages where the kernel gives them; and what the process has.
 */
#ifndef RASAD_TESTS_BENCH_MEMORY_H
#define RASAD_TESTS_BENCH_MEMORY_H

#include <stddef.h>
#include <stdint.h>

/* Zeroed; NULL without memory. memory_free(NULL, ...) is fine. */
void *memory_take(size_t bytes);
void memory_free(void *memory, size_t bytes);

struct memory_use {
	uint64_t resident_kb, huge_kb; /* huge: in 2 MB pages */
};

struct memory_use memory_used(void);

#endif
