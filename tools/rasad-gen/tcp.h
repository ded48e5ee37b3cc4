/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Two TCP stacks talking past a tap.
 *
 * A flow has two ends, each a sender and a receiver: slow start and congestion avoidance, SACK
 * (RFC 6675) or NewReno recovery, tail loss probes on some hosts, RTO with back-off, delayed ACKs,
 * DSACK, timestamps, a receive window that can close, keepalives, FIN. Data is kept in segments
 * with fixed edges; a retransmission is always a whole segment. Sequence numbers are 64-bit and
 * relative (0 is the SYN); the initial sequence number is added on the wire.
 *
 * tcp_flow.c: life of a flow, its application, its packets on the path
 * tcp_send.c: the sending half; tcp_recv.c: the receiving half; tcp_tap.c: what the tap sees
 */
#ifndef RASAD_GEN_TCP_H
#define RASAD_GEN_TCP_H

#include "tools/rasad-gen/world.h"

/* What a host's stack is like. */
struct tcp_host {
	uint16_t mss;
	uint16_t timestamp_hz; /* 0: no timestamps */
	uint32_t timestamp_base;
	uint8_t window_scale; /* 0: option absent */
	bool sack, dsack, tail_probe, ip_id_zero;
	bool byte_probes;  /* keepalives and window probes carry one byte (BSD), not none (Linux) */
	uint8_t ack_every; /* full segments per ACK */
	uint8_t quick_acks; /* at the start of the connection */
	uint8_t ttl;	    /* as seen at the tap */
	uint32_t receive_buffer;
	uint64_t delayed_ack_ns, rto_min_ns, keepalive_ns;
	double back_off;	 /* cwnd factor on loss */
	uint32_t first_ssthresh; /* segments; from a metrics cache, or a huge number */
};

struct tcp_exchange {
	uint64_t think_ns;  /* before the request */
	uint64_t server_ns; /* before the response */
	uint32_t request_bytes, response_bytes;
};

enum tcp_close {
	CLOSE_BY_SERVER,
	CLOSE_BY_CLIENT,
	CLOSE_BY_RESET, /* the client resets */
	CLOSE_NEVER,
};

struct tcp_plan {
	struct line *line;
	struct ip_addr client_addr, server_addr;
	uint16_t client_port, server_port;
	struct tcp_host client, server;
	struct link core[2];
	bool mid_stream;		/* the connection is older than the capture */
	double reorder;			/* share of data packets delayed before the tap */
	struct tcp_exchange *exchanges; /* owned by the flow from tcp_flow_start on */
	uint32_t n_exchanges;
	enum tcp_close close;
	uint64_t close_ns;	     /* idle time before the end */
	uint64_t stall_at, stall_ns; /* the receiver's application stops reading; 0: never */
};

/* What the tap saw in one direction; the names are those of json.md. */
struct tcp_tap {
	uint64_t packets, data_packets, bytes, ip_bytes;
	uint64_t retransmit_seen, spurious;
	uint64_t hole_fill, reordered;
	uint64_t lost_before_tap, lost_before_tap_all, tail_loss_before_tap;
	uint64_t lost_after_tap_all;
	uint64_t keepalive, zero_window_probe, duplicate;
	uint64_t syn_retransmit, fin_retransmit;
	uint64_t end_seq; /* highest relative sequence number seen + 1 */
	bool syn_seen, fin_seen;
	struct samples rtt; /* of data in this direction: down = access half, up = internet half */
};

enum tcp_kind {
	KIND_DATA, /* anything that is in the sender's scoreboard, FIN included */
	KIND_ACK,
	KIND_SYN,
	KIND_KEEPALIVE,
	KIND_WINDOW_PROBE,
	KIND_RESET,
	KIND_RTT_PROBE, /* not a packet: measures the way back at the moment an ACK was due */
};

#define TCP_SACK_MAX 4

struct tcp_pkt {
	struct tcp_flow *flow;
	struct tcp_pkt *next_free;
	uint64_t seq, ack;
	uint64_t sack[TCP_SACK_MAX][2];
	uint64_t tap_ns;
	uint32_t segment; /* number in the sender's scoreboard */
	uint32_t ts_value, ts_echo;
	uint16_t window, length, ip_id;
	uint8_t dir, kind, flags, n_sack;
	uint8_t transmission; /* 1: the first */
	bool first_at_tap;
};

enum tcp_segment_flag {
	SEG_SACKED = 1,
	SEG_LOST = 2,	/* the sender believes so */
	SEG_RESENT = 4, /* a resend is in flight */
	SEG_FIN = 8,
	SEG_AT_TAP = 16,      /* a copy passed the tap */
	SEG_PASSED = 32,      /* and one went on to the receiver */
	SEG_LOST_BEFORE = 64, /* a copy was lost before the tap */
};

struct tcp_segment {
	uint64_t seq;
	uint64_t sent_ns;
	uint16_t length;
	uint8_t flags, transmissions;
};

enum tcp_state { TCP_CLOSED, TCP_SYN_SENT, TCP_SYN_RECEIVED, TCP_ESTABLISHED };
enum tcp_mode { MODE_OPEN, MODE_RECOVERY, MODE_LOSS };

struct tcp_range {
	uint64_t start, end;
};

