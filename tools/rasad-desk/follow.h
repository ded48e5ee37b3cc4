/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The follower: one thread that makes this desk know what Redis knows. It loads the open incidents
 * with their members, those of the last two hours from their stream, and the answers of the last
 * two hours of all desks; then it follows both streams. After every loss of the connection it
 * starts anew, with an empty book: Redis may have lost or gained anything meanwhile.
 */
#ifndef RASAD_TOOLS_RASAD_DESK_FOLLOW_H
#define RASAD_TOOLS_RASAD_DESK_FOLLOW_H

/* Until desk->stop; context is the desk. For pthread_create. */
void *follow_run(void *desk);

#endif
