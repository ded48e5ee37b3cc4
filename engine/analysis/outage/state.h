/* SPDX-License-Identifier: BSD-3-Clause */
/* What an outage detector holds; for the files of this folder. */
#ifndef RASAD_ENGINE_ANALYSIS_OUTAGE_STATE_H
#define RASAD_ENGINE_ANALYSIS_OUTAGE_STATE_H

#include <assert.h>
#include <stdalign.h>
#include <stddef.h>

#include "engine/analysis/outage/agenda.h"
#include "engine/analysis/outage/group.h"
#include "engine/analysis/outage/localise.h"
#include "engine/analysis/outage/outage.h"
#include "engine/analysis/outage/place.h"
#include "engine/analysis/outage/rate.h"
#include "engine/base/pool.h"

#define SECOND_IN_NS 1000000000ull
#define TICK_NS	     (5 * SECOND_IN_NS / 2)
#define BURST_NS     (120 * SECOND_IN_NS) /* a fault takes its lines within that time */
#define RIPE_NS	     (8 * SECOND_IN_NS)	  /* a suspicion that lasts so long is evidence */
#define EVIDENCE_NS  (300 * SECOND_IN_NS) /* a drop counts as evidence for so long */
#define SETUP_NS     (120 * SECOND_IN_NS) /* so do a failed set-up, and an attempt */
#define RELIEF_NS    (10 * SECOND_IN_NS)  /* a suspicion that proved wrong is remembered */
#define AFTERGLOW_NS (30 * SECOND_IN_NS)  /* a drop that is over still counts */

struct incident;

enum { WATCHED_SPARE = (64 - 12 - 8 - 4) / 4 - CHANNEL_COUNT };

/* A line, as its groups see it. What a localisation asks of it is one cache line. */
struct watched {
	alignas(64) uint64_t tried_ns;	 /* its last attempt at a session */
	uint32_t trouble[CHANNEL_COUNT]; /* 0: none */
	uint32_t sign;			 /* of its place as packets tell it: changed or not */
	uint32_t spare[WATCHED_SPARE];
	struct line_rate rate; /* its `units` begin the second cache line */
	uint32_t leaf, risks[PLACE_RISKS_MAX];
	uint8_t n_risks, tap;
	bool known; /* it has a place */
	bool up;    /* in session, or dropped so lately that it counts as evidence */
	bool tried; /* counted in `tried` of its groups */
	bool blind; /* its tap sees nothing: unknown */
};
static_assert(offsetof(struct watched, rate.units) == 64 && sizeof(struct watched) == 128);

/* A symptom of a line: from its first evidence until nobody needs it any more. */
struct trouble {
	uint64_t at_ns;			 /* concluded */
	uint64_t since_ns;		 /* began */
	uint64_t good_ns;		 /* over; 0: not yet */
	uint32_t line, incident, member; /* incident 0: none explains it */
	uint32_t generation;		 /* of entries in agendas that mean it */
	uint8_t channel, cause, stage;
	uint8_t quarters; /* that it counts in its groups now */
	uint8_t weight;	  /* in quarters, whether it counts or not */
	bool confirmed, redialled, aged;
	uint8_t fresh;	/* of the quarters, how many are */
	uint8_t relief; /* that it counts as a suspicion that proved wrong */
	bool young;	/* not older than BURST_NS */
	bool ripe; /* it has lasted: a path that is switched over is silent for some seconds too */
};

enum {
	AGENDA_DROP,
	AGENDA_SETUP,
	AGENDA_OVER,
	AGENDA_RIPE,
	AGENDA_FRESH,
	AGENDA_RELIEF,
	AGENDA_TRIED,
	AGENDAS
};

struct incidents {
	struct incident *at; /* owned, from 1 */
	uint32_t n, room, open;
	uint64_t opened, told;
};

struct outage {
	struct outage_options options;
	struct report_sink sink;
	struct groups groups;
	struct placing placing;
	struct rates rates;
	struct watched *lines; /* owned, by the caller's numbers: of max_lines */
	uint32_t room;	       /* of these, so many may be known */
	struct pool troubles;
	struct agenda agendas[AGENDAS];
	uint32_t *tests
		[CHANNEL_COUNT]; /* owned: groups whose evidence grew, or that are candidates */
	uint32_t n_tests[CHANNEL_COUNT], tests_room[CHANNEL_COUNT];
	struct localiser localiser;
	struct incidents incidents;
	struct outage_tap {
		char name[64], reason[24];
		uint64_t since_ns; /* blind since; 0: it sees */
	} taps[OUTAGE_TAPS_MAX];
	uint64_t tick, now_ns;
	uint64_t unfolding[CHANNEL_COUNT]; /* the tick since when several would open; 0: none */
	uint32_t generation;		   /* of troubles and what is put down for them */
	uint32_t refresh;		   /* the next line whose rate is brought up to date */
	uint64_t last_up_ns;		   /* a line came up */
	uint64_t calmed_ns;		   /* a large incident ended: redials come in a storm */
	struct outage_counters counters;
};

/* For qsort. */
static inline int by_time(const void *a, const void *b)
{
	uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;
	return (x > y) - (x < y);
}

#endif
