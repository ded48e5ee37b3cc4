/* SPDX-License-Identifier: BSD-3-Clause */
#include "tools/rasad-gen/sim.h"

#include <stdlib.h>

#include "tools/rasad-gen/mem.h"

#define ARITY 4 /* a four-way heap touches half the cache lines of a binary one */

struct sim_event {
	uint64_t at_ns;
	uint64_t order; /* its lowest bit says that the event owns its argument */
	sim_fn *fn;
	void *arg;
};

void sim_fini(struct sim *s)
{
	for (size_t i = 0; i < s->n; i++)
		if (s->heap[i].order & 1)
			free(s->heap[i].arg);
	free(s->heap);
	*s = (struct sim){0};
}

static bool before(const struct sim_event *a, const struct sim_event *b)
{
	return a->at_ns != b->at_ns ? a->at_ns < b->at_ns : a->order < b->order;
}

static void push(struct sim *s, struct sim_event e)
{
	size_t i = s->n++;

	if (s->n > s->capacity) {
		s->capacity = s->capacity ? 2 * s->capacity : 1024;
		s->heap = mem_grow(s->heap, s->capacity, sizeof(*s->heap));
	}
	for (; i && before(&e, &s->heap[(i - 1) / ARITY]); i = (i - 1) / ARITY)
		s->heap[i] = s->heap[(i - 1) / ARITY];
	s->heap[i] = e;
}

static void add(struct sim *s, uint64_t at_ns, bool owned, sim_fn *fn, void *arg)
{
	uint64_t order = s->order++ << 1 | owned;

	push(s, (struct sim_event){at_ns > s->now_ns ? at_ns : s->now_ns, order, fn, arg});
}

void sim_at(struct sim *s, uint64_t at_ns, sim_fn *fn, void *arg)
{
	add(s, at_ns, false, fn, arg);
}

void sim_at_owned(struct sim *s, uint64_t at_ns, sim_fn *fn, void *arg)
{
	add(s, at_ns, true, fn, arg);
}

static struct sim_event pop(struct sim *s)
{
	struct sim_event top = s->heap[0], last = s->heap[--s->n];
	size_t i = 0;

	for (;;) {
		size_t first = i * ARITY + 1, best = first;

		if (first >= s->n)
			break;
		for (size_t c = first + 1; c < first + ARITY && c < s->n; c++)
			if (before(&s->heap[c], &s->heap[best]))
				best = c;
		if (!before(&s->heap[best], &last))
			break;
		s->heap[i] = s->heap[best];
		i = best;
	}
	s->heap[i] = last;
	return top;
}

void sim_run(struct sim *s, uint64_t until_ns)
{
	while (s->n && !s->stopped && s->heap[0].at_ns <= until_ns) {
		struct sim_event e = pop(s);

		s->now_ns = e.at_ns;
		e.fn(e.arg);
	}
}

static void alarm_event(void *arg)
{
	struct alarm *a = arg;

	if (a->queued_ns != a->sim->now_ns)
		return;
	a->queued_ns = 0;
	if (!a->at_ns)
		return;
	if (a->at_ns > a->sim->now_ns) {
		a->queued_ns = a->at_ns;
		sim_at(a->sim, a->at_ns, alarm_event, a);
		return;
	}
	a->at_ns = 0;
	a->fn(a->arg);
}

void alarm_init(struct alarm *a, struct sim *s, sim_fn *fn, void *arg)
{
	*a = (struct alarm){.sim = s, .fn = fn, .arg = arg};
}

void alarm_set(struct alarm *a, uint64_t at_ns)
{
	if (at_ns <= a->sim->now_ns)
		at_ns = a->sim->now_ns + 1;
	a->at_ns = at_ns;
	if (a->queued_ns && a->queued_ns <= at_ns)
		return;
	a->queued_ns = at_ns;
	sim_at(a->sim, at_ns, alarm_event, a);
}

void alarm_clear(struct alarm *a)
{
	a->at_ns = 0;
}
