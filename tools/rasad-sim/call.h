/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Calls to support: of those whom a fault hit and who noticed, and of everybody else, because the
 * Wi-Fi is slow, the bill is wrong or the film stutters. One in ten puts it in the wrong words.
 */
#ifndef RASAD_SIM_CALL_H
#define RASAD_SIM_CALL_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "tools/rasad-sim/rng.h"

struct sim;
struct outage;

struct call {
	double at_s, noticed_s;
	uint32_t line, fault, number; /* fault 0: none */
	uint8_t complaint, hypothesis;
};

struct calls {
	struct call *at;
	uint32_t n, room;
	bool wanted;
};

/* Somebody may call because of this outage, which ended at `back_s`. */
void calls_consider(struct sim *sim, uint32_t line, const struct outage *outage, double back_s);
/* The rest of the callers, then calls.ndjson; what is true goes to `truth`. */
void calls_write(struct sim *sim, const char *folder, FILE *truth);
void calls_fini(struct calls *calls);

#endif
