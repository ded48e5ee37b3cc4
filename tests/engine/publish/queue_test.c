/* SPDX-License-Identifier: BSD-3-Clause */
#include "engine/publish/queue.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "engine/publish/keyspace.h"

#define SIZE (sizeof(struct item) + 2 + 100) /* of each item here */

static struct queue queue;

static int set_up(void **state)
{
	(void)state;
	queue = (struct queue){.capacity = 10 * SIZE};
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	queue_fini(&queue);
	return 0;
}

static void push(enum item_class class, char name, uint8_t value)
{
	uint8_t payload[100] = {value};
	char names[2] = {name, 0};
	struct item *item = item_new(class, names, sizeof(names), payload, sizeof(payload));

	assert_non_null(item);
	item->coalesce_key = (uint64_t)name;
	queue_push(&queue, item);
}

static void push_records(enum item_class class, char name, uint64_t records)
{
	uint8_t payload[100] = {0};
	char names[2] = {name, 0};
	struct item *item = item_new(class, names, sizeof(names), payload, sizeof(payload));

	assert_non_null(item);
	item->records = records;
	queue_push(&queue, item);
}

/* Takes everything; the names in order, and the values of their payloads. */
static const char *take_all(uint8_t *values)
{
	static char names[64];
	struct item *items[4];
	size_t n, at = 0;

	while ((n = queue_take(&queue, items, 4)))
		for (size_t i = 0; i < n; i++) {
			values[at] = items[i]->payload[0];
			names[at++] = *items[i]->name;
			queue_release(&queue, items[i]->size);
			free(items[i]);
		}
	names[at] = 0;
	assert_int_equal(queue.bytes, 0);
	return names;
}

static void test_events_first(void **state)
{
	(void)state;
	uint8_t values[64];
	push(ITEM_NODE, 'n', 0);
	push(ITEM_CARD, 'c', 0);
	push(ITEM_EVENT, 'e', 0);
	push(ITEM_CARD, 'd', 0);
	push(ITEM_EVENT, 'f', 0);
	assert_string_equal(take_all(values), "efcdn");
	assert_true(queue_is_empty(&queue));
}

static void test_latest_wins_in_place(void **state)
{
	(void)state;
	uint8_t values[64];
	push(ITEM_CARD, 'a', 1);
	push(ITEM_CARD, 'b', 2);
	push(ITEM_NODE, 'a', 3); /* not the same thing */
	push(ITEM_CARD, 'a', 4);
	push(ITEM_CARD, 'b', 5);
	push(ITEM_CARD, 'a', 6);
	assert_string_equal(take_all(values), "aba");
	assert_memory_equal(values, "\x06\x05\x03", 3);
	assert_int_equal(queue.coalesced, 3);
	push(ITEM_CARD, 'a', 7); /* what was taken is no predecessor */
	assert_int_equal(queue.coalesced, 3);
}

static void test_order_of_shedding(void **state)
{
	(void)state;
	uint8_t values[64];
	for (char c = 'a'; c < 'e'; c++)
		push(ITEM_CARD, c, 0);
	for (char c = 'n'; c < 'q'; c++)
		push(ITEM_NODE, c, 0);
	for (char c = 'A'; c < 'D'; c++)
		push(ITEM_EVENT, c, 0);
	assert_false(queue_has_room(&queue, SIZE));
	push(ITEM_EVENT, 'D', 0); /* the oldest node goes */
	push(ITEM_CARD, 'e', 0);  /* the next one */
	push(ITEM_NODE, 'q', 0);  /* the last: a newer node for an older */
	assert_int_equal(queue.shed[ITEM_NODE], 3);
	push(ITEM_EVENT, 'E', 0); /* 'q', then cards from the oldest */
	push(ITEM_EVENT, 'F', 0);
	assert_int_equal(queue.shed[ITEM_NODE], 4);
	assert_int_equal(queue.shed[ITEM_CARD], 1);
	push(ITEM_NODE, 'r', 0); /* nothing is worth less: it goes itself */
	assert_int_equal(queue.shed[ITEM_NODE], 5);
	assert_string_equal(take_all(values), "ABCDEFbcde");
}

