/* SPDX-License-Identifier: BSD-3-Clause */
#include "engine/packet/rtt.h"

#include <stddef.h>

#include "engine/packet/meter.h"
#include "engine/packet/mini.h"
#include "engine/packet/seq.h"

enum { UNANSWERED_CHUNKS = 4 };

static struct seg_chunk *chunk_at(const struct meter *m, uint32_t index)
{
	return pool_at(&m->segs, index);
}

static void drop_head(struct meter *m, struct dir_extra *e)
{
	uint32_t index = e->segs_head, next = chunk_at(m, index)->next;
	pool_give(&m->segs, index);
	e->segs_head = next;
	e->n_chunks--;
	if (next)
		chunk_at(m, next)->prev = 0;
	else
		e->segs_tail = 0;
}

static void forget_inline(struct flow_dir *d)
{
	d->newest_len = d->older_ago = 0;
	d->is_syn = 0;
}

void rtt_forget(struct meter *m, struct flow *f, int dir)
{
	struct dir_extra *e = extra_dir(m, f, dir);
	forget_inline(&f->dir[dir]);
	if (!e)
		return;
	while (e->segs_head)
		drop_head(m, e);
	e->valid_from = f->dir[dir].nxt;
}

/* A chunk with room at the tail, or NULL. */
static struct seg_chunk *room(struct meter *m, struct dir_extra *e)
{
	struct seg_chunk *tail = e->segs_tail ? chunk_at(m, e->segs_tail) : NULL;
	struct seg_chunk *fresh;
	uint32_t index;
	if (tail && tail->first + tail->n < SEGS_PER_CHUNK)
		return tail;
	if (e->n_chunks >= METER_MAX_SEG_CHUNKS) {
		m->segments_refused++;
		return NULL;
	}
	index = pool_take(&m->segs);
	if (!index)
		return NULL;
	fresh = chunk_at(m, index);
	fresh->prev = e->segs_tail;
	fresh->next = 0;
	fresh->first = fresh->n = 0;
	if (e->segs_tail)
		chunk_at(m, e->segs_tail)->next = index;
	else
		e->segs_head = index;
	e->segs_tail = index;
	e->n_chunks++;
	return fresh;
}

static void append(struct meter *m, struct dir_extra *e, const struct seg *seg)
{
	struct seg_chunk *c = room(m, e);
	if (c)
		c->seg[c->first + c->n++] = *seg;
	else
		e->valid_from = seg->end; /* unremembered: an older segment must not stand in */
}

/* What is kept in the flow's record, as segments, oldest first. */
static uint32_t inline_segs(const struct flow_dir *d, struct seg segs[2])
{
	uint32_t n = 0, start = d->nxt - d->newest_len;
	if (!d->newest_len)
		return 0;
	if (d->older_ago)
		segs[n++] = (struct seg){d->una, start, d->last_tick - mini_value(d->older_ago), 0};
	segs[n++] = (struct seg){start, d->nxt, d->last_tick, d->is_syn ? SEG_SYN : 0};
	return n;
}

/* From the flow's record to chunks; NULL when the pools refuse, and all is forgotten. */
static struct dir_extra *spill(struct meter *m, struct flow *f, int dir)
{
	struct flow_dir *d = &f->dir[dir];
	struct dir_extra *e = extra_need(m, f, dir);
	struct seg segs[2];
	uint32_t n = inline_segs(d, segs);
	forget_inline(d);
	for (uint32_t i = 0; e && i < n; i++)
		append(m, e, &segs[i]);
	return e;
}

/* The segment joins what is kept in the record; false when it does not fit there. */
static bool keep_inline(struct flow_dir *d, const struct seg *seg)
{
	uint32_t len = seg->end - seg->start;
	uint16_t ago = mini_of(seg->tick - d->last_tick);
	if (seg->flags & SEG_RESENT) { /* untimed, and an ACK of it times nothing before it */
		forget_inline(d);
		return true;
	}
	if (len > UINT16_MAX)
		return false;
	if (d->newest_len && d->stride != RTT_UNANSWERED) {
		if (d->older_ago || seg->start != d->nxt || d->nxt - d->newest_len != d->una ||
		    (int32_t)(seg->tick - d->last_tick) < 0)
			return false;
		d->older_ago = ago ? ago : 1;
	} else {
		d->older_ago = 0;
	}
	d->newest_len = (uint16_t)len;
	d->is_syn = seg->flags & SEG_SYN ? 1 : 0;
	return true;
}

