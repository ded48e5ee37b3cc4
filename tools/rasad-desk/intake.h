/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Calls by the stream rasad:{c}:call:in: one thread, a consumer of the group that all desks share.
 *
 * What this desk had been given before it was killed comes first, then new entries; every 30 s it
 * takes over what another desk has held for a minute. An entry is acknowledged once its answer is
 * stored. What was delivered more than five times, or is no call, goes to rasad:{d}:dlq with the
 * reason, so that one poisoned entry does not stop the rest.
 */
#ifndef RASAD_TOOLS_RASAD_DESK_INTAKE_H
#define RASAD_TOOLS_RASAD_DESK_INTAKE_H

/* Until desk->stop; context is the desk. For pthread_create. */
void *intake_run(void *desk);

#endif
