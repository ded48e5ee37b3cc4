/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * How outages show at the tap. A line that is used is suspect 5 to 12 s after it went silent, and
 * down when it still does not answer half a minute later; of one that is not, three LCP echoes in
 * a row must be missed. What ends properly is told at once. Where only RADIUS tells, everything
 * silent comes after the LCP time-out and there is no suspicion.
 */
#include "tools/rasad-sim/life.h"

#include <math.h>

#define ECHO_S	      30.0
#define ECHO_WAIT_S   3.0
#define CONFIRM_S     30.0
#define LATE_SHARE    0.001
#define LATE_MAX_MS   3000
#define UNKNOWN_SHARE 0.05

void tell(struct sim *sim, uint32_t line, double at_s, struct event event)
{
	struct rng *rng = &sim->lives[line].rng;

	event.line = line;
	event.told_ms = (uint64_t)(fmax(at_s, 0) * 1000);
	if (event.told_ms && rng_chance(rng, LATE_SHARE)) {
		event.late_ms = 1 + rng_below(rng, LATE_MAX_MS);
		event.told_ms += event.late_ms;
	}
	events_add(&sim->events, event);
}

static void tell_down(struct sim *sim, uint32_t line, double at_s, double since_s,
		      enum event_cause cause)
{
	tell(sim, line, at_s,
	     (struct event){.kind = EVENT_DOWN,
			    .cause = cause,
			    .since_ms = (uint32_t)fmax(0, (at_s - fmax(since_s, 0)) * 1000)});
}

void tell_false_suspect(struct sim *sim, uint32_t line, double at_s)
{
	struct rng *rng = &sim->lives[line].rng;

	tell(sim, line, at_s, (struct event){.kind = EVENT_SUSPECT});
	tell(sim, line, at_s + rng_range(rng, 2, 25), (struct event){.kind = EVENT_RECOVERED});
}

/* --- dialling --- */

static void tell_blocked(struct sim *sim, uint32_t line, double at_s, const struct fault *fault)
{
	bool pool = fault->kind->type == GROUP_POOL;

	tell(sim, line, at_s,
	     (struct event){.kind = EVENT_SETUP_FAILED,
			    .cause = pool ? CAUSE_RESOURCE : CAUSE_UNKNOWN,
			    .stage = pool ? STAGE_NCP : STAGE_AUTH_SILENT});
}

/* Dials until it works; a fault that is in the way is told as often as it is met. */
static double dial_blocked(struct sim *sim, uint32_t line, double at_s)
{
	struct rng *rng = &sim->lives[line].rng;
	struct fault *fault, *last = NULL;
	double again_s = 30;

	while ((fault = plan_blocks(sim->plan, sim->world, line, at_s))) {
		tell_blocked(sim, line, at_s + rng_range(rng, 5, 15), fault);
		at_s += 15 + again_s * rng_range(rng, 0.8, 1.2);
		again_s = fmin(2 * again_s, 240);
		if (fault != last)
			fault_hit(fault, line, at_s);
		fault->hits[fault->n_hits - 1].back_s = (float)at_s;
		last = fault;
	}
	return at_s;
}

static double dial_rejected(struct sim *sim, uint32_t line, double at_s, double until_s)
{
	struct rng *rng = &sim->lives[line].rng;

	for (; at_s < until_s; at_s += rng_range(rng, 60, 300))
		tell(sim, line, at_s,
		     (struct event){.kind = EVENT_SETUP_FAILED,
				    .cause = CAUSE_AUTH_FAIL,
				    .stage = STAGE_AUTH_REJECT});
	return at_s;
}

static double dial(struct sim *sim, uint32_t line, const struct outage *o, double at_s)
{
	if (o->rejected_s > 0)
		at_s = dial_rejected(sim, line, at_s, at_s + o->rejected_s);
	at_s = dial_blocked(sim, line, at_s) + rng_range(&sim->lives[line].rng, 0.5, 3);
	tell(sim, line, at_s, (struct event){.kind = EVENT_UP});
	return at_s;
}

