/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What is wrong with the line of a caller, how sure we are, and why (algorithms.md 2.5.2).
 *
 * Hypotheses are the incidents that can concern the line and six of its own: the line, the home,
 * the account, its own traffic, the Internet beyond us, and nothing at all. Each starts at its
 * prior and collects terms of log-odds; a term is a reason with its weight, value, unit, usual
 * value and number of samples. Softmax turns scores into probabilities.
 *
 * Two rules come before the arithmetic. A card that is absent or past its validity means that
 * nobody watches: MONITORING_UNAVAILABLE, whatever it says. And "no fault" is said only on
 * evidence: with enough samples, in a line that is up; what we cannot see is always named.
 *
 * Pure: no clock, no state, no I/O. Costs some microseconds.
 */
#ifndef RASAD_ENGINE_MATCH_SCORE_H
#define RASAD_ENGINE_MATCH_SCORE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct Rasad__V1__CallEvent;
struct Rasad__V1__CallMatch;
struct Rasad__V1__Incident;
struct Rasad__V1__NodeSummary;
struct Rasad__V1__SubscriberCard;

#define SCORE_INCIDENTS_MAX 16 /* book_candidates gives no more */

/* What an incident's list of members says about the line. */
enum membership {
	MEMBER_NOT, /* on neither list: at most in the scope */
	MEMBER_DOWN,
	MEMBER_RECOVERED,
};

struct score_incident {
	const struct Rasad__V1__Incident *incident;
	enum membership membership;
	bool in_scope;		   /* the line hangs on its group; else only the list names it */
	int64_t recovered_unix_ns; /* MEMBER_RECOVERED */
	unsigned other_calls;	   /* matched with it in the last 15 minutes (calls_of_incident) */
};

struct score_input {
	const struct Rasad__V1__CallEvent *call;
	const struct Rasad__V1__SubscriberCard *card; /* NULL: there is none */
	int64_t now_unix_ns;  /* on the clock of cards and incidents (packets) */
	int64_t wall_unix_ms; /* on the clock that ends cards (Redis) */
	const struct score_incident *incidents;
	size_t n_incidents;
	const struct Rasad__V1__NodeSummary *siblings; /* of its card, port or node; or NULL */
};

/*
 * The answer, revision 1, hypotheses best first, with texts in both languages. Free it with
 * rasad__v1__call_match__free_unpacked(match, NULL). NULL: out of memory.
 */
struct Rasad__V1__CallMatch *score_call(const struct score_input *input);

/*
 * The same for a phone that owns several lines, one input each (same call): answers for the line
 * that most likely has a fault and names the others in other_lines.
 */
struct Rasad__V1__CallMatch *score_lines(const struct score_input *inputs, size_t n);

/* No line answers to the call: UNKNOWN_SUBSCRIBER. `area` (n_area may be 0): open incidents where
 * the number is at home, told as possible and not as found (book_area). */
struct Rasad__V1__CallMatch *score_unknown(const struct Rasad__V1__CallEvent *call,
					   const struct score_incident *area, size_t n_area,
					   int64_t now_unix_ns);

/* Nobody could be asked (Redis is away): MONITORING_UNAVAILABLE without a line. */
struct Rasad__V1__CallMatch *score_unavailable(const struct Rasad__V1__CallEvent *call,
					       int64_t now_unix_ns);

#endif
