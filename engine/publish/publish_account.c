/* SPDX-License-Identifier: BSD-3-Clause */
/* What the publisher counts, and what it says of it in the end. */
#include <errno.h>
#include <stdio.h>

#include "engine/publish/publisher.h"

/* What waits, in the queue or in the batch that was not settled. */
static uint64_t count_items(const struct publisher *publisher, enum item_class class)
{
	uint64_t n = publisher->queue.lists[class].n;

	for (size_t i = 0; i < publisher->n_batch; i++)
		n += publisher->batch[i]->class == class && !publisher->batch[i]->settled;
	return n;
}

void publisher_copy_counters(struct publisher *publisher)
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
	to->events_queued = count_items(publisher, ITEM_EVENT);
	to->incidents_published = delivery->incidents_published;
	to->incidents_already_published = delivery->incidents_already_published;
	to->incidents_withdrawn = delivery->incidents_withdrawn;
	to->incidents_coalesced = publisher->queue.incidents_coalesced;
	to->incidents_shed = publisher->queue.shed[ITEM_INCIDENT];
	to->incidents_queued = count_items(publisher, ITEM_INCIDENT);
}

void publish_counters(struct publisher *publisher, struct publish_counters *counters)
{
	pthread_mutex_lock(&publisher->lock);
	*counters = publisher->counters;
	pthread_mutex_unlock(&publisher->lock);
}

/* Records, of which an item may hold many. */
static uint64_t count_records(const struct publisher *publisher, enum item_class class)
{
	uint64_t n = 0;

	for (const struct item *item = publisher->queue.lists[class].first; item; item = item->next)
		n += item->records;
	for (size_t i = 0; i < publisher->n_batch; i++)
		n += publisher->batch[i]->class == class ? publisher->batch[i]->records : 0;
	return n;
}

int publisher_tell_loss(const struct publisher *publisher, struct publish_error *error)
{
	const struct publish_counters *counters = &publisher->counters;
	uint64_t incidents = counters->incidents_queued + counters->incidents_shed;
	uint64_t events = counters->events_queued + counters->events_shed;
	uint64_t cards = counters->cards_shed + count_records(publisher, ITEM_CARD);
	uint64_t minutes = counters->minutes_shed + count_records(publisher, ITEM_MINUTES);

	if (!incidents && !events && !cards && !minutes && !counters->refused) {
		if (*publisher->trouble.text && error)
			snprintf(error->text, sizeof(error->text),
				 "the last word on health did not reach Redis: %.150s",
				 publisher->trouble.text);
		return *publisher->trouble.text ? -EIO : 0;
	}
	if (error)
		snprintf(
			error->text, sizeof(error->text),
			"not in Redis: %llu incidents, %llu events, %llu cards, %llu minutes, %llu values "
			"refused%s%.120s",
			(unsigned long long)incidents, (unsigned long long)events,
			(unsigned long long)cards, (unsigned long long)minutes,
			(unsigned long long)counters->refused, *publisher->trouble.text ? ": " : "",
			publisher->trouble.text);
	return -EIO;
}
