/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * From receiver to lane: every packet arrives once, in order, as it was, with the bytes of control
 * messages though the burst it came from is long gone; a full ring refuses. On one thread, and between
 * two.
 */
#include "engine/handover.h"

#include <pthread.h>
#include <sched.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { PACKETS = 200000, FRAME = 512 };

static struct handover handover;

static int start(void **state)
{
	(void)state;
	return handover_init(&handover);
}

static int stop(void **state)
{
	(void)state;
	handover_fini(&handover);
	handover_fini(&handover); /* the dead state is valid */
	return 0;
}

static uint32_t mix(uint32_t n)
{
	return (n ^ n >> 13) * 2654435761u;
}

/* Everything of packet number `n` follows from the number; one in five is a control message. */
static uint32_t length_of(uint32_t n)
{
	return mix(n) % FRAME;
}

static uint64_t time_of(uint32_t n)
{
	return 1700000000000000000ull + n * 1000ull;
}

static void make(struct burst *burst, uint32_t i, uint32_t n, uint8_t frame[FRAME])
{
	uint32_t length = length_of(n), head = length / 3;
	burst->pkt[i] = (struct pkt){
		.ts_ns = time_of(n),
		.seq = n,
		.kind = n % 5 ? KIND_TCP : KIND_LCP,
		.l4_off = (uint16_t)head,
		.payload_len = (uint16_t)(length - head),
	};
	burst->extra[i] = (struct pkt_extra){.payload_caplen = (uint16_t)(length - head),
					     .sport = (uint16_t)n};
	burst->frame[i] = frame;
	for (uint32_t b = 0; b < length; b++)
		frame[b] = (uint8_t)(mix(n + b) >> 8);
}

static bool is_packet(const struct burst *burst, uint32_t i, uint32_t n)
{
	if (burst->pkt[i].seq != n || burst->pkt[i].ts_ns != time_of(n) ||
	    burst->extra[i].sport != (uint16_t)n || burst_order(burst, i) != n + 1 ||
	    burst_clock_ns(burst, i) != time_of(n))
		return false;
	for (uint32_t b = 0; n % 5 == 0 && b < length_of(n); b++)
		if (burst->frame[i][b] != (uint8_t)(mix(n + b) >> 8))
			return false;
	return true;
}

/* --- the two sides ---------------------------------------------------------------------------------- */

/* A burst as a source makes it: its frames are gone with the next one. */
static uint32_t next_burst(struct burst *burst, uint32_t from, uint8_t frames[BURST_MAX][FRAME])
{
	uint32_t n = 1 + mix(from) % BURST_MAX;
	memset(frames, 0xee, BURST_MAX * FRAME);
	burst->n = n < PACKETS - from ? n : PACKETS - from;
	for (uint32_t i = 0; i < burst->n; i++)
		make(burst, i, from + i, frames[i]);
	burst->odd = false;
	burst->first_order = from + 1;
	burst->last_clock_ns = time_of(from + burst->n - 1);
	return burst->n;
}

static struct parcel *open_parcel(void)
{
	struct parcel *parcel = handover_open(&handover);
	for (; !parcel; parcel = handover_open(&handover))
		sched_yield();
	return parcel;
}

static void *receiver(void *context)
{
	static struct burst burst;
	static uint8_t frames[BURST_MAX][FRAME];
	(void)context;
	for (uint32_t at = 0; at < PACKETS; at += burst.n) {
		next_burst(&burst, at, frames);
		for (uint32_t i = 0; i < burst.n; i++) {
			if (handover_put(open_parcel(), &burst, i))
				continue;
			handover_close(&handover, at + i, time_of(at + i), false);
			if (!handover_put(open_parcel(), &burst, i))
				abort();
		}
		if (mix(at) % 7 == 0) { /* nobody should wait for a full parcel */
			open_parcel();
			handover_close(&handover, at + burst.n, burst.last_clock_ns, false);
		}
	}
	open_parcel();
	handover_close(&handover, PACKETS, time_of(PACKETS), true);
	return NULL;
}

static void from_one_thread_to_another(void **state)
{
	uint32_t n = 0, broken = 0, parcels = 0, late = 0;
	uint64_t order = 0;
	bool last = false;
	pthread_t thread;
	(void)state;
	assert_int_equal(pthread_create(&thread, NULL, receiver, NULL), 0);
	while (!last) {
		struct parcel *parcel = handover_peek(&handover);
		if (!parcel) {
			sched_yield();
			continue;
		}
		for (uint32_t i = 0; i < parcel->burst.n; i++, n++)
			broken += !is_packet(&parcel->burst, i, n);
		late += parcel->order < n || parcel->order < order; /* all of them are here */
		order = parcel->order;
		last = parcel->last;
		parcels++;
		handover_done(&handover);
	}
	pthread_join(thread, NULL);
	assert_int_equal(broken, 0);
	assert_int_equal(late, 0);
	assert_int_equal(n, PACKETS);
	assert_true(parcels >= PACKETS / BURST_MAX);
	assert_null(handover_peek(&handover));
}

static void full(void **state)
{
	static struct burst burst;
	static uint8_t frames[BURST_MAX][FRAME];
	(void)state;
	next_burst(&burst, 0, frames);
	for (int round = 0; round < 3; round++) {
		for (uint32_t k = 0; k < HANDOVER_PARCELS; k++) {
			struct parcel *parcel = handover_open(&handover);
			assert_non_null(parcel);
			assert_int_equal(parcel->burst.n + parcel->n_bytes, 0);
			assert_false(parcel->last);
			assert_true(handover_put(parcel, &burst, 0));
			assert_ptr_equal(handover_open(&handover), parcel); /* until it is closed */
			handover_close(&handover, k, k, k == 3);
		}
		assert_null(handover_open(&handover));
		for (uint32_t k = 0; k < HANDOVER_PARCELS; k++) {
			struct parcel *parcel = handover_peek(&handover);
			assert_non_null(parcel);
			assert_int_equal(parcel->order, k);
			assert_int_equal(parcel->last, k == 3);
			assert_true(is_packet(&parcel->burst, 0, 0));
			handover_done(&handover);
		}
		assert_null(handover_peek(&handover));
	}
}

/* A parcel holds a burst, and not more; and of control messages what their bytes leave room for. */
static void room_in_a_parcel(void **state)
{
	static struct burst burst;
	static uint8_t frame[UINT16_MAX];
	struct parcel *parcel = handover_open(&handover);
	uint32_t n = 0;
	(void)state;
	burst.frame[0] = frame;
	burst.pkt[0].kind = KIND_TCP;
	while (handover_put(parcel, &burst, 0))
		n++;
	assert_int_equal(n, BURST_MAX);
	assert_int_equal(parcel->n_bytes, 0);
	handover_close(&handover, 1, 1, false);
	parcel = handover_open(&handover);
	burst.pkt[0].kind = KIND_DHCP;
	burst.pkt[0].l4_off = 60000;
	burst.extra[0].payload_caplen = 5000;
	for (n = 0; handover_put(parcel, &burst, 0);)
		n++;
	assert_int_equal(n, HANDOVER_BYTES / 65000);
	assert_int_equal(parcel->burst.n, n); /* who did not fit is not half there */
	assert_true(parcel->n_bytes <= HANDOVER_BYTES);
	burst.pkt[0].kind = KIND_TCP; /* it needs no bytes */
	assert_true(handover_put(parcel, &burst, 0));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(from_one_thread_to_another, start, stop),
		cmocka_unit_test_setup_teardown(full, start, stop),
		cmocka_unit_test_setup_teardown(room_in_a_parcel, start, stop),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
