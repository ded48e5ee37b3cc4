/* SPDX-License-Identifier: BSD-3-Clause */
#include "tools/rasad-desk/offline_lines.h"

#include <stdlib.h>
#include <string.h>

#include "engine/base/phone.h"
#include "engine/match/book.h"
#include "engine/match/identity.h"
#include "engine/base/key.h"
#include "engine/publish/keyspace.h"
#include "proto/rasad/v1/card.pb-c.h"

#define NEIGHBOURS_MIN 5

typedef Rasad__V1__SubscriberCard Card;

void offline_lines_fini(struct offline_lines *lines)
{
	for (uint32_t i = 0; i < lines->n; i++)
		rasad__v1__subscriber_card__free_unpacked(lines->cards[i], NULL);
	free(lines->cards);
	free(lines->phones);
	free(lines->tallies);
	map_fini(&lines->by_sub_id);
	map_fini(&lines->by_name);
	map_fini(&lines->by_group);
	*lines = (struct offline_lines){0};
}

/* Room for one more of a list that doubles at powers of two. */
static void *grow(void *list, uint32_t n, size_t size)
{
	return n & (n - 1) ? list : realloc(list, (n ? 2 * n : 1) * size);
}

/* --- groups --- */

static struct offline_tally *tally_of(struct offline_lines *lines, const Rasad__V1__GroupRef *group)
{
	uint64_t key = key_of_group(group->group_type, group->group);
	const uint32_t *index = map_find(&lines->by_group, key);

	if (index)
		return &lines->tallies[*index];
	void *grown = grow(lines->tallies, lines->n_tallies, sizeof(*lines->tallies));
	if (!grown)
		return NULL;
	lines->tallies = grown;
	if (!map_put(&lines->by_group, key, lines->n_tallies))
		return NULL;
	lines->tallies[lines->n_tallies] = (struct offline_tally){0};
	return &lines->tallies[lines->n_tallies++];
}

static bool is_down(const Card *card)
{
	return card->summary && card->summary->state == RASAD__V1__LINE_STATE__LINE_STATE_DOWN;
}

static void count(struct offline_lines *lines, const Card *card, bool add)
{
	for (size_t i = 0; i < card->n_groups; i++) {
		struct offline_tally *tally = tally_of(lines, card->groups[i]);
		if (!tally)
			continue;
		tally->lines += add ? 1 : (uint64_t)-1;
		tally->down += is_down(card) ? (add ? 1 : (uint64_t)-1) : 0;
	}
}

/* Groups of a card come narrowest first; the first with neighbours is taken. */
bool offline_lines_siblings(const struct offline_lines *lines, const Card *card,
			    Rasad__V1__NodeSummary *out)
{
	for (size_t i = 0; i < card->n_groups; i++) {
		const Rasad__V1__GroupRef *group = card->groups[i];
		const uint32_t *index =
			map_find(&lines->by_group, key_of_group(group->group_type, group->group));
		if (!index || lines->tallies[*index].lines < NEIGHBOURS_MIN)
			continue;
		out->lines = lines->tallies[*index].lines;
		out->down = lines->tallies[*index].down;
		return true;
	}
	return false;
}

/* --- names --- */

static uint64_t name_key(enum identity_kind kind, const char *name)
{
	const char prefix[2] = {(char)('a' + kind), 0};

	return key_end(key_add(key_add(KEY_START, prefix), name));
}

static bool add_name(struct offline_lines *lines, enum identity_kind kind, const char *name,
		     uint32_t line)
{
	uint64_t key = name_key(kind, name);
	const uint32_t *index = map_find(&lines->by_name, key);

	if (!*name)
		return true;
	if (!index) {
		void *grown = grow(lines->phones, lines->n_phones, sizeof(*lines->phones));
		if (!grown)
			return false;
		lines->phones = grown;
		if (!map_put(&lines->by_name, key, lines->n_phones))
			return false;
		lines->phones[lines->n_phones++] = (struct offline_phone){0};
		index = map_find(&lines->by_name, key);
	}
	struct offline_phone *phone = &lines->phones[*index];
	if (phone->n < OFFLINE_LINES_OF_PHONE)
		phone->lines[phone->n++] = line;
	return true;
}

size_t offline_lines_find(const struct offline_lines *lines, const struct identity_key *key,
			  const Card **out)
{
	const uint32_t *index = map_find(&lines->by_name, name_key(key->kind, key->text));
	size_t n = index ? lines->phones[*index].n : 0, n_out = 0;

	for (size_t i = 0; i < n; i++)
		if (lines->phones[*index].lines[i] < lines->n)
			out[n_out++] = lines->cards[lines->phones[*index].lines[i]];
	return n_out;
}

const Card *offline_lines_at(const struct offline_lines *lines, uint64_t sub_id)
{
	const uint32_t *index = sub_id ? map_find(&lines->by_sub_id, sub_id) : NULL;

	return index ? lines->cards[*index] : NULL;
}

/* --- cards --- */

static bool complete(Card *card)
{
	char sub_id[KEYSPACE_SUB_ID_SIZE], phone[PHONE_SIZE];

	if (!*card->sub_id && card->summary) {
		keyspace_sub_id(card->summary->line, sub_id);
		card->sub_id = strdup(sub_id);
	}
	if (card->sub_id && *card->phone && !phone_normalise(card->phone, phone)) {
		free(card->phone);
		card->phone = strdup(phone);
	}
	if (!card->valid_until_unix_ms)
		card->valid_until_unix_ms = INT64_MAX;
	return card->sub_id && card->phone;
}

static bool add(struct offline_lines *lines, Card *card, uint64_t sub_id)
{
	void *grown = grow(lines->cards, lines->n, sizeof(Card *));
	const Rasad__V1__SubscriberSummary *summary = card->summary;

	if (!grown)
		return false;
	lines->cards = grown;
	if (!add_name(lines, IDENTITY_PHONE, card->phone, lines->n) ||
	    !add_name(lines, IDENTITY_ACCOUNT, summary ? summary->subscriber : "", lines->n) ||
	    !add_name(lines, IDENTITY_CIRCUIT, summary ? summary->line : "", lines->n) ||
	    !map_put(&lines->by_sub_id, sub_id, lines->n))
		return false;
	lines->cards[lines->n++] = card;
	return true;
}

const Card *offline_lines_take(struct offline_lines *lines, Card *card)
{
	uint64_t sub_id = complete(card) ? book_sub_id(card->sub_id) : 0;
	const uint32_t *index = sub_id ? map_find(&lines->by_sub_id, sub_id) : NULL;

	if (!sub_id || (!index && !add(lines, card, sub_id))) {
		rasad__v1__subscriber_card__free_unpacked(card, NULL);
		return NULL;
	}
	if (index) {
		count(lines, lines->cards[*index], false);
		rasad__v1__subscriber_card__free_unpacked(lines->cards[*index], NULL);
		lines->cards[*index] = card;
	}
	count(lines, card, true);
	return card;
}
