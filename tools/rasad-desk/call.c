/* SPDX-License-Identifier: BSD-3-Clause */
#include "tools/rasad-desk/call.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "engine/match/call_json.h"
#include "engine/match/identity.h"
#include "engine/match/score.h"
#include "proto/rasad/v1/card.pb-c.h"
#include "tools/lib/call_keys.h"
#include "tools/lib/find.h"
#include "tools/rasad-desk/store.h"

typedef Rasad__V1__CallEvent Call;
typedef Rasad__V1__CallMatch Match;
typedef Rasad__V1__SubscriberCard Card;

/* A call while it is worked on. */
struct work {
	struct desk *desk;
	struct redis *redis;
	const Call *call;
	struct redis_reply *stored; /* the reply with the answer that is there; or NULL */
	struct found lines;
	Card *cards[CALL_LINES_MAX];
};

static void work_fini(struct work *work)
{
	redis_reply_free(work->stored);
	free(work->lines.sub_ids);
	for (size_t i = 0; i < CALL_LINES_MAX; i++)
		if (work->cards[i])
			rasad__v1__subscriber_card__free_unpacked(work->cards[i], NULL);
}

const char *call_refused(const Call *call)
{
	if (!strcmp(call->call_id, "in") || !strcmp(call->call_id, "out"))
		return "call_id: \"in\" and \"out\" are taken";
	return call_check(call);
}

static void call_key(const char *call_id, char out[CALL_KEY_SIZE])
{
	snprintf(out, CALL_KEY_SIZE, CALL_KEY, call_id);
}

/* --- first round: what was answered, who calls, what time it is --- */

static int ask_names(struct work *work, const struct identity_key *keys, size_t n)
{
	static const enum keyspace_index index[] = {[IDENTITY_ACCOUNT] = KEYSPACE_USER,
						    [IDENTITY_PHONE] = KEYSPACE_PHONE,
						    [IDENTITY_CIRCUIT] = KEYSPACE_CIRCUIT};
	char key[CALL_KEY_SIZE];
	int status;

	call_key(work->call->call_id, key);
	status = store_append(work->redis, (const char *[]){"GET", key, NULL});
	status = status ? status : store_ask_time(work->redis);
	for (size_t i = 0; i < n && !status; i++)
		status = find_ask(work->redis, index[keys[i].kind], keys[i].text);
	return status;
}

/* The first name that is known wins; all replies are read. */
static int read_names(struct work *work, size_t n, size_t *winner)
{
	int status = 0;

	for (size_t i = 0; i < n && status != -EIO; i++) {
		struct found found = {0};
		int one = find_next(work->redis, &found);
		status = status ? status : one;
		if (found.n && !work->lines.n) {
			work->lines = found;
			*winner = i;
		} else
			free(found.sub_ids);
	}
	return status;
}

/* --- second round: the cards --- */

/* An index may be older than a card: lines that have let go of the name are none of the caller's. */
static void keep_line(struct work *work, size_t *kept, size_t at, Card *card, const char *name)
{
	if (card && !card_answers(card, name)) {
		rasad__v1__subscriber_card__free_unpacked(card, NULL);
		return;
	}
	work->cards[*kept] = card;
	memmove(work->lines.sub_ids[(*kept)++], work->lines.sub_ids[at], KEYSPACE_SUB_ID_SIZE);
}

static int read_cards(struct work *work, const char *name)
{
	size_t n = work->lines.n < CALL_LINES_MAX ? work->lines.n : CALL_LINES_MAX, kept = 0;
	int status = 0;

	if (work->lines.n > CALL_LINES_MAX)
		count(&work->desk->counters.lines_cut);
	for (size_t i = 0; i < n && !status; i++)
		status = store_ask_card(work->redis, work->lines.sub_ids[i]);
	for (size_t i = 0; i < n && !status; i++) {
		Card *card;
		status = store_read_card(work->desk, work->redis, &card);
		if (!status)
			keep_line(work, &kept, i, card, name);
	}
	work->lines.n = kept;
	return status;
}

/* again: whatever has been answered. */
static int look_up(struct work *work, bool again)
{
	struct identity_key keys[IDENTITY_KEYS_MAX];
	size_t n = identity_keys(work->call, keys), winner = 0;
	int status = ask_names(work, keys, n);

	if (!status && redis_next(work->redis, &work->stored))
		status = -EIO;
	status = status ? status : store_read_time(work->desk, work->redis);
	status = status ? status : read_names(work, n, &winner);
	if (status || (!again && redis_type(work->stored) != REDIS_NIL))
		return status;
	return work->lines.n ? read_cards(work, keys[winner].text) : 0;
}

/* --- the score --- */

