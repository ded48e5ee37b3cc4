/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Loss by side of the tap (measurement.md, definitions 5 to 11; Benko & Veres 2002).
 *
 * Everything between `una` and `nxt` was seen, but for the holes. A packet that closes a hole was
 * lost before the tap, unless it is merely late: older by timestamp or IP-ID than the packet that
 * opened the hole, or sooner than any resend could be (the receiver must complain first, and the
 * sender hear it). A packet that repeats seen data was lost behind the tap, unless the receiver had
 * it already: acknowledged, SACKed, reported by DSACK afterwards (RFC 2883), or acknowledged sooner
 * than the resend can have reached it (as Eifel, RFC 3522). Keepalives, window probes and SYN
 * resends (tcp.c) and mirror copies (mirror.h) are counted apart. An ACK over an open hole means
 * that the tap missed a packet: a capture gap, not loss.
 */
#ifndef RASAD_ENGINE_PACKET_LOSS_H
#define RASAD_ENGINE_PACKET_LOSS_H

#include <stdbool.h>
#include <stdint.h>

struct meter;
struct flow;
struct dir_extra;
struct pkt;

struct hole {
	uint32_t next;
	uint32_t start, end;
	uint32_t tick;	/* when it was opened, */
	uint32_t tsval; /* and by which packet */
	uint16_t ip_id, flags;
	uint32_t complaint_tick; /* of the receiver's first duplicate ACK after it */
};

enum { HOLE_HAS_TIMESTAMP = 1, HOLE_COMPLAINED = 2 };

/* A resend whose original may yet turn out to have arrived. */
struct resend {
	uint32_t next;
	uint32_t start, end, tick;
	uint32_t segments; /* as counted lost */
};

/* No stack resends the end of its data sooner: below that silence loss_tail has nothing to do. */
enum { LOSS_TAIL_TICKS = 180000000 / 128 };

enum loss_verdict {
	LOSS_FILL,     /* closes a hole: lost before the tap */
	LOSS_LATE,     /* closes a hole, only reordered */
	LOSS_RESENT,   /* seen before: lost behind the tap, as far as known now */
	LOSS_SPURIOUS, /* seen before, and the receiver had it */
};

/* Opens a hole [nxt, end) that packet `p` shows. Refusals are counted. */
void loss_open(struct meter *m, struct flow *f, int dir, uint32_t end, const struct pkt *p,
	       uint32_t tick);

/* Judges and accounts data [seq, end) below nxt, sent in direction `dir`. */
enum loss_verdict loss_old_data(struct meter *m, struct flow *f, int dir, uint32_t seq,
				uint32_t end, const struct pkt *p, uint32_t tick);

/* An ACK reached `ack`: true when no hole lies below it. Holes below it are dropped, counted as
 * missed by the tap. */
bool loss_acked(struct meter *m, struct flow *f, int dir, uint32_t ack);

/* The receiver of `dir` sent a duplicate ACK: it misses what lies in the holes. */
void loss_complained(struct meter *m, struct flow *f, int dir, uint32_t tick);

/* The receiver of `dir` reports [left, right) as received twice. */
void loss_dsack(struct meter *m, struct flow *f, int dir, uint32_t left, uint32_t right,
		uint32_t tick);

/* An ACK for `ack` arrived: whatever it covers and was resent so recently that the receiver cannot
 * have answered the resend, had arrived before. */
void loss_answered(struct meter *m, struct flow *f, int dir, uint32_t ack, uint32_t tick);

/* In-order data after a silence: was there an earlier copy that never reached the tap? */
void loss_tail(struct meter *m, struct flow *f, int dir, const struct pkt *p, uint32_t tick);

/* Drops all holes. */
void loss_forget(struct meter *m, struct dir_extra *e);

/* Drops the memory of resends. */
void loss_forget_resends(struct meter *m, struct dir_extra *e);

/* No answer to a resend of this direction comes any more. */
bool loss_resends_are_settled(const struct dir_extra *e, uint32_t tick);

#endif
