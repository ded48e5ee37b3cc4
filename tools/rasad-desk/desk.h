/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What the threads of a desk share.
 *
 * Threads: those of HTTP (http.h) and the intake (intake.h) answer calls; the follower (follow.h)
 * alone feeds book, calls, callers and surge from the streams, so that every desk knows what all
 * desks answered; the duty (duty.h) does what one desk of many must do. `lock` guards all that they
 * share, and is held for arithmetic only, never while somebody waits for Redis.
 *
 * A desk keeps nothing that is not in Redis: killed at any moment, another one or the next start
 * goes on from there.
 */
#ifndef RASAD_TOOLS_RASAD_DESK_DESK_H
#define RASAD_TOOLS_RASAD_DESK_DESK_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "engine/match/book.h"
#include "engine/match/calls.h"
#include "engine/match/surge.h"
#include "proto/rasad/v1/call.pb-c.h"
#include "proto/rasad/v1/incident.pb-c.h"
#include "tools/rasad-desk/callers.h"
#include "tools/rasad-desk/counters.h"
#include "tools/rasad-desk/links.h"
#include "tools/rasad-desk/nodes.h"

#define DESK_NAME_SIZE	 64
#define DESK_CHANGES_MAX 1024
#define DESK_ID_SIZE	 64 /* of an incident; ULIDs have 26 */

/* Incidents that the duty has not looked at yet. */
struct changes {
	struct change {
		char incident_id[DESK_ID_SIZE];
		bool cleared;
	} list[DESK_CHANGES_MAX];
	size_t n;
	bool overflown; /* then all that is in the book */
};

struct desk {
	struct links links;
	char name[DESK_NAME_SIZE];
	bool packet_clock;
	int64_t verify_every_ms;
	_Atomic int64_t packet_unix_ns;	 /* the newest time that Redis tells of */
	_Atomic int64_t clock_offset_ms; /* real time of Redis less our monotonic time */
	atomic_bool stop, current, leader;
	struct counters counters;

	pthread_mutex_t lock;
	struct book *book;   /* from here on under the lock; owned */
	struct calls *calls; /* owned */
	struct callers callers;
	struct nodes nodes;
	struct changes changes;

	pthread_mutex_t surge_lock; /* of its own: a look at all calls takes a tenth of a second */
	struct surge *surge;	    /* owned */
};

/* false: out of memory. */
bool desk_init(struct desk *desk, const char *redis_url);
void desk_fini(struct desk *desk);

/* Time of the network: ours, or with packet_clock the newest that Redis tells of. */
int64_t desk_time(struct desk *desk);
void desk_saw_time(struct desk *desk, int64_t unix_ns);
/* Real time on the clock of Redis, which ends cards. */
int64_t desk_wall_ms(struct desk *desk);

/* Under the lock: the duty has to look at this incident. */
void desk_note_change(struct desk *desk, const char *incident_id, bool cleared);

/* Waits so long, or until the desk stops. */
void desk_pause(struct desk *desk, int64_t ms);

#endif
