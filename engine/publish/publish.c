/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The lock guards the queue, the health bytes, the copy of the counters and the flags; encoding
 * happens before it is taken and talking to Redis after it is let go. `delivery` belongs to the
 * publishing thread, `intake` to the caller.
 */
#include "engine/publish/publish.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <time.h>

#include "engine/analysis/report.h"
#include "engine/base/inventory.h"
#include "engine/publish/codec.h"
#include "engine/publish/deliver.h"
#include "engine/publish/intake.h"
#include "engine/publish/keyspace.h"
#include "engine/publish/phones.h"

#define QUEUE_BYTES	 (64u << 20)
#define LOSSLESS_BYTES	 (8u << 20) /* it waits rather than sheds, so it need not outlast anything */
#define LINGER_MS	 250
#define LINGER_CARDS	 8192 /* a few dozen for each bucket */
#define PATIENCE_MS	 60000
#define BACKOFF_FIRST_MS 50
#define BACKOFF_MAX_MS	 5000
#define SPARES_MAX	 4096
#define PHONES_AT_ONCE	 256
#define HEALTH_MAX	 (64 * 1024)

struct publisher {
	struct publish_options options; /* its texts are copies */
	struct intake intake;
	struct delivery delivery;
	struct phones phones;
	pthread_t thread;

	pthread_mutex_t lock;
	pthread_cond_t work, room;
	struct queue queue;
	struct item *spares; /* delivered cards */
	size_t n_spares;
	uint8_t *health; /* the newest CollectorHealth, packed */
	size_t n_health;
	bool health_is_new, closing, given_up;
	bool is_full;	     /* the caller waits for room */
	bool draining;	     /* the cards that are there have waited for others already */
	int64_t deadline_ms; /* on the monotonic clock, once closing */
	struct publish_counters counters;
	struct publish_error trouble; /* "" when all is well */

	/* Publishing thread only. */
	struct item *batch[DELIVER_BATCH];
	size_t n_batch;
	bool health_due;
	unsigned backoff_ms;
	int64_t trouble_since_ms;
};

static int64_t now_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

/* --- the caller's side --- */

static void wait_for_room(struct publisher *publisher, size_t size)
{
	while (publisher->options.lossless && !publisher->given_up &&
	       !queue_has_room(&publisher->queue, size)) {
		publisher->is_full = true;
		pthread_cond_signal(&publisher->work);
		pthread_cond_wait(&publisher->room, &publisher->lock);
	}
	publisher->is_full = false;
}

/* Nothing waits but the first of new cards: more for the same buckets may come. */
static bool may_linger(const struct publisher *publisher)
{
	const struct queue *queue = &publisher->queue;

	return !publisher->closing && !publisher->is_full && !publisher->draining &&
	       !publisher->n_batch && !publisher->health_is_new &&
	       phones_are_done(&publisher->phones) && !queue->lists[ITEM_EVENT].first &&
	       !queue->lists[ITEM_MINUTES].first && !queue->lists[ITEM_NODE].first &&
	       queue->lists[ITEM_CARD].n < LINGER_CARDS;
}

static void take_item(struct publisher *publisher, struct item *item)
{
	if (!item)
		return;
	pthread_mutex_lock(&publisher->lock);
	wait_for_room(publisher, item->size);
	if (!publisher->intake.spares) {
		publisher->intake.spares = publisher->spares;
		publisher->spares = NULL;
		publisher->n_spares = 0;
	}
	bool was_idle = queue_is_empty(&publisher->queue);
	queue_push(&publisher->queue, item);
	if (was_idle || !may_linger(publisher))
		pthread_cond_signal(&publisher->work);
	pthread_mutex_unlock(&publisher->lock);
}

static void take_health(struct publisher *publisher, const struct report *report)
{
	struct codec_bytes packed;

	if (codec_pack(publisher->intake.codec, report, &packed) || packed.length > HEALTH_MAX)
		return; /* the key expires: that is what its absence says */
	pthread_mutex_lock(&publisher->lock);
	memcpy(publisher->health, packed.data, packed.length);
	publisher->n_health = packed.length;
	publisher->health_is_new = true;
	pthread_cond_signal(&publisher->work);
	pthread_mutex_unlock(&publisher->lock);
}

