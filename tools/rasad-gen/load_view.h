/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A flow of scenario "load" as its number tells it, and its packets. Line, addresses, ports, clocks
 * and whether it is UDP, IPv6 or an upload follow from the number; the kinds are spread evenly over
 * the ranks, so that the shares hold under Zipf too, where few flows make most of the packets.
 */
#ifndef RASAD_GEN_LOAD_VIEW_H
#define RASAD_GEN_LOAD_VIEW_H

#include "tools/rasad-gen/load.h"

#define LOAD_TIMESTAMP_BYTES 12

/* A flow as it is known from its number. */
struct load_view {
	uint32_t number;
	struct load_flow *state;
	struct load_line line;
	bool v6, udp;
	enum dir data_dir;
	uint64_t hash;
	struct ip_addr client, server;
	uint16_t client_port, server_port;
};

struct load_view load_view(struct load *l, uint32_t flow);

/* TCP options; both return their length. Clocks are in milliseconds of the virtual clock. */
uint8_t load_view_timestamps(uint8_t *option, const struct load_view *v, enum dir dir, uint32_t ms,
			     uint32_t echo_ms);
uint8_t load_view_sack(uint8_t *option, uint32_t left, uint32_t right);
/* Make, count and emit a packet. Ports and window of `tcp` are filled in. */
void load_view_tcp(struct load *l, const struct load_view *v, enum dir dir, struct tcp_header *tcp,
		   uint16_t id, uint32_t payload_bytes);
void load_view_udp(struct load *l, const struct load_view *v, enum dir dir, uint32_t payload_bytes);

#endif
