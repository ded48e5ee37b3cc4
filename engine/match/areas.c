/* SPDX-License-Identifier: BSD-3-Clause */
#include "engine/match/areas.h"

#include <stdlib.h>
#include <string.h>

#include "engine/base/key.h"

#define PREFIX_SIZE 9 /* "+9821887" + NUL: the exchange's part of a number of Iran */

void areas_fini(struct areas *areas)
{
	for (uint32_t i = 0; i < areas->n; i++)
		free(areas->exchanges[i]);
	free(areas->exchanges);
	map_fini(&areas->by_prefix);
	*areas = (struct areas){0};
}

/* 0: the number is too short to say. */
static uint64_t prefix_key(const char *phone)
{
	char prefix[PREFIX_SIZE];

	if (strlen(phone) < PREFIX_SIZE)
		return 0;
	memcpy(prefix, phone, PREFIX_SIZE - 1);
	prefix[PREFIX_SIZE - 1] = 0;
	return key_of(prefix);
}

void areas_learn(struct areas *areas, const char *phone, const char *exchange)
{
	uint64_t key = *exchange ? prefix_key(phone) : 0;

	if (!key || map_find(&areas->by_prefix, key) || areas->n == AREAS_MAX)
		return;
	if (!(areas->n & (areas->n - 1))) {
		size_t room = areas->n ? 2 * areas->n : 1;
		char **exchanges = realloc(areas->exchanges, room * sizeof(*exchanges));
		if (!exchanges)
			return;
		areas->exchanges = exchanges;
	}
	char *copy = strdup(exchange);
	if (copy && map_put(&areas->by_prefix, key, areas->n))
		areas->exchanges[areas->n++] = copy;
	else
		free(copy);
}

const char *areas_find(const struct areas *areas, const char *phone)
{
	uint64_t key = prefix_key(phone);
	const uint32_t *index = key ? map_find(&areas->by_prefix, key) : NULL;

	return index ? areas->exchanges[*index] : NULL;
}
