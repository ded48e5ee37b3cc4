/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Dead cards leave: those of lines that are gone, in buckets that other lines keep alive.
 *
 * Readers take them for absent anyhow; this is about the memory of Redis. As long as cards are
 * published, some 500 cards are looked at every second, all of a million in half an hour; a card
 * whose claim ended more than the length of a claim ago is removed, unless somebody writes to the
 * bucket at the same moment: then it is removed the next time. That reads 0.4 MB/s.
 */
#ifndef RASAD_ENGINE_PUBLISH_SWEEP_H
#define RASAD_ENGINE_PUBLISH_SWEEP_H

struct delivery;

/* Looks at the next cards, if it is time. Returns like deliver_items. */
int sweep(struct delivery *delivery);

#endif
