/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A worker takes bursts of records and does everything that happens per packet: line, flow,
 * round trips, loss. What it has to say leaves through its outbox, a ring of records (window.h):
 * what analysis must know at once as signals, what was counted when its window is over.
 *
 * A burst goes through in steps (steps.c). No lock, no system call, no allocation but of pages that
 * are touched for the first time. Time is the packets' own. One thread.
 */
#ifndef RASAD_ENGINE_PACKET_WORKER_H
#define RASAD_ENGINE_PACKET_WORKER_H

#include <stdbool.h>
#include <stdint.h>

#include "engine/base/ring.h"
#include "engine/packet/control.h"
#include "engine/packet/flow.h"
#include "engine/packet/meter.h"
#include "engine/packet/transaction.h"
#include "engine/packet/window.h"
#include "engine/source.h"

struct worker_options {
	uint32_t max_lines, max_flows;
	uint64_t hash_seed; /* 0 in a replay; random in a live engine */
	bool keep_flows;    /* keep each flow and its samples until the end, for a flow report */
	bool full_size;	    /* tables at full size from the start: none grows while packets pass */
	/* Called while the outbox is full, until there is room; NULL: records are put off, and what
	 * cannot be is lost, counted. */
	void (*full)(void *context);
	void *context;
};

enum signal_kind {
	SIGNAL_CONTROL,	    /* a control-plane message */
	SIGNAL_SESSION,	    /* upstream traffic in a PPPoE session, other than the last one */
	SIGNAL_ADDRESS,	    /* the subscriber used this address */
	SIGNAL_UNANSWERED,  /* downstream demand without an upstream frame */
	SIGNAL_UPSTREAM,    /* first upstream frame after an LCP echo or SIGNAL_UNANSWERED */
	SIGNAL_NO_INTERNET, /* upstream demand; the last that came down did so at `since_ns` */
	SIGNAL_INTERNET,    /* something does again, after SIGNAL_NO_INTERNET */
	SIGNAL_RESOLVER,    /* the line asks this address for names */
	SIGNAL_NO_NAMES, /* that does not answer any more, or that it cannot; it did at `since_ns` */
	SIGNAL_NAMES,	 /* it does again */
};

struct signal {
	uint64_t ts_ns;
	uint64_t last_up_ns; /* of the line, before this packet; 0: never */
	enum signal_kind kind;
	uint8_t tap; /* that the packet came from */
	bool ipv6;
	uint8_t address[16];
	union {
		struct control
			control; /* SIGNAL_CONTROL; session id and MACs with SIGNAL_SESSION too */
		struct {	 /* demand without an answer */
			uint64_t since_ns, asked_ns; /* asked: the first question of it */
			uint64_t heard_ns; /* SIGNAL_NO_NAMES: the last frame from the Internet */
		};
	};
};

struct out_signal {
	struct out out;
	struct signal signal;
};

struct worker {
	struct worker_options options;
	struct meter meter;
	struct flow_table flows;
	struct transaction_table transactions;
	struct pool names;   /* struct line_names (demand.h) */
	struct map circuits; /* circuit-id -> line, in shared VLANs */
	struct window window;
	struct ring *outbox;	   /* not owned */
	const struct burst *burst; /* in work: then its packet `at` is; or NULL */
	uint32_t at;
	uint64_t order, clock_ns;	     /* of the last packet before */
	uint8_t source_tap, tap;	     /* that packets come from; of the packet in work */
	bool many_taps;			     /* pkt_extra.tap tells them apart */
	int32_t aged;			     /* next slot that the ageing looks at */
	uint32_t aged_at;		     /* flow_age when it did so last */
	uint64_t flows_evicted;		     /* at the limit */
	uint64_t flows_refused;		     /* nothing could be evicted */
	uint64_t circuits_refused;	     /* more circuit-ids than lines are allowed */
	uint64_t signals_lost, samples_lost; /* the outbox was full */
	uint64_t told_late;		     /* records put off because the outbox was full */
};

/* 0 or -ENOMEM. The worker writes to `outbox`, which outlives it. */
int worker_init(struct worker *worker, const struct worker_options *options, struct ring *outbox);
void worker_fini(struct worker *worker);

/* Handles a burst whose clock_ns and order are filled in. */
void worker_burst(struct worker *worker, struct burst *burst);

/* Tells what the source found about a tap; of bursts the worker does so itself. */
void worker_tap(struct worker *worker, const struct tap_news *news, uint64_t clock_ns);

/* Packet time has come to `clock_ns` without packets: windows end, and are closed further. */
void worker_idle(struct worker *worker, uint64_t clock_ns);

/* Leaves nothing untold; false: not yet, the outbox is full. */
bool worker_flush(struct worker *worker);

/* --- for the parts of the worker ---------------------------------------------------------------- */

/* The clock of the packet in work. */
static inline uint64_t worker_clock_ns(const struct worker *w)
{
	return w->burst ? burst_clock_ns(w->burst, w->at) : w->clock_ns;
}

/* Its place in the stream. */
static inline uint64_t worker_order(const struct worker *w)
{
	return w->burst ? burst_order(w->burst, w->at) : w->order;
}

/* What is known of a packet's flow before its turn comes. */
struct flow_hint {
	struct flow *flow; /* where it was a moment ago, or NULL */
	uint32_t hash;	   /* of its key */
	uint32_t home;	   /* group, a moment ago */
};

/* Works on packets from..end of the burst. `turns`: a second may end among them. */
void worker_packets(struct worker *w, struct burst *burst, const struct flow_hint *hints,
		    uint32_t from, uint32_t end, bool turns);

/* What is done a little at a time: samples, windows, ageing. */
void worker_after_burst(struct worker *w);

/* The head of a record, as of the packet in work. */
struct out worker_out(const struct worker *w, enum out_kind kind, uint32_t line);

/* Room for a record in the outbox; the caller fills it and commits. NULL: full. */
void *worker_tell(struct worker *w, size_t size);

/* Samples that the meters have queued go to their lines. */
void worker_pass_samples(struct worker *w);

#endif
