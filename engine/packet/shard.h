/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Which of the 16 shards a packet's line belongs to; worker k of n has the shards s with s % n == k.
 *
 * Everything of one line must come to one worker before anybody has looked for the line. With both
 * tags the pair decides; without C-VLAN a line may be several MACs, or an address on a side that
 * only its flow tells, so the S-VLAN alone decides. Tables in which lines could get into each
 * other's way are split by shard too, so that results do not depend on the number of workers.
 */
#ifndef RASAD_ENGINE_PACKET_SHARD_H
#define RASAD_ENGINE_PACKET_SHARD_H

#include <stdint.h>

#include "ebpf/pkt.h"

enum { SHARD_BITS = 4, SHARDS = 1 << SHARD_BITS };

static inline uint32_t shard_of(const struct pkt *p)
{
	uint32_t vlans = p->key[0] >> 8;
	if (!(p->flags & PKT_TWO_TAGS))
		vlans &= ~0xfffu;
	return vlans * 0x9e3779b1u >> (32 - SHARD_BITS);
}

#endif
