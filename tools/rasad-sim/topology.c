/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Builds the network of evaluation.md 3.2: exchanges of 500 to 12,000 lines, DSLAMs of 8 cards and
 * OLTs of 4 cards with 8 PONs, and across them cabinets, power feeders, MDF blocks, BRAS and their
 * ports, S-VLANs, pools, and what customers bring along.
 *
 * Below 20,000 lines everything that has no size of its own shrinks along, so that even a small
 * network has several of each.
 */
#include "tools/rasad-sim/world.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "tools/rasad-sim/mem.h"

#define BRAS_LINES	60000
#define BRAS_PORT_LINES 10000
#define POOLS_OF_BRAS	8
#define DSLAM_CARDS	8
#define CARD_PORTS	48
#define OLT_CARDS	4
#define CARD_PONS	8
#define POWER_PONS	5 /* PONs of one street cabinet's power */

const char *const group_columns[GROUP_TYPES] = {
	"exchange",  "node",  "card", "port",	    "cabinet",	"feeder", "mdf",   "bras",
	"bras_port", "svlan", "pool", "cpe_vendor", "resolver", "radius", "tariff"};
const char *const group_names[GROUP_TYPES + 1] = {
	"exchange",  "access_node", "card", "port",	  "cabinet",  "feeder", "mdf",	  "bras",
	"bras_port", "svlan",	    "pool", "cpe_vendor", "resolver", "radius", "tariff", "all"};

struct builder {
	struct world *world;
	struct rng rng;
	uint32_t line; /* the next one */
};

static uint32_t group_new(struct world *world, enum group_type type, uint32_t number,
			  uint32_t parent)
{
	struct groups *g = &world->groups[type];

	if (g->n == g->room) {
		g->room = g->room ? 2 * g->room : 64;
		g->at = mem_grow(g->at, g->room, sizeof(*g->at));
	}
	g->at[g->n] = (struct group){.number = number, .parent = parent};
	return g->n++;
}

static void put(struct world *world, uint32_t line, enum group_type type, uint32_t group)
{
	world->lines[line].group[type] = group;
}

/* --- the tree --- */

static void build_line(struct builder *b, uint32_t exchange, uint32_t node, uint32_t card,
		       uint32_t port)
{
	struct line *line = &b->world->lines[b->line++];

	memset(line->group, 0xff, sizeof(line->group));
	line->group[GROUP_EXCHANGE] = exchange;
	line->group[GROUP_NODE] = node;
	line->group[GROUP_CARD] = card;
	line->group[GROUP_PORT] = port;
}

static void build_dslam(struct builder *b, uint32_t exchange, uint32_t node, uint32_t end)
{
	for (uint32_t c = 1; c <= DSLAM_CARDS && b->line < end; c++) {
		uint32_t card = group_new(b->world, GROUP_CARD, c, node);

		for (uint32_t p = 1; p <= CARD_PORTS && b->line < end; p++)
			if (!rng_chance(&b->rng, 0.15))
				build_line(b, exchange, node, card,
					   group_new(b->world, GROUP_PORT, p, card));
	}
}

static void build_olt(struct builder *b, uint32_t exchange, uint32_t node, uint32_t end)
{
	for (uint32_t c = 1; c <= OLT_CARDS && b->line < end; c++) {
		uint32_t card = group_new(b->world, GROUP_CARD, c, node);

		for (uint32_t p = 1; p <= CARD_PONS && b->line < end; p++) {
			uint32_t port = group_new(b->world, GROUP_PORT, p, card);
			uint32_t n = 12 + rng_below(&b->rng, 21);

			for (; n && b->line < end; n--) {
				b->world->lines[b->line].fibre = true;
				build_line(b, exchange, node, card, port);
			}
		}
	}
}

