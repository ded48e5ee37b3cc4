/* SPDX-License-Identifier: BSD-3-Clause */
/* All that a line answers to: user, circuit-id, modem, addresses. */
#ifndef RASAD_ENGINE_PUBLISH_CARD_NAMES_H
#define RASAD_ENGINE_PUBLISH_CARD_NAMES_H

#include <stddef.h>
#include <stdint.h>

#include "engine/publish/keyspace.h"

struct encoded_names;

#define CARD_NAMES_MAX 24

/*
 * Of all names in the card: the same as long as they are the same. For a table of our own: fast,
 * not SipHash. Two sets in 2^64 are taken for one, and then an index comes hours late.
 */
uint64_t card_names_hash(const struct encoded_names *names);

/* Index keys, with a NUL after each. */
struct card_names {
	char text[CARD_NAMES_MAX * KEYSPACE_KEY_MAX];
	size_t size, n;
};

/* The index keys of a packed SubscriberCard; none when the bytes are broken. */
void card_names_read(const uint8_t *card, size_t n, struct card_names *names);

#endif
