/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The line table of a worker: which line a packet belongs to, and what is counted of it.
 *
 * A line is (S-VLAN, C-VLAN) where both tags are there: two loads find it. In a shared VLAN it is
 * the CPE's MAC, and one circuit-id joins several MACs; without PPPoE and C-VLAN it is the
 * subscriber's address: a hash finds those. Lines are numbered from 1 in order of appearance.
 *
 * What packets touch is the pulse, half a cache line, so that the pulses of a million lines
 * are 32 MB. It counts one window (window.h) and tells at once when a line speaks again or owes an
 * answer. What trouble and control messages touch lies apart. Both live in arrays that are reserved
 * for the limit and never move.
 *
 * A line that is known by nothing but its discovery packets is provisional: of those there are
 * LINE_PROVISIONAL at most, and the oldest gives its number to the next, so that no flood of made-up
 * MACs takes the place of lines that live. One thread only.
 */
#ifndef RASAD_ENGINE_PACKET_LINE_H
#define RASAD_ENGINE_PACKET_LINE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "ebpf/pkt.h"
#include "engine/base/map.h"

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

/*
 * pulse.state: what is open about a line, in one word that a packet loads and stores once.
 * Unanswered downstream traffic since the last upstream frame: when it began in steps of 2^24 ns,
 * the hash of the first flow that waits, packets (up to 4), whether other flows wait too, resends
 * (up to 3), and whether analysis was told.
 */
enum {
	PULSE_LISTED = 3, /* which list of touched lines holds it: */
	PULSE_EVEN = 2,
	PULSE_ODD = 3,
	PULSE_WATCH = 1 << 2, /* tell analysis of the next upstream frame */
	PULSE_TOLD = 1 << 3,
	PULSE_MANY = 1 << 4,
	PULSE_RESEND = 1 << 5, /* one of them */
	PULSE_RESENDS = 3 << 5,
	PULSE_WAITING = 1 << 7, /* one packet */
	PULSE_WAIT = 7 << 7,
	PULSE_FLOW_SHIFT = 10,
	PULSE_SINCE_SHIFT = 16,
	PULSE_SINCE_NS_SHIFT = 24,
	PULSE_KEPT = PULSE_LISTED | PULSE_WATCH, /* what an answer does not clear */
};

struct pulse {
	uint32_t up_tick;  /* of the last upstream frame, ticks */
	uint32_t bytes[2]; /* of this window, as is all that is counted here */
	uint16_t packets[2];
	uint16_t data[2];      /* TCP segments with payload */
	uint32_t samples : 24; /* struct line_samples: pool of meter.h; 0: none */
	uint32_t down_at : 8;  /* of the last frame from the Internet in this window: line_beat */
	uint16_t session_id;   /* PPPoE session last seen upstream */
	uint16_t gap_ms;       /* envelope of the line's own upstream gaps under load */
	uint32_t state;
};
_Static_assert(sizeof(struct pulse) == 32, "half a cache line");

/* Upstream demand since the last frame came down (demand.h). */
struct line_wait {
	uint32_t since, told_at; /* beats: of the first question; analysis was told */
	uint8_t n, n_others;	 /* questions; those for anything but names */
	uint8_t flow, server;	 /* hashes of the first one's */
	bool many_flows : 1, many_servers : 1, told : 1;
};

/* Packet time in beats of 134 ms, which a byte tells apart within a window (its top bit says that
 * there is one). */
enum { BEAT_SHIFT = 27, BEAT_MASK = 127, BEAT_SET = 128 };

static inline uint8_t line_beat(uint64_t ts_ns)
{
	return (uint8_t)(ts_ns >> BEAT_SHIFT) | BEAT_SET;
}

/* Of this window, by direction of the data and side of the tap; a loss that is taken back later makes
 * the difference negative. */
struct line_trouble {
	int32_t lost_before[2], lost_after[2], spurious[2];
	uint32_t reordered[2], tail_loss[2];
};

