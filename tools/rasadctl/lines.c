/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * All cards, as a table. The buckets are known by number, so they are asked one after the other,
 * and Redis need not look through all its keys. Memory: the cards as they are stored, about 1 kB a
 * line.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "engine/publish/keyspace.h"
#include "engine/publish/redis.h"
#include "tools/rasadctl/ctl.h"

#define BUCKETS_AT_ONCE 8

struct row {
	char *name;
	const struct redis_reply *card; /* packed, in one of the buckets */
	double sort;			/* larger first; then by name */
};

struct table {
	struct row *rows;
	size_t n, capacity;
	size_t by_state[4];
	struct redis_reply *buckets[KEYSPACE_BUCKETS];
};

static double access_loss(const Rasad__V1__SubscriberSummary *summary)
{
	const Rasad__V1__LossSides *loss = summary->loss;
	const Rasad__V1__LossCount *down = loss ? loss->access_down : NULL;
	const Rasad__V1__LossCount *up = loss ? loss->access_up : NULL;
	uint64_t packets = (down ? down->packets : 0) + (up ? up->packets : 0);
	uint64_t lost = (down ? down->lost : 0) + (up ? up->lost : 0);

	return packets ? (double)lost / (double)packets : -1;
}

static double access_rtt_us(const Rasad__V1__SubscriberSummary *summary)
{
	return summary->rtt && summary->rtt->access ? summary->rtt->access->p50_us : -1;
}

static double sort_value(const struct ctl *ctl, const Rasad__V1__SubscriberCard *card)
{
	if (!ctl->sort || !strcmp(ctl->sort, "name"))
		return 0;
	if (!strcmp(ctl->sort, "flaps"))
		return card->flaps_24h;
	return !strcmp(ctl->sort, "rtt") ? access_rtt_us(card->summary)
					 : access_loss(card->summary);
}

static bool is_wanted(const struct ctl *ctl, const Rasad__V1__SubscriberCard *card)
{
	return !ctl->state || !strcasecmp(ctl->state, state_name((int)card->summary->state));
}

static bool add_row(const struct ctl *ctl, struct table *table,
		    const Rasad__V1__SubscriberCard *card, const struct redis_reply *packed)
{
	if (table->n == table->capacity) {
		size_t capacity = table->capacity ? 2 * table->capacity : 1024;
		struct row *rows = realloc(table->rows, capacity * sizeof(*rows));
		if (!rows)
			return false;
		table->rows = rows;
		table->capacity = capacity;
	}
	char *name = strdup(card->summary->line);
	if (name)
		table->rows[table->n++] = (struct row){name, packed, sort_value(ctl, card)};
	return name;
}

/* Returns false without memory. */
static bool take_card(struct ctl *ctl, struct table *table, const struct redis_reply *packed)
{
	Rasad__V1__SubscriberCard *card = ctl_unpack_card(ctl, packed);
	bool good = true;

	if (card && is_wanted(ctl, card)) {
		good = add_row(ctl, table, card, packed);
		if (good && card->summary->state < 4)
			table->by_state[card->summary->state]++;
	}
	if (card)
		protobuf_c_message_free_unpacked(&card->base, NULL);
	return good;
}

static bool read_bucket(struct ctl *ctl, struct table *table, unsigned bucket)
{
	struct redis_reply *cards = table->buckets[bucket] = ctl_next(ctl);

	for (size_t i = 0; i < redis_count(cards); i++)
		if (!take_card(ctl, table, redis_element(cards, i))) {
			complain("out of memory");
			return false;
		}
	return cards;
}

static bool read_buckets(struct ctl *ctl, struct table *table, unsigned first)
{
	for (unsigned i = first; i < first + BUCKETS_AT_ONCE; i++) {
		keyspace_key key;
		keyspace_bucket(i, key);
		if (!ctl_send(ctl, (const char *[]){"HVALS", key, NULL}))
			return false;
	}
	for (unsigned i = first; i < first + BUCKETS_AT_ONCE; i++)
		if (!read_bucket(ctl, table, i))
			return false;
	return true;
}

static bool read_cards(struct ctl *ctl, struct table *table)
{
	if (!ctl_ask_time(ctl) || !ctl_read_time(ctl))
		return false;
	for (unsigned first = 0; first < KEYSPACE_BUCKETS; first += BUCKETS_AT_ONCE)
		if (!read_buckets(ctl, table, first))
			return false;
	return true;
}

static int by_sort(const void *a, const void *b)
{
	const struct row *left = a, *right = b;

	if (left->sort != right->sort)
		return left->sort < right->sort ? 1 : -1;
	return strcmp(left->name, right->name);
}

static void print_row(struct ctl *ctl, const Rasad__V1__SubscriberCard *card)
{
	const Rasad__V1__SubscriberSummary *summary = card->summary;
	double rtt_us = access_rtt_us(summary), loss = access_loss(summary);
	char number[32];

	printf("%s", colour_of_state(ctl, (int)summary->state));
	print_cell(state_name((int)summary->state), 8);
	printf("%s", colour_end(ctl));
	print_cell(summary->line, 32);
	putchar(' ');
	print_cell(summary->subscriber, 24);
	printf(" %6u ", card->flaps_24h);
	snprintf(number, sizeof(number), rtt_us < 0 ? "-" : "%.1f", rtt_us / 1000);
	printf("%8s ", number);
	snprintf(number, sizeof(number), loss < 0 ? "-" : "%.2f", 100 * loss);
	printf("%7s\n", number);
}

static void print_rows(struct ctl *ctl, const struct table *table)
{
	if (!ctl->json)
		printf("%-8s%-32s %-24s %6s %8s %7s\n", "STATE", "LINE", "USER", "FLAPS", "RTT ms",
		       "LOSS %");
	for (size_t i = 0; i < table->n && (!ctl->number || i < ctl->number); i++) {
		Rasad__V1__SubscriberCard *card = ctl_unpack_card(ctl, table->rows[i].card);
		if (!card)
			continue;
		if (ctl->json)
			ctl_print_json(ctl, &card->base);
		else
			print_row(ctl, card);
		protobuf_c_message_free_unpacked(&card->base, NULL);
	}
	if (!ctl->json)
		printf("%zu lines: %zu up, %zu suspect, %zu down, %zu unknown\n", table->n,
		       table->by_state[1], table->by_state[2], table->by_state[3],
		       table->by_state[0]);
}

int run_lines(struct ctl *ctl)
{
	static struct table table;
	bool good = read_cards(ctl, &table);

	if (good && table.n)
		qsort(table.rows, table.n, sizeof(*table.rows), by_sort);
	if (good && table.n)
		print_rows(ctl, &table);
	else if (good)
		complain("no cards%s: monitoring unavailable, or no such line",
			 ctl->state ? " in that state" : "");
	int code = good && table.n ? EXIT_OK : EXIT_TROUBLE;
	for (size_t i = 0; i < table.n; i++)
		free(table.rows[i].name);
	for (size_t i = 0; i < KEYSPACE_BUCKETS; i++)
		redis_reply_free(table.buckets[i]);
	free(table.rows);
	return code;
}
