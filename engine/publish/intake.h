/* SPDX-License-Identifier: BSD-3-Clause */
/* Report -> item of the queue, on the caller's thread. */
#ifndef RASAD_ENGINE_PUBLISH_INTAKE_H
#define RASAD_ENGINE_PUBLISH_INTAKE_H

#include "engine/publish/queue.h"

struct codec;
struct inventory;
struct report;

struct intake {
	struct codec *codec;
	const struct inventory *inventory;
	struct stream_id last; /* id of the newest event */
};

/* NULL: out of memory, or not a report that becomes an item (flows, health). */
struct item *intake_item(struct intake *intake, const struct report *report);

#endif
