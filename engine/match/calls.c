/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Calls lie in a ring in the order of arrival: a number (seq) names a call for ever, and the oldest
 * gives way. Under each element of its line and under its incident a call is entered by number, so
 * that a change of one incident costs as many steps as there were calls there.
 */
#include "engine/match/calls.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "engine/base/map.h"
#include "engine/match/book.h"
#include "engine/base/key.h"
#include "proto/rasad/v1/call.pb-c.h"
#include "proto/rasad/v1/incident.pb-c.h"

#define USUAL_CONTACT_RATE 0.08
#define RECENT_MAX	   64
#define MISTRUST	   0.1 /* a probability that moves by this is news */
#define VERDICT(name)	   RASAD__V1__VERDICT__VERDICT_##name

struct call {
	Rasad__V1__CallEvent *event;  /* owned; NULL: another desk's */
	Rasad__V1__CallMatch *answer; /* owned; NULL: none in this place */
	uint64_t sub_id;
};

/* Numbers of calls under one name, ascending. */
struct list {
	char *name;	       /* owned */
	uint64_t *seqs;	       /* owned */
	size_t first, n, room; /* seqs[first .. n-1] are in use */
	bool is_incident;
};

struct calls {
	struct call *ring;     /* owned, CALLS_MAX */
	uint64_t next, oldest; /* numbers */
	struct map by_id;      /* call_id -> number, its low 32 bits */
	struct map by_name;    /* element or incident -> list */
	struct list *lists;    /* owned */
	uint32_t n_lists, lists_room;
	struct calls_counts counts;
};

struct calls *calls_new(void)
{
	struct calls *calls = calloc(1, sizeof(*calls));
	struct call *ring = calloc(CALLS_MAX, sizeof(*ring));

	if (!calls || !ring) {
		free(calls);
		free(ring);
		return NULL;
	}
	calls->ring = ring;
	return calls;
}

static struct call *at(const struct calls *calls, uint64_t seq)
{
	struct call *call = &calls->ring[seq % CALLS_MAX];

	return seq >= calls->oldest && seq < calls->next && call->answer ? call : NULL;
}

static void drop(struct calls *calls, uint64_t seq)
{
	struct call *call = &calls->ring[seq % CALLS_MAX];

	if (!call->answer)
		return;
	map_remove(&calls->by_id, key_of(call->answer->call_id));
	calls->counts.by_verdict[(unsigned)call->answer->verdict & 7]--;
	calls->counts.known--;
	rasad__v1__call_match__free_unpacked(call->answer, NULL);
	if (call->event)
		rasad__v1__call_event__free_unpacked(call->event, NULL);
	*call = (struct call){0};
}

struct calls *calls_free(struct calls *calls)
{
	if (!calls)
		return NULL;
	for (uint64_t seq = calls->oldest; seq < calls->next; seq++)
		drop(calls, seq);
	for (uint32_t i = 0; i < calls->n_lists; i++) {
		free(calls->lists[i].name);
		free(calls->lists[i].seqs);
	}
	free(calls->lists);
	free(calls->ring);
	map_fini(&calls->by_id);
	map_fini(&calls->by_name);
	free(calls);
	return NULL;
}

/* --- lists --- */

static struct list *find_list(const struct calls *calls, const char *name)
{
	const uint32_t *index = map_find(&calls->by_name, key_of(name));
	struct list *list = index ? &calls->lists[*index] : NULL;

	return list && !strcmp(list->name, name) ? list : NULL;
}

static struct list *add_list(struct calls *calls, const char *name, bool is_incident)
{
	struct list *list = find_list(calls, name);

	if (list)
		return list;
	if (calls->n_lists == calls->lists_room) {
		uint32_t room = calls->lists_room ? 2 * calls->lists_room : 64;
		struct list *lists = realloc(calls->lists, room * sizeof(*lists));
		if (!lists)
			return NULL;
		calls->lists = lists;
		calls->lists_room = room;
	}
	char *copy = strdup(name);
	if (!copy || map_find(&calls->by_name, key_of(name)) ||
	    !map_put(&calls->by_name, key_of(name), calls->n_lists)) {
		free(copy);
		return NULL;
	}
	list = &calls->lists[calls->n_lists++];
	*list = (struct list){.name = copy, .is_incident = is_incident};
	return list;
}

/* The front of a list goes with the calls it names. */
static void trim(const struct calls *calls, struct list *list)
{
	while (list->first < list->n && list->seqs[list->first] < calls->oldest)
		list->first++;
	if (list->first < list->n / 2 || !list->first)
		return;
	memmove(list->seqs, list->seqs + list->first,
		(list->n - list->first) * sizeof(*list->seqs));
	list->n -= list->first;
	list->first = 0;
}

