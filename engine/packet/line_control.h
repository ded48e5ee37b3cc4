/* SPDX-License-Identifier: BSD-3-Clause */
/* Control messages and the line table: whose they are, and what they mean to a line's pulse. */
#ifndef RASAD_ENGINE_PACKET_LINE_CONTROL_H
#define RASAD_ENGINE_PACKET_LINE_CONTROL_H

#include <stdbool.h>
#include <stdint.h>

struct control;
struct pkt;
struct pkt_extra;
struct worker;

/* The line of a control message, as line_of; in a shared VLAN its circuit-id names it, whatever
 * MAC the CPE has today. */
uint32_t line_control_of(struct worker *w, const struct pkt *p, const struct pkt_extra *x,
			 const struct control *c, bool sub_is_src);

/* Round trips of the line itself (the CPE answers the BRAS's LCP echo), and a new dial. */
void line_control_follow(struct worker *w, uint32_t line, const struct pkt *p,
			 const struct control *c);

#endif
