/* SPDX-License-Identifier: BSD-3-Clause */
#include "engine/analysis/outage/group.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "engine/base/key.h"

static bool grow(struct groups *groups)
{
	uint32_t room = groups->room ? 2 * groups->room : 256;
	struct group *at = realloc(groups->at, room * sizeof *at);
	if (!at)
		return false;
	groups->at = at;
	groups->room = room;
	return true;
}

int groups_init(struct groups *groups)
{
	*groups = (struct groups){0};
	if (!grow(groups))
		return -ENOMEM;
	groups->at[0] = (struct group){0};
	groups->n = 1;
	return groups_get(groups, KIND_NETWORK, GROUP_NONE, "all") ? 0 : -ENOMEM;
}

void groups_fini(struct groups *groups)
{
	for (uint32_t i = 1; i < groups->n; i++)
		free(groups->at[i].name);
	free(groups->at);
	free(groups->kind_names);
	map_fini(&groups->index);
	*groups = (struct groups){0};
}

uint16_t groups_column(struct groups *groups, const char *name)
{
	const char **names;
	for (uint32_t i = 0; i < groups->n_kind_names; i++)
		if (strcmp(groups->kind_names[i], name) == 0)
			return (uint16_t)(KIND_COLUMN + i);
	names = realloc(groups->kind_names, (groups->n_kind_names + 1) * sizeof *names);
	if (!names) {
		groups->refused++;
		return KIND_COLUMN;
	}
	groups->kind_names = names;
	names[groups->n_kind_names] = name;
	return (uint16_t)(KIND_COLUMN + groups->n_kind_names++);
}

static uint32_t add(struct groups *groups, uint16_t kind, uint32_t parent, const char *name)
{
	uint32_t group = groups->n;
	struct group *g;
	char *copy = strdup(name);
	if (!copy || (groups->n == groups->room && !grow(groups))) {
		free(copy);
		return GROUP_NONE;
	}
	g = &groups->at[group];
	*g = (struct group){.kind = kind, .parent = parent, .name = copy};
	if (parent) {
		g->depth = (uint8_t)(groups->at[parent].depth + 1);
		g->next = groups->at[parent].first_child;
		groups->at[parent].first_child = group;
	}
	groups->n++;
	return group;
}

uint32_t groups_get(struct groups *groups, uint16_t kind, uint32_t parent, const char *name)
{
	uint64_t key = key_of_kind((uint64_t)kind << 32 | parent, name);
	const uint32_t *found = map_find(&groups->index, key);
	uint32_t group;
	if (found) {
		const struct group *g = &groups->at[*found];
		if (g->kind == kind && g->parent == parent && strcmp(g->name, name) == 0)
			return *found;
		groups->refused++;
		return GROUP_NONE;
	}
	group = add(groups, kind, parent, name);
	if (group && map_put(&groups->index, key, group))
		return group;
	groups->refused++;
	return group;
}

struct report_group groups_name(const struct groups *groups, uint32_t group)
{
	const struct group *g = &groups->at[group];
	const char *type = g->kind < KIND_COLUMN || groups->n_kind_names == 0
				   ? kind_of(g->kind)->name
				   : groups->kind_names[g->kind - KIND_COLUMN];
	return (struct report_group){type, g->name};
}

bool groups_below(const struct groups *groups, uint32_t group, uint32_t above)
{
	while (group && group != above)
		group = groups->at[group].parent;
	return group == above;
}
