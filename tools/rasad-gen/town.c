/* SPDX-License-Identifier: BSD-3-Clause */
#include "tools/rasad-gen/town.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tools/rasad-gen/mem.h"
#include "tools/rasad-gen/profile.h"

#define FIRST_CVLAN    11
#define LINES_PER_CARD 6 /* where cards are told apart */
#define DIAL_SPREAD_S  12

static void name_line(const struct town *t, struct subscriber *s)
{
	uint32_t lines_per_node = t->lines_per_node;
	struct line *l = s->line;

	s->node = (uint16_t)(FIRST_NODE + l->number / lines_per_node);
	s->port = (uint16_t)(1 + l->number % lines_per_node);
	s->card = t->tell_cards ? (uint16_t)(1 + (s->port - 1) / LINES_PER_CARD) : 1;
	l->l2.svlan = s->node;
	l->l2.cvlan = (uint16_t)(FIRST_CVLAN + s->port - 1);
	l->l2.outer_tpid = s->node % 3 == 1 ? 0x8100 : 0x88a8; /* every third node, 103 first */
	l->l2.cpe_mac[2] = (uint8_t)(s->node >> 8);
	l->l2.cpe_mac[3] = (uint8_t)(s->node - FIRST_NODE + 1);
	l->l2.cpe_mac[4] = (uint8_t)s->port;
	l->l2.cpe_mac[5] = (uint8_t)l->l2.cvlan;
	snprintf(s->circuit_id, sizeof(s->circuit_id), "DSLAM-%u eth 0/%u/%u:%u", s->node, s->card,
		 s->port, l->l2.cvlan);
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
	name_line(t, s);
	quiet_path(s);
	s->cpe.pap = rng_chance(&s->rng, 0.35);
	s->ipv6 = rng_chance(&s->rng, 0.4);
	s->pause_s = 10;
	s->cpe.echo_ns = number % 2 ? 20 * NS_PER_S : 0; /* half of the modems send their own */
	s->cpe.echo_failures = 4;
	alarm_set(&s->cpe.redial, 1 + (uint64_t)(rng_unit(&s->rng) * DIAL_SPREAD_S * 1e9));
}

static double default_to(double value, double otherwise)
{
	return value < 0 ? otherwise : value;
}

void town_init(struct town *t, const struct options *o, struct options defaults)
{
	*t = (struct town){.options = *o, .tell_cards = !strcmp(o->scenario, "outage")};
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

void town_fault(struct town *t, uint32_t line, enum fault_kind kind, double at_s, double for_s)
{
	struct fault *f = &t->faults[t->n_faults++];

	if (line >= t->options.lines)
		die("scenario %s needs more lines than %u", t->options.scenario, t->options.lines);
	*f = (struct fault){.sub = &t->subs[line], .kind = kind};
	fault_schedule(f, (uint64_t)(at_s * 1e9), (uint64_t)(for_s * 1e9));
}

void town_run(struct town *t)
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
