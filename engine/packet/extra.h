/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What only some flows have, in pools: trouble under way (holes, resends, data that cannot be
 * timed), more than two segments outstanding, and, where single flows are reported, their log.
 *
 * Physics bounds the first: what is outstanding is what fits between sender and receiver. A flow
 * gives its extra back as soon as all is well again (extra_settle).
 */
#ifndef RASAD_ENGINE_PACKET_EXTRA_H
#define RASAD_ENGINE_PACKET_EXTRA_H

#include <stdbool.h>
#include <stdint.h>

struct meter;
struct flow;

struct dir_extra {
	uint32_t valid_from;	       /* no cumulative ACK from below is timed (Karn, holes) */
	uint32_t tainted_from;	       /* while una < valid_from: ACKs up to here are still timed */
	uint32_t sack_hi;	       /* right-most byte reported by SACK */
	uint32_t ack_beyond;	       /* an ACK above nxt, if a second one should agree */
	uint32_t segs_head, segs_tail; /* outstanding segments: pool of rtt.c */
	uint32_t holes;		       /* gaps below nxt: pool of loss.c */
	uint32_t resends;	       /* newest first: pool of loss.c */
	uint32_t resent_tick;	       /* of the newest */
	uint16_t n_chunks, n_holes, n_resends;
};

struct flow_extra {
	struct dir_extra dir[2];
	uint32_t log; /* struct flow_log; 0: none */
};

/* A direction of a flow, as the flow report tells it. */
struct dir_log {
	uint64_t bytes; /* TCP payload */
	uint32_t packets, data_packets;
	uint32_t retransmit_seen, hole_fill, reordered, spurious;
	uint32_t suspected_tail_loss, keepalive, zero_window_probe, duplicate;
	uint32_t syn_retransmit, fin_retransmit, tap_missed;
	uint32_t samples; /* log of rtt samples, newest chunk */
};

struct flow_log {
	uint64_t first_ns, last_ns;
	uint64_t order; /* of its first packet */
	uint32_t key0, line;
	uint8_t a[16], b[16]; /* addresses of the endpoints; IPv4 in the first four bytes */
	uint16_t port[2];
	uint32_t sub_is_b;
	struct dir_log dir[2];
};

/* The flow's extra, or NULL when it has none. */
struct flow_extra *extra_of(const struct meter *m, const struct flow *f);
struct dir_extra *extra_dir(const struct meter *m, const struct flow *f, int dir);

/* The same, made when needed; NULL when the pool refuses (counted). */
struct dir_extra *extra_need(struct meter *m, struct flow *f, int dir);

/* The log of a direction, or NULL: most flows have none. */
struct dir_log *extra_log(const struct meter *m, const struct flow *f, int dir);

/* No gap is open in the data of `dir`: an ACK of it means what it says. */
bool extra_is_whole(const struct meter *m, const struct flow *f, int dir);

/* Gives the extra back if nothing is open any more at time `tick`. */
void extra_settle(struct meter *m, struct flow *f, uint32_t tick);

/* Gives back all that the flow holds but its log. */
void extra_forget(struct meter *m, struct flow *f);

#endif
