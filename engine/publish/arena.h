/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Memory that is taken in bits and given back at once: the pieces of one message.
 * After the first few messages no call allocates any more.
 */
#ifndef RASAD_ENGINE_PUBLISH_ARENA_H
#define RASAD_ENGINE_PUBLISH_ARENA_H

#include <stdbool.h>
#include <stddef.h>

struct arena_block;

struct arena { /* {0} is an empty arena */
	struct arena_block *first, *current;
	bool out_of_memory; /* sticky until arena_reset */
};

/* Zeroed and aligned for anything; NULL when out of memory. */
void *arena_take(struct arena *arena, size_t n);
/* All that was taken is free; the blocks stay for the next message. */
void arena_reset(struct arena *arena);
void arena_fini(struct arena *arena);

#endif
