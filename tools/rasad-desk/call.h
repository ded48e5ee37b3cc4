/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A call answered: who calls, how their lines are, which incidents can concern them, and the
 * verdict, stored before it is said.
 *
 * Three round trips: the stored answer and the indexes; the cards; the store. The last one is a
 * script, so that of two desks that got the same call one answer stands, and both say that one. An
 * answer that was acknowledged is in rasad:{c}:call:<id> and in rasad:{c}:call:out; what was not
 * acknowledged may be asked again with the same call_id.
 */
#ifndef RASAD_TOOLS_RASAD_DESK_CALL_H
#define RASAD_TOOLS_RASAD_DESK_CALL_H

#include <stdbool.h>

#include "tools/rasad-desk/desk.h"

#define CALL_LINES_MAX 16 /* of one phone */

enum call_outcome {
	CALL_ANSWERED, /* and stored */
	CALL_REPEATED, /* it had been answered: that answer */
	CALL_AWAY,     /* Redis is away: "monitoring unavailable", and nothing was stored */
	CALL_FAILED,   /* out of memory, or Redis refuses: no answer */
};

/* NULL, or why a call cannot be taken: call_check, and ids that are the names of our streams. */
const char *call_refused(const Rasad__V1__CallEvent *call);

/*
 * Answers a call that has an id; one without a time gets that of now. redis NULL: away. On CALL_AWAY the connection, if any, is broken.
 * Free *match with rasad__v1__call_match__free_unpacked; NULL when CALL_FAILED.
 */
enum call_outcome call_answer(struct desk *desk, struct redis *redis, Rasad__V1__CallEvent *call,
			      Rasad__V1__CallMatch **match);

/*
 * Answers a call again, now that an incident has changed: a new revision is stored when it says
 * something else and nobody else was faster. Returns 0, -EIO or -ENOMEM.
 */
int call_revise(struct desk *desk, struct redis *redis, const Rasad__V1__CallEvent *call);

#endif
