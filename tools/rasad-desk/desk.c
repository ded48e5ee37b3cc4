/* SPDX-License-Identifier: BSD-3-Clause */
#include "tools/rasad-desk/desk.h"

#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define PAUSE_STEP_MS 50

bool desk_init(struct desk *desk, const char *redis_url)
{
	char host[32] = "desk";

	*desk = (struct desk){0};
	gethostname(host, sizeof(host) - 1);
	snprintf(desk->name, sizeof(desk->name), "%s-%d-%04x", host, (int)getpid(),
		 (unsigned)desk_random(65536));
	links_init(&desk->links, redis_url);
	pthread_mutex_init(&desk->lock, NULL);
	pthread_mutex_init(&desk->surge_lock, NULL);
	atomic_store(&desk->clock_offset_ms, desk_unix_ns() / 1000000 - desk_now_ms());
	desk->book = book_new();
	desk->calls = calls_new();
	desk->surge = surge_new(0);
	return desk->book && desk->calls && desk->surge;
}

void desk_fini(struct desk *desk)
{
	book_free(desk->book);
	calls_free(desk->calls);
	surge_free(desk->surge);
	nodes_fini(&desk->nodes);
	links_fini(&desk->links);
	pthread_mutex_destroy(&desk->lock);
	pthread_mutex_destroy(&desk->surge_lock);
}

int64_t desk_time(struct desk *desk)
{
	int64_t packets = desk->packet_clock ? atomic_load(&desk->packet_unix_ns) : 0;

	return packets ? packets : desk_wall_ms(desk) * 1000000;
}

void desk_saw_time(struct desk *desk, int64_t unix_ns)
{
	int64_t newest = atomic_load(&desk->packet_unix_ns);

	while (unix_ns > newest &&
	       !atomic_compare_exchange_weak(&desk->packet_unix_ns, &newest, unix_ns))
		;
}

int64_t desk_wall_ms(struct desk *desk)
{
	return desk_now_ms() + atomic_load(&desk->clock_offset_ms);
}

void desk_note_change(struct desk *desk, const char *incident_id, bool cleared)
{
	struct changes *changes = &desk->changes;

	for (size_t i = 0; i < changes->n; i++)
		if (!strcmp(changes->list[i].incident_id, incident_id)) {
			changes->list[i].cleared |= cleared;
			return;
		}
	if (changes->n == DESK_CHANGES_MAX) {
		changes->overflown = true;
		return;
	}
	struct change *change = &changes->list[changes->n++];
	snprintf(change->incident_id, sizeof(change->incident_id), "%s", incident_id);
	change->cleared = cleared;
}

void desk_pause(struct desk *desk, int64_t ms)
{
	int64_t end = desk_now_ms() + ms;

	for (int64_t left; !atomic_load(&desk->stop) && (left = end - desk_now_ms()) > 0;) {
		long step = left < PAUSE_STEP_MS ? left : PAUSE_STEP_MS;
		nanosleep(&(struct timespec){.tv_nsec = step * 1000000}, NULL);
	}
}
