/* SPDX-License-Identifier: BSD-3-Clause */
#include "collectors/tap_reader.h"

#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include "ebpf/parse.h"

enum { QUARTER = 4 };

static inline uint64_t look(const pkt_u64 *word)
{
	return __atomic_load_n(word, __ATOMIC_ACQUIRE);
}

static inline void put(pkt_u64 *word, uint64_t value)
{
	__atomic_store_n(word, value, __ATOMIC_RELEASE);
}

static inline struct tap_ring *ring_of(const struct tap_reader *r, const struct tap_place *place)
{
	return &r->memory->rings[place->cpu];
}

static inline const struct tap_record *record_at(const struct tap_memory *m,
						 const struct tap_place *place)
{
	return &m->records[place->cpu * (size_t)m->n_records + (place->at & (m->n_records - 1))];
}

static inline const uint8_t *frame_at(const struct tap_memory *m, uint32_t cpu, uint64_t at)
{
	return m->frames[cpu * (size_t)m->n_frames + (at & (m->n_frames - 1))].bytes;
}

static uint8_t side_of(const struct tap_reader *r, uint32_t port)
{
	for (uint32_t i = 0; i < r->n_ports; i++)
		if (r->ports[i].index == port >> 1)
			return port & 1 ? r->ports[i].sent : r->ports[i].received;
	return DIR_UNKNOWN;
}

static inline void take(struct tap_reader *r, struct burst *burst, struct tap_place *place)
{
	const struct tap_record *record = record_at(r->memory, place);
	struct pkt_extra *x = &burst->extra[burst->n];
	const uint8_t *frame = NULL;

	burst->pkt[burst->n] = record->pkt;
	burst->pkt[burst->n].ts_ns += r->offset_ns;
	memcpy(x, &record->extra,
	       record->extra.n_sack ? sizeof *x : offsetof(struct pkt_extra, sack));
	if (pkt_is_control(&record->pkt)) {
		frame = frame_at(r->memory, place->cpu, record->frame);
		place->frame = record->frame + 1;
	}
	r->decoder.side = side_of(r, x->port);
	x->port = 0;
	decode_parsed(&r->decoder, burst, frame, LINK_ETHERNET);
	place->at++;
}

/* The place whose next record is the oldest; NULL: all are read. */
static struct tap_place *oldest(const struct tap_reader *r)
{
	struct tap_place *best = NULL;
	uint64_t best_ns = 0;

	for (struct tap_place *p = r->places; p < r->places + r->n_places; p++) {
		uint64_t ns;

		if (p->at == p->head)
			continue;
		ns = record_at(r->memory, p)->pkt.ts_ns;
		if (!best || ns < best_ns) {
			best = p;
			best_ns = ns;
		}
	}
	return best;
}

/* What the burst before has used goes back to the kernel. */
static void look_at_rings(struct tap_reader *r)
{
	for (struct tap_place *p = r->places; p < r->places + r->n_places; p++) {
		struct tap_ring *ring = ring_of(r, p);

		if (ring->frame_tail != p->frame)
			put(&ring->frame_tail, p->frame);
		p->head = look(&ring->head);
	}
}

static void release_records(struct tap_reader *r)
{
	for (struct tap_place *p = r->places; p < r->places + r->n_places; p++)
		if (ring_of(r, p)->tail != p->at)
			put(&ring_of(r, p)->tail, p->at);
}

void tap_read(struct tap_reader *r, struct burst *burst)
{
	struct tap_place *place;

	burst->n = 0;
	look_at_rings(r);
	if (r->n_places == 1)
		for (place = r->places; burst->n < BURST_MAX && place->at != place->head;)
			take(r, burst, place);
	else
		while (burst->n < BURST_MAX && (place = oldest(r)))
			take(r, burst, place);
	release_records(r);
}

bool tap_sleep(const struct tap_reader *r, bool asleep)
{
	uint64_t bell = r->memory->n_records / QUARTER;
	bool full = false;

	for (struct tap_place *p = r->places; p < r->places + r->n_places; p++) {
		struct tap_ring *ring = ring_of(r, p);

		put(&ring->bell, asleep ? bell : 0);
		full |= look(&ring->head) - p->at >= bell;
	}
	return full;
}

/* --- counters --- */

/* What is zero is only told of the first CPUs: there may be hundreds. */
static void count(struct source_stats *stats, uint32_t cpu, const char *what, uint64_t value)
{
	struct source_counter *counter = &stats->counters[stats->n_counters];

	if (stats->n_counters == SOURCE_MAX_COUNTERS || (!value && cpu >= 8))
		return;
	snprintf(counter->name, sizeof counter->name, "cpu%u_%s", cpu, what);
	counter->value = value;
	stats->n_counters++;
}

static void count_ring(struct source_stats *stats, uint32_t cpu, const struct tap_ring *ring)
{
	uint64_t full = look(&ring->full), frames_full = look(&ring->frames_full),
		 unreadable = look(&ring->unreadable);

	count(stats, cpu, "ring_full", full);
	count(stats, cpu, "control_ring_full", frames_full);
	count(stats, cpu, "unreadable", unreadable);
	count(stats, cpu, "tags_put_back", look(&ring->retagged));
	count(stats, cpu, "super_segments", look(&ring->joined));
	count(stats, cpu, "wakes", look(&ring->rung));
	stats->dropped += full + frames_full + unreadable;
	stats->bytes += look(&ring->bytes);
}

const struct source_stats *tap_stats(struct tap_reader *r)
{
	struct source_stats *stats = &r->decoder.stats;

	stats->n_counters = 0;
	stats->dropped = stats->bytes = 0;
	for (struct tap_place *p = r->places; p < r->places + r->n_places; p++)
		count_ring(stats, p->cpu, ring_of(r, p));
	return stats;
}
