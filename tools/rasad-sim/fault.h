/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What goes wrong, when, and for which lines; and what looks like it and is nobody's fault.
 *
 * A plan is drawn before any line lives. A fault has one episode, or several when it comes and
 * goes. Lines ask by their own list of episodes; episodes that only keep sessions from being set
 * up are asked by whoever dials.
 */
#ifndef RASAD_SIM_FAULT_H
#define RASAD_SIM_FAULT_H

#include <stdbool.h>
#include <stdint.h>

#include "tools/rasad-sim/world.h"

/* How a line shows that it is gone. */
enum loss {
	LOSS_LINE,  /* modem out of sync: it dials again when it is back */
	LOSS_PATH,  /* frames do not get through: short ones are survived by the session */
	LOSS_POWER, /* as LINE; some modems say so with their last gasp */
	LOSS_BRAS,  /* the concentrator forgets its sessions: told at once */
	LOSS_TERM,  /* the modem hangs up properly */
	LOSS_ADMIN, /* somebody hung up on it */
	LOSS_SETUP, /* nothing is lost; nobody can dial */
};

enum mix {
	MIX_NONE,
	MIX_SINGLE,
	MIX_SIBLINGS,
	MIX_INDEPENDENT,
	MIX_NESTED,
	MIX_OVERLAP,
	MIX_ALL,
};

extern const char *const mix_names[MIX_ALL + 1];

enum recovery { RECOVERY_AT_ONCE, RECOVERY_LINEAR, RECOVERY_EXPONENTIAL, RECOVERY_BY_CARD };

struct fault_kind {
	const char *name;
	enum group_type type;
	const char *class, *category; /* NULL: not a fault but benign */
	enum loss loss;
	double weight; /* how often */
};

extern const struct fault_kind fault_kinds[];

struct fault {
	const struct fault_kind *kind;
	enum mix mix;
	uint32_t group, number, slot;
	double severity; /* share of the members that it hits */
	bool contiguous; /* hits neighbours, else any */
	double from_s, to_s;
	double smear_s, recovery_s; /* until the last one is gone; of the recovery's shape */
	enum recovery recovery;
	double gasp_share; /* of LOSS_POWER */
	uint32_t episodes;
	struct hit {
		uint32_t line;
		float back_s;
	} * hits; /* lines that lost their service by it */
	uint32_t n_hits, room;
};

struct episode {
	uint32_t fault;
	double from_s, to_s;
};

struct plan {
	struct fault *faults;
	uint32_t n_faults, faults_room;
	struct episode *episodes; /* by from_s */
	uint32_t n_episodes, episodes_room;
	uint32_t *first,
		*of_line; /* of_line[first[i]] ..: the episodes that hit line i, in order */
};

struct plan_options {
	enum mix mix;
	double per_day;
};

void plan_draw(struct plan *plan, const struct world *world, struct plan_options options);
void plan_benign(struct plan *plan, const struct world *world);
/* After the last fault was added: gives every line its episodes. */
void plan_index(struct plan *plan, const struct world *world);
void plan_fini(struct plan *plan);

struct fault *plan_add(struct plan *plan, struct fault fault);
const struct fault_kind *fault_kind_named(const char *name);

/* When the episode takes the line and when it lets it go; the dialling comes on top. */
void episode_bounds(const struct plan *plan, const struct world *world, uint32_t episode,
		    uint32_t line, double *from_s, double *to_s);
/* The fault that keeps `line` from dialling at `at_s`, or NULL. */
struct fault *plan_blocks(struct plan *plan, const struct world *world, uint32_t line, double at_s);
void fault_hit(struct fault *fault, uint32_t line, double back_s);

#endif
