/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A pool of equal objects addressed by a 32-bit index, for state that few packets touch.
 *
 * Index 0 means "none", so a zeroed owner owns nothing. Objects lie side by side in reserved
 * address space and never move, so a pointer stays good until its object is freed. The last freed
 * object is given out first: it is still in the cache. Above `limit` objects the pool refuses, and
 * counts that. One thread only.
 */
#ifndef RASAD_ENGINE_BASE_POOL_H
#define RASAD_ENGINE_BASE_POOL_H

#include <stddef.h>
#include <stdint.h>

struct pool {
	uint8_t *objects; /* owned; reserved when the first object is taken */
	uint32_t size;	  /* bytes of one object, a multiple of 4 */
	uint32_t next, free_head;
	uint32_t limit, used;
	uint64_t refused;
};

/* `size` >= 4; `limit` objects at most. Allocates nothing yet. */
void pool_init(struct pool *pool, uint32_t size, uint32_t limit);
void pool_fini(struct pool *pool);

/* An object with undefined content, or 0 when the limit or the memory is exhausted. */
uint32_t pool_take(struct pool *pool);
void pool_give(struct pool *pool, uint32_t index);

static inline void *pool_at(const struct pool *pool, uint32_t index)
{
	return pool->objects + (size_t)index * pool->size;
}

#endif
