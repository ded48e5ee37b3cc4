/* SPDX-License-Identifier: BSD-3-Clause */
/* All cards, as a table. Memory: the cards as they are stored, about 1 kB a line. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "engine/publish/keyspace.h"
#include "engine/publish/redis.h"
#include "tools/rasadctl/ctl.h"

#define GETS_AT_ONCE 512

struct row {
	char *name;
	struct redis_reply *reply; /* the packed card */
	double sort;		   /* larger first; then by name */
};

struct table {
	struct row *rows;
	size_t n, capacity;
	size_t by_state[4];
	char (*keys)[KEYSPACE_KEY_MAX]; /* those whose cards are asked for next */
	size_t n_keys;
	bool failed;
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

/* Owns the reply when it returns true. */
static bool add_row(const struct ctl *ctl, struct table *table,
		    const Rasad__V1__SubscriberCard *card, struct redis_reply *reply)
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
		table->rows[table->n++] = (struct row){name, reply, sort_value(ctl, card)};
	return name;
}

static void take_reply(struct ctl *ctl, struct table *table, struct redis_reply *reply)
{
	Rasad__V1__SubscriberCard *card = (Rasad__V1__SubscriberCard *)ctl_unpack(
		&rasad__v1__subscriber_card__descriptor, reply);
	bool kept = false;

	if (card && card->summary && is_wanted(ctl, card)) {
		kept = add_row(ctl, table, card, reply);
		table->failed |= !kept;
		if (kept && card->summary->state < 4)
			table->by_state[card->summary->state]++;
	}
	if (!kept)
		redis_reply_free(reply);
	if (card)
		protobuf_c_message_free_unpacked(&card->base, NULL);
}

static bool read_cards(struct ctl *ctl, struct table *table)
{
	for (size_t i = 0; i < table->n_keys; i++)
		if (!ctl_send(ctl, (const char *[]){"GET", table->keys[i], NULL}))
			return false;
	for (size_t i = 0; i < table->n_keys; i++) {
		struct redis_reply *reply = ctl_next(ctl);
		if (!reply)
			return false;
		take_reply(ctl, table, reply);
	}
	table->n_keys = 0;
	return !table->failed;
}

static bool take_card_key(struct ctl *ctl, const char *key, void *context)
{
	struct table *table = context;

	if (strlen(key) >= KEYSPACE_KEY_MAX)
		return true;
	strcpy(table->keys[table->n_keys++], key);
	return table->n_keys < GETS_AT_ONCE || read_cards(ctl, table);
}

static int by_sort(const void *a, const void *b)
{
	const struct row *left = a, *right = b;

	if (left->sort != right->sort)
		return left->sort < right->sort ? 1 : -1;
	return strcmp(left->name, right->name);
}

/* SCAN may name a key twice. */
static void remove_repeated(struct table *table)
{
	size_t kept = 0;

	for (size_t i = 0; i < table->n; i++) {
		if (kept && !strcmp(table->rows[kept - 1].name, table->rows[i].name)) {
			free(table->rows[i].name);
			redis_reply_free(table->rows[i].reply);
			continue;
		}
		table->rows[kept++] = table->rows[i];
	}
	table->n = kept;
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
		Rasad__V1__SubscriberCard *card = (Rasad__V1__SubscriberCard *)ctl_unpack(
			&rasad__v1__subscriber_card__descriptor, table->rows[i].reply);
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
	struct table table = {.keys = malloc(GETS_AT_ONCE * KEYSPACE_KEY_MAX)};
	bool good = table.keys && ctl_scan(ctl, KEYSPACE_ALL_CARDS, take_card_key, &table) &&
		    read_cards(ctl, &table);

	if (good && table.n)
		qsort(table.rows, table.n, sizeof(*table.rows), by_sort);
	remove_repeated(&table);
	if (good && table.n)
		print_rows(ctl, &table);
	else if (good)
		complain("no cards%s: monitoring unavailable, or no such line",
			 ctl->state ? " in that state" : "");
	int code = good && table.n ? EXIT_OK : EXIT_TROUBLE;
	for (size_t i = 0; i < table.n; i++) {
		free(table.rows[i].name);
		redis_reply_free(table.rows[i].reply);
	}
	free(table.rows);
	free(table.keys);
	return code;
}
