/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The same scoring, book, live calls and surges as the desk on Redis, driven by the times in the
 * file: two runs give the same bytes.
 */
#include "tools/rasad-desk/offline.h"

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "engine/match/book.h"
#include "engine/match/call_json.h"
#include "engine/match/calls.h"
#include "engine/match/identity.h"
#include "engine/match/score.h"
#include "engine/match/surge.h"
#include "proto/json.h"
#include "proto/json_read.h"
#include "proto/rasad/v1/call.pb-c.h"
#include "proto/rasad/v1/card.pb-c.h"
#include "tools/rasad-desk/offline_lines.h"

#define TICK_NS	       (60 * 1000000000ll)
#define DUE_MAX	       4096
#define COMPLAINTS_MAX 20

typedef Rasad__V1__CallEvent Call;
typedef Rasad__V1__CallMatch Match;
typedef Rasad__V1__SubscriberCard Card;

struct offline {
	const char *path;
	struct book *book;
	struct calls *calls;
	struct surge *surge;
	struct offline_lines lines;
	struct json_buffer buffer;
	struct calls_due due[DUE_MAX];
	int64_t now_ns, tick_ns;
	uint64_t line, wrong;
};

static void complain(struct offline *desk, const char *what)
{
	if (++desk->wrong <= COMPLAINTS_MAX)
		fprintf(stderr, "rasad-desk: %s:%llu: %s%s\n", desk->path,
			(unsigned long long)desk->line, what,
			desk->wrong == COMPLAINTS_MAX ? " (more are only counted)" : "");
}

static void print(struct offline *desk, const ProtobufCMessage *message)
{
	desk->buffer.length = 0;
	if (json_append_line(&desk->buffer, message))
		complain(desk, "out of memory");
	else
		fwrite(desk->buffer.text, 1, desk->buffer.length, stdout);
}

/* --- scoring --- */

/* What score_input needs to outlive. */
struct scored {
	struct score_incident incidents[SCORE_INCIDENTS_MAX];
	Rasad__V1__NodeSummary siblings;
};

static struct score_input input_of(struct offline *desk, const Call *call, const Card *card,
				   struct scored *scored)
{
	struct score_input input = {
		.call = call,
		.card = card,
		.now_unix_ns = desk->now_ns,
		.wall_unix_ms = desk->now_ns / 1000000,
		.incidents = scored->incidents,
	};

	rasad__v1__node_summary__init(&scored->siblings);
	input.n_incidents =
		book_candidates(desk->book, card, book_sub_id(card->sub_id), scored->incidents);
	for (size_t i = 0; i < input.n_incidents; i++)
		scored->incidents[i].other_calls =
			calls_recent_of(desk->calls, scored->incidents[i].incident->incident_id,
					call->call_id, desk->now_ns);
	if (offline_lines_siblings(&desk->lines, card, &scored->siblings))
		input.siblings = &scored->siblings;
	return input;
}

static size_t find(const struct offline *desk, const struct identity_key *keys, size_t n_keys,
		   const Card **cards)
{
	size_t n = 0;

	for (size_t i = 0; i < n_keys && !n; i++)
		n = offline_lines_find(&desk->lines, &keys[i], cards);
	return n;
}

static Match *unknown(struct offline *desk, const Call *call, const struct identity_key *keys,
		      size_t n_keys)
{
	struct score_incident area[SCORE_INCIDENTS_MAX];
	size_t n = 0;

	for (size_t i = 0; i < n_keys && !n; i++)
		if (keys[i].kind == IDENTITY_PHONE)
			n = book_area(desk->book, keys[i].text, area);
	return score_unknown(call, area, n, desk->now_ns);
}

static Match *answer(struct offline *desk, const Call *call)
{
	struct identity_key keys[IDENTITY_KEYS_MAX];
	const Card *cards[OFFLINE_LINES_OF_PHONE];
	struct scored scored[OFFLINE_LINES_OF_PHONE];
	struct score_input inputs[OFFLINE_LINES_OF_PHONE];
	size_t n_keys = identity_keys(call, keys), n = find(desk, keys, n_keys, cards);

	for (size_t i = 0; i < n; i++)
		inputs[i] = input_of(desk, call, cards[i], &scored[i]);
	return n ? score_lines(inputs, n) : unknown(desk, call, keys, n_keys);
}

static void take_call(struct offline *desk, Call *call)
{
	const char *wrong = call_check(call);
	Match *match = wrong ? NULL : answer(desk, call);

	if (wrong)
		complain(desk, wrong);
	else if (!match || calls_add(desk->calls, call, match))
		complain(desk, "out of memory");
	if (match) {
		surge_call(desk->surge, match);
		print(desk, &match->base);
		rasad__v1__call_match__free_unpacked(match, NULL);
	}
	rasad__v1__call_event__free_unpacked(call, NULL);
}

/* --- late binding --- */

static void score_again(struct offline *desk, const Rasad__V1__Incident *incident)
{
	size_t n = calls_due(desk->calls, desk->book, incident, desk->now_ns, desk->due, DUE_MAX);

	for (size_t i = 0; i < n; i++) {
		const Card *card =
			offline_lines_at(&desk->lines, book_sub_id(desk->due[i].answer->sub_id));
		struct scored scored;
		if (!card)
			continue;
		struct score_input input = input_of(desk, desk->due[i].call, card, &scored);
		Match *match = score_call(&input);
		if (!match) {
			complain(desk, "out of memory");
			continue;
		}
		if (calls_settle(desk->calls, match)) {
			surge_call(desk->surge, match);
			print(desk, &match->base);
		}
		rasad__v1__call_match__free_unpacked(match, NULL);
	}
}