static void put(struct calls *calls, const char *name, uint64_t seq, bool is_incident)
{
	struct list *list = *name ? add_list(calls, name, is_incident) : NULL;

	if (!list)
		return;
	trim(calls, list);
	for (size_t i = list->n; i > list->first && list->seqs[i - 1] >= seq; i--)
		if (list->seqs[i - 1] == seq)
			return;
	if (list->n == list->room) {
		size_t room = list->room ? 2 * list->room : 4;
		uint64_t *seqs = realloc(list->seqs, room * sizeof(*seqs));
		if (!seqs)
			return;
		list->seqs = seqs;
		list->room = room;
	}
	/* A late revision enters an old call under its new incident: ascending all the same. */
	size_t to = list->n++;
	for (; to > list->first && list->seqs[to - 1] > seq; to--)
		list->seqs[to] = list->seqs[to - 1];
	list->seqs[to] = seq;
}

/* --- adding --- */

static ProtobufCMessage *copy_of(const ProtobufCMessage *message)
{
	size_t n = protobuf_c_message_get_packed_size(message);
	uint8_t *bytes = malloc(n ? n : 1);

	if (!bytes)
		return NULL;
	protobuf_c_message_pack(message, bytes);
	ProtobufCMessage *copy = protobuf_c_message_unpack(message->descriptor, NULL, n, bytes);
	free(bytes);
	return copy;
}

static bool find_seq(const struct calls *calls, const char *call_id, uint64_t *seq)
{
	const uint32_t *low = map_find(&calls->by_id, key_of(call_id));

	if (!low)
		return false;
	/* The low half of the number: the ring is far shorter than 2^32. */
	uint64_t age = (uint32_t)((uint32_t)(calls->next - 1) - *low);
	*seq = calls->next - 1 - age;
	const struct call *call = at(calls, *seq);
	return call && !strcmp(call->answer->call_id, call_id);
}

static void replace(struct calls *calls, uint64_t seq, Rasad__V1__CallMatch *answer)
{
	struct call *call = &calls->ring[seq % CALLS_MAX];

	if (call->answer) {
		calls->counts.by_verdict[(unsigned)call->answer->verdict & 7]--;
		rasad__v1__call_match__free_unpacked(call->answer, NULL);
	} else {
		calls->counts.known++;
	}
	call->answer = answer;
	call->sub_id = book_sub_id(answer->sub_id);
	calls->counts.by_verdict[(unsigned)answer->verdict & 7]++;
	for (size_t i = 0; i < answer->n_groups; i++)
		put(calls, answer->groups[i], seq, false);
	put(calls, answer->incident_id, seq, true);
}

int calls_add(struct calls *calls, const Rasad__V1__CallEvent *event,
	      const Rasad__V1__CallMatch *answer)
{
	uint64_t seq;
	bool known = find_seq(calls, answer->call_id, &seq);

	if (known && answer->revision <= calls->ring[seq % CALLS_MAX].answer->revision) {
		calls->counts.duplicates++;
		return 0;
	}
	Rasad__V1__CallMatch *copy = (Rasad__V1__CallMatch *)copy_of(&answer->base);
	Rasad__V1__CallEvent *own = event ? (Rasad__V1__CallEvent *)copy_of(&event->base) : NULL;
	if (!copy || (event && !own))
		goto no_memory;
	if (!known) {
		seq = calls->next;
		if (seq - calls->oldest == CALLS_MAX) {
			drop(calls, calls->oldest++);
			calls->counts.evicted++;
		}
		if (!map_put(&calls->by_id, key_of(answer->call_id), (uint32_t)seq))
			goto no_memory;
		calls->next++;
	}
	replace(calls, seq, copy);
	struct call *call = &calls->ring[seq % CALLS_MAX];
	if (own && call->event)
		rasad__v1__call_event__free_unpacked(call->event, NULL);
	if (own)
		call->event = own;
	return 0;
no_memory:
	if (copy)
		rasad__v1__call_match__free_unpacked(copy, NULL);
	if (own)
		rasad__v1__call_event__free_unpacked(own, NULL);
	return -ENOMEM;
}

void calls_advance(struct calls *calls, int64_t now_unix_ns)
{
	for (; calls->oldest < calls->next; calls->oldest++) {
		const struct call *call = &calls->ring[calls->oldest % CALLS_MAX];
		if (call->answer && now_unix_ns - call->answer->call_unix_ns <= CALLS_KEEP_NS)
			return;
		drop(calls, calls->oldest);
	}
}

/* --- late binding --- */

