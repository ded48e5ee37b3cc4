/* SPDX-License-Identifier: BSD-3-Clause */
#include "engine/publish/minutes.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "engine/analysis/report.h"
#include "engine/publish/encode_minute.h"
#include "engine/publish/keyspace.h"

#define K_SIZE	  64
#define NS_PER_MS 1000000

bool minute_batch_is_due(const struct minute_batch *minutes, const struct report_minute *minute)
{
	return minutes->n &&
	       (minutes->n == MINUTES_BATCH || minutes->start_unix_ns != minute->start_unix_ns ||
		minutes->duration_ms != minute->duration_ms ||
		minutes->size + encode_minute_max(strlen(minute->line)) > MINUTES_BYTES);
}

/* Captures that overlap give the same ids to other lines, or to the same with other counts. */
static uint32_t fold(uint32_t content, uint64_t value)
{
	value = (content ^ value) * 0x9fb21c651e98df25u;
	return (uint32_t)(value >> 32);
}

int minute_batch_add(struct minute_batch *minutes, const struct report_minute *minute)
{
	size_t length = strlen(minute->line);

	if (minutes->size + encode_minute_max(length) > MINUTES_BYTES)
		return -EMSGSIZE;
	uint64_t sub_id = keyspace_hash(minute->line, length);
	uint8_t *end = encode_minute(minute, sub_id, minutes->bytes + minutes->size);
	minutes->size = (size_t)(end - minutes->bytes);
	minutes->start_unix_ns = minute->start_unix_ns;
	minutes->duration_ms = minute->duration_ms;
	minutes->content = fold(minutes->content, sub_id);
	minutes->content = fold(minutes->content, minute->bytes_down + minute->packets_down);
	minutes->content = fold(minutes->content, minute->bytes_up + minute->packets_up);
	minutes->n++;
	return 0;
}

/* Rising, whatever the times: a stream takes nothing else. */
static struct stream_id next_id(struct minute_batch *minutes)
{
	int64_t end_ms = minutes->start_unix_ns / NS_PER_MS + minutes->duration_ms;

	if (end_ms > 0 && (uint64_t)end_ms > minutes->last.ms)
		minutes->last = (struct stream_id){(uint64_t)end_ms, 0};
	else
		minutes->last.seq++;
	return minutes->last;
}

struct item *minute_batch_close(struct minute_batch *minutes)
{
	char k[K_SIZE];

	if (!minutes->n)
		return NULL;
	struct stream_id id = next_id(minutes);
	int length = snprintf(k, sizeof(k), "%" PRId64 ":%" PRIu64 ":%08" PRIx32,
			      minutes->start_unix_ns / NS_PER_MS, id.seq, minutes->content);
	struct item *item =
		item_new(ITEM_MINUTES, k, (size_t)length + 1, minutes->bytes, minutes->size);
	if (item) {
		item->id = id;
		item->type = "MinuteBatch";
		item->records = minutes->n;
	}
	minutes->n = minutes->size = minutes->content = 0;
	return item;
}