struct scene {
	struct score_input inputs[CALL_LINES_MAX];
	struct score_incident incidents[CALL_LINES_MAX][SCORE_INCIDENTS_MAX];
};

/* Of the smallest element of the line that is published. */
static const Rasad__V1__NodeSummary *siblings(const struct nodes *nodes, const Card *card)
{
	static const char *const types[] = {"port", "card", "access_node", "svlan"};

	for (size_t t = 0; card && t < sizeof(types) / sizeof(*types); t++)
		for (size_t i = 0; i < card->n_groups; i++) {
			char group[256];
			if (strcmp(card->groups[i]->group_type, types[t]))
				continue;
			snprintf(group, sizeof(group), "%s:%.180s", types[t],
				 card->groups[i]->group);
			const Rasad__V1__NodeSummary *node = nodes_find(nodes, group);
			if (node)
				return node;
		}
	return NULL;
}

/* Under the lock. */
static void set_scene(struct work *work, struct scene *scene, size_t i, int64_t now)
{
	struct desk *desk = work->desk;
	struct score_incident *incidents = scene->incidents[i];
	const Card *card = work->cards[i];
	size_t n =
		book_candidates(desk->book, card, book_sub_id(work->lines.sub_ids[i]), incidents);

	for (size_t k = 0; k < n; k++)
		incidents[k].other_calls = calls_recent_of(
			desk->calls, incidents[k].incident->incident_id, work->call->call_id, now);
	if (card)
		book_learn_area(desk->book, card);
	scene->inputs[i] = (struct score_input){
		.call = work->call,
		.card = card,
		.now_unix_ns = now,
		.wall_unix_ms = desk_wall_ms(desk),
		.incidents = incidents,
		.n_incidents = n,
		.siblings = siblings(&desk->nodes, card),
	};
}

static Match *score_stranger(struct work *work, int64_t now)
{
	struct score_incident area[SCORE_INCIDENTS_MAX];
	struct identity_key keys[IDENTITY_KEYS_MAX];
	size_t n = identity_keys(work->call, keys), n_area = 0;

	for (size_t i = 0; i < n && !n_area; i++)
		if (keys[i].kind == IDENTITY_PHONE)
			n_area = book_area(work->desk->book, keys[i].text, area);
	return score_unknown(work->call, area, n_area, now);
}

static Match *score(struct work *work)
{
	struct scene scene;
	int64_t now = desk_time(work->desk);
	Match *match;

	pthread_mutex_lock(&work->desk->lock);
	for (size_t i = 0; i < work->lines.n; i++)
		set_scene(work, &scene, i, now);
	match = work->lines.n ? score_lines(scene.inputs, work->lines.n)
			      : score_stranger(work, now);
	pthread_mutex_unlock(&work->desk->lock);
	if (match && !match->call)
		match->call = (Call *)store_copy(&work->call->base);
	if (match && !*match->sub_id && work->lines.n == 1) { /* no card, yet we know the line */
		char *sub_id = strdup(work->lines.sub_ids[0]);
		match->sub_id = sub_id ? sub_id : match->sub_id;
	}
	return match;
}

/* --- third round: the store --- */

/*
 * KEYS: the answer, the stream. ARGV: the new answer, its life, MAXLEN, k, the answer that it
 * replaces ("" none). Returns nil when it was stored, else what is there.
 */
static const char script[] =
	"local there = redis.call('GET', KEYS[1])\n"
	"if (there or '') ~= ARGV[5] then return there or '' end\n"
	"redis.call('SET', KEYS[1], ARGV[1], 'EX', ARGV[2])\n"
	"redis.call('XADD', KEYS[2], 'MAXLEN', '~', ARGV[3], '*', 't', 'CallMatch', 'v', '1', 'k', "
	"ARGV[4], 'p', ARGV[1])\n"
	"return false\n";

/* *reply is nil when it was stored. Returns 0, -EIO, -ENOMEM, or -EPROTO when Redis refuses. */
static int store(struct work *work, const Match *match, const char *former, size_t n_former,
		 struct redis_reply **reply)
{
	char key[CALL_KEY_SIZE], k[CALL_KEY_SIZE + 16];
	struct bytes bytes = store_pack(&match->base);

	*reply = NULL;
	if (!bytes.data)
		return -ENOMEM;
	call_key(match->call_id, key);
	snprintf(k, sizeof(k), "%s:%u", match->call_id, match->revision);
	const char *arguments[] = {
		"EVAL",	    script,	  "2", key,   CALLS_OUT, (char *)bytes.data,
		CALL_TTL_S, CALLS_MAXLEN, k,   former};
	enum { N = sizeof(arguments) / sizeof(*arguments), ANSWER = 5, FORMER = 9 };
	size_t lengths[N];
	for (size_t i = 0; i < N; i++)
		lengths[i] = i == ANSWER ? bytes.n : i == FORMER ? n_former : strlen(arguments[i]);
	int status = redis_append(work->redis, N, arguments, lengths);
	status = status ? status : redis_next(work->redis, reply);
	free(bytes.data);
	if (!status && redis_type(*reply) == REDIS_REFUSED)
		status = -EPROTO;
	return status;
}

