/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Packets made by hand, as records, and their way into a worker. The subscriber is endpoint A of
 * every flow; up is what he sends. Control messages bring their own bytes.
 */
#ifndef RASAD_TESTS_ENGINE_PACKET_PACKET_H
#define RASAD_TESTS_ENGINE_PACKET_PACKET_H

#include <stdbool.h>
#include <stdint.h>

#include "engine/source.h"
#include "engine/stamp.h"

enum { PACKET_BYTES = 64 };

struct packet {
	struct pkt p;
	struct pkt_extra x;
	uint8_t bytes[PACKET_BYTES]; /* of a control message */
};

/* A bare ACK of flow number `flow` of the line with these tags. */
struct packet packet_tcp(uint16_t svlan, uint16_t cvlan, uint32_t flow, uint8_t dir);
/* The same without PPPoE and C-VLAN: of host number `host`. */
struct packet packet_ip(uint16_t svlan, uint32_t host, uint8_t dir);
/* The same inside PPPoE, in a shared VLAN: of CPE number `mac`, in session 7. */
struct packet packet_pppoe(uint16_t svlan, uint32_t mac, uint8_t dir);

/* Discovery in a shared VLAN; `circuit`: the circuit-id that the DSLAM put in, or NULL. */
struct packet packet_discovery(uint16_t svlan, uint32_t mac, uint8_t code, const char *circuit);
struct packet packet_padi(uint16_t svlan, uint32_t mac);

/* LCP echo of the line with these tags. */
struct packet packet_echo(uint16_t svlan, uint16_t cvlan, uint8_t id, bool reply);

void packet_mac(struct packet *k, uint32_t mac);
void packet_ipv6(struct packet *k, uint32_t host);
/* Data, counted from `seq`, and what is acknowledged. */
void packet_data(struct packet *k, uint32_t seq, uint32_t ack, uint16_t payload);

/* The same numbers, and IP-IDs, on every run since a seed (not 0). */
uint32_t packet_random(void);
void packet_seed(uint64_t seed);

/* --- into a worker ------------------------------------------------------------------------------- */

struct worker;

struct feed {
	struct worker *worker;
	struct stamp stamp;
	struct burst burst;
	uint8_t frames[BURST_MAX][PACKET_BYTES];
};

/* Puts the packet into the open burst, which goes to the worker when it is full. */
void feed_packet(struct feed *feed, const struct packet *k, uint64_t ts_ns);
/* Hands over what there is. */
void feed_burst(struct feed *feed);

#endif
