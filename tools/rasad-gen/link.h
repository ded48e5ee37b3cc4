/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * One direction of one piece of the path: a drop-tail queue at a bottleneck, a delay, and loss.
 *
 * Jitter is a function of time, not a draw per packet: value noise between hashed nodes, with a
 * slope that is always below one, and rare spikes that fall back slowly. Packets therefore never
 * overtake each other by accident, and the delay that a packet *would* have met at any moment is
 * known exactly, which is what the RTT truth needs.
 */
#ifndef RASAD_GEN_LINK_H
#define RASAD_GEN_LINK_H

#include <stdbool.h>
#include <stdint.h>

#include "tools/rasad-gen/rng.h"

struct link {
	struct rng rng;
	uint64_t noise_seed;
	double delay_ns;	 /* propagation, one way */
	double jitter_ns;	 /* added delay, 0..this */
	double spike_ns;	 /* height of a delay spike */
	double spike_chance;	 /* of one spike in each ten seconds */
	double ns_per_byte;	 /* bottleneck rate; 0 = none */
	uint64_t queue_limit_ns; /* the queue drops what would wait longer */
	uint64_t busy_until_ns;
	double loss;		   /* half of it single, half in bursts */
	uint8_t burst_left;	   /* packets still inside a burst */
	uint64_t burst_until_ns;   /* when it ends even so: bursts are short in time too */
	bool cut;		   /* carries nothing */
	uint64_t packets, dropped; /* of every kind */
};

void link_init(struct link *l, uint64_t seed, uint64_t number);
/* Sends a packet at now_ns; false: it is lost. Packets arrive in the order they were sent. */
bool link_send(struct link *l, unsigned bytes, uint64_t now_ns, uint64_t *arrive_ns);
/* When a packet sent at now_ns would arrive; sends nothing. */
uint64_t link_probe(const struct link *l, unsigned bytes, uint64_t now_ns);

#endif
