/* SPDX-License-Identifier: BSD-3-Clause */
/* What surge.c counts and surge_tell.c tells. */
#ifndef RASAD_ENGINE_MATCH_SURGE_PARTS_H
#define RASAD_ENGINE_MATCH_SURGE_PARTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "engine/base/map.h"
#include "engine/match/surge.h"

struct build;

#define SURGE_HOURS	168
#define SURGE_BLIND_MAX 64 /* open at the same time */

struct element {
	char *name;   /* owned: "card:DSLAM-1/3" */
	double calls; /* that were usual */
	/* Of the tick: */
	uint32_t k, explained;
	double mu;
};

struct caller {
	int64_t at_ns;
	uint64_t call, line; /* keys */
	uint32_t *elements;  /* owned; everybody is not among them */
	uint32_t n_elements;
	uint8_t verdict;
	bool explained; /* by an incident of the network */
	bool blind;	/* part of a surge that was told */
	bool taken;	/* of the tick: by a surge that was found before */
};

struct blind_spot {
	struct Rasad__V1__Incident *incident; /* owned */
	uint32_t element;
	unsigned calm;
	bool seen; /* of the tick */
};

struct surge {
	struct caller *callers; /* owned; in the order of arrival, first .. n-1 */
	size_t first, n, room;
	struct element *elements; /* owned; 0: everybody */
	uint32_t n_elements, elements_room;
	struct map by_name, types; /* name -> element; type -> how many elements it has */
	struct map by_call;	   /* call -> number: its place and what was dropped before */
	uint32_t dropped;
	double hour_calls[SURGE_HOURS], total;
	int64_t begun_ns, now_ns;
	double usual_per_hour;
	struct blind_spot blind[SURGE_BLIND_MAX];
	size_t n_blind;
	struct surge_counts counts;
};

/* How many calls are usual in a window of now. */
double surge_usual(struct surge *surge, const struct element *element);
/* How far its unexplained calls exceed the usual: log-likelihood ratio. Needs mu. */
double surge_excess(const struct element *element);
bool surge_hangs_on(const struct caller *caller, uint32_t element);

/* A blind spot without revision yet. NULL: no memory. */
struct Rasad__V1__Incident *surge_incident(struct build *build, const struct surge *surge,
					   uint32_t element);
/* The next revision, by what is counted now. */
void surge_update(struct build *build, struct surge *surge, struct blind_spot *blind);

#endif
