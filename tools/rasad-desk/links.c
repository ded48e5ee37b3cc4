/* SPDX-License-Identifier: BSD-3-Clause */
#include "tools/rasad-desk/links.h"

#include <stdio.h>
#include <string.h>
#include <sys/random.h>
#include <time.h>

#define PAUSE_MIN_MS 50
#define PAUSE_MAX_MS 2000

int64_t desk_now_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

int64_t desk_unix_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_REALTIME, &now);
	return now.tv_sec * (int64_t)1000000000 + now.tv_nsec;
}

uint64_t desk_random(uint64_t limit)
{
	uint64_t random = 0;

	if (getrandom(&random, sizeof(random), GRND_NONBLOCK) != sizeof(random))
		random = (uint64_t)desk_unix_ns();
	return random % limit;
}

void links_init(struct links *links, const char *url)
{
	*links = (struct links){.url = url};
	pthread_mutex_init(&links->lock, NULL);
}

static void close_idle(struct links *links)
{
	while (links->n_idle)
		redis_close(links->idle[--links->n_idle]);
}

void links_fini(struct links *links)
{
	close_idle(links);
	pthread_mutex_destroy(&links->lock);
}

/* Under the lock. The next try is half to one and a half pauses away. */
static void back_off(struct links *links)
{
	int64_t pause = links->pause_ms ? 2 * links->pause_ms : PAUSE_MIN_MS;

	links->pause_ms = pause < PAUSE_MAX_MS ? pause : PAUSE_MAX_MS;
	links->retry_ms = desk_now_ms() + links->pause_ms / 2 +
			  (int64_t)desk_random((uint64_t)links->pause_ms);
	if (!atomic_exchange(&links->away, true))
		atomic_fetch_add(&links->absences, 1);
}

/* Takes an idle one; or says whether to open another: the first to ask after a pause does. */
static struct redis *take_idle(struct links *links, bool *open)
{
	struct redis *redis = NULL;

	pthread_mutex_lock(&links->lock);
	if (links->n_idle)
		redis = links->idle[--links->n_idle];
	*open = !redis && (!links->retry_ms || desk_now_ms() >= links->retry_ms);
	if (*open && links->retry_ms)
		back_off(links);
	pthread_mutex_unlock(&links->lock);
	return redis;
}

struct redis *links_take(struct links *links)
{
	bool open;
	char error[REDIS_ERROR_SIZE];
	struct redis *redis = take_idle(links, &open);

	if (redis || !open)
		return redis;
	redis = redis_open(links->url, error);
	pthread_mutex_lock(&links->lock);
	if (redis) {
		links->retry_ms = links->pause_ms = 0;
		atomic_store(&links->away, false);
	} else {
		snprintf(links->error, sizeof(links->error), "%s", error);
		if (!links->retry_ms)
			back_off(links);
	}
	pthread_mutex_unlock(&links->lock);
	if (redis)
		atomic_fetch_add(&links->opened, 1);
	return redis;
}

void links_give(struct links *links, struct redis *redis, bool good)
{
	if (!redis)
		return;
	pthread_mutex_lock(&links->lock);
	if (good && links->n_idle < LINKS_IDLE_MAX) {
		links->idle[links->n_idle++] = redis;
		redis = NULL;
	}
	if (!good) {
		atomic_fetch_add(&links->lost, 1);
		snprintf(links->error, sizeof(links->error), "%s", redis_error(redis));
		close_idle(links); /* they went with it */
	}
	pthread_mutex_unlock(&links->lock);
	redis_close(redis);
}

void links_error(struct links *links, char out[REDIS_ERROR_SIZE])
{
	pthread_mutex_lock(&links->lock);
	snprintf(out, REDIS_ERROR_SIZE, "%s", atomic_load(&links->away) ? links->error : "");
	pthread_mutex_unlock(&links->lock);
}
