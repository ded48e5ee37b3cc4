/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The clock: a discrete-event simulation in nanoseconds.
 *
 * Events at the same instant run in the order in which they were asked for, so a run depends on
 * nothing but the seed. An alarm is an event that can be moved or switched off: it leaves its old
 * entry in the heap and ignores it, which is cheaper than searching for it.
 */
#ifndef RASAD_GEN_SIM_H
#define RASAD_GEN_SIM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define NS_PER_US 1000ull
#define NS_PER_MS 1000000ull
#define NS_PER_S  1000000000ull

typedef void sim_fn(void *arg);

struct sim_event;

struct sim {
	uint64_t now_ns;
	uint64_t order;
	struct sim_event *heap;
	size_t n, capacity;
	bool stopped;
};

struct alarm {
	struct sim *sim;
	sim_fn *fn;
	void *arg;
	uint64_t at_ns;	    /* when it rings; 0 when switched off */
	uint64_t queued_ns; /* its earliest entry in the heap; 0 when there is none */
};

void sim_fini(struct sim *s);
void sim_at(struct sim *s, uint64_t at_ns, sim_fn *fn, void *arg);
/* The same for an argument that the event owns: sim_fini frees it if the event never runs. */
void sim_at_owned(struct sim *s, uint64_t at_ns, sim_fn *fn, void *arg);
/* Runs events until none is left, the time is up, or somebody set `stopped`. */
void sim_run(struct sim *s, uint64_t until_ns);

void alarm_init(struct alarm *a, struct sim *s, sim_fn *fn, void *arg);
void alarm_set(struct alarm *a, uint64_t at_ns);
void alarm_clear(struct alarm *a);

#endif