static void build_exchange(struct builder *b)
{
	uint32_t n = b->world->n_lines, most = n / 4 > 400 ? n / 4 : 400;
	double size = fmin(fmax(rng_lognormal(&b->rng, 3000, 0.7), 500), 12000);
	uint32_t exchange =
		group_new(b->world, GROUP_EXCHANGE, b->world->groups[GROUP_EXCHANGE].n + 1, NONE);
	uint32_t end = b->line + (uint32_t)fmin(size, most), number = 1;

	if (end > n || n - end < 200)
		end = n;
	while (b->line < end) {
		uint32_t node = group_new(b->world, GROUP_NODE, number++, exchange);

		if (rng_chance(&b->rng, 0.2))
			build_olt(b, exchange, node, end);
		else
			build_dslam(b, exchange, node, end);
	}
}

/* --- copper and power --- */

/* Half of the places change hands: pairs are patched where there was one free. */
static void shuffle_half(struct rng *rng, uint32_t *lines, uint32_t n)
{
	for (uint32_t i = 0; i < n; i++)
		if (rng_chance(rng, 0.3)) {
			uint32_t j = rng_below(rng, n), t = lines[i];

			lines[i] = lines[j];
			lines[j] = t;
		}
}

/* Cuts the lines into groups of low to high lines. */
static void cut(struct builder *b, enum group_type type, const uint32_t *lines, uint32_t n,
		uint32_t low, uint32_t high)
{
	struct world *world = b->world;
	uint32_t number = 1, at = 0;

	while (at < n) {
		uint32_t size = low + rng_below(&b->rng, high - low + 1);
		uint32_t exchange = world->lines[lines[0]].group[GROUP_EXCHANGE];
		uint32_t group = group_new(world, type, number++, exchange);

		if (n - at < size + low / 2)
			size = n - at;
		for (; size; size--)
			put(world, lines[at++], type, group);
	}
}

/* Two neighbouring cabinets, or groups of PONs, hang on one power feeder. */
static uint32_t power_unit(const struct world *world, uint32_t line, uint32_t first_port)
{
	const struct line *l = &world->lines[line];

	return l->fibre ? (l->group[GROUP_PORT] - first_port) / POWER_PONS
			: l->group[GROUP_CABINET];
}

static void build_feeders(struct builder *b, const uint32_t *lines, uint32_t n)
{
	struct world *world = b->world;
	uint32_t group = NONE, last = NONE, units = 0;

	for (uint32_t i = 0; i < n; i++) {
		uint32_t unit = power_unit(world, lines[i], 0);

		if (unit != last && units++ % 2 == 0)
			group = group_new(world, GROUP_FEEDER, world->groups[GROUP_FEEDER].n + 1,
					  world->lines[lines[i]].group[GROUP_EXCHANGE]);
		last = unit;
		put(world, lines[i], GROUP_FEEDER, group);
	}
}

/* Lines of an exchange with or without fibre, in the order of their cards. */
static uint32_t lines_of(const struct world *world, uint32_t first, uint32_t end, bool fibre,
			 uint32_t *out)
{
	uint32_t n = 0;

	for (uint32_t i = first; i < end; i++)
		if (world->lines[i].fibre == fibre)
			out[n++] = i;
	return n;
}

static int by_cabinet(const void *a, const void *b, void *context)
{
	const struct world *world = context;
	uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;
	uint32_t cx = world->lines[x].group[GROUP_CABINET],
		 cy = world->lines[y].group[GROUP_CABINET];

	return cx != cy ? (cx > cy) - (cx < cy) : (x > y) - (x < y);
}

static void build_plant(struct builder *b)
{
	struct world *world = b->world;
	uint32_t *lines = mem_new(world->n_lines, sizeof(*lines)), first = 0, end, n;

	for (; first < world->n_lines; first = end) {
		uint32_t exchange = world->lines[first].group[GROUP_EXCHANGE];

		for (end = first;
		     end < world->n_lines && world->lines[end].group[GROUP_EXCHANGE] == exchange;)
			end++;
		n = lines_of(world, first, end, true, lines);
		build_feeders(b, lines, n);
		n = lines_of(world, first, end, false, lines);
		if (!n)
			continue;
		shuffle_half(&b->rng, lines, n);
		cut(b, GROUP_CABINET, lines, n, 150, 350);
		qsort_r(lines, n, sizeof(*lines), by_cabinet, world);
		build_feeders(b, lines, n);
		shuffle_half(&b->rng, lines, n);
		shuffle_half(&b->rng, lines, n);
		cut(b, GROUP_MDF, lines, n, 300, 600);
	}
	free(lines);
}

