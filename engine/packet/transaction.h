/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Question and answer without a flow: DNS queries and ICMP echoes, timed by their identifier.
 *
 * A fixed, direct-mapped table: a question that is still young when another takes its slot is
 * counted. A repeated question is ambiguous (Karn) and gives no sample. One thread only.
 */
#ifndef RASAD_ENGINE_PACKET_TRANSACTION_H
#define RASAD_ENGINE_PACKET_TRANSACTION_H

#include <stdbool.h>
#include <stdint.h>

#include "ebpf/pkt.h"

struct transaction;

struct transaction_table {
	struct transaction *slots; /* owned */
	uint64_t overwritten;
};

enum transaction_result { TRANSACTION_NONE, TRANSACTION_TIMED };

int transaction_init(struct transaction_table *table);
void transaction_fini(struct transaction_table *table);

/* Takes a DNS or ICMP echo packet. TRANSACTION_TIMED: *ns is the time from question to answer. */
enum transaction_result transaction_packet(struct transaction_table *table, const struct pkt *p,
					   uint64_t *ns);

/* The packet asks (DNS query, echo request). */
bool transaction_is_question(const struct pkt *p);

#endif