/* Out of memory is one more way to shed. */
static void count_unmade(struct publisher *publisher, enum item_class class, uint64_t records)
{
	if (!records)
		return;
	pthread_mutex_lock(&publisher->lock);
	publisher->queue.shed[class] += records;
	pthread_mutex_unlock(&publisher->lock);
}

static void take_minute(struct publisher *publisher, const struct report_minute *minute)
{
	uint64_t lost;

	take_item(publisher, intake_minute(&publisher->intake, minute, &lost));
	count_unmade(publisher, ITEM_MINUTES, lost);
}

static void close_minutes(struct publisher *publisher)
{
	uint64_t lost;

	take_item(publisher, intake_close_minutes(&publisher->intake, &lost));
	count_unmade(publisher, ITEM_MINUTES, lost);
}

static enum item_class class_of(enum report_kind kind)
{
	return kind == REPORT_NODE ? ITEM_NODE : kind == REPORT_SUBSCRIBER ? ITEM_CARD : ITEM_EVENT;
}

void publish_take(void *context, const struct report *report)
{
	struct publisher *publisher = context;

	if (report->kind == REPORT_FLOW)
		return;
	if (report->kind == REPORT_MINUTE) {
		take_minute(publisher, report->minute);
		return;
	}
	if (report->kind ==
	    REPORT_HEALTH) { /* comes every few seconds: the batch has waited enough */
		close_minutes(publisher);
		take_health(publisher, report);
		return;
	}
	struct item *item = intake_item(&publisher->intake, report);
	take_item(publisher, item);
	count_unmade(publisher, class_of(report->kind), !item);
}

static void copy_counters(struct publisher *publisher)
{
	struct publish_counters *to = &publisher->counters;
	const struct delivery *delivery = &publisher->delivery;

	to->events_published = delivery->events_published;
	to->events_already_published = delivery->events_already_published;
	to->events_moved = delivery->events_moved;
	to->cards_published = delivery->cards_published;
	to->cards_removed = delivery->cards_removed;
	to->minutes_published = delivery->minutes_published;
	to->minutes_already_published = delivery->minutes_already_published;
	to->nodes_published = delivery->nodes_published;
	to->refused = delivery->refused;
	to->cards_coalesced = publisher->queue.coalesced;
	to->events_shed = publisher->queue.shed[ITEM_EVENT];
	to->cards_shed = publisher->queue.shed[ITEM_CARD];
	to->minutes_shed = publisher->queue.shed[ITEM_MINUTES];
	to->nodes_shed = publisher->queue.shed[ITEM_NODE];
	to->events_queued = publisher->queue.lists[ITEM_EVENT].n;
	for (size_t i = 0; i < publisher->n_batch; i++)
		to->events_queued +=
			publisher->batch[i]->class == ITEM_EVENT && !publisher->batch[i]->settled;
}

void publish_counters(struct publisher *publisher, struct publish_counters *counters)
{
	pthread_mutex_lock(&publisher->lock);
	*counters = publisher->counters;
	pthread_mutex_unlock(&publisher->lock);
}

bool publish_trouble(struct publisher *publisher, struct publish_error *error)
{
	pthread_mutex_lock(&publisher->lock);
	*error = publisher->trouble;
	pthread_mutex_unlock(&publisher->lock);
	return *error->text;
}

/* --- the publishing thread --- */

/* Sleeps until there is work, at most until until_ms. The lock is held. */
static void wait_until(struct publisher *publisher, int64_t until_ms)
{
	struct timespec until = {until_ms / 1000, until_ms % 1000 * 1000000};

	pthread_cond_timedwait(&publisher->work, &publisher->lock, &until);
}

