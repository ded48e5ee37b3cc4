/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Scenarios "lines" and "demo": whole lives of PPPoE lines, from the first PADI, with faults at
 * known times.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tools/rasad-gen/fault.h"
#include "tools/rasad-gen/mem.h"
#include "tools/rasad-gen/profile.h"
#include "tools/rasad-gen/scenario.h"
#include "tools/rasad-gen/truth.h"

#define FIRST_NODE    101
#define FIRST_CVLAN   11
#define DIAL_SPREAD_S 12

struct town {
	struct options options;
	struct world world;
	struct subscriber *subs;
	struct fault *faults;
	uint32_t n_faults;
	uint32_t lines_per_node;
};

static void name_line(struct subscriber *s, uint32_t lines_per_node)
{
	struct line *l = s->line;

	s->node = (uint16_t)(FIRST_NODE + l->number / lines_per_node);
	s->port = (uint16_t)(1 + l->number % lines_per_node);
	l->l2.svlan = s->node;
	l->l2.cvlan = (uint16_t)(FIRST_CVLAN + s->port - 1);
	l->l2.outer_tpid = s->node % 3 == 1 ? 0x8100 : 0x88a8; /* every third node, 103 first */
	l->l2.cpe_mac[2] = (uint8_t)(s->node >> 8);
	l->l2.cpe_mac[3] = (uint8_t)(s->node - FIRST_NODE + 1);
	l->l2.cpe_mac[4] = (uint8_t)s->port;
	l->l2.cpe_mac[5] = (uint8_t)l->l2.cvlan;
	snprintf(s->circuit_id, sizeof(s->circuit_id), "DSLAM-%u eth 0/1/%u:%u", s->node, s->port,
		 l->l2.cvlan);
	snprintf(s->remote_id, sizeof(s->remote_id), "0218%03u%04u", s->node, 1000u + l->l2.cvlan);
	snprintf(s->username, sizeof(s->username), "u%u-%u@isp.test", s->node, l->l2.cvlan);
	snprintf(l->name, sizeof(l->name), "%s", s->circuit_id);
}

static void quiet_path(struct subscriber *s)
{
	struct line *l = s->line;
	double one_way_ms = 2 + 10 * rng_unit(&s->rng), home_ms = rng_range(&s->rng, 0.2, 1.5);

	for (int d = 0; d < 2; d++) {
		l->access[d].delay_ns = one_way_ms * 1e6;
		l->access[d].jitter_ns = 0.4e6;
		l->access[d].spike_chance = 0;
		link_init(&l->home[d], s->world->options->seed ^ 0x40e,
			  2 * l->number + (unsigned)d);
		l->home[d].delay_ns = home_ms * 1e6;
		l->home[d].jitter_ns = 0.3e6;
	}
	s->loss_internet_down = s->world->options->loss_before_tap;
	s->loss_internet_up = s->world->options->loss_after_tap;
}

static void settle(struct town *t, uint32_t number)
{
	struct world *w = &t->world;
	struct subscriber *s = &t->subs[number];
	struct line *l = &w->lines[number];

	profile_line(l, w->options, number);
	subscriber_init(s, w, l);
	name_line(s, t->lines_per_node);
	quiet_path(s);
	s->cpe.pap = rng_chance(&s->rng, 0.35);
	s->ipv6 = rng_chance(&s->rng, 0.4);
	s->pause_s = 10;
	alarm_set(&s->cpe.redial, 1 + (uint64_t)(rng_unit(&s->rng) * DIAL_SPREAD_S * 1e9));
}

static double default_to(double value, double otherwise)
{
	return value < 0 ? otherwise : value;
}

static void town_init(struct town *t, const struct options *o, struct options defaults)
{
	*t = (struct town){.options = *o};
	o = &t->options;
	t->options.lines = o->lines ? o->lines : defaults.lines;
	t->options.dslams = o->dslams ? o->dslams : defaults.dslams;
	t->options.duration_s = o->duration_s > 0 ? o->duration_s : defaults.duration_s;
	t->options.loss_before_tap = default_to(o->loss_before_tap, 0);
	t->options.loss_after_tap = default_to(o->loss_after_tap, 0);
	t->options.reorder = default_to(o->reorder, 0);
	t->lines_per_node = (o->lines + o->dslams - 1) / o->dslams;
	world_init(&t->world, o);
	t->subs = mem_new(o->lines, sizeof(*t->subs));
	t->faults = mem_new(o->lines * 8 + 16, sizeof(*t->faults));
	for (uint32_t i = 0; i < o->lines; i++)
		settle(t, i);
}

