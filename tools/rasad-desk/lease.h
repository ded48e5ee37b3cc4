/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * One desk of many leads: rasad:{m}:lease holds "token:desk" for 5 s and is renewed every 1.5 s.
 * The token grows with each new leader. A leader that was stopped for a while may still believe in
 * itself; so what must not be written twice is written with the token, and refused when a newer
 * one has been seen (a fence), or is compared with what it replaces (answers to calls).
 */
#ifndef RASAD_TOOLS_RASAD_DESK_LEASE_H
#define RASAD_TOOLS_RASAD_DESK_LEASE_H

#include <stdbool.h>
#include <stdint.h>

struct redis;

#define LEASE_RENEW_MS 1500

struct lease {
	const char *desk;
	char value[128]; /* "token:desk"; "" when we do not lead */
	uint64_t token;
	int64_t ends_ms, renew_ms; /* monotonic */
};

/* Takes or renews it when it is time to. Returns 0, or an error of the connection. */
int lease_keep(struct lease *lease, struct redis *redis);
bool lease_is_ours(const struct lease *lease);
/* Gives it up, so that another desk need not wait for its end. */
void lease_drop(struct lease *lease, struct redis *redis);

#endif
