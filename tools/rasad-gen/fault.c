/* SPDX-License-Identifier: BSD-3-Clause */
#include "tools/rasad-gen/fault.h"

#define RETRAIN_MIN_NS 2e9
#define RETRAIN_MAX_NS 15e9

const char *fault_name(enum fault_kind kind)
{
	static const char *const names[] = {
		"none",	     "cpe-terminate", "bras-terminate", "power-cycle",
		"cable-cut", "short-cut",     "bad-password",
	};

	return names[kind];
}

void fault_cut(struct subscriber *s, bool cut)
{
	s->line->access[DIR_DOWN].cut = s->line->access[DIR_UP].cut = cut;
}

static void restore(void *subscriber)
{
	fault_cut(subscriber, false);
}

static void cut(struct fault *f)
{
	struct subscriber *s = f->sub;
	struct sim *sim = &s->world->sim;

	fault_cut(s, true);
	sim_at(sim, sim->now_ns + f->for_ns, restore, s);
	if (f->kind == FAULT_CUT) {
		bras_note_down(s, "LINE_LOST", "cable-cut");
		cpe_vanish(s, f->for_ns +
				      (uint64_t)rng_range(&s->rng, RETRAIN_MIN_NS, RETRAIN_MAX_NS));
	} else if (s->interruptions < 8) {
		s->interrupted_ns[s->interruptions][0] = sim->now_ns;
		s->interrupted_ns[s->interruptions++][1] = sim->now_ns + f->for_ns;
	}
}

static void happen(void *fault)
{
	struct fault *f = fault;
	struct subscriber *s = f->sub;

	f->happened = s->cpe.state == CPE_UP && !s->cpe.terminating;
	if (!f->happened && f->kind != FAULT_CUT)
		return;
	switch (f->kind) {
	case FAULT_NONE:
		break;
	case FAULT_BAD_PASSWORD:
		s->bad_password_until_ns = s->world->sim.now_ns + f->for_ns;
		cpe_terminate(s, 3 * NS_PER_S);
		break;
	case FAULT_CPE_TERMINATE:
		cpe_terminate(s, f->for_ns);
		break;
	case FAULT_BRAS_TERMINATE:
		s->cpe.redial_ns = f->for_ns;
		bras_terminate(s);
		break;
	case FAULT_POWER:
		bras_note_down(s, "LINE_LOST", "power-cycle");
		cpe_vanish(s, f->for_ns);
		break;
	case FAULT_CUT:
	case FAULT_SHORT_CUT:
		cut(f);
		break;
	}
}

void fault_schedule(struct fault *f, uint64_t at_ns, uint64_t for_ns)
{
	f->at_ns = at_ns;
	f->for_ns = for_ns;
	sim_at(&f->sub->world->sim, at_ns, happen, f);
}
