/* SPDX-License-Identifier: BSD-3-Clause */
#include "tools/rasad-sim/life.h"

#include <math.h>
#include <stdlib.h>

#include "tools/rasad-sim/mem.h"

#define HOUR_S	 3600.0
#define DAY_S	 86400.0
#define NEVER_S	 1e18
#define THURSDAY 5 /* day 0 is a Saturday, the first of the Iranian week */

#define OFF_A_NIGHT    0.35
#define DROP_MEDIAN_S  90
#define SUSPECTS_A_DAY 0.15
#define LOCKED_SHARE   0.0003 /* of the drops: the account has run out */
#define IDLE_SHARE     0.1

static const double drop_shape[24] = {0.9, 0.8, 0.7, 0.6, 0.6, 0.6, 0.7, 0.8, 0.9, 1.0, 1.1, 1.1,
				      1.1, 1.1, 1.1, 1.1, 1.1, 1.1, 1.2, 1.2, 1.2, 1.2, 1.1, 1.0};
static const double use_shape[24] = {0.45, 0.32, 0.22, 0.16, 0.14, 0.14, 0.17, 0.22,
				     0.30, 0.36, 0.40, 0.43, 0.46, 0.48, 0.47, 0.46,
				     0.48, 0.52, 0.58, 0.64, 0.69, 0.72, 0.68, 0.57};

static uint32_t hour_of(double at_s)
{
	return (uint32_t)(at_s / HOUR_S);
}

static bool is_weekend(uint32_t day)
{
	return day % 7 >= THURSDAY;
}

bool line_active(const struct world *world, struct rng *rng, uint32_t line, double at_s)
{
	uint64_t today = ((uint64_t)(at_s / DAY_S) << 32) | line;
	struct rng idle = rng_make(world->seed, RNG_IDLE, today);

	return !rng_chance(&idle, IDLE_SHARE) && rng_chance(rng, use_shape[hour_of(at_s) % 24]);
}

static double factor(const struct world *world, uint32_t line, uint32_t hour)
{
	uint32_t exchange = world->lines[line].group[GROUP_EXCHANGE];

	return world->hour_factor[(size_t)exchange * world->hours + hour % world->hours];
}

/* --- when next --- */

/* A Poisson process whose rate changes every hour: an exponential of used-up rate. */
static double next_drop(const struct sim *sim, struct life *life, uint32_t line, double from_s)
{
	double left = rng_exponential(&life->rng, 1), at = from_s;
	double a_second = sim->world->lines[line].drops_per_day / DAY_S;

	for (uint32_t h = hour_of(from_s); h < sim->world->hours; h++) {
		double rate = a_second * drop_shape[h % 24] * factor(sim->world, line, h);
		double until = (h + 1) * HOUR_S;

		if (rate * (until - at) >= left)
			return at + left / rate;
		left -= rate * (until - at);
		at = until;
	}
	return NEVER_S;
}

/* The evening of `day`: whether and when the modem is switched off, and on again. */
static bool night(const struct sim *sim, uint32_t line, uint32_t day, double *off, double *on)
{
	struct rng rng = rng_make(sim->world->seed, RNG_NIGHT, ((uint64_t)day << 32) | line);
	double late = is_weekend(day) ? 1.5 : 0, u = rng_unit(&rng);

	if (u > 0.95)
		return false;
	*off = day * DAY_S + rng_normal(&rng, 23 + late, 1.0) * HOUR_S;
	*on = (day + 1) * DAY_S + rng_normal(&rng, is_weekend(day + 1) ? 9.5 : 7.5, 0.8) * HOUR_S;
	return u < fmin(0.95, OFF_A_NIGHT * factor(sim->world, line, hour_of(fmax(*off, 0)))) &&
	       *on > *off + HOUR_S;
}

static void next_night(const struct sim *sim, struct life *life, uint32_t line, double from_s)
{
	life->off_s = NEVER_S;
	for (uint32_t day = from_s > DAY_S ? (uint32_t)(from_s / DAY_S) - 1 : 0;
	     day < sim->world->days + 1; day++) {
		double off, on;

		if (night(sim, line, day, &off, &on) && off > from_s) {
			life->off_s = off;
			life->off_until_s = on;
			return;
		}
	}
}

static void schedule(struct sim *sim, struct life *life, uint32_t line)
{
	life->drop_s = next_drop(sim, life, line, life->now_s);
	next_night(sim, life, line, life->now_s);
	life->suspect_s =
		sim->world->radius_evidence
			? NEVER_S
			: life->now_s + rng_exponential(&life->rng, DAY_S / SUSPECTS_A_DAY);
}

static void to_episode(const struct sim *sim, struct life *life, uint32_t line, uint32_t episode)
{
	double to;

	life->episode = episode;
	life->fault_s = NEVER_S;
	if (episode < sim->plan->first[line + 1])
		episode_bounds(sim->plan, sim->world, sim->plan->of_line[episode], line,
			       &life->fault_s, &to);
}

/* The next episode that begins when the line is there to be hit. */
static void pass_episodes(const struct sim *sim, struct life *life, uint32_t line)
{
	while (life->fault_s <= life->now_s)
		to_episode(sim, life, line, life->episode + 1);
}

