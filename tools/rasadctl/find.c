/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A caller names a line by whatever they have at hand. The text is looked up in every form that
 * it could be (a user name may well look like a phone number), all in one pipeline.
 */
#include <stdlib.h>
#include <string.h>

#include "engine/base/phone.h"
#include "engine/publish/keyspace.h"
#include "engine/publish/redis.h"
#include "tools/rasadctl/ctl.h"

#define PREFIX_MIN 8 /* nobody is delegated a shorter prefix */

static bool ask_index(struct ctl *ctl, enum keyspace_index kind, const char *name, size_t *asked)
{
	keyspace_key key;

	keyspace_index(kind, name, key);
	++*asked;
	return ctl_send(ctl, (const char *[]){"GET", key, NULL});
}

/* The address itself and every prefix it lies within. */
static bool ask_address(struct ctl *ctl, const char *text, size_t *asked)
{
	char canonical[64];

	for (int length = strchr(text, ':') ? 128 : 32; length >= PREFIX_MIN; length--) {
		if (keyspace_ip(text, length, canonical))
			return true;
		if (!ask_index(ctl, KEYSPACE_IP, canonical, asked))
			return false;
	}
	return true;
}

static bool ask_all(struct ctl *ctl, const char *text, size_t *asked)
{
	char phone[PHONE_SIZE], mac[18], canonical[64];
	bool good = ask_index(ctl, KEYSPACE_USER, text, asked) &&
		    ask_index(ctl, KEYSPACE_CIRCUIT, text, asked);

	if (good && !phone_normalise(text, phone))
		good = ask_index(ctl, KEYSPACE_PHONE, phone, asked);
	if (good && !keyspace_mac(text, mac))
		good = ask_index(ctl, KEYSPACE_MAC, mac, asked);
	if (!good || keyspace_ip(text, -1, canonical))
		return good;
	if (strchr(text, '/')) /* a prefix is asked for as such */
		return ask_index(ctl, KEYSPACE_IP, canonical, asked);
	return ask_address(ctl, text, asked);
}

static bool is_sub_id(const char *text)
{
	return strlen(text) == KEYSPACE_SUB_ID_SIZE - 1 &&
	       strspn(text, "0123456789abcdef") == KEYSPACE_SUB_ID_SIZE - 1;
}

static bool add_line(struct found *found, const char *sub_id)
{
	for (size_t i = 0; i < found->n; i++)
		if (!strcmp(found->sub_ids[i], sub_id))
			return true;
	void *more = is_sub_id(sub_id)
			     ? realloc(found->sub_ids, (found->n + 1) * sizeof(*found->sub_ids))
			     : NULL;
	if (!more)
		return !is_sub_id(sub_id); /* what is no id cannot be a line */
	found->sub_ids = more;
	memcpy(found->sub_ids[found->n++], sub_id, KEYSPACE_SUB_ID_SIZE);
	return true;
}

static bool add_index(struct found *found, const struct redis_reply *reply)
{
	Rasad__V1__SubscriberIndex *index = (Rasad__V1__SubscriberIndex *)ctl_unpack(
		&rasad__v1__subscriber_index__descriptor, reply);
	bool good = true;

	for (size_t i = 0; index && i < index->n_sub_ids && good; i++)
		good = add_line(found, index->sub_ids[i]);
	if (index)
		protobuf_c_message_free_unpacked(&index->base, NULL);
	return good;
}

bool find_lines(struct ctl *ctl, const char *text, struct found *found)
{
	size_t asked = 0;

	*found = (struct found){0};
	if (!ask_all(ctl, text, &asked))
		return false;
	for (size_t i = 0; i < asked; i++) {
		struct redis_reply *reply = ctl_next(ctl);
		if (!reply)
			return false;
		bool good = add_index(found, reply);
		redis_reply_free(reply);
		if (!good)
			return false;
	}
	return !is_sub_id(text) || add_line(found, text);
}

static bool same_phone(const char *stored, const char *text)
{
	char phone[PHONE_SIZE];

	return *stored && !phone_normalise(text, phone) && !strcmp(stored, phone);
}

static bool same_mac(const char *stored, const char *text)
{
	char left[18], right[18];

	return !keyspace_mac(stored, left) && !keyspace_mac(text, right) && !strcmp(left, right);
}

/* The address asked for, cut to the length of the one on the card, is the one on the card. */
static bool covers(const char *stored, const char *text)
{
	char left[64], right[64];
	const char *slash = strchr(stored, '/');
	int length = slash && !strchr(text, '/') ? atoi(slash + 1) : -1;

	return !keyspace_ip(stored, -1, left) && !keyspace_ip(text, length, right) &&
	       !strcmp(left, right);
}

static bool any_covers(char **stored, size_t n, const char *text)
{
	for (size_t i = 0; i < n; i++)
		if (covers(stored[i], text))
			return true;
	return false;
}

bool card_answers(const Rasad__V1__SubscriberCard *card, const char *text)
{
	const Rasad__V1__SubscriberSummary *summary = card->summary;

	if (!strcmp(card->sub_id, text) || same_phone(card->phone, text) ||
	    (*text && !strcmp(card->booked_subscriber, text)))
		return true;
	return summary && (!strcmp(summary->subscriber, text) || !strcmp(summary->line, text) ||
			   !strcmp(summary->circuit_id, text) || same_mac(summary->cpe_mac, text) ||
			   any_covers(summary->ipv4, summary->n_ipv4, text) ||
			   any_covers(summary->ipv6, summary->n_ipv6, text));
}

bool ctl_ask_cards(struct ctl *ctl, const struct found *found)
{
	if (!ctl_ask_time(ctl))
		return false;
	for (size_t i = 0; i < found->n; i++) {
		keyspace_key key;
		keyspace_card(found->sub_ids[i], key);
		if (!ctl_send(ctl, (const char *[]){"HGET", key, found->sub_ids[i], NULL}))
			return false;
	}
	return ctl_read_time(ctl);
}

/* A line without a card may have had it. */
static bool may_answer(struct ctl *ctl, const struct redis_reply *reply, const char *text)
{
	Rasad__V1__SubscriberCard *card = ctl_unpack_card(ctl, reply);
	bool answers = !card || card_answers(card, text);

	if (card)
		protobuf_c_message_free_unpacked(&card->base, NULL);
	return answers;
}

bool find_answering(struct ctl *ctl, const char *text, struct found *found)
{
	char own[KEYSPACE_SUB_ID_SIZE];
	size_t kept = 0;

	keyspace_sub_id(text, own);
	if (!find_lines(ctl, text, found) || !ctl_ask_cards(ctl, found))
		return false;
	for (size_t i = 0; i < found->n; i++) {
		struct redis_reply *reply = ctl_next(ctl);
		if (!reply)
			return false;
		if (may_answer(ctl, reply, text))
			memmove(found->sub_ids[kept++], found->sub_ids[i], KEYSPACE_SUB_ID_SIZE);
		redis_reply_free(reply);
	}
	found->n = kept;
	return add_line(found, own);
}
