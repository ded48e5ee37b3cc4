/* SPDX-License-Identifier: BSD-3-Clause */
#include "engine/analysis/outage/watch.h"

#include <string.h>

#include "engine/analysis/outage/trouble.h"
#include "engine/base/mem.h"

static size_t bytes_of_lines(const struct outage *o)
{
	return (o->options.max_lines + 1ul) * sizeof *o->lines;
}

struct watched *watch_line(struct outage *o, uint32_t line)
{
	uint32_t room = o->room ? o->room : 256;
	if (line < o->room)
		return &o->lines[line];
	if (line > o->options.max_lines) {
		o->counters.lines_full++;
		return NULL;
	}
	if (!o->lines)
		o->lines = mem_reserve(bytes_of_lines(o));
	if (!o->lines) {
		o->counters.no_memory++;
		return NULL;
	}
	while (room <= line)
		room *= 2;
	o->room = room <= o->options.max_lines ? room : o->options.max_lines + 1;
	return &o->lines[line];
}

void watch_fini(struct outage *o)
{
	mem_release(o->lines, bytes_of_lines(o));
	o->lines = NULL;
}

uint32_t watch_groups(const struct outage *o, const struct watched *w,
		      uint32_t groups[WATCH_GROUPS_MAX])
{
	uint32_t n = 0;
	for (uint32_t g = w->leaf; g; g = o->groups.at[g].parent)
		groups[n++] = g;
	memcpy(groups + n, w->risks, w->n_risks * sizeof *groups);
	return n + w->n_risks;
}

static uint64_t set_hash(uint32_t line)
{
	return map_hash(line + 0x9e3779b97f4a7c15ull) * 0x9e3779b97f4a7c15ull;
}

static bool is_eligible(const struct watched *w)
{
	return w->up && !w->blind;
}

static void count_trouble(struct group *g, int channel, const struct trouble *t, uint32_t one)
{
	g->quarters[channel] += t ? one * t->quarters : 0;
	g->fresh[channel] += t ? one * t->fresh : 0;
	g->relief[channel] += t ? one * t->relief : 0;
}

/* Puts on, or takes off, all that the line adds to its groups. */
static void count_line(struct outage *o, uint32_t line, bool on)
{
	struct watched *w = &o->lines[line];
	uint32_t ids[WATCH_GROUPS_MAX], n = watch_groups(o, w, ids), one = on ? 1 : (uint32_t)-1;
	for (uint32_t i = 0; i < n; i++) {
		struct group *g = &o->groups.at[ids[i]];
		g->members += one;
		g->set += on ? set_hash(line) : -set_hash(line);
		if (is_eligible(w)) {
			g->eligible += one;
			g->rate += on ? w->rate.units : -(uint64_t)w->rate.units;
		}
		g->tried += w->tried ? one : 0;
		for (int c = CHANNEL_DROP; c < CHANNEL_COUNT; c++)
			count_trouble(g, c, trouble_of(o, w, (enum symptom_channel)c), one);
	}
}

static void count_eligible(struct outage *o, const struct watched *w, bool on)
{
	uint32_t ids[WATCH_GROUPS_MAX], n = watch_groups(o, w, ids);
	for (uint32_t i = 0; i < n; i++) {
		struct group *g = &o->groups.at[ids[i]];
		g->eligible += on ? 1 : (uint32_t)-1;
		g->rate += on ? w->rate.units : -(uint64_t)w->rate.units;
	}
}

void watch_move(struct outage *o, uint32_t line, const struct place *place)
{
	struct watched *w = &o->lines[line];
	if (w->known)
		count_line(o, line, false);
	w->leaf = place->leaf;
	w->n_risks = place->n_risks;
	memcpy(w->risks, place->risks, sizeof w->risks);
	w->known = true;
	count_line(o, line, true);
}

void watch_refresh(struct outage *o, struct watched *w, uint32_t quarters, uint64_t now_ns)
{
	bool eligible = is_eligible(w);
	if (eligible)
		count_eligible(o, w, false);
	rate_update(&o->rates, &w->rate, quarters, (uint32_t)(now_ns / SECOND_IN_NS));
	if (eligible)
		count_eligible(o, w, true);
}

void watch_set_up(struct outage *o, struct watched *w, bool up)
{
	bool before = is_eligible(w);
	w->up = up;
	if (is_eligible(w) != before)
		count_eligible(o, w, up);
}

static void count_tried(struct outage *o, struct watched *w, bool tried)
{
	uint32_t ids[WATCH_GROUPS_MAX], n = watch_groups(o, w, ids);
	if (w->tried == tried)
		return;
	w->tried = tried;
	for (uint32_t i = 0; i < n; i++)
		o->groups.at[ids[i]].tried += tried ? 1 : (uint32_t)-1;
}

void watch_tried(struct outage *o, uint32_t line, uint64_t at_ns)
{
	struct watched *w = &o->lines[line];
	w->tried_ns = at_ns;
	o->rates.tries += !w->tried;
	if (agenda_push(&o->agendas[AGENDA_TRIED], (struct due){at_ns + SETUP_NS, line, 0}))
		count_tried(o, w, true);
	else
		o->counters.no_memory++;
}

void watch_set_blind(struct outage *o, struct watched *w, bool blind)
{
	bool before = is_eligible(w);
	w->blind = blind;
	if (is_eligible(w) != before)
		count_eligible(o, w, !blind);
	troubles_recount(o, w);
}

void watch_expire(struct outage *o, uint64_t now_ns)
{
	struct due due;
	while (agenda_pop(&o->agendas[AGENDA_TRIED], now_ns, &due))
		if (o->lines[due.what].tried_ns + SETUP_NS <= due.at_ns)
			count_tried(o, &o->lines[due.what], false);
}

/* A trouble that an incident holds is left to that: its member keeps the story. */
void watch_gone(struct outage *o, uint32_t line)
{
	struct watched *w = &o->lines[line];
	for (int c = CHANNEL_DROP; c < CHANNEL_COUNT; c++) {
		struct trouble *t = trouble_of(o, w, (enum symptom_channel)c);
		if (t && t->incident)
			return;
		if (t)
			trouble_forget(o, t);
	}
	count_tried(o, w, false);
	count_line(o, line, false);
	*w = (struct watched){0};
}

bool watch_hangs_on(const struct outage *o, uint32_t line, uint32_t group)
{
	const struct watched *w = &o->lines[line];
	for (uint32_t r = 0; r < w->n_risks; r++)
		if (w->risks[r] == group)
			return true;
	return groups_below(&o->groups, w->leaf, group);
}
