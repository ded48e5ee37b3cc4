/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What one desk of many must do, the leader (lease.h), in slices so short that the lease is renewed
 * between them:
 *
 *   an incident opened, grew or went: the calls that it concerns are answered again (call_revise);
 *   an incident is over: its lines are looked at, minute by minute for 20 minutes, and whom to call
 *   back is kept in rasad:{v}:verify:<id> (callbacks.h);
 *   more calls than usual and no incident that explains them: a blind-spot incident is published.
 *
 * A new leader goes through all incidents of the book once: what the former one left is done.
 */
#ifndef RASAD_TOOLS_RASAD_DESK_DUTY_H
#define RASAD_TOOLS_RASAD_DESK_DUTY_H

/* Until desk->stop; context is the desk. For pthread_create. */
void *duty_run(void *desk);

#endif
