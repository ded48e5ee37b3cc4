/* SPDX-License-Identifier: BSD-3-Clause */
#include "tools/rasad-sim/fault.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "tools/rasad-sim/mem.h"

#define NET  "EXCHANGE_TRANSPORT"
#define CORE "ISP_CORE_UPSTREAM"

const char *const mix_names[] = {"none",   "single",  "siblings", "independent",
				 "nested", "overlap", "all"};

const struct fault_kind fault_kinds[] = {
	{"port", GROUP_PORT, "PORT_FAULT", "ACCESS_INFRA", LOSS_LINE, 10},
	{"card", GROUP_CARD, "CARD_FAILURE", "ACCESS_INFRA", LOSS_LINE, 16},
	{"access_node", GROUP_NODE, "NODE_OR_UPLINK", NET, LOSS_PATH, 12},
	{"node_power", GROUP_NODE, "NODE_OR_UPLINK", NET, LOSS_LINE, 4},
	{"exchange_uplink", GROUP_EXCHANGE, "TRANSMISSION", NET, LOSS_PATH, 5},
	{"exchange_power", GROUP_EXCHANGE, "TRANSMISSION", NET, LOSS_LINE, 3},
	{"cabinet", GROUP_CABINET, "CABLE_CUT", "ACCESS_INFRA", LOSS_LINE, 10},
	{"feeder", GROUP_FEEDER, "AREA_POWER", "PREMISES", LOSS_POWER, 10},
	{"mdf", GROUP_MDF, "MDF", NET, LOSS_LINE, 3},
	{"svlan", GROUP_SVLAN, "TRANSMISSION", NET, LOSS_PATH, 6},
	{"bras_port", GROUP_BRAS_PORT, "BRAS_PORT", CORE, LOSS_PATH, 5},
	{"bras", GROUP_BRAS, "BRAS", CORE, LOSS_BRAS, 2},
	{"pool", GROUP_POOL, "POOL", CORE, LOSS_PATH, 5},
	{"pool_exhausted", GROUP_POOL, "POOL", CORE, LOSS_SETUP, 3},
	{"radius_silent", GROUP_RADIUS, "AAA", CORE, LOSS_SETUP, 3},
	{"firmware_crash", GROUP_VENDOR, "CPE_FIRMWARE", "PREMISES", LOSS_TERM, 2},
	{"vendor_reboot", GROUP_VENDOR, NULL, NULL, LOSS_TERM, 0},
	{"firmware_push", GROUP_VENDOR, NULL, NULL, LOSS_TERM, 0},
	{"match_ends", GROUP_ALL, NULL, NULL, LOSS_TERM, 0},
	{"sessions_cleared", GROUP_BRAS_PORT, NULL, NULL, LOSS_ADMIN, 0},
	{"path_switched", GROUP_EXCHANGE, NULL, NULL, LOSS_PATH, 0},
	{.name = NULL},
};

const struct fault_kind *fault_kind_named(const char *name)
{
	const struct fault_kind *kind = fault_kinds;

	while (kind->name && strcmp(kind->name, name))
		kind++;
	return kind->name ? kind : NULL;
}

void plan_fini(struct plan *plan)
{
	for (uint32_t i = 0; i < plan->n_faults; i++)
		free(plan->faults[i].hits);
	free(plan->faults);
	free(plan->episodes);
	free(plan->first);
	free(plan->of_line);
	*plan = (struct plan){0};
}

void fault_hit(struct fault *fault, uint32_t line, double back_s)
{
	if (fault->n_hits == fault->room) {
		fault->room = fault->room ? 2 * fault->room : 64;
		fault->hits = mem_grow(fault->hits, fault->room, sizeof(*fault->hits));
	}
	fault->hits[fault->n_hits++] = (struct hit){line, (float)back_s};
}

/* Whether the fault reaches this member at all: always the same answer. */
static bool reaches(const struct world *world, const struct fault *fault, uint32_t line,
		    uint32_t member)
{
	uint32_t n = world_group_lines(world, fault->kind->type, fault->group);
	struct rng rng = rng_make(world->seed, RNG_HIT, ((uint64_t)fault->number << 32) | line);

	if (fault->contiguous)
		return member < fault->severity * n;
	return rng_chance(&rng, fault->severity);
}

static double recovery_delay(const struct world *world, const struct fault *fault, uint32_t line,
			     struct rng *rng)
{
	uint32_t card = world->lines[line].group[GROUP_CARD];

	switch (fault->recovery) {
	case RECOVERY_AT_ONCE:
		return rng_range(rng, 0, 10);
	case RECOVERY_LINEAR:
		return rng_range(rng, 0, fault->recovery_s);
	case RECOVERY_EXPONENTIAL:
		return fmin(rng_exponential(rng, fault->recovery_s / 3), 3 * fault->recovery_s);
	case RECOVERY_BY_CARD:
		break;
	}
	return (double)(rng_hash(world->seed, card) % 1000) / 1000 * fault->recovery_s +
	       rng_range(rng, 0, 5);
}