/* Live for 15 minutes, and again when the fault turns out to be older than the call. */
static bool is_due(const struct call *call, const Rasad__V1__Incident *incident, int64_t now)
{
	int64_t age = now - call->answer->call_unix_ns;

	if (!call->event || !call->sub_id || age > CALLS_KEEP_NS)
		return false;
	return age <= CALLS_LIVE_NS || incident->onset_unix_ns <= call->answer->call_unix_ns ||
	       !strcmp(call->answer->incident_id, incident->incident_id);
}

struct due {
	const struct calls *calls;
	const Rasad__V1__Incident *incident;
	struct calls_due *out;
	size_t n, room;
	int64_t now;
	uint64_t cut;
};

static void offer(struct due *due, const struct call *call)
{
	if (!is_due(call, due->incident, due->now))
		return;
	for (size_t i = 0; i < due->n; i++)
		if (due->out[i].answer == call->answer)
			return;
	if (due->n == due->room) {
		due->cut++;
		return;
	}
	due->out[due->n++] = (struct calls_due){.call = call->event, .answer = call->answer};
}

static void offer_list(struct due *due, const char *name)
{
	const struct list *list = find_list(due->calls, name);

	for (size_t i = list ? list->n : 0; list && i > list->first; i--) {
		const struct call *call = at(due->calls, list->seqs[i - 1]);
		if (call)
			offer(due, call);
	}
}

/* Lines whose elements nobody knows are found on the list of members. */
static void offer_members(struct due *due, const struct book *book)
{
	for (uint64_t seq = due->calls->next; seq > due->calls->oldest; seq--) {
		const struct call *call = at(due->calls, seq - 1);
		if (call && !call->answer->n_groups && call->sub_id &&
		    book_membership(book, due->incident->incident_id, call->sub_id) != MEMBER_NOT)
			offer(due, call);
	}
}

size_t calls_due(struct calls *calls, const struct book *book, const Rasad__V1__Incident *incident,
		 int64_t now_unix_ns, struct calls_due *out, size_t room)
{
	struct due due = {
		.calls = calls, .incident = incident, .out = out, .room = room, .now = now_unix_ns};
	char name[512];

	snprintf(name, sizeof(name), "%s:%s", incident->group_type, incident->group);
	offer_list(&due, name);
	for (size_t i = 0; i < incident->n_equivalent_groups; i++)
		offer_list(&due, incident->equivalent_groups[i]);
	offer_list(&due, incident->incident_id);
	offer_members(&due, book);
	calls->counts.cut += due.cut;
	return due.n;
}

static bool differs(const Rasad__V1__CallMatch *one, const Rasad__V1__CallMatch *other)
{
	return one->verdict != other->verdict || one->category != other->category ||
	       strcmp(one->incident_id, other->incident_id) != 0 ||
	       fabs(one->probability - other->probability) >= MISTRUST;
}

bool calls_settle(struct calls *calls, Rasad__V1__CallMatch *again)
{
	uint64_t seq;

	if (!find_seq(calls, again->call_id, &seq))
		return false;
	const Rasad__V1__CallMatch *before = calls->ring[seq % CALLS_MAX].answer;
	if (!differs(before, again))
		return false;
	again->revision = before->revision + 1;
	again->supersedes = before->revision;
	Rasad__V1__CallMatch *copy = (Rasad__V1__CallMatch *)copy_of(&again->base);
	if (!copy)
		return false;
	replace(calls, seq, copy);
	calls->counts.revised++;
	return true;
}

const Rasad__V1__CallMatch *calls_find(const struct calls *calls, const char *call_id)
{
	uint64_t seq;

	return find_seq(calls, call_id, &seq) ? calls->ring[seq % CALLS_MAX].answer : NULL;
}

/* --- under their incident --- */

static int compare_ids(const void *one, const void *other)
{
	uint64_t a = *(const uint64_t *)one, b = *(const uint64_t *)other;

	return (a > b) - (a < b);
}

static uint64_t distinct(uint64_t *ids, size_t n)
{
	uint64_t lines = 0;

	qsort(ids, n, sizeof(*ids), compare_ids);
	for (size_t i = 0; i < n; i++)
		lines += !i || ids[i] != ids[i - 1];
	return lines;
}

/* The call, if it still says that this incident explains it. */
static const struct call *matched(const struct calls *calls, uint64_t seq, const char *incident_id,
				  const char *without)
{
	const struct call *call = at(calls, seq);

	return call && !strcmp(call->answer->incident_id, incident_id) &&
			       (!without || strcmp(call->answer->call_id, without) != 0)
		       ? call
		       : NULL;
}

