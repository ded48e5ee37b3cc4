/* SPDX-License-Identifier: BSD-3-Clause */
/* A BRAS without a way to the Internet says so: ICMP, destination unreachable. */
#ifndef RASAD_GEN_REFUSE_H
#define RASAD_GEN_REFUSE_H

#include "tools/rasad-gen/world.h"

/* The IP packet that was emitted last came from `client` and goes nowhere: tells it
 * so. False: there is a way, or nobody says that there is none. */
bool refuse(struct world *w, const struct l2 *l2, const struct ip_addr *client);

#endif
