/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What the desk has in memory is what it has read of two streams. A server that was emptied under the
 * connection (FLUSHALL, another data set loaded) would leave it believing in incidents that nobody
 * tells of any more: streams only grow, so one that has had fewer entries than before is another one,
 * and everything is read anew.
 */
#include "tools/rasad-desk/follow.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "engine/publish/keyspace.h"
#include "tools/lib/call_keys.h"
#include "tools/rasad-desk/load.h"
#include "tools/rasad-desk/store.h"

#define ID_SIZE		 48
#define PAGE		 "1000"
#define KEEP_MS		 (2 * 3600 * 1000ll)
#define BLOCK_MS	 "500" /* below the 2 s after which a silent server counts as away */
#define NODES_EVERY_MS	 30000
#define ADVANCE_EVERY_MS 10000
#define STREAMS		 2

struct follower {
	struct desk *desk;
	struct redis *redis;
	struct wanted wanted;
	char incidents_id[ID_SIZE], answers_id[ID_SIZE]; /* the last ones read */
	int64_t nodes_ms, advance_ms;			 /* when next, monotonic */
	long long added[STREAMS];			 /* entries that they have had, ever */
};

/* --- loading --- */

static void keep_id(char id[ID_SIZE], const struct redis_reply *entry)
{
	snprintf(id, ID_SIZE, "%s", redis_text(redis_element(entry, 0), NULL));
}

/* All entries from id on, in pages; the last id stays in id. */
static int read_stream(struct follower *f, const char *key, char id[ID_SIZE])
{
	for (size_t n = 1; n;) {
		char start[ID_SIZE + 1];
		struct redis_reply *page;
		snprintf(start, sizeof(start), "(%s", id);
		if (redis_ask(f->redis, &page,
			      (const char *[]){"XRANGE", key, start, "+", "COUNT", PAGE, NULL}))
			return -EIO;
		n = redis_count(page);
		for (size_t i = 0; i < n; i++) {
			const struct redis_reply *entry = redis_element(page, i);
			if (id == f->incidents_id)
				load_incident(f->desk, entry, &f->wanted);
			else
				load_answer(f->desk, entry);
			keep_id(id, entry);
		}
		redis_reply_free(page);
		if (atomic_load(&f->desk->stop))
			return -EINTR;
	}
	return 0;
}

/* With an empty book: what it said may be gone. */
static bool start_anew(struct desk *desk)
{
	struct book *book = book_new();
	struct calls *calls = calls_new();

	if (!book || !calls) {
		book_free(book);
		calls_free(calls);
		return false;
	}
	pthread_mutex_lock(&desk->lock);
	book_free(desk->book);
	calls_free(desk->calls);
	callers_fini(&desk->callers);
	desk->book = book;
	desk->calls = calls;
	pthread_mutex_unlock(&desk->lock);
	return true;
}

/* With the clock of an old capture, the ids of its incidents are as old: all of them are read. */
static int load(struct follower *f)
{
	int64_t since_ms;
	int status = store_ask_time(f->redis);

	status = status ? status : store_read_time(f->desk, f->redis);
	if (status || !start_anew(f->desk))
		return status ? status : -ENOMEM;
	since_ms = desk_wall_ms(f->desk) - KEEP_MS;
	snprintf(f->incidents_id, ID_SIZE, "%" PRId64 "-0", f->desk->packet_clock ? 0 : since_ms);
	snprintf(f->answers_id, ID_SIZE, "%" PRId64 "-0", since_ms);
	status = read_stream(f, KEYSPACE_INCIDENTS, f->incidents_id);
	status = status ? status : load_open(f->desk, f->redis, &f->wanted);
	status = status ? status : load_wanted(f->desk, f->redis, &f->wanted, true);
	return status ? status : read_stream(f, CALLS_OUT, f->answers_id);
}

/* --- following --- */

static void take_stream(struct follower *f, const struct redis_reply *stream)
{
	const struct redis_reply *entries = redis_element(stream, 1);
	bool incidents = !strcmp(redis_text(redis_element(stream, 0), NULL), KEYSPACE_INCIDENTS);

	for (size_t i = 0; i < redis_count(entries); i++) {
		const struct redis_reply *entry = redis_element(entries, i);
		if (incidents)
			load_incident(f->desk, entry, &f->wanted);
		else
			load_answer(f->desk, entry);
		keep_id(incidents ? f->incidents_id : f->answers_id, entry);
	}
}

