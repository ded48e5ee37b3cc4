/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The streams of all shards as one, by id (which is time in ms). A shard has a stream only once
 * it has had an event, and asking for all 256 is one pipeline; XREAD waits for streams to come
 * as well as for entries.
 */
#include <errno.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "engine/publish/keyspace.h"
#include "engine/publish/redis.h"
#include "tools/rasadctl/ctl.h"

#define PAGE	  "1000"
#define ID_SIZE	  48
#define NS_PER_MS 1000000
#define POLL_MS	  500

struct shard {
	char id[ID_SIZE]; /* the last one shown */
	struct redis_reply *page;
	size_t at;
	bool ended;
};

static volatile sig_atomic_t interrupted;

static void on_interrupt(int number)
{
	(void)number;
	interrupted = 1;
}

/* --- one event --- */

/* Of the fields t v k p of an entry. */
static const struct redis_reply *field(const struct redis_reply *entry, const char *name)
{
	const struct redis_reply *fields = redis_element(entry, 1);

	for (size_t i = 0; i + 1 < redis_count(fields); i += 2)
		if (!strcmp(redis_text(redis_element(fields, i), NULL), name))
			return redis_element(fields, i + 1);
	return NULL;
}

static bool is_wanted(const struct ctl *ctl, int64_t unix_ns, const char *line, const char *user)
{
	return unix_ns >= ctl->since_unix_ns &&
	       (!ctl->line || !strcmp(ctl->line, line) || !strcmp(ctl->line, user));
}

static void print_head(int64_t unix_ns, const char *kind, const char *line, const char *user)
{
	char time[TIME_SIZE];

	printf("%s  %-12s ", format_time(unix_ns, time), kind);
	print_cell(line, 32);
	putchar(' ');
	print_cell(user, 24);
	putchar(' ');
}

static const char *kind_name(int kind)
{
	static const char *const names[] = {"?",	 "UP",	 "SUSPECT",
					    "RECOVERED", "DOWN", "SETUP_FAILED"};

	return kind >= 0 && kind < 6 ? names[kind] : "?";
}

static void print_session_event(const Rasad__V1__SessionEvent *event)
{
	char span[TIME_SIZE];
	const char *why = event->stage	 ? stage_words((int)event->stage)
			  : event->cause ? cause_words((int)event->cause)
					 : "";

	print_head(event->unix_ns, kind_name((int)event->kind), event->line, event->subscriber);
	printf("%s", why);
	if (event->has_down_since_unix_ns_case && event->down_since_unix_ns < event->unix_ns)
		printf("%ssilent for %s", *why ? ", " : "",
		       format_span(event->unix_ns - event->down_since_unix_ns, span));
	if (event->has_setup_ms_case)
		printf("set-up took %" PRId64 " ms", event->setup_ms);
	if (*event->text)
		printf(" \"%s\"", tidy(event->text));
	putchar('\n');
}

static void show_session_event(struct ctl *ctl, const Rasad__V1__SessionEvent *event)
{
	if (!is_wanted(ctl, event->unix_ns, event->line, event->subscriber))
		return;
	if (ctl->json)
		ctl_print_json(ctl, &event->base);
	else
		print_session_event(event);
}

static void show_flaps(struct ctl *ctl, const Rasad__V1__FlapSummary *flaps)
{
	if (!is_wanted(ctl, flaps->unix_ns, flaps->line, flaps->subscriber))
		return;
	if (ctl->json) {
		ctl_print_json(ctl, &flaps->base);
		return;
	}
	print_head(flaps->unix_ns, flaps->flapping ? "FLAPPING" : "FLAPS_ENDED", flaps->line,
		   flaps->subscriber);
	printf("%u flaps since the last word, %u in 1 h, %u in 24 h\n", flaps->flaps,
	       flaps->flaps_1h, flaps->flaps_24h);
}

/* An entry that is no event of ours, or of a later schema, is named and passed over. */
static void show_entry(struct ctl *ctl, const struct redis_reply *entry)
{
	const char *type = redis_text(field(entry, "t"), NULL);
	bool is_event = !strcmp(type, "SessionEvent");
	ProtobufCMessage *message = NULL;

	if (is_event || !strcmp(type, "FlapSummary"))
		message = ctl_unpack(is_event ? &rasad__v1__session_event__descriptor
					      : &rasad__v1__flap_summary__descriptor,
				     field(entry, "p"));
	if (!message) {
		complain("entry %s: expected SessionEvent or FlapSummary, found \"%s\"",
			 tidy(redis_text(redis_element(entry, 0), NULL)), tidy(type));
		return;
	}
	if (is_event)
		show_session_event(ctl, (Rasad__V1__SessionEvent *)message);
	else
		show_flaps(ctl, (Rasad__V1__FlapSummary *)message);
	protobuf_c_message_free_unpacked(message, NULL);
}

/* --- all that is there, merged --- */

static bool ask_page(struct ctl *ctl, unsigned index, const struct shard *shard)
{
	keyspace_key key;
	char start[ID_SIZE + 1];

	keyspace_events(index, key);
	snprintf(start, sizeof(start), "(%s", shard->id);
	return ctl_send(ctl, (const char *[]){"XRANGE", key, start, "+", "COUNT", PAGE, NULL});
}

static bool read_page(struct ctl *ctl, struct shard *shard)
{
	redis_reply_free(shard->page);
	shard->page = ctl_next(ctl);
	shard->at = 0;
	shard->ended = !redis_count(shard->page);
	return shard->page;
}

static const char *head_id(const struct shard *shard)
{
	return redis_text(redis_element(redis_element(shard->page, shard->at), 0), NULL);
}

