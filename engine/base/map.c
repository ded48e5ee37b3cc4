/* SPDX-License-Identifier: BSD-3-Clause */
#include "engine/base/map.h"

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
