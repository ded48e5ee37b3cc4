/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Blind-spot incidents: what only callers know of, published as any other incident. Every desk
 * finds them for itself from the same calls; the leader publishes them, under a fence: a leader that
 * was replaced without knowing it is refused. A new leader goes on with the incident that the former
 * one opened over the same element, under its id.
 */
#ifndef RASAD_TOOLS_RASAD_DESK_BLIND_H
#define RASAD_TOOLS_RASAD_DESK_BLIND_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "proto/rasad/v1/incident.pb-c.h"

struct desk;
struct redis;

#define BLIND_SPOTS_MAX 64

struct blind_spots {
	struct blind_spot {
		Rasad__V1__Incident *incident; /* owned */
		bool unsaid;		       /* changed since it was published */
	} list[BLIND_SPOTS_MAX];
	size_t n;
};

void blind_fini(struct blind_spots *spots);
/* Looks at the calls; once a minute. */
void blind_look(struct blind_spots *spots, struct desk *desk);
/* Publishes what is not said yet, under this token. Returns 0, -EIO or -ENOMEM. */
int blind_publish(struct blind_spots *spots, struct desk *desk, struct redis *redis,
		  uint64_t token);

#endif
