/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A worker takes bursts of records and does everything that happens per packet: line, flow,
 * round trips, loss. What analysis must know at once leaves as signals, in packet order; what it
 * wants to know about a line is read with worker_line and worker_flow.
 *
 * A burst goes through in stages that each touch one kind of memory (hash, bucket, record, work),
 * with a prefetch between them. No lock, no system call; memory is taken from pools. Time is the
 * packets' own. One thread.
 */
#ifndef RASAD_ENGINE_PACKET_WORKER_H
#define RASAD_ENGINE_PACKET_WORKER_H

#include <stdbool.h>
#include <stdint.h>

#include "engine/base/clock.h"
#include "engine/base/dist.h"
#include "engine/packet/control.h"
#include "engine/packet/flow.h"
#include "engine/packet/meter.h"
#include "engine/packet/transaction.h"
#include "engine/source.h"

struct worker_options {
	uint32_t max_lines, max_flows;
	uint64_t hash_seed; /* 0 in a replay; random in a live engine */
	bool keep_flows;    /* keep each flow and its samples until the end, for a flow report */
};

enum signal_kind {
	SIGNAL_CONTROL,	   /* a control-plane message */
	SIGNAL_SESSION,	   /* upstream traffic in a PPPoE session, other than the last one */
	SIGNAL_ADDRESS,	   /* the subscriber used this address */
	SIGNAL_UNANSWERED, /* downstream demand without an upstream frame */
	SIGNAL_UPSTREAM,   /* first upstream frame after an LCP echo or SIGNAL_UNANSWERED */
};

struct signal {
	uint64_t ts_ns;
	uint64_t clock_ns;   /* packet time: ts_ns, unless packets came out of order */
	uint64_t last_up_ns; /* of the line, before this packet; 0: never */
	uint32_t line;
	enum signal_kind kind;
	bool ipv6;
	uint8_t address[16];
	struct control control; /* SIGNAL_CONTROL; session id and MACs with SIGNAL_SESSION too */
};

struct worker {
	struct worker_options options;
	struct meter meter;
	struct flow_table flows;
	struct transaction_table transactions;
	struct map circuits;	/* circuit-id -> line, in shared VLANs */
	struct signal *signals; /* owned; of the last burst */
	uint32_t n_signals, signals_room;
	uint64_t circuits_refused; /* more circuit-ids than lines are allowed */
	uint64_t signals_lost;	   /* no memory */
	struct clock clock;
};

/* What was measured of a line since the start. */
struct line_metrics {
	uint64_t packets[2], bytes[2], last_ns[2];
	struct dist hist[HIST_COUNT];
	uint64_t data_packets[2], lost_before[2], lost_after[2];
	uint64_t reordered[2], spurious[2], tail_loss[2];
};

int worker_init(struct worker *worker, const struct worker_options *options);
void worker_fini(struct worker *worker);

/* Handles a burst; its signals are in worker->signals until the next call. */
void worker_burst(struct worker *worker, const struct burst *burst);

/* Adds the line's counters and histograms to *sum and *hists (HIST_COUNT of them; NULL: leave). */
void worker_add_line(const struct worker *worker, uint32_t line, struct line_metrics *sum,
		     struct hist_sum *hists);

#endif
