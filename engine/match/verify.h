/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * After the repair: is each affected line really well, and whom may we call back with what
 * (algorithms.md 2.5.7). A false "it is fixed" is the worst that can be said here.
 *
 * A function of the card of now and the time of clearing, so that any desk at any moment comes to
 * the same result: nothing is kept. WAIT while the line is still down in the first five minutes,
 * VERIFYING until 15 minutes have been watched, then one of the ends. A line that drops again
 * after it was verified is UNSTABLE when it is looked at again.
 */
#ifndef RASAD_ENGINE_MATCH_VERIFY_H
#define RASAD_ENGINE_MATCH_VERIFY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct Rasad__V1__Incident;
struct Rasad__V1__SubscriberCard;
struct Rasad__V1__VerifyResult;

#define VERIFY_WAIT_NS	 (5 * 60 * 1000000000ll)
#define VERIFY_WINDOW_NS (15 * 60 * 1000000000ll)
#define VERIFY_UP_NS	 (10 * 60 * 1000000000ll)
#define VERIFY_AGAIN_NS	 (24 * 3600 * 1000000000ll) /* callers are looked at a second time */

struct verify_input {
	const struct Rasad__V1__Incident *incident;   /* cleared, or it is WAIT */
	const char *sub_id;			      /* 16 hex digits */
	const struct Rasad__V1__SubscriberCard *card; /* NULL: none, so UNKNOWN */
	int64_t now_unix_ns;			      /* as in score_input */
	int64_t wall_unix_ms;
	int64_t call_unix_ns; /* the subscriber called because of it; 0: did not */
	bool vip;
	bool repeat; /* the same class hit this line within seven days before */
};

/* Free with rasad__v1__verify_result__free_unpacked(result, NULL). NULL: out of memory. */
struct Rasad__V1__VerifyResult *verify_line(const struct verify_input *input);

/* True for those that may be told that it is fixed: VERIFIED, and nobody else. */
bool verify_says_fixed(const struct Rasad__V1__VerifyResult *result);

/* The order of the call-back list: callers first, who waits longest first, then VIPs, then others;
 * those that may not be called (call_back false) at the end. */
void verify_sort(struct Rasad__V1__VerifyResult **results, size_t n);

/* A number that sorts alike, for a ZSET: the least first. */
double verify_priority(const struct Rasad__V1__VerifyResult *result);

#endif
