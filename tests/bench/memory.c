/* SPDX-License-Identifier: BSD-3-Clause */
#include "tests/bench/memory.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>

enum { HUGE_PAGE = 2 << 20 };

void *memory_take(size_t bytes)
{
	size_t rounded = (bytes + HUGE_PAGE - 1) & ~(size_t)(HUGE_PAGE - 1);
	char *at = mmap(NULL, rounded + HUGE_PAGE, PROT_READ | PROT_WRITE,
			MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	char *aligned;
	if (at == MAP_FAILED)
		return NULL;
	aligned = (char *)(((uintptr_t)at + HUGE_PAGE - 1) & ~(uintptr_t)(HUGE_PAGE - 1));
	if (aligned > at)
		munmap(at, (size_t)(aligned - at));
	munmap(aligned + rounded, (size_t)(at + HUGE_PAGE - aligned));
	madvise(aligned, rounded, MADV_HUGEPAGE); /* without them it is slower, and says so */
	return aligned;
}

void memory_free(void *memory, size_t bytes)
{
	if (memory)
		munmap(memory, (bytes + HUGE_PAGE - 1) & ~(size_t)(HUGE_PAGE - 1));
}

struct memory_use memory_used(void)
{
	struct memory_use use = {0};
	char line[128];
	FILE *f = fopen("/proc/self/smaps_rollup", "re");
	while (f && fgets(line, sizeof line, f)) {
		sscanf(line, "Rss: %" SCNu64, &use.resident_kb);
		sscanf(line, "AnonHugePages: %" SCNu64, &use.huge_kb);
	}
	if (f)
		fclose(f);
	return use;
}
