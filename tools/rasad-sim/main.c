/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * rasad-sim: session events of an access network, with faults, and the exact truth about them.
 *
 * What judges a detector must not think like it: nothing here is shared with the engine. One
 * thread; the same options and seed give the same bytes. Simulated an hour at a time, so memory
 * goes with lines (about 200 bytes each) and not with days.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "tools/rasad-sim/inventory.h"
#include "tools/rasad-sim/life.h"
#include "tools/rasad-sim/mem.h"
#include "tools/rasad-sim/options.h"
#include "tools/rasad-sim/truth.h"

#define START_UNIX_MS 1772829000000 /* 2026-03-07 00:00 in Tehran, a Saturday */
#define HOUR_S	      3600

/* Which columns a provider keeps: the cross-cutting ones are the first to be missing. */
static void draw_columns(struct style *style, struct rng *rng, const char *columns)
{
	static const double missing[GROUP_TYPES] = {
		[GROUP_PORT] = 0.1,  [GROUP_CABINET] = 0.15,   [GROUP_FEEDER] = 0.2,
		[GROUP_MDF] = 0.5,   [GROUP_BRAS_PORT] = 0.15, [GROUP_SVLAN] = 0.1,
		[GROUP_POOL] = 0.1,  [GROUP_RESOLVER] = 0.3,   [GROUP_RADIUS] = 0.5,
		[GROUP_TARIFF] = 0.5};

	for (enum group_type type = 0; type < GROUP_TYPES; type++) {
		bool is = rng_chance(rng, missing[type]);

		style->missing[type] = !strcmp(columns, "none") || (is && strcmp(columns, "all"));
	}
}

static void draw_world(struct world *world, const struct options *o)
{
	static const double misfits[] = {0.2, 0.4, 0.8};
	struct rng rng = rng_make(o->seed, RNG_WORLD, 0);
	double drawn = misfits[rng_below(&rng, 3)];

	world->seed = o->seed;
	world->n_lines = o->lines;
	world->days = o->days;
	world->misfit = o->misfit < 0 ? drawn : o->misfit;
	world->radius_evidence = o->radius;
	world->idle_suspects = rng_chance(&rng, 0.5);
	world->vendor_reboots = rng_chance(&rng, 0.5);
	world->sessions_cleared = rng_chance(&rng, 0.5);
	world->style.circuit_names = rng_chance(&rng, 0.4);
	world->style.own_card_names = rng_chance(&rng, 0.4);
	world->style.city_names = rng_chance(&rng, 0.5);
	world->style.slash = rng_chance(&rng, 0.3);
	world->style.persian = rng_chance(&rng, 0.3);
	world->style.svlan_nodes = rng_below(&rng, 4);
	draw_columns(&world->style, &rng, o->columns);
}

static void live(struct sim *sim, const char *folder)
{
	FILE *f = file_create(folder, "events.ndjson");

	lives_begin(sim);
	for (uint32_t hour = 1; hour <= sim->world->days * 24; hour++) {
		lives_advance(sim, hour * HOUR_S);
		events_write(&sim->events, sim->world, f, hour * HOUR_S * 1000ull);
	}
	file_close(f, "events.ndjson");
}

static void make_folder(const char *folder)
{
	if (mkdir(folder, 0777) && errno != EEXIST)
		die("%s: %s", folder, strerror(errno));
}

int main(int argc, char **argv)
{
	struct options o = options_parse(argc, argv);
	struct world world = {0};
	struct plan plan = {0};
	struct sim sim = {.world = &world,
			  .plan = &plan,
			  .events.start_unix_ms = START_UNIX_MS,
			  .calls.wanted = o.calls};
	FILE *truth;

	make_folder(o.output);
	truth = file_create(o.output, "truth.jsonl");
	draw_world(&world, &o);
	world_build(&world);
	plan_draw(&plan, &world, (struct plan_options){o.faults, o.per_day});
	if (!o.no_benign)
		plan_benign(&plan, &world);
	plan_index(&plan, &world);
	live(&sim, o.output);
	truth_write(&sim, inventory_write(&world, o.output), truth);
	calls_write(&sim, o.output, truth);
	file_close(truth, "truth.jsonl");
	events_fini(&sim.events);
	calls_fini(&sim.calls);
	free(sim.lives);
	plan_fini(&plan);
	world_fini(&world);
	return 0;
}