/* One cache line for what control messages, questions and new flows touch, one for trouble. */
struct line {
	_Alignas(64) uint64_t last_up_ns; /* last upstream frame of earlier windows; 0: none */
	uint64_t echo_ns;		  /* open LCP echo request of the BRAS */
	uint64_t key;			  /* of `keys` */
	uint32_t seen_ipv4, seen_ipv6;	  /* last subscriber addresses told to analysis, folded */
	uint32_t
		last_down; /* beat of the last frame from the Internet, of earlier windows; 0: none */
	uint32_t names;	   /* struct line_names: pool of the worker; 0: none */
	struct line_wait wait;
	uint8_t echo_id;
	uint8_t by;	     /* enum line_by */
	uint8_t n_bound;     /* other MACs that the circuit-id joined to it */
	uint8_t n_resolvers; /* that analysis was told of */
	bool provisional;
	_Alignas(64) struct line_trouble trouble;
};
_Static_assert(sizeof(struct line) == 128, "two cache lines");

enum line_by {
	LINE_BY_VLANS = 1,
	LINE_BY_MAC,
	LINE_BY_IPV4,
	LINE_BY_IPV6,
	LINE_BY_SESSION,
	LINE_BY_LINK
};

/* Who a line is, told once, when it appears. */
struct line_identity {
	uint64_t key;
	uint16_t svlan, cvlan;
	uint8_t by; /* enum line_by */
	uint8_t cpe_mac[6];
	uint8_t address[16]; /* where the address names the line */
};

enum { LINE_MAX_BOUND = 16, LINE_PROVISIONAL = 65536 };

struct line_table {
	struct pulse *pulses; /* owned, by line number */
	struct line *lines;   /* owned, by line number */
	uint32_t **vlans;     /* owned: [S-VLAN][C-VLAN] -> line; blocks appear with their lines */
	struct map keys;
	uint32_t n, limit;     /* lines numbered so far */
	uint32_t *provisional; /* owned: ring of provisional lines, oldest at `at` - `n` */
	uint32_t n_provisional, provisional_room, provisional_at;
	uint64_t refused;	/* new lines at the limit */
	uint64_t recycled;	/* provisional lines that gave their number away */
	uint64_t bound_refused; /* MACs beyond LINE_MAX_BOUND of one circuit-id */
	/* the table tells of a line that appears, and of one that goes */
	void (*tell)(void *context, uint32_t line, const struct line_identity *appeared);
	/* it can do so now; else a new line waits for a later packet of its own */
	bool (*may_tell)(void *context);
	void *context;
};

/* 0 or -ENOMEM. */
int line_table_init(struct line_table *table, uint32_t limit);
void line_table_fini(struct line_table *table);

/*
 * The line of a packet whose subscriber side is known (`sub_is_src`), made when new; 0 when the
 * packet names none, or the table is full (counted).
 */
uint32_t line_of(struct line_table *table, const struct pkt *p, const struct pkt_extra *x,
		 bool sub_is_src);

/* Makes packets of this CPE belong to `line` (the circuit-id said so). */
void line_bind(struct line_table *table, const struct pkt *p, const struct pkt_extra *x,
	       uint32_t line);

/* The line has shown more than discovery: it keeps its number. */
void line_established(struct line_table *table, uint32_t line);

static inline struct line *line_at(const struct line_table *table, uint32_t index)
{
	return &table->lines[index];
}

static inline struct pulse *line_pulse(const struct line_table *table, uint32_t index)
{
	return &table->pulses[index];
}

/* The line of a packet with two tags if it is known; 0: not, or not this way. */
static inline uint32_t line_by_vlans(const struct line_table *table, const struct pkt *p)
{
	const uint32_t *block;
	if (!(p->flags & PKT_TWO_TAGS))
		return 0;
	block = table->vlans[pkt_svlan(p)];
	return block ? block[pkt_cvlan(p)] : 0;
}

#endif
