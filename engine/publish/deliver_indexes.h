/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The indexes that lead to a card.
 *
 * Each is read, added to, and written back: a name may own several lines, even lines of another
 * engine, and Redis remembers that across restarts where a table in memory would not. That is two
 * commands for each of some seven names, against a fraction of one for the card: so it is done
 * when the names of a line are new or have changed, and again after 6 to 12 hours (not for all
 * lines at once), and a card that is refreshed in between costs no index. What was told on this
 * connection is remembered in a table of 16 bytes a line for each bucket of cards (which are told
 * together, so that the table stays in the cache); a new connection begins with empty ones, and a
 * full one begins anew.
 */
#ifndef RASAD_ENGINE_PUBLISH_DELIVER_INDEXES_H
#define RASAD_ENGINE_PUBLISH_DELIVER_INDEXES_H

#include <stddef.h>

struct delivery;
struct item;

/* Were these names of the line told on this connection, and if so: lately enough? */
enum index_state { INDEX_UNTOLD, INDEX_DUE, INDEX_FRESH };
enum index_state index_state(const struct delivery *delivery, const struct item *card);

/* As if nothing had been told. */
void deliver_forget_indexes(struct delivery *delivery);

/* Adds the cards to all their indexes. Returns like deliver_items. */
int deliver_indexes(struct delivery *delivery, struct item **cards, size_t n);

#endif
