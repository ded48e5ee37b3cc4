/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The line table of a worker: which line a packet belongs to, and what is measured of it.
 *
 * A line is (S-VLAN, C-VLAN) where both tags are there; in a shared VLAN it is the CPE's MAC, and
 * one circuit-id joins several MACs; without PPPoE and C-VLAN it is the subscriber's address.
 * Lines are numbered from 1 in order of appearance and live as long as the worker.
 */
#ifndef RASAD_ENGINE_PACKET_LINE_H
#define RASAD_ENGINE_PACKET_LINE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "ebpf/pkt.h"
#include "engine/base/map.h"
#include "engine/base/pool.h"

enum line_hist {	    /* which latency */
		 HIST_LINE, /* LCP echo of the BRAS, answered by the CPE */
		 HIST_ACCESS,
		 HIST_INTERNET,
		 HIST_DNS,
		 HIST_ICMP,
		 HIST_HOST_DELAY, /* what delayed ACKs added */
		 HIST_COUNT,
};

enum { UP, DOWN }; /* index of per-direction counters of a line */

struct line {
	/* touched by every packet: two cache lines */
	_Alignas(64) uint64_t last_ns[2];
	uint64_t packets[2], bytes[2];
	uint64_t data_packets[2]; /* TCP segments with payload */
	/* unanswered downstream traffic since the last upstream frame */
	uint64_t unanswered_flows; /* a bit for each hashed flow */
	uint64_t demand_ns;	   /* first unanswered packet */
	uint32_t unanswered, unanswered_resends;
	uint32_t gap_us;    /* envelope of the line's own upstream gaps under load */
	uint32_t seen_ipv4; /* last subscriber addresses told to analysis, folded */
	uint32_t seen_ipv6;
	uint16_t session_id; /* PPPoE session last seen upstream */
	bool watch;	     /* tell analysis of the next upstream frame */
	bool unanswered_told;
	uint32_t hist[HIST_COUNT]; /* pool indices */
	/* anomalies and the rest */
	uint32_t lost_before[2], lost_after[2]; /* of the tap, by direction of the data */
	uint32_t reordered[2], spurious[2], tail_loss[2];
	uint64_t echo_ns; /* open LCP echo request of the BRAS */
	uint64_t key;
	uint16_t svlan, cvlan;
	uint8_t echo_id;
	uint8_t by; /* enum line_by */
	uint8_t cpe_mac[6];
	uint8_t address[16]; /* where the address names the line */
};
_Static_assert(offsetof(struct line, lost_before) <= 144 && sizeof(struct line) <= 256,
	       "four cache lines, of which packets touch two");

enum line_by {
	LINE_BY_VLANS = 1,
	LINE_BY_MAC,
	LINE_BY_IPV4,
	LINE_BY_IPV6,
	LINE_BY_SESSION,
	LINE_BY_LINK
};

struct line_table {
	struct pool lines;
	struct map keys;
	uint64_t refused;
};

void line_table_init(struct line_table *table, uint32_t limit);
void line_table_fini(struct line_table *table);

/*
 * The line of a packet whose subscriber side is known (`sub_is_src`), made when new; 0 when the
 * table is full, counted.
 */
uint32_t line_of(struct line_table *table, const struct pkt *p, const struct pkt_extra *x,
		 bool sub_is_src);

/* Makes packets of this CPE belong to `line` (the circuit-id said so). */
void line_bind(struct line_table *table, const struct pkt *p, const struct pkt_extra *x,
	       uint32_t line);

static inline struct line *line_at(const struct line_table *table, uint32_t index)
{
	return pool_at(&table->lines, index);
}

static inline uint32_t line_count(const struct line_table *table)
{
	return table->lines.next ? table->lines.next - 1 : 0;
}

#endif
