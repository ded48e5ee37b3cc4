/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Session events on their way into events.ndjson. Lines are simulated one after the other, an hour
 * at a time, so events come out of order and are sorted here; what lies beyond the hour waits.
 * A few are told late, as collectors do: their place in the file is not that of their time.
 */
#ifndef RASAD_SIM_EVENT_H
#define RASAD_SIM_EVENT_H

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "tools/rasad-sim/world.h"

enum event_kind { EVENT_UP, EVENT_SUSPECT, EVENT_RECOVERED, EVENT_DOWN, EVENT_SETUP_FAILED };

enum event_cause {
	CAUSE_NONE,
	CAUSE_LINE_LOST,
	CAUSE_CPE_TERM,
	CAUSE_CPE_POWER,
	CAUSE_ADMIN,
	CAUSE_NAS_FAULT,
	CAUSE_SESSION_TIMEOUT,
	CAUSE_IDLE_TIMEOUT,
	CAUSE_AUTH_FAIL,
	CAUSE_RESOURCE,
	CAUSE_REPLACED,
	CAUSE_UNKNOWN,
};

enum event_stage { STAGE_NONE, STAGE_AUTH_REJECT, STAGE_AUTH_SILENT, STAGE_NCP };

struct event {
	uint64_t told_ms; /* its place in the file */
	uint32_t line;
	uint32_t late_ms;  /* told_ms - late_ms: its time */
	uint32_t since_ms; /* DOWN: how long before that it was last heard of; 0: not told */
	uint8_t kind, cause, stage;
};

struct events {
	struct event *at;
	size_t n, room;
	uint64_t counts[EVENT_SETUP_FAILED + 1], late, written;
	int64_t start_unix_ms;
};

void events_add(struct events *events, struct event event);
/* Writes what is told before `until_ms`, in order. */
void events_write(struct events *events, const struct world *world, FILE *f, uint64_t until_ms);
void events_fini(struct events *events);

#endif
