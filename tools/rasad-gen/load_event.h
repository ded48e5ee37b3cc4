/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What is due later: a wheel of 2^19 buckets of 1024 ns, so that half a second lies ahead. Events of
 * one bucket keep the order in which they were planned. What comes soon is taken out some
 * microseconds early, and its flow prefetched.
 */
#ifndef RASAD_GEN_LOAD_EVENT_H
#define RASAD_GEN_LOAD_EVENT_H

#include <stdint.h>

enum load_event_kind {
	EVENT_ACK,
	EVENT_RESEND,
	EVENT_ECHO_REPLY,
	EVENT_DIAL,
};

struct load_event {
	uint64_t due_ns;
	uint32_t next;
	uint32_t who;	  /* flow, or line */
	uint32_t ack;	  /* ACK: what is acknowledged; echo: its id; dial: the step */
	uint32_t right;	  /* ACK: end of the SACK block */
	uint32_t echo_ms; /* ACK: the sender's clock that it echoes */
	uint16_t gap;	  /* ACK: bytes missing between `ack` and the SACK block; 0: no block */
	uint8_t kind;
	uint8_t clean; /* ACK: nobody can mistake what it measures */
};
_Static_assert(sizeof(struct load_event) == 32, "two to a cache line");

struct load_events {
	uint32_t *bucket; /* newest first */
	struct load_event *pool;
	uint32_t used, capacity, free;
	uint32_t pending; /* in the wheel */
	uint64_t cursor;  /* the first bucket not yet taken out */
	uint32_t soon_head, soon_tail;
};

/* How far ahead an event must be planned, and how far it may be. */
#define LOAD_EVENT_MIN_NS 20000ull
#define LOAD_EVENT_MAX_NS (500 * 1000000ull)

void load_events_init(struct load_events *e);
void load_events_fini(struct load_events *e);
void load_events_plan(struct load_events *e, uint64_t now_ns, const struct load_event *event);
/* Takes the next event that is due out into `event`; `touch` the memory that an event will need. */
int load_events_due(struct load_events *e, uint64_t now_ns, struct load_event *event,
		    const void *flows, uint32_t flow_bytes);

/* No event is due before this, or UINT64_MAX if none is planned. */
uint64_t load_events_next_ns(const struct load_events *e);

#endif
