/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The ring against a queue of what was written: records of any size come out whole, in order and
 * aligned, a full ring refuses and loses nothing. On one thread with every position of the end, and
 * between two threads.
 */
#include "engine/base/ring.h"

#include <pthread.h>
#include <sched.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { SMALL = 1024, RECORDS = 300000 };

static struct ring ring;

static uint64_t next_random(uint64_t *state)
{
	*state ^= *state << 13;
	*state ^= *state >> 7;
	return *state ^= *state << 17;
}

/* A record says its own number and size, the rest follows from them. */
struct record {
	uint32_t number, size;
	uint8_t body[];
};

static uint8_t body_byte(uint32_t number, uint32_t i)
{
	return (uint8_t)((number * 2654435761u >> 24) + i * 7);
}

static void fill(struct record *r, uint32_t number, uint32_t size)
{
	r->number = number;
	r->size = size;
	for (uint32_t i = 0; i < size - sizeof *r; i++)
		r->body[i] = body_byte(number, i);
}

static bool is_whole(const struct record *r, uint32_t number)
{
	if ((uintptr_t)r % 8 != 0 || r->number != number)
		return false;
	for (uint32_t i = 0; i < r->size - sizeof *r; i++)
		if (r->body[i] != body_byte(number, i))
			return false;
	return true;
}

/* --- one thread ---------------------------------------------------------------------------------- */

static uint32_t size_within(uint64_t *random, uint32_t most)
{
	return (uint32_t)(sizeof(struct record) +
			  next_random(random) % (most + 1 - sizeof(struct record)));
}

static size_t room_of(const struct record *r)
{
	return 8 + (r->size + 7) / 8 * 8;
}

/* Reads at most `most` records at once; returns how many bytes they had. */
static size_t read_together(uint32_t most, uint32_t *read)
{
	const void *records[12];
	uint32_t n = ring_peek_all(&ring, records, most);
	size_t bytes = 0;
	assert_int_equal(ring_peek_all(&ring, records, most), n); /* they stay until released */
	assert_true(n == 0 || ring_peek(&ring) == records[0]);
	n = ring_peek_all(&ring, records, most);
	for (uint32_t i = 0; i < n; i++) {
		assert_true(is_whole(records[i], (*read)++));
		bytes += room_of(records[i]);
	}
	ring_release_all(&ring);
	return bytes;
}

/* Writes and reads in turns of random length; what is in the ring is `written - read` records. */
static void random_turns(uint64_t seed, uint32_t most)
{
	uint64_t random = seed;
	uint32_t written = 0, read = 0, refusals = 0;
	size_t held = 0;
	assert_int_equal(ring_init(&ring, SMALL), 0);
	for (uint32_t turn = 0; turn < 5000; turn++) {
		for (uint64_t n = next_random(&random) % 12; n; n--) {
			uint32_t size = size_within(&random, most);
			struct record *r = ring_reserve(&ring, size);
			if (!r) { /* only when it really is full */
				assert_true(held + 2 * (size + 15) > SMALL - most);
				refusals++;
				break;
			}
			fill(r, written++, size);
			held += room_of(r);
			ring_commit(&ring);
		}
		if (turn % 3 == 0)
			held -= read_together(next_random(&random) % 12, &read);
		for (uint64_t n = next_random(&random) % 12; n; n--) {
			const struct record *r = ring_peek(&ring);
			if (!r) {
				assert_int_equal(read, written);
				break;
			}
			assert_true(is_whole(r, read));
			assert_ptr_equal(ring_peek(&ring), r); /* it stays until released */
			held -= room_of(r);
			read++;
			ring_release(&ring);
		}
	}
	for (const struct record *r; (r = ring_peek(&ring)); read++) {
		assert_true(is_whole(r, read));
		ring_release(&ring);
	}
	assert_int_equal(read, written);
	assert_true(written > 5000 && refusals > 10);
	ring_fini(&ring);
}