void episode_bounds(const struct plan *plan, const struct world *world, uint32_t episode,
		    uint32_t line, double *from_s, double *to_s)
{
	const struct episode *e = &plan->episodes[episode];
	const struct fault *fault = &plan->faults[e->fault];
	struct rng rng = rng_make(world->seed, RNG_HIT, ((uint64_t)~episode << 32) | line);

	*from_s = e->from_s + fault->smear_s * rng_unit(&rng);
	*to_s = e->to_s + recovery_delay(world, fault, line, &rng);
	if (fault->kind->loss == LOSS_TERM &&
	    !fault->kind->category) /* each goes and comes for itself */
		*to_s = *from_s + (e->to_s - e->from_s) * rng_range(&rng, 0.7, 1.3);
	if (*to_s < *from_s + 2)
		*to_s = *from_s + 2;
	/* A few are not back when the rest is: their modem hangs, their pair was mixed up. */
	if (fault->kind->category && fault->episodes == 1 && rng_chance(&rng, 0.015))
		*to_s += rng_range(&rng, 1200, 14400);
}

struct fault *plan_blocks(struct plan *plan, const struct world *world, uint32_t line, double at_s)
{
	for (uint32_t i = 0; i < plan->n_faults; i++) {
		struct fault *fault = &plan->faults[i];

		if (fault->kind->loss == LOSS_SETUP && at_s >= fault->from_s &&
		    at_s < fault->to_s &&
		    world_in_group(world, line, fault->kind->type, fault->group) &&
		    reaches(world, fault, line, 0))
			return fault;
	}
	return NULL;
}

/* --- from faults to the episodes of each line --- */

struct fault *plan_add(struct plan *plan, struct fault fault)
{
	if (plan->n_faults == plan->faults_room) {
		plan->faults_room = plan->faults_room ? 2 * plan->faults_room : 64;
		plan->faults = mem_grow(plan->faults, plan->faults_room, sizeof(*plan->faults));
	}
	fault.number = plan->n_faults + 1;
	plan->faults[plan->n_faults] = fault;
	return &plan->faults[plan->n_faults++];
}

static void add_episode(struct plan *plan, uint32_t fault, double from_s, double to_s)
{
	if (plan->n_episodes == plan->episodes_room) {
		plan->episodes_room = plan->episodes_room ? 2 * plan->episodes_room : 64;
		plan->episodes =
			mem_grow(plan->episodes, plan->episodes_room, sizeof(*plan->episodes));
	}
	plan->episodes[plan->n_episodes++] = (struct episode){fault, from_s, to_s};
}

/* Parts of the fault's time with pauses between, for one that comes and goes. */
static void add_episodes(struct plan *plan, uint32_t i)
{
	const struct fault *fault = &plan->faults[i];
	double step = (fault->to_s - fault->from_s) / fault->episodes;

	if (fault->kind->loss == LOSS_SETUP)
		return;
	for (uint32_t e = 0; e < fault->episodes; e++)
		add_episode(plan, i, fault->from_s + e * step,
			    fault->from_s + e * step + step * (fault->episodes > 1 ? 0.5 : 1));
}

static int by_start(const void *a, const void *b)
{
	const struct episode *x = a, *y = b;

	return x->from_s != y->from_s ? (x->from_s > y->from_s) - (x->from_s < y->from_s)
				      : (x->fault > y->fault) - (x->fault < y->fault);
}

/* Calls visit for each line that an episode hits, episodes in order. */
static void visit_hits(struct plan *plan, const struct world *world,
		       void (*visit)(struct plan *plan, uint32_t line, uint32_t episode))
{
	for (uint32_t e = 0; e < plan->n_episodes; e++) {
		const struct fault *fault = &plan->faults[plan->episodes[e].fault];
		uint32_t n = world_group_lines(world, fault->kind->type, fault->group);

		for (uint32_t m = 0; m < n; m++) {
			uint32_t line = world_member(world, fault->kind->type, fault->group, m);

			if (reaches(world, fault, line, m))
				visit(plan, line, e);
		}
	}
}

static void count_hit(struct plan *plan, uint32_t line, uint32_t episode)
{
	(void)episode;
	plan->first[line + 2]++;
}

static void store_hit(struct plan *plan, uint32_t line, uint32_t episode)
{
	plan->of_line[plan->first[line + 1]++] = episode;
}

static void index_episodes(struct plan *plan, const struct world *world)
{
	plan->first = mem_new((size_t)world->n_lines + 2, sizeof(*plan->first));
	visit_hits(plan, world, count_hit);
	for (uint32_t i = 2; i <= world->n_lines + 1; i++)
		plan->first[i] += plan->first[i - 1];
	plan->of_line = mem_new(plan->first[world->n_lines + 1], sizeof(*plan->of_line));
	visit_hits(plan, world, store_hit);
}

void plan_index(struct plan *plan, const struct world *world)
{
	for (uint32_t i = 0; i < plan->n_faults; i++)
		add_episodes(plan, i);
	if (plan->n_episodes)
		qsort(plan->episodes, plan->n_episodes, sizeof(*plan->episodes), by_start);
	index_episodes(plan, world);
}
