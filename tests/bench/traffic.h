/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Traffic for the bench: frames of conversations whose state is consistent, made between laps.
 *
 * Each flow is a conversation behind QinQ and PPPoE: a handshake, then exchanges of two segments
 * and one ACK, timestamps on every segment, 0.5 % resends and 0.5 % holes (with the SACK and the
 * fill that follow); 20 % of the flows are IPv6, 15 % UDP (two thirds of it QUIC). Which flow speaks
 * next is drawn for each packet, uniformly or by Zipf's law (s = 1): the worst case for caches and
 * branch predictors, as real traffic comes in trains. Time is that of 14.88 Mpps.
 *
 * A flood instead opens a new flow with every packet: into a full table, or (fill) into an empty one.
 * What a flow is (addresses, kind, sizes)
 * follows from its number by hashing, so its state is 24 bytes.
 */
#ifndef RASAD_TESTS_BENCH_TRAFFIC_H
#define RASAD_TESTS_BENCH_TRAFFIC_H

#include <stdbool.h>
#include <stdint.h>

#define TRAFFIC_START_NS 1700000000000000000u /* a window of rasad begins here */

enum { FRAME_ROOM = 116, PACKET_NS = 67 };

/* One packet: its headers, and beside them what only the yardsticks may know. Two cache lines. */
struct slot {
	_Alignas(64) uint8_t frame[FRAME_ROOM];
	uint32_t flow, line; /* 0-based */
	uint16_t caplen, wire_len;
};
_Static_assert(sizeof(struct slot) == 128, "two cache lines");

enum pick { PICK_UNIFORM, PICK_ZIPF, PICK_FLOOD, PICK_FILL };

struct conversation;

struct traffic {
	uint32_t lines, flows;
	enum pick pick;
	uint64_t now_ns;
	uint64_t rng;
	uint64_t cursor;	    /* of the warm-up, the line round or the flood */
	struct conversation *talks; /* owned */
	double zipf_first, zipf_last, zipf_cut;
};

int traffic_init(struct traffic *traffic, uint32_t lines, uint32_t flows, enum pick pick);
void traffic_fini(struct traffic *traffic);

/* One packet upstream without a flow for each line: fills up to n slots, returns how many; 0: all done. */
uint32_t traffic_lines(struct traffic *traffic, struct slot *slots, uint32_t n);

/* Opens every flow and brings it to a random point of its conversation; as above. */
uint32_t traffic_warm(struct traffic *traffic, struct slot *slots, uint32_t n);

/* The conversations end; what comes next, the warm-up, opens new ones between the same ports. */
void traffic_reopen(struct traffic *traffic);

/* The n packets of a lap. The first one passes at the time returned, each PACKET_NS later. */
uint64_t traffic_lap(struct traffic *traffic, struct slot *slots, uint32_t n);

#endif
