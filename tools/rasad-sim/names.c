/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What lines and groups are called. Cards and ports are often named by a number that only their
 * node makes unique; then an incident has to name the node, too.
 */
#include "tools/rasad-sim/world.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tools/rasad-sim/mem.h"

static const char *const cities[] = {"Tehran", "Karaj", "Mashhad", "Isfahan", "Shiraz",
				     "Tabriz", "Qom",	"Ahvaz",   "Rasht",   "Yazd"};
static const char *const vendors[] = {"Huawei", "ZTE", "TP-Link", "D-Link", "Zyxel", "Nokia"};
static const char *const tariffs[] = {"home-16", "home-8", "night-unlimited"};

static const struct group *group_at(const struct world *world, enum group_type type, uint32_t group)
{
	return &world->groups[type].at[group];
}

static void name_exchange(const struct world *world, uint32_t exchange, char out[NAME_SIZE])
{
	if (world->style.city_names)
		snprintf(out, NAME_SIZE, "%s-%u", cities[exchange % 10], exchange / 10 + 1);
	else
		snprintf(out, NAME_SIZE, "EX-%03u", exchange + 1);
}

static void name_node(const struct world *world, uint32_t node, char out[NAME_SIZE])
{
	if (world->style.city_names)
		snprintf(out, NAME_SIZE, "DSLAM-%u", 1000 + node);
	else
		snprintf(out, NAME_SIZE, "E%03u-N%02u",
			 group_at(world, GROUP_NODE, node)->parent + 1,
			 group_at(world, GROUP_NODE, node)->number);
}

static void name_card(const struct world *world, uint32_t card, char out[NAME_SIZE])
{
	const struct group *g = group_at(world, GROUP_CARD, card);
	char node[NAME_SIZE];

	if (!world->style.own_card_names) {
		snprintf(out, NAME_SIZE, world->style.slash ? "0/%u" : "%u", g->number);
		return;
	}
	name_node(world, g->parent, node);
	snprintf(out, NAME_SIZE, "%.40s-C%u", node, g->number);
}

static void name_port(const struct world *world, uint32_t port, char out[NAME_SIZE])
{
	const struct group *g = group_at(world, GROUP_PORT, port);
	char card[NAME_SIZE];

	if (!world->style.own_card_names) {
		snprintf(out, NAME_SIZE, "%u", g->number);
		return;
	}
	name_card(world, g->parent, card);
	snprintf(out, NAME_SIZE, "%.50s-P%u", card, g->number);
}

void name_cell(const struct world *world, enum group_type type, uint32_t group, char out[NAME_SIZE])
{
	const struct group *g = type < GROUP_ALL ? group_at(world, type, group) : NULL;

	switch (type) {
	case GROUP_EXCHANGE:
		name_exchange(world, group, out);
		break;
	case GROUP_NODE:
		name_node(world, group, out);
		break;
	case GROUP_CARD:
		name_card(world, group, out);
		break;
	case GROUP_PORT:
		name_port(world, group, out);
		break;
	case GROUP_CABINET:
		snprintf(out, NAME_SIZE, world->style.persian ? "کافو-%u" : "K%u", 1001 + group);
		break;
	case GROUP_FEEDER:
		snprintf(out, NAME_SIZE, "F%05u", group + 1);
		break;
	case GROUP_MDF:
		snprintf(out, NAME_SIZE, "M-%u-%u", g->parent + 1, g->number);
		break;
	case GROUP_BRAS:
		snprintf(out, NAME_SIZE, "BRAS-%u", group + 1);
		break;
	case GROUP_BRAS_PORT:
		snprintf(out, NAME_SIZE, "BRAS-%u:xe-0/0/%u", g->parent + 1, g->number);
		break;
	case GROUP_SVLAN:
		snprintf(out, NAME_SIZE, "%u", 10 + group % 4080);
		break;
	case GROUP_POOL:
		snprintf(out, NAME_SIZE, "pool-%u-%u", g->parent + 1, g->number);
		break;
	case GROUP_VENDOR:
		snprintf(out, NAME_SIZE, "%s", vendors[group]);
		break;
	case GROUP_RESOLVER:
		snprintf(out, NAME_SIZE, "10.255.0.%u", 52 + g->number);
		break;
	case GROUP_RADIUS:
		snprintf(out, NAME_SIZE, "aaa-%u", group + 1);
		break;
	case GROUP_TARIFF:
		snprintf(out, NAME_SIZE, "%s", tariffs[group]);
		break;
	case GROUP_ALL:
		snprintf(out, NAME_SIZE, "all");
		break;
	}
}

void name_group(const struct world *world, enum group_type type, uint32_t group,
		char out[NAME_SIZE])
{
	const struct group *g = type < GROUP_ALL ? group_at(world, type, group) : NULL;
	char cell[NAME_SIZE], above[NAME_SIZE];

	if ((type != GROUP_CARD && type != GROUP_PORT) || world->style.own_card_names) {
		name_cell(world, type, group, out);
		return;
	}
	name_cell(world, type, group, cell);
	name_group(world, type == GROUP_PORT ? GROUP_CARD : GROUP_NODE, g->parent, above);
	snprintf(out, NAME_SIZE, "%.40s/%.20s", above, cell);
}

/* The access-loop id as access nodes write it (TR-101 3.9.3). */
static int circuit_name(const struct world *world, uint32_t line, uint32_t onu, char *out, size_t n)
{
	const struct line *l = &world->lines[line];
	uint32_t card = group_at(world, GROUP_CARD, l->group[GROUP_CARD])->number;
	uint32_t port = group_at(world, GROUP_PORT, l->group[GROUP_PORT])->number;
	char node[NAME_SIZE];

	name_node(world, l->group[GROUP_NODE], node);
	return l->fibre ? snprintf(out, n, "%s eth 0/%u/%u:%u", node, card, port, onu)
			: snprintf(out, n, "%s atm 0/%u/%u:8.35", node, card, port);
}

void name_lines(struct world *world)
{
	size_t used = 0, room = (size_t)world->n_lines * 32 + NAME_SIZE;
	uint32_t onu = 0;

	world->names = mem_new(room, 1);
	world->name_at = mem_new(world->n_lines, sizeof(uint32_t));
	for (uint32_t i = 0; i < world->n_lines; i++) {
		const struct line *l = &world->lines[i];
		char *out = world->names + used;

		onu = i && l->group[GROUP_PORT] == l[-1].group[GROUP_PORT] ? onu + 1 : 1;
		world->name_at[i] = (uint32_t)used;
		used += 1 + (size_t)(world->style.circuit_names
					     ? circuit_name(world, i, onu, out, 32)
					     : snprintf(out, 32, "L%07u", i + 1));
	}
}
