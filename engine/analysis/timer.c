/* SPDX-License-Identifier: BSD-3-Clause */
#include "engine/analysis/timer.h"

#include <stdlib.h>

void timers_fini(struct timers *t)
{
	free(t->heap);
	*t = (struct timers){0};
}

static bool before(const struct timer *a, const struct timer *b)
{
	return a->at_ns != b->at_ns ? a->at_ns < b->at_ns : a->owner < b->owner;
}

bool timers_add(struct timers *t, uint64_t at_ns, uint32_t owner)
{
	struct timer fresh = {at_ns, owner};
	uint32_t i;
	if (t->n == t->room) {
		uint32_t room = t->room ? 2 * t->room : 256;
		struct timer *heap = realloc(t->heap, room * sizeof *heap);
		if (!heap)
			return false;
		t->heap = heap;
		t->room = room;
	}
	for (i = t->n++; i && before(&fresh, &t->heap[(i - 1) / 2]); i = (i - 1) / 2)
		t->heap[i] = t->heap[(i - 1) / 2];
	t->heap[i] = fresh;
	return true;
}

bool timers_due(struct timers *t, uint64_t now_ns, struct timer *due)
{
	struct timer last;
	uint32_t i = 0;
	if (!t->n || t->heap[0].at_ns > now_ns)
		return false;
	*due = t->heap[0];
	last = t->heap[--t->n];
	for (uint32_t child = 1; child < t->n; child = 2 * i + 1) {
		if (child + 1 < t->n && before(&t->heap[child + 1], &t->heap[child]))
			child++;
		if (!before(&t->heap[child], &last))
			break;
		t->heap[i] = t->heap[child];
		i = child;
	}
	if (t->n)
		t->heap[i] = last;
	return true;
}
