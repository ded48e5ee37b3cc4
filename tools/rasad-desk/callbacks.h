/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * After the repair: the lines of incidents that are over, looked at again and again until each has
 * an end (engine/match/verify.h), in slices of 256 cards. Only the leader does this; a new one
 * begins anew, and comes to the same results.
 *
 * The list keeps whom one may call; how a line is at the moment of the call is looked at again when
 * the list is read (callbacks_read): nobody who went down meanwhile is on it as fixed.
 */
#ifndef RASAD_TOOLS_RASAD_DESK_CALLBACKS_H
#define RASAD_TOOLS_RASAD_DESK_CALLBACKS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "proto/rasad/v1/desk.pb-c.h"
#include "tools/rasad-desk/desk.h"

#define CALLBACKS_JOBS_MAX 1024
#define CALLBACKS_READ_MAX 1000

struct callbacks {
	struct job {
		char incident_id[DESK_ID_SIZE]; /* "": a free place */
		int64_t next_ms, end_ms;	/* monotonic */
	} jobs[CALLBACKS_JOBS_MAX];
	struct pass *pass; /* under way; owned, or NULL */
	int64_t every_ms;
};

void callbacks_fini(struct callbacks *callbacks);
/* The incident is over. */
void callbacks_add(struct callbacks *callbacks, struct desk *desk, const char *incident_id);
/* One slice, if something is due. Returns 1 when there was, 0, or -EIO. */
int callbacks_step(struct callbacks *callbacks, struct desk *desk, struct redis *redis);

/*
 * The list as it is now; state: NULL for those to call, else a VerifyState's name of those not to.
 * Returns 0, -ENOENT (no such incident, or it is not over), -EIO, -ENOMEM. Free with
 * rasad__v1__callback_list__free_unpacked.
 */
int callbacks_read(struct desk *desk, struct redis *redis, const char *incident_id,
		   const char *state, size_t limit, Rasad__V1__CallbackList **list);

#endif
