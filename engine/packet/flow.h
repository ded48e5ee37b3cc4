/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The flow table: 5-tuple within a VLAN pair -> the state of one TCP (or QUIC) flow.
 *
 * Open addressing over groups of 31 records. A group's tags, 16 bits each, fill one cache line and
 * are compared at once; the records lie inline, 96 bytes each, so a known flow costs a tag line
 * and the two lines of its record, and nothing else is chased. Eight million flows are 98 bytes
 * each, at 80 % load 123. Flows that found their group full live in the next one with room, and
 * the groups they passed count them. The table grows in place: a flow's group follows from the high
 * bits of its hash, so every flow moves up, and moving from the top needs no second table. A
 * live engine asks for the full size at once and never grows.
 *
 * A record holds what every packet needs. What only flows with open trouble or many segments under
 * way need is in struct flow_extra, pooled. Sequence numbers follow RFC 9293 arithmetic modulo
 * 2^32. Direction 0 is data sent by the key's endpoint A, direction 1 by B. One thread only.
 */
#ifndef RASAD_ENGINE_PACKET_FLOW_H
#define RASAD_ENGINE_PACKET_FLOW_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "ebpf/pkt.h"
#include "engine/packet/tags.h"

enum {			    /* flow_dir.flags */
       DIR_SEEN = 1 << 0,   /* sequence state is valid */
       DIR_ACKED = 1 << 1,  /* the other side has acknowledged something */
       DIR_CLOSED = 1 << 2, /* its receive window is zero */
       DIR_FIN = 1 << 3,
       DIR_HANDSHAKE = 1 << 4, /* the SYN of this direction was seen */
       DIR_PROMPT = 1 << 5,    /* prompt_hi is valid */
       DIR_TIMED = 1 << 6,     /* min_rtt is valid */
       DIR_SPIN = 1 << 7,      /* QUIC: last spin bit (value in `nxt`) */
       DIR_CLOCK = 1 << 7,     /* TCP: timestamps were seen */
};

/*
 * Data sent in one direction, as far as the tap knows. Up to two segments under way are kept here:
 * the newest ends at `nxt` and is `newest_len` long (0: none that can be timed), the one before it
 * was sent `older_ago` (mini.h; 0: none) sooner and starts at `una`. An older one is acknowledged
 * after the newest was sent, so a delta in 16 bits is at most 0.05 % of what it measures.
 */
struct __attribute__((packed, aligned(2))) flow_dir {
	uint32_t nxt, una;  /* highest end seen; highest ACK seen for it */
	uint32_t last_tick; /* of the last new data */
	uint32_t tsval;	    /* of the last new data */
	uint16_t newest_len, older_ago;
	uint16_t min_rtt, prompt_hi; /* mini.h, ticks: half from the tap to the receiver and back */
	uint16_t stride;	     /* bytes/64 that the receiver lets gather before it
					 acknowledges at once */
	uint16_t last_ip_id, largest; /* largest payload seen, up to the MSS */
	uint16_t id_score : 3;	      /* how surely IP-IDs count packets, 0..7 */
	uint16_t mss4 : 12;	      /* offered by the receiver, in 4 bytes; 0: unknown */
	uint16_t is_syn : 1;	      /* the newest segment is the SYN */
	uint8_t told;		      /* period of the last sample that went to the line */
	uint8_t flags;
};

struct flow {
	uint32_t key[4];
	uint32_t line : 24; /* line table index */
	uint32_t sub_is_b : 1;
	uint32_t answered : 1;		   /* both sides have sent */
	uint32_t extra : 24;		   /* struct flow_extra: pool of meter.h; 0: none */
	uint32_t clock_a : 4, clock_b : 4; /* rate of each side's timestamps: tcp_clock.h */
	uint32_t last;			   /* last packet, in units of FLOW_AGE_NS */
	struct flow_dir dir[2];
};
_Static_assert(sizeof(struct flow_dir) == 34 && sizeof(struct flow) == 96,
	       "two cache lines, wherever it starts");

/* Packet time in steps of about a millisecond: wraps after 52 days. */
enum { FLOW_AGE_SHIFT = 20 };
/* A flow that was silent for longer is over: its 5-tuple begins a new one. */
enum { FLOW_IDLE_AGE = (int)(300000000000ull >> FLOW_AGE_SHIFT) };

static inline uint32_t flow_age(uint64_t ts_ns)
{
	return (uint32_t)(ts_ns >> FLOW_AGE_SHIFT);
}

enum { FLOW_GROUP = TAGS_GROUP, FLOW_NONE = -1 };

struct flow_table {
	struct flow_group *groups; /* owned, reserved for the full size */
	struct flow *records;	   /* owned; slot = group * FLOW_GROUP + place */
	uint32_t n_groups, max_groups;
	uint32_t used, limit;
	bool simd; /* the CPU has the instructions that compare all tags of a group at once */
	uint64_t seed;
	uint64_t created;
};