struct tcp_end {
	struct tcp_flow *flow;
	struct tcp_host host;
	enum dir dir; /* of what this end sends */
	enum tcp_state state;
	uint32_t isn;
	uint16_t ip_id;

	/* sender: bytes una..nxt are in flight, nxt..written are waiting */
	uint64_t una, nxt, written;
	struct tcp_segment *ring; /* segments head..tail-1, at number & ring_mask */
	uint32_t ring_size, head, tail;
	uint32_t pipe;		   /* segments believed to be in the network */
	uint32_t n_sacked, n_lost; /* n_lost: marked lost and not resent */
	uint32_t high_sacked;	   /* number after the highest SACKed segment */
	uint32_t lost_scan, resend_scan, recover;
	enum tcp_mode mode;
	double cwnd, ssthresh;
	uint64_t window_end;
	uint64_t srtt_ns, rttvar_ns, last_send_ns;
	uint8_t back_off, duplicate_acks, reorder_degree, probes;
	bool fin_wanted, fin_sent, fin_acked, tail_probe_armed, tail_probe_sent, peer_window_zero;

	/* receiver */
	uint64_t rcv_nxt, last_ack_sent, buffered, read, stall_at, stall_ns, stalled_until_ns;
	struct tcp_range *ooo; /* sorted, disjoint, above rcv_nxt */
	uint32_t n_ooo, ooo_size;
	uint64_t recent[TCP_SACK_MAX]; /* a byte in each of the ranges changed last */
	struct tcp_range dsack;
	uint32_t ts_recent;
	uint8_t unacked, quick_acks;
	bool fin_received;
	uint64_t fin_seq;

	struct alarm rto, delayed_ack, app, keepalive;
};

struct tcp_flow {
	struct world *world;
	struct line *line;
	uint32_t number;
	struct l2 l2; /* as it was when the flow began */
	struct ip_addr client_addr, server_addr;
	uint16_t client_port, server_port;
	bool timestamps, sack, window_scaling, mid_stream;
	bool done;
	bool aborted;	  /* nothing of it passes the tap any more */
	bool reset_sent;  /* the client answers everything with a reset */
	bool client_gone; /* the device lost power: it neither sends nor listens */
	bool orphan;	  /* the BRAS has forgotten its session: nothing passes that */
	uint16_t mss;
	double reorder;
	struct rng rng;
	struct link core[2];
	struct tcp_end end[2]; /* by the direction it sends in: [DIR_DOWN] is the server */
	struct tcp_exchange *exchanges;
	uint32_t n_exchanges, exchange;
	uint64_t request_end,
		response_end; /* relative sequence numbers of the exchange under way */
	bool request_sent, response_sent;
	enum tcp_close close;
	uint64_t close_ns, start_ns;
	struct tcp_tap tap[2];
};

/* tcp_flow.c */
/* Starts a flow now. Its memory stays until tcp_flow_free: packets may still be on their way. */
struct tcp_flow *tcp_flow_start(struct world *w, struct tcp_plan *plan);
/* Both ends vanish without a word; what is in flight disappears. */
void tcp_flow_abort(struct tcp_flow *f);
/* The server got a reset: both ends forget the flow, what is in flight passes the tap. */
void tcp_flow_reset(struct tcp_flow *f);
struct tcp_flow *tcp_flow_free(struct tcp_flow *f);
struct tcp_pkt *tcp_pkt_new(struct tcp_end *e, enum tcp_kind kind, uint8_t flags);
void tcp_pkt_send(struct tcp_pkt *p);
void tcp_established(struct tcp_end *e);
void tcp_app_read(struct tcp_end *e); /* in-order bytes reached this end's application */
void tcp_check_done(struct tcp_flow *f);
void tcp_pkts_fini(struct world *w);
uint64_t tcp_now(const struct tcp_end *e);
struct tcp_end *tcp_peer(const struct tcp_end *e);

/* tcp_send.c */
void tcp_send_init(struct tcp_end *e);
void tcp_send_fini(struct tcp_end *e);
void tcp_send_syn(struct tcp_end *e);
void tcp_send_more(struct tcp_end *e);
void tcp_send_acked(struct tcp_end *e, const struct tcp_pkt *p);
void tcp_write(struct tcp_end *e, uint64_t bytes);
void tcp_rto_alarm(void *end);
void tcp_keepalive_alarm(void *end);
struct tcp_segment *tcp_segment_find(struct tcp_end *e, uint32_t number);

/* tcp_recv.c */
void tcp_recv_init(struct tcp_end *e);
void tcp_recv_fini(struct tcp_end *e);
void tcp_recv_packet(struct tcp_end *e, struct tcp_pkt *p);
void tcp_fill_ack(struct tcp_end *e, struct tcp_pkt *p);
void tcp_send_ack(struct tcp_end *e);
void tcp_delayed_ack_alarm(void *end);

/* tcp_wire.c */
unsigned tcp_wire_bytes(const struct tcp_pkt *p); /* of the IP packet */
void tcp_wire_emit(const struct tcp_pkt *p);

/* tcp_tap.c */
void tcp_tap_see(struct tcp_pkt *p);
void tcp_tap_lost_before(const struct tcp_pkt *p);
void tcp_tap_lost_after(const struct tcp_pkt *p);
void tcp_tap_passed(const struct tcp_pkt *p);

#endif
