/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Draws the plan: slots of one fault or several that belong together, one slot after the other
 * with pauses between, so that a judge can tell whose incident an incident is.
 */
#include "tools/rasad-sim/fault.h"

#include <math.h>
#include <stddef.h>

#define HOUR_S	     3600.0
#define DAY_S	     86400.0
#define HITS_MIN     6
#define TRIES	     200
#define PAUSE_S	     900
#define SMEAR_LONG_S 60

struct draw {
	struct plan *plan;
	const struct world *world;
	struct rng rng;
	enum mix mix;
	uint32_t slot;
};

/* --- one fault --- */

static uint32_t pick_group(struct draw *d, enum group_type type)
{
	uint32_t n = d->world->groups[type].n;

	if (!n)
		return NONE;
	if (type == GROUP_PORT) /* PONs are few among the ports of copper lines */
		return d->world->lines[rng_below(&d->rng, d->world->n_lines)].group[type];
	return rng_below(&d->rng, n);
}

static double draw_severity(struct draw *d, const struct fault_kind *kind)
{
	static const double share[] = {1, 0.5, 0.3, 0.2, 0.1}, weight[] = {55, 17, 13, 8, 7};

	if (kind->loss == LOSS_SETUP)
		return 1;
	if (kind->type == GROUP_VENDOR)
		return rng_range(&d->rng, 0.15, 0.6);
	return share[rng_pick(&d->rng, weight, 5)];
}

/* Half of a node is not half of its cards: nobody could tell. */
static bool has_no_parts(const struct world *world, const struct fault *f)
{
	return f->kind->type == GROUP_CABINET ||
	       (f->kind->type == GROUP_CARD &&
		!world->lines[world_member(world, GROUP_CARD, f->group, 0)].fibre);
}

static void draw_shape(struct draw *d, struct fault *f)
{
	static const double smear[] = {0.5, 10, SMEAR_LONG_S}, smear_weight[] = {5, 3, 2};
	static const double recovery_weight[] = {5, 2, 2, 1};
	double duration = rng_lognormal(&d->rng, 15 * 60, 0.8);

	duration = fmin(fmax(duration, 300), 7200);
	if (f->kind->type == GROUP_VENDOR)
		duration = rng_range(&d->rng, 180, 480);
	f->to_s = f->from_s + duration;
	f->smear_s = f->kind->type == GROUP_VENDOR ? 2 * SMEAR_LONG_S
						   : smear[rng_pick(&d->rng, smear_weight, 3)];
	f->recovery = (enum recovery)rng_pick(&d->rng, recovery_weight, 4);
	f->recovery_s = rng_range(&d->rng, 60, 300);
	f->contiguous = has_no_parts(d->world, f) && rng_chance(&d->rng, 0.5);
	f->gasp_share = f->kind->loss == LOSS_POWER && rng_chance(&d->rng, 0.5) ? 0.7 : 0;
	f->episodes = 1;
	if (d->mix == MIX_SINGLE && f->kind->loss == LOSS_LINE && rng_chance(&d->rng, 0.06))
		f->episodes = 3 + rng_below(&d->rng, 3);
}

/* A partial fault that would hit next to nobody is a full one. */
static struct fault *add(struct draw *d, const struct fault_kind *kind, uint32_t group, double at_s)
{
	struct fault f = {
		.kind = kind, .group = group, .from_s = at_s, .mix = d->mix, .slot = d->slot};

	f.severity = draw_severity(d, kind);
	if (f.severity * world_group_lines(d->world, kind->type, group) < HITS_MIN)
		f.severity = 1;
	draw_shape(d, &f);
	return plan_add(d->plan, f);
}

static bool big_enough(const struct draw *d, enum group_type type, uint32_t group)
{
	return group != NONE && world_group_lines(d->world, type, group) >= HITS_MIN + 2;
}

static const struct fault_kind *pick_kind(struct draw *d, bool (*wanted)(const struct fault_kind *))
{
	double weights[32] = {0};
	uint32_t n = 0;

	for (; fault_kinds[n].name; n++)
		weights[n] = !wanted || wanted(&fault_kinds[n]) ? fault_kinds[n].weight : 0;
	return &fault_kinds[rng_pick(&d->rng, weights, n)];
}

static struct fault *add_any(struct draw *d, double at_s, bool (*wanted)(const struct fault_kind *))
{
	for (int i = 0; i < TRIES; i++) {
		const struct fault_kind *kind = pick_kind(d, wanted);
		uint32_t group = pick_group(d, kind->type);

		if (big_enough(d, kind->type, group))
			return add(d, kind, group, at_s);
	}
	return NULL;
}

/* --- faults that belong together --- */

static bool has_siblings(const struct fault_kind *kind)
{
	return kind->type == GROUP_PORT || kind->type == GROUP_CARD || kind->type == GROUP_NODE ||
	       kind->type == GROUP_CABINET || kind->type == GROUP_BRAS_PORT;
}

static bool has_parent_kind(const struct fault_kind *kind)
{
	return kind->type == GROUP_PORT || kind->type == GROUP_CARD ||
	       kind->type == GROUP_CABINET || kind->type == GROUP_NODE;
}