/* --- the core --- */

struct core {
	uint32_t bras, port, svlan;
	uint32_t bras_lines, port_lines, svlan_nodes;
};

static void next_port(struct builder *b, struct core *core)
{
	struct world *world = b->world;
	double scale = fmin(1, world->n_lines / 120000.0);

	if (core->bras == NONE || core->bras_lines > BRAS_LINES * fmax(scale, 0.01)) {
		core->bras = group_new(world, GROUP_BRAS, world->groups[GROUP_BRAS].n + 1, NONE);
		core->bras_lines = 0;
		for (uint32_t p = 1; p <= POOLS_OF_BRAS; p++)
			group_new(world, GROUP_POOL, p, core->bras);
		group_new(world, GROUP_RADIUS, core->bras + 1, core->bras);
		core->port = NONE;
	}
	if (core->port == NONE || core->port_lines > BRAS_PORT_LINES * fmax(scale, 0.01)) {
		core->port = group_new(world, GROUP_BRAS_PORT, world->groups[GROUP_BRAS_PORT].n + 1,
				       core->bras);
		core->port_lines = 0;
		core->svlan = NONE;
	}
}

static void next_svlan(struct builder *b, struct core *core, bool new_node)
{
	uint32_t shared = b->world->style.svlan_nodes;

	core->svlan_nodes += new_node;
	if (core->svlan != NONE && !(new_node && core->svlan_nodes >= (shared ? shared : 1)))
		return;
	core->svlan =
		group_new(b->world, GROUP_SVLAN, b->world->groups[GROUP_SVLAN].n + 1, core->port);
	core->svlan_nodes = 0;
}

/* With two S-VLANs a node, the second one takes its upper cards. */
static void split_svlan(struct builder *b, struct core *core, uint32_t line)
{
	const struct world *world = b->world;
	uint32_t card = world->lines[line].group[GROUP_CARD];
	uint32_t upper = world->lines[line].fibre ? OLT_CARDS / 2 : DSLAM_CARDS / 2;
	uint32_t before = line ? world->lines[line - 1].group[GROUP_CARD] : NONE;

	if (!world->style.svlan_nodes && card != before &&
	    world->groups[GROUP_CARD].at[card].number == upper + 1)
		core->svlan = group_new(b->world, GROUP_SVLAN, world->groups[GROUP_SVLAN].n + 1,
					core->port);
}

static void build_core(struct builder *b)
{
	struct world *world = b->world;
	struct core core = {NONE, NONE, NONE, 0, 0, 0};
	uint32_t node = NONE;

	for (uint32_t i = 0; i < world->n_lines; i++) {
		bool new_node = world->lines[i].group[GROUP_NODE] != node;

		if (new_node)
			next_port(b, &core);
		next_svlan(b, &core, new_node);
		if (!new_node)
			split_svlan(b, &core, i);
		node = world->lines[i].group[GROUP_NODE];
		core.bras_lines++, core.port_lines++;
		put(world, i, GROUP_BRAS, core.bras);
		put(world, i, GROUP_BRAS_PORT, core.port);
		put(world, i, GROUP_SVLAN, core.svlan);
		put(world, i, GROUP_RADIUS, core.bras);
		put(world, i, GROUP_POOL,
		    core.bras * POOLS_OF_BRAS + rng_below(&b->rng, POOLS_OF_BRAS));
	}
}

/* --- customers --- */

