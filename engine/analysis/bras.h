/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Does the BRAS speak? By its MAC: when it was last heard on the control plane, and whether lines
 * ask it in vain (LCP echoes and requests, PADRs). All lines of a BRAS together hear it every
 * moment, so its silence shows within seconds of time; one line alone proves nothing.
 *
 * A BRAS that was never heard has no verdict: the tap may see one direction only.
 */
#ifndef RASAD_ENGINE_ANALYSIS_BRAS_H
#define RASAD_ENGINE_ANALYSIS_BRAS_H

#include <stdbool.h>
#include <stdint.h>

#include "engine/packet/control.h"

#define BRAS_SILENT_NS	 4000000000ull /* asked for so long, by so many lines: */
#define BRAS_AUTH_NS	 5000000000ull /* RADIUS answers sooner; the BRAS gives up later */
#define BRAS_AUTH_GAP_NS 5000000000ull /* nobody asked: it fell silent at most so long before */

enum { BRAS_MAX = 64, BRAS_ASKERS = 3 };

struct bras {
	uint8_t mac[6];
	uint64_t heard_ns;		 /* last control message; 0: never */
	uint64_t internet_ns, before_ns; /* frames from the Internet, some seconds apart */
	uint64_t asked_ns;		 /* first question since then */
	uint32_t asker[BRAS_ASKERS];	 /* different lines that asked since then */
	uint32_t n_askers;
	uint64_t silent_ns;		 /* it is silent since then; 0: it speaks */
	uint64_t auth_ns, auth_asked_ns; /* RADIUS answered last; first question since then */
};

struct bras_table {
	struct bras of[BRAS_MAX];
	uint32_t n;
	uint64_t refused; /* more than BRAS_MAX */
};

/* The BRAS with this MAC; NULL: it is not known. */
struct bras *bras_find(struct bras_table *table, const uint8_t mac[6]);

/* The same, made when new; NULL: there are too many. */
struct bras *bras_of(struct bras_table *table, const uint8_t mac[6]);

/* Lines speak to them, and none was ever heard: the tap sees one direction only. */
bool bras_one_way(const struct bras_table *table);

/* A control message between line `line` and the BRAS. True when that shows its silence: all its
 * lines are without it since `silent_ns`. */
bool bras_follow(struct bras *bras, uint32_t line, const struct control *c, uint64_t now_ns);

/* A frame from the Internet passed it, as a line tells that misses something. */
void bras_internet(struct bras *bras, uint64_t at_ns);

/* One is known to have passed it between the two. */
bool bras_had_internet(const struct bras *bras, uint64_t from_ns, uint64_t to_ns);

/* PAP or CHAP between a line and the BRAS, which asks RADIUS; `asked_ns`: since when that session
 * waits for the answer, 0: it does not. */
void bras_authenticates(struct bras *bras, const struct control *c, uint64_t asked_ns,
			uint64_t now_ns);

/* Since when RADIUS is silent, for a session that waits since `asked_ns`: between its last answer to
 * anybody and the first question without one. What the BRAS says when it gives up is no answer. */
uint64_t bras_radius_silent(const struct bras *bras, uint64_t asked_ns);

/* Nobody could hear it until now. */
void bras_unseen(struct bras_table *table);

#endif
