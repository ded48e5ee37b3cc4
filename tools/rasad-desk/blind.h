/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Blind-spot incidents: what only callers know of, published as any other incident. The leader
 * writes them, under a fence: a leader that was replaced without knowing it is refused.
 */
#ifndef RASAD_TOOLS_RASAD_DESK_BLIND_H
#define RASAD_TOOLS_RASAD_DESK_BLIND_H

#include <stdint.h>

struct desk;
struct redis;

/* Looks at the calls, and publishes what is to say under this token. Returns 0 or -EIO. */
int blind_look(struct desk *desk, struct redis *redis, uint64_t token);

#endif