static void test_events_last(void **state)
{
	(void)state;
	uint8_t values[64];
	for (char c = 'A'; c < 'K'; c++)
		push(ITEM_EVENT, c, 0);
	push(ITEM_EVENT, 'X', 0);
	push(ITEM_CARD, 'c', 0);
	assert_int_equal(queue.shed[ITEM_EVENT], 1);
	assert_int_equal(queue.shed[ITEM_CARD], 1);
	assert_string_equal(take_all(values), "ABCDEFGHIJ");
}

/* Nodes go before minutes, minutes before cards, counted by what is in them. */
static void test_minutes_between(void **state)
{
	(void)state;
	uint8_t values[64];
	for (char c = 'a'; c < 'd'; c++)
		push(ITEM_CARD, c, 0);
	for (char c = 'k'; c < 'n'; c++)
		push_records(ITEM_MINUTES, c, 64);
	for (char c = 'x'; c < '|'; c++)
		push(ITEM_NODE, c, 0);
	for (char c = 'A'; c < 'H'; c++)
		push(ITEM_EVENT, c, 0);
	assert_int_equal(queue.shed[ITEM_NODE], 4);
	assert_int_equal(queue.shed[ITEM_MINUTES], 3 * 64);
	assert_int_equal(queue.shed[ITEM_CARD], 0);
	push(ITEM_MINUTES, 'n', 0); /* nothing is worth less */
	assert_int_equal(queue.shed[ITEM_MINUTES], 3 * 64 + 1);
	assert_string_equal(take_all(values), "ABCDEFGabc");
}

/* Minutes are many bytes: not all at once, none twice, none replaced. */
static void test_minutes_in_portions(void **state)
{
	(void)state;
	struct item *items[200];
	queue.capacity = 1 << 20;
	for (int i = 0; i < 100; i++)
		push(ITEM_MINUTES, 'm', 0);
	assert_int_equal(queue_take(&queue, items, 200), QUEUE_MINUTES_MAX);
	assert_int_equal(queue_take(&queue, items + QUEUE_MINUTES_MAX, 200),
			 100 - QUEUE_MINUTES_MAX);
	assert_int_equal(queue.coalesced, 0);
	for (int i = 0; i < 100; i++)
		free(items[i]);
}

static void push_key(uint64_t key)
{
	struct item *item = item_new(ITEM_CARD, "", 1, NULL, 0);

	assert_non_null(item);
	item->coalesce_key = key;
	queue_push(&queue, item);
}

/* With the oldest card all of its bucket, whatever stands between; then the next oldest. */
static void test_cards_by_bucket(void **state)
{
	(void)state;
	enum { LINES = 9000 };
	static struct item *items[LINES];
	static bool seen[LINES];
	size_t n = 0, got, changes = 0;

	queue.capacity = 64 << 20;
	for (uint64_t i = 0; i < LINES; i++) /* 90 lines of each of 100 buckets, in turn */
		push_key(i % 100 + i / 100 * (uint64_t)KEYSPACE_BUCKETS * 5);
	push(ITEM_NODE, 0, 0); /* in the same chain as a card */
	assert_int_equal(queue_oldest_bucket(&queue), 90);
	while (n < LINES &&
	       (got = queue_take(&queue, items + n, 500 < LINES - n ? 500 : LINES - n)))
		n += got;
	assert_int_equal(n, LINES);
	for (size_t i = 0; i < LINES; i++) {
		uint64_t key = items[i]->coalesce_key, bucket = key % KEYSPACE_BUCKETS;
		size_t number = key / KEYSPACE_BUCKETS / 5 * 100 + bucket;
		assert_false(seen[number]);
		seen[number] = true;
		changes += i && items[i - 1]->coalesce_key % KEYSPACE_BUCKETS != bucket;
		if (i)
			free(items[i - 1]);
	}
	free(items[LINES - 1]);
	assert_in_range(changes, 99, 99 + LINES / 500);
	assert_int_equal(queue.lists[ITEM_CARD].n, 0);
	assert_int_equal(queue.lists[ITEM_NODE].n, 1);
}

