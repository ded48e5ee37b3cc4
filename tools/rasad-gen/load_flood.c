/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What attacks a measuring machine: a flow for every packet, a MAC for every packet. The numbers are
 * counted through permutations, so no flow and no MAC comes twice before 2^33 and 2^40 packets.
 */
#include "tools/rasad-gen/load.h"

#define PADI	   0x09
#define HOST_UNIQ  0x0103
#define SPOOFED	   0x1ffffu /* addresses of 198.18.0.0/15 */
#define FIRST_PORT 1024u
#define ODD	   0x9e3779b97f4a7c15u
#define MAC_MASK   0xffffffffffu

static struct ip_addr spoofed_address(uint64_t n)
{
	uint32_t a = 0xc6120000u + (uint32_t)(n * 0x9e3b1u & SPOOFED);

	return (struct ip_addr){
		.byte = {(uint8_t)(a >> 24), (uint8_t)(a >> 16), (uint8_t)(a >> 8), (uint8_t)a}};
}

void load_syn_flood(struct load *l)
{
	uint64_t n = l->total.syn_flood++, h = rng_hash(l->options->seed ^ ODD, n);
	uint32_t number = (uint32_t)((h & 0xffffffff) * l->lines >> 32);
	struct load_line line = load_line(l, number);
	struct ip_header ip = {
		.source = spoofed_address(n),
		.destination = load_line_address(number, false),
		.protocol = IP_TCP,
		.id = (uint16_t)(h >> 32),
		.ttl = 48,
	};
	struct tcp_header tcp = {
		.source_port = (uint16_t)(FIRST_PORT + (n / (SPOOFED + 1)) % 64000),
		.destination_port = (uint16_t)(1 + (h >> 48) % 1023),
		.seq = (uint32_t)(h >> 16),
		.window = 1024,
		.flags = TCP_SYN,
		.option_bytes = 4,
		.option = {2, 4, 1440 >> 8, 1440 & 0xff},
	};

	frame_begin_ip(l->frame, &line.l2, DIR_DOWN, false, 20 + 24);
	frame_tcp(l->frame, &ip, &tcp, 0);
	l->total.tcp++;
	load_emit(l, number, DIR_DOWN);
}

void load_padi_flood(struct load *l)
{
	uint64_t mac = (l->total.padi_flood++ * ODD + l->options->seed) & MAC_MASK;
	struct l2 l2 = {
		.encap = ENCAP_VLAN,
		.cvlan = LOAD_SHARED_VLAN,
		.cpe_mac = {0x06, (uint8_t)(mac >> 32), (uint8_t)(mac >> 24), (uint8_t)(mac >> 16),
			    (uint8_t)(mac >> 8), (uint8_t)mac},
	};

	frame_begin_discovery(l->frame, &l2, DIR_UP, true, PADI, 4 + 4 + 4);
	frame_be32(l->frame, 0x01010000); /* any service */
	frame_be32(l->frame, HOST_UNIQ << 16 | 4);
	frame_be32(l->frame, (uint32_t)mac);
	load_emit(l, UINT32_MAX, DIR_UP);
}
