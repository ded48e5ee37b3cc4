/* SPDX-License-Identifier: BSD-3-Clause */
/* What the commands of rasadctl share: the options, the connection, reading cards, words. */
#ifndef RASAD_TOOLS_RASADCTL_CTL_H
#define RASAD_TOOLS_RASADCTL_CTL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "proto/json.h"
#include "proto/rasad/v1/card.pb-c.h"
#include "tools/lib/find.h"
#include "proto/rasad/v1/incident.pb-c.h"
#include "tools/lib/incident_names.h"

enum exit_code { EXIT_OK, EXIT_TROUBLE, EXIT_USAGE };

struct redis;
struct redis_reply;

struct ctl {
	const char *url;
	bool json, colour;
	const char *state, *sort, *line;   /* NULL: not said */
	size_t number;			   /* 0: all */
	int64_t since_unix_ns;		   /* or INT64_MIN */
	bool follow, all, english, spoken; /* spoken: as an agent reads it out */
	struct call_options {
		const char *phone, *line_number, *account, *text, *id;
		int complaint, format; /* of call.proto; of export.h */
		unsigned wait_s;
		int64_t at_unix_ns; /* 0: the desk dates it, by the clock that it goes by */
	} call;
	char **arguments; /* after the command's name */
	int n_arguments;

	struct redis *redis;
	int64_t redis_now_ms; /* by its TIME, once that was read */
	struct json_buffer buffer;
};

int run_sub(struct ctl *ctl);
int run_lines(struct ctl *ctl);
int run_events(struct ctl *ctl);
int run_minutes(struct ctl *ctl);
int run_health(struct ctl *ctl);
int run_incidents(struct ctl *ctl);
int run_incident(struct ctl *ctl);
int run_card(struct ctl *ctl);
int run_call(struct ctl *ctl);
int run_callbacks(struct ctl *ctl);
int run_export(struct ctl *ctl);

/* --- stored values --- */

__attribute__((format(printf, 1, 2))) void complain(const char *format, ...);

/* Sends one command of texts; the reply is left to ctl_next. false: complained. */
bool ctl_send(struct ctl *ctl, const char *const *arguments);
/* The next reply, or NULL after complaining of a lost connection or an error reply. */
struct redis_reply *ctl_next(struct ctl *ctl);

typedef bool (*take_key)(struct ctl *ctl, const char *key, void *context);
/* Calls take for every key that matches, once or more often. */
bool ctl_scan(struct ctl *ctl, const char *pattern, take_key take, void *context);

/* NULL when the reply is no such message; free with protobuf_c_message_free_unpacked. */
ProtobufCMessage *ctl_unpack(const ProtobufCMessageDescriptor *type,
			     const struct redis_reply *reply);

/* Asks Redis for the time, by which cards are valid; and reads the answer. false: complained. */
bool ctl_ask_time(struct ctl *ctl);
bool ctl_read_time(struct ctl *ctl);

/* A card that still claims to be watched; NULL when there is none, or it has ended. */
Rasad__V1__SubscriberCard *ctl_unpack_card(const struct ctl *ctl, const struct redis_reply *reply);

void ctl_print_json(struct ctl *ctl, const ProtobufCMessage *message);

/* Is this incident open? */
bool incident_is_open(const Rasad__V1__Incident *incident);
/* Does the engine that speaks for an incident still report? One question each collector. */
bool incident_is_watched(struct ctl *ctl, const Rasad__V1__Incident *incident);

/* --- finding --- */

/* find_lines of tools/lib. false: complained. */
bool ctl_find(struct ctl *ctl, const char *text, struct found *found);
/* Asks for the time and all their cards in one round trip; the cards are the next replies. */
bool ctl_ask_cards(struct ctl *ctl, const struct found *found);
/*
 * The same without those whose card says that they have let go of it; the line of this very name
 * is always one of them. false: complained.
 */
bool find_answering(struct ctl *ctl, const char *text, struct found *found);

/* --- streams --- */

struct stream_reader {
	unsigned n;				/* of streams */
	void (*key)(unsigned shard, char *out); /* of keyspace.h */
	const char *page;			/* entries at a time */
	/* Returns false to end it. */
	bool (*show)(struct ctl *ctl, const struct redis_reply *entry);
};

/* The entries of all shards as one, by id, from --since on. false: complained. */
bool streams_list(struct ctl *ctl, const struct stream_reader *reader);
/* Following begins after what is there now. false: complained. */
bool streams_start_at_end(struct ctl *ctl, const struct stream_reader *reader);
/* New entries, until interrupted; after what was listed, or from now on. false: complained. */
bool streams_follow(struct ctl *ctl, const struct stream_reader *reader, bool listed);

/* Of the fields t v k p of an entry; NULL when it is not there. */
const struct redis_reply *stream_field(const struct redis_reply *entry, const char *name);

/* --- words --- */

/* The options of call, card, callbacks and export. Returns what was expected instead, or NULL. */
const char *take_call_option(struct ctl *ctl, int option, const char *value);
/* A card in the words of engine/match, in the language that was asked for. */
void print_spoken(struct ctl *ctl, const Rasad__V1__SubscriberCard *card);
void print_card(struct ctl *ctl, const Rasad__V1__SubscriberCard *card);

/* Text from the network as it may stand on a terminal: UTF-8, no controls. */
const char *tidy(const char *text);
/* The left column of what is shown in full. */
void print_label(const char *text);
/* Prints a tidy text and fills up with blanks to so many columns, cutting when it is longer. */
void print_cell(const char *text, int columns);

const char *cause_words(int cause);
const char *cause_name(int cause);
const char *stage_words(int stage);
const char *state_name(int state);
const char *colour_of_state(const struct ctl *ctl, int state);
const char *colour_end(const struct ctl *ctl);

const char *colour_of_severity(const struct ctl *ctl, int severity);
void print_evidence(const Rasad__V1__IncidentEvidence *evidence); /* NULL: nothing */
void print_story(const Rasad__V1__Incident *incident);
/* Prints "access_node:DSLAM-1" as "access_node DSLAM-1". */
void print_group(const char *typed);
/* The path to the group and the group, widest first. */
void print_where(const Rasad__V1__Incident *incident);

#define TIME_SIZE 40
/* "2026-11-23 15:04:05", in local time. */
const char *format_time(int64_t unix_ns, char out[TIME_SIZE]);
/* "15:04:05" alone, if the text has a date; into the same room. */
const char *format_clock(int64_t unix_ns, char out[TIME_SIZE]);
/* From a to b; foreign times may be any number, so it does not overflow. */
int64_t ns_between(int64_t a, int64_t b);
/* "98%", "?" for what is no share */
const char *format_share(double share, char out[TIME_SIZE]);
/* "19 s", "3 min", "2 h 5 min", "4 d 2 h" */
const char *format_span(int64_t ns, char out[TIME_SIZE]);
int64_t now_unix_ns(void);
/* "90s", "10m", "2h", "3d" ago; "2026-11-23", "2026-11-23T15:04[:05]" local; "@seconds". */
bool parse_since(const char *text, int64_t *unix_ns);

#endif