/* Who has sent that much without one ACK has none on this tap: the newest segment is enough. */
static bool is_unanswered(const struct flow_dir *d, const struct dir_extra *e)
{
	return !(d->flags & DIR_ACKED) && e && e->n_chunks >= UNANSWERED_CHUNKS;
}

void rtt_sent(struct meter *m, struct flow *f, int dir, const struct seg *seg)
{
	struct dir_extra *e = extra_dir(m, f, dir);
	if (is_unanswered(&f->dir[dir], e)) {
		rtt_forget(m, f, dir);
		f->dir[dir].stride = RTT_UNANSWERED;
	}
	if (!(e && e->segs_head)) {
		if (keep_inline(&f->dir[dir], seg))
			return;
		e = spill(m, f, dir);
	}
	if (e)
		append(m, e, seg);
}

/* The chunk that holds the first segment ending behind `seq`; 0: none. */
static uint32_t chunk_of(const struct meter *m, const struct dir_extra *e, uint32_t seq)
{
	uint32_t i = e->segs_head;
	while (i) {
		const struct seg_chunk *c = chunk_at(m, i);
		if (c->n && seq_gt(c->seg[c->first + c->n - 1].end, seq))
			break;
		i = c->next;
	}
	return i;
}

bool rtt_is_sacked(const struct meter *m, const struct flow *f, int dir, uint32_t seq, uint32_t end)
{
	const struct dir_extra *e = extra_dir(m, f, dir);
	uint32_t i = e ? chunk_of(m, e, seq) : 0;
	const struct seg_chunk *c = i ? chunk_at(m, i) : NULL;
	for (uint32_t k = c ? c->first : 0; c && k < (uint32_t)c->first + c->n; k++)
		if (seq_gt(c->seg[k].end, seq))
			return seq_le(c->seg[k].start, seq) && c->seg[k].flags & SEG_SACKED &&
			       seq_le(end, c->seg[k].end);
	return false;
}

/* In the record a segment that cannot be timed is not kept. */
static void inline_resent(struct meter *m, struct flow *f, int dir, uint32_t start, uint32_t end)
{
	struct flow_dir *d = &f->dir[dir];
	uint32_t newest = d->nxt - d->newest_len;
	if (!d->newest_len || seq_ge(start, d->nxt) || seq_le(end, d->una))
		return;
	if (d->older_ago)
		spill(m, f, dir);
	else if (seq_gt(end, newest))
		forget_inline(d);
}