static void build_customers(struct builder *b)
{
	static const double vendors[] = {45, 25, 15, 8, 5, 2}, resolvers[] = {70, 30},
			    rates[] = {90, 9, 1}, per_day[] = {0.2, 2, 30},
			    tariffs[] = {40, 45, 15};
	struct world *world = b->world;

	for (uint32_t i = 0; i < 6; i++)
		group_new(world, GROUP_VENDOR, i + 1, NONE);
	for (uint32_t i = 0; i < 2; i++)
		group_new(world, GROUP_RESOLVER, i + 1, NONE);
	for (uint32_t i = 0; i < 3; i++)
		group_new(world, GROUP_TARIFF, i + 1, NONE);
	for (uint32_t i = 0; i < world->n_lines; i++) {
		struct rng rng = rng_make(world->seed, RNG_LINE, i);
		uint32_t tariff = rng_pick(&rng, tariffs, 3);

		put(world, i, GROUP_VENDOR, rng_pick(&rng, vendors, 6));
		put(world, i, GROUP_RESOLVER, rng_pick(&rng, resolvers, 2));
		put(world, i, GROUP_TARIFF, tariff);
		world->lines[i].daily_reconnect = tariff == 2;
		world->lines[i].drops_per_day =
			(float)rng_lognormal(&rng, per_day[rng_pick(&rng, rates, 3)], 0.5);
		world->lines[i].phone = i && rng_chance(&rng, 0.02) ? world->lines[i - 1].phone : i;
	}
}

/* --- all of it --- */

static void index_members(struct world *world, enum group_type type)
{
	struct groups *g = &world->groups[type];

	g->first = mem_new((size_t)g->n + 2, sizeof(*g->first));
	g->members = mem_new(world->n_lines, sizeof(*g->members));
	for (uint32_t i = 0; i < world->n_lines; i++)
		if (world->lines[i].group[type] != NONE) {
			g->first[world->lines[i].group[type] + 2]++;
			g->at[world->lines[i].group[type]].lines++;
		}
	for (uint32_t i = 2; i <= g->n; i++)
		g->first[i] += g->first[i - 1];
	for (uint32_t i = 0; i < world->n_lines; i++)
		if (world->lines[i].group[type] != NONE)
			g->members[g->first[world->lines[i].group[type] + 1]++] = i;
}

static void draw_hours(struct world *world)
{
	uint32_t exchanges = world->groups[GROUP_EXCHANGE].n;

	world->hours = world->days * 24 + 48;
	world->hour_factor = mem_new((size_t)exchanges * world->hours, sizeof(float));
	for (uint32_t e = 0; e < exchanges; e++) {
		struct rng rng = rng_make(world->seed, RNG_HOUR, e);

		for (uint32_t h = 0; h < world->hours; h++)
			world->hour_factor[(size_t)e * world->hours + h] =
				(float)rng_lognormal(&rng, 1, world->misfit);
	}
}

void world_build(struct world *world)
{
	struct builder b = {.world = world, .rng = rng_make(world->seed, RNG_TOPOLOGY, 0)};

	world->lines = mem_new(world->n_lines, sizeof(*world->lines));
	while (b.line < world->n_lines)
		build_exchange(&b);
	build_plant(&b);
	build_core(&b);
	build_customers(&b);
	for (enum group_type type = 0; type < GROUP_TYPES; type++)
		index_members(world, type);
	draw_hours(world);
	name_lines(world);
}

void world_fini(struct world *world)
{
	for (enum group_type type = 0; type < GROUP_TYPES; type++) {
		free(world->groups[type].at);
		free(world->groups[type].first);
		free(world->groups[type].members);
	}
	free(world->lines);
	free(world->names);
	free(world->name_at);
	free(world->hour_factor);
	*world = (struct world){0};
}

uint32_t world_group_lines(const struct world *world, enum group_type type, uint32_t group)
{
	return type == GROUP_ALL ? world->n_lines : world->groups[type].at[group].lines;
}

uint32_t world_member(const struct world *world, enum group_type type, uint32_t group, uint32_t i)
{
	const struct groups *g = &world->groups[type < GROUP_TYPES ? type : 0];

	return type == GROUP_ALL ? i : g->members[g->first[group] + i];
}

bool world_in_group(const struct world *world, uint32_t line, enum group_type type, uint32_t group)
{
	return type == GROUP_ALL || world->lines[line].group[type] == group;
}