static void add_sibling(struct draw *d, const struct fault *first)
{
	const struct groups *groups = &d->world->groups[first->kind->type];
	struct fault one = *first; /* adding moves the others */
	double delay =
		rng_chance(&d->rng, 0.5) ? rng_range(&d->rng, 0, 5) : rng_range(&d->rng, 0, 60);

	for (int i = 0; i < TRIES; i++) {
		uint32_t span = 32, low = one.group > span / 2 ? one.group - span / 2 : 0;
		uint32_t group = low + rng_below(&d->rng, span);

		if (group < groups->n && group != one.group &&
		    groups->at[group].parent == groups->at[one.group].parent &&
		    big_enough(d, one.kind->type, group)) {
			add(d, one.kind, group, one.from_s + delay);
			return;
		}
	}
}

/* The element above fails while the lower one is down. */
static void add_parent(struct draw *d, struct fault *child)
{
	static const char *const above[GROUP_TYPES] = {
		[GROUP_PORT] = "card",
		[GROUP_CARD] = "access_node",
		[GROUP_NODE] = "exchange_uplink",
		[GROUP_CABINET] = "exchange_power",
	};
	double at = child->from_s + rng_range(&d->rng, 60, 900);
	const struct fault_kind *kind = fault_kind_named(above[child->kind->type]);
	uint32_t group = d->world->groups[child->kind->type].at[child->group].parent;

	child->to_s = fmax(child->to_s, at + 240);
	child->episodes = 1;
	add(d, kind, group, at)->severity = 1;
}

static enum mix draw_mix(struct draw *d, enum mix asked)
{
	static const double weights[] = {0, 45, 22, 15, 9, 9};

	return asked == MIX_ALL ? (enum mix)rng_pick(&d->rng, weights, 6) : asked;
}

static void add_slot(struct draw *d, double at_s)
{
	uint32_t more = d->mix == MIX_INDEPENDENT ? 1 : 2 + rng_below(&d->rng, 3);
	struct fault *first;

	if (d->mix == MIX_SIBLINGS && (first = add_any(d, at_s, has_siblings)))
		add_sibling(d, first);
	else if (d->mix == MIX_NESTED && (first = add_any(d, at_s, has_parent_kind)))
		add_parent(d, first);
	else
		add_any(d, at_s, NULL);
	if (d->mix != MIX_INDEPENDENT && d->mix != MIX_OVERLAP)
		return;
	while (more--)
		add_any(d, at_s + rng_range(&d->rng, 0, 600), NULL);
}

void plan_draw(struct plan *plan, const struct world *world, struct plan_options options)
{
	struct draw d = {.plan = plan, .world = world, .rng = rng_make(world->seed, RNG_PLAN, 0)};
	double end = world->days * DAY_S - HOUR_S, at = world->days > 2 ? 12 * HOUR_S : 2 * HOUR_S;

	if (options.mix == MIX_NONE || options.per_day <= 0)
		return;
	for (at += rng_range(&d.rng, 0, HOUR_S); at < end;) {
		uint32_t before = plan->n_faults;
		double next = at;

		d.slot++;
		d.mix = draw_mix(&d, options.mix);
		add_slot(&d, at);
		for (uint32_t i = before; i < plan->n_faults; i++) {
			next = fmax(next, plan->faults[i].to_s + plan->faults[i].recovery_s);
			at += rng_range(&d.rng, 0.6, 1.4) * DAY_S / options.per_day;
		}
		at = fmax(at, next + PAUSE_S);
		if (plan->n_faults == before)
			at += HOUR_S;
	}
}

/* --- what is nobody's fault --- */

static void add_benign(struct draw *d, const char *name, uint32_t group, double from_s, double to_s,
		       double smear_s, double severity)
{
	plan_add(d->plan, (struct fault){.kind = fault_kind_named(name),
					 .group = group,
					 .from_s = from_s,
					 .to_s = to_s,
					 .smear_s = smear_s,
					 .severity = severity,
					 .episodes = 1});
}

void plan_benign(struct plan *plan, const struct world *world)
{
	struct draw d = {.plan = plan, .world = world, .rng = rng_make(world->seed, RNG_PLAN, 1)};
	uint32_t vendor = 1 + rng_below(&d.rng, 2), ports = world->groups[GROUP_BRAS_PORT].n;
	uint32_t exchanges = world->groups[GROUP_EXCHANGE].n;

	for (uint32_t day = 0; day < world->days; day++) {
		double midnight = day * DAY_S;

		if (world->vendor_reboots)
			add_benign(&d, "vendor_reboot", vendor, midnight + 4 * HOUR_S,
				   midnight + 4 * HOUR_S + 150, 600, 0.6);
		if (day % 14 == 3)
			add_benign(&d, "firmware_push", 0, midnight + 10 * HOUR_S,
				   midnight + 10 * HOUR_S + 200, 6 * HOUR_S, 0.9);
		if (day % 7 == 1)
			add_benign(&d, "match_ends", 0, midnight + 22.75 * HOUR_S,
				   midnight + 32 * HOUR_S, 900, 0.05);
		if (world->sessions_cleared && day % 7 == 2)
			add_benign(&d, "sessions_cleared", rng_below(&d.rng, ports),
				   midnight + 3 * HOUR_S, midnight + 3 * HOUR_S + 5, 30, 1);
		if (rng_chance(&d.rng, 0.5)) {
			double at = midnight + rng_range(&d.rng, 0, 24) * HOUR_S;

			add_benign(&d, "path_switched", rng_below(&d.rng, exchanges), at,
				   at + rng_range(&d.rng, 2, 12), 0.2, 1);
		}
	}
}
