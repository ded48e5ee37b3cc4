/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What can happen to many lines at once, on purpose and at a known time: the network behind the
 * tap, the BRAS itself, an access node with all its lines, or the tap, which makes nobody unhappy
 * but the observer.
 */
#ifndef RASAD_GEN_OUTAGE_H
#define RASAD_GEN_OUTAGE_H

#include <stdbool.h>
#include <stdint.h>

enum outage_kind {
	OUTAGE_NONE,
	OUTAGE_FLAPS,	  /* single lines lose power, none together */
	OUTAGE_SVLAN,	  /* the uplink of a node: its lines carry nothing, the modems live on */
	OUTAGE_POWER,	  /* a node and its modems: they dial over sessions that lived */
	OUTAGE_CARD,	  /* a card of a node: its lines lose their signal */
	OUTAGE_UPLINK,	  /* the BRAS has no way to the Internet, and says so (ICMP) */
	OUTAGE_BLACKHOLE, /* the same, and nobody says so */
	OUTAGE_DNS,	  /* the resolver does not answer */
	OUTAGE_SERVFAIL,  /* it answers that it cannot */
	OUTAGE_RADIUS,	  /* RADIUS is silent: whoever dials is refused after the BRAS's timeouts */
	OUTAGE_REJECT,	  /* RADIUS refuses everybody */
	OUTAGE_BRAS,	  /* the BRAS stops dead and starts again knowing nobody */
	OUTAGE_HANG,	  /* the BRAS is deaf and dumb for a while, and goes on */
	OUTAGE_BLIND,	  /* the tap sees nothing */
	OUTAGE_UPSTREAM,  /* the tap sees only what comes from the lines, all the time */
	OUTAGE_COUNT,
};

struct outage {
	enum outage_kind kind;
	uint64_t from_ns, to_ns;
	bool now; /* it goes on */
};

/* The kind with this name; OUTAGE_COUNT: there is none. */
enum outage_kind outage_of(const char *name);
const char *outage_name(enum outage_kind kind);

/* The way to the Internet is cut. */
static inline bool outage_cuts_internet(const struct outage *o)
{
	return o->now && (o->kind == OUTAGE_UPLINK || o->kind == OUTAGE_BLACKHOLE);
}

static inline bool outage_stops_bras(const struct outage *o)
{
	return o->now && (o->kind == OUTAGE_BRAS || o->kind == OUTAGE_HANG);
}

static inline bool outage_is(const struct outage *o, enum outage_kind kind)
{
	return o->now && o->kind == kind;
}

#endif
