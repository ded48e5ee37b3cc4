/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The textbook's variants: rte_hash for subscribers and for flows, one look-up after the other, or
 * 32 at once with the records prefetched. The tables lie in 2 MB pages (an external heap), and
 * have room to spare, so that the yardstick is not slowed by our hand.
 */
#include "tests/bench/textbook.h"

#include <rte_eal.h>
#include <rte_errno.h>
#include <rte_hash.h>
#include <rte_hash_crc.h>
#include <rte_malloc.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/bench/memory.h"
#include "tests/bench/variant.h"
#include "tests/bench/wire.h"

enum { HUGE_PAGE = 2 << 20, BULK = 32, BYTES_PER_ENTRY = 128, HEAP_SPARE = 64 << 20 };

struct textbook {
	char name[16]; /* of the heap */
	void *heap;    /* owned */
	size_t heap_bytes, flow_bytes, subscriber_bytes;
	struct rte_hash *flow_hash, *subscriber_hash;
	struct plain_flow *flows;	      /* owned; by position in flow_hash */
	struct plain_subscriber *subscribers; /* owned; likewise */
};

/* EAL pins its caller; the bench says itself where it runs. */
static int eal_init(void)
{
	static int result = 1; /* not tried */
	char arg[][20] = {"rasad-bench",   "--no-huge", "--no-pci", "--no-shconf", "--no-telemetry",
			  "--log-level=4", "-m",	"32",	    "-l",	   "0"};
	char *argv[sizeof arg / sizeof *arg + 1] = {0};
	cpu_set_t before;
	if (result <= 0)
		return result;
	for (size_t i = 0; i < sizeof arg / sizeof *arg; i++)
		argv[i] = arg[i];
	sched_getaffinity(0, sizeof before, &before);
	snprintf(arg[9], sizeof arg[9], "%d", sched_getcpu());
	result = rte_eal_init(sizeof arg / sizeof *arg, argv) < 0 ? -1 : 0;
	sched_setaffinity(0, sizeof before, &before);
	return result;
}

static int take_heap(struct textbook *t, size_t bytes)
{
	static unsigned number;
	snprintf(t->name, sizeof t->name, "bench%u", number++);
	t->heap_bytes = (bytes + HEAP_SPARE) & ~(size_t)(HUGE_PAGE - 1);
	t->heap = memory_take(t->heap_bytes);
	if (!t->heap || rte_malloc_heap_create(t->name))
		return -1;
	return rte_malloc_heap_memory_add(t->name, t->heap, t->heap_bytes, NULL, 0, HUGE_PAGE);
}

static struct rte_hash *make_hash(const struct textbook *t, const char *what, uint32_t entries,
				  uint32_t key_bytes)
{
	char name[RTE_HASH_NAMESIZE];
	struct rte_hash_parameters parameters = {
		.name = name,
		.entries = entries + entries / 4 + 64,
		.key_len = key_bytes,
		.hash_func = rte_hash_crc,
		.socket_id = rte_malloc_heap_get_socket(t->name),
	};
	snprintf(name, sizeof name, "%s_%s", t->name, what);
	return rte_hash_create(&parameters);
}

static void textbook_close(void *state)
{
	struct textbook *t = state;
	rte_hash_free(t->flow_hash);
	rte_hash_free(t->subscriber_hash);
	memory_free(t->flows, t->flow_bytes);
	memory_free(t->subscribers, t->subscriber_bytes);
	if (t->heap && rte_malloc_heap_memory_remove(t->name, t->heap, t->heap_bytes) == 0)
		rte_malloc_heap_destroy(t->name);
	memory_free(t->heap, t->heap_bytes);
	free(t);
}

static void *textbook_open(const struct setup *setup)
{
	struct textbook *t = eal_init() ? NULL : calloc(1, sizeof *t);
	size_t entries = (size_t)setup->flows + setup->lines;
	if (!t)
		return NULL;
	if (take_heap(t, entries * BYTES_PER_ENTRY) == 0) {
		t->flow_hash = make_hash(t, "flow", setup->flows, 16);
		t->subscriber_hash = make_hash(t, "sub", setup->lines, 4);
	}
	if (t->flow_hash && t->subscriber_hash) {
		t->flow_bytes = (rte_hash_max_key_id(t->flow_hash) + 1u) * sizeof *t->flows;
		t->subscriber_bytes =
			(rte_hash_max_key_id(t->subscriber_hash) + 1u) * sizeof *t->subscribers;
		t->flows = memory_take(t->flow_bytes);
		t->subscribers = memory_take(t->subscriber_bytes);
	}
	if (!t->flows || !t->subscribers) {
		fprintf(stderr, "rasad-bench: textbook: %s\n", rte_strerror(rte_errno));
		return textbook_close(t), NULL;
	}
	return t;
}