static bool is_overdue(const struct publisher *publisher)
{
	return publisher->closing && now_ms() >= publisher->deadline_ms;
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
		publisher->trouble_since_ms = now_ms();
	snprintf(publisher->trouble.text, sizeof(publisher->trouble.text), "%.250s",
		 *publisher->delivery.error ? publisher->delivery.error : "out of memory");
	if (options->lossless && now_ms() - publisher->trouble_since_ms > patience_ms) {
		publisher->given_up = true;
		pthread_cond_broadcast(&publisher->room);
	}
}

/* Waits before the next attempt; new work does not shorten that. */
static void back_off(struct publisher *publisher)
{
	int64_t until_ms = now_ms() + jittered(publisher->backoff_ms);

	publisher->backoff_ms = publisher->backoff_ms * 2 < BACKOFF_MAX_MS
					? publisher->backoff_ms * 2
					: BACKOFF_MAX_MS;
	pthread_mutex_lock(&publisher->lock);
	note_trouble(publisher);
	while (now_ms() < until_ms && !is_overdue(publisher))
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
	copy_counters(publisher);
	/* Not for each batch: handing over to and fro would cost more than the work. */
	if (publisher->queue.bytes <= publisher->queue.capacity / 2)
		pthread_cond_broadcast(&publisher->room);
	pthread_mutex_unlock(&publisher->lock);
}

static int publish_health(struct publisher *publisher, bool running)
{
	struct report_count shed[] = {
		{"events", 0}, {"cards", 0}, {"minutes", 0}, {"nodes", 0}, {"refused", 0}};
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
	copy_counters(publisher);
	shed[0].value = publisher->counters.events_shed;
	shed[1].value = publisher->counters.cards_shed;
	shed[2].value = publisher->counters.minutes_shed;
	shed[3].value = publisher->counters.nodes_shed;
	shed[4].value = publisher->counters.refused;
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

	status = status ? status : deliver_lost(delivery);
	status = status ? status : deliver_items(delivery, publisher->batch, publisher->n_batch);
	status = status ? status : phones_publish(&publisher->phones, delivery, PHONES_AT_ONCE);
	if (!status && publisher->health_due)
		status = publish_health(publisher, true);
	return status;
}

static bool has_work(const struct publisher *publisher)
{
	return publisher->n_batch || !queue_is_empty(&publisher->queue) ||
	       publisher->health_is_new || !phones_are_done(&publisher->phones);
}

