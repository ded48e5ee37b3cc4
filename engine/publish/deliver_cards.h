/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Cards: those that wait for the same bucket go in one HSET, at most CARDS_AT_ONCE, and one EXPIRE.
 *
 * A card is stamped when it is sent: its claim of liveness begins then, on the clock of Redis
 * (keyspace.h tells the rules). The clock is asked when a connection opens and with every batch.
 */
#ifndef RASAD_ENGINE_PUBLISH_DELIVER_CARDS_H
#define RASAD_ENGINE_PUBLISH_DELIVER_CARDS_H

#include <stddef.h>

struct delivery;
struct item;

#define CARDS_AT_ONCE 64

/* Cards, and the indexes that are due. Returns like deliver_items. */
int deliver_cards(struct delivery *delivery, struct item **items, size_t n);

#endif
