/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The bytes of the bench's frames: Ethernet, two tags, PPPoE, IPv4 or IPv6, TCP or UDP. Shares no
 * code with the parsers it feeds.
 */
#ifndef RASAD_TESTS_BENCH_WIRE_H
#define RASAD_TESTS_BENCH_WIRE_H

#include <stdbool.h>
#include <stdint.h>

#include "tests/bench/traffic.h"

enum wire_kind { WIRE_TCP, WIRE_QUIC, WIRE_UDP };

enum { WIRE_FIN = 1, WIRE_SYN = 2, WIRE_ACK = 16 };

/* What stays the same for all packets of a flow. */
struct wire_flow {
	uint32_t flow, line;
	uint64_t server; /* its address, hashed */
	uint16_t sub_port, server_port;
	enum wire_kind kind;
	bool ipv6;
};

struct wire_segment {
	bool down; /* towards the subscriber */
	uint8_t flags;
	uint32_t seq, ack, tsval, tsecr;
	uint32_t sack_left, sack_right; /* equal: no block */
	uint16_t payload, ip_id;
	uint8_t first_byte; /* of a datagram */
};

extern const uint8_t wire_ac_mac[6];

void wire_write(struct slot *slot, const struct wire_flow *flow, const struct wire_segment *s);

#endif
