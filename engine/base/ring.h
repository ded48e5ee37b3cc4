/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Records of any size from one thread to another: a ring of bytes with one writer and one reader.
 *
 * A record lies in one piece and is written and read in place. A full ring refuses; whether its
 * writer waits or counts a loss is the writer's affair. Reader and writer touch each other's
 * position only when the one they remember says that they must (FastForward, Lamport).
 */
#ifndef RASAD_ENGINE_BASE_RING_H
#define RASAD_ENGINE_BASE_RING_H

#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>

struct ring {
	uint8_t *bytes;			  /* owned */
	size_t size;			  /* a power of two */
	_Alignas(64) _Atomic size_t head; /* of the writer: bytes written since the start */
	size_t reserved;		  /* of the record being written, with its header */
	size_t known_tail;
	_Alignas(64) _Atomic size_t tail; /* of the reader: bytes read since the start */
	size_t known_head, peeked;	  /* peeked: behind the last record of ring_peek_all */
};

/* `size`: a power of two. 0 or -ENOMEM. */
int ring_init(struct ring *ring, size_t size);
void ring_fini(struct ring *ring);

/* Room for a record of `size` bytes, aligned to 8, to be filled and committed; NULL: full, or
 * larger than a quarter of the ring. */
void *ring_reserve(struct ring *ring, size_t size);

/* Hands over the record reserved last. */
void ring_commit(struct ring *ring);

/* The oldest record, or NULL; it stays until ring_release. */
const void *ring_peek(struct ring *ring);
void ring_release(struct ring *ring);

/* The oldest records, at most `most`, which all stay until ring_release_all; returns how many. */
uint32_t ring_peek_all(struct ring *ring, const void **records, uint32_t most);
void ring_release_all(struct ring *ring);

#endif