void rtt_resent(struct meter *m, struct flow *f, int dir, uint32_t start, uint32_t end)
{
	const struct dir_extra *e;
	inline_resent(m, f, dir, start, end);
	e = extra_dir(m, f, dir);
	for (uint32_t i = e ? chunk_of(m, e, start) : 0; i; i = chunk_at(m, i)->next) {
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
	struct dir_extra *e = extra_need(m, f, dir);
	if (!e) {
		forget_inline(d);
		return;
	}
	if (seq_ge(d->una, e->valid_from) || seq_lt(start, e->tainted_from))
		e->tainted_from = start;
	if (seq_gt(end, e->valid_from))
		e->valid_from = end;
}

static bool is_untainted(const struct flow_dir *d, const struct dir_extra *e, uint32_t ack)
{
	return !e || seq_ge(d->una, e->valid_from) || seq_le(ack, e->tainted_from);
}

/* An ACK into the middle of a super-segment: the capture joined packets that the wire had apart,
 * and the first such ACK answers the first of them. True when it was timed. */
static bool sample_partial(struct meter *m, struct flow *f, int dir, const struct seg *s,
			   uint32_t tick)
{
	if (s->flags & (SEG_RESENT | SEG_SAMPLED) ||
	    meter_segments(&f->dir[dir], s->end - s->start) < 2)
		return false;
	meter_sample(m, f, dir, s->tick, tick, SAMPLE_PROMPT);
	return true;
}

/* A second full segment is acknowledged at once (RFC 1122 4.2.3.2), but some receivers let more
 * gather: less than two thirds of what this one usually takes may have waited for the timer. */
static bool fills_stride(struct flow_dir *d, uint32_t covered)
{
	uint32_t units = covered / 64 < 0xffff ? covered / 64 : 0xffff, usual = d->stride;
	d->stride = (uint16_t)(units > usual ? units : usual - (usual - units) / 16);
	return covered > meter_mss(d) && units * 3 >= usual * 2;
}

/* Takes the segments that end at or below `ack` out of the record; the last of them is *last.
 * Returns how many. The one that the ACK cuts is timed if `valid`. */
static uint32_t take_inline(struct meter *m, struct flow *f, int dir, uint32_t ack, uint32_t tick,
			    bool valid, struct seg *last)
{
	struct flow_dir *d = &f->dir[dir];
	struct seg segs[2];
	uint32_t held = inline_segs(d, segs), n = 0;
	while (n < held && seq_le(segs[n].end, ack))
		*last = segs[n++];
	if (n == held) {
		forget_inline(d);
		return n;
	}
	if (n)
		d->older_ago = 0;
	if (!valid || !seq_lt(segs[n].start, ack) || !sample_partial(m, f, dir, &segs[n], tick))
		return n;
	if (d->older_ago) /* timed once, it is timed no more */
		d->older_ago = 0;
	else
		forget_inline(d);
	return n;
}

/* The same from the chunks. */
static uint32_t take_chunks(struct meter *m, struct flow *f, int dir, uint32_t ack, uint32_t tick,
			    bool valid, struct seg *last)
{
	struct dir_extra *e = extra_dir(m, f, dir);
	uint32_t n = 0;
	while (e->segs_head) {
		struct seg_chunk *c = chunk_at(m, e->segs_head);
		struct seg *s;
		while (c->n && seq_le(c->seg[c->first].end, ack)) {
			*last = c->seg[c->first++];
			c->n--;
			n++;
		}
		if (!c->n) {
			drop_head(m, e);
			continue;
		}
		s = &c->seg[c->first];
		if (valid && seq_lt(s->start, ack) && sample_partial(m, f, dir, s, tick))
			s->flags |= SEG_SAMPLED;
		break;
	}
	return n;
}

static void advance(struct flow_dir *d, struct dir_extra *e, uint32_t ack)
{
	d->una = ack;
	if (!e)
		return;
	if (seq_gt(ack, e->valid_from)) /* marks behind the ACK follow it, or they would wrap */
		e->valid_from = ack;
	if (seq_gt(ack, e->sack_hi))
		e->sack_hi = ack;
}

static void sample(struct meter *m, struct flow *f, int dir, const struct seg *last,
		   uint32_t covered, uint32_t tick, enum ack_reason reason)
{
	enum sample_class class =
		last->flags & SEG_SYN || reason == ACK_OPENS || fills_stride(&f->dir[dir], covered)
			? SAMPLE_PROMPT
		: reason == ACK_RIDES ? SAMPLE_RIDING
				      : SAMPLE_SINGLE;
	meter_sample(m, f, dir, last->tick, tick, class);
}

void rtt_acked(struct meter *m, struct flow *f, int dir, uint32_t ack, uint32_t tick,
	       enum ack_reason reason, bool clean)
{
	struct flow_dir *d = &f->dir[dir];
	struct dir_extra *e = extra_dir(m, f, dir);
	struct seg last = {.flags = SEG_RESENT};
	uint32_t covered = ack - d->una, n;
	bool valid = clean && is_untainted(d, e, ack);
	n = e && e->segs_head ? take_chunks(m, f, dir, ack, tick, valid, &last)
			      : take_inline(m, f, dir, ack, tick, valid, &last);
	advance(d, e, ack);
	if (valid && n && !(last.flags & (SEG_RESENT | SEG_SAMPLED)))
		sample(m, f, dir, &last, covered, tick, reason);
}

void rtt_acked_all(struct meter *m, struct flow *f, int dir, uint32_t tick, enum ack_reason reason)
{
	struct flow_dir *d = &f->dir[dir];
	const struct seg last = {.tick = d->last_tick, .flags = d->is_syn ? SEG_SYN : 0};
	uint32_t covered = d->nxt - d->una;
	forget_inline(d);
	d->una = d->nxt;
	sample(m, f, dir, &last, covered, tick, reason);
}

/* From the right: a growing block adds a segment or two, and what lies left of them was marked
 * by the ACK before. */
void rtt_sacked(struct meter *m, struct flow *f, int dir, uint32_t left, uint32_t right,
		uint32_t tick, bool duplicate_ack)
{
	struct dir_extra *e = extra_dir(m, f, dir);
	bool new_edge;
	if (!(e && e->segs_head))
		e = spill(m, f, dir);
	if (!e)
		return;
	new_edge = seq_gt(right, e->sack_hi);
	for (uint32_t i = e->segs_tail; i; i = chunk_at(m, i)->prev) {
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
		e->sack_hi = right;
}
