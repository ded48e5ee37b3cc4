/* SPDX-License-Identifier: BSD-3-Clause */
#include "tools/rasad-desk/duty.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "tools/rasad-desk/again.h"
#include "tools/rasad-desk/blind.h"
#include "tools/rasad-desk/call.h"
#include "tools/rasad-desk/callbacks.h"
#include "tools/rasad-desk/lease.h"
#include "tools/rasad-desk/store.h"

#define STEP_MS		100
#define BLIND_EVERY_MS	60000 /* as surge_tick asks */
#define AGAIN_EVERY_MS	10000
#define SECOND_MS	3000
#define DUE_MAX		1024 /* calls that one change concerns: they are looked up under the lock */
#define REVISE_BATCH	32
#define REVISE_PAUSE_MS 20 /* calls of now come first */

struct duty {
	struct desk *desk;
	struct redis *redis;
	struct lease lease;
	struct callbacks *callbacks;
	struct changes todo; /* a copy of those noted, worked on without the lock */
	struct second_look {
		char incident_id[DESK_ID_SIZE];
		int64_t at_ms;	     /* monotonic */
	} seconds[DESK_CHANGES_MAX]; /* in the order of their times */
	size_t n_seconds;
	struct due {
		Rasad__V1__CallEvent **calls; /* owned copies */
		size_t n, at;
	} due;
	struct blind_spots spots;
	int64_t blind_ms, again_ms; /* when next, monotonic */
};

/* --- late binding --- */

static void due_fini(struct due *due)
{
	for (size_t i = due->at; i < due->n; i++)
		rasad__v1__call_event__free_unpacked(due->calls[i], NULL);
	due->n = due->at = 0;
}

/* The calls that the change concerns, copied out of the lock. */
static void find_due(struct duty *duty, const char *incident_id)
{
	static struct calls_due list[DUE_MAX];
	struct desk *desk = duty->desk;

	Rasad__V1__Incident gone = RASAD__V1__INCIDENT__INIT;

	gone.incident_id = (char *)incident_id;
	pthread_mutex_lock(&desk->lock);
	const Rasad__V1__Incident *incident = book_find(desk->book, incident_id);
	if (!incident || strcmp(incident->incident_id, incident_id) != 0)
		incident = &gone; /* those that were matched with it */
	size_t n = calls_due(desk->calls, desk->book, incident, desk_time(desk), list, DUE_MAX);
	for (size_t i = 0; i < n && i < DUE_MAX; i++) {
		ProtobufCMessage *copy = list[i].call ? store_copy(&list[i].call->base) : NULL;
		if (copy)
			duty->due.calls[duty->due.n++] = (Rasad__V1__CallEvent *)copy;
	}
	pthread_mutex_unlock(&desk->lock);
}

static int revise_due(struct duty *duty)
{
	struct due *due = &duty->due;
	int status = 0;

	while (due->at < due->n && !status && lease_is_ours(&duty->lease)) {
		Rasad__V1__CallEvent *call = due->calls[due->at++];
		status = call_revise(duty->desk, duty->redis, call);
		rasad__v1__call_event__free_unpacked(call, NULL);
		if (!status && due->at % REVISE_BATCH == 0) {
			desk_pause(duty->desk, REVISE_PAUSE_MS);
			status = lease_keep(&duty->lease, duty->redis);
		}
	}
	due_fini(due);
	return status;
}

/*
 * A desk that did not know of the incident yet may have stored an answer just after the leader had
 * looked for calls: some seconds later each change is looked at once more.
 */
static void plan_second_look(struct duty *duty, const struct change *change)
{
	if (duty->n_seconds == DESK_CHANGES_MAX) {
		count(&duty->desk->counters.changes_cut);
		return;
	}
	struct second_look *look = &duty->seconds[duty->n_seconds++];
	memcpy(look->incident_id, change->incident_id, sizeof(look->incident_id));
	look->at_ms = desk_now_ms() + SECOND_MS;
}

static int look_again(struct duty *duty)
{
	int status = 0;
	size_t done = 0;

	while (done < duty->n_seconds && !status && duty->seconds[done].at_ms <= desk_now_ms() &&
	       lease_is_ours(&duty->lease)) {
		find_due(duty, duty->seconds[done++].incident_id);
		status = revise_due(duty);
	}
	duty->n_seconds -= done;
	memmove(duty->seconds, duty->seconds + done, duty->n_seconds * sizeof(*duty->seconds));
	return status;
}

static int bind_late(struct duty *duty)
{
	int status = look_again(duty);

	while (duty->todo.n && !status && lease_is_ours(&duty->lease)) {
		const struct change *change = &duty->todo.list[--duty->todo.n];
		plan_second_look(duty, change);
		if (change->cleared)
			callbacks_add(duty->callbacks, duty->desk, change->incident_id);
		find_due(duty, change->incident_id);
		status = revise_due(duty);
	}
	return status;
}

