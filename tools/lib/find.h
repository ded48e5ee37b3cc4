/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A caller names a line by whatever they have at hand. The text is looked up in every form that
 * it could be (a user name may well look like a phone number), all in one pipeline.
 *
 * Errors are -EIO (the connection is lost), -EPROTO (Redis refused) and -ENOMEM.
 */
#ifndef RASAD_TOOLS_LIB_FIND_H
#define RASAD_TOOLS_LIB_FIND_H

#include <stdbool.h>
#include <stddef.h>

#include "engine/publish/keyspace.h"
#include "proto/rasad/v1/card.pb-c.h"

struct redis;

struct found {
	char (*sub_ids)[KEYSPACE_SUB_ID_SIZE]; /* to be freed, also after an error */
	size_t n;
};

/* Every line that is indexed under the text. Returns 0 or an error. */
int find_lines(struct redis *redis, const char *text, struct found *found);

/* The same in two steps, for a name in the canonical form of its kind. */
int find_ask(struct redis *redis, enum keyspace_index kind, const char *name);
int find_next(struct redis *redis, struct found *found);

/* Adds what is a sub_id, once. false: out of memory. */
bool found_add(struct found *found, const char *sub_id);

/* Does the card still answer to the text? An index may be older than the card. */
bool card_answers(const Rasad__V1__SubscriberCard *card, const char *text);

#endif
