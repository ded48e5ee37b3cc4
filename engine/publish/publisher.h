/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The inside of the publisher, for its own files: publish.c is the caller's side and its life,
 * publish_thread.c the thread that talks to Redis, publish_account.c what is counted and told.
 *
 * The lock guards the queue, the health bytes, the copy of the counters and the flags; encoding
 * happens before it is taken and talking to Redis after it is let go. `delivery` belongs to the
 * publishing thread, `intake` to the caller.
 */
#ifndef RASAD_ENGINE_PUBLISH_PUBLISHER_H
#define RASAD_ENGINE_PUBLISH_PUBLISHER_H

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>

#include "engine/publish/deliver.h"
#include "engine/publish/intake.h"
#include "engine/publish/phones.h"
#include "engine/publish/publish.h"

struct publisher {
	struct publish_options options; /* its texts are copies */
	struct intake intake;
	struct delivery delivery;
	char producer[8]; /* "e00" */
	struct phones phones;
	pthread_t thread;

	pthread_mutex_t lock;
	pthread_cond_t work, room;
	struct queue queue;
	struct item *spares; /* delivered cards */
	size_t n_spares;
	uint8_t *health; /* the newest CollectorHealth, packed */
	size_t n_health;
	bool health_is_new, closing, given_up;
	bool is_full;	     /* the caller waits for room */
	bool draining;	     /* the cards that are there have waited for others already */
	int64_t deadline_ms; /* on the monotonic clock, once closing */
	struct publish_counters counters;
	struct publish_error trouble; /* "" when all is well */

	/* Publishing thread only. */
	struct item *batch[DELIVER_BATCH];
	size_t n_batch;
	bool health_due;
	unsigned backoff_ms;
	int64_t trouble_since_ms;
};

/* The thread; returns when it has nothing left to do, or no time. */
void *publisher_thread(void *publisher);

/* With the lock held. May the thread wait for more cards of the same buckets? */
bool publisher_may_linger(const struct publisher *publisher);
void publisher_copy_counters(struct publisher *publisher);

/* What is missing in Redis after all, in words. Returns 0 when nothing is, or -EIO. */
int publisher_tell_loss(const struct publisher *publisher, struct publish_error *error);

#endif
