/* SPDX-License-Identifier: BSD-3-Clause */
#include "tools/lib/find.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "engine/base/phone.h"
#include "engine/publish/redis.h"
#include "proto/bounded.h"

#define PREFIX_MIN 8 /* nobody is delegated a shorter prefix */

int find_ask(struct redis *redis, enum keyspace_index kind, const char *name)
{
	keyspace_key key;

	keyspace_index(kind, name, key);
	return redis_append(redis, 2, (const char *[]){"GET", key},
			    (const size_t[]){3, strlen(key)});
}

static bool ask_index(struct redis *redis, enum keyspace_index kind, const char *name,
		      size_t *asked)
{
	++*asked;
	return !find_ask(redis, kind, name);
}

/* The address itself and every prefix it lies within. */
static bool ask_address(struct redis *redis, const char *text, size_t *asked)
{
	char canonical[64];

	for (int length = strchr(text, ':') ? 128 : 32; length >= PREFIX_MIN; length--) {
		if (keyspace_ip(text, length, canonical))
			return true;
		if (!ask_index(redis, KEYSPACE_IP, canonical, asked))
			return false;
	}
	return true;
}

static bool ask_all(struct redis *redis, const char *text, size_t *asked)
{
	char phone[PHONE_SIZE], mac[18], canonical[64];
	bool good = ask_index(redis, KEYSPACE_USER, text, asked) &&
		    ask_index(redis, KEYSPACE_CIRCUIT, text, asked);

	if (good && !phone_normalise(text, phone))
		good = ask_index(redis, KEYSPACE_PHONE, phone, asked);
	if (good && !keyspace_mac(text, mac))
		good = ask_index(redis, KEYSPACE_MAC, mac, asked);
	if (!good || keyspace_ip(text, -1, canonical))
		return good;
	if (strchr(text, '/')) /* a prefix is asked for as such */
		return ask_index(redis, KEYSPACE_IP, canonical, asked);
	return ask_address(redis, text, asked);
}

static bool is_sub_id(const char *text)
{
	return strlen(text) == KEYSPACE_SUB_ID_SIZE - 1 &&
	       strspn(text, "0123456789abcdef") == KEYSPACE_SUB_ID_SIZE - 1;
}

bool found_add(struct found *found, const char *sub_id)
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
	size_t n;
	const char *bytes = redis_text(reply, &n);
	Rasad__V1__SubscriberIndex *index = NULL;
	bool good = true;

	if (redis_type(reply) == REDIS_TEXT)
		index = (Rasad__V1__SubscriberIndex *)bounded_unpack(
			&rasad__v1__subscriber_index__descriptor, (const uint8_t *)bytes, n);
	for (size_t i = 0; index && i < index->n_sub_ids && good; i++)
		good = found_add(found, index->sub_ids[i]);
	if (index)
		protobuf_c_message_free_unpacked(&index->base, NULL);
	return good;
}

int find_next(struct redis *redis, struct found *found)
{
	struct redis_reply *reply;
	int status = redis_next(redis, &reply);

	if (!status && redis_type(reply) == REDIS_REFUSED)
		status = -EPROTO;
	if (!status && !add_index(found, reply))
		status = -ENOMEM;
	redis_reply_free(reply);
	return status;
}

int find_lines(struct redis *redis, const char *text, struct found *found)
{
	size_t asked = 0;

	*found = (struct found){0};
	int status = ask_all(redis, text, &asked) ? 0 : -ENOMEM;
	for (size_t i = 0; i < asked; i++) { /* all replies, lest they answer the next question */
		int one = status == -EIO ? -EIO : find_next(redis, found);
		status = status ? status : one;
	}
	if (!status && is_sub_id(text) && !found_add(found, text))
		status = -ENOMEM;
	return status;
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
