/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A card is refreshed many times before a name of its line changes. So the caller's thread, which
 * does it for every card, only hashes the names; the keys are made from the packed card when an
 * index is really due.
 */
#include "engine/publish/card_names.h"

#include <string.h>

#include "engine/publish/encode_card.h"
#include "proto/bounded.h"
#include "proto/rasad/v1/card.pb-c.h"

static uint64_t mix(uint64_t hash, uint64_t word)
{
	hash = (hash ^ word) * 0x9fb21c651e98df25u;
	return hash ^ hash >> 32;
}

static uint64_t mix_bytes(uint64_t hash, const uint8_t *bytes, size_t n)
{
	uint64_t word;

	for (; n >= sizeof(word); bytes += sizeof(word), n -= sizeof(word)) {
		memcpy(&word, bytes, sizeof(word));
		hash = mix(hash, word);
	}
	word = n; /* fewer than eight, and how many */
	for (size_t i = 0; i < n; i++)
		word = word << 8 | bytes[i];
	return mix(hash, word);
}

uint64_t card_names_hash(const struct encoded_names *names)
{
	return mix_bytes(mix_bytes(1, names->seen, names->n_seen), names->booked, names->n_booked);
}

static void add_name(struct card_names *names, const char *key)
{
	size_t n = strlen(key) + 1;

	if (names->n == CARD_NAMES_MAX || names->size + n > sizeof(names->text))
		return;
	memcpy(names->text + names->size, key, n);
	names->size += n;
	names->n++;
}

static void add_index(struct card_names *names, enum keyspace_index kind, const char *name)
{
	keyspace_key key;

	if (!*name)
		return;
	keyspace_index(kind, name, key);
	add_name(names, key);
}

static void add_addresses(struct card_names *names, char **addresses, size_t n)
{
	char canonical[64];

	for (size_t i = 0; i < n; i++)
		if (!keyspace_ip(addresses[i], -1, canonical))
			add_index(names, KEYSPACE_IP, canonical);
}

static void name_card(struct card_names *names, const Rasad__V1__SubscriberCard *card)
{
	const Rasad__V1__SubscriberSummary *summary = card->summary;
	char mac[18];

	add_index(names, KEYSPACE_USER, summary->subscriber);
	if (strcmp(summary->subscriber, card->booked_subscriber))
		add_index(names, KEYSPACE_USER, card->booked_subscriber);
	add_index(names, KEYSPACE_CIRCUIT, summary->circuit_id);
	/* A line is asked for by its name, too, which is the circuit-id unless it has none. */
	if (strcmp(summary->line, summary->circuit_id))
		add_index(names, KEYSPACE_CIRCUIT, summary->line);
	if (!keyspace_mac(summary->cpe_mac, mac))
		add_index(names, KEYSPACE_MAC, mac);
	add_addresses(names, summary->ipv4, summary->n_ipv4);
	add_addresses(names, summary->ipv6, summary->n_ipv6);
}

void card_names_read(const uint8_t *card, size_t n, struct card_names *names)
{
	Rasad__V1__SubscriberCard *read = (Rasad__V1__SubscriberCard *)bounded_unpack(
		&rasad__v1__subscriber_card__descriptor, card, n);

	names->size = names->n = 0;
	if (read && read->summary)
		name_card(names, read);
	if (read)
		protobuf_c_message_free_unpacked(&read->base, NULL);
}
