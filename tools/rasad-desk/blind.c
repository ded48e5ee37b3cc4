/* SPDX-License-Identifier: BSD-3-Clause */
#include "tools/rasad-desk/blind.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "engine/publish/keyspace.h"
#include "tools/lib/call_keys.h"
#include "tools/rasad-desk/desk.h"
#include "tools/rasad-desk/store.h"

#define INCIDENTS_SEEN		4096
#define KEYSPACE_INCIDENT_TTL_S "2592000" /* 30 days */
#define NS_PER_S		1000000000

/*
 * KEYS: fence, stream, open set, incident, members. ARGV: token, incident, members, k, MAXLEN,
 * score, id, life once it has ended ("" while it is open). 0: another desk has taken over.
 */
static const char script[] =
	"if tonumber(redis.call('GET', KEYS[1]) or 0) > tonumber(ARGV[1]) then return 0 end\n"
	"redis.call('SET', KEYS[1], ARGV[1])\n"
	"if ARGV[8] == '' then\n"
	"  redis.call('SET', KEYS[4], ARGV[2])\n"
	"  redis.call('SET', KEYS[5], ARGV[3])\n"
	"  redis.call('ZADD', KEYS[3], ARGV[6], ARGV[7])\n"
	"else\n"
	"  redis.call('SET', KEYS[4], ARGV[2], 'EX', ARGV[8])\n"
	"  redis.call('SET', KEYS[5], ARGV[3], 'EX', ARGV[8])\n"
	"  redis.call('ZREM', KEYS[3], ARGV[7])\n"
	"end\n"
	"redis.call('XADD', KEYS[2], 'MAXLEN', '~', ARGV[5], '*', 't', 'Incident', 'v', '1', 'k', "
	"ARGV[4], 'p', ARGV[2])\n"
	"return 1\n";

static bool is_open(const Rasad__V1__Incident *incident)
{
	return incident->state == RASAD__V1__INCIDENT_STATE__INCIDENT_STATE_OPEN ||
	       incident->state == RASAD__V1__INCIDENT_STATE__INCIDENT_STATE_UPDATED;
}

struct command {
	char token[24], k[CALL_KEY_SIZE], score[32];
	keyspace_key incident, members;
};

static void name_keys(struct command *c, const Rasad__V1__Incident *incident, uint64_t token)
{
	const char *id = incident->incident_id;

	snprintf(c->token, sizeof(c->token), "%" PRIu64, token);
	keyspace_incident(id, c->incident);
	keyspace_incident_members(id, c->members);
	snprintf(c->k, sizeof(c->k), "%s:%u", id, incident->revision);
	snprintf(c->score, sizeof(c->score), "%.0f",
		 (double)incident->severity * KEYSPACE_INCIDENT_SEVERITY +
			 (double)(incident->open_unix_ns / NS_PER_S));
}

static int send(struct redis *redis, const Rasad__V1__Incident *incident, uint64_t token,
		struct bytes bytes, struct bytes members, struct redis_reply **reply)
{
	struct command c;

	name_keys(&c, incident, token);
	const char *arguments[] = {"EVAL",
				   script,
				   "5",
				   INCIDENT_FENCE,
				   KEYSPACE_INCIDENTS,
				   KEYSPACE_INCIDENTS_OPEN,
				   c.incident,
				   c.members,
				   c.token,
				   (char *)bytes.data,
				   (char *)members.data,
				   c.k,
				   KEYSPACE_INCIDENTS_MAXLEN,
				   c.score,
				   incident->incident_id,
				   is_open(incident) ? "" : KEYSPACE_INCIDENT_TTL_S};
	enum { N = sizeof(arguments) / sizeof(*arguments), BYTES = 9, MEMBERS = 10 };
	size_t lengths[N];
	for (size_t i = 0; i < N; i++)
		lengths[i] = i == BYTES ? bytes.n : i == MEMBERS ? members.n : strlen(arguments[i]);
	int status = redis_append(redis, N, arguments, lengths);
	return status ? status : redis_next(redis, reply);
}

