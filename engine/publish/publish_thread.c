/* SPDX-License-Identifier: BSD-3-Clause */
/* The publishing thread: rounds of work, and pauses when Redis is away. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/random.h>
#include <time.h>

#include "engine/analysis/report.h"
#include "engine/publish/codec.h"
#include "engine/publish/deliver_incident.h"
#include "engine/publish/deliver_parts.h"
#include "engine/publish/keyspace.h"
#include "engine/publish/publisher.h"

#define LINGER_MS	 250
#define LINGER_CARDS	 8192 /* a few dozen for each bucket, */
#define LINGER_BUCKET	 128  /* or so many for one: they come in the order of buckets */
#define PATIENCE_MS	 60000
#define BACKOFF_FIRST_MS 50
#define BACKOFF_MAX_MS	 5000
#define SPARES_MAX	 4096
#define PHONES_AT_ONCE	 256

/* Nothing waits but the first of new cards: more for the same buckets may come. */
bool publisher_may_linger(const struct publisher *publisher)
{
	const struct queue *queue = &publisher->queue;

	return !publisher->closing && !publisher->is_full && !publisher->draining &&
	       !publisher->n_batch && !publisher->health_is_new &&
	       phones_are_done(&publisher->phones) && !queue->lists[ITEM_INCIDENT].first &&
	       !queue->lists[ITEM_EVENT].first && !queue->lists[ITEM_MINUTES].first &&
	       !queue->lists[ITEM_NODE].first && queue->lists[ITEM_CARD].n < LINGER_CARDS &&
	       queue_oldest_bucket(queue) < LINGER_BUCKET;
}

/* Sleeps until there is work, at most until until_ms. The lock is held. */
static void wait_until(struct publisher *publisher, int64_t until_ms)
{
	struct timespec until = {until_ms / 1000, until_ms % 1000 * 1000000};

	pthread_cond_timedwait(&publisher->work, &publisher->lock, &until);
}

static bool is_overdue(const struct publisher *publisher)
{
	return publisher->closing && deliver_now_ms() >= publisher->deadline_ms;
}

/* Between half and all of the backoff, so that many engines do not return in step. */
static unsigned jittered(unsigned ms)
{
	unsigned random_bits = 0;

	if (getrandom(&random_bits, sizeof(random_bits), 0) < 0)
		random_bits = 0;
	return ms / 2 + random_bits % (ms / 2 + 1);
}

static void note_trouble(struct publisher *publisher)
{
	const struct publish_options *options = &publisher->options;
	int64_t patience_ms = options->patience_ms ? options->patience_ms : PATIENCE_MS;

	if (!*publisher->trouble.text)
		publisher->trouble_since_ms = deliver_now_ms();
	snprintf(publisher->trouble.text, sizeof(publisher->trouble.text), "%.250s",
		 *publisher->delivery.error ? publisher->delivery.error : "out of memory");
	if (options->lossless && deliver_now_ms() - publisher->trouble_since_ms > patience_ms) {
		publisher->given_up = true;
		pthread_cond_broadcast(&publisher->room);
	}
}

/* Waits before the next attempt; new work does not shorten that. */
static void back_off(struct publisher *publisher)
{
	int64_t until_ms = deliver_now_ms() + jittered(publisher->backoff_ms);

	publisher->backoff_ms = publisher->backoff_ms * 2 < BACKOFF_MAX_MS
					? publisher->backoff_ms * 2
					: BACKOFF_MAX_MS;
	pthread_mutex_lock(&publisher->lock);
	note_trouble(publisher);
	while (deliver_now_ms() < until_ms && !is_overdue(publisher))
		wait_until(publisher, publisher->closing && publisher->deadline_ms < until_ms
					      ? publisher->deadline_ms
					      : until_ms);
	pthread_mutex_unlock(&publisher->lock);
}

/* Everything a new connection owes: what the server lost, and the phones it may have lost. */
static int reconnect(struct publisher *publisher)
{
	struct delivery *delivery = &publisher->delivery;

	if (delivery->redis)
		return 0;
	if (deliver_connect(delivery, publisher->options.url))
		return -EIO;
	publisher->phones.at = 0;
	pthread_mutex_lock(&publisher->lock);
	publisher->counters.reconnects++;
	pthread_mutex_unlock(&publisher->lock);
	return 0;
}

static void take_batch(struct publisher *publisher)
{
	if (!publisher->n_batch)
		publisher->n_batch = queue_take(&publisher->queue, publisher->batch, DELIVER_BATCH);
}

/* A card's memory goes back to the caller for another one. */
static void give_back(struct publisher *publisher, struct item *item)
{
	if (item->class != ITEM_CARD || publisher->n_spares == SPARES_MAX) {
		deliver_keep(&publisher->delivery, item);
		return;
	}
	item->next = publisher->spares;
	publisher->spares = item;
	publisher->n_spares++;
}

