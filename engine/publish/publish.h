/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The publisher: reports in, Redis out.
 *
 * publish_take runs on the caller's thread (one at a time): it encodes at once and queues, and
 * makes no Redis call. One thread of the publisher's own talks to Redis at I/O pace, reconnects
 * when it must, and sends again what was not acknowledged; how an event still gets into its
 * stream once only is told in deliver.h.
 *
 * Session events, flap summaries and gap notices go to the stream of the shard, incidents to four
 * keys at once (deliver_incident.h), minutes to a stream of their own
 * (64 to an entry), a subscriber becomes a card in a bucket with its indexes, a node a key, health
 * the key that says that we watch. Flows are not published.
 * The queue is bounded in bytes. When it is full a replay waits (lossless) and a live engine
 * sheds: node summaries, then minutes, then cards, events last, each one counted and told in the
 * health key. Incidents are never shed (queue.h).
 *
 * Packet time drives the engine; here, at the edge, waiting for a server is in real time.
 */
#ifndef RASAD_ENGINE_PUBLISH_PUBLISH_H
#define RASAD_ENGINE_PUBLISH_PUBLISH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct inventory;
struct publisher;
struct report;

struct publish_options {
	const char *url;	/* redis://[[user]:password@]host[:port][/db], unix:/path[?db=N] */
	const char *collector;	/* names the health key: "pcap:access.pcap" */
	const char *version;	/* of the engine */
	uint64_t epoch_unix_ms; /* start of this process */
	unsigned shard;		/* 0..255, one writer each: the stream rasad:{eXX}:ev */
	const struct inventory *inventory; /* or NULL; outlives the publisher, read-only */
	size_t queue_bytes;		   /* 0: 64 MiB */
	/* A full queue makes publish_take wait (replay), not shed (live); and what a predecessor left
	 * open stays as it is, so that a second run changes nothing. */
	bool lossless;
	unsigned patience_ms; /* lossless: give up after so long without Redis; 0: 60 s */
};

struct publish_error {
	char text[256];
};

/* All since publish_open. What was shed or refused is gone; the rest arrived or is queued. */
struct publish_counters {
	uint64_t events_published, events_already_published, events_moved, events_queued;
	uint64_t cards_published, cards_coalesced, nodes_published;
	uint64_t minutes_published, minutes_already_published; /* records, not entries */
	uint64_t events_shed, cards_shed, minutes_shed, nodes_shed;
	/* shed: what could not be made into a message. coalesced: revisions that said how it goes. */
	uint64_t incidents_published, incidents_already_published, incidents_queued;
	uint64_t incidents_shed, incidents_coalesced;
	uint64_t incidents_withdrawn; /* a predecessor's that were still open */
	uint64_t cards_removed;	      /* long dead ones, of whoever wrote them */
	uint64_t refused; /* cards, nodes and health that the server answered with an error */
	uint64_t reconnects;
};

/* Connects and logs in, or returns NULL at once and says why. */
struct publisher *publish_open(const struct publish_options *options, struct publish_error *error);

/* Takes one report; the signature is that of report_sink.take, publisher its context. */
void publish_take(void *publisher, const struct report *report);

/* Any thread, any time. */
void publish_counters(struct publisher *publisher, struct publish_counters *counters);

/* Is there trouble with Redis just now? The text says which. Any thread. */
bool publish_trouble(struct publisher *publisher, struct publish_error *error);

/*
 * Flushes what is queued for at most deadline_ms, says running = false in the health key, and
 * frees the publisher. Returns 0; or -EIO when something was left or shed, and error says what and
 * why. counters and error may be NULL. A hung server may add the time of one command, 2 s.
 */
int publish_close(struct publisher *publisher, unsigned deadline_ms,
		  struct publish_counters *counters, struct publish_error *error);

#endif
