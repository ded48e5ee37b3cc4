/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A day after the repair, who had called is looked at once more: a fault that came back must not be
 * on the list as fixed. rasad:{v}:again holds "incident sub_id call_unix_ns" by the millisecond when
 * it is due. A line that is well leaves the lists; one that is not is among those not to call.
 */
#ifndef RASAD_TOOLS_RASAD_DESK_AGAIN_H
#define RASAD_TOOLS_RASAD_DESK_AGAIN_H

#include <stddef.h>

#include "tools/rasad-desk/desk.h"

/* After the last pass through an incident's lines. Returns 0, -EIO or -ENOMEM. */
int again_plan(struct desk *desk, struct redis *redis, const char *incident_id,
	       const struct caller *callers, size_t n);
/* Looks at some of those that are due. Returns 0, -EIO or -ENOMEM. */
int again_look(struct desk *desk, struct redis *redis);

#endif
