/* SPDX-License-Identifier: BSD-3-Clause */
#include "engine/handover.h"

#include <errno.h>
#include <string.h>

#include "engine/base/mem.h"

static const size_t room = HANDOVER_PARCELS * sizeof(struct parcel);

int handover_init(struct handover *h)
{
	memset(h, 0, sizeof *h);
	h->parcels = mem_reserve(room);
	return h->parcels ? 0 : -ENOMEM;
}

void handover_fini(struct handover *h)
{
	mem_release(h->parcels, room);
	memset(h, 0, sizeof *h);
}

static struct parcel *parcel_at(const struct handover *h, uint32_t number)
{
	return &h->parcels[number % HANDOVER_PARCELS];
}

struct parcel *handover_open(struct handover *h)
{
	uint32_t head = atomic_load_explicit(&h->head, memory_order_relaxed);
	uint32_t tail = atomic_load_explicit(&h->tail, memory_order_acquire);
	return head - tail < HANDOVER_PARCELS ? parcel_at(h, head) : NULL;
}

/* The bytes up to the end of the control message. */
static bool keep_bytes(struct parcel *parcel, uint32_t at, struct burst *burst, uint32_t i)
{
	uint32_t n;
	if (!pkt_is_control(&burst->pkt[i]))
		return true;
	n = burst->pkt[i].l4_off + (uint32_t)burst_extra(burst, i)->payload_caplen;
	if (n > HANDOVER_BYTES - parcel->n_bytes)
		return false;
	parcel->burst.frame[at] = memcpy(parcel->bytes + parcel->n_bytes, burst->frame[i], n);
	parcel->n_bytes += n;
	return true;
}

/* What is told before packet `i`. */
static void keep_news(struct burst *to, uint32_t at, const struct burst *burst, uint32_t i)
{
	for (uint32_t n = 0; n < burst->n_news; n++) {
		if (burst->news[n].at != i)
			continue;
		to->news[to->n_news] = burst->news[n];
		to->news[to->n_news++].at = (uint8_t)at;
	}
}

bool handover_put(struct parcel *parcel, struct burst *burst, uint32_t i)
{
	struct burst *to = &parcel->burst;
	uint32_t at = to->n;
	if (at == BURST_MAX || to->n_news + burst->n_news > BURST_NEWS ||
	    !keep_bytes(parcel, at, burst, i))
		return false;
	to->pkt[at] = burst->pkt[i];
	to->extra[at] = *burst_extra(burst, i);
	to->clock_ns[at] = to->last_clock_ns = burst_clock_ns(burst, i);
	to->order[at] = burst_order(burst, i);
	to->odd = true;
	to->n++;
	keep_news(to, at, burst, i);
	return true;
}

void handover_close(struct handover *h, uint64_t order, uint64_t clock_ns, bool last)
{
	uint32_t head = atomic_load_explicit(&h->head, memory_order_relaxed);
	struct parcel *parcel = parcel_at(h, head);
	parcel->order = order;
	parcel->clock_ns = clock_ns;
	parcel->last = last;
	atomic_store_explicit(&h->head, head + 1, memory_order_release);
}

struct parcel *handover_peek(struct handover *h)
{
	uint32_t tail = atomic_load_explicit(&h->tail, memory_order_relaxed);
	uint32_t head = atomic_load_explicit(&h->head, memory_order_acquire);
	return head != tail ? parcel_at(h, tail) : NULL;
}

void handover_done(struct handover *h)
{
	uint32_t tail = atomic_load_explicit(&h->tail, memory_order_relaxed);
	struct parcel *parcel = parcel_at(h, tail);
	parcel->burst.n = parcel->burst.n_news = parcel->n_bytes = 0;
	parcel->last = false;
	atomic_store_explicit(&h->tail, tail + 1, memory_order_release);
}
