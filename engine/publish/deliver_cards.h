/* SPDX-License-Identifier: BSD-3-Clause */
/* Cards and the indexes that lead to them; and what they share with deliver.c. */
#ifndef RASAD_ENGINE_PUBLISH_DELIVER_CARDS_H
#define RASAD_ENGINE_PUBLISH_DELIVER_CARDS_H

#include <stddef.h>
#include <stdint.h>

struct delivery;
struct item;

int deliver_cards(struct delivery *delivery, struct item **items, size_t n);

/* From deliver.c */
int deliver_append(struct delivery *delivery, const char *const *texts);
int deliver_append_set(struct delivery *delivery, const char *key, const uint8_t *value, size_t n,
		       const char *ttl_s);
int deliver_read_sets(struct delivery *delivery, size_t n);
int deliver_lost_connection(struct delivery *delivery);

#endif
