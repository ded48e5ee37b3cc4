/* SPDX-License-Identifier: BSD-3-Clause */
#include "tools/rasad-baseline/groups.h"

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* 64 bits of FNV-1a: of a million names two share one with a chance of 3e-8. */
static uint64_t hash_of(uint64_t start, const char *text, size_t n)
{
	uint64_t h = start ^ 0xcbf29ce484222325u;

	for (size_t i = 0; i < n; i++)
		h = (h ^ (uint8_t)text[i]) * 0x100000001b3u;
	return h ? h : 1;
}

static bool is_a_group(const char *column)
{
	static const char *const others[] = {"line", "subscriber", "phone", "plan_down_kbps",
					     "plan_up_kbps"};

	for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++)
		if (!strcmp(column, others[i]))
			return false;
	return true;
}

/* Cards and ports are numbered within their node. */
static void qualify(const struct inventory_row *row, const char *column, const char *cell,
		    char *out, size_t n)
{
	if (!strcmp(column, "card"))
		snprintf(out, n, "%s/%s", row->node, cell);
	else if (!strcmp(column, "port"))
		snprintf(out, n, "%s/%s/%s", row->node, row->card, cell);
	else
		snprintf(out, n, "%s", cell);
}

static uint32_t group_new(struct groups *groups, const char *column, const char *name)
{
	if (groups->n == groups->room) {
		uint32_t room = groups->room ? 2 * groups->room : 1024;
		struct group *grown = realloc(groups->at, room * sizeof(*grown));

		if (!grown)
			return NONE;
		groups->at = grown;
		groups->room = room;
	}
	groups->at[groups->n] = (struct group){
		.type = strcmp(column, "node") ? column : "access_node", .name = strdup(name)};
	return groups->n++;
}

static uint32_t group_of(struct groups *groups, struct map *map, const char *column,
			 const char *name)
{
	uint64_t key = hash_of(hash_of(0, column, strlen(column)), name, strlen(name));
	uint32_t *known = map_find(map, key), group;

	if (known)
		return *known;
	group = group_new(groups, column, name);
	return group != NONE && map_put(map, key, group) ? group : NONE;
}

static void take_row(struct groups *groups, struct map *map, const struct inventory *inventory,
		     uint32_t line)
{
	const struct inventory_row *row = inventory_at(inventory, line);
	char name[256];

	for (uint32_t c = 0; c < groups->columns; c++) {
		const char *column = inventory_column_name(inventory, c), *cell = row->cells[c];
		uint32_t *group = &groups->of_line[(size_t)line * groups->columns + c];

		*group = NONE;
		if (!*cell || !is_a_group(column))
			continue;
		qualify(row, column, cell, name, sizeof(name));
		*group = group_of(groups, map, column, name);
		if (*group != NONE)
			groups->at[*group].members++;
	}
}

int groups_load(struct groups *groups, const struct inventory *inventory)
{
	int node = inventory_column(inventory, "node");
	struct map map = {0};
	bool ok = true;

	groups->n_lines = (uint32_t)inventory_counts(inventory).rows;
	groups->columns = (uint32_t)inventory_columns(inventory);
	groups->node_column = node < 0 ? NONE : (uint32_t)node;
	groups->of_line = calloc((size_t)groups->n_lines * groups->columns + 1, sizeof(uint32_t));
	for (uint32_t i = 0; groups->of_line && i < groups->n_lines; i++) {
		const char *name = inventory_at(inventory, i)->line;

		take_row(groups, &map, inventory, i);
		ok &= map_put(&groups->lines, hash_of(0, name, strlen(name)), i);
	}
	map_fini(&map);
	return groups->of_line && ok ? 0 : -ENOMEM;
}

void groups_fini(struct groups *groups)
{
	for (uint32_t i = 0; i < groups->n; i++)
		free((char *)groups->at[i].name);
	free(groups->at);
	free(groups->of_line);
	map_fini(&groups->lines);
	*groups = (struct groups){0};
}

uint32_t groups_line(const struct groups *groups, const char *name, size_t n)
{
	uint32_t *line = map_find(&groups->lines, hash_of(0, name, n));

	return line ? *line : NONE;
}
