/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The world of one run: the clock, the capture at the tap, the lines and the flows.
 *
 *   server == core link == TAP == access link == CPE == home link == device
 */
#ifndef RASAD_GEN_WORLD_H
#define RASAD_GEN_WORLD_H

#include <stddef.h>
#include <stdint.h>

#include "tools/rasad-gen/frame.h"
#include "tools/rasad-gen/link.h"
#include "tools/rasad-gen/outage.h"
#include "tools/rasad-gen/pcap_out.h"
#include "tools/rasad-gen/samples.h"
#include "tools/rasad-gen/sim.h"

struct tcp_flow;
struct tcp_pkt;
struct pkt_chunk;

/* The capture begins here, whatever the day: 2026-11-24 09:20:00 UTC. */
#define WORLD_EPOCH_UNIX_NS (1795512000ull * NS_PER_S)

struct options {
	const char *scenario;
	const char *output, *truth, *inventory;
	uint64_t seed;
	uint32_t flows, lines, dslams, snaplen;
	uint64_t packets;  /* 0: no limit */
	double duration_s; /* 0: the scenario's own */
	double ipv6_share, no_timestamps_share;
	double loss_before_tap, loss_after_tap, reorder, mirror_duplicates;
	enum encap encap;
	/* Scenario outage only. */
	bool has_fault_option;
	enum outage_kind fault;
	double fault_at_s, fault_for_s;
	/* Scenario load only. */
	bool has_load_option, sessions;
	const char *interface;		   /* or NULL: a file */
	double rate_pps, zipf, train;	   /* rate -1: the default */
	double udp_share, new_flows, padi; /* of the packets */
	double jitter, echo_s;		   /* echo -1: the default */
	uint32_t packet_bytes;		   /* 0: a mix */
};

/* A subscriber line: its names and the path behind it. Links are indexed by enum dir. */
struct line {
	uint32_t number;
	char name[64];
	struct l2 l2;
	struct ip_addr ipv4, ipv6;
	uint16_t next_port;
	struct link access[2];			 /* tap to CPE and back */
	struct link home[2];			 /* CPE to device and back; no queue and no loss */
	struct samples rtt_access, rtt_internet; /* of all its TCP flows; kept only if asked for */
	bool keep_samples;
	uint64_t last_up_ns; /* the last upstream frame at the tap */
};

struct world {
	const struct options *options;
	struct sim sim;
	struct pcap_out out;
	struct frame frame;
	struct line *lines;
	uint32_t n_lines;
	struct tcp_flow **flows; /* all that ever started, in that order */
	uint32_t n_flows, flows_capacity;
	struct outage outage;
	uint16_t last_session_id; /* PPPoE, given out by the BRAS */
	struct tcp_pkt *free_pkts;
	struct pkt_chunk *pkt_chunks; /* tcp_flow.c */
};

void world_init(struct world *w, const struct options *o);
void world_fini(struct world *w);
/* Starts a frame with the snapshot length in mind; world_emit writes it with the present time,
 * unless the tap is blind to it. */
struct frame *world_frame(struct world *w);
void world_emit(struct world *w, enum dir dir);
double world_unix_s(uint64_t sim_ns);
/* One line on stderr: what was written. */
void world_summary(const struct world *w);

#endif
