/* SPDX-License-Identifier: BSD-3-Clause */
#include "engine/analysis/outage/agenda.h"

#include <stdlib.h>

static bool grow(struct agenda *q)
{
	uint32_t room = q->room ? 2 * q->room : 256;
	struct due *ring = malloc(room * sizeof *ring);
	if (!ring)
		return false;
	for (uint32_t i = 0; i < q->n; i++)
		ring[i] = *agenda_at(q, i);
	free(q->ring);
	*q = (struct agenda){ring, 0, q->n, room};
	return true;
}

bool agenda_push(struct agenda *q, struct due due)
{
	if (q->n == q->room && !grow(q))
		return false;
	q->ring[(q->head + q->n++) % q->room] = due;
	return true;
}

bool agenda_pop(struct agenda *q, uint64_t now_ns, struct due *due)
{
	if (!q->n || q->ring[q->head].at_ns > now_ns)
		return false;
	*due = q->ring[q->head];
	q->head = (q->head + 1) % q->room;
	q->n--;
	return true;
}

void agenda_fini(struct agenda *q)
{
	free(q->ring);
	*q = (struct agenda){0};
}
