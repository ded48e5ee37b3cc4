/* SPDX-License-Identifier: BSD-3-Clause */
#include "engine/publish/codec.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "engine/publish/arena.h"
#include "engine/publish/messages.h"
#include "proto/bounded.h"
#include "proto/json.h"
#include "proto/rasad/v1/card.pb-c.h"
#include "proto/rasad/v1/health.pb-c.h"
#include "proto/rasad/v1/incident.pb-c.h"

struct codec {
	struct arena arena;
	struct json_buffer line;
	uint8_t *packed;
	size_t capacity;
	struct codec_producer producer;
};

struct codec *codec_new(void)
{
	return calloc(1, sizeof(struct codec));
}

struct codec *codec_free(struct codec *codec)
{
	if (!codec)
		return NULL;
	arena_fini(&codec->arena);
	json_buffer_fini(&codec->line);
	free(codec->packed);
	free(codec);
	return NULL;
}

static ProtobufCMessage *build(struct codec *codec, const struct report *report)
{
	struct arena *arena = &codec->arena;

	switch (report->kind) {
	case REPORT_SESSION_EVENT:
		return message_of_event(arena, report->session_event);
	case REPORT_FLAP_SUMMARY:
		return message_of_flap(arena, report->flap_summary);
	case REPORT_SUBSCRIBER:
		return message_of_subscriber(arena, report->subscriber);
	case REPORT_FLOW:
		return message_of_flow(arena, report->flow);
	case REPORT_NODE:
		return message_of_node(arena, report->node);
	case REPORT_HEALTH:
		return message_of_health(arena, report->health);
	case REPORT_MINUTE:
		return message_of_minute(arena, report->minute);
	case REPORT_INCIDENT:
		return message_of_incident(arena, report->incident, &codec->producer);
	case REPORT_GAP:
		return message_of_gap(arena, report->gap);
	case REPORT_TOPOLOGY_LINT:
		return message_of_lint(arena, report->topology_lint);
	}
	return NULL;
}

/* A message with a piece missing for want of memory would be a lie. */
static const ProtobufCMessage *whole(struct codec *codec, const ProtobufCMessage *message)
{
	return codec->arena.out_of_memory ? NULL : message;
}

const ProtobufCMessage *codec_message(struct codec *codec, const struct report *report)
{
	arena_reset(&codec->arena);
	return whole(codec, build(codec, report));
}

static int pack(struct codec *codec, const ProtobufCMessage *message, struct codec_bytes *out)
{
	if (!message)
		return -ENOMEM;
	size_t n = protobuf_c_message_get_packed_size(message);
	if (n > codec->capacity) {
		uint8_t *packed = realloc(codec->packed, 2 * n);
		if (!packed)
			return -ENOMEM;
		codec->packed = packed;
		codec->capacity = 2 * n;
	}
	if (n)
		protobuf_c_message_pack(message, codec->packed);
	*out = (struct codec_bytes){codec->packed, n, message->descriptor->short_name};
	return 0;
}

static int write_json(struct codec *codec, const ProtobufCMessage *message, FILE *file)
{
	codec->line.length = 0;
	if (!message || json_append_line(&codec->line, message))
		return -ENOMEM;
	return fwrite(codec->line.text, codec->line.length, 1, file) == 1 ? 0 : -EIO;
}

static bool is_known(const struct report *report)
{
	return report->kind <= REPORT_TOPOLOGY_LINT;
}

int codec_pack(struct codec *codec, const struct report *report, struct codec_bytes *out)
{
	return is_known(report) ? pack(codec, codec_message(codec, report), out) : -EINVAL;
}

int codec_json(struct codec *codec, const struct report *report, FILE *file)
{
	return is_known(report) ? write_json(codec, codec_message(codec, report), file) : -EINVAL;
}

int codec_members(struct codec *codec, const struct report_incident *incident,
		  struct codec_bytes *out)
{
	arena_reset(&codec->arena);
	return pack(codec, whole(codec, message_of_members(&codec->arena, incident, false)), out);
}

int codec_members_json(struct codec *codec, const struct report_incident *incident, FILE *file)
{
	arena_reset(&codec->arena);
	return write_json(codec, whole(codec, message_of_members(&codec->arena, incident, true)),
			  file);
}

void codec_speak_as(struct codec *codec, const struct codec_producer *producer)
{
	codec->producer = *producer;
}

/* The timeline and one entry more. false: no memory. */
static bool add_last_entry(struct arena *arena, Rasad__V1__Incident *incident, int64_t unix_ns)
{
	size_t n = incident->n_timeline;
	Rasad__V1__TimelineEntry **entries = arena_take(arena, (n + 1) * sizeof(*entries));
	Rasad__V1__TimelineEntry *last = arena_take(arena, sizeof(*last));

	if (!entries || !last)
		return false;
	if (n)
		memcpy(entries, incident->timeline, n * sizeof(*entries));
	rasad__v1__timeline_entry__init(last);
	last->unix_ns = unix_ns;
	last->what = (char *)"watch lost";
	last->text = (char *)"the engine that watched it has ended; whether it is repaired is not "
			     "known";
	entries[n] = last;
	incident->timeline = entries;
	incident->n_timeline = n + 1;
	return true;
}

