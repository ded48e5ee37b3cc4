/* SPDX-License-Identifier: BSD-3-Clause */
#include "engine/packet/loss.h"

#include <stddef.h>

#include "ebpf/pkt.h"
#include "engine/packet/meter.h"
#include "engine/packet/rtt.h"
#include "engine/packet/seq.h"

enum {
	TICKS_PER_MS = 1000000 / HIST_TICK_NS,
	REORDER_TICKS = 3 * TICKS_PER_MS,    /* while the round trip is unknown */
	MIN_RTO_TICKS = 180 * TICKS_PER_MS,  /* no stack resends a tail sooner */
	ID_SURE = 3,			     /* id_score from which IP-IDs count packets */
	MIN_CLOCK_TICKS = 20 * TICKS_PER_MS, /* to know how fast a timestamp clock runs */
	MAX_TAIL = 16,
	SETTLED_TICKS = 2000 * TICKS_PER_MS, /* no answer to a resend comes later */
};

static struct hole *hole_at(const struct meter *m, uint32_t index)
{
	return pool_at(&m->holes, index);
}

void loss_open(struct meter *m, struct flow_dir *d, uint32_t start, uint32_t end,
	       const struct pkt *p, uint32_t tick)
{
	uint32_t *link = &d->holes, index;
	if (d->n_holes >= METER_MAX_HOLES) {
		m->holes_refused++;
		return;
	}
	index = pool_take(&m->holes);
	if (!index)
		return;
	if (d->holes) {
		while (hole_at(m, *link)->next)
			link = &hole_at(m, *link)->next;
		link = &hole_at(m, *link)->next;
	}
	*link = index;
	*hole_at(m, index) = (struct hole){
		.start = start,
		.end = end,
		.tick = tick,
		.tsval = p->tsval,
		.ip_id = p->ip_id,
		.flags = p->flags & PKT_TIMESTAMPS ? HOLE_HAS_TIMESTAMP : 0,
	};
	d->n_holes++;
}

static void close_hole(struct meter *m, struct flow_dir *d, uint32_t *link)
{
	uint32_t index = *link;
	*link = hole_at(m, index)->next;
	pool_give(&m->holes, index);
	d->n_holes--;
}

void loss_forget(struct meter *m, struct flow_dir *d)
{
	while (d->holes)
		close_hole(m, d, &d->holes);
}

bool loss_acked(struct meter *m, struct flow *f, int dir, uint32_t ack)
{
	struct flow_dir *d = &f->dir[dir];
	bool clean = true;
	while (d->holes && seq_lt(hole_at(m, d->holes)->start, ack)) {
		struct hole *h = hole_at(m, d->holes);
		uint32_t end = seq_lt(h->end, ack) ? h->end : ack;
		struct flow_dir_rare *rare = meter_rare(m, f, dir);
		uint32_t n = meter_segments(d, end - h->start);
		m->acked_unseen += n;
		if (rare)
			rare->tap_missed += n;
		clean = false;
		if (end != h->end) {
			h->start = end;
			break;
		}
		close_hole(m, d, &d->holes);
	}
	return clean;
}

/* The first hole that overlaps [seq, end): the link that holds it, or NULL. */
static uint32_t *find_hole(struct meter *m, struct flow_dir *d, uint32_t seq, uint32_t end)
{
	uint32_t *link = &d->holes;
	while (*link && seq_le(hole_at(m, *link)->end, seq))
		link = &hole_at(m, *link)->next;
	return *link && seq_lt(hole_at(m, *link)->start, end) ? link : NULL;
}

/* Cuts [seq, end) out of the holes from `link` on. */
static void carve(struct meter *m, struct flow_dir *d, uint32_t *link, uint32_t seq, uint32_t end)
{
	while (*link && seq_lt(hole_at(m, *link)->start, end)) {
		struct hole *h = hole_at(m, *link);
		bool left = seq_lt(h->start, seq), right = seq_gt(h->end, end);
		if (left && right) {
			uint32_t index = d->n_holes < METER_MAX_HOLES ? pool_take(&m->holes) : 0;
			if (index) {
				struct hole *rest = hole_at(m, index);
				*rest = *h;
				rest->start = end;
				h->next = index;
				d->n_holes++;
			} else {
				m->holes_refused++;
			}
			h->end = seq;
			return;
		}
		if (left) {
			h->end = seq;
			link = &h->next;
		} else if (right) {
			h->start = end;
			return;
		} else {
			close_hole(m, d, link);
		}
	}
}

/* The packets show by themselves which was sent first: timestamps, or IP-IDs that count. */
static bool tells_age(const struct flow_dir *d)
{
	return d->flags & DIR_CLOCK || d->id_score >= ID_SURE;
}

