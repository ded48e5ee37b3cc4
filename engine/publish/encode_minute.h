/* SPDX-License-Identifier: BSD-3-Clause */
/* struct report_minute -> MinuteSummary, as bytes. */
#ifndef RASAD_ENGINE_PUBLISH_ENCODE_MINUTE_H
#define RASAD_ENGINE_PUBLISH_ENCODE_MINUTE_H

#include <stddef.h>
#include <stdint.h>

struct report_minute;

/* The most bytes that encode_minute writes for a line of so long a name. */
size_t encode_minute_max(size_t line_length);

/*
 * Writes the message as a field 1 of the batch (tag and length first) and returns its end.
 * sub_id is keyspace_hash of the line.
 */
uint8_t *encode_minute(const struct report_minute *minute, uint64_t sub_id, uint8_t *at);

#endif
