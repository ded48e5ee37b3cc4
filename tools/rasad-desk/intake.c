/* SPDX-License-Identifier: BSD-3-Clause */
#include "tools/rasad-desk/intake.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tools/lib/call_keys.h"
#include "tools/rasad-desk/call.h"
#include "tools/rasad-desk/store.h"

#define PAGE	       "64"
#define CLAIM_PAGE     "100"
#define BLOCK_MS       "500"
#define CLAIM_IDLE_MS  "60000"
#define CLAIM_EVERY_MS 30000
#define DELIVERIES_MAX 5
#define ID_SIZE	       48

struct intake {
	struct desk *desk;
	struct redis *redis;
	int64_t claim_ms; /* when next, monotonic */
};

static int acknowledge(struct intake *in, const char *id)
{
	return store_do(in->redis, (const char *[]){"XACK", CALLS_IN, CALL_GROUP, id, NULL});
}

/* --- dead letters --- */

/* The fields as they came, binary or not, and why. */
static int bury(struct intake *in, const struct redis_reply *entry, const char *why)
{
	static const char *const names[] = {"t", "v", "k", "p"};
	const char *id = redis_text(redis_element(entry, 0), NULL);
	const char *arguments[20] = {"XADD", DEAD_LETTERS, "MAXLEN", "~",  DEAD_LETTERS_MAXLEN,
				     "*",    "why",	   why,	     "of", id};
	size_t lengths[20], n = 10;
	struct redis_reply *reply;

	for (size_t i = 0; i < n; i++)
		lengths[i] = strlen(arguments[i]);
	for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++) {
		const struct redis_reply *field = store_field(entry, names[i]);
		if (!field)
			continue;
		arguments[n] = names[i];
		lengths[n++] = 1;
		arguments[n] = redis_text(field, &lengths[n]);
		n++;
	}
	count(&in->desk->counters.dead_letters);
	if (redis_append(in->redis, n, arguments, lengths) || redis_next(in->redis, &reply))
		return -EIO;
	bool refused = redis_type(reply) == REDIS_REFUSED;
	redis_reply_free(reply);
	return refused ? -EPROTO : acknowledge(in, id);
}

/* --- one entry --- */

/*
 * Without an id or a time of its own, a call has those of its entry: the same at each delivery. By
 * the clock of the packets, it is dated by the card of its line (call.h).
 */
static bool has_id(const struct desk *desk, Rasad__V1__CallEvent *call, const char *entry_id)
{
	char *id = *call->call_id ? NULL : malloc(ID_SIZE + 8);

	if (id) {
		snprintf(id, ID_SIZE + 8, "in-%.40s", entry_id);
		call->call_id = id;
	}
	if (!call->unix_ns && !desk->packet_clock)
		call->unix_ns = strtoll(entry_id, NULL, 10) * 1000000;
	return *call->call_id;
}

static int answer(struct intake *in, const struct redis_reply *entry, Rasad__V1__CallEvent *call)
{
	Rasad__V1__CallMatch *match;
	enum call_outcome outcome = call_answer(in->desk, in->redis, call, &match);

	if (match)
		rasad__v1__call_match__free_unpacked(match, NULL);
	if (outcome == CALL_AWAY || outcome == CALL_FAILED)
		return -EIO; /* it stays with us, and is tried again */
	count(&in->desk->counters.stream_calls);
	return acknowledge(in, redis_text(redis_element(entry, 0), NULL));
}

static int take(struct intake *in, const struct redis_reply *entry)
{
	const char *id = redis_text(redis_element(entry, 0), NULL);

	if (!redis_count(redis_element(entry, 1)))
		return acknowledge(in, id); /* trimmed away meanwhile */
	bool is_call = !strcmp(redis_text(store_field(entry, "t"), NULL), "CallEvent");
	Rasad__V1__CallEvent *call =
		is_call ? (Rasad__V1__CallEvent *)store_unpack(&rasad__v1__call_event__descriptor,
							       store_field(entry, "p"))
			: NULL;
	if (!call)
		return bury(in, entry, is_call ? "p is no CallEvent" : "t is not CallEvent");
	const char *wrong = has_id(in->desk, call, id) ? call_refused(call) : "out of memory";
	int status = wrong ? bury(in, entry, wrong) : answer(in, entry, call);
	rasad__v1__call_event__free_unpacked(call, NULL);
	return status;
}

static int take_all(struct intake *in, const struct redis_reply *entries)
{
	int status = 0;

	for (size_t i = 0; i < redis_count(entries) && !status; i++)
		status = take(in, redis_element(entries, i));
	return status;
}