void loss_complained(struct meter *m, struct flow_dir *d, uint32_t tick)
{
	if (tells_age(d)) /* then complaints decide nothing */
		return;
	for (uint32_t i = d->holes; i; i = hole_at(m, i)->next) {
		struct hole *h = hole_at(m, i);
		if (h->flags & HOLE_COMPLAINED)
			continue;
		h->flags |= HOLE_COMPLAINED;
		h->complaint_tick = tick;
	}
}

/* A resend answers the receiver's complaint: it cannot pass the tap sooner than half a round trip
 * after the complaint did, nor sooner than the least round trip that was measured. */
static bool too_soon(const struct flow *f, const struct flow_dir *d, const struct hole *h,
		     uint32_t tick)
{
	const struct flow_dir *back = d == &f->dir[0] ? &f->dir[1] : &f->dir[0];
	uint32_t dt = tick - h->tick, since = tick - h->complaint_tick;
	if ((int32_t)dt < 0) /* stamped out of order */
		return true;
	if (!(d->flags & back->flags & DIR_TIMED))
		return dt < REORDER_TICKS;
	if (h->flags & HOLE_COMPLAINED && since >= (uint64_t)back->min_rtt * 9 / 10)
		return false;
	return dt < (uint64_t)(d->min_rtt + back->min_rtt) * 9 / 10;
}

static bool is_late(const struct flow *f, const struct flow_dir *d, const struct hole *h,
		    const struct pkt *p, uint32_t tick)
{
	if (h->flags & HOLE_HAS_TIMESTAMP && p->flags & PKT_TIMESTAMPS && p->tsval != h->tsval)
		return seq_lt(p->tsval, h->tsval);
	if (d->id_score >= ID_SURE && p->ip_id != h->ip_id)
		return (int16_t)(uint16_t)(p->ip_id - h->ip_id) < 0;
	return too_soon(f, d, h, tick);
}

static void add_loss(struct meter *m, const struct flow *f, int dir, bool before, uint32_t n)
{
	struct line *line = line_at(&m->lines, f->line);
	int way = flow_dir_is_up(f, dir) ? UP : DOWN;
	(before ? line->lost_before : line->lost_after)[way] += n;
}

static enum loss_verdict fill(struct meter *m, struct flow *f, int dir, uint32_t *link,
			      uint32_t seq, uint32_t end, const struct pkt *p, uint32_t tick)
{
	struct flow_dir *d = &f->dir[dir];
	struct flow_dir_rare *rare = meter_rare(m, f, dir);
	bool late = is_late(f, d, hole_at(m, *link), p, tick);
	uint32_t n = meter_segments(d, end - seq);
	carve(m, d, link, seq, end);
	if (!rare)
		return late ? LOSS_LATE : LOSS_FILL;
	rare->hole_fill += n;
	if (late) {
		rare->reordered += n;
		line_at(&m->lines, f->line)->reordered[flow_dir_is_up(f, dir) ? UP : DOWN] += n;
		return LOSS_LATE;
	}
	add_loss(m, f, dir, true, n);
	return LOSS_FILL;
}

static void count_spurious(struct meter *m, struct flow *f, int dir, struct flow_dir_rare *rare,
			   uint32_t n)
{
	rare->spurious += n;
	line_at(&m->lines, f->line)->spurious[flow_dir_is_up(f, dir) ? UP : DOWN] += n;
}

static struct resend *resend_at(const struct meter *m, uint32_t index)
{
	return pool_at(&m->resends, index);
}

static void drop_resend(struct meter *m, struct flow_dir_rare *rare, uint32_t *link)
{
	uint32_t index = *link;
	*link = resend_at(m, index)->next;
	pool_give(&m->resends, index);
	rare->n_resends--;
}

void loss_forget_resends(struct meter *m, struct flow_dir_rare *rare)
{
	while (rare->resends)
		drop_resend(m, rare, &rare->resends);
}

static bool is_settled(const struct resend *r, uint32_t tick)
{
	return tick - r->tick >= SETTLED_TICKS;
}

/* The list is in order of age, newest first. */
static void drop_settled(struct meter *m, struct flow_dir_rare *rare, uint32_t tick)
{
	uint32_t *link = &rare->resends;
	while (*link && !is_settled(resend_at(m, *link), tick))
		link = &resend_at(m, *link)->next;
	while (*link)
		drop_resend(m, rare, link);
}

/* A resend that may yet prove needless. */
static void remember(struct meter *m, struct flow_dir_rare *rare, uint32_t seq, uint32_t end,
		     uint32_t tick, uint32_t n)
{
	uint32_t index;
	if (rare->n_resends >= METER_MAX_RESENDS)
		drop_settled(m, rare, tick);
	if (rare->n_resends >= METER_MAX_RESENDS) {
		m->resends_refused++;
		return;
	}
	index = pool_take(&m->resends);
	if (!index)
		return;
	*resend_at(m, index) = (struct resend){rare->resends, seq, end, tick, n};
	rare->resends = index;
	rare->n_resends++;
}