static bool concerns_calls(enum book_change change)
{
	return change == BOOK_OPENED || change == BOOK_SCOPE || change == BOOK_GONE;
}

static void take_incident(struct offline *desk, Rasad__V1__Incident *incident)
{
	/* What gave way is no longer in the book, but its calls are still to be found. */
	Rasad__V1__Incident mark = RASAD__V1__INCIDENT__INIT;
	char id[128];

	snprintf(id, sizeof(id), "%s", incident->incident_id);
	mark.incident_id = id;
	enum book_change change = book_take_incident(desk->book, incident);
	const Rasad__V1__Incident *now = book_find(desk->book, id);
	if (concerns_calls(change))
		score_again(desk, now ? now : &mark);
	if (change == BOOK_GONE && now)
		score_again(desk, &mark);
}

static void take_members(struct offline *desk, Rasad__V1__MemberSet *members)
{
	char id[128];

	snprintf(id, sizeof(id), "%s", members->incident_id);
	enum book_change change = book_take_members(desk->book, members);
	const Rasad__V1__Incident *incident = book_find(desk->book, id);
	if (concerns_calls(change) && incident)
		score_again(desk, incident);
}

/* --- blind spots --- */

static void say(void *context, const Rasad__V1__Incident *incident)
{
	struct offline *desk = context;
	size_t n = rasad__v1__incident__get_packed_size(incident);
	uint8_t *bytes = malloc(n ? n : 1);

	print(desk, &incident->base);
	if (!bytes)
		return;
	rasad__v1__incident__pack(incident, bytes);
	Rasad__V1__Incident *copy = rasad__v1__incident__unpack(NULL, n, bytes);
	free(bytes);
	if (copy)
		take_incident(desk, copy);
}

static void pass_time(struct offline *desk, int64_t now_ns)
{
	if (now_ns <= desk->now_ns)
		return;
	desk->now_ns = now_ns;
	if (now_ns - desk->tick_ns < TICK_NS)
		return;
	desk->tick_ns = now_ns;
	book_advance(desk->book, now_ns);
	calls_advance(desk->calls, now_ns);
	surge_tick(desk->surge, now_ns, say, desk);
}

/* --- the file --- */

static void take_card(struct offline *desk, Card *card)
{
	pass_time(desk, card->unix_ns);
	const Card *kept = offline_lines_take(&desk->lines, card);
	if (kept)
		book_learn_area(desk->book, kept);
	else
		complain(desk, "the card names no line, or there is no memory");
}

static void take(struct offline *desk, ProtobufCMessage *message)
{
	if (message->descriptor == &rasad__v1__subscriber_card__descriptor) {
		take_card(desk, (Card *)message);
	} else if (message->descriptor == &rasad__v1__call_event__descriptor) {
		pass_time(desk, ((Call *)message)->unix_ns);
		take_call(desk, (Call *)message);
	} else if (message->descriptor == &rasad__v1__incident__descriptor) {
		pass_time(desk, ((Rasad__V1__Incident *)message)->changed_unix_ns);
		take_incident(desk, (Rasad__V1__Incident *)message);
	} else {
		take_members(desk, (Rasad__V1__MemberSet *)message);
	}
}

static void read_line(struct offline *desk, const char *text, size_t n)
{
	static const ProtobufCMessageDescriptor *const types[] = {
		&rasad__v1__subscriber_card__descriptor, &rasad__v1__call_event__descriptor,
		&rasad__v1__incident__descriptor, &rasad__v1__member_set__descriptor};
	char error[JSON_READ_ERROR_SIZE];
	ProtobufCMessage *message =
		json_read(text, n, types, sizeof(types) / sizeof(*types), error);

	if (message)
		take(desk, message);
	else
		complain(desk, error);
}

static bool read_file(struct offline *desk, FILE *file)
{
	char *text = NULL;
	size_t room = 0;
	ssize_t n;

	while ((n = getline(&text, &room, file)) >= 0) {
		desk->line++;
		if (n && text[n - 1] == '\n')
			n--;
		if (n)
			read_line(desk, text, (size_t)n);
	}
	free(text);
	if (!ferror(file))
		return true;
	fprintf(stderr, "rasad-desk: %s: %s\n", desk->path, strerror(errno));
	return false;
}

int offline_run(const char *path)
{
	struct offline *desk = calloc(1, sizeof(*desk));
	FILE *file = strcmp(path, "-") != 0 ? fopen(path, "r") : stdin;
	bool good = false;

	if (!file)
		fprintf(stderr, "rasad-desk: %s: %s\n", path, strerror(errno));
	if (desk && file) {
		desk->path = path;
		desk->book = book_new();
		desk->calls = calls_new();
		desk->surge = surge_new(0);
		good = desk->book && desk->calls && desk->surge && read_file(desk, file);
		good = good && !desk->wrong && !fflush(stdout) && !ferror(stdout);
		book_free(desk->book);
		calls_free(desk->calls);
		surge_free(desk->surge);
		offline_lines_fini(&desk->lines);
		json_buffer_fini(&desk->buffer);
	}
	if (file && file != stdin)
		fclose(file);
	free(desk);
	return good ? 0 : 1;
}
