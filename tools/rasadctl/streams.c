/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The streams of all shards as one, by id (which is time in ms). A shard has a stream only once
 * it has had an entry, and asking for all 256 is one pipeline; XREAD waits for streams to come
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

#define ID_SIZE	  48
#define NS_PER_MS 1000000
#define POLL_MS	  500

static struct shard {
	char id[ID_SIZE]; /* the last one shown */
	struct redis_reply *page;
	size_t at;
	bool ended;
} shards[KEYSPACE_SHARDS];

static volatile sig_atomic_t interrupted;

static void on_interrupt(int number)
{
	(void)number;
	interrupted = 1;
}

/* Of the fields t v k p of an entry. */
const struct redis_reply *stream_field(const struct redis_reply *entry, const char *name)
{
	const struct redis_reply *fields = redis_element(entry, 1);

	for (size_t i = 0; i + 1 < redis_count(fields); i += 2)
		if (!strcmp(redis_text(redis_element(fields, i), NULL), name))
			return redis_element(fields, i + 1);
	return NULL;
}

/* --- all that is there, merged --- */

static bool ask_page(struct ctl *ctl, const struct stream_reader *reader, const struct shard *shard)
{
	keyspace_key key;
	char start[ID_SIZE + 1];

	reader->key((unsigned)(shard - shards), key);
	snprintf(start, sizeof(start), "(%s", shard->id);
	return ctl_send(ctl,
			(const char *[]){"XRANGE", key, start, "+", "COUNT", reader->page, NULL});
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

static struct shard *earliest(const struct stream_reader *reader)
{
	struct shard *first = NULL;

	for (unsigned i = 0; i < reader->n; i++)
		if (!shards[i].ended && (!first || is_before(head_id(&shards[i]), head_id(first))))
			first = &shards[i];
	return first;
}

static void start_at(const struct ctl *ctl)
{
	int64_t ms = ctl->since_unix_ns > 0 ? ctl->since_unix_ns / NS_PER_MS - 1 : 0;

	for (unsigned i = 0; i < KEYSPACE_SHARDS; i++)
		snprintf(shards[i].id, ID_SIZE, "%" PRId64 "-0", ms > 0 ? ms : 0);
}

static bool read_first_pages(struct ctl *ctl, const struct stream_reader *reader)
{
	for (unsigned i = 0; i < reader->n; i++)
		if (!ask_page(ctl, reader, &shards[i]))
			return false;
	for (unsigned i = 0; i < reader->n; i++)
		if (!read_page(ctl, &shards[i]))
			return false;
	return true;
}

static bool list(struct ctl *ctl, const struct stream_reader *reader)
{
	if (!read_first_pages(ctl, reader))
		return false;
	for (struct shard *shard; (shard = earliest(reader)) && !interrupted;) {
		if (!reader->show(ctl, redis_element(shard->page, shard->at)))
			return true;
		snprintf(shard->id, ID_SIZE, "%s", head_id(shard));
		if (++shard->at < redis_count(shard->page))
			continue;
		if (!ask_page(ctl, reader, shard) || !read_page(ctl, shard))
			return false;
	}
	return true;
}

static void listen_for_interrupt(const struct ctl *ctl)
{
	if (ctl->follow)
		sigaction(SIGINT, &(struct sigaction){.sa_handler = on_interrupt}, NULL);
}

bool streams_list(struct ctl *ctl, const struct stream_reader *reader)
{
	listen_for_interrupt(ctl);
	start_at(ctl);
	bool good = list(ctl, reader);
	fflush(stdout);
	for (unsigned i = 0; i < KEYSPACE_SHARDS; i++) {
		redis_reply_free(shards[i].page);
		shards[i].page = NULL;
	}
	return good;
}

/* --- new ones --- */

static bool ask_new(struct ctl *ctl, const struct stream_reader *reader)
{
	static char keys[KEYSPACE_SHARDS][KEYSPACE_KEY_MAX];
	const char *arguments[6 + 2 * KEYSPACE_SHARDS + 1] = {"XREAD", "BLOCK",	     "0",
							      "COUNT", reader->page, "STREAMS"};

	for (unsigned i = 0; i < reader->n; i++) {
		reader->key(i, keys[i]);
		arguments[6 + i] = keys[i];
		arguments[6 + reader->n + i] = shards[i].id;
	}
	if (!ctl_send(ctl, arguments))
		return false;
	if (!redis_flush(ctl->redis))
		return true;
	complain("Redis: %s", redis_error(ctl->redis));
	return false;
}

/* The shard of this key, or NULL. */
static struct shard *shard_of(const struct stream_reader *reader, const char *key)
{
	keyspace_key own;

	for (unsigned i = 0; i < reader->n; i++) {
		reader->key(i, own);
		if (!strcmp(own, key))
			return &shards[i];
	}
	return NULL;
}

static void show_new(struct ctl *ctl, const struct stream_reader *reader,
		     const struct redis_reply *streams)
{
	for (size_t i = 0; i < redis_count(streams); i++) {
		const struct redis_reply *stream = redis_element(streams, i);
		const struct redis_reply *entries = redis_element(stream, 1);
		struct shard *shard = shard_of(reader, redis_text(redis_element(stream, 0), NULL));
		for (size_t k = 0; shard && k < redis_count(entries); k++) {
			const struct redis_reply *entry = redis_element(entries, k);
			reader->show(ctl, entry);
			snprintf(shard->id, ID_SIZE, "%s",
				 redis_text(redis_element(entry, 0), NULL));
		}
	}
}

static bool follow(struct ctl *ctl, const struct stream_reader *reader)
{
	while (!interrupted && !ferror(stdout)) {
		if (!ask_new(ctl, reader))
			return false;
		while (!interrupted && redis_wait(ctl->redis, POLL_MS) <= 0)
			;
		if (interrupted)
			break;
		struct redis_reply *streams = ctl_next(ctl);
		if (!streams)
			return false;
		show_new(ctl, reader, streams);
		redis_reply_free(streams);
		fflush(stdout);
	}
	return true;
}

/* "$" would be asked anew by each XREAD; the newest id of each stream is asked once. */
bool streams_start_at_end(struct ctl *ctl, const struct stream_reader *reader)
{
	start_at(ctl);
	for (unsigned i = 0; i < reader->n; i++) {
		keyspace_key key;
		reader->key(i, key);
		if (!ctl_send(ctl,
			      (const char *[]){"XREVRANGE", key, "+", "-", "COUNT", "1", NULL}))
			return false;
	}
	for (unsigned i = 0; i < reader->n; i++) {
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

bool streams_follow(struct ctl *ctl, const struct stream_reader *reader, bool listed)
{
	listen_for_interrupt(ctl);
	return (listed || streams_start_at_end(ctl, reader)) && follow(ctl, reader);
}