enum loss_verdict loss_old_data(struct meter *m, struct flow *f, int dir, uint32_t seq,
				uint32_t end, const struct pkt *p, uint32_t tick)
{
	struct flow_dir *d = &f->dir[dir];
	uint32_t *link = find_hole(m, d, seq, end), n = meter_segments(d, end - seq);
	struct flow_dir_rare *rare;
	const struct seg *s;
	bool had;
	if (link)
		return fill(m, f, dir, link, seq, end, p, tick);
	rare = meter_rare(m, f, dir);
	s = rtt_find(m, d, seq);
	if (!rare)
		return LOSS_RESENT;
	had = seq_le(end, d->una) || (s && s->flags & SEG_SACKED && seq_le(end, s->end));
	rare->retransmit_seen += n;
	rtt_resent(m, d, seq, end);
	if (had) {
		count_spurious(m, f, dir, rare, n);
		return LOSS_SPURIOUS;
	}
	add_loss(m, f, dir, false, n);
	remember(m, rare, seq, end, tick, n);
	return LOSS_RESENT;
}

/* The resend was needless: what counted as lost had arrived. */
static void settle_spurious(struct meter *m, struct flow *f, int dir, struct flow_dir_rare *rare,
			    uint32_t *link)
{
	uint32_t n = resend_at(m, *link)->segments;
	drop_resend(m, rare, link);
	count_spurious(m, f, dir, rare, n);
	add_loss(m, f, dir, false, 0u - n);
}

void loss_dsack(struct meter *m, struct flow *f, int dir, uint32_t left, uint32_t right,
		uint32_t tick)
{
	struct flow_dir_rare *rare;
	uint32_t *oldest = NULL;
	if (!f->rare[dir])
		return;
	rare = meter_rare(m, f, dir);
	for (uint32_t *link = &rare->resends; *link; link = &resend_at(m, *link)->next) {
		const struct resend *r = resend_at(m, *link);
		if (is_settled(r, tick))
			break;
		if (seq_lt(r->start, right) && seq_gt(r->end, left))
			oldest = link;
	}
	if (oldest) /* one duplicate, one resend */
		settle_spurious(m, f, dir, rare, oldest);
}

void loss_answered(struct meter *m, struct flow *f, int dir, uint32_t ack, uint32_t tick)
{
	struct flow_dir *d = &f->dir[dir];
	struct flow_dir_rare *rare;
	uint32_t *link;
	if (!f->rare[dir] || !(d->flags & DIR_TIMED))
		return;
	rare = meter_rare(m, f, dir);
	link = &rare->resends;
	while (*link && tick - resend_at(m, *link)->tick < (uint64_t)d->min_rtt * 9 / 10) {
		if (seq_le(resend_at(m, *link)->end, ack))
			settle_spurious(m, f, dir, rare, link);
		else
			link = &resend_at(m, *link)->next;
	}
}

/* Copies before this one that took an IP-ID but never passed. */
static uint32_t missing_by_id(const struct flow_dir *d, const struct pkt *p)
{
	uint16_t jump = (uint16_t)(p->ip_id - d->last_ip_id);
	return d->id_score >= ID_SURE && jump >= 2 && jump <= MAX_TAIL ? jump - 1u : 0;
}

/* The sender's clock stood still during the silence: what passes now was stamped before it. */
static bool stamped_before(const struct flow_dir *d, const struct pkt *p, uint32_t tick)
{
	uint32_t base = d->ts_tick - d->first_ts_tick, ran = d->tsval - d->first_tsval;
	uint64_t silence = tick - d->ts_tick, expected;
	if (!(p->flags & PKT_TIMESTAMPS) || base < MIN_CLOCK_TICKS || !ran)
		return false;
	expected = ran * silence / base;
	return expected >= 4 && p->tsval - d->tsval < expected / 2;
}

void loss_tail(struct meter *m, struct flow *f, int dir, const struct pkt *p, uint32_t tick)
{
	struct flow_dir *d = &f->dir[dir];
	struct flow_dir_rare *rare;
	uint32_t n;
	if (d->una != d->nxt || (int32_t)(tick - d->last_tick) < MIN_RTO_TICKS)
		return;
	n = missing_by_id(d, p);
	if (!n && stamped_before(d, p, tick))
		n = 1;
	rare = n ? meter_rare(m, f, dir) : NULL;
	if (!rare)
		return;
	rare->suspected_tail_loss += n;
	line_at(&m->lines, f->line)->tail_loss[flow_dir_is_up(f, dir) ? UP : DOWN] += n;
}
