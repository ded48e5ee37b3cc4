/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A burst in steps that each touch one kind of memory: tags, record, pulse, work. Each step runs a
 * block of packets behind the one before it, so that what it touches was asked for in time and the
 * memory is busy while the CPU works; and each is a loop of its own, so that the compiler keeps
 * what it needs in registers.
 */
#include "engine/base/fetch.h"
#include "engine/base/hot.h"
#include "engine/packet/mirror.h"
#include "engine/packet/worker.h"

enum { BLOCK = 16 };

enum step_kind { STEP_NO_FLOW, STEP_NEW, STEP_KNOWN };

struct steps {
	struct flow_hint hint[BURST_MAX];
	uint8_t kind[BURST_MAX]; /* enum step_kind */
	bool turns;		 /* a second of packet time may end in this burst */
};

/* Packets of a burst, and where they have got to. */
struct block {
	const struct burst *burst;
	struct steps *steps;
	uint32_t from, to;
};

HOT_INLINE bool has_flow(const struct pkt *p)
{
	return p->kind == KIND_TCP || p->kind == KIND_QUIC;
}

/* Hash; the tags of the flow's group are asked for. */
static __attribute__((noinline)) void step_tags(struct worker *w, struct block b)
{
	const struct flow_table *flows = &w->flows;
	for (uint32_t i = b.from; i < b.to; i++) {
		const struct pkt *p = &b.burst->pkt[i];
		uint32_t hash;
		b.steps->kind[i] = STEP_NO_FLOW;
		if (!has_flow(p))
			continue;
		hash = flow_hash(p->key, flows->seed);
		b.steps->kind[i] = STEP_NEW;
		b.steps->hint[i].hash = hash;
		fetch_line(&flows->groups[flow_home(flows, hash)]);
	}
}

HOT_INLINE void fetch_vlans(const struct worker *w, const struct pkt *p)
{
	const uint32_t *block = p->flags & PKT_TWO_TAGS ? w->meter.lines.vlans[pkt_svlan(p)] : NULL;
	if (block)
		fetch_line(&block[pkt_cvlan(p)]);
}

/* Tags; the record is asked for, and where there is none the place of the new one and the way to
 * the line. */
HOT_INLINE void find_records(struct worker *w, struct block b, bool simd)
{
	const struct flow_table *flows = &w->flows;
	for (uint32_t i = b.from; i < b.to; i++) {
		bool known = false;
		if (b.steps->kind[i] != STEP_NO_FLOW) {
			struct flow_hint *hint = &b.steps->hint[i];
			struct flow *f = flow_guess(flows, hint->hash, simd, &known);
			fetch_two(f);
			hint->flow = known ? f : NULL;
			b.steps->kind[i] = known ? STEP_KNOWN : STEP_NEW;
		}
		if (!known)
			fetch_vlans(w, &b.burst->pkt[i]);
	}
}

static __attribute__((noinline)) void step_record(struct worker *w, struct block b)
{
	if (w->flows.simd)
		find_records(w, b, true);
	else
		find_records(w, b, false);
}

HOT_INLINE void fetch_of_line(struct worker *w, const struct pkt *p)
{
	uint32_t line = line_by_vlans(&w->meter.lines, p);
	fetch_line(line_pulse(&w->meter.lines, line));
	fetch_line(&line_at(&w->meter.lines, line)->seen_ipv4);
}

/* Record; the pulse of its line is asked for, and where copies of the packet would be known. */
static __attribute__((noinline)) void step_pulse(struct worker *w, struct block b)
{
	for (uint32_t i = b.from; i < b.to; i++) {
		const struct pkt *p = &b.burst->pkt[i];
		struct flow_hint *hint = &b.steps->hint[i];
		const struct flow *f = hint->flow;
		if (b.steps->kind[i] != STEP_KNOWN) {
			fetch_of_line(w, p);
		} else {
			fetch_line(line_pulse(&w->meter.lines, f->line));
			if (f->extra)
				fetch_two(pool_at(&w->meter.extras, f->extra));
		}
		if (p->kind != KIND_TCP)
			continue;
		hint->identity = mirror_hash(p, hint->hash);
		fetch_line(mirror_set(&w->meter.mirror, p, hint->identity));
	}
}

/* A second may end here; and packets are counted one by one, else they are all at once. */
static void turn(struct worker *w)
{
	if (w->clock_ns - w->window.second_ns >= SECOND_NS)
		window_advance(w, w->clock_ns);
	w->window.packets++;
}

static __attribute__((noinline)) void step_work(struct worker *w, struct block b)
{
	for (uint32_t i = b.from; i < b.to; i++) {
		const struct pkt *p = &b.burst->pkt[i];
		const struct pkt_extra *x = &b.burst->extra[i];
		worker_place(w, b.burst, i);
		if (b.steps->turns)
			turn(w);
		if (b.steps->kind[i] != STEP_NO_FLOW)
			worker_flow_packet(w, p, x, &b.steps->hint[i]);
		else if (pkt_is_control(p))
			worker_control_packet(w, p, x, b.burst->frame[i]);
		else
			worker_other_packet(w, p, x);
	}
}

HOT_INLINE void take(void (*step)(struct worker *, struct block), struct worker *w, struct block b,
		     uint32_t at, uint32_t lag)
{
	if (at < lag)
		return;
	b.from = (at - lag) * BLOCK;
	b.to = b.from + BLOCK < b.burst->n ? b.from + BLOCK : b.burst->n;
	if (b.from < b.to)
		step(w, b);
}

void worker_burst(struct worker *w, const struct burst *burst)
{
	struct steps steps;
	struct block b = {.burst = burst, .steps = &steps};
	steps.turns = burst->odd || burst->last_clock_ns - w->window.second_ns >= SECOND_NS;
	for (uint32_t at = 0; at * BLOCK < burst->n + 3 * BLOCK; at++) {
		take(step_tags, w, b, at, 0);
		take(step_record, w, b, at, 1);
		take(step_pulse, w, b, at, 2);
		take(step_work, w, b, at, 3);
	}
	if (!steps.turns)
		w->window.packets += burst->n;
	worker_after_burst(w);
}
