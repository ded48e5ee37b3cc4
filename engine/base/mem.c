/* SPDX-License-Identifier: BSD-3-Clause */
#include "engine/base/mem.h"

#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>

enum { LARGE_PAGE = 2 << 20, PAGE = 4096 };

static size_t round_up(size_t n, size_t to)
{
	return (n + to - 1) & ~(to - 1);
}

/* Maps more than asked for and cuts to the alignment. */
static uint8_t *map_aligned(size_t size)
{
	size_t room = size + LARGE_PAGE;
	uint8_t *at = mmap(NULL, room, PROT_READ | PROT_WRITE,
			   MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	uint8_t *start;
	if (at == MAP_FAILED)
		return NULL;
	start = (uint8_t *)round_up((uintptr_t)at, LARGE_PAGE);
	if (start > at)
		munmap(at, (size_t)(start - at));
	munmap(start + size, (size_t)(at + room - start - size));
	return start;
}

/* The first 2 MB stay in small pages: most tables of a short run need no more. */
void *mem_reserve(size_t size)
{
	uint8_t *at = map_aligned(round_up(size, PAGE));
	if (at && size > LARGE_PAGE)
		madvise(at + LARGE_PAGE, round_up(size, PAGE) - LARGE_PAGE, MADV_HUGEPAGE);
	return at;
}

void mem_release(void *at, size_t size)
{
	if (at)
		munmap(at, round_up(size, PAGE));
}

bool mem_has_large_pages(void)
{
	char text[64] = "";
	FILE *file = fopen("/sys/kernel/mm/transparent_hugepage/enabled", "r");
	if (!file)
		return false;
	if (!fgets(text, sizeof text, file))
		text[0] = '\0';
	fclose(file);
	return *text && !strstr(text, "[never]");
}
