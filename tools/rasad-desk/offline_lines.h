/* SPDX-License-Identifier: BSD-3-Clause */
/* The lines that an offline desk knows: their cards, found by name, and how many of a group are down. */
#ifndef RASAD_TOOLS_RASAD_DESK_OFFLINE_LINES_H
#define RASAD_TOOLS_RASAD_DESK_OFFLINE_LINES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "engine/base/map.h"

struct Rasad__V1__NodeSummary;
struct Rasad__V1__SubscriberCard;
struct identity_key;

#define OFFLINE_LINES_OF_PHONE 8

/* {0} is empty. */
struct offline_lines {
	struct Rasad__V1__SubscriberCard **cards; /* owned */
	uint32_t n, room;
	struct map by_sub_id, by_name, by_group;
	struct offline_phone {
		uint32_t lines[OFFLINE_LINES_OF_PHONE];
		uint32_t n;
	} * phones; /* owned; what by_name leads to */
	uint32_t n_phones;
	struct offline_tally {
		uint64_t lines, down;
	} * tallies; /* owned; what by_group leads to */
	uint32_t n_tallies;
};

void offline_lines_fini(struct offline_lines *lines);

/* Takes the card over and returns it, completed. NULL: it names no line, or there is no memory. */
const struct Rasad__V1__SubscriberCard *offline_lines_take(struct offline_lines *lines,
							   struct Rasad__V1__SubscriberCard *card);

/* The cards that a name leads to; at most OFFLINE_LINES_OF_PHONE. */
size_t offline_lines_find(const struct offline_lines *lines, const struct identity_key *key,
			  const struct Rasad__V1__SubscriberCard **out);
const struct Rasad__V1__SubscriberCard *offline_lines_at(const struct offline_lines *lines,
							 uint64_t sub_id);

/* Fills in lines and down of the smallest group with enough neighbours; false: there is none. */
bool offline_lines_siblings(const struct offline_lines *lines,
			    const struct Rasad__V1__SubscriberCard *card,
			    struct Rasad__V1__NodeSummary *out);

#endif
