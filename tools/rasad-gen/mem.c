/* SPDX-License-Identifier: BSD-3-Clause */
#include "tools/rasad-gen/mem.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#define HUGE_PAGE ((size_t)2 << 20)

void die(const char *format, ...)
{
	va_list args;

	va_start(args, format);
	fputs("rasad-gen: ", stderr);
	vfprintf(stderr, format, args);
	fputc('\n', stderr);
	va_end(args);
	exit(1);
}

void *mem_new(size_t n, size_t size)
{
	void *p = calloc(n ? n : 1, size);

	if (!p)
		die("out of memory for %zu objects of %zu bytes", n, size);
	return p;
}

void *mem_new_large(size_t n, size_t size)
{
	size_t bytes = (n * size + HUGE_PAGE - 1) & ~(HUGE_PAGE - 1);
	void *p = aligned_alloc(HUGE_PAGE, bytes ? bytes : HUGE_PAGE);

	if (!p)
		die("out of memory for %zu objects of %zu bytes", n, size);
	madvise(p, bytes, MADV_HUGEPAGE); /* where there are none, it is merely slower */
	return memset(p, 0, bytes);
}

void *mem_grow(void *old, size_t n, size_t size)
{
	void *p = reallocarray(old, n, size);

	if (!p)
		die("out of memory for %zu objects of %zu bytes", n, size);
	return p;
}
