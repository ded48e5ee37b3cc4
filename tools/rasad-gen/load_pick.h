/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Which flow sends next: independent draws, uniform or Zipf, each repeated so that trains have the
 * mean length asked for. Draws are made some packets ahead, for the sake of the cache.
 *
 * Zipf by rejection inversion (Hoermann and Derflinger 1996), which needs no table.
 */
#ifndef RASAD_GEN_LOAD_PICK_H
#define RASAD_GEN_LOAD_PICK_H

#include <stdint.h>

#include "tools/rasad-gen/rng.h"

#define LOAD_PICKS_AHEAD 16

struct load_pick {
	struct rng rng;
	uint32_t n;
	double exponent;
	double one_less;   /* 1 - exponent */
	double low, range; /* of the integral */
	double squeeze;
	double stay; /* chance that the same flow goes on */
	uint32_t ahead[LOAD_PICKS_AHEAD];
	uint32_t at, last;
	const char *flows;
	uint32_t flow_bytes;
};

void load_pick_init(struct load_pick *p, struct rng rng, uint32_t n, double exponent, double train);
/* The memory of the flows, to be prefetched. */
void load_pick_flows(struct load_pick *p, const void *flows, uint32_t flow_bytes);
uint32_t load_pick_next(struct load_pick *p);

#endif
