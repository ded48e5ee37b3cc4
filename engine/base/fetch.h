/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Asks for a cache line before it is needed.
 *
 * Not __builtin_prefetch: gcc holds a function that does nothing else for one without effect, and
 * drops the calls to it. That costs a DRAM access per packet and no test fails.
 */
#ifndef RASAD_ENGINE_BASE_FETCH_H
#define RASAD_ENGINE_BASE_FETCH_H

#include <stddef.h>

static inline void fetch_line(const void *at)
{
#if defined(__x86_64__)
	__asm__ volatile("prefetcht0 %0" : : "m"(*(const char *)at));
#else
	__builtin_prefetch(at);
#endif
}

/* The line at `at` and the next one. */
static inline void fetch_two(const void *at)
{
	fetch_line(at);
	fetch_line((const char *)at + 64);
}

/* All lines of the `n` bytes at `at`. */
static inline void fetch_span(const void *at, size_t n)
{
	for (size_t i = 0; i < n; i += 64)
		fetch_line((const char *)at + i);
	fetch_line((const char *)at + n - 1);
}

#endif
