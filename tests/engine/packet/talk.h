/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A TCP connection under test: segments in, one call each; direction 0 is the subscriber's, 1 the
 * server's. Sequence numbers are offsets: 0 is the first byte of data, whatever it is on the wire.
 */
#ifndef RASAD_TESTS_ENGINE_PACKET_TALK_H
#define RASAD_TESTS_ENGINE_PACKET_TALK_H

#include <stdint.h>

#include "engine/packet/meter.h"

#define TALK_MS 1000000ull

enum { TALK_UP, TALK_DOWN };

enum { TALK_MAX_HEARD = 8192 };

struct talk {
	struct meter meter;
	struct flow flow;
	struct meter_sample heard[TALK_MAX_HEARD]; /* the samples that went to the line */
	uint32_t n_heard;
	uint64_t now_ns;
	uint32_t base[2]; /* of the sequence numbers */
	uint16_t ip_id[2];
};

/* With a log, as a flow has in a flow report; or without, as in a live engine, where the flow has
 * an extra only while it needs one. */
void talk_start(struct talk *t);
void talk_start_without_log(struct talk *t);
void talk_stop(struct talk *t);

/* SYN, SYN-ACK after `internet_ms`, ACK after `access_ms`; data starts at offset 0. */
void talk_handshake(struct talk *t, uint32_t internet_ms, uint32_t access_ms);

void talk_wait(struct talk *t, uint32_t ms);
/* Data of direction `dir`; acknowledges nothing new. */
void talk_data(struct talk *t, int dir, uint32_t offset, uint32_t len);
/* Direction `dir` acknowledges the other's bytes below `offset`; n SACK blocks as pairs. */
void talk_ack(struct talk *t, int dir, uint32_t offset);
void talk_sack(struct talk *t, int dir, uint32_t offset, const uint32_t *blocks, uint32_t n);
/* Any packet; only what is set counts. The times and the IP-ID are filled in. */
void talk_packet(struct talk *t, int dir, struct pkt p, const struct pkt_extra *x);

/* The log of the data of `dir`; its extra: zeros while there is none. */
struct dir_log *talk_log(const struct talk *t, int dir);
struct dir_extra talk_extra(const struct talk *t, int dir);
/* What the line has counted. */
const struct line *talk_line(const struct talk *t);
/* The samples of the data of `dir` in ticks, oldest first; returns how many. */
uint32_t talk_samples(const struct talk *t, int dir, uint32_t *ticks, uint32_t room);
/* Gives back what the flow holds, as the worker does when a flow is over. */
void talk_retire(struct talk *t);

/* The same numbers on every run since talk_start, or since a seed (not 0). */
uint32_t talk_random(void);
void talk_seed(uint64_t seed);

#endif
