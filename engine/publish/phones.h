/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The phone index: from the inventory alone, once per connection, without TTL, so that a caller
 * whose line has never been seen is still told apart from one that nobody knows. The inventory
 * is the truth, so an index is written over, not added to. Publishing thread only.
 */
#ifndef RASAD_ENGINE_PUBLISH_PHONES_H
#define RASAD_ENGINE_PUBLISH_PHONES_H

#include <stdbool.h>
#include <stddef.h>

struct delivery;
struct inventory;
struct inventory_row;

struct phones {				   /* {0}: no phones */
	const struct inventory_row **rows; /* those with a phone, by phone */
	size_t n, at;
};

bool phones_init(struct phones *phones, const struct inventory *inventory);
void phones_fini(struct phones *phones);

/* Publishes the next max phones. Returns 0 or negative when the connection is lost. */
int phones_publish(struct phones *phones, struct delivery *delivery, size_t max);
bool phones_are_done(const struct phones *phones);

#endif
