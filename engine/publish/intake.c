/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Ids and keys must come out the same when the same capture is read again, so they are made of
 * nothing but the report: the id of packet time, the key of line, time, kind and content.
 */
#include "engine/publish/intake.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "engine/analysis/report.h"
#include "engine/base/inventory.h"
#include "engine/publish/card_names.h"
#include "engine/publish/codec.h"
#include "engine/publish/encode_card.h"
#include "engine/publish/keyspace.h"

#define K_SIZE	  96
#define NS_PER_MS 1000000
#define NS_PER_S  1000000000

static const char *const kinds[] = {
	[SESSION_UP] = "UP",
	[SESSION_SUSPECT] = "SUSPECT",
	[SESSION_RECOVERED] = "RECOVERED",
	[SESSION_DOWN] = "DOWN",
	[SESSION_SETUP_FAILED] = "SETUP_FAILED",
};

static uint64_t in(int64_t unit_ns, int64_t unix_ns)
{
	return unix_ns > 0 ? (uint64_t)(unix_ns / unit_ns) : 0;
}

/* Rising, whatever the times: a stream takes nothing else. 0-0 is no id. */
static struct stream_id next_id(struct intake *intake, int64_t unix_ns)
{
	uint64_t ms = in(NS_PER_MS, unix_ns);

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

static bool has_room(struct intake *intake, size_t n)
{
	if (n <= intake->capacity)
		return true;
	uint8_t *larger = realloc(intake->scratch, 2 * n);
	if (!larger)
		return false;
	intake->scratch = larger;
	intake->capacity = 2 * n;
	return true;
}

static struct item *card_item(struct intake *intake, const struct report_subscriber *subscriber)
{
	const char *line = subscriber->who.line;
	char sub_id[KEYSPACE_SUB_ID_SIZE];
	const struct inventory_row *row = inventory_find(intake->inventory, line);

	if (!has_room(intake, encode_card_max(subscriber, row)))
		return NULL;
	uint64_t hash = keyspace_hash(line, strlen(line));
	struct encoded_names names;
	uint8_t *end = encode_card(subscriber, row, hash, intake->scratch, &names);
	keyspace_sub_id_of(hash, sub_id);
	struct item *item = item_renew(&intake->spares, ITEM_CARD, sub_id, sizeof(sub_id),
				       intake->scratch, (size_t)(end - intake->scratch));
	if (item) {
		item->coalesce_key = hash;
		item->names = card_names_hash(&names);
	}
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

/* An incident and its members, one behind the other in one item. */
static struct item *incident_item(struct intake *intake, const struct report *report)
{
	const struct report_incident *incident = report->incident;
	struct codec_bytes packed, members;

	if (!keyspace_is_incident_id(incident->incident_id) ||
	    codec_pack(intake->codec, report, &packed) || !has_room(intake, packed.length))
		return NULL;
	memcpy(intake->scratch, packed.data, packed.length);
	if (codec_members(intake->codec, incident, &members) ||
	    !has_room(intake, packed.length + members.length))
		return NULL;
	memcpy(intake->scratch + packed.length, members.data, members.length);
	struct item *item = item_incident(incident->incident_id, incident->revision,
					  intake->scratch, packed.length, members.length);
	if (!item)
		return NULL;
	item->id.ms = in(NS_PER_MS, incident->changed_unix_ns);
	item->incident.open = incident->state <= INCIDENT_UPDATED;
	item->incident.passing = incident->state == INCIDENT_UPDATED;
	item->incident.score = (uint64_t)incident->severity * KEYSPACE_INCIDENT_SEVERITY +
			       in(NS_PER_S, incident->open_unix_ns);
	return item;
}

struct item *intake_close_minutes(struct intake *intake, uint64_t *lost)
{
	uint64_t n = intake->minutes.n;
	struct item *item = minute_batch_close(&intake->minutes);

	*lost = item ? 0 : n;
	return item;
}

struct item *intake_minute(struct intake *intake, const struct report_minute *minute,
			   uint64_t *lost)
{
	struct item *item = NULL;

	*lost = 0;
	if (minute_batch_is_due(&intake->minutes, minute))
		item = intake_close_minutes(intake, lost);
	if (minute_batch_add(&intake->minutes, minute))
		++*lost;
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
	case REPORT_INCIDENT:
		return incident_item(intake, report);
	case REPORT_GAP:
		return event_item(intake, report, report->gap->tap, report->gap->unix_ns, "GAP");
	case REPORT_SUBSCRIBER:
		return card_item(intake, report->subscriber);
	case REPORT_NODE:
		return node_item(intake, report);
	default:
		return NULL;
	}
}

void intake_fini(struct intake *intake)
{
	intake->codec = codec_free(intake->codec);
	free(intake->scratch);
	items_free(intake->spares);
	intake->spares = NULL;
	intake->scratch = NULL;
	intake->capacity = 0;
}
