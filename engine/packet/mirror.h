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
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "ebpf/pkt.h"
#include "engine/packet/flow.h"
#include "engine/packet/shard.h"

enum { MIRROR_SETS = 1 << 13, MIRROR_WAYS = 2, MIRROR_NS = 2000000 };
enum { MIRROR_SHARD_SETS = MIRROR_SETS / SHARDS };

struct mirror {
	struct mirror_slot {
		uint32_t identity, micros; /* of 1024 ns */
	} set[MIRROR_SETS][MIRROR_WAYS];   /* newest first */
};

/* `flow`: the hash of the packet's flow. Payload length, window, IP-ID and checksum lie side by side
 * in the record. */
static inline uint64_t mirror_identity(const struct pkt *p, uint32_t flow)
{
	uint64_t place = (uint64_t)p->ack << 32 | p->seq, rest;
	_Static_assert(offsetof(struct pkt, tcp_checksum) - offsetof(struct pkt, payload_len) == 6,
		       "eight bytes, read at once");
	memcpy(&rest, &p->payload_len, sizeof rest);
	rest ^= (uint64_t)flow << 32 | (flow ^ p->tcp_flags);
	return flow_fold(place ^ 0x9fb21c651e98df25ull, rest ^ 0xd6e8feb86659fd93ull);
}

static inline struct mirror_slot *mirror_set(struct mirror *mirror, const struct pkt *p,
					     uint64_t identity)
{
	return mirror->set[shard_of(p) * MIRROR_SHARD_SETS + (identity & (MIRROR_SHARD_SETS - 1))];
}

static inline uint32_t mirror_micros(const struct pkt *p)
{
	return (uint32_t)(p->ts_ns >> 10);
}

static inline void mirror_enter(struct mirror_slot *set, const struct pkt *p, uint64_t identity)
{
	set[1] = set[0];
	set[0] = (struct mirror_slot){(uint32_t)(identity >> 32), mirror_micros(p)};
}

/* Remembers a packet that cannot be a copy: it brings what was not there. */
static inline void mirror_note(struct mirror *mirror, const struct pkt *p, uint64_t identity)
{
	mirror_enter(mirror_set(mirror, p, identity), p, identity);
}

/* The same packet passed less than 2 ms ago; remembers it otherwise. */
static inline bool mirror_copy(struct mirror *mirror, const struct pkt *p, uint64_t identity)
{
	uint32_t micros = mirror_micros(p);
	struct mirror_slot *set = mirror_set(mirror, p, identity);
	for (int way = 0; way < MIRROR_WAYS; way++)
		if (set[way].identity == (uint32_t)(identity >> 32) &&
		    micros - set[way].micros <= MIRROR_NS >> 10)
			return true;
	mirror_enter(set, p, identity);
	return false;
}

#endif
