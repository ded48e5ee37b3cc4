/* SPDX-License-Identifier: BSD-3-Clause */
#include "engine/base/pool.h"

#include <string.h>

#include "engine/base/mem.h"

static size_t bytes_of(const struct pool *pool)
{
	return ((size_t)pool->limit + 1) * pool->size;
}

void pool_init(struct pool *pool, uint32_t size, uint32_t limit)
{
	*pool = (struct pool){.size = size, .limit = limit, .next = 1};
}

void pool_fini(struct pool *pool)
{
	mem_release(pool->objects, bytes_of(pool));
	*pool = (struct pool){0};
}

uint32_t pool_take(struct pool *pool)
{
	uint32_t index = pool->free_head;
	if (!pool->objects)
		pool->objects = mem_reserve(bytes_of(pool));
	if (index) {
		memcpy(&pool->free_head, pool_at(pool, index), sizeof index);
	} else if (pool->objects && pool->used < pool->limit) {
		index = pool->next++;
	} else {
		pool->refused++;
		return 0;
	}
	pool->used++;
	return index;
}

void pool_give(struct pool *pool, uint32_t index)
{
	memcpy(pool_at(pool, index), &pool->free_head, sizeof index);
	pool->free_head = index;
	pool->used--;
}
