/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Callers know something that the network does not show (algorithms.md 2.5.8).
 *
 * Per element and hour of the week, calls are Poisson around what is usual there, shrunk to the
 * usual of everybody while little is known of the element. 5 calls in 15 minutes with a chance of
 * at most 1e-5 are a surge. Where what the network shows (open incidents, troubles of the lines'
 * own) explains 60 % of them it is no news; else a blind-spot incident opens, class
 * CALLS_WITHOUT_NETWORK_SYMPTOM, with what the callers have in common, best first: the same
 * resolver, vendor, card, ... or nothing (then the cause is outside).
 *
 * Time is that of the calls and of surge_tick. One thread.
 */
#ifndef RASAD_ENGINE_MATCH_SURGE_H
#define RASAD_ENGINE_MATCH_SURGE_H

#include <stddef.h>
#include <stdint.h>

struct Rasad__V1__CallMatch;
struct Rasad__V1__Incident;
struct surge;

#define SURGE_WINDOW_NS	  (15 * 60 * 1000000000ll)
#define SURGE_CALLS_MIN	  5
#define SURGE_PROBABILITY 1e-5
#define SURGE_EXPLAINED	  0.6
#define SURGE_CALLS_MAX	  65536	  /* in the window */
#define SURGE_GROUPS_MAX  1048576 /* with a history */

/* usual_calls_per_hour: of the whole network, before anything is learnt; 0: 10. */
struct surge *surge_new(double usual_calls_per_hour);
struct surge *surge_free(struct surge *surge); /* returns NULL */

/* A call was answered, for the first time or again (a later revision replaces the former). */
void surge_call(struct surge *surge, const struct Rasad__V1__CallMatch *match);

/*
 * Once a minute. `say` gets a blind-spot Incident that opened, changed or cleared; it is the
 * surge's own and good during the call.
 */
void surge_tick(struct surge *surge, int64_t now_unix_ns,
		void (*say)(void *context, const struct Rasad__V1__Incident *incident),
		void *context);

struct surge_counts {
	uint64_t calls;	      /* in the window */
	uint64_t unexplained; /* of these */
	uint64_t groups;
	uint64_t open;
	uint64_t refused; /* calls or groups beyond the limits */
};

struct surge_counts surge_counts(const struct surge *surge);

/* P[Poisson(mean) >= k]. */
double surge_tail(double mean, uint64_t k);

#endif