static int32_t find_or_add(struct rte_hash *hash, const void *key)
{
	int32_t at = rte_hash_lookup(hash, key);
	return at >= 0 ? at : rte_hash_add_key(hash, key);
}

static bool read_slot(const struct slot *slot, struct plain_packet *p)
{
	fetch_slot(slot + FETCH_AHEAD);
	return plain_decode(slot->frame, slot->caplen, slot->wire_len, wire_ac_mac, p);
}

static void textbook_lap(void *state, const struct slot *slots, uint32_t n, uint64_t start_ns)
{
	struct textbook *t = state;
	for (uint32_t i = 0; i < n; i++) {
		struct plain_packet p;
		int32_t flow, subscriber;
		if (!read_slot(&slots[i], &p))
			continue;
		subscriber = find_or_add(t->subscriber_hash, &p.subscriber_key);
		flow = find_or_add(t->flow_hash, p.flow_key);
		if (flow < 0 || subscriber < 0)
			continue;
		plain_update(&t->flows[flow], &t->subscribers[subscriber], &p,
			     (uint32_t)((start_ns + i * (uint64_t)PACKET_NS) / 1000));
	}
}

static uint32_t bulk_read(const struct slot *slots, uint32_t n, struct plain_packet *p)
{
	uint32_t good = 0;
	for (uint32_t i = 0; i < n; i++)
		good += read_slot(&slots[i], &p[good]);
	return good;
}

static void bulk_find(struct textbook *t, const struct plain_packet *p, uint32_t n, int32_t *flow,
		      int32_t *subscriber)
{
	const void *flow_key[BULK], *subscriber_key[BULK];
	for (uint32_t i = 0; i < n; i++) {
		flow_key[i] = p[i].flow_key;
		subscriber_key[i] = &p[i].subscriber_key;
	}
	rte_hash_lookup_bulk(t->subscriber_hash, subscriber_key, n, subscriber);
	rte_hash_lookup_bulk(t->flow_hash, flow_key, n, flow);
	for (uint32_t i = 0; i < n; i++) {
		if (flow[i] < 0)
			flow[i] = find_or_add(t->flow_hash, flow_key[i]);
		if (subscriber[i] < 0)
			subscriber[i] = find_or_add(t->subscriber_hash, subscriber_key[i]);
		__builtin_prefetch(&t->flows[flow[i] < 0 ? 0 : flow[i]], 1);
		__builtin_prefetch(&t->subscribers[subscriber[i] < 0 ? 0 : subscriber[i]], 1);
	}
}

static void bulk_lap(void *state, const struct slot *slots, uint32_t n, uint64_t start_ns)
{
	struct textbook *t = state;
	struct plain_packet p[BULK];
	int32_t flow[BULK], subscriber[BULK];
	for (uint32_t i = 0; i < n; i += BULK) {
		uint32_t good = bulk_read(&slots[i], n - i < BULK ? n - i : BULK, p);
		bulk_find(t, p, good, flow, subscriber);
		for (uint32_t k = 0; k < good; k++)
			if (flow[k] >= 0 && subscriber[k] >= 0)
				plain_update(&t->flows[flow[k]], &t->subscribers[subscriber[k]],
					     &p[k],
					     (uint32_t)((start_ns + (i + k) * (uint64_t)PACKET_NS) /
							1000));
	}
}

static uint64_t textbook_counted(void *state)
{
	struct textbook *t = state;
	uint64_t sum = 0;
	for (size_t i = 0; i < t->subscriber_bytes / sizeof *t->subscribers; i++)
		sum += t->subscribers[i].packets[0] + t->subscribers[i].packets[1];
	return sum;
}

const struct variant textbook_variant = {
	"textbook", textbook_open, textbook_lap, textbook_close, textbook_counted, true, NULL};
const struct variant bulk_variant = {"bulk",	       textbook_open, bulk_lap, textbook_close,
				     textbook_counted, true,	      NULL};