/* --- a call --- */

static enum call_outcome away(struct work *work, Match **match)
{
	count(&work->desk->counters.unavailable);
	*match = score_unavailable(work->call, desk_time(work->desk));
	return *match ? CALL_AWAY : CALL_FAILED;
}

static enum call_outcome repeated(struct work *work, const struct redis_reply *there, Match **match)
{
	*match = (Match *)store_unpack(&rasad__v1__call_match__descriptor, there);
	count(*match ? &work->desk->counters.duplicates : &work->desk->counters.garbled);
	return *match ? CALL_REPEATED : CALL_FAILED;
}

static enum call_outcome answer(struct work *work, Call *call, Match **match)
{
	struct redis_reply *there = NULL;
	int status = look_up(work, false);

	if (status)
		return status == -EIO ? away(work, match) : CALL_FAILED;
	if (redis_type(work->stored) == REDIS_TEXT)
		return repeated(work, work->stored, match);
	if (!call->unix_ns)
		call->unix_ns = desk_time(work->desk); /* known by the cards at the latest */
	*match = score(work);
	status = *match ? store(work, *match, "", 0, &there) : -ENOMEM;
	bool stands = !status && redis_type(there) == REDIS_NIL;
	enum call_outcome outcome = CALL_ANSWERED;
	if (!stands && *match) {
		rasad__v1__call_match__free_unpacked(*match, NULL);
		*match = NULL;
	}
	if (!stands)
		outcome = status == -EIO ? away(work, match)
			  : status	 ? CALL_FAILED
					 : repeated(work, there, match);
	redis_reply_free(there);
	return outcome;
}

static int64_t now_us(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec * (int64_t)1000000 + now.tv_nsec / 1000;
}

static void measure(struct counters *counters, const Match *match, int64_t us)
{
	int step = 0;

	while (step < COUNTERS_STEPS - 1 && us >= (int64_t)125 << step)
		step++;
	count(&counters->latency[step]);
	atomic_fetch_add_explicit(&counters->latency_sum_us, (uint64_t)us, memory_order_relaxed);
	count(&counters->verdicts[(unsigned)match->verdict % COUNTERS_VERDICTS]);
}

enum call_outcome call_answer(struct desk *desk, struct redis *redis, Call *call, Match **match)
{
	struct work work = {.desk = desk, .redis = redis, .call = call};
	int64_t start_us = now_us();

	*match = NULL;
	/* Without the incidents that Redis knows of, "no fault" would be a guess. */
	bool is_there = redis && atomic_load(&desk->current);
	enum call_outcome outcome = is_there ? answer(&work, call, match) : away(&work, match);
	work_fini(&work);
	if (outcome == CALL_ANSWERED)
		measure(&desk->counters, *match, now_us() - start_us);
	return outcome;
}

/* --- again --- */

/* The answer in Redis is the one that was revised. */
static bool follows(const struct work *work, const Match *again)
{
	Match *there = (Match *)store_unpack(&rasad__v1__call_match__descriptor, work->stored);
	bool good = there && there->revision == again->supersedes;

	if (there)
		rasad__v1__call_match__free_unpacked(there, NULL);
	return good;
}

static int store_again(struct work *work, const Match *again)
{
	size_t n;
	const char *former = redis_text(work->stored, &n);
	struct redis_reply *there = NULL;
	int status = follows(work, again) ? store(work, again, former, n, &there) : -ESTALE;

	if (!status && redis_type(there) != REDIS_NIL)
		status = -ESTALE;
	redis_reply_free(there);
	count(status == -ESTALE ? &work->desk->counters.outrun : &work->desk->counters.revised);
	return status == -EIO || status == -ENOMEM ? status : 0;
}

static int settle(struct work *work, Match *again)
{
	pthread_mutex_lock(&work->desk->lock);
	bool changed = calls_settle(work->desk->calls, again);
	pthread_mutex_unlock(&work->desk->lock);
	return changed ? store_again(work, again) : 0;
}

int call_revise(struct desk *desk, struct redis *redis, const Call *call)
{
	struct work work = {.desk = desk, .redis = redis, .call = call};
	int status = look_up(&work, true);
	Match *again = status ? NULL : score(&work);
	if (again) {
		status = settle(&work, again);
		rasad__v1__call_match__free_unpacked(again, NULL);
	} else if (!status)
		status = -ENOMEM;
	work_fini(&work);
	return status;
}
