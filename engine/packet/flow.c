/* SPDX-License-Identifier: BSD-3-Clause */
#include "engine/packet/flow.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#ifdef __SSE2__
#include <emmintrin.h>
#endif

enum { BUCKET_SLOTS = 10, FIRST_BUCKETS = 256 };

struct flow_bucket {
	uint16_t tag[BUCKET_SLOTS]; /* 0: free */
	uint32_t index[BUCKET_SLOTS];
	uint32_t overflow; /* flows that hashed here and live further on */
};
_Static_assert(sizeof(struct flow_bucket) == 64, "one cache line");

static struct flow_bucket *new_buckets(uint32_t n)
{
	struct flow_bucket *b = aligned_alloc(64, (size_t)n * sizeof *b);
	if (b)
		memset(b, 0, (size_t)n * sizeof *b);
	return b;
}

int flow_table_init(struct flow_table *t, uint32_t limit, uint64_t seed)
{
	*t = (struct flow_table){.mask = FIRST_BUCKETS - 1, .seed = seed};
	pool_init(&t->records, sizeof(struct flow), limit);
	t->buckets = new_buckets(FIRST_BUCKETS);
	return t->buckets ? 0 : -ENOMEM;
}

void flow_table_fini(struct flow_table *t)
{
	free(t->buckets);
	pool_fini(&t->records);
	*t = (struct flow_table){0};
}

/* Every bit of the key moves every bit of the result: ports sit in high halves, where one
 * multiplication alone would leave them. */
uint32_t flow_hash(const uint32_t key[4], uint64_t seed)
{
	uint64_t a = (uint64_t)key[1] << 32 | key[0], b = (uint64_t)key[3] << 32 | key[2];
	a = (a ^ a >> 32 ^ seed ^ 0x2d358dccaa6c78a5ull) * 0x9fb21c651e98df25ull;
	b ^= a ^ a >> 32 ^ seed << 1;
	b = (b ^ b >> 32) * 0xd6e8feb86659fd93ull;
	b = (b ^ b >> 29) * 0x9fb21c651e98df25ull;
	return (uint32_t)(b >> 32);
}

static inline uint16_t tag_of(uint32_t hash)
{
	uint16_t tag = (uint16_t)(hash >> 16);
	return tag ? tag : 1;
}

/* A bit for each slot whose tag is `tag`. */
static inline uint32_t match(const struct flow_bucket *b, uint16_t tag)
{
	uint32_t bits = 0;
#ifdef __SSE2__
	__m128i want = _mm_set1_epi16((short)tag);
	__m128i low = _mm_cmpeq_epi16(_mm_load_si128((const __m128i *)b), want);
	bits = (uint32_t)_mm_movemask_epi8(_mm_packs_epi16(low, _mm_setzero_si128()));
	bits |= (uint32_t)(b->tag[8] == tag) << 8 | (uint32_t)(b->tag[9] == tag) << 9;
#else
	for (uint32_t i = 0; i < BUCKET_SLOTS; i++)
		bits |= (uint32_t)(b->tag[i] == tag) << i;
#endif
	return bits;
}

void flow_prefetch_bucket(const struct flow_table *t, uint32_t hash)
{
	__builtin_prefetch(&t->buckets[hash & t->mask]);
}

uint32_t flow_guess(const struct flow_table *t, uint32_t hash)
{
	const struct flow_bucket *b = &t->buckets[hash & t->mask];
	uint32_t bits = match(b, tag_of(hash));
	return bits ? b->index[__builtin_ctz(bits)] : 0;
}

uint32_t flow_find(const struct flow_table *t, const uint32_t key[4], uint32_t hash)
{
	for (uint32_t i = hash & t->mask;; i = (i + 1) & t->mask) {
		const struct flow_bucket *b = &t->buckets[i];
		for (uint32_t bits = match(b, tag_of(hash)); bits; bits &= bits - 1) {
			uint32_t index = b->index[__builtin_ctz(bits)];
			if (memcmp(flow_at(t, index)->key, key, 16) == 0)
				return index;
		}
		if (!b->overflow)
			return 0;
	}
}

static void link_record(struct flow_table *t, uint32_t index, uint32_t hash)
{
	for (uint32_t i = hash & t->mask;; i = (i + 1) & t->mask) {
		struct flow_bucket *b = &t->buckets[i];
		uint32_t bits = match(b, 0);
		if (bits) {
			uint32_t slot = (uint32_t)__builtin_ctz(bits);
			b->tag[slot] = tag_of(hash);
			b->index[slot] = index;
			t->used++;
			return;
		}
		b->overflow++;
	}
}

static bool grow(struct flow_table *t)
{
	struct flow_table old = *t;
	struct flow_bucket *bigger;
	if (t->mask > UINT32_MAX / 4)
		return false;
	bigger = new_buckets(2 * (t->mask + 1));
	if (!bigger)
		return false;
	t->buckets = bigger;
	t->mask = 2 * t->mask + 1;
	t->used = 0;
	for (uint32_t i = 0; i <= old.mask; i++)
		for (uint32_t s = 0; s < BUCKET_SLOTS; s++)
			if (old.buckets[i].tag[s]) {
				uint32_t index = old.buckets[i].index[s];
				link_record(t, index, flow_hash(flow_at(t, index)->key, t->seed));
			}
	free(old.buckets);
	return true;
}

uint32_t flow_create(struct flow_table *t, const uint32_t key[4], uint32_t hash)
{
	struct flow *f;
	uint32_t index;
	if (t->used >= (uint64_t)(t->mask + 1) * BUCKET_SLOTS * 8 / 10 && !grow(t))
		return 0;
	index = pool_take(&t->records);
	if (!index)
		return 0;
	f = flow_at(t, index);
	*f = (struct flow){.flags = FLOW_USED};
	memcpy(f->key, key, sizeof f->key);
	link_record(t, index, hash);
	t->created++;
	return index;
}

uint32_t flow_victim(const struct flow_table *t, uint32_t hash)
{
	uint32_t victim = 0;
	for (uint32_t n = 0, i = hash & t->mask; n <= t->mask; n++, i = (i + 1) & t->mask) {
		const struct flow_bucket *b = &t->buckets[i];
		for (uint32_t s = 0; s < BUCKET_SLOTS; s++)
			if (b->tag[s] && (!victim || flow_at(t, b->index[s])->last_ns <
							     flow_at(t, victim)->last_ns))
				victim = b->index[s];
		if (victim && n >= 3)
			break;
	}
	return victim;
}

void flow_unlink(struct flow_table *t, uint32_t index)
{
	uint32_t hash = flow_hash(flow_at(t, index)->key, t->seed);
	for (uint32_t i = hash & t->mask;; i = (i + 1) & t->mask) {
		struct flow_bucket *b = &t->buckets[i];
		for (uint32_t s = 0; s < BUCKET_SLOTS; s++)
			if (b->tag[s] && b->index[s] == index) {
				b->tag[s] = 0;
				t->used--;
				return;
			}
		b->overflow--;
	}
}

void flow_free(struct flow_table *t, uint32_t index)
{
	flow_at(t, index)->flags = 0;
	pool_give(&t->records, index);
}