static double reconnect_s(const struct sim *sim, const struct life *life, uint32_t line)
{
	return sim->world->lines[line].daily_reconnect ? life->up_since_s + DAY_S : NEVER_S;
}

/* --- outages --- */

static struct outage own_drop(struct sim *sim, struct life *life)
{
	static const double weights[] = {73, 8, 16, 1, 2};
	static const enum loss losses[] = {LOSS_LINE, LOSS_POWER, LOSS_TERM, LOSS_ADMIN,
					   LOSS_ADMIN};
	uint32_t i = rng_pick(&life->rng, weights, 5);
	struct outage o = {.from_s = life->drop_s, .loss = losses[i], .gasp_share = 0.5};

	o.to_s = o.from_s + fmax(3, rng_lognormal(&life->rng, DROP_MEDIAN_S, 0.8));
	if (i == 4) {
		o.cause = CAUSE_REPLACED;
		o.to_s = o.from_s + 0.1;
	}
	if (rng_chance(&life->rng, LOCKED_SHARE)) {
		o.loss = LOSS_ADMIN;
		o.rejected_s = rng_range(&life->rng, 1, 6) * HOUR_S;
	}
	sim->drops++;
	return o;
}

static struct outage own_night(struct sim *sim, struct life *life)
{
	sim->nights++;
	return (struct outage){.from_s = life->off_s,
			       .to_s = life->off_until_s,
			       .loss = rng_chance(&life->rng, 0.2) ? LOSS_TERM : LOSS_POWER,
			       .gasp_share = 0.3};
}

static struct outage reconnect(struct life *life, double at_s)
{
	return (struct outage){
		.from_s = at_s,
		.to_s = at_s + rng_range(&life->rng, 1, 20),
		.loss = LOSS_ADMIN,
		.cause = rng_chance(&life->rng, 0.03) ? CAUSE_UNKNOWN : CAUSE_SESSION_TIMEOUT,
	};
}

static struct outage by_episode(const struct sim *sim, struct life *life, uint32_t line)
{
	uint32_t episode = sim->plan->of_line[life->episode];
	struct fault *fault = &sim->plan->faults[sim->plan->episodes[episode].fault];
	struct outage o = {
		.loss = fault->kind->loss, .gasp_share = fault->gasp_share, .fault = fault};

	episode_bounds(sim->plan, sim->world, episode, line, &o.from_s, &o.to_s);
	to_episode(sim, life, line, life->episode + 1);
	return o;
}

/* Whatever else begins while the line is gone only keeps it away for longer. */
static void extend(struct sim *sim, struct life *life, uint32_t line, struct outage *o)
{
	for (;;) {
		if (life->off_s < o->to_s) {
			o->to_s = fmax(o->to_s, life->off_until_s);
			next_night(sim, life, line, life->off_s);
		} else if (life->fault_s < o->to_s) {
			o->to_s = fmax(o->to_s, by_episode(sim, life, line).to_s);
		} else {
			return;
		}
	}
}

static void suffer(struct sim *sim, struct life *life, uint32_t line, struct outage o)
{
	extend(sim, life, line, &o);
	life->now_s = fmax(tell_outage(sim, line, &o), o.to_s);
	life->up_since_s = life->now_s;
	if (o.fault)
		fault_hit(o.fault, line, life->now_s);
	calls_consider(sim, line, &o, life->now_s);
	pass_episodes(sim, life, line);
	schedule(sim, life, line);
}

static void advance(struct sim *sim, uint32_t line, double until_s)
{
	struct life *life = &sim->lives[line];

	for (;;) {
		double again = reconnect_s(sim, life, line);
		double next = fmin(fmin(fmin(life->drop_s, life->off_s), life->suspect_s),
				   fmin(life->fault_s, again));

		if (next >= until_s)
			return;
		if (next == life->fault_s)
			suffer(sim, life, line, by_episode(sim, life, line));
		else if (next == life->off_s)
			suffer(sim, life, line, own_night(sim, life));
		else if (next == life->drop_s)
			suffer(sim, life, line, own_drop(sim, life));
		else if (next == again)
			suffer(sim, life, line, reconnect(life, again));
		else {
			tell_false_suspect(sim, line, next);
			life->suspect_s =
				next + rng_exponential(&life->rng, DAY_S / SUSPECTS_A_DAY);
		}
	}
}

void lives_advance(struct sim *sim, double until_s)
{
	for (uint32_t i = 0; i < sim->world->n_lines; i++)
		advance(sim, i, until_s);
}

/* At midnight some are off already; the rest is up and declared so. */
void lives_begin(struct sim *sim)
{
	sim->lives = mem_new(sim->world->n_lines, sizeof(*sim->lives));
	for (uint32_t i = 0; i < sim->world->n_lines; i++) {
		struct life *life = &sim->lives[i];

		life->rng = rng_make(sim->world->seed, RNG_LIFE, i);
		life->up_since_s = -rng_range(&life->rng, 0, DAY_S);
		if (rng_chance(&life->rng, 0.28)) {
			life->now_s = fmax(60, rng_normal(&life->rng, 7.5, 0.8) * HOUR_S);
			life->up_since_s = life->now_s;
		}
		to_episode(sim, life, i, sim->plan->first[i]);
		pass_episodes(sim, life, i);
		tell(sim, i, life->now_s, (struct event){.kind = EVENT_UP});
		schedule(sim, life, i);
	}
}