/* --- outages --- */

struct sight {
	double suspect_s, down_s, last_heard_s;
};

static struct sight see(struct sim *sim, uint32_t line, double from_s)
{
	const struct world *world = sim->world;
	struct rng *rng = &sim->lives[line].rng;
	double echo_s = from_s + rng_range(rng, 0, ECHO_S) + ECHO_WAIT_S;
	struct sight sight = {INFINITY, echo_s + 2 * ECHO_S + ECHO_WAIT_S,
			      from_s - rng_range(rng, 0, ECHO_S)};

	if (world->radius_evidence) {
		sight.down_s = from_s + rng_range(rng, 90, 110);
	} else if (line_active(world, rng, line, from_s)) {
		sight.suspect_s = from_s + rng_range(rng, 5, 12);
		sight.down_s =
			fmin(sight.down_s, sight.suspect_s + CONFIRM_S + rng_range(rng, 0, 5));
		sight.last_heard_s = from_s - rng_range(rng, 0, 2);
	} else if (world->idle_suspects) {
		sight.suspect_s = echo_s;
	}
	return sight;
}

static enum event_cause silent_cause(struct rng *rng)
{
	return rng_chance(rng, UNKNOWN_SHARE) ? CAUSE_UNKNOWN : CAUSE_LINE_LOST;
}

static double tell_silent(struct sim *sim, uint32_t line, const struct outage *o)
{
	struct rng *rng = &sim->lives[line].rng;
	struct sight sight = see(sim, line, o->from_s);
	bool survives = o->loss == LOSS_PATH && o->to_s < sight.down_s;
	double padi_s =
		o->to_s + (o->loss == LOSS_PATH ? rng_range(rng, 1, 30) : rng_range(rng, 0.5, 4));

	if (sight.suspect_s < fmin(o->to_s, sight.down_s))
		tell(sim, line, sight.suspect_s, (struct event){.kind = EVENT_SUSPECT});
	if (survives) {
		if (sight.suspect_s < o->to_s)
			tell(sim, line, o->to_s + rng_range(rng, 0.2, 3),
			     (struct event){.kind = EVENT_RECOVERED});
		return o->to_s + 3;
	}
	tell_down(sim, line, fmin(sight.down_s, padi_s), sight.last_heard_s, silent_cause(rng));
	return dial(sim, line, o, padi_s + 0.1);
}

static double tell_at_once(struct sim *sim, uint32_t line, const struct outage *o, double at_s,
			   enum event_cause cause)
{
	struct rng *rng = &sim->lives[line].rng;

	tell_down(sim, line, at_s, at_s, o->cause ? o->cause : cause);
	return dial(sim, line, o, fmax(at_s, o->to_s) + rng_range(rng, 0.2, 3));
}

double tell_outage(struct sim *sim, uint32_t line, const struct outage *o)
{
	struct rng *rng = &sim->lives[line].rng;

	switch (o->loss) {
	case LOSS_ADMIN:
		return tell_at_once(sim, line, o, o->from_s, CAUSE_ADMIN);
	case LOSS_BRAS:
		return tell_at_once(sim, line, o, o->from_s + rng_range(rng, 1, 15),
				    rng_chance(rng, 0.8) ? CAUSE_NAS_FAULT : CAUSE_LINE_LOST);
	case LOSS_TERM:
		if (rng_chance(rng, 0.7))
			return tell_at_once(sim, line, o, o->from_s, CAUSE_CPE_TERM);
		break;
	case LOSS_POWER:
		if (!sim->world->radius_evidence && rng_chance(rng, o->gasp_share))
			return tell_at_once(sim, line, o, o->from_s + 0.5, CAUSE_CPE_POWER);
		break;
	case LOSS_LINE:
	case LOSS_PATH:
	case LOSS_SETUP:
		break;
	}
	return tell_silent(sim, line, o);
}
