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

enum { LAG = 8 }; /* packets that a step is ahead of the next */

enum step_kind { STEP_NO_FLOW, STEP_NEW, STEP_KNOWN };

struct steps {
	struct flow_hint hint[BURST_MAX];
	uint8_t kind[BURST_MAX]; /* enum step_kind */
	bool turns;		 /* a second of packet time may end in this burst */
};

HOT_INLINE bool has_flow(const struct pkt *p)
{
	return p->kind == KIND_TCP || p->kind == KIND_QUIC;
}

/* Hash; the tags of the flow's group are asked for. */
HOT_INLINE void step_tags(struct worker *w, struct steps *s, const struct burst *burst, uint32_t i)
{
	const struct flow_table *flows = &w->flows;
	const struct pkt *p = &burst->pkt[i];
	uint32_t hash;
	s->kind[i] = STEP_NO_FLOW;
	if (!has_flow(p))
		return;
	hash = flow_hash(p->key, flows->seed);
	s->kind[i] = STEP_NEW;
	s->hint[i].hash = hash;
	fetch_line(&flows->groups[flow_home(flows, hash)]);
}

HOT_INLINE void fetch_vlans(const struct worker *w, const struct pkt *p)
{
	const uint32_t *block = p->flags & PKT_TWO_TAGS ? w->meter.lines.vlans[pkt_svlan(p)] : NULL;
	if (block)
		fetch_line(&block[pkt_cvlan(p)]);
}

/* Tags; the record is asked for, and where there is none the place of the new one and the way to
 * the line. */
HOT_INLINE void step_record(struct worker *w, struct steps *s, const struct burst *burst,
			    uint32_t i)
{
	const struct flow_table *flows = &w->flows;
	bool known = false;
	if (s->kind[i] != STEP_NO_FLOW) {
		struct flow_hint *hint = &s->hint[i];
		struct flow *f = flow_guess(flows, hint->hash, flows->simd, &known);
		fetch_two(f);
		hint->flow = known ? f : NULL;
		s->kind[i] = known ? STEP_KNOWN : STEP_NEW;
		if (!known && flow_is_full(flows))
			flow_fetch_victims(flows, hint->hash);
	}
	if (!known)
		fetch_vlans(w, &burst->pkt[i]);
}

HOT_INLINE void fetch_of_line(struct worker *w, const struct pkt *p)
{
	uint32_t line = line_by_vlans(&w->meter.lines, p);
	fetch_line(line_pulse(&w->meter.lines, line));
	fetch_line(&line_at(&w->meter.lines, line)->seen_ipv4);
}

/* Record; the pulse of its line is asked for, and where copies of the packet would be known. */
HOT_INLINE void step_pulse(struct worker *w, struct steps *s, const struct burst *burst, uint32_t i)
{
	const struct pkt *p = &burst->pkt[i];
	struct flow_hint *hint = &s->hint[i];
	const struct flow *f = hint->flow;
	if (s->kind[i] != STEP_KNOWN) {
		fetch_of_line(w, p);
	} else {
		fetch_line(line_pulse(&w->meter.lines, f->line));
		if (f->extra)
			fetch_two(pool_at(&w->meter.extras, f->extra));
	}
	if (p->kind != KIND_TCP)
		return;
	hint->identity = mirror_hash(p, hint->hash);
	fetch_line(mirror_set(&w->meter.mirror, p, hint->identity));
}

/* What the source has found comes first, before time goes on. */
static void tell_news(struct worker *w, const struct burst *burst, uint32_t i)
{
	for (uint32_t n = 0; n < burst->n_news; n++)
		if (burst->news[n].at == i)
			worker_tap(w, &burst->news[n], burst_clock_ns(burst, i));
}

/* A second may end here; and packets are counted one by one, else they are all at once. */
static void turn(struct worker *w, const struct burst *burst, uint32_t i)
{
	if (burst->n_news)
		tell_news(w, burst, i);
	w->tap = w->source_tap + (w->many_taps ? 1 + burst->extra[i].tap : 0);
	if (w->clock_ns - w->window.second_ns >= SECOND_NS)
		window_advance(w, w->clock_ns);
	w->window.packets++;
}

HOT_INLINE void step_work(struct worker *w, struct steps *s, const struct burst *burst, uint32_t i)
{
	const struct pkt *p = &burst->pkt[i];
	const struct pkt_extra *x = &burst->extra[i];
	worker_place(w, burst, i);
	if (s->turns)
		turn(w, burst, i);
	if (s->kind[i] != STEP_NO_FLOW)
		worker_flow_packet(w, p, x, &s->hint[i]);
	else if (pkt_is_control(p))
		worker_control_packet(w, p, x, burst->frame[i]);
	else
		worker_other_packet(w, p, x);
}

void worker_burst(struct worker *w, const struct burst *burst)
{
	struct steps s;
	uint32_t n = burst->n;
	window_slice(w, WINDOW_SLICE);
	s.turns = burst->odd || burst->last_clock_ns - w->window.second_ns >= SECOND_NS;
	for (uint32_t at = 0; at < n + 3 * LAG; at++) {
		if (at < n)
			step_tags(w, &s, burst, at);
		if (at - LAG < n)
			step_record(w, &s, burst, at - LAG);
		if (at - 2 * LAG < n)
			step_pulse(w, &s, burst, at - 2 * LAG);
		if (at - 3 * LAG < n)
			step_work(w, &s, burst, at - 3 * LAG);
	}
	if (!s.turns)
		w->window.packets += n;
	worker_after_burst(w);
}
