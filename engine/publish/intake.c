/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Ids and keys must come out the same when the same capture is read again, so they are made of
 * nothing but the report: the id of packet time, the key of line, time, kind and content.
 */
#include "engine/publish/intake.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "engine/analysis/report.h"
#include "engine/base/inventory.h"
#include "engine/publish/codec.h"
#include "engine/publish/keyspace.h"
#include "proto/rasad/v1/card.pb-c.h"

#define K_SIZE	    96
#define INDEXES_MAX 24
#define NS_PER_MS   1000000

static const char *const kinds[] = {
	[SESSION_UP] = "UP",
	[SESSION_SUSPECT] = "SUSPECT",
	[SESSION_RECOVERED] = "RECOVERED",
	[SESSION_DOWN] = "DOWN",
	[SESSION_SETUP_FAILED] = "SETUP_FAILED",
};

/* Rising, whatever the times: a stream takes nothing else. 0-0 is no id. */
static struct stream_id next_id(struct intake *intake, int64_t unix_ns)
{
	uint64_t ms = unix_ns > 0 ? (uint64_t)unix_ns / NS_PER_MS : 0;

	if (ms > intake->last.ms)
		intake->last = (struct stream_id){ms, 0};
	else
		intake->last.seq++;
	return intake->last;
}

static struct item *event_item(struct intake *intake, const struct report *report, const char *line,
			       int64_t unix_ns, const char *kind)
{
	char sub_id[KEYSPACE_SUB_ID_SIZE], k[K_SIZE];
	struct codec_bytes packed;

	if (codec_pack(intake->codec, report, &packed))
		return NULL;
	keyspace_sub_id(line, sub_id);
	int n = snprintf(k, sizeof(k), "%s:%" PRId64 ":%s:%08" PRIx32, sub_id, unix_ns, kind,
			 (uint32_t)keyspace_hash(packed.data, packed.length));
	struct item *item = item_new(ITEM_EVENT, k, (size_t)n + 1, packed.data, packed.length);
	if (item) {
		item->id = next_id(intake, unix_ns);
		item->type = packed.type;
	}
	return item;
}

/* --- cards --- */

struct names {
	char text[(INDEXES_MAX + 1) * KEYSPACE_KEY_MAX];
	size_t size, n;
};

static void add_name(struct names *names, const char *key)
{
	size_t n = strlen(key) + 1;

	if (names->n > INDEXES_MAX || names->size + n > sizeof(names->text))
		return;
	memcpy(names->text + names->size, key, n);
	names->size += n;
	names->n++;
}

static void add_index(struct names *names, enum keyspace_index kind, const char *name)
{
	keyspace_key key;

	if (!*name)
		return;
	keyspace_index(kind, name, key);
	add_name(names, key);
}

static void add_addresses(struct names *names, char **addresses, size_t n)
{
	char canonical[64];

	for (size_t i = 0; i < n; i++)
		if (!keyspace_ip(addresses[i], -1, canonical))
			add_index(names, KEYSPACE_IP, canonical);
}

static void name_card(struct names *names, const Rasad__V1__SubscriberCard *card)
{
	const Rasad__V1__SubscriberSummary *summary = card->summary;
	keyspace_key key;
	char mac[18];

	keyspace_card(card->sub_id, key);
	add_name(names, key);
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

static struct item *card_item(struct intake *intake, const struct report_subscriber *subscriber)
{
	struct names names;
	struct codec_bytes packed;
	const struct inventory_row *row = inventory_find(intake->inventory, subscriber->who.line);
	const ProtobufCMessage *card = codec_card_message(intake->codec, subscriber, row);

	if (!card)
		return NULL;
	names.size = names.n = 0; /* 8 KiB that need no zeroes */
	name_card(&names, (const Rasad__V1__SubscriberCard *)card);
	if (codec_card(intake->codec, subscriber, row, &packed))
		return NULL;
	struct item *item = item_new(ITEM_CARD, names.text, names.size, packed.data, packed.length);
	if (item)
		item->coalesce_key =
			keyspace_hash(subscriber->who.line, strlen(subscriber->who.line));
	return item;
}

static struct item *node_item(struct intake *intake, const struct report *report)
{
	keyspace_key key;
	struct codec_bytes packed;

	if (codec_pack(intake->codec, report, &packed))
		return NULL;
	keyspace_node(report->node->group_type, report->node->group, key);
	struct item *item = item_new(ITEM_NODE, key, strlen(key) + 1, packed.data, packed.length);
	if (item)
		item->coalesce_key = keyspace_hash(key, strlen(key));
	return item;
}

struct item *intake_item(struct intake *intake, const struct report *report)
{
	const struct report_session_event *event = report->session_event;
	const struct report_flap_summary *flap = report->flap_summary;

	switch (report->kind) {
	case REPORT_SESSION_EVENT:
		return event_item(intake, report, event->who.line, event->unix_ns,
				  kinds[event->kind]);
	case REPORT_FLAP_SUMMARY:
		return event_item(intake, report, flap->who.line, flap->unix_ns, "FLAP");
	case REPORT_SUBSCRIBER:
		return card_item(intake, report->subscriber);
	case REPORT_NODE:
		return node_item(intake, report);
	default:
		return NULL;
	}
}
