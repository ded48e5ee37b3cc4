/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Calls while they may still be answered better (algorithms.md 2.5.3, 2.5.4).
 *
 * A call often comes before the fault is detected. So every answered call stays live for 15 min,
 * and is known for two hours in case that an incident dates its onset back before the call. When an
 * incident opens or changes its scope, the calls of its lines are scored again; an answer that has
 * changed goes out as revision + 1. Calls are counted under the incident that explains them, by
 * call and by line, and calls without network symptoms are evidence of their own.
 *
 * The desk that answered a call passes the CallEvent, and scores it again; what other desks
 * answered (their CallMatch, from the stream) is only counted. One thread, no I/O.
 */
#ifndef RASAD_ENGINE_MATCH_CALLS_H
#define RASAD_ENGINE_MATCH_CALLS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct Rasad__V1__CallEvent;
struct Rasad__V1__CallMatch;
struct Rasad__V1__Incident;
struct book;
struct calls;

#define CALLS_MAX	   200000
#define CALLS_LIVE_NS	   (15 * 60 * 1000000000ll)
#define CALLS_KEEP_NS	   (2 * 3600 * 1000000000ll)
#define CALLS_EVIDENCE_NS  (10 * 60 * 1000000000ll)
#define CALLS_EVIDENCE_MIN 3

struct calls *calls_new(void);
struct calls *calls_free(struct calls *calls); /* returns NULL */

/*
 * A call was answered. `call` NULL: by another desk. Copies what it needs of both. The same call
 * and revision again changes nothing (delivery is at-least-once); a higher revision replaces.
 * Returns 0, or -ENOMEM.
 */
int calls_add(struct calls *calls, const struct Rasad__V1__CallEvent *call,
	      const struct Rasad__V1__CallMatch *answer);

/* Forgets calls that are older than CALLS_KEEP_NS. */
void calls_advance(struct calls *calls, int64_t now_unix_ns);

/* One that is to be scored again: pass it to score_call with the card of today. */
struct calls_due {
	const struct Rasad__V1__CallEvent *call;
	const struct Rasad__V1__CallMatch *answer; /* the last one */
};

/*
 * The calls of this desk that the change of an incident concerns: live ones, and older ones when
 * its onset now lies before them; on its groups, on its lists, or matched with it so far. Returns
 * their number; those beyond room are counted in calls_counts().cut and come when asked again
 * after calls_settle. Pointers are good until the next change.
 */
size_t calls_due(struct calls *calls, const struct book *book,
		 const struct Rasad__V1__Incident *incident, int64_t now_unix_ns,
		 struct calls_due *out, size_t room);

/*
 * A second answer to a known call: when it says something else (verdict, incident, category, or a
 * probability that differs by 0.1), it becomes the answer: revision is the former + 1, supersedes
 * the former, and true is returned: publish it. Else false: drop it.
 */
bool calls_settle(struct calls *calls, struct Rasad__V1__CallMatch *again);

/* The last answer to a call, or NULL. */
const struct Rasad__V1__CallMatch *calls_find(const struct calls *calls, const char *call_id);

struct calls_of_incident {
	uint64_t calls;	   /* matched with it */
	uint64_t lines;	   /* that called, each once */
	uint64_t last_15m; /* calls */
	int64_t first_unix_ns;
	double contact_rate; /* lines that called / lines ever affected */
	double avoided;	     /* affected * usual contact rate - calls; usual: 0.08; >= 0 */
};

/* Of an incident; without `call_id` (NULL: count all), so that a call is not evidence for itself. */
struct calls_of_incident calls_of_incident(const struct calls *calls,
					   const struct Rasad__V1__Incident *incident,
					   const char *without_call_id, int64_t now_unix_ns);

/* The calls matched with it in the last 15 minutes but `without_call_id`, counted up to 64: for
 * score_incident.other_calls. */
unsigned calls_recent_of(const struct calls *calls, const char *incident_id,
			 const char *without_call_id, int64_t now_unix_ns);

/*
 * Calls as evidence: an element from which at least CALLS_EVIDENCE_MIN lines reported an outage in
 * the last ten minutes that no incident explains. The detector may open earlier there: T - 2, and
 * silent members count half.
 */
struct calls_evidence {
	const char *group; /* "card:DSLAM-1/3" */
	unsigned lines;
	int64_t first_unix_ns, last_unix_ns;
};

/* The smallest such elements first (fewest calls known of it in all). Returns their number. */
size_t calls_evidence(const struct calls *calls, int64_t now_unix_ns, struct calls_evidence *out,
		      size_t room);

struct calls_counts {
	uint64_t known, live;
	uint64_t by_verdict[8]; /* of the calls known now, by enum Verdict */
	uint64_t revised;	/* answers that changed */
	uint64_t duplicates;
	uint64_t evicted; /* of more than CALLS_MAX calls in two hours, the oldest */
	uint64_t cut;	  /* due, but without room */
};

struct calls_counts calls_counts(const struct calls *calls, int64_t now_unix_ns);

#endif
