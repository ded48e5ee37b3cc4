/* SPDX-License-Identifier: BSD-3-Clause */
/* What the parts of the delivery share: it stands in deliver.c. */
#ifndef RASAD_ENGINE_PUBLISH_DELIVER_PARTS_H
#define RASAD_ENGINE_PUBLISH_DELIVER_PARTS_H

#include <stddef.h>
#include <stdint.h>

struct delivery;
struct redis_reply;

/* Keeps the reason in delivery->error: -EIO, and -EAGAIN for an error reply. */
int deliver_lost_connection(struct delivery *delivery);
int deliver_refused(struct delivery *delivery, const struct redis_reply *reply);

/* Queues a command of texts, NULL at the end. */
int deliver_append(struct delivery *delivery, const char *const *texts);
int deliver_append_set(struct delivery *delivery, const char *key, const uint8_t *value, size_t n,
		       const char *ttl_s);
/* Reads n replies to SET; one that is an error is counted. */
int deliver_read_sets(struct delivery *delivery, size_t n);

/* The monotonic clock, and where the server's stands against it, by a reply to TIME. */
int64_t deliver_now_ms(void);
int deliver_take_time(struct delivery *delivery, const struct redis_reply *reply);

#endif
