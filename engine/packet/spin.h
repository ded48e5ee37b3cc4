/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The spin bit of QUIC (RFC 9000 17.4, RFC 9312 3.8.2): the server reflects the client's bit, the
 * client inverts the server's, so each half of the round trip runs from an edge one way to the
 * edge that follows it the other way. Periods outside 2 ms to 10 s are noise or greasing.
 */
#ifndef RASAD_ENGINE_PACKET_SPIN_H
#define RASAD_ENGINE_PACKET_SPIN_H

struct meter;
struct flow;
struct pkt;

void spin_packet(struct meter *m, struct flow *f, int dir, const struct pkt *p);

#endif
