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

struct codec {
	struct arena arena;
	struct json_buffer line;
	uint8_t *packed;
	size_t capacity;
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

static ProtobufCMessage *build(struct arena *arena, const struct report *report)
{
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
	return whole(codec, build(&codec->arena, report));
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
	return report->kind <= REPORT_MINUTE;
}

int codec_pack(struct codec *codec, const struct report *report, struct codec_bytes *out)
{
	return is_known(report) ? pack(codec, codec_message(codec, report), out) : -EINVAL;
}

int codec_json(struct codec *codec, const struct report *report, FILE *file)
{
	return is_known(report) ? write_json(codec, codec_message(codec, report), file) : -EINVAL;
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
