/* SPDX-License-Identifier: BSD-3-Clause */
/* The caller's side of the publisher, and its life. */
#include "engine/publish/publish.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "engine/analysis/report.h"
#include "engine/publish/codec.h"
#include "engine/publish/deliver_parts.h"
#include "engine/publish/publisher.h"

#define QUEUE_BYTES    (64u << 20)
#define LOSSLESS_BYTES (8u << 20) /* it waits rather than sheds, so it need not outlast anything */
#define HEALTH_MAX     (64 * 1024)

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
	if (was_idle || !publisher_may_linger(publisher))
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
	return kind == REPORT_NODE	   ? ITEM_NODE
	       : kind == REPORT_SUBSCRIBER ? ITEM_CARD
	       : kind == REPORT_INCIDENT   ? ITEM_INCIDENT
					   : ITEM_EVENT;
}

void publish_take(void *context, const struct report *report)
{
	struct publisher *publisher = context;

	if (report->kind == REPORT_FLOW || report->kind == REPORT_TOPOLOGY_LINT)
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

bool publish_trouble(struct publisher *publisher, struct publish_error *error)
{
	pthread_mutex_lock(&publisher->lock);
	*error = publisher->trouble;
	pthread_mutex_unlock(&publisher->lock);
	return *error->text;
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
	publisher->intake.inventory = options->inventory;
	publisher->intake.codec = codec_new();
	publisher->delivery.codec = codec_new();
	publisher->delivery.shard = options->shard;
	publisher->delivery.withdraw = !options->lossless;
	snprintf(publisher->producer, sizeof(publisher->producer), "e%02x", options->shard & 255);
	publisher->delivery.producer = (struct codec_producer){
		publisher->producer, publisher->options.collector, options->epoch_unix_ms};
	if (publisher->intake.codec)
		codec_speak_as(publisher->intake.codec, &publisher->delivery.producer);
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
	int status = pthread_create(&publisher->thread, NULL, publisher_thread, publisher);
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

int publish_close(struct publisher *publisher, unsigned deadline_ms,
		  struct publish_counters *counters, struct publish_error *error)
{
	if (!publisher)
		return 0;
	close_minutes(publisher);
	pthread_mutex_lock(&publisher->lock);
	publisher->closing = true;
	publisher->deadline_ms = deliver_now_ms() + deadline_ms;
	pthread_cond_signal(&publisher->work);
	pthread_mutex_unlock(&publisher->lock);
	pthread_join(publisher->thread, NULL);
	publisher_copy_counters(publisher);
	if (counters)
		*counters = publisher->counters;
	int status = publisher_tell_loss(publisher, error);
	pthread_mutex_destroy(&publisher->lock);
	pthread_cond_destroy(&publisher->work);
	pthread_cond_destroy(&publisher->room);
	free_publisher(publisher);
	return status;
}
