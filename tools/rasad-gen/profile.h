/* SPDX-License-Identifier: BSD-3-Clause */
/* The population: what lines, hosts and servers are like, drawn from the seed. */
#ifndef RASAD_GEN_PROFILE_H
#define RASAD_GEN_PROFILE_H

#include "tools/rasad-gen/tcp.h"

#define PROFILE_SERVERS 300

struct ip_addr profile_ipv4(uint32_t host_order);
void profile_line_address(struct line *l);
/* A line with DSL- to fibre-like delay, jitter, rates, buffers and the losses of the options. */
void profile_line(struct line *l, const struct options *o, uint32_t number);
struct tcp_host profile_client(struct rng *r, bool v6);
struct tcp_host profile_server(struct rng *r, bool v6);
/* Fills the server's address, port and core links; the same server is always equally far. */
void profile_core(struct tcp_plan *p, struct rng *r, const struct options *o, uint64_t flow);
uint16_t profile_port(struct line *l);

#endif
