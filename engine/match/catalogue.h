/* SPDX-License-Identifier: BSD-3-Clause */
/* The catalogue behind texts.h: one row a code, sorted by nothing but sense. */
#ifndef RASAD_ENGINE_MATCH_CATALOGUE_H
#define RASAD_ENGINE_MATCH_CATALOGUE_H

#include <stddef.h>

struct catalogue_entry {
	const char *code, *fa, *en;
};

extern const struct catalogue_entry catalogue[];
extern const size_t catalogue_size;

/* NULL: no such code. */
const struct catalogue_entry *catalogue_find(const char *code);

#endif
