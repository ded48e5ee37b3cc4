/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * struct report <-> protobuf: the one mapping behind the JSON face, the streams and the cards.
 *
 * A codec belongs to one thread. What it returns lives until the next call on the same codec.
 * Errors are -ENOMEM and -EINVAL (a report kind it does not know).
 */
#ifndef RASAD_ENGINE_PUBLISH_CODEC_H
#define RASAD_ENGINE_PUBLISH_CODEC_H

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "engine/analysis/report.h"

struct codec;
struct ProtobufCMessage;

struct codec_bytes {
	const uint8_t *data;
	size_t length;
	const char *type; /* "SessionEvent": the message name, static */
};

/* What only the replay knows about itself. */
struct codec_replay {
	const struct report_health *health;
	const char *const *files, *const *warnings;
	size_t n_files, n_warnings;
	double elapsed_s;
	const char *version;
};

struct codec *codec_new(void); /* NULL: out of memory */
struct codec *codec_free(struct codec *codec);

/* The message of a report; NULL when out of memory or of unknown kind. */
const struct ProtobufCMessage *codec_message(struct codec *codec, const struct report *report);
int codec_pack(struct codec *codec, const struct report *report, struct codec_bytes *out);
/* One NDJSON line to the file; also -EIO when the file does not take it. */
int codec_json(struct codec *codec, const struct report *report, FILE *file);
int codec_replay_json(struct codec *codec, const struct codec_replay *replay, FILE *file);
int codec_replay_pack(struct codec *codec, const struct codec_replay *replay,
		      struct codec_bytes *out);

/* The MemberSet of an incident: those that are down, then those that are back, up to so many. */
#define CODEC_MEMBERS_MAX 65536
int codec_members(struct codec *codec, const struct report_incident *incident,
		  struct codec_bytes *out);
/* The same as one NDJSON line, with the names of the lines; returns as codec_json. */
int codec_members_json(struct codec *codec, const struct report_incident *incident, FILE *file);

/* Whose word it is, once it is published; the texts outlive the codec. */
struct codec_producer {
	const char *name; /* "e00"; NULL: nobody's */
	const char *collector;
	uint64_t epoch_unix_ms;
};

/* Every Incident says from here on who speaks. */
void codec_speak_as(struct codec *codec, const struct codec_producer *producer);

/* A packed Incident of a revision more, ended because nobody watches it any more. */
int codec_withdraw(struct codec *codec, const uint8_t *packed, size_t n, int64_t unix_ns,
		   const struct codec_producer *by, struct codec_bytes *out);

/* What the publisher knows about its own work, added to a CollectorHealth. */
struct codec_publisher_health {
	const char *version;
	uint64_t epoch_unix_ms, events_published, cards_published, minutes_published, events_queued;
	const struct report_count *shed;
	size_t n_shed;
	int running; /* 0: stopped in good order */
};

/* Adds to a packed CollectorHealth (packed may be empty: collector names it then). */
int codec_health(struct codec *codec, const uint8_t *packed, size_t n, const char *collector,
		 const struct codec_publisher_health *own, struct codec_bytes *out);

/*
 * SubscriberIndex: adds sub_id to a packed index (n == 0: a new one), as the newest; the oldest
 * leave beyond CODEC_INDEX_MAX. Broken bytes count as an empty index.
 */
#define CODEC_INDEX_MAX 256
int codec_index_add(struct codec *codec, const uint8_t *packed, size_t n, const char *sub_id,
		    struct codec_bytes *out);

#endif
