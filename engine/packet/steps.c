/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A burst in steps that each touch one kind of memory: tags, record, pulse, work. Each step runs a
 * block of packets behind the one before it, so that what it touches was asked for in time and the
 * memory is busy while the CPU works; and each is a loop of its own, so that the compiler keeps
 * what it needs in registers.
 *
 * A block is four packets. A core has some two dozen lines on their way at a time, so what a larger
 * block asks for at once has to wait, while nothing is asked for during its work. Each burst fills and
 * empties the steps, in which the memory is idle: so bursts are long.
 *
 * What a packet is, no CPU can predict. The steps before the work do not ask: they look for a flow
 * of every packet, also of the few that have none, and ask for memory that these will not need.
 */
#include "engine/base/fetch.h"
#include "engine/base/hot.h"
#include "engine/packet/worker.h"

enum { BLOCK = 4 };
_Static_assert(BURST_MAX % BLOCK == 0, "the last block is full, too");

struct steps {
	struct flow_hint hint[BURST_MAX];
};

/* Hash; the tags of the flow's group are asked for. */
HOT_INLINE void step_tags(const struct flow_table *flows, struct flow_hint *hint,
			  const struct pkt *p)
{
	hint->hash = flow_hash(p->key, flows->seed);
	hint->home = flow_home(flows, hint->hash);
	fetch_line(&flows->groups[hint->home]);
}

/* The way to the line. */
HOT_INLINE void fetch_vlans(const struct worker *w, const struct pkt *p)
{
	const uint32_t *block = p->flags & PKT_TWO_TAGS ? w->meter.lines.vlans[pkt_svlan(p)] : NULL;
	if (block)
		fetch_line(&block[pkt_cvlan(p)]);
}

/* No such tag: the place of a new flow is asked for, and where those live who found their group full. */
HOT_INLINE void fetch_place(const struct worker *w, const struct flow_hint *hint,
			    const struct pkt *p, bool simd)
{
	const struct flow_table *t = &w->flows;
	if (t->groups[hint->home].overflow)
		fetch_line(&t->groups[flow_next_group(t, hint->home)]);
	fetch_two(flow_new_guess(t, hint->home, hint->hash, simd));
	fetch_vlans(w, p);
}

/* Tags; the record is asked for. */
HOT_INLINE void step_record(const struct worker *w, struct flow_hint *hint, const struct pkt *p,
			    bool simd)
{
	hint->flow = flow_guess(&w->flows, hint->home, hint->hash, simd);
	if (__builtin_expect(hint->flow != NULL, 1))
		fetch_two(hint->flow);
	else
		fetch_place(w, hint, p, simd);
}

/* Not at home: perhaps next door. */
HOT_INLINE void fetch_neighbour(const struct worker *w, struct flow_hint *hint, bool simd)
{
	const struct flow_table *t = &w->flows;
	if (!t->groups[hint->home].overflow)
		return;
	hint->flow = flow_guess(t, flow_next_group(t, hint->home), hint->hash, simd);
	if (hint->flow)
		fetch_two(hint->flow);
}

HOT_INLINE void fetch_of_line(const struct worker *w, const struct pkt *p)
{
	uint32_t line = line_by_vlans(&w->meter.lines, p);
	fetch_line(line_pulse(&w->meter.lines, line));
	fetch_line(line_at(&w->meter.lines, line));
}

/* Record; the pulse of its line is asked for, and what it has beside it. */
HOT_INLINE void step_pulse(const struct worker *w, struct flow_hint *hint, const struct pkt *p,
			   bool simd)
{
	const struct flow *f = hint->flow;
	const uint8_t *extra;
	if (__builtin_expect(!f, 0)) {
		fetch_neighbour(w, hint, simd);
		fetch_of_line(w, p);
		return;
	}
	fetch_line(line_pulse(&w->meter.lines, f->line));
	extra = pool_at(&w->meter.extras, f->extra);
	fetch_two(f->extra ? extra : (const uint8_t *)f);
}

/* A block begins there, and not behind the burst or, counted round 0, before it. The last one is
 * full, too: packets that are not there were some once, and nothing is done but to ask for memory. */
static inline bool is_block(uint32_t at, uint32_t n)
{
	return at < n;
}

HOT_INLINE void block_tags(const struct worker *w, struct steps *s, const struct burst *burst,
			   uint32_t at)
{
	for (uint32_t i = at; i < at + BLOCK; i++)
		step_tags(&w->flows, &s->hint[i], &burst->pkt[i]);
}

HOT_INLINE void block_records(const struct worker *w, struct steps *s, const struct burst *burst,
			      uint32_t at)
{
	if (w->flows.simd)
		for (uint32_t i = at; i < at + BLOCK; i++)
			step_record(w, &s->hint[i], &burst->pkt[i], true);
	else
		for (uint32_t i = at; i < at + BLOCK; i++)
			step_record(w, &s->hint[i], &burst->pkt[i], false);
}

HOT_INLINE void block_pulses(const struct worker *w, struct steps *s, const struct burst *burst,
			     uint32_t at)
{
	for (uint32_t i = at; i < at + BLOCK; i++)
		step_pulse(w, &s->hint[i], &burst->pkt[i], w->flows.simd);
}

/* Of a window that is over at least as many lines are closed as packets come. */
static inline void slice_between(struct worker *w, uint32_t at)
{
	if (at % WINDOW_SLICE == 0 && at && w->window.closing_end_ns)
		window_slice(w, WINDOW_SLICE);
}

static void work(struct worker *w, struct burst *burst)
{
	struct steps s;
	uint32_t n = burst->n;
	bool turns = burst->odd || burst->last_clock_ns - w->window.second_ns >= SECOND_NS;
	w->burst = burst;
	for (uint32_t at = 0; at < n + 3 * BLOCK; at += BLOCK) {
		uint32_t record = at - BLOCK, pulse = at - 2 * BLOCK, last = at - 3 * BLOCK;
		if (is_block(at, n))
			block_tags(w, &s, burst, at);
		if (is_block(record, n))
			block_records(w, &s, burst, record);
		if (is_block(pulse, n))
			block_pulses(w, &s, burst, pulse);
		if (is_block(last, n)) {
			slice_between(w, last);
			worker_packets(w, burst, s.hint, last, n - last < BLOCK ? n : last + BLOCK,
				       turns);
		}
	}
	w->order = worker_order(w);
	w->clock_ns = worker_clock_ns(w);
	w->burst = NULL;
	if (!turns)
		w->window.packets += n;
}

void worker_burst(struct worker *w, struct burst *burst)
{
	window_slice(w, WINDOW_SLICE);
	if (burst->n)
		work(w, burst);
	worker_after_burst(w);
}
