/* SPDX-License-Identifier: BSD-3-Clause */
#include "engine/packet/rtt.h"

#include <stddef.h>

#include "engine/packet/meter.h"
#include "engine/packet/seq.h"

static struct seg_chunk *chunk_at(const struct meter *m, uint32_t index)
{
	return pool_at(&m->segs, index);
}

static void drop_head(struct meter *m, struct flow_dir *d)
{
	uint32_t index = d->segs_head, next = chunk_at(m, index)->next;
	pool_give(&m->segs, index);
	d->segs_head = next;
	d->n_chunks--;
	if (next)
		chunk_at(m, next)->prev = 0;
	else
		d->segs_tail = 0;
}

void rtt_forget(struct meter *m, struct flow_dir *d)
{
	while (d->segs_head)
		drop_head(m, d);
	d->valid_from = d->nxt;
}

/* A chunk with room at the tail, or NULL. A direction that nobody acknowledges on this tap keeps
 * one chunk; it will never be sampled. */
static struct seg_chunk *room(struct meter *m, struct flow_dir *d)
{
	struct seg_chunk *tail = d->segs_tail ? chunk_at(m, d->segs_tail) : NULL;
	struct seg_chunk *fresh;
	uint32_t index;
	if (tail && tail->first + tail->n < SEGS_PER_CHUNK)
		return tail;
	if (tail && !(d->flags & DIR_ACKED) && d->n_chunks >= 4)
		rtt_forget(m, d);
	if (d->n_chunks >= METER_MAX_SEG_CHUNKS) {
		m->segments_refused++;
		return NULL;
	}
	index = pool_take(&m->segs);
	if (!index)
		return NULL;
	fresh = chunk_at(m, index);
	fresh->prev = d->segs_tail;
	fresh->next = 0;
	fresh->first = fresh->n = 0;
	if (d->segs_tail)
		chunk_at(m, d->segs_tail)->next = index;
	else
		d->segs_head = index;
	d->segs_tail = index;
	d->n_chunks++;
	return fresh;
}

void rtt_sent(struct meter *m, struct flow *f, int dir, const struct seg *seg)
{
	struct flow_dir *d = &f->dir[dir];
	struct seg_chunk *c = room(m, d);
	if (c)
		c->seg[c->first + c->n++] = *seg;
	else
		d->valid_from = seg->end; /* unremembered: an older segment must not stand in */
}

/* The chunk that holds the first segment ending behind `seq`; 0: none. */
static uint32_t chunk_of(const struct meter *m, const struct flow_dir *d, uint32_t seq)
{
	uint32_t i = d->segs_head;
	while (i) {
		const struct seg_chunk *c = chunk_at(m, i);
		if (c->n && seq_gt(c->seg[c->first + c->n - 1].end, seq))
			break;
		i = c->next;
	}
	return i;
}

struct seg *rtt_find(const struct meter *m, const struct flow_dir *d, uint32_t seq)
{
	uint32_t i = chunk_of(m, d, seq);
	struct seg_chunk *c = i ? chunk_at(m, i) : NULL;
	for (uint32_t k = c ? c->first : 0; c && k < (uint32_t)c->first + c->n; k++)
		if (seq_gt(c->seg[k].end, seq))
			return seq_le(c->seg[k].start, seq) ? &c->seg[k] : NULL;
	return NULL;
}

void rtt_resent(struct meter *m, struct flow_dir *d, uint32_t start, uint32_t end)
{
	for (uint32_t i = chunk_of(m, d, start); i; i = chunk_at(m, i)->next) {
		struct seg_chunk *c = chunk_at(m, i);
		for (uint32_t k = c->first; k < (uint32_t)c->first + c->n; k++) {
			if (seq_ge(c->seg[k].start, end))
				return;
			if (seq_gt(c->seg[k].end, start))
				c->seg[k].flags |= SEG_RESENT;
		}
	}
}

void rtt_taint(struct meter *m, struct flow *f, int dir, uint32_t start, uint32_t end)
{
	struct flow_dir *d = &f->dir[dir];
	struct flow_dir_rare *rare = meter_rare(m, f, dir);
	bool none = seq_ge(d->una, d->valid_from);
	if (rare && (none || seq_lt(start, rare->tainted_from)))
		rare->tainted_from = start;
	if (seq_gt(end, d->valid_from))
		d->valid_from = end;
}

