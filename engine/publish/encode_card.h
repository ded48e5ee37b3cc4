/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * struct report_subscriber and its row of the inventory -> SubscriberCard, as bytes.
 *
 * A card claims nothing until it is stamped, and it is stamped in its packed form, as often as it
 * is written to Redis: valid_until_unix_ms is its last field and eight bytes wide.
 */
#ifndef RASAD_ENGINE_PUBLISH_ENCODE_CARD_H
#define RASAD_ENGINE_PUBLISH_ENCODE_CARD_H

#include <stddef.h>
#include <stdint.h>

struct inventory_row;
struct report_subscriber;

/* The most bytes that encode_card writes for this line; row may be NULL. */
size_t encode_card_max(const struct report_subscriber *subscriber, const struct inventory_row *row);

/* Where in the card all its names stand: those that were seen, and the booked one. */
struct encoded_names {
	const uint8_t *seen, *booked;
	size_t n_seen, n_booked;
};

/* sub_id is keyspace_hash of the line. Returns the end. */
uint8_t *encode_card(const struct report_subscriber *subscriber, const struct inventory_row *row,
		     uint64_t sub_id, uint8_t *at, struct encoded_names *names);

/* Says until when the card, of n bytes, is good. */
void encode_card_stamp(uint8_t *card, size_t n, int64_t valid_until_unix_ms);

/* Until when it says to be, by its last bytes alone, whatever the others are; 0: it does not. */
int64_t encode_card_good_until(const uint8_t *card, size_t n);

#endif
