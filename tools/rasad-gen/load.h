/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Scenario "load": traffic of up to millions of lines and flows, fast enough to load what measures
 * it, and still with a known truth.
 *
 * One packet is made in each slot of the virtual clock: what is due (an acknowledgement, a resend,
 * the answer to an LCP echo), else the next data packet of a flow picked at random. Everything that
 * does not change about a line or a flow is a hash of its number and the seed, so a flow needs 32
 * bytes and a line one bit. A receiver acknowledges every second packet, one round trip after it;
 * the round trips of a line are its own constants with some jitter. A flow repairs one loss at a
 * time, one round trip after the receiver complained about it or by the sender's timer, and pauses
 * before the next.
 */
#ifndef RASAD_GEN_LOAD_H
#define RASAD_GEN_LOAD_H

#include <stdbool.h>
#include <stdint.h>

#include "tools/rasad-gen/load_event.h"
#include "tools/rasad-gen/load_pick.h"
#include "tools/rasad-gen/load_send.h"
#include "tools/rasad-gen/rng.h"
#include "tools/rasad-gen/world.h"

#define LOAD_LINES_PER_SVLAN 1000
#define LOAD_FIRST_SVLAN     101
#define LOAD_FIRST_CVLAN     101
#define LOAD_SHARED_VLAN     4001 /* single-tagged; where the PADI flood is */
#define LOAD_SAMPLED_LINES   1024 /* at most so many lines have their own counters */

/* Totals of data sent in one direction, as seen at the tap. */
struct load_direction {
	uint64_t packets; /* of any kind */
	uint64_t data_packets;
	uint64_t retransmit_seen; /* data that had crossed and was lost behind the tap */
	uint64_t hole_fill;	  /* data that was lost before the tap */
	uint64_t acks; /* acknowledgements of this direction's data that are a clean RTT */
};

struct load_totals {
	struct load_direction dir[2]; /* of everything */
	uint64_t tcp, udp, ipv6;      /* packets; floods are only in tcp */
	uint64_t echo_requests, echo_replies, control;
	uint64_t syn_flood, padi_flood;
	uint64_t lost_before_tap_all, lost_after_tap_all; /* repaired or not */
	uint64_t flows;					  /* that had a packet, without the flood */
	uint64_t tcp_flows;
	uint64_t lines; /* that had a packet */
};

/* What stays the same about a line. Times in nanoseconds. */
struct load_line {
	uint32_t number;
	struct l2 l2;
	uint32_t line_rtt_ns, access_rtt_ns, internet_rtt_ns;
};

enum { /* load_flow.flags */
       FLOW_STARTED = 1 << 0,
       FLOW_HALF = 1 << 1,   /* one data packet is not acknowledged */
       FLOW_REPAIR = 1 << 2, /* `missing` is lost and will be sent again */
       FLOW_HOLE = 1 << 3,   /* it did not reach the tap */
       FLOW_ASKED = 1 << 4,  /* the receiver complains about it */
};

struct load_flow {
	uint32_t next;	     /* sequence number of the next data */
	uint32_t una;	     /* acknowledged, as seen at the tap */
	uint32_t missing;    /* what the receiver waits for in a repair */
	uint32_t first_ms;   /* the sender's clock at the first data not acknowledged */
	uint32_t ack_ms;     /* the receiver's clock as the sender last heard it */
	uint32_t ack_due_us; /* when the last acknowledgement passes: they keep their order */
	uint16_t missing_bytes;
	uint16_t data_id;  /* IP identification; of the ACKs it is a function of time */
	uint16_t repaired; /* when the last loss was, in units of 16 ms */
	uint8_t flags;
};
_Static_assert(sizeof(struct load_flow) <= 32, "8 M flows in 256 MB");

struct load {
	const struct options *options;
	struct rng rng;
	uint64_t epoch_ns; /* when the virtual clock began, since 1970 */
	uint64_t slot_ns;  /* the virtual clock, since the start */
	uint64_t stamp_ns; /* of the packet being made */
	uint32_t stamp_ms;
	uint32_t lines, flows;
	uint32_t sample_mask; /* lines whose number has none of these bits are sampled */
	uint32_t sample_shift;
	uint32_t udp_below, ipv6_below; /* a flow is one of them if its hash is below */
	uint32_t window_bytes;		/* what a sender has in flight at most */
	uint32_t overhead[2];		/* bytes before TCP or UDP, by IP version */
	double owed_before, owed_after; /* losses that are due, in packets */
	double loss_before, loss_after;
	uint64_t echo_ns;     /* the interval of a line; 0: none */
	uint64_t echo_due_ns; /* when the next line is asked */
	uint32_t echo_line;
	uint8_t echo_id;
	uint32_t dialed, up; /* lines that began and ended it, of --sessions */
	bool offer_due;
	uint64_t elapsed_ns; /* on an interface */
	uint64_t left_out;   /* slots that came too late for an interface */
	uint64_t wire_packets, wire_bytes;
	struct load_flow *flow;
	uint8_t *line_seen; /* a bit each */
	struct load_pick pick;
	struct load_events events;
	struct load_totals total;
	struct load_direction sample[LOAD_SAMPLED_LINES][2];
	struct pcap_out out;
	struct load_send send;
	struct frame *frame; /* where the packet is made */
	struct frame own_frame;
};

/* load_line.c: the access side. */
struct load_line load_line(const struct load *l, uint32_t number);
struct ip_addr load_line_address(uint32_t line, bool v6);
/* The line's own counters, or NULL. */
struct load_direction *load_line_sample(struct load *l, uint32_t line);
/* A round trip as it happens to be now. */
uint64_t load_jitter(struct load *l, uint32_t rtt_ns);
bool load_echo_is_due(const struct load *l);
void load_echo_request(struct load *l);
void load_echo_reply(struct load *l, const struct load_event *e);

/* load_session.c: a line dials. */
/* One PADO, which shows whose MAC the access concentrator's is. */
void load_offer(struct load *l);
void load_dial(struct load *l, uint32_t line);
void load_dial_step(struct load *l, const struct load_event *e);

/* load_flow.c: TCP and UDP. */
void load_flows_init(struct load *l);
/* The next data packet of some flow; false when all that were tried have a full window. */
bool load_data(struct load *l);
void load_ack(struct load *l, const struct load_event *e);
/* False: it came too late, the data had been sent again already. */
bool load_resend(struct load *l, const struct load_event *e);

/* load_flood.c */
void load_syn_flood(struct load *l);
void load_padi_flood(struct load *l);

/* scenario_load.c: the frame is ready. `line` UINT32_MAX: of no line. */
void load_emit(struct load *l, uint32_t line, enum dir dir);

/* load_run.c: until it is done, or a signal ends it. */
void load_run(struct load *l);

/* load_truth.c */
void load_truth(struct load *l);

#endif