static bool is_before(const char *a, const char *b)
{
	unsigned long long a_ms = 0, a_seq = 0, b_ms = 0, b_seq = 0;

	sscanf(a, "%llu-%llu", &a_ms, &a_seq);
	sscanf(b, "%llu-%llu", &b_ms, &b_seq);
	return a_ms != b_ms ? a_ms < b_ms : a_seq < b_seq;
}

static struct shard *earliest(struct shard *shards)
{
	struct shard *first = NULL;

	for (unsigned i = 0; i < KEYSPACE_SHARDS; i++)
		if (!shards[i].ended && (!first || is_before(head_id(&shards[i]), head_id(first))))
			first = &shards[i];
	return first;
}

static bool list(struct ctl *ctl, struct shard *shards)
{
	for (unsigned i = 0; i < KEYSPACE_SHARDS; i++)
		if (!ask_page(ctl, i, &shards[i]))
			return false;
	for (unsigned i = 0; i < KEYSPACE_SHARDS; i++)
		if (!read_page(ctl, &shards[i]))
			return false;
	for (struct shard *shard; (shard = earliest(shards)) && !interrupted;) {
		show_entry(ctl, redis_element(shard->page, shard->at));
		snprintf(shard->id, ID_SIZE, "%s", head_id(shard));
		if (++shard->at < redis_count(shard->page))
			continue;
		if (!ask_page(ctl, (unsigned)(shard - shards), shard) || !read_page(ctl, shard))
			return false;
	}
	return true;
}

/* --- new ones --- */

static bool ask_new(struct ctl *ctl, const struct shard *shards)
{
	static char keys[KEYSPACE_SHARDS][KEYSPACE_KEY_MAX];
	const char *arguments[6 + 2 * KEYSPACE_SHARDS + 1] = {"XREAD", "BLOCK", "0",
							      "COUNT", PAGE,	"STREAMS"};

	for (unsigned i = 0; i < KEYSPACE_SHARDS; i++) {
		keyspace_events(i, keys[i]);
		arguments[6 + i] = keys[i];
		arguments[6 + KEYSPACE_SHARDS + i] = shards[i].id;
	}
	if (!ctl_send(ctl, arguments))
		return false;
	if (!redis_flush(ctl->redis))
		return true;
	complain("Redis: %s", redis_error(ctl->redis));
	return false;
}

/* rasad:{eXX}:ev -> XX */
static struct shard *shard_of(struct shard *shards, const char *key)
{
	unsigned index;

	return sscanf(key, "rasad:{e%2x}:ev", &index) == 1 && index < KEYSPACE_SHARDS
		       ? &shards[index]
		       : NULL;
}

static void show_new(struct ctl *ctl, struct shard *shards, const struct redis_reply *streams)
{
	for (size_t i = 0; i < redis_count(streams); i++) {
		const struct redis_reply *stream = redis_element(streams, i);
		const struct redis_reply *entries = redis_element(stream, 1);
		struct shard *shard = shard_of(shards, redis_text(redis_element(stream, 0), NULL));
		for (size_t k = 0; shard && k < redis_count(entries); k++) {
			const struct redis_reply *entry = redis_element(entries, k);
			show_entry(ctl, entry);
			snprintf(shard->id, ID_SIZE, "%s",
				 redis_text(redis_element(entry, 0), NULL));
		}
	}
}

static bool follow(struct ctl *ctl, struct shard *shards)
{
	while (!interrupted && !ferror(stdout)) {
		if (!ask_new(ctl, shards))
			return false;
		while (!interrupted && redis_wait(ctl->redis, POLL_MS) <= 0)
			;
		if (interrupted)
			break;
		struct redis_reply *streams = ctl_next(ctl);
		if (!streams)
			return false;
		show_new(ctl, shards, streams);
		redis_reply_free(streams);
		fflush(stdout);
	}
	return true;
}

/* "$" would be asked anew by each XREAD; the newest id of each stream is asked once. */
static bool start_at_end(struct ctl *ctl, struct shard *shards)
{
	for (unsigned i = 0; i < KEYSPACE_SHARDS; i++) {
		keyspace_key key;
		keyspace_events(i, key);
		if (!ctl_send(ctl,
			      (const char *[]){"XREVRANGE", key, "+", "-", "COUNT", "1", NULL}))
			return false;
	}
	for (unsigned i = 0; i < KEYSPACE_SHARDS; i++) {
		struct redis_reply *newest = ctl_next(ctl);
		if (!newest)
			return false;
		if (redis_count(newest))
			snprintf(shards[i].id, ID_SIZE, "%s",
				 redis_text(redis_element(redis_element(newest, 0), 0), NULL));
		redis_reply_free(newest);
	}
	return true;
}

static void start_at(const struct ctl *ctl, struct shard *shards)
{
	int64_t ms = ctl->since_unix_ns > 0 ? ctl->since_unix_ns / NS_PER_MS - 1 : 0;

	for (unsigned i = 0; i < KEYSPACE_SHARDS; i++)
		snprintf(shards[i].id, ID_SIZE, "%" PRId64 "-0", ms > 0 ? ms : 0);
}

int run_events(struct ctl *ctl)
{
	static struct shard shards[KEYSPACE_SHARDS];
	bool only_new = ctl->follow && ctl->since_unix_ns == INT64_MIN;

	if (ctl->follow)
		sigaction(SIGINT, &(struct sigaction){.sa_handler = on_interrupt}, NULL);
	start_at(ctl, shards);
	bool good = only_new ? start_at_end(ctl, shards) : list(ctl, shards);
	fflush(stdout);
	if (good && ctl->follow)
		good = follow(ctl, shards);
	for (unsigned i = 0; i < KEYSPACE_SHARDS; i++)
		redis_reply_free(shards[i].page);
	return good ? EXIT_OK : EXIT_TROUBLE;
}
