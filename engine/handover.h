/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Packets from the thread that receives them to the thread whose worker owns their line.
 *
 * A queue of parcels between one receiver and one lane. The receiver fills the open parcel with
 * decoded records (and with the bytes of control messages, which are read again) and hands it over
 * when it is full, or when others should not wait for it. A parcel without packets still carries
 * the time. The lane works on the parcel in place. One thread on each side.
 */
#ifndef RASAD_ENGINE_HANDOVER_H
#define RASAD_ENGINE_HANDOVER_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "engine/source.h"

/* Any control message fits: two 16-bit lengths. Pages that are never used cost nothing. */
enum { HANDOVER_PARCELS = 32, HANDOVER_BYTES = 160 << 10 };

struct parcel {
	struct burst burst;
	uint64_t order, clock_ns; /* all packets up to here are in this parcel or before it */
	bool last;		  /* the source has ended */
	uint32_t n_bytes;
	uint8_t bytes[HANDOVER_BYTES]; /* frames of control messages */
};

struct handover {
	struct parcel *parcels;		    /* owned: a ring */
	_Alignas(64) _Atomic uint32_t head; /* of the receiver: parcels handed over */
	uint64_t refused;		    /* packets, because the ring was full */
	_Alignas(64) _Atomic uint32_t tail; /* of the lane: parcels done */
};

/* 0 or -ENOMEM. */
int handover_init(struct handover *h);
void handover_fini(struct handover *h);

/* --- the receiver's side ------------------------------------------------------------------------ */

/* The parcel being filled; NULL while the ring is full. */
struct parcel *handover_open(struct handover *h);

/* Puts packet `i` of `burst` into the parcel; false when it has no room for it. */
bool handover_put(struct parcel *parcel, struct burst *burst, uint32_t i);

/* Hands the open parcel over. */
void handover_close(struct handover *h, uint64_t order, uint64_t clock_ns, bool last);

/* --- the lane's side ---------------------------------------------------------------------------- */

/* The oldest parcel, or NULL. */
struct parcel *handover_peek(struct handover *h);
void handover_done(struct handover *h);

#endif
