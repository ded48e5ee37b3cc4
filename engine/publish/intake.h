/* SPDX-License-Identifier: BSD-3-Clause */
/* Report -> item of the queue, on the caller's thread. */
#ifndef RASAD_ENGINE_PUBLISH_INTAKE_H
#define RASAD_ENGINE_PUBLISH_INTAKE_H

#include "engine/publish/minute_batch.h"
#include "engine/publish/queue.h"

struct codec;
struct inventory;
struct report;
struct report_minute;

struct intake {
	struct codec *codec; /* owned */
	const struct inventory *inventory;
	struct stream_id last; /* id of the newest event */
	struct minute_batch minutes;
	uint8_t *scratch; /* owned: where the next card or incident is written */
	size_t capacity;
	struct item *spares; /* owned: for cards */
};

void intake_fini(struct intake *intake);

/* NULL: out of memory, or not a report that becomes an item (flows, health, minutes). */
struct item *intake_item(struct intake *intake, const struct report *report);

/*
 * Minutes become an item together. Returns the batch that is closed now, or NULL; *lost counts the
 * records that had to be let go.
 */
struct item *intake_minute(struct intake *intake, const struct report_minute *minute,
			   uint64_t *lost);
struct item *intake_close_minutes(struct intake *intake, uint64_t *lost);

#endif
