/* SPDX-License-Identifier: BSD-3-Clause */
/* The parts of the follower: entries and stored values into the desk's memory. */
#ifndef RASAD_TOOLS_RASAD_DESK_LOAD_H
#define RASAD_TOOLS_RASAD_DESK_LOAD_H

#include <stddef.h>

#include "tools/rasad-desk/desk.h"

struct redis_reply;

/* Ids of incidents whose members are to be read. */
struct wanted {
	char (*ids)[DESK_ID_SIZE]; /* owned */
	size_t n, capacity;
};

/* Both take an entry of a stream (t v k p); what is garbled is counted. */
void load_incident(struct desk *desk, const struct redis_reply *entry, struct wanted *wanted);
void load_answer(struct desk *desk, const struct redis_reply *entry);

/* The ids of the sorted set of open incidents. Returns 0 or -EIO. */
int load_open(struct desk *desk, struct redis *redis, struct wanted *wanted);
/* Incidents themselves (with_incidents) and their members; empties wanted. Returns 0 or -EIO. */
int load_wanted(struct desk *desk, struct redis *redis, struct wanted *wanted, bool with_incidents);
void wanted_fini(struct wanted *wanted);

#endif