/* Waits for work. Returns false when there is none left and none will come, or time is up. */
static bool next_round(struct publisher *publisher)
{
	pthread_mutex_lock(&publisher->lock);
	publisher->draining &= !queue_is_empty(&publisher->queue);
	while (!has_work(publisher) && !publisher->closing)
		pthread_cond_wait(&publisher->work, &publisher->lock);
	for (int64_t until_ms = now_ms() + LINGER_MS; may_linger(publisher) && now_ms() < until_ms;)
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

static void *publishing_thread(void *context)
{
	struct publisher *publisher = context;

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

/* --- life --- */

static bool copy_options(struct publisher *publisher, const struct publish_options *options)
{
	publisher->options = *options;
	publisher->options.url = strdup(options->url);
	publisher->options.collector = strdup(options->collector ? options->collector : "rasad");
	publisher->options.version = strdup(options->version ? options->version : "");
	publisher->queue.capacity = options->queue_bytes ? options->queue_bytes
				    : options->lossless	 ? LOSSLESS_BYTES
							 : QUEUE_BYTES;
	publisher->backoff_ms = BACKOFF_FIRST_MS;
	publisher->intake.inventory = options->inventory;
	publisher->intake.codec = codec_new();
	publisher->delivery.codec = codec_new();
	publisher->delivery.shard = options->shard;
	publisher->health = malloc(HEALTH_MAX);
	return publisher->options.url && publisher->options.collector &&
	       publisher->options.version && publisher->intake.codec && publisher->delivery.codec &&
	       publisher->health && phones_init(&publisher->phones, options->inventory);
}

static void free_publisher(struct publisher *publisher)
{
	for (size_t i = 0; i < publisher->n_batch; i++)
		free(publisher->batch[i]);
	deliver_fini(&publisher->delivery);
	queue_fini(&publisher->queue);
	items_free(publisher->spares);
	phones_fini(&publisher->phones);
	intake_fini(&publisher->intake);
	codec_free(publisher->delivery.codec);
	free(publisher->health);
	free((char *)publisher->options.url);
	free((char *)publisher->options.collector);
	free((char *)publisher->options.version);
	free(publisher);
}

/* All signals are the main thread's; SIGPIPE of a dead connection is nobody's. */
static int start_thread(struct publisher *publisher)
{
	pthread_condattr_t monotonic;
	sigset_t all, before;

	pthread_mutex_init(&publisher->lock, NULL);
	pthread_condattr_init(&monotonic);
	pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
	pthread_cond_init(&publisher->work, &monotonic);
	pthread_cond_init(&publisher->room, NULL);
	pthread_condattr_destroy(&monotonic);
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	int status = pthread_create(&publisher->thread, NULL, publishing_thread, publisher);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	return -status;
}

struct publisher *publish_open(const struct publish_options *options, struct publish_error *error)
{
	struct publisher *publisher = calloc(1, sizeof(*publisher));

	snprintf(error->text, sizeof(error->text), "out of memory");
	if (!publisher)
		return NULL;
	if (!copy_options(publisher, options)) {
		free_publisher(publisher);
		return NULL;
	}
	if (deliver_connect(&publisher->delivery, options->url)) {
		snprintf(error->text, sizeof(error->text), "%.250s", publisher->delivery.error);
		free_publisher(publisher);
		return NULL;
	}
	if (start_thread(publisher)) {
		snprintf(error->text, sizeof(error->text), "cannot start a thread");
		free_publisher(publisher);
		return NULL;
	}
	return publisher;
}

/* Records of a class that wait, in the queue or in the batch that was not settled. */
static uint64_t count_left(const struct publisher *publisher, enum item_class class)
{
	uint64_t n = 0;

	for (const struct item *item = publisher->queue.lists[class].first; item; item = item->next)
		n += item->records;
	for (size_t i = 0; i < publisher->n_batch; i++)
		n += publisher->batch[i]->class == class ? publisher->batch[i]->records : 0;
	return n;
}

/* What is missing in Redis after all, in words. Returns 0 when nothing is. */
static int tell_loss(const struct publisher *publisher, struct publish_error *error)
{
	const struct publish_counters *counters = &publisher->counters;
	uint64_t events = counters->events_queued + counters->events_shed;
	uint64_t cards = counters->cards_shed + count_left(publisher, ITEM_CARD);
	uint64_t minutes = counters->minutes_shed + count_left(publisher, ITEM_MINUTES);

	if (!events && !cards && !minutes && !counters->refused) {
		if (*publisher->trouble.text && error)
			snprintf(error->text, sizeof(error->text),
				 "the last word on health did not reach Redis: %.150s",
				 publisher->trouble.text);
		return *publisher->trouble.text ? -EIO : 0;
	}
	if (error)
		snprintf(error->text, sizeof(error->text),
			 "not in Redis: %llu events, %llu cards, %llu minutes, %llu values "
			 "refused%s%.120s",
			 (unsigned long long)events, (unsigned long long)cards,
			 (unsigned long long)minutes, (unsigned long long)counters->refused,
			 *publisher->trouble.text ? ": " : "", publisher->trouble.text);
	return -EIO;
}

int publish_close(struct publisher *publisher, unsigned deadline_ms,
		  struct publish_counters *counters, struct publish_error *error)
{
	if (!publisher)
		return 0;
	close_minutes(publisher);
	pthread_mutex_lock(&publisher->lock);
	publisher->closing = true;
	publisher->deadline_ms = now_ms() + deadline_ms;
	pthread_cond_signal(&publisher->work);
	pthread_mutex_unlock(&publisher->lock);
	pthread_join(publisher->thread, NULL);
	copy_counters(publisher);
	if (counters)
		*counters = publisher->counters;
	int status = tell_loss(publisher, error);
	pthread_mutex_destroy(&publisher->lock);
	pthread_cond_destroy(&publisher->work);
	pthread_cond_destroy(&publisher->room);
	free_publisher(publisher);
	return status;
}
