/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Copies of a packet that a mirror port makes (measurement.md, definition 8): the same flow,
 * sequence numbers, IP-ID and checksum (which covers TSval and window) within 2 ms. IPv6 and hosts
 * without an IP-ID are told by the checksum alone.
 *
 * A set-associative table of recent packets: at a rate where 2 ms hold more packets than it has
 * slots, some copies pass for resends. One thread.
 */
#ifndef RASAD_ENGINE_PACKET_MIRROR_H
#define RASAD_ENGINE_PACKET_MIRROR_H

#include <stdbool.h>
#include <stdint.h>

#include "ebpf/pkt.h"
#include "engine/packet/shard.h"

enum { MIRROR_SETS = 1 << 13, MIRROR_WAYS = 2, MIRROR_NS = 2000000 };
enum { MIRROR_SHARD_SETS = MIRROR_SETS / SHARDS };

struct mirror {
	struct mirror_slot {
		uint32_t identity, micros;
	} set[MIRROR_SETS][MIRROR_WAYS]; /* newest first */
};

static inline uint64_t mirror_hash(const struct pkt *p)
{
	uint64_t h = ((uint64_t)p->ack << 32 | p->seq) ^ (uint64_t)p->key[2] << 16;
	uint64_t id = (uint64_t)p->ip_id << 48 | (uint64_t)p->tcp_checksum << 32 | p->key[3];
	h ^= (uint64_t)p->key[0] << 40 ^ (uint64_t)(p->payload_len << 8 | p->tcp_flags) << 20;
	h = (h ^ h >> 29 ^ id * 0xd6e8feb86659fd93ull) * 0x9fb21c651e98df25ull;
	return h ^ h >> 32;
}

static inline uint32_t mirror_set(const struct pkt *p, uint64_t hash)
{
	return shard_of(p) * MIRROR_SHARD_SETS + (hash & (MIRROR_SHARD_SETS - 1));
}

static inline void mirror_prefetch(const struct mirror *mirror, const struct pkt *p)
{
	__builtin_prefetch(mirror->set[mirror_set(p, mirror_hash(p))], 1);
}

/* The same packet passed less than 2 ms ago; remembers it otherwise. */
static inline bool mirror_copy(struct mirror *mirror, const struct pkt *p)
{
	uint64_t h = mirror_hash(p);
	uint32_t micros = (uint32_t)(p->ts_ns / 1000), identity = (uint32_t)(h >> 32);
	struct mirror_slot *set = mirror->set[mirror_set(p, h)];
	for (int way = 0; way < MIRROR_WAYS; way++)
		if (set[way].identity == identity && micros - set[way].micros <= MIRROR_NS / 1000)
			return true;
	set[1] = set[0];
	set[0] = (struct mirror_slot){identity, micros};
	return false;
}

#endif