struct calls_of_incident calls_of_incident(const struct calls *calls,
					   const Rasad__V1__Incident *incident,
					   const char *without_call_id, int64_t now_unix_ns)
{
	const struct list *list = find_list(calls, incident->incident_id);
	struct calls_of_incident of = {0};
	uint64_t *ids = list ? malloc((list->n - list->first + 1) * sizeof(*ids)) : NULL;
	double affected = (double)(incident->affected_total ? incident->affected_total
							    : incident->affected_peak);

	for (size_t i = list ? list->first : 0; ids && i < list->n; i++) {
		const struct call *call =
			matched(calls, list->seqs[i], incident->incident_id, without_call_id);
		if (!call)
			continue;
		int64_t when = call->answer->call_unix_ns;
		ids[of.calls++] = call->sub_id;
		of.last_15m += now_unix_ns - when <= CALLS_LIVE_NS;
		if (!of.first_unix_ns || when < of.first_unix_ns)
			of.first_unix_ns = when;
	}
	of.lines = ids ? distinct(ids, of.calls) : 0;
	free(ids);
	of.contact_rate = affected > 0 ? (double)of.lines / affected : 0;
	of.avoided = fmax(0, affected * USUAL_CONTACT_RATE - (double)of.calls);
	return of;
}

unsigned calls_recent_of(const struct calls *calls, const char *incident_id,
			 const char *without_call_id, int64_t now_unix_ns)
{
	const struct list *list = find_list(calls, incident_id);
	unsigned n = 0;

	for (size_t i = list ? list->n : 0; list && i > list->first && n < RECENT_MAX; i--) {
		const struct call *call =
			matched(calls, list->seqs[i - 1], incident_id, without_call_id);
		n += call && now_unix_ns - call->answer->call_unix_ns <= CALLS_LIVE_NS;
	}
	return n;
}

/* --- as evidence --- */

static bool is_unexplained_outage(const struct call *call, int64_t now)
{
	return call->answer->complaint == RASAD__V1__COMPLAINT__COMPLAINT_OUTAGE && call->sub_id &&
	       !*call->answer->incident_id && now - call->answer->call_unix_ns <= CALLS_EVIDENCE_NS;
}

static bool gather(const struct calls *calls, const struct list *list, int64_t now,
		   struct calls_evidence *evidence)
{
	uint64_t ids[RECENT_MAX];
	size_t n = 0;

	*evidence = (struct calls_evidence){.group = list->name};
	for (size_t i = list->n; i > list->first && n < RECENT_MAX; i--) {
		const struct call *call = at(calls, list->seqs[i - 1]);
		if (!call || !is_unexplained_outage(call, now))
			continue;
		int64_t when = call->answer->call_unix_ns;
		if (!n || when < evidence->first_unix_ns)
			evidence->first_unix_ns = when;
		if (!n || when > evidence->last_unix_ns)
			evidence->last_unix_ns = when;
		ids[n++] = call->sub_id;
	}
	evidence->lines = (unsigned)distinct(ids, n);
	return evidence->lines >= CALLS_EVIDENCE_MIN;
}

struct ranked {
	struct calls_evidence evidence;
	size_t known;
};

static int compare_ranked(const void *one, const void *other)
{
	const struct ranked *a = one, *b = other;

	if (a->known != b->known)
		return a->known < b->known ? -1 : 1;
	return strcmp(a->evidence.group, b->evidence.group);
}

size_t calls_evidence(const struct calls *calls, int64_t now_unix_ns, struct calls_evidence *out,
		      size_t room)
{
	struct ranked *ranked = malloc((calls->n_lists + 1) * sizeof(*ranked));
	size_t n = 0;

	for (uint32_t i = 0; ranked && i < calls->n_lists; i++) {
		const struct list *list = &calls->lists[i];
		ranked[n].known = list->n - list->first;
		if (!list->is_incident && ranked[n].known >= CALLS_EVIDENCE_MIN &&
		    gather(calls, list, now_unix_ns, &ranked[n].evidence))
			n++;
	}
	if (ranked)
		qsort(ranked, n, sizeof(*ranked), compare_ranked);
	n = n < room ? n : room;
	for (size_t i = 0; i < n; i++)
		out[i] = ranked[i].evidence;
	free(ranked);
	return n;
}

struct calls_counts calls_counts(const struct calls *calls, int64_t now_unix_ns)
{
	struct calls_counts counts = calls->counts;

	for (uint64_t seq = calls->next; seq > calls->oldest; seq--) {
		const struct call *call = at(calls, seq - 1);
		if (call && now_unix_ns - call->answer->call_unix_ns > CALLS_LIVE_NS)
			break;
		counts.live += call != NULL;
	}
	return counts;
}