/* `limit` flows at most. `full`: at full size from the start. `seed`: secret in a live engine, so
 * that nobody can choose flows that share a group; 0 in a replay, which must not depend on chance. */
int flow_table_init(struct flow_table *table, uint32_t limit, bool full, uint64_t seed);
void flow_table_fini(struct flow_table *table);

static inline struct flow *flow_at(const struct flow_table *table, int32_t slot)
{
	return &table->records[slot];
}

/* Both halves of a 128-bit product, folded. */
static inline uint64_t flow_fold(uint64_t a, uint64_t b)
{
	unsigned __int128 product = (unsigned __int128)a * b;
	return (uint64_t)product ^ (uint64_t)(product >> 64);
}

/* The folded multiplication of wyhash, once; both factors are secret in a live engine. */
static inline uint32_t flow_hash(const uint32_t key[4], uint64_t seed)
{
	uint64_t a = (uint64_t)key[1] << 32 | key[0], b = (uint64_t)key[3] << 32 | key[2];
	uint64_t other = seed << 32 | seed >> 32;
	return (uint32_t)(flow_fold(a ^ seed ^ 0x2d358dccaa6c78a5ull,
				    b ^ other ^ 0x8bb84b93962eacc9ull) >>
			  16);
}

static inline uint32_t flow_home(const struct flow_table *table, uint32_t hash)
{
	return (uint32_t)((uint64_t)hash * table->n_groups >> 32);
}

static inline uint32_t flow_next_group(const struct flow_table *table, uint32_t group)
{
	return group + 1 == table->n_groups ? 0 : group + 1;
}

/* The tags in use of a group, in the order in which a new flow at the limit looks for one that goes:
 * from a place that its hash tells, which nobody outside knows. */
static inline uint64_t flow_candidates(const struct flow_group *g, uint32_t hash, bool simd)
{
	uint64_t used = ~tags_match(g, 0, simd) & TAGS_BITS;
	uint32_t turn = tags_turn(hash);
	return (used >> turn | used << (2 * FLOW_GROUP - turn)) & TAGS_BITS;
}

static inline uint32_t flow_candidate(uint64_t candidates, uint32_t hash)
{
	uint32_t place = tags_first(candidates) + tags_turn(hash) / 2;
	return place < FLOW_GROUP ? place : place - FLOW_GROUP;
}

/* A record that a new flow probably gets: the first that is free, or at the limit that of the first
 * candidate. */
static inline struct flow *flow_new_guess(const struct flow_table *table, uint32_t home,
					  uint32_t hash, bool simd)
{
	const struct flow_group *g = &table->groups[home];
	uint32_t place;
	if (table->used < table->limit)
		place = tags_first(tags_match(g, 0, simd) | 1ull << 60);
	else
		place = flow_candidate(flow_candidates(g, hash, simd) | 1ull << 60, hash);
	return &table->records[home * FLOW_GROUP + place];
}

/*
 * First half of a look-up, when the group has been fetched: the record that probably matches, or NULL.
 * For prefetching.
 */
static inline struct flow *flow_guess(const struct flow_table *table, uint32_t group, uint32_t hash,
				      bool simd)
{
	uint64_t bits = tags_match(&table->groups[group], tags_of(hash), simd);
	return bits ? &table->records[group * FLOW_GROUP + tags_first(bits)] : NULL;
}

/* The slot of `key`, or FLOW_NONE. */
int32_t flow_find(const struct flow_table *table, const uint32_t key[4], uint32_t hash);

/*
 * A new record for `key`, zeroed but for the key. FLOW_NONE when the table is full: then flow_victim
 * has to make way. May move all flows (when it grows).
 */
int32_t flow_create(struct flow_table *table, const uint32_t key[4], uint32_t hash);

/*
 * Who has to go for a flow of this hash: of a few that live where it would, the first that was never
 * answered, else the one that was idle for longest at time `now` (flow_age). So a new flow touches no
 * memory but what it would in any case, and no group fills up. FLOW_NONE: the table is empty.
 */
int32_t flow_victim(const struct flow_table *table, uint32_t hash, uint32_t now);

/* Takes the flow out of the table, and gives `key` a record as flow_create does: the same one, if that
 * is where it would live. */
int32_t flow_replace(struct flow_table *table, int32_t slot, const uint32_t key[4], uint32_t hash);

/* Takes the flow out of the table. */
void flow_remove(struct flow_table *table, int32_t slot);

/* The next slot in use from `slot` on, below `end`; FLOW_NONE: none. For sweeps. */
int32_t flow_next(const struct flow_table *table, int32_t slot, int32_t end);

static inline int32_t flow_slots(const struct flow_table *table)
{
	return (int32_t)(table->n_groups * FLOW_GROUP);
}

#endif