int codec_withdraw(struct codec *codec, const uint8_t *packed, size_t n, int64_t unix_ns,
		   const struct codec_producer *by, struct codec_bytes *out)
{
	Rasad__V1__Incident *incident =
		(Rasad__V1__Incident *)bounded_unpack(&rasad__v1__incident__descriptor, packed, n);

	if (!incident)
		return -EINVAL;
	Rasad__V1__Incident next = *incident; /* its additions are not freed as unpacked */
	arena_reset(&codec->arena);
	next.revision++;
	next.state = RASAD__V1__INCIDENT_STATE__INCIDENT_STATE_RETRACTED;
	next.severity = RASAD__V1__SEVERITY__SEVERITY_INDETERMINATE;
	next.page = false;
	next.changed_unix_ns = unix_ns;
	next.has_eta_90_unix_ns_case = 0;
	next.producer = (char *)by->name;
	next.collector = (char *)by->collector;
	next.has_epoch_case = RASAD__V1__INCIDENT__HAS_EPOCH_EPOCH;
	next.epoch = by->epoch_unix_ms;
	int status = add_last_entry(&codec->arena, &next, unix_ns) ? pack(codec, &next.base, out)
								   : -ENOMEM;
	protobuf_c_message_free_unpacked(&incident->base, NULL);
	return status;
}

static const ProtobufCMessage *replay_message(struct codec *codec,
					      const struct codec_replay *replay)
{
	arena_reset(&codec->arena);
	return whole(codec, message_of_replay(&codec->arena, replay));
}

int codec_replay_json(struct codec *codec, const struct codec_replay *replay, FILE *file)
{
	return write_json(codec, replay_message(codec, replay), file);
}

int codec_replay_pack(struct codec *codec, const struct codec_replay *replay,
		      struct codec_bytes *out)
{
	return pack(codec, replay_message(codec, replay), out);
}

int codec_health(struct codec *codec, const uint8_t *packed, size_t n, const char *collector,
		 const struct codec_publisher_health *own, struct codec_bytes *out)
{
	ProtobufCMessage *message =
		bounded_unpack(&rasad__v1__collector_health__descriptor, packed, n);
	Rasad__V1__CollectorHealth copy = RASAD__V1__COLLECTOR_HEALTH__INIT;

	/* The additions live in the arena, so they go on a copy that is never freed as unpacked. */
	arena_reset(&codec->arena);
	if (message)
		copy = *(Rasad__V1__CollectorHealth *)message;
	if (!*copy.collector)
		copy.collector = (char *)collector;
	message_add_publisher(&codec->arena, &copy.base, own);
	int status = pack(codec, whole(codec, &copy.base), out);
	if (message)
		protobuf_c_message_free_unpacked(message, NULL);
	return status;
}

/* Copies the ids but for sub_id, and of the rest only the newest, into to. Returns their number. */
static size_t other_ids(const Rasad__V1__SubscriberIndex *index, const char *sub_id, char **to)
{
	size_t n = 0;

	for (size_t i = 0; index && i < index->n_sub_ids; i++)
		if (strcmp(index->sub_ids[i], sub_id))
			to[n++] = index->sub_ids[i];
	if (n >= CODEC_INDEX_MAX) {
		size_t old = n - (CODEC_INDEX_MAX - 1);
		memmove(to, to + old, (n - old) * sizeof(*to));
		n -= old;
	}
	return n;
}

int codec_index_add(struct codec *codec, const uint8_t *packed, size_t n, const char *sub_id,
		    struct codec_bytes *out)
{
	Rasad__V1__SubscriberIndex *index = (Rasad__V1__SubscriberIndex *)bounded_unpack(
		&rasad__v1__subscriber_index__descriptor, packed, n);
	Rasad__V1__SubscriberIndex next = RASAD__V1__SUBSCRIBER_INDEX__INIT;

	arena_reset(&codec->arena);
	next.sub_ids =
		arena_take(&codec->arena, ((index ? index->n_sub_ids : 0) + 1) * sizeof(char *));
	if (next.sub_ids) {
		next.n_sub_ids = other_ids(index, sub_id, next.sub_ids);
		next.sub_ids[next.n_sub_ids++] = (char *)sub_id;
	}
	int status = pack(codec, whole(codec, &next.base), out);
	if (index)
		protobuf_c_message_free_unpacked(&index->base, NULL);
	return status;
}