static void against_a_queue(void **state)
{
	(void)state;
	for (uint64_t seed = 1; seed <= 10; seed++) {
		random_turns(seed, 48);
		random_turns(seed, 200);
		random_turns(seed, SMALL / 4 - 8);
	}
}

static void too_large(void **state)
{
	(void)state;
	assert_int_equal(ring_init(&ring, SMALL), 0);
	assert_null(ring_peek(&ring));
	assert_null(ring_reserve(&ring, SMALL / 4 - 7));
	assert_null(ring_reserve(&ring, SMALL));
	assert_non_null(ring_reserve(&ring, SMALL / 4 - 8));
	assert_null(ring_peek(&ring)); /* reserved is not handed over */
	ring_fini(&ring);
	ring_fini(&ring); /* the dead state is valid */
}

/* What was reserved and never committed is as if it had not been. */
static void reserved_in_vain(void **state)
{
	struct record *r;
	(void)state;
	assert_int_equal(ring_init(&ring, SMALL), 0);
	for (uint32_t n = 0; n < 3 * SMALL; n++) {
		const struct record *got;
		assert_non_null(ring_reserve(&ring, 200));
		r = ring_reserve(&ring, 16 + n % 100);
		assert_non_null(r);
		fill(r, n, 16 + n % 100);
		ring_commit(&ring);
		assert_non_null(ring_reserve(&ring, 100));
		got = ring_peek(&ring);
		assert_true(got && is_whole(got, n));
		ring_release(&ring);
		assert_null(ring_peek(&ring));
	}
	ring_fini(&ring);
}

/* A ring of any size can be filled again and again: no byte of it is lost. */
static void filled_again_and_again(void **state)
{
	(void)state;
	for (size_t size = 64; size <= 65536; size *= 4) {
		uint32_t n = 0, got = 0;
		assert_int_equal(ring_init(&ring, size), 0);
		for (int round = 0; round < 50; round++) {
			uint32_t before = n;
			for (struct record *r; (r = ring_reserve(&ring, 8));) {
				fill(r, n++, 8);
				ring_commit(&ring);
			}
			assert_int_equal(n - before, size / 16);
			for (const struct record *r; (r = ring_peek(&ring)); got++) {
				assert_true(is_whole(r, got));
				ring_release(&ring);
			}
			assert_int_equal(got, n);
		}
		ring_fini(&ring);
	}
}

/* --- two threads --------------------------------------------------------------------------------- */

static void *writer(void *context)
{
	uint64_t random = *(const uint64_t *)context;
	for (uint32_t n = 0; n < RECORDS; n++) {
		uint32_t size = size_within(&random, 120);
		struct record *r = ring_reserve(&ring, size);
		for (; !r; r = ring_reserve(&ring, size))
			sched_yield();
		fill(r, n, size);
		ring_commit(&ring);
	}
	return NULL;
}

static void between_threads(void **state)
{
	static const size_t sizes[] = {512, 4096, 1 << 20};
	(void)state;
	for (size_t k = 0; k < sizeof sizes / sizeof *sizes; k++) {
		uint64_t seed = 7 + k;
		uint32_t broken = 0;
		pthread_t thread;
		assert_int_equal(ring_init(&ring, sizes[k]), 0);
		assert_int_equal(pthread_create(&thread, NULL, writer, &seed), 0);
		for (uint32_t n = 0; n < RECORDS; n++) {
			const struct record *r = ring_peek(&ring);
			for (; !r; r = ring_peek(&ring))
				sched_yield();
			broken += !is_whole(r, n);
			ring_release(&ring);
		}
		pthread_join(thread, NULL);
		assert_int_equal(broken, 0);
		assert_null(ring_peek(&ring));
		ring_fini(&ring);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(against_a_queue),  cmocka_unit_test(too_large),
		cmocka_unit_test(reserved_in_vain), cmocka_unit_test(filled_again_and_again),
		cmocka_unit_test(between_threads),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
