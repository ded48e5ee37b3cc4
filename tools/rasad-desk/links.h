/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Connections to Redis, for all threads of the desk. Whoever needs one takes it, and gives it back
 * whole or broken. While the server is away, taking fails at once, and somebody tries again after
 * a pause that grows to 2 s and is never the same for two desks: a hundred of them must not come
 * back in the same millisecond.
 */
#ifndef RASAD_TOOLS_RASAD_DESK_LINKS_H
#define RASAD_TOOLS_RASAD_DESK_LINKS_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "engine/publish/redis.h"

#define LINKS_IDLE_MAX 64

struct links {
	const char *url;
	pthread_mutex_t lock;
	struct redis *idle[LINKS_IDLE_MAX]; /* owned */
	size_t n_idle;
	int64_t retry_ms, pause_ms;   /* monotonic; 0: the server was there */
	char error[REDIS_ERROR_SIZE]; /* why it is away */
	atomic_bool away;
	atomic_uint_fast64_t opened, lost, absences; /* absences: times that it went away */
};

void links_init(struct links *links, const char *url);
void links_fini(struct links *links);

/* NULL: the server is away. */
struct redis *links_take(struct links *links);
/* A connection that failed is closed, and with it all idle ones. */
void links_give(struct links *links, struct redis *redis, bool good);
/* Why the server is away; "" when it is there. */
void links_error(struct links *links, char out[REDIS_ERROR_SIZE]);

/* Monotonic and real time. */
int64_t desk_now_ms(void);
int64_t desk_unix_ns(void);
/* From 0 below limit, for pauses: thread-safe, not secret. */
uint64_t desk_random(uint64_t limit);

#endif