/* What is on its way to Redis still needs its memory. */
static void test_taken_bytes_count(void **state)
{
	(void)state;
	struct item *items[10];
	for (char c = 'A'; c < 'K'; c++)
		push(ITEM_EVENT, c, 0);
	assert_int_equal(queue_take(&queue, items, 10), 10);
	assert_false(queue_has_room(&queue, SIZE));
	for (size_t i = 0; i < 10; i++) {
		queue_release(&queue, items[i]->size);
		free(items[i]);
	}
	assert_true(queue_has_room(&queue, 100 * SIZE)); /* empty: anything */
}

static void push_incident(const char *id, uint32_t revision, bool passing)
{
	uint8_t bytes[100] = {(uint8_t)revision};
	struct item *item = item_incident(id, revision, bytes, 90, 10);

	assert_non_null(item);
	item->incident.passing = passing;
	queue_push(&queue, item);
}

static const char *take_names(void)
{
	static char names[256];
	struct item *items[4];
	size_t n;

	*names = 0;
	while ((n = queue_take(&queue, items, 4)))
		for (size_t i = 0; i < n; i++) {
			strcat(strcat(names, items[i]->name), " ");
			queue_release(&queue, items[i]->size);
			free(items[i]);
		}
	assert_int_equal(queue.bytes, 0);
	return names;
}

/* All that is worth less goes for them, and then they take more room than there is. */
static void test_incidents_are_never_shed(void **state)
{
	(void)state;
	for (int i = 0; i < 5; i++) {
		push(ITEM_EVENT, 'e', 0);
		push(ITEM_CARD, (char)('a' + i), 0);
	}
	for (uint32_t i = 1; i <= 20; i++)
		push_incident("i", i, false);
	push(ITEM_EVENT, 'e', 0);
	assert_int_equal(queue.shed[ITEM_INCIDENT], 0);
	assert_int_equal(queue.shed[ITEM_EVENT], 6);
	assert_int_equal(queue.shed[ITEM_CARD], 5);
	assert_string_equal(take_names(), "i:1 i:2 i:3 i:4 i:5 i:6 i:7 i:8 i:9 i:10 i:11 i:12 i:13 "
					  "i:14 i:15 i:16 i:17 i:18 i:19 i:20 ");
}

/* Without room, how it goes gives way to how it goes on; beginnings and ends stay, in their order. */
static void test_passing_revisions_make_way(void **state)
{
	(void)state;
	queue.capacity = 0;
	push_incident("a", 1, false);
	push_incident("b", 1, false);
	push_incident("ab", 1, false);
	for (uint32_t i = 2; i < 50; i++) {
		push_incident("a", i, true);
		push_incident("b", i, true);
	}
	push_incident("b", 50, false);
	push_incident("b", 51, true);
	assert_int_equal(queue.incidents_coalesced, 47 + 48);
	assert_string_equal(take_names(), "a:1 b:1 ab:1 a:49 b:50 b:51 ");
}

/* What stands behind the payload is let go, name and payload stay. */
static void test_trim(void **state)
{
	(void)state;
	struct item *item =
		item_incident("a-long-name", 7, (const uint8_t *)"incidentmembers", 8, 7);

	assert_memory_equal(item->payload + item->n_payload, "members", 7);
	item = item_trim(item);
	assert_string_equal(item->name, "a-long-name:7");
	assert_memory_equal(item->payload, "incident", 8);
	free(item);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
	const struct CMUnitTest tests[] = {
		TEST(test_events_first),
		TEST(test_latest_wins_in_place),
		TEST(test_order_of_shedding),
		TEST(test_events_last),
		TEST(test_taken_bytes_count),
		TEST(test_minutes_between),
		TEST(test_minutes_in_portions),
		TEST(test_cards_by_bucket),
		TEST(test_incidents_are_never_shed),
		TEST(test_passing_revisions_make_way),
		TEST(test_trim),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
