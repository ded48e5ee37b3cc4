/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The textbook's packet path, against which rasad is measured: a plain decoder, a table of
 * subscribers and one of flows, simple meters. Only the look-up is rte_hash's (textbook.c).
 */
#ifndef RASAD_TESTS_BENCH_TEXTBOOK_H
#define RASAD_TESTS_BENCH_TEXTBOOK_H

#include <stdbool.h>
#include <stdint.h>

struct plain_packet {
	uint32_t flow_key[4], subscriber_key; /* the same in both directions */
	uint32_t seq, ack, tsval, tsecr;
	uint16_t payload, wire_len;
	uint8_t tcp_flags, side; /* side: 1 if the second endpoint of the key sends */
	bool down, tcp, timestamps;
};

/* False: nothing for the meters. `ac`: MAC of the concentrator. */
bool plain_decode(const uint8_t *frame, uint32_t caplen, uint32_t wire_len, const uint8_t ac[6],
		  struct plain_packet *p);

struct plain_flow {
	struct plain_dir {
		uint32_t next, rtt_key, rtt_us, bytes;
		uint16_t packets;
		uint8_t holes, resends;
	} dir[2];
	uint32_t used;
	uint32_t unused[5];
};
_Static_assert(sizeof(struct plain_flow) == 64, "one cache line");

enum { PLAIN_BUCKETS = 128 };

struct plain_subscriber {
	_Alignas(64) uint64_t bytes[2];
	uint32_t packets[2], holes[2], resends[2];
	_Alignas(64) uint16_t histogram[2][PLAIN_BUCKETS];
};

void plain_update(struct plain_flow *flow, struct plain_subscriber *subscriber,
		  const struct plain_packet *p, uint32_t now_us);

#endif
