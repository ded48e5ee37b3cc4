/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Revisions of incidents: each of them once, and never a key that goes backwards.
 *
 * A revision is one transaction over four keys, all in one slot: the incident, its members, the set
 * of open ones, the entry in the stream. So whoever reads the stream finds the keys, and a revision
 * is there as a whole or not at all; the stored one says which. The keys are watched from the
 * question to the EXEC:
 *   - the stored revision is the same or later: this one is there already (a reply was lost, or the
 *     capture is published a second time), nothing is written;
 *   - somebody else wrote meanwhile, to this incident or to the stream (publishers of other shards
 *     write to it, too): EXEC does nothing, and the question is asked anew;
 *   - else the entry takes an id above the newest one of the stream, that of its time if it can.
 * It costs two round trips a revision; an incident says at most four a minute.
 *
 * A predecessor's open incidents. A live engine knows nothing of what the one before it watched, so
 * when it starts, those that its shard has left open are withdrawn: RETRACTED, with a revision more,
 * severity INDETERMINATE, "watch lost" in the timeline, as neither "it goes on" nor "it is repaired"
 * would be true. If the fault lasts, it opens anew under another id. Other shards' are withdrawn
 * when their collector has no health and they have said nothing for a day. The publisher of a
 * capture withdraws nothing, so that a second run of it changes nothing.
 */
#ifndef RASAD_ENGINE_PUBLISH_DELIVER_INCIDENT_H
#define RASAD_ENGINE_PUBLISH_DELIVER_INCIDENT_H

#include <stddef.h>

struct delivery;
struct item;

/* Items of class ITEM_INCIDENT, in this order. Returns like deliver_items. */
int deliver_incidents(struct delivery *delivery, struct item **items, size_t n);

/* If that is still to be done: ends what nobody watches any more. Returns like deliver_items. */
int deliver_withdrawals(struct delivery *delivery);

#endif
