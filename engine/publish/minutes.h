/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Minutes of lines on their way into entries of a stream, 64 to an entry.
 *
 * A record is written straight into the batch. The batch is closed when it is full, when a record
 * of another interval comes, and when the caller says so, and becomes an item of the queue. Its id
 * is <end of the interval in ms>-<number of the batch within it> and its key k
 * <start in ms>:<number>:<what is in it>: both come out the same when the same capture is read
 * again, so that a second run adds nothing (deliver_stream.h).
 */
#ifndef RASAD_ENGINE_PUBLISH_MINUTES_H
#define RASAD_ENGINE_PUBLISH_MINUTES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "engine/publish/queue.h"

struct report_minute;

#define MINUTES_BATCH 64
#define MINUTES_BYTES 65536

struct minute_batch {	       /* {0} is a good beginning */
	int64_t start_unix_ns; /* of the records in the batch */
	uint32_t duration_ms;
	uint64_t n;
	uint32_t content; /* of all records: who and how much */
	size_t size;
	struct stream_id last; /* id of the newest batch */
	uint8_t bytes[MINUTES_BYTES];
};

/* Must the batch be closed before this record can be added? */
bool minute_batch_is_due(const struct minute_batch *minutes, const struct report_minute *minute);

/* Returns 0, or -EMSGSIZE for a record that no batch could hold. Not when it is due. */
int minute_batch_add(struct minute_batch *minutes, const struct report_minute *minute);

/* The batch as an item, and an empty batch; NULL when it was empty or there is no memory. */
struct item *minute_batch_close(struct minute_batch *minutes);

#endif
