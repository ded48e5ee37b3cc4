/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * One TCP packet through the meters of its flow.
 *
 * Sequence state per direction (what was sent, what was acknowledged) is kept here; rtt.h times
 * it and loss.h judges what comes twice or late. Works for flows joined mid-stream and for those
 * of which only one direction passes the tap.
 */
#ifndef RASAD_ENGINE_PACKET_TCP_H
#define RASAD_ENGINE_PACKET_TCP_H

#include <stdbool.h>
#include <stdint.h>

struct meter;
struct flow;
struct pkt;
struct pkt_extra;

/* A SYN that cannot belong to the connection that the flow holds: the 5-tuple is used again. */
bool tcp_is_new_connection(const struct flow *f, int dir, const struct pkt *p);

/* Accounts the packet; `dir` is the direction of its data, `identity` its mirror_identity. True when it
 * repeated data that had been seen before (for the "nobody answers" test of the line). */
bool tcp_packet(struct meter *m, struct flow *f, int dir, const struct pkt *p,
		const struct pkt_extra *x, uint64_t identity);

/* --- parts of tcp_usual.h --------------------------------------------------------------------- */

/* The next data comes after a pause, or is the first with a timestamp. */
void tcp_late_data(struct meter *m, struct flow *f, int dir, const struct pkt *p, uint32_t tick);

/* The next data of a direction that has more under way than its record holds. */
void tcp_more_data(struct meter *m, struct flow *f, int dir, const struct pkt *p, uint32_t tick);

/* An ACK that advances, of a part, or where resends may yet prove needless. */
void tcp_some_ack(struct meter *m, struct flow *f, int dir, const struct pkt *p, uint32_t tick);

#endif
