/* SPDX-License-Identifier: BSD-3-Clause */
#include "tools/rasad-sim/inventory.h"

#include <stdio.h>
#include <string.h>

#include "tools/rasad-sim/mem.h"

#define WRONG	 0.03
#define UNPLACED 0.03
#define ABSENT	 0.02
#define TWICE	 0.0001

void phone_of(const struct world *world, uint32_t line, char out[NAME_SIZE])
{
	snprintf(out, NAME_SIZE, "021%08u", 22000000 + world->lines[line].phone);
}

/* Whose place the books give this line: usually a neighbour's, sometimes anybody's. */
static uint32_t wrong_place(const struct world *world, struct rng *rng, uint32_t line)
{
	uint32_t exchange = world->lines[line].group[GROUP_EXCHANGE];
	uint32_t node = world->lines[line].group[GROUP_NODE];
	double u = rng_unit(rng);

	if (u < 0.4)
		return world_member(world, GROUP_NODE, node,
				    rng_below(rng, world->groups[GROUP_NODE].at[node].lines));
	if (u < 0.8)
		return world_member(
			world, GROUP_EXCHANGE, exchange,
			rng_below(rng, world->groups[GROUP_EXCHANGE].at[exchange].lines));
	return rng_below(rng, world->n_lines);
}

static bool is_customers(enum group_type type)
{
	return type == GROUP_POOL || type == GROUP_VENDOR || type == GROUP_RESOLVER ||
	       type == GROUP_TARIFF;
}

static void write_cells(const struct world *world, FILE *f, uint32_t line, uint32_t place,
			bool placed)
{
	for (enum group_type type = 0; type < GROUP_TYPES; type++) {
		uint32_t owner = is_customers(type) ? line : place;
		uint32_t group = world->lines[owner].group[type];
		char cell[NAME_SIZE] = "";

		if (world->style.missing[type])
			continue;
		if (group != NONE && (placed || is_customers(type)))
			name_cell(world, type, group, cell);
		fputc(',', f);
		fputs(cell, f);
	}
}

static void write_row(const struct world *world, FILE *f, uint32_t line, uint32_t place,
		      bool placed)
{
	char phone[NAME_SIZE];

	phone_of(world, line, phone);
	fprintf(f, "%s,u%07u@isp.test,%s", world_line_name(world, line), line + 1, phone);
	write_cells(world, f, line, place, placed);
	fputs(world->lines[line].fibre ? ",50000,10000\n" : ",16384,1024\n", f);
}

static void write_header(const struct world *world, FILE *f)
{
	fputs("line,subscriber,phone", f);
	for (enum group_type type = 0; type < GROUP_TYPES; type++)
		if (!world->style.missing[type])
			fprintf(f, ",%s", group_columns[type]);
	fputs(",plan_down_kbps,plan_up_kbps\n", f);
}

struct inventory_errors inventory_write(const struct world *world, const char *folder)
{
	struct rng rng = rng_make(world->seed, RNG_INVENTORY, 0);
	struct inventory_errors errors = {0};
	FILE *f = file_create(folder, "inventory.csv");

	write_header(world, f);
	for (uint32_t i = 0; i < world->n_lines; i++) {
		double u = rng_unit(&rng);
		bool wrong = u < WRONG, placed = u >= WRONG + UNPLACED;

		if (u >= 1 - ABSENT) {
			errors.absent++;
			continue;
		}
		errors.wrong += wrong;
		errors.unplaced += !wrong && !placed;
		write_row(world, f, i, wrong ? wrong_place(world, &rng, i) : i, placed || wrong);
		if (rng_chance(&rng, TWICE)) {
			errors.twice++;
			write_row(world, f, i, i, true);
		}
	}
	file_close(f, "inventory.csv");
	return errors;
}
