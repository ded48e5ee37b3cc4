/* SPDX-License-Identifier: BSD-3-Clause */
/* Which exchange the numbers of a neighbourhood hang on, learnt from the cards of lines. */
#ifndef RASAD_ENGINE_MATCH_AREAS_H
#define RASAD_ENGINE_MATCH_AREAS_H

#include <stdint.h>

#include "engine/base/map.h"

#define AREAS_MAX 65536 /* prefixes; more are not learnt */

/* {0} knows nothing. */
struct areas {
	struct map by_prefix;
	char **exchanges; /* owned; what by_prefix leads to */
	uint32_t n;
};

void areas_fini(struct areas *areas);

/* E.164 numbers that begin like this one (the first eight characters) are at this exchange. */
void areas_learn(struct areas *areas, const char *phone, const char *exchange);

/* NULL: not known. */
const char *areas_find(const struct areas *areas, const char *phone);

#endif
