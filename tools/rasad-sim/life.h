/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What lines live through: drops of their own, nights, daily reconnects, faults; and what a tap
 * makes of it. Each line is simulated for itself, in time order; what overlaps becomes one outage,
 * told with the cause of what came first.
 */
#ifndef RASAD_SIM_LIFE_H
#define RASAD_SIM_LIFE_H

#include "tools/rasad-sim/call.h"
#include "tools/rasad-sim/event.h"
#include "tools/rasad-sim/fault.h"
#include "tools/rasad-sim/world.h"

struct life {
	struct rng rng;
	double now_s, up_since_s;
	double drop_s, off_s, off_until_s, suspect_s, fault_s; /* when next */
	uint32_t episode;				       /* of fault_s, in plan->of_line */
};

struct sim {
	const struct world *world;
	struct plan *plan;
	struct events events;
	struct calls calls;
	struct life *lives;
	uint64_t drops, nights; /* that began as such */
};

/* All lines as they are at time 0; tells those that are up. */
void lives_begin(struct sim *sim);
/* Everything that begins before `until_s`. */
void lives_advance(struct sim *sim, double until_s);

/* Tap side (tell.c): how an outage from..to of `line` shows. Returns when the line is up again. */
struct outage {
	double from_s, to_s;
	enum loss loss;
	uint8_t cause;	     /* else by loss */
	double gasp_share;   /* of LOSS_POWER */
	double rejected_s;   /* the account is locked for so long */
	struct fault *fault; /* or NULL */
};

double tell_outage(struct sim *sim, uint32_t line, const struct outage *outage);
void tell_false_suspect(struct sim *sim, uint32_t line, double at_s);
void tell(struct sim *sim, uint32_t line, double at_s, struct event event);

/* Whether somebody uses the line then. */
bool line_active(const struct world *world, struct rng *rng, uint32_t line, double at_s);

#endif