/* The settled ones leave the batch. */
static void settle_batch(struct publisher *publisher)
{
	size_t kept = 0;

	pthread_mutex_lock(&publisher->lock);
	for (size_t i = 0; i < publisher->n_batch; i++) {
		struct item *item = publisher->batch[i];
		if (!item->settled) {
			publisher->batch[kept++] = item;
			continue;
		}
		queue_release(&publisher->queue, item->size);
		give_back(publisher, item);
	}
	publisher->n_batch = kept;
	publisher_copy_counters(publisher);
	/* Not for each batch: handing over to and fro would cost more than the work. */
	if (publisher->queue.bytes <= publisher->queue.capacity / 2)
		pthread_cond_broadcast(&publisher->room);
	pthread_mutex_unlock(&publisher->lock);
}

static int publish_health(struct publisher *publisher, bool running)
{
	struct report_count shed[] = {
		{"events", 0},	{"cards", 0},	  {"minutes", 0},	    {"nodes", 0},
		{"refused", 0}, {"incidents", 0}, {"incident_revisions", 0}};
	struct codec_publisher_health own = {
		.version = publisher->options.version,
		.epoch_unix_ms = publisher->options.epoch_unix_ms,
		.shed = shed,
		.n_shed = sizeof(shed) / sizeof(*shed),
		.running = running,
	};
	struct codec_bytes packed;
	keyspace_key key;

	pthread_mutex_lock(&publisher->lock);
	publisher_copy_counters(publisher);
	shed[0].value = publisher->counters.events_shed;
	shed[1].value = publisher->counters.cards_shed;
	shed[2].value = publisher->counters.minutes_shed;
	shed[3].value = publisher->counters.nodes_shed;
	shed[4].value = publisher->counters.refused;
	shed[5].value = publisher->counters.incidents_shed;
	shed[6].value = publisher->counters.incidents_coalesced;
	own.events_published = publisher->counters.events_published;
	own.cards_published = publisher->counters.cards_published;
	own.minutes_published = publisher->counters.minutes_published;
	own.events_queued = publisher->counters.events_queued;
	int status = codec_health(publisher->delivery.codec, publisher->health, publisher->n_health,
				  publisher->options.collector, &own, &packed);
	publisher->health_is_new = false;
	pthread_mutex_unlock(&publisher->lock);
	keyspace_health(publisher->options.collector, key);
	return status ? status
		      : deliver_value(&publisher->delivery, key, packed.data, packed.length,
				      KEYSPACE_HEALTH_TTL_S);
}

/* One round over everything there is to do. Returns like deliver_items. */
static int work(struct publisher *publisher)
{
	struct delivery *delivery = &publisher->delivery;
	int status = reconnect(publisher);

	status = status ? status : deliver_withdrawals(delivery);
	status = status ? status : deliver_lost(delivery);
	status = status ? status : deliver_items(delivery, publisher->batch, publisher->n_batch);
	status = status ? status : phones_publish(&publisher->phones, delivery, PHONES_AT_ONCE);
	if (!status && publisher->health_due)
		status = publish_health(publisher, true);
	return status;
}

static bool has_work(const struct publisher *publisher)
{
	return publisher->n_batch || publisher->delivery.withdraw ||
	       !queue_is_empty(&publisher->queue) || publisher->health_is_new ||
	       !phones_are_done(&publisher->phones);
}

/* Waits for work. Returns false when there is none left and none will come, or time is up. */
static bool next_round(struct publisher *publisher)
{
	pthread_mutex_lock(&publisher->lock);
	publisher->draining &= !queue_is_empty(&publisher->queue);
	while (!has_work(publisher) && !publisher->closing)
		pthread_cond_wait(&publisher->work, &publisher->lock);
	for (int64_t until_ms = deliver_now_ms() + LINGER_MS;
	     publisher_may_linger(publisher) && deliver_now_ms() < until_ms;)
		wait_until(publisher, until_ms);
	publisher->draining = true;
	take_batch(publisher);
	publisher->health_due = publisher->health_is_new;
	bool more = has_work(publisher) && !is_overdue(publisher);
	pthread_mutex_unlock(&publisher->lock);
	return more;
}

static void round_is_good(struct publisher *publisher)
{
	publisher->backoff_ms = BACKOFF_FIRST_MS;
	pthread_mutex_lock(&publisher->lock);
	*publisher->trouble.text = 0;
	pthread_mutex_unlock(&publisher->lock);
}

void *publisher_thread(void *context)
{
	struct publisher *publisher = context;

	publisher->backoff_ms = BACKOFF_FIRST_MS;
	while (next_round(publisher)) {
		int status = work(publisher);
		settle_batch(publisher);
		if (status && status != -EAGAIN)
			deliver_disconnect(&publisher->delivery);
		if (status)
			back_off(publisher);
		else
			round_is_good(publisher);
	}
	if (!reconnect(publisher) && !deliver_lost(&publisher->delivery))
		publish_health(publisher, false);
	return NULL;
}
