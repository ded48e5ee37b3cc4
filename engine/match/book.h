/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What a desk knows of incidents: those that are open and those cleared up to two hours ago, with
 * their members, found by the elements that a line hangs on.
 *
 * Fed with Incident and MemberSet messages in any order, older revisions are ignored. An incident
 * is entered under its group and its equivalent groups; a superseded or merged one is followed to
 * the one that took its place. One thread. Refusals are counted.
 */
#ifndef RASAD_ENGINE_MATCH_BOOK_H
#define RASAD_ENGINE_MATCH_BOOK_H

#include <stddef.h>
#include <stdint.h>

#include "engine/match/score.h"

struct Rasad__V1__MemberSet;

struct book;

#define BOOK_INCIDENTS_MAX   65536
#define BOOK_CLEARED_KEEP_NS (2 * 3600 * 1000000000ll)

struct book_counts {
	uint64_t incidents; /* in the book now */
	uint64_t open;
	uint64_t groups;	 /* under which they are entered */
	uint64_t stale;		 /* messages that were older than what is there */
	uint64_t refused;	 /* incidents beyond BOOK_INCIDENTS_MAX, or no memory */
	uint64_t without_group;	 /* incidents that name no element: found by their members only */
	uint64_t candidates_cut; /* times that a line had more candidates than an answer holds */
};

/* What a message has changed for calls. */
enum book_change {
	BOOK_NONE,    /* nothing, or only counts */
	BOOK_OPENED,  /* new here, and open: score live calls of its lines again */
	BOOK_SCOPE,   /* another group, or members that were not there: the same */
	BOOK_CLEARED, /* time to verify (verify.h) */
	BOOK_GONE,    /* superseded, merged or retracted: calls that were matched with it, again */
};

struct book *book_new(void);
struct book *book_free(struct book *book); /* returns NULL */

/* Takes the message over in any case; the book frees it. */
enum book_change book_take_incident(struct book *book, struct Rasad__V1__Incident *incident);
enum book_change book_take_members(struct book *book, struct Rasad__V1__MemberSet *members);

/* Forgets what was cleared more than BOOK_CLEARED_KEEP_NS before. */
void book_advance(struct book *book, int64_t now_unix_ns);

/*
 * The incidents that can concern a line, newest first: at most SCORE_INCIDENTS_MAX; O(groups of the
 * line). `card` may be NULL: then only lists of members are searched (slow, and no scope is known).
 * Pointers are good until the next call that changes the book. other_calls is left 0.
 */
size_t book_candidates(struct book *book, const struct Rasad__V1__SubscriberCard *card,
		       uint64_t sub_id, struct score_incident out[SCORE_INCIDENTS_MAX]);

/* Remembers that lines whose number begins like this one hang on this exchange. */
void book_learn_area(struct book *book, const struct Rasad__V1__SubscriberCard *card);
/* Open incidents at the exchange that numbers like this (E.164) belong to. */
size_t book_area(struct book *book, const char *phone,
		 struct score_incident out[SCORE_INCIDENTS_MAX]);

/* By id, followed to the one that took its place; NULL: not here (any more). */
const struct Rasad__V1__Incident *book_find(const struct book *book, const char *incident_id);
const struct Rasad__V1__MemberSet *book_members(const struct book *book, const char *incident_id);
enum membership book_membership(const struct book *book, const char *incident_id, uint64_t sub_id);

/* All of them, open ones first, newest first; valid until the book changes. Returns the number. */
size_t book_all(const struct book *book, const struct Rasad__V1__Incident **out, size_t room);

struct book_counts book_counts(const struct book *book);

/* "b98c12002e206d3a" -> number; 0: no sub_id. */
uint64_t book_sub_id(const char *text);

#endif