/* --- what there is to do --- */

/* All that the book has, for a new leader and when more has changed than was noted. */
static void note_all(struct desk *desk)
{
	static const Rasad__V1__Incident *all[DESK_CHANGES_MAX];
	size_t n = book_all(desk->book, all, DESK_CHANGES_MAX);

	if (n >= DESK_CHANGES_MAX)
		count(&desk->counters.changes_cut);
	desk->changes.n = 0;
	desk->changes.overflown = false;
	for (size_t i = 0; i < n && i < DESK_CHANGES_MAX; i++)
		desk_note_change(desk, all[i]->incident_id,
				 all[i]->state ==
					 RASAD__V1__INCIDENT_STATE__INCIDENT_STATE_CLEARED);
}

/* Leader: what was noted becomes ours to do. Others: it is the leader's. */
static void take_changes(struct duty *duty, bool leads)
{
	struct desk *desk = duty->desk;

	pthread_mutex_lock(&desk->lock);
	if (leads && desk->changes.overflown)
		note_all(desk);
	if (!leads) {
		desk->changes.n = 0;
		desk->changes.overflown = false;
	} else if (!duty->todo.n) {
		duty->todo = desk->changes;
		desk->changes.n = 0;
	}
	pthread_mutex_unlock(&desk->lock);
}

static void become_leader(struct duty *duty, bool leads)
{
	struct desk *desk = duty->desk;

	if (leads == atomic_load(&desk->leader))
		return;
	atomic_store(&desk->leader, leads);
	callbacks_fini(duty->callbacks);
	duty->todo.n = duty->n_seconds = 0;
	if (!leads)
		return;
	duty->blind_ms = duty->again_ms = 0;
	count(&desk->counters.leads);
	pthread_mutex_lock(&desk->lock);
	note_all(desk);
	pthread_mutex_unlock(&desk->lock);
}

static int look_a_day_after(struct duty *duty)
{
	if (desk_now_ms() < duty->again_ms)
		return 0;
	duty->again_ms = desk_now_ms() + AGAIN_EVERY_MS;
	return again_look(duty->desk, duty->redis);
}

/* Every desk looks, so that a new leader knows what is usual; a new one looks at once. */
static int blind(struct duty *duty, bool leads)
{
	if (desk_now_ms() >= duty->blind_ms) {
		duty->blind_ms = desk_now_ms() + BLIND_EVERY_MS;
		blind_look(&duty->spots, duty->desk);
	}
	return leads ? blind_publish(&duty->spots, duty->desk, duty->redis, duty->lease.token) : 0;
}

static int step(struct duty *duty)
{
	int status = lease_keep(&duty->lease, duty->redis);
	bool leads = !status && lease_is_ours(&duty->lease) && atomic_load(&duty->desk->current);

	become_leader(duty, leads);
	take_changes(duty, leads);
	status = status ? status : blind(duty, leads);
	if (!leads)
		return status;
	status = status ? status : bind_late(duty);
	status = status ? status : look_a_day_after(duty);
	return status ? status : callbacks_step(duty->callbacks, duty->desk, duty->redis);
}

static void lead(struct duty *duty)
{
	int status = 0;

	while (status >= 0 && !atomic_load(&duty->desk->stop)) {
		status = step(duty);
		desk_pause(duty->desk, status > 0 ? STEP_MS / 2 : STEP_MS);
	}
	become_leader(duty, false);
	if (status >= 0)
		lease_drop(&duty->lease, duty->redis);
}

void *duty_run(void *context)
{
	static struct duty duty; /* too large for a stack */

	duty.desk = context;
	duty.lease.desk = duty.desk->name;
	duty.callbacks = calloc(1, sizeof(*duty.callbacks));
	duty.due.calls = calloc(DUE_MAX, sizeof(*duty.due.calls));
	while (duty.callbacks && duty.due.calls && !atomic_load(&duty.desk->stop)) {
		duty.callbacks->every_ms = duty.desk->verify_every_ms;
		duty.redis = links_take(&duty.desk->links);
		if (duty.redis)
			lead(&duty);
		links_give(&duty.desk->links, duty.redis, false);
		duty.lease = (struct lease){.desk = duty.desk->name};
		if (!atomic_load(&duty.desk->stop))
			desk_pause(duty.desk, STEP_MS);
	}
	blind_fini(&duty.spots);
	due_fini(&duty.due);
	free(duty.due.calls);
	if (duty.callbacks)
		callbacks_fini(duty.callbacks);
	free(duty.callbacks);
	return NULL;
}