static int publish(struct desk *desk, struct redis *redis, const Rasad__V1__Incident *incident,
		   uint64_t token)
{
	Rasad__V1__MemberSet nobody = RASAD__V1__MEMBER_SET__INIT;
	struct redis_reply *reply = NULL;
	struct bytes bytes = store_pack(&incident->base), members;
	int status = -ENOMEM;

	nobody.incident_id = incident->incident_id;
	nobody.revision = incident->revision;
	members = store_pack(&nobody.base);
	if (bytes.data && members.data)
		status = send(redis, incident, token, bytes, members, &reply);
	if (!status)
		count(redis_integer(reply) == 1 ? &desk->counters.blind_spots
						: &desk->counters.fenced);
	redis_reply_free(reply);
	free(bytes.data);
	free(members.data);
	return status;
}

/* --- the spots of this desk --- */

static void forget(struct blind_spots *spots, size_t at)
{
	rasad__v1__incident__free_unpacked(spots->list[at].incident, NULL);
	spots->list[at] = spots->list[--spots->n];
}

void blind_fini(struct blind_spots *spots)
{
	while (spots->n)
		forget(spots, spots->n - 1);
}

struct listener {
	struct blind_spots *spots;
	struct desk *desk;
};

static void say(void *context, const Rasad__V1__Incident *incident)
{
	const struct listener *listener = context;
	struct blind_spots *spots = listener->spots;
	ProtobufCMessage *copy = store_copy(&incident->base);
	size_t at = 0;

	while (at < spots->n &&
	       strcmp(spots->list[at].incident->dedupe_key, incident->dedupe_key) != 0)
		at++;
	if (!copy || at == BLIND_SPOTS_MAX) {
		count(&listener->desk->counters.spots_refused);
		if (copy)
			protobuf_c_message_free_unpacked(copy, NULL);
		return;
	}
	if (at < spots->n)
		rasad__v1__incident__free_unpacked(spots->list[at].incident, NULL);
	else
		spots->n++;
	spots->list[at] = (struct blind_spot){(Rasad__V1__Incident *)copy, true};
}

void blind_look(struct blind_spots *spots, struct desk *desk)
{
	struct listener listener = {spots, desk};

	pthread_mutex_lock(&desk->surge_lock);
	surge_tick(desk->surge, desk_time(desk), say, &listener);
	pthread_mutex_unlock(&desk->surge_lock);
}

/* --- what is published of them --- */

/* Under the lock: the open incident over the same element, by whichever desk. */
static const Rasad__V1__Incident *find_there(const struct book *book,
					     const Rasad__V1__Incident *incident)
{
	static const Rasad__V1__Incident *all[INCIDENTS_SEEN];
	size_t n = book_all(book, all, INCIDENTS_SEEN);

	for (size_t i = 0; i < n && i < INCIDENTS_SEEN; i++)
		if (is_open(all[i]) && !strcmp(all[i]->dedupe_key, incident->dedupe_key))
			return all[i];
	return NULL;
}

/* Takes over the id and revision of the one that is there. false: it is not. */
static bool adopt(struct desk *desk, Rasad__V1__Incident *incident)
{
	char *id = NULL;

	pthread_mutex_lock(&desk->lock);
	const Rasad__V1__Incident *there = find_there(desk->book, incident);
	if (there && (id = strdup(there->incident_id))) {
		free(incident->incident_id);
		incident->incident_id = id;
		if (incident->revision <= there->revision)
			incident->revision = there->revision + 1;
	}
	pthread_mutex_unlock(&desk->lock);
	return id;
}

static bool take_unsaid(struct blind_spot *spot)
{
	bool unsaid = spot->unsaid;

	spot->unsaid = false;
	return unsaid;
}

int blind_publish(struct blind_spots *spots, struct desk *desk, struct redis *redis, uint64_t token)
{
	int status = 0;

	for (size_t i = spots->n; i > 0 && !status; i--) {
		struct blind_spot *spot = &spots->list[i - 1];
		bool open = is_open(spot->incident);
		if (take_unsaid(spot)) {
			bool there = adopt(desk, spot->incident);
			if (open || there)
				status = publish(desk, redis, spot->incident, token);
		}
		if (!open)
			forget(spots, i - 1);
	}
	return status;
}