/* --- reading --- */

/* The group begins with the first entry there is: calls that came before any desk are answered. */
static int make_group(struct intake *in)
{
	int status = store_do(in->redis, (const char *[]){"XGROUP", "CREATE", CALLS_IN, CALL_GROUP,
							  "0", "MKSTREAM", NULL});

	return status == -EPROTO ? 0 : status; /* it is there already */
}

/* From "0": our own that are not acknowledged; from ">": new ones. Returns their number or -EIO. */
static int read_group(struct intake *in, const char *from)
{
	struct redis_reply *streams;

	if (redis_ask(in->redis, &streams,
		      (const char *[]){"XREADGROUP", "GROUP", CALL_GROUP, in->desk->name, "COUNT",
				       PAGE, "BLOCK", BLOCK_MS, "STREAMS", CALLS_IN, from, NULL}))
		return -EIO;
	const struct redis_reply *entries = redis_element(redis_element(streams, 0), 1);
	int n = (int)redis_count(entries);
	int status = redis_type(streams) == REDIS_REFUSED ? -EPROTO : take_all(in, entries);
	redis_reply_free(streams);
	return status ? status : n;
}

/* Entries that are delivered in vain, again and again. */
static int bury_undeliverable(struct intake *in, const struct redis_reply *pending)
{
	int status = 0;

	for (size_t i = 0; i < redis_count(pending) && !status; i++) {
		const struct redis_reply *row = redis_element(pending, i);
		const char *id = redis_text(redis_element(row, 0), NULL);
		struct redis_reply *range;
		if (redis_integer(redis_element(row, 3)) <= DELIVERIES_MAX)
			continue;
		if (redis_ask(in->redis, &range,
			      (const char *[]){"XRANGE", CALLS_IN, id, id, NULL}))
			return -EIO;
		const struct redis_reply *entry = redis_element(range, 0);
		status = entry ? bury(in, entry, "delivered too often") : acknowledge(in, id);
		redis_reply_free(range);
	}
	return status;
}

static int look_at_pending(struct intake *in)
{
	struct redis_reply *pending;

	if (redis_ask(
		    in->redis, &pending,
		    (const char *[]){"XPENDING", CALLS_IN, CALL_GROUP, "-", "+", CLAIM_PAGE, NULL}))
		return -EIO;
	int status = bury_undeliverable(in, pending);
	redis_reply_free(pending);
	return status;
}

/* What a desk that went away has left. */
static int claim(struct intake *in)
{
	char cursor[ID_SIZE] = "0-0";
	int status = look_at_pending(in);

	while (!status) {
		struct redis_reply *reply;
		if (redis_ask(in->redis, &reply,
			      (const char *[]){"XAUTOCLAIM", CALLS_IN, CALL_GROUP, in->desk->name,
					       CLAIM_IDLE_MS, cursor, "COUNT", CLAIM_PAGE, NULL}))
			return -EIO;
		snprintf(cursor, sizeof(cursor), "%s", redis_text(redis_element(reply, 0), NULL));
		const struct redis_reply *entries = redis_element(reply, 1);
		atomic_fetch_add(&in->desk->counters.claimed, redis_count(entries));
		status = take_all(in, entries);
		redis_reply_free(reply);
		if (!strcmp(cursor, "0-0") || !*cursor)
			break;
	}
	return status;
}

static void work(struct intake *in)
{
	int status = make_group(in);

	status = status ? status : look_at_pending(in);
	for (int n = 1; !status && n; status = n < 0 ? n : 0)
		n = read_group(in, "0");
	in->claim_ms = 0;
	while (!status && !atomic_load(&in->desk->stop)) {
		if (desk_now_ms() >= in->claim_ms) {
			in->claim_ms = desk_now_ms() + CLAIM_EVERY_MS;
			status = claim(in);
		}
		int n = status ? status : read_group(in, ">");
		status = n < 0 ? n : 0;
	}
}

void *intake_run(void *context)
{
	struct intake in = {.desk = context};

	while (!atomic_load(&in.desk->stop)) {
		/* An answer without the incidents would be a guess: the calls wait in the stream. */
		in.redis = atomic_load(&in.desk->current) ? links_take(&in.desk->links) : NULL;
		if (in.redis)
			work(&in);
		links_give(&in.desk->links, in.redis, false);
		if (!atomic_load(&in.desk->stop))
			desk_pause(in.desk, 20);
	}
	return NULL;
}
