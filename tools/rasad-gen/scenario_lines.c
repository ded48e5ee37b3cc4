/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Scenarios "lines" and "demo": whole lives of PPPoE lines, from the first PADI, with faults at
 * known times.
 */
#include "tools/rasad-gen/mem.h"
#include "tools/rasad-gen/scenario.h"
#include "tools/rasad-gen/town.h"

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
			town_fault(t, i, turn[i % 8].kind, 30 + rng_unit(&t->subs[i].rng) * room_s,
				   turn[i % 8].for_s);
	if (t->options.lines > 6) /* and one line that keeps losing power */
		for (double at = 40; at < t->options.duration_s - 40; at += 55)
			if (t->n_faults < t->options.lines * 8)
				town_fault(t, 6, FAULT_POWER, at,
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
		town_fault(&t, line_of(&t, 103, port), FAULT_CUT, t.options.duration_s * 0.45, 75);
	for (unsigned i = 0; i < 6; i++)
		town_fault(&t, line_of(&t, 101, 5), FAULT_POWER, 60 + 75.0 * i, 8 + 2.0 * i);

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
