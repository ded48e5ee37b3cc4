/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Scouts in a mapped pcap with payload: where the next record begins is known only from the length
 * of this one, so a plain walk waits for memory once a record, and fetching everything ahead moves
 * a kilobyte for a hundred bytes of headers. Scouts walk the next region of the file side by side,
 * each in a block of its own, and fetch only the headers; the reader then finds them in the cache.
 *
 * A pcap has no marks, so each scout looks for something like a record header where its block
 * begins. One that errs fetches lines in vain: nothing is ever believed of a scout. One thread.
 */
#ifndef RASAD_COLLECTORS_SCOUT_H
#define RASAD_COLLECTORS_SCOUT_H

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

enum {
	SCOUTS = 8, /* as many waits for memory overlap; a power of two */
	SCOUT_BLOCK = 64 * 1024,
	SCOUT_REGION = SCOUTS * SCOUT_BLOCK, /* its headers fit in the second-level cache */
	SCOUT_STEPS = 2,  /* for a record that is read: more may come in the next region */
	SCOUT_MEAN = 400, /* bytes a record: below, fetching everything is cheaper */
};

struct scouts {
	const uint8_t *at[SCOUTS], *end[SCOUTS];
	uint32_t turn;
	bool covered; /* the region that is read now has been scouted */
	bool sent;    /* and so is the one behind it */
	const uint8_t *region, *region_end;
	uint64_t records; /* of the file when the region began */
};

/* The reader is at `at`, behind `records` records of the file: there the next region begins, and
 * scouts go ahead if the records are large. `file_end` bounds the mapping. */
void scouts_next_region(struct scouts *scouts, const uint8_t *at, const uint8_t *file_end,
			uint64_t records);

/* The same where the region of the reader has ended. */
static inline void scouts_follow(struct scouts *s, const uint8_t *at, const uint8_t *file_end,
				 uint64_t records)
{
	if (at >= s->region_end && file_end - at >= 4)
		scouts_next_region(s, at, file_end, records);
}

/* One scout goes on by one record. */
static inline void scouts_step(struct scouts *s)
{
	uint32_t i = s->turn++ % SCOUTS, caplen;
	const uint8_t *at = s->at[i];
	if (at >= s->end[i])
		return;
	memcpy(&caplen, at + 8, 4);
	if (caplen > SCOUT_REGION) {
		s->at[i] = s->end[i];
		return;
	}
	at += 16 + caplen;
	s->at[i] = at;
	__builtin_prefetch(at);
	__builtin_prefetch(at + 64);
	__builtin_prefetch(at + 112);
}

#endif
