/* SPDX-License-Identifier: BSD-3-Clause */
#include "engine/base/map.h"

#include <stddef.h>
#include <stdlib.h>

void map_fini(struct map *map)
{
	free(map->slots);
	*map = (struct map){0};
}

uint32_t *map_find(const struct map *map, uint64_t key)
{
	if (!map->slots)
		return NULL;
	for (uint32_t i = (uint32_t)map_hash(key) & map->mask;; i = (i + 1) & map->mask) {
		if (map->slots[i].key == key)
			return &map->slots[i].value;
		if (!map->slots[i].key)
			return NULL;
	}
}

static void insert(struct map *map, uint64_t key, uint32_t value)
{
	uint32_t i = (uint32_t)map_hash(key) & map->mask;
	while (map->slots[i].key)
		i = (i + 1) & map->mask;
	map->slots[i] = (struct map_slot){key, value};
	map->used++;
}

static bool grow(struct map *map)
{
	uint32_t old = map->slots ? map->mask + 1 : 0;
	struct map bigger = {.mask = old ? 2 * old - 1 : 63};
	bigger.slots = calloc((size_t)bigger.mask + 1, sizeof *bigger.slots);
	if (!bigger.slots)
		return false;
	for (uint32_t i = 0; i < old; i++)
		if (map->slots[i].key)
			insert(&bigger, map->slots[i].key, map->slots[i].value);
	free(map->slots);
	*map = bigger;
	return true;
}

bool map_put(struct map *map, uint64_t key, uint32_t value)
{
	uint32_t *found = map_find(map, key);
	if (found) {
		*found = value;
		return true;
	}
	if ((!map->slots || map->used >= (map->mask + 1ull) * 7 / 10) && !grow(map))
		return false;
	insert(map, key, value);
	return true;
}

/* What follows in the same run moves up, unless that would put it before its own place. */
void map_remove(struct map *map, uint64_t key)
{
	uint32_t *found = map_find(map, key), hole, i;
	if (!found)
		return;
	hole = (uint32_t)((struct map_slot *)((char *)found - offsetof(struct map_slot, value)) -
			  map->slots);
	for (i = (hole + 1) & map->mask; map->slots[i].key; i = (i + 1) & map->mask) {
		uint32_t home = (uint32_t)map_hash(map->slots[i].key) & map->mask;
		if (((i - home) & map->mask) < ((i - hole) & map->mask))
			continue;
		map->slots[hole] = map->slots[i];
		hole = i;
	}
	map->slots[hole] = (struct map_slot){0};
	map->used--;
}
