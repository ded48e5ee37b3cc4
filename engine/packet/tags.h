/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A group of the flow table: 31 tags of 16 bits in one cache line, and how many flows that hashed
 * here live further on. All tags are compared at once where the CPU has AVX2, in a loop that any
 * compiler unrolls where not; which of the two is asked once, when the table is made.
 */
#ifndef RASAD_ENGINE_PACKET_TAGS_H
#define RASAD_ENGINE_PACKET_TAGS_H

#include <stdbool.h>
#include <stdint.h>

#if defined(__x86_64__)
#include <immintrin.h>
#endif

enum { TAGS_GROUP = 31 };

struct flow_group {
	uint16_t tag[TAGS_GROUP]; /* 0: free */
	uint16_t overflow;
};
_Static_assert(sizeof(struct flow_group) == 64, "one cache line");

/* The tag of a flow, never 0. The group follows from the other end of the hash. */
static inline uint16_t tags_of(uint32_t hash)
{
	uint16_t tag = (uint16_t)hash;
	return tag ? tag : 1;
}

/* Where in a group, twice the place, a flow of this hash begins to look for one that makes way. */
static inline uint32_t tags_turn(uint32_t hash)
{
	return 2 * ((hash & 0xffff) * TAGS_GROUP >> 16);
}

/* The CPU can run tags_match_simd. */
static inline bool tags_have_simd(void)
{
#if defined(__x86_64__)
	return __builtin_cpu_supports("avx2");
#else
	return false;
#endif
}

/* Both say with bits 2i and 2i + 1 that tag i matches. */
#define TAGS_BITS (~(3ull << 62)) /* the last two bytes count overflows */

static inline uint64_t tags_match_portable(const struct flow_group *g, uint16_t tag)
{
	uint64_t bits = 0;
	for (uint32_t i = 0; i < TAGS_GROUP; i++)
		bits |= (uint64_t)(g->tag[i] == tag ? 3 : 0) << 2 * i;
	return bits;
}

#if defined(__x86_64__)
__attribute__((target("avx2"))) static inline uint64_t tags_match_simd(const struct flow_group *g,
								       uint16_t tag)
{
	__m256i want = _mm256_set1_epi16((short)tag);
	const __m256i *tags = (const __m256i *)(const void *)g;
	uint32_t low =
		(uint32_t)_mm256_movemask_epi8(_mm256_cmpeq_epi16(_mm256_load_si256(tags), want));
	uint32_t high = (uint32_t)_mm256_movemask_epi8(
		_mm256_cmpeq_epi16(_mm256_load_si256(tags + 1), want));
	return ((uint64_t)high << 32 | low) & TAGS_BITS;
}
#else
#define tags_match_simd tags_match_portable
#endif

static inline uint64_t tags_match(const struct flow_group *g, uint16_t tag, bool simd)
{
	return simd ? tags_match_simd(g, tag) : tags_match_portable(g, tag);
}

/* The first tag that matches; and the others. */
static inline uint32_t tags_first(uint64_t bits)
{
	return (uint32_t)__builtin_ctzll(bits) / 2;
}

static inline uint64_t tags_but_first(uint64_t bits)
{
	bits &= bits - 1;
	return bits & (bits - 1);
}

#endif
