/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A lane: one worker with what it needs to run, its outbox and, where it has one, its thread.
 *
 * A lane is fed by a source of its own (run to completion: receive, decode, measure on one core),
 * or by receivers that hand it the packets of its lines. Its thread never waits for anybody but
 * for packets; in a replay also for the reader of its outbox, so that nothing is lost. What others
 * want to know of it while it runs is copied once a second, if nobody is just reading.
 */
#ifndef RASAD_ENGINE_LANE_H
#define RASAD_ENGINE_LANE_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "engine/handover.h"
#include "engine/packet/worker.h"
#include "engine/stamp.h"

enum { LANE_MAX_RECEIVERS = 16, LANE_REFUSALS = 19 };

/* What health tells of a lane. */
struct lane_counts {
	uint64_t lines, flows, flows_in_table, lines_recycled;
	uint64_t refusals[LANE_REFUSALS]; /* limits that were hit: lane_refusals */
	uint64_t acked_unseen, clock_steps, clock_disbelieved, first_ns, last_ns;
};

struct lane_options {
	struct worker_options worker;
	bool lossless; /* wait for the reader of the outbox */
	uint64_t (*now)(
		void *idle); /* the time while the source is idle; NULL: packets alone tell */
	void *idle;
};

struct lane {
	struct lane_options options;
	struct worker worker;
	struct ring outbox;
	struct stamp stamp;
	struct source *source;			    /* its own, or NULL: not owned */
	struct burst burst;			    /* of its own source */
	struct handover *inbox[LANE_MAX_RECEIVERS]; /* not owned */
	uint32_t n_inbox;
	pthread_t thread;
	bool has_thread;
	_Atomic bool *stop;	  /* the engine's: end now */
	_Atomic uint64_t done;	  /* all records up to this order are in the outbox */
	_Atomic uint64_t done_ns; /* and up to this time */
	_Atomic int ended;	  /* 1: in good order; -errno: its source failed */
	pthread_mutex_t lock;	  /* of `told` and `source_told` */
	struct lane_counts told;
	struct source_stats source_told;
	uint32_t rounds;
};

/* 0 or -ENOMEM. */
int lane_init(struct lane *lane, const struct lane_options *options);
void lane_fini(struct lane *lane);

/* One burst of its own source on the caller's thread: enum source_status or -errno. */
int lane_step(struct lane *lane);

/* Starts its thread; 0 or -errno. */
int lane_start(struct lane *lane);

/* Waits for its thread to end. */
void lane_join(struct lane *lane);

/* Counters now (of a lane without a running thread), or as last told. */
void lane_counts(struct lane *lane, struct lane_counts *to);

extern const char *const lane_refusals[LANE_REFUSALS]; /* their names */

#endif