static void add_fault(struct town *t, uint32_t line, enum fault_kind kind, double at_s,
		      double for_s)
{
	struct fault *f = &t->faults[t->n_faults++];

	if (line >= t->options.lines)
		die("scenario %s needs more lines than %u", t->options.scenario, t->options.lines);
	*f = (struct fault){.sub = &t->subs[line], .kind = kind};
	fault_schedule(f, (uint64_t)(at_s * 1e9), (uint64_t)(for_s * 1e9));
}

static void town_run(struct town *t)
{
	const struct options *o = &t->options;

	sim_run(&t->world.sim, (uint64_t)(o->duration_s * 1e9));
	subscriber_truth(&t->world, t->subs, t->faults, t->n_faults);
	subscriber_inventory(o, t->subs, o->lines);
	world_summary(&t->world);
	for (uint32_t i = 0; i < o->lines; i++)
		subscriber_fini(&t->subs[i]);
	free(t->subs);
	free(t->faults);
	world_fini(&t->world);
}

/* Every kind of fault, in turn; a line whose number ends the turn has none. */
static void spread_faults(struct town *t)
{
	static const struct {
		enum fault_kind kind;
		double for_s;
	} turn[] = {
		{FAULT_CPE_TERMINATE, 5}, {FAULT_POWER, 12},	     {FAULT_CUT, 60},
		{FAULT_SHORT_CUT, 12},	  {FAULT_BRAS_TERMINATE, 3}, {FAULT_BAD_PASSWORD, 40},
		{FAULT_NONE, 0},	  {FAULT_NONE, 0},
	};
	double room_s = t->options.duration_s - 110;

	for (uint32_t i = 0; i < t->options.lines && room_s > 0; i++)
		if (turn[i % 8].kind != FAULT_NONE)
			add_fault(t, i, turn[i % 8].kind, 30 + rng_unit(&t->subs[i].rng) * room_s,
				  turn[i % 8].for_s);
	if (t->options.lines > 6) /* and one line that keeps losing power */
		for (double at = 40; at < t->options.duration_s - 40; at += 55)
			if (t->n_faults < t->options.lines * 8)
				add_fault(t, 6, FAULT_POWER, at,
					  8 + rng_unit(&t->subs[6].rng) * 10);
}

static void spread_troubles(struct town *t)
{
	for (uint32_t i = 0; i < t->options.lines; i++) {
		struct subscriber *s = &t->subs[i];

		if (i % 6 == 4)
			s->line->access[DIR_DOWN].loss = 0.02;
		if (i % 6 == 5)
			s->line->access[DIR_UP].loss = 0.015;
		if (i % 7 == 3)
			s->loss_internet_down = 0.01;
		if (i % 5 == 2)
			s->line->home[DIR_DOWN].delay_ns = s->line->home[DIR_UP].delay_ns = 15e6;
	}
}

void scenario_lines(const struct options *o)
{
	struct town t;

	town_init(&t, o, (struct options){.lines = 24, .dslams = 3, .duration_s = 300});
	spread_troubles(&t);
	spread_faults(&t);
	town_run(&t);
}

static uint32_t line_of(const struct town *t, unsigned node, unsigned port)
{
	return (node - FIRST_NODE) * t->lines_per_node + port - 1;
}

/*
 * The demo's story, told by its calls: node 103 is cut for 75 s in the middle, 101 port 5 drops out
 * six times, 102 port 7 loses some 4 % of what is sent to it, and 104 port 3 has slow Wi-Fi.
 */
void scenario_demo(const struct options *o)
{
	struct subscriber *lossy, *slow;
	struct town t;

	town_init(&t, o, (struct options){.lines = 48, .dslams = 4, .duration_s = 600});
	if (t.options.dslams < 4 || t.lines_per_node < 7 || line_of(&t, 104, 3) >= t.options.lines)
		die("scenario demo needs 4 access nodes of 7 lines, got %u of %u", t.options.dslams,
		    t.lines_per_node);
	for (uint32_t i = 0; i < t.options.lines; i++)
		t.subs[i].pause_s = 20;

	for (unsigned port = 1; port <= t.lines_per_node; port++)
		add_fault(&t, line_of(&t, 103, port), FAULT_CUT, t.options.duration_s * 0.45, 75);
	for (unsigned i = 0; i < 6; i++)
		add_fault(&t, line_of(&t, 101, 5), FAULT_POWER, 60 + 75.0 * i, 8 + 2.0 * i);

	lossy = &t.subs[line_of(&t, 102, 7)];
	lossy->line->access[DIR_DOWN].loss = 0.05; /* on a quiet line some bursts hit nothing */
	lossy->pause_s = 4;

	slow = &t.subs[line_of(&t, 104, 3)];
	slow->pause_s = 6;
	for (int d = 0; d < 2; d++) {
		slow->line->home[d].delay_ns = 30e6;
		slow->line->home[d].jitter_ns = 6e6;
	}
	town_run(&t);
}
