/* SPDX-License-Identifier: BSD-3-Clause */
/* Incidents with who called about them, from the book, in memory; and call-back lists. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "proto/rasad/v1/desk.pb-c.h"
#include "tools/rasad-desk/api.h"
#include "tools/rasad-desk/callbacks.h"
#include "tools/rasad-desk/store.h"

#define LIST_MAX      4096
#define CALL_IDS_MAX  100
#define LIMIT_DEFAULT 100

typedef Rasad__V1__Incident Incident;
typedef Rasad__V1__IncidentAnswer Answer;

static bool is_open(const Incident *incident)
{
	return incident->state == RASAD__V1__INCIDENT_STATE__INCIDENT_STATE_OPEN ||
	       incident->state == RASAD__V1__INCIDENT_STATE__INCIDENT_STATE_UPDATED;
}

/* --- who called --- */

/* Under the lock. */
static void fill_calls(struct desk *desk, const Incident *incident, Rasad__V1__IncidentCalls *out)
{
	struct calls_of_incident calls =
		calls_of_incident(desk->calls, incident, NULL, desk_time(desk));

	rasad__v1__incident_calls__init(out);
	out->calls = calls.calls;
	out->subscribers = calls.lines;
	out->calls_15m = calls.last_15m;
	out->contact_rate = calls.contact_rate;
	if (!calls.first_unix_ns)
		return;
	out->has_first_call_unix_ns_case =
		RASAD__V1__INCIDENT_CALLS__HAS_FIRST_CALL_UNIX_NS_FIRST_CALL_UNIX_NS;
	out->first_call_unix_ns = calls.first_unix_ns;
}

/* --- the list --- */

struct list {
	Rasad__V1__IncidentList message;
	const Incident *all[LIST_MAX];
	Answer answers[LIST_MAX], *pointers[LIST_MAX];
	Rasad__V1__IncidentCalls calls[LIST_MAX];
};

/* Under the lock, until the JSON is written: the incidents are the book's own. */
static void fill_list(struct desk *desk, struct list *list, bool open, bool cleared)
{
	size_t n = book_all(desk->book, list->all, LIST_MAX);

	if (n >= LIST_MAX)
		count(&desk->counters.lists_cut);
	rasad__v1__incident_list__init(&list->message);
	list->message.incidents = list->pointers;
	for (size_t i = 0; i < n && i < LIST_MAX; i++) {
		if (!(is_open(list->all[i]) ? open : cleared))
			continue;
		size_t at = list->message.n_incidents++;
		Answer *answer = list->pointers[at] = &list->answers[at];
		rasad__v1__incident_answer__init(answer);
		answer->incident = (Incident *)list->all[i];
		answer->calls = &list->calls[at];
		fill_calls(desk, list->all[i], answer->calls);
	}
}

/* What the book says holds only while it follows Redis. */
static bool is_current(struct api_call *call)
{
	if (atomic_load(&call->desk->current))
		return true;
	api_fail(call, 503, "", "monitoring unavailable: Redis is away, or is still being read");
	return false;
}

void api_list_incidents(struct api_call *call)
{
	const char *state = http_argument(call->request, "state");
	bool all = !state || !strcmp(state, "all");
	bool open = all || !strcmp(state, "open"), cleared = all || !strcmp(state, "cleared");

	if (!open && !cleared) {
		api_fail(call, 400, "open, cleared or all", "state=%.40s", state);
		return;
	}
	if (!is_current(call))
		return;
	struct list *list = malloc(sizeof(*list));
	if (!list) {
		api_fail(call, 503, "", "out of memory");
		return;
	}
	pthread_mutex_lock(&call->desk->lock);
	fill_list(call->desk, list, open, cleared);
	api_give(call, 200, &list->message.base);
	pthread_mutex_unlock(&call->desk->lock);
	free(list);
}

/* --- one --- */

/* Under the lock. */
static void give_incident(struct api_call *call, const Incident *incident)
{
	static _Thread_local const struct caller *callers[CALL_IDS_MAX];
	char *ids[CALL_IDS_MAX];
	Rasad__V1__IncidentCalls calls;
	Answer answer = RASAD__V1__INCIDENT_ANSWER__INIT;
	struct desk *desk = call->desk;

	fill_calls(desk, incident, &calls);
	answer.incident = (Incident *)incident;
	answer.calls = &calls;
	answer.call_ids = ids;
	answer.n_call_ids =
		callers_list(&desk->callers, incident->incident_id, callers, CALL_IDS_MAX);
	for (size_t i = 0; i < answer.n_call_ids; i++)
		ids[i] = (char *)callers[i]->call_id;
	api_give(call, 200, &answer.base);
}

void api_get_incident(struct api_call *call)
{
	struct desk *desk = call->desk;

	if (!is_current(call))
		return;
	pthread_mutex_lock(&desk->lock);
	const Incident *incident = book_find(desk->book, call->name);
	if (incident)
		give_incident(call, incident);
	pthread_mutex_unlock(&desk->lock);
	if (!incident)
		api_fail(call, 404, "",
			 "no incident \"%.64s\" that is open or was cleared in the last two hours",
			 call->name);
}

/* --- call-backs --- */

static bool read_limit(struct api_call *call, size_t *limit)
{
	const char *text = http_argument(call->request, "limit");
	char *end;

	*limit = LIMIT_DEFAULT;
	if (!text)
		return true;
	*limit = strtoul(text, &end, 10);
	if (*text >= '0' && *text <= '9' && !*end && *limit && *limit <= CALLBACKS_READ_MAX)
		return true;
	api_fail(call, 400, "1 to 1000", "limit=%.40s", text);
	return false;
}

static bool read_state(struct api_call *call, const char **state)
{
	static const char *const states[] = {"WAIT",	 "VERIFYING",	  "STILL_DOWN", "UNSTABLE",
					     "DEGRADED", "UP_NO_TRAFFIC", "UNKNOWN"};

	*state = http_argument(call->request, "state");
	for (size_t i = 0; *state && i < sizeof(states) / sizeof(*states); i++)
		if (!strcmp(*state, states[i]))
			return true;
	if (*state)
		api_fail(call, 400,
			 "WAIT, VERIFYING, STILL_DOWN, UNSTABLE, DEGRADED, "
			 "UP_NO_TRAFFIC or UNKNOWN",
			 "state=%.40s", *state);
	return !*state;
}

void api_get_callbacks(struct api_call *call)
{
	const char *state;
	size_t limit;
	Rasad__V1__CallbackList *list;

	if (!read_state(call, &state) || !read_limit(call, &limit) || !is_current(call))
		return;
	struct redis *redis = api_redis(call);
	if (!redis)
		return;
	int status = callbacks_read(call->desk, redis, call->name, state, limit, &list);
	links_give(&call->desk->links, redis, !status || status == -ENOENT);
	if (status == -ENOENT)
		api_fail(call, 404, "", "no incident \"%.64s\" that is over", call->name);
	else if (status)
		api_fail(call, 503, "", "monitoring unavailable: Redis is away");
	else
		api_give(call, 200, &list->base);
	if (list)
		rasad__v1__callback_list__free_unpacked(list, NULL);
}
