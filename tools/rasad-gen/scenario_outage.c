/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Scenario "outage": a town of lines like those of the lab (the BRAS asks each every ten seconds,
 * the modems ask back, some households sleep), and one fault of many lines at a known time.
 */
#include "tools/rasad-gen/mem.h"
#include "tools/rasad-gen/scenario.h"
#include "tools/rasad-gen/town.h"

#define HIT_NODE (FIRST_NODE + 1)
#define HIT_CARD 2

static void mark(struct town *t)
{
	for (uint32_t i = 0; i < t->options.lines; i++) {
		struct subscriber *s = &t->subs[i];

		switch (t->options.fault) {
		case OUTAGE_NONE:
		case OUTAGE_FLAPS:
		case OUTAGE_BLIND:
		case OUTAGE_UPSTREAM:
			break;
		case OUTAGE_CARD:
			s->hit = s->node == HIT_NODE && s->card == HIT_CARD;
			break;
		case OUTAGE_SVLAN:
		case OUTAGE_POWER:
			s->hit = s->node == HIT_NODE;
			break;
		default:
			s->hit = true;
		}
	}
}

static void begin(void *arg)
{
	struct town *t = arg;
	struct world *w = &t->world;

	w->outage.now = true;
	for (uint32_t i = 0; i < t->options.lines; i++) {
		struct subscriber *s = &t->subs[i];

		if (!s->hit)
			continue;
		if (w->outage.kind == OUTAGE_BRAS)
			bras_crash(s);
		if (w->outage.kind == OUTAGE_SVLAN || w->outage.kind == OUTAGE_POWER)
			fault_cut(s, true);
		if (w->outage.kind == OUTAGE_POWER) {
			bras_note_down(s, "LINE_LOST", "power-cycle");
			cpe_vanish(s, w->outage.to_ns - w->sim.now_ns +
					      (uint64_t)rng_range(&s->rng, 1e9, 9e9));
		}
	}
}

static void end(void *arg)
{
	struct town *t = arg;
	struct outage *o = &t->world.outage;

	o->now = false;
	for (uint32_t i = 0; i < t->options.lines; i++)
		if (t->subs[i].hit && (o->kind == OUTAGE_SVLAN || o->kind == OUTAGE_POWER))
			fault_cut(&t->subs[i], false);
}

/* What happens to lines one by one: modems that dial while RADIUS is away, a card without signal,
 * and, without any outage, a line now and then. */
static void faults_of_lines(struct town *t)
{
	double at_s = t->options.fault_at_s, for_s = t->options.fault_for_s;

	for (uint32_t i = 0; i < t->options.lines; i++) {
		struct subscriber *s = &t->subs[i];
		double when = rng_unit(&s->rng);

		if (t->options.fault == OUTAGE_CARD && s->hit)
			town_fault(t, i, FAULT_CUT, at_s, for_s);
		else if ((t->options.fault == OUTAGE_RADIUS || t->options.fault == OUTAGE_REJECT) &&
			 i % 4 == 1)
			town_fault(t, i, FAULT_CPE_TERMINATE, at_s + when * for_s * 0.6, 3);
		else if (t->options.fault == OUTAGE_FLAPS && i % 12 == 3)
			town_fault(t, i, FAULT_POWER, at_s + when * for_s, 8 + 10 * when);
	}
}

static void like_the_lab(struct subscriber *s)
{
	s->cpe.echo_ns = 10 * NS_PER_S;
	s->cpe.echo_failures = 3;
	s->cpe.says_goodbye = true;
	s->asks_again = true;
	s->sleeps = s->line->number % 6 == 5;
}

void scenario_outage(const struct options *o)
{
	struct town t;

	town_init(&t, o, (struct options){.lines = 48, .dslams = 4, .duration_s = 270});
	if (t.options.dslams < 2)
		die("scenario outage needs 2 access nodes");
	for (uint32_t i = 0; i < t.options.lines; i++)
		like_the_lab(&t.subs[i]);
	mark(&t);
	t.world.outage = (struct outage){
		.kind = o->fault,
		.from_ns = (uint64_t)(o->fault_at_s * 1e9),
		.to_ns = (uint64_t)((o->fault_at_s + o->fault_for_s) * 1e9),
	};
	faults_of_lines(&t);
	if (o->fault != OUTAGE_NONE) {
		sim_at(&t.world.sim, t.world.outage.from_ns, begin, &t);
		sim_at(&t.world.sim, t.world.outage.to_ns, end, &t);
	}
	town_run(&t);
}
