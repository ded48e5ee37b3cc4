/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Who called because of which incident, for the call-back list and for people: a ring of the newest
 * calls that an incident explains. What no longer fits is counted.
 */
#ifndef RASAD_TOOLS_RASAD_DESK_CALLERS_H
#define RASAD_TOOLS_RASAD_DESK_CALLERS_H

#include <stddef.h>
#include <stdint.h>

#include "engine/match/call_json.h"

#define CALLERS_MAX 65536

struct caller {
	uint64_t incident, sub_id; /* incident: a hash of its id; 0: none */
	int64_t call_unix_ns;
	char call_id[CALL_ID_MAX + 1];
};

struct callers {
	struct caller *ring; /* owned; NULL until the first */
	uint64_t n;	     /* ever */
	uint64_t overwritten;
};

struct Rasad__V1__CallMatch;

void callers_fini(struct callers *callers);
void callers_add(struct callers *callers, const struct Rasad__V1__CallMatch *match);

/*
 * The first call of each line that called because of the incident, by sub_id; to be freed. NULL
 * when there is none.
 */
struct caller *callers_copy(const struct callers *callers, const char *incident_id, size_t *n);
/* Of such a copy: when the line called; 0: it did not. */
int64_t callers_find(const struct caller *copy, size_t n, uint64_t sub_id);
/* The newest calls of an incident, each once, newest first. Returns their number. */
size_t callers_list(const struct callers *callers, const char *incident_id,
		    const struct caller **out, size_t room);

#endif
