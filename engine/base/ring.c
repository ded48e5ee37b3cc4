/* SPDX-License-Identifier: BSD-3-Clause */
#include "engine/base/ring.h"

#include <errno.h>
#include <string.h>

#include "engine/base/mem.h"

/* Before each record: its size with this header. The top bit: nothing, skip to the start. */
enum { HEADER = 8 };
#define SKIP (1ull << 63)

int ring_init(struct ring *r, size_t size)
{
	memset(r, 0, sizeof *r);
	r->bytes = mem_reserve(size);
	r->size = size;
	return r->bytes ? 0 : -ENOMEM;
}

void ring_fini(struct ring *r)
{
	mem_release(r->bytes, r->size);
	memset(r, 0, sizeof *r);
}

static void write_header(struct ring *r, size_t at, uint64_t value)
{
	memcpy(r->bytes + (at & (r->size - 1)), &value, HEADER);
}

static uint64_t read_header(const struct ring *r, size_t at)
{
	uint64_t value;
	memcpy(&value, r->bytes + (at & (r->size - 1)), HEADER);
	return value;
}

static int has_room(struct ring *r, size_t head, size_t need)
{
	if (head + need - r->known_tail <= r->size)
		return 1;
	r->known_tail = atomic_load_explicit(&r->tail, memory_order_acquire);
	return head + need - r->known_tail <= r->size;
}

void *ring_reserve(struct ring *r, size_t size)
{
	size_t need = HEADER + ((size + 7) & ~(size_t)7);
	size_t head = atomic_load_explicit(&r->head, memory_order_relaxed);
	size_t to_end = r->size - (head & (r->size - 1));
	if (need > r->size / 4 || !has_room(r, head, need <= to_end ? need : to_end + need))
		return NULL;
	if (need > to_end) {
		write_header(r, head, SKIP | to_end);
		head += to_end;
		atomic_store_explicit(&r->head, head, memory_order_release);
	}
	write_header(r, head, need);
	r->reserved = need;
	return r->bytes + (head & (r->size - 1)) + HEADER;
}

void ring_commit(struct ring *r)
{
	size_t head = atomic_load_explicit(&r->head, memory_order_relaxed);
	atomic_store_explicit(&r->head, head + r->reserved, memory_order_release);
}

static int is_empty(struct ring *r, size_t tail)
{
	if (tail != r->known_head)
		return 0;
	r->known_head = atomic_load_explicit(&r->head, memory_order_acquire);
	return tail == r->known_head;
}

const void *ring_peek(struct ring *r)
{
	size_t tail = atomic_load_explicit(&r->tail, memory_order_relaxed);
	uint64_t header;
	if (is_empty(r, tail))
		return NULL;
	header = read_header(r, tail);
	if (header & SKIP) {
		tail += (size_t)(header & ~SKIP);
		atomic_store_explicit(&r->tail, tail, memory_order_release);
		if (is_empty(r, tail))
			return NULL;
	}
	return r->bytes + (tail & (r->size - 1)) + HEADER;
}

uint32_t ring_peek_all(struct ring *r, const void **records, uint32_t most)
{
	size_t at = atomic_load_explicit(&r->tail, memory_order_relaxed);
	uint32_t n = 0;
	while (n < most && !is_empty(r, at)) {
		uint64_t header = read_header(r, at);
		if (!(header & SKIP))
			records[n++] = r->bytes + (at & (r->size - 1)) + HEADER;
		at += (size_t)(header & ~SKIP);
	}
	r->peeked = at;
	return n;
}

void ring_release_all(struct ring *r)
{
	atomic_store_explicit(&r->tail, r->peeked, memory_order_release);
}

void ring_release(struct ring *r)
{
	size_t tail = atomic_load_explicit(&r->tail, memory_order_relaxed);
	atomic_store_explicit(&r->tail, tail + (size_t)read_header(r, tail), memory_order_release);
}
