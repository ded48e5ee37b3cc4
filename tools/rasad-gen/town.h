/* SPDX-License-Identifier: BSD-3-Clause */
/* A town: access nodes of equal size with PPPoE lines that live from their first PADI. */
#ifndef RASAD_GEN_TOWN_H
#define RASAD_GEN_TOWN_H

#include "tools/rasad-gen/fault.h"

#define FIRST_NODE 101

struct town {
	struct options options;
	struct world world;
	struct subscriber *subs;
	struct fault *faults;
	uint32_t n_faults;
	uint32_t lines_per_node;
	bool tell_cards; /* a node has several */
};

/* What `o` does not say, `defaults` does. */
void town_init(struct town *t, const struct options *o, struct options defaults);
void town_fault(struct town *t, uint32_t line, enum fault_kind kind, double at_s, double for_s);
/* Runs it, writes capture, truth and inventory, and frees all. */
void town_run(struct town *t);

#endif