static int wait_for_news(struct follower *f)
{
	struct redis_reply *streams;

	if (redis_ask(f->redis, &streams,
		      (const char *[]){"XREAD", "COUNT", PAGE, "BLOCK", BLOCK_MS, "STREAMS",
				       KEYSPACE_INCIDENTS, CALLS_OUT, f->incidents_id,
				       f->answers_id, NULL}))
		return -EIO;
	bool refused = redis_type(streams) == REDIS_REFUSED;
	for (size_t i = 0; i < redis_count(streams); i++)
		take_stream(f, redis_element(streams, i));
	redis_reply_free(streams);
	return refused ? -EIO : load_wanted(f->desk, f->redis, &f->wanted, false);
}

/* -1: it does not say (an older server, a user that may not ask). */
static long long entries_added(const struct redis_reply *info)
{
	if (redis_type(info) == REDIS_REFUSED)
		return strstr(redis_text(info, NULL), "no such key") ? 0 : -1;
	for (size_t i = 0; i + 1 < redis_count(info); i += 2)
		if (!strcmp(redis_text(redis_element(info, i), NULL), "entries-added"))
			return redis_integer(redis_element(info, i + 1));
	return -1;
}

/* Returns 0, -EIO, or -ESTALE: what was read is gone. */
static int check_streams(struct follower *f)
{
	static const char *const keys[STREAMS] = {KEYSPACE_INCIDENTS, CALLS_OUT};
	int status = 0;

	for (size_t i = 0; i < STREAMS && !status; i++)
		status = store_append(f->redis, (const char *[]){"XINFO", "STREAM", keys[i], NULL});
	for (size_t i = 0; i < STREAMS && status != -EIO; i++) {
		struct redis_reply *info;
		if (redis_next(f->redis, &info))
			return -EIO;
		long long added = entries_added(info);
		redis_reply_free(info);
		if (added >= 0 && added < f->added[i])
			status = -ESTALE;
		f->added[i] = added;
	}
	return status;
}

static int read_nodes(struct follower *f)
{
	struct nodes nodes = {0}, former;
	int status = nodes_read(&nodes, f->redis, desk_wall_ms(f->desk));

	if (status)
		return status;
	pthread_mutex_lock(&f->desk->lock);
	former = f->desk->nodes;
	f->desk->nodes = nodes;
	pthread_mutex_unlock(&f->desk->lock);
	nodes_fini(&former);
	return 0;
}

static int look_around(struct follower *f)
{
	int64_t now_ms = desk_now_ms();
	int status = check_streams(f);

	if (status)
		return status;
	if (now_ms >= f->advance_ms) {
		f->advance_ms = now_ms + ADVANCE_EVERY_MS;
		pthread_mutex_lock(&f->desk->lock);
		book_advance(f->desk->book, desk_time(f->desk));
		calls_advance(f->desk->calls, desk_time(f->desk));
		pthread_mutex_unlock(&f->desk->lock);
	}
	if (now_ms < f->nodes_ms)
		return 0;
	f->nodes_ms = now_ms + NODES_EVERY_MS;
	return read_nodes(f);
}

static void follow(struct follower *f)
{
	int status = load(f);

	if (!status) {
		count(&f->desk->counters.reloads);
		atomic_store(&f->desk->current, true);
	}
	while (!status && !atomic_load(&f->desk->stop)) {
		status = look_around(f);
		status = status ? status : wait_for_news(f);
	}
	atomic_store(&f->desk->current, false);
}

void *follow_run(void *context)
{
	struct follower f = {.desk = context};

	while (!atomic_load(&f.desk->stop)) {
		f.redis = links_take(&f.desk->links);
		if (f.redis)
			follow(&f);
		links_give(&f.desk->links, f.redis, false);
		f.nodes_ms = f.advance_ms = 0;
		memset(f.added, 0, sizeof(f.added));
		if (!atomic_load(&f.desk->stop))
			desk_pause(f.desk, 20);
	}
	wanted_fini(&f.wanted);
	return NULL;
}