static bool is_untainted(struct meter *m, const struct flow *f, int dir, uint32_t ack)
{
	const struct flow_dir *d = &f->dir[dir];
	const struct flow_dir_rare *rare;
	if (seq_ge(d->una, d->valid_from))
		return true;
	rare = f->rare[dir] ? pool_at(&m->rares, f->rare[dir]) : NULL;
	return rare && seq_le(ack, rare->tainted_from);
}

/* An ACK into the middle of a super-segment: the capture joined packets that the wire had apart,
 * and the first such ACK answers the first of them. */
static void sample_partial(struct meter *m, struct flow *f, int dir, struct seg *s, uint32_t tick)
{
	struct flow_dir *d = &f->dir[dir];
	if (s->flags & (SEG_RESENT | SEG_SAMPLED) || meter_segments(d, s->end - s->start) < 2)
		return;
	s->flags |= SEG_SAMPLED;
	meter_sample(m, f, dir, s->tick, tick, SAMPLE_PROMPT);
}

/* A second full segment is acknowledged at once (RFC 1122 4.2.3.2), but some receivers let more
 * gather: less than two thirds of what this one usually takes may have waited for the timer. */
static bool fills_stride(struct flow_dir *d, uint32_t covered)
{
	uint32_t units = covered / 64 < 0xffff ? covered / 64 : 0xffff, usual = d->stride;
	d->stride = (uint16_t)(units > usual ? units : usual - (usual - units) / 16);
	return covered > meter_mss(d) && units * 3 >= usual * 2;
}

void rtt_acked(struct meter *m, struct flow *f, int dir, uint32_t ack, uint32_t tick,
	       enum ack_reason reason, bool clean)
{
	struct flow_dir *d = &f->dir[dir];
	struct seg last = {.flags = SEG_RESENT};
	uint32_t covered = ack - d->una, n = 0;
	enum sample_class class;
	bool valid = clean && is_untainted(m, f, dir, ack);
	while (d->segs_head) {
		struct seg_chunk *c = chunk_at(m, d->segs_head);
		while (c->n && seq_le(c->seg[c->first].end, ack)) {
			last = c->seg[c->first++];
			c->n--;
			n++;
		}
		if (c->n) {
			if (valid && seq_lt(c->seg[c->first].start, ack))
				sample_partial(m, f, dir, &c->seg[c->first], tick);
			break;
		}
		drop_head(m, d);
	}
	d->una = ack;
	if (seq_gt(ack, d->valid_from)) /* marks behind the ACK follow it, or they would wrap */
		d->valid_from = ack;
	if (seq_gt(ack, d->sack_hi))
		d->sack_hi = ack;
	if (!valid || n == 0 || last.flags & (SEG_RESENT | SEG_SAMPLED))
		return;
	class = last.flags & SEG_SYN || reason == ACK_OPENS || fills_stride(d, covered)
			? SAMPLE_PROMPT
		: reason == ACK_RIDES ? SAMPLE_RIDING
				      : SAMPLE_SINGLE;
	meter_sample(m, f, dir, last.tick, tick, class);
}

/* From the right: a growing block adds a segment or two, and what lies left of them was marked
 * by the ACK before. */
void rtt_sacked(struct meter *m, struct flow *f, int dir, uint32_t left, uint32_t right,
		uint32_t tick, bool duplicate_ack)
{
	struct flow_dir *d = &f->dir[dir];
	bool new_edge = seq_gt(right, d->sack_hi);
	for (uint32_t i = d->segs_tail; i; i = chunk_at(m, i)->prev) {
		struct seg_chunk *c = chunk_at(m, i);
		if (c->n && seq_ge(c->seg[c->first].start, right))
			continue;
		for (uint32_t k = (uint32_t)c->first + c->n; k-- > c->first;) {
			struct seg *s = &c->seg[k];
			if (seq_gt(s->end, right))
				continue;
			if (seq_lt(s->start, left) || s->flags & SEG_SACKED)
				goto done;
			s->flags |= SEG_SACKED;
			if (new_edge && duplicate_ack && s->end == right &&
			    !(s->flags & SEG_RESENT))
				meter_sample(m, f, dir, s->tick, tick, SAMPLE_PROMPT);
		}
	}
done:
	if (new_edge)
		d->sack_hi = right;
}
