/* SPDX-License-Identifier: BSD-3-Clause */
#include "engine/base/pool.h"

#include <stdlib.h>
#include <string.h>

void pool_init(struct pool *pool, uint32_t size, uint32_t limit)
{
	*pool = (struct pool){.size = size, .limit = limit, .next = 1};
}

void pool_fini(struct pool *pool)
{
	for (uint32_t i = 0; i < pool->n_slabs; i++)
		free(pool->slabs[i]);
	free(pool->slabs);
	*pool = (struct pool){0};
}

/* The table of slabs grows by doubling; slabs are cache-line aligned. */
static int grow(struct pool *pool)
{
	uint32_t n = pool->n_slabs;
	uint8_t *slab;
	if ((n & (n - 1)) == 0) {
		size_t room = n ? 2 * (size_t)n : 1;
		uint8_t **slabs = realloc(pool->slabs, room * sizeof *slabs);
		if (!slabs)
			return -1;
		pool->slabs = slabs;
	}
	slab = aligned_alloc(64, ((size_t)POOL_SLAB * pool->size + 63) & ~(size_t)63);
	if (!slab)
		return -1;
	pool->slabs[pool->n_slabs++] = slab;
	return 0;
}

uint32_t pool_take(struct pool *pool)
{
	uint32_t index = pool->free_head;
	if (index) {
		memcpy(&pool->free_head, pool_at(pool, index), sizeof index);
	} else if (pool->used < pool->limit &&
		   (pool->next >> POOL_SLAB_SHIFT < pool->n_slabs || grow(pool) == 0)) {
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
