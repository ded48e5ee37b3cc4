/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What the kernel tap (ebpf/tap.bpf.c) and its reader (collectors/xdp.c) share: memory, mapped on
 * both sides. Each CPU has a ring of records and a ring of frames (the bytes of control messages,
 * which are read again), written by the programs on that CPU alone, with bottom halves off, and
 * emptied by one reader. Nothing is copied, and no record waits for a batch to fill.
 *
 * `head` counts what was written since the start, `tail` what was read; a place is the count modulo
 * the size of the ring, a power of two. A record is complete before `head` moves: x86 keeps the
 * order of stores, and the only barrier needed is one against the compiler.
 */
#ifndef RASAD_EBPF_TAP_H
#define RASAD_EBPF_TAP_H

#include "ebpf/pkt.h"

enum {
	TAP_MAX_PORTS = 16,    /* interfaces */
	TAP_HEAD = 256,	       /* bytes of a frame that suffice as a rule */
	TAP_FRAME = 2047,      /* bytes that are ever looked at: a mask, for the verifier's sake */
	TAP_FRAME_ROOM = 2176, /* so that no read from a masked place is outside */
};

/* What was there when a packet was received or sent. */
struct tap_record {
	struct pkt pkt;		/* ts_ns: CLOCK_MONOTONIC */
	struct pkt_extra extra; /* with its port */
	pkt_u64 frame;		/* control messages: their place in the ring of frames, counted */
	pkt_u64 unused[3];
};
_Static_assert(sizeof(struct tap_record) == 192, "whole cache lines, two of them usually touched");

/* Where the parser stands between two of its parts (struct parse); offsets from the start. */
struct tap_stand {
	pkt_u32 at, wire_end, addresses, type;
	pkt_u16 svlan, cvlan;
	pkt_u8 flags, cut, past;
};

struct tap_frame {
	pkt_u8 bytes[TAP_FRAME_ROOM];
	struct tap_stand stand;
};

struct tap_ring {
	/* Written in the kernel. */
	pkt_u64 head, frame_head;
	pkt_u64 tail_seen, frame_tail_seen; /* the reader's, when last looked at */
	pkt_u64 bytes;			    /* on the wire */
	pkt_u64 full, frames_full;	    /* packets lost because a ring was full */
	pkt_u64 retagged;		    /* VLAN tags put back from metadata */
	pkt_u64 joined;			    /* packets of several segments (GSO) */
	pkt_u64 rung;			    /* times that the reader was woken */
	pkt_u64 unreadable;		    /* frames whose bytes the kernel did not give */
	pkt_u64 unused[5];
	/* Written by the reader. */
	pkt_u64 tail, frame_tail;
	pkt_u64 bell; /* 0, or it sleeps: records that wait when it is to be woken */
	pkt_u64 padding[5];
};
_Static_assert(sizeof(struct tap_ring) == 192, "each side has cache lines of its own");

/* In tests a capture is played through the program: with its own time, lengths and link type. */
struct tap_play {
	pkt_u64 clock_ns;
	pkt_u32 caplen, wire_len, link;
};

#endif
