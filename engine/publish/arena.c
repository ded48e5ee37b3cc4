/* SPDX-License-Identifier: BSD-3-Clause */
#include "engine/publish/arena.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#define BLOCK_SIZE (64 * 1024)

struct arena_block {
	struct arena_block *next;
	size_t used, size;
	_Alignas(max_align_t) uint8_t bytes[];
};

static struct arena_block *block_new(size_t size)
{
	struct arena_block *block = malloc(sizeof(*block) + size);

	if (block)
		*block = (struct arena_block){.size = size};
	return block;
}

/* The block after the current one that has room, or a new one in its place. */
static struct arena_block *next_block(struct arena *arena, size_t n)
{
	struct arena_block **link = arena->current ? &arena->current->next : &arena->first;

	if (!*link || (*link)->size < n) {
		struct arena_block *block = block_new(n > BLOCK_SIZE ? n : BLOCK_SIZE);
		if (!block)
			return NULL;
		block->next = *link;
		*link = block;
	}
	(*link)->used = 0;
	return *link;
}

void *arena_take(struct arena *arena, size_t n)
{
	n = (n + _Alignof(max_align_t) - 1) & ~(_Alignof(max_align_t) - 1);
	if (!arena->current || arena->current->size - arena->current->used < n) {
		struct arena_block *block = next_block(arena, n);
		if (!block) {
			arena->out_of_memory = true;
			return NULL;
		}
		arena->current = block;
	}
	void *taken = arena->current->bytes + arena->current->used;
	arena->current->used += n;
	return memset(taken, 0, n);
}

void arena_reset(struct arena *arena)
{
	arena->current = NULL;
	arena->out_of_memory = false;
}

void arena_fini(struct arena *arena)
{
	for (struct arena_block *block = arena->first, *next; block; block = next) {
		next = block->next;
		free(block);
	}
	*arena = (struct arena){0};
}
