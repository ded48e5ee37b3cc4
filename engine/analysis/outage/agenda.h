/* SPDX-License-Identifier: BSD-3-Clause */
/* Things to look at when their time comes, all of one delay: first in, first out. */
#ifndef RASAD_ENGINE_ANALYSIS_OUTAGE_AGENDA_H
#define RASAD_ENGINE_ANALYSIS_OUTAGE_AGENDA_H

#include <stdbool.h>
#include <stdint.h>

struct due {
	uint64_t at_ns;
	uint32_t what, generation;
};

struct agenda {
	struct due *ring; /* owned */
	uint32_t head, n, room;
};

bool agenda_push(struct agenda *agenda, struct due due); /* false without memory */

/* The first, when its time has come. */
bool agenda_pop(struct agenda *agenda, uint64_t now_ns, struct due *due);

/* The `i`th, its time come or not. */
static inline const struct due *agenda_at(const struct agenda *agenda, uint32_t i)
{
	return &agenda->ring[(agenda->head + i) % agenda->room];
}

void agenda_fini(struct agenda *agenda);

#endif
