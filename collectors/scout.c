/* SPDX-License-Identifier: BSD-3-Clause */
#include "collectors/scout.h"

enum { WITHIN_S = 3600, LEAST_CAPLEN = 14, MOST_CAPLEN = 262144, FIRST_REGION = 64 * 1024 };

/* Where something like a record of soon after `second` begins in [at, end); `end` if nowhere. 16
 * bytes behind `end` can be read. */
static const uint8_t *find_record(const uint8_t *at, const uint8_t *end, uint32_t second)
{
	int top = (int)(second >> 24); /* the byte of the time that hardly ever changes */
	const uint8_t *p = at + 3;
	while (p < end && (p = memchr(p, top, (size_t)(end - p))) != NULL) {
		uint32_t h[4];
		memcpy(h, p - 3, sizeof h);
		if (h[0] - second < WITHIN_S && h[2] >= LEAST_CAPLEN && h[2] <= MOST_CAPLEN &&
		    h[3] >= h[2] && h[3] <= MOST_CAPLEN)
			return p - 3;
		p++;
	}
	return end;
}

static void send_scouts(struct scouts *s, const uint8_t *from, uint32_t second)
{
	for (uint32_t i = 0; i < SCOUTS; i++) {
		const uint8_t *block = from + (size_t)i * SCOUT_BLOCK;
		s->end[i] = block + SCOUT_BLOCK;
		s->at[i] = find_record(block, s->end[i], second);
	}
}

void scouts_next_region(struct scouts *s, const uint8_t *at, const uint8_t *file_end,
			uint64_t records)
{
	uint32_t second;
	uint64_t n = records - s->records;
	bool large = s->region && n && (uint64_t)(at - s->region) / n >= SCOUT_MEAN;
	size_t size = large ? SCOUT_REGION : FIRST_REGION;
	s->covered = s->sent;
	s->sent = large && (size_t)(file_end - at) > 2 * (size_t)SCOUT_REGION + 16;
	s->region = at;
	s->region_end = at + size;
	s->records = records;
	if (s->sent) {
		memcpy(&second, at, sizeof second); /* of the record that begins here */
		send_scouts(s, s->region_end, second);
	}
}
