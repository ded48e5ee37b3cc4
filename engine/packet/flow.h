/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The flow table: 5-tuple within a VLAN pair -> the state of one TCP (or QUIC) flow.
 *
 * An index of cache-line buckets (ten 16-bit tags compared at once, ten 32-bit record numbers)
 * over records that never move, so a burst can be looked up in stages: hash and prefetch the
 * buckets, match and prefetch the records, then work. The index doubles at 80 % load; records
 * come from a pool with a configured limit. At the limit the oldest idle flow of the bucket goes,
 * counted. One thread only.
 *
 * Sequence numbers follow RFC 9293 arithmetic modulo 2^32. Direction 0 is data sent by the key's
 * endpoint A, direction 1 by B.
 */
#ifndef RASAD_ENGINE_PACKET_FLOW_H
#define RASAD_ENGINE_PACKET_FLOW_H

#include <stdbool.h>
#include <stdint.h>

#include "ebpf/pkt.h"
#include "engine/base/pool.h"

enum {			    /* flow_dir.flags */
       DIR_SEEN = 1 << 0,   /* sequence state is valid */
       DIR_ACKED = 1 << 1,  /* the other side has acknowledged something */
       DIR_WINDOW = 1 << 2, /* `window` is known */
       DIR_FIN = 1 << 3,
       DIR_HANDSHAKE = 1 << 4, /* the SYN of this direction was seen */
       DIR_PROMPT = 1 << 5,    /* prompt_hi is valid */
       DIR_TIMED = 1 << 6,     /* min_rtt is valid */
       DIR_SPIN = 1 << 7,      /* QUIC: last spin bit (value in `nxt`) */
       DIR_CLOCK = 1 << 7,     /* TCP: timestamps were seen */
};

/* Data sent in one direction, as far as the tap knows. */
struct flow_dir {
	uint32_t nxt, una;	       /* highest end seen; highest ACK seen for it */
	uint32_t valid_from;	       /* no cumulative ACK from below is timed (Karn, holes) */
	uint32_t segs_head, segs_tail; /* outstanding segments: pool of rtt.c */
	uint32_t holes;		       /* gaps below nxt: pool of loss.c */
	uint32_t sack_hi;	       /* right-most byte reported by SACK */
	uint32_t last_tick;	       /* of the last data */
	uint32_t min_rtt, prompt_hi;   /* ticks: half from the tap to the receiver and back */
	uint32_t isn;
	uint32_t told_tick; /* of the last sample that went to the line */
	uint32_t packets, data_packets;
	uint32_t tsval, ts_tick; /* newest TSval, and when it passed first */
	uint32_t first_tsval, first_ts_tick;
	uint16_t last_ip_id, window;
	uint16_t mss, largest;	 /* offered by the receiver; largest payload seen, up to it */
	uint8_t flags, id_score; /* id_score: how surely IP-IDs count packets, 0..7 */
	uint16_t n_chunks, n_holes;
	uint16_t stride; /* bytes/64 that the receiver lets gather before it acknowledges at once */
	uint64_t bytes;
};

/* What only flows with anomalies or with --flows have. Pooled; index 0: none. */
struct flow_dir_rare {
	uint32_t retransmit_seen, hole_fill, reordered, spurious;
	uint32_t suspected_tail_loss, keepalive, zero_window_probe, duplicate;
	uint32_t syn_retransmit, fin_retransmit, tap_missed;
	uint32_t ack_beyond;   /* an ACK above nxt, if a second one should agree */
	uint32_t tainted_from; /* while una < valid_from: ACKs up to here are still timed */
	uint32_t resends;      /* newest first: pool of loss.c */
	uint32_t n_resends;
};

struct flow {
	uint32_t key[4];
	uint64_t last_ns, first_ns;
	uint32_t line;	     /* line table index */
	uint32_t rare[2];    /* flow_dir_rare, by direction */
	uint32_t samples[2]; /* log of rtt samples, by direction of the data */
	uint32_t addresses;  /* IPv6: pool index of both addresses; IPv4: 0 */
	uint16_t port[2];    /* of endpoint A and B */
	uint8_t flags;
	uint8_t kind; /* KIND_TCP or KIND_QUIC */
	_Alignas(64) struct flow_dir dir[2];
};
_Static_assert(sizeof(struct flow) == 256, "four cache lines, fetched together");

enum { /* flow.flags */
       FLOW_USED = 1 << 0,
       FLOW_SUB_IS_B = 1 << 1, /* the subscriber is endpoint B */
};

struct flow_bucket;

struct flow_table {
	struct flow_bucket *buckets; /* owned */
	uint32_t mask, used;
	struct pool records;
	uint64_t created;
	uint64_t seed; /* of flow_hash */
};

struct flow_addresses {
	uint8_t a[16], b[16];
};

int flow_table_init(struct flow_table *table, uint32_t limit, uint64_t seed);
void flow_table_fini(struct flow_table *table);

/* `seed`: secret in a live engine, so that nobody can choose flows that share a bucket; 0 in a
 * replay, which must not depend on chance. */
uint32_t flow_hash(const uint32_t key[4], uint64_t seed);
void flow_prefetch_bucket(const struct flow_table *table, uint32_t hash);

/* The record of `key`, or 0. */
uint32_t flow_find(const struct flow_table *table, const uint32_t key[4], uint32_t hash);

/* First half of a look-up: a record that probably matches, for prefetching; or 0. */
uint32_t flow_guess(const struct flow_table *table, uint32_t hash);

/*
 * A new record for `key`, zeroed but for the key, or 0 when the table is full: then the caller
 * retires flow_victim() and tries again.
 */
uint32_t flow_create(struct flow_table *table, const uint32_t key[4], uint32_t hash);

/* The flow near `hash` that has been idle for longest; 0 when there is none. */
uint32_t flow_victim(const struct flow_table *table, uint32_t hash);

/* Takes the flow out of the index; its record stays until flow_free. */
void flow_unlink(struct flow_table *table, uint32_t index);
void flow_free(struct flow_table *table, uint32_t index);

static inline struct flow *flow_at(const struct flow_table *table, uint32_t index)
{
	return pool_at(&table->records, index);
}

/* Records are numbered 1..n in order of creation while none is freed. */
static inline uint32_t flow_count(const struct flow_table *table)
{
	return table->records.next ? table->records.next - 1 : 0;
}

#endif
