/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A receiver: one source, read and decoded on a thread of its own, its packets handed to the lanes
 * that own their lines. For sources that do not keep a line's packets together, and for a capture
 * file that several workers share. In a replay it waits for a lane that is behind; live it drops
 * what such a lane has no room for, counted.
 */
#ifndef RASAD_ENGINE_RECEIVER_H
#define RASAD_ENGINE_RECEIVER_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "engine/handover.h"
#include "engine/packet/shard.h"
#include "engine/stamp.h"

struct receiver {
	struct source *source; /* not owned */
	struct stamp stamp;
	struct burst burst;
	uint64_t before_ns; /* the clock before this burst */
	struct handover lanes[SHARDS];
	uint32_t n_lanes;
	bool lossless;
	uint64_t (*now)(void *idle);
	void *idle;
	_Atomic bool *stop;
	_Atomic int ended;	  /* 1: in good order; -errno: its source failed */
	_Atomic uint64_t refused; /* packets that a lane had no room for */
	pthread_t thread;
	bool has_thread;
	pthread_mutex_t lock; /* of `told` */
	struct source_stats told;
	uint32_t rounds;
};

/* 0 or -ENOMEM. */
int receiver_init(struct receiver *r, struct source *source, uint32_t n_lanes);
void receiver_fini(struct receiver *r);

int receiver_start(struct receiver *r);
void receiver_join(struct receiver *r);

#endif
