/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A map from a non-zero 64-bit key to a 32-bit value: open addressing, linear probing, doubling
 * at 70 %. For look-ups that are rare (a new flow, a control packet). One thread only.
 */
#ifndef RASAD_ENGINE_BASE_MAP_H
#define RASAD_ENGINE_BASE_MAP_H

#include <stdbool.h>
#include <stdint.h>

struct map {
	struct map_slot {
		uint64_t key; /* 0: free */
		uint32_t value;
	} * slots; /* owned */
	uint32_t mask, used;
};

void map_fini(struct map *map);

/* The value of `key`, or NULL. The pointer is good until the next map_put. */
uint32_t *map_find(const struct map *map, uint64_t key);

/* Sets key to value; false when there is no memory. */
bool map_put(struct map *map, uint64_t key, uint32_t value);

/* Takes `key` out, if it is there. */
void map_remove(struct map *map, uint64_t key);

static inline uint64_t map_hash(uint64_t key)
{
	key = (key ^ key >> 32) * 0xd6e8feb86659fd93ull;
	return key ^ key >> 32;
}

#endif
