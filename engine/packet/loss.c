/* SPDX-License-Identifier: BSD-3-Clause */
#include "engine/packet/loss.h"

#include <stddef.h>

#include "ebpf/pkt.h"
#include "engine/packet/meter.h"
#include "engine/packet/mini.h"
#include "engine/packet/rtt.h"
#include "engine/packet/seq.h"
#include "engine/packet/tcp_clock.h"

enum {
	TICKS_PER_MS = 1000000 / HIST_TICK_NS,
	REORDER_TICKS = 3 * TICKS_PER_MS, /* while the round trip is unknown */
	ID_SURE = 3,			  /* id_score from which IP-IDs count packets */
	MAX_TAIL = 16,
	SETTLED_TICKS = 2000 * TICKS_PER_MS, /* no answer to a resend comes later */
};

static struct hole *hole_at(const struct meter *m, uint32_t index)
{
	return pool_at(&m->holes, index);
}

void loss_open(struct meter *m, struct flow *f, int dir, uint32_t end, const struct pkt *p,
	       uint32_t tick)
{
	struct dir_extra *e = extra_need(m, f, dir);
	uint32_t *link = e ? &e->holes : NULL, index;
	if (!e)
		return;
	if (e->n_holes >= METER_MAX_HOLES) {
		m->holes_refused++;
		return;
	}
	index = pool_take(&m->holes);
	if (!index)
		return;
	while (*link)
		link = &hole_at(m, *link)->next;
	*link = index;
	*hole_at(m, index) = (struct hole){
		.start = f->dir[dir].nxt,
		.end = end,
		.tick = tick,
		.tsval = p->tsval,
		.ip_id = p->ip_id,
		.flags = p->flags & PKT_TIMESTAMPS ? HOLE_HAS_TIMESTAMP : 0,
	};
	e->n_holes++;
}

static void close_hole(struct meter *m, struct dir_extra *e, uint32_t *link)
{
	uint32_t index = *link;
	*link = hole_at(m, index)->next;
	pool_give(&m->holes, index);
	e->n_holes--;
}

void loss_forget(struct meter *m, struct dir_extra *e)
{
	while (e->holes)
		close_hole(m, e, &e->holes);
}

static void count_missed(struct meter *m, struct flow *f, int dir, uint32_t n)
{
	struct dir_log *log = extra_log(m, f, dir);
	m->acked_unseen += n;
	if (log)
		log->tap_missed += n;
}

bool loss_acked(struct meter *m, struct flow *f, int dir, uint32_t ack)
{
	struct dir_extra *e = extra_dir(m, f, dir);
	bool clean = true;
	while (e && e->holes && seq_lt(hole_at(m, e->holes)->start, ack)) {
		struct hole *h = hole_at(m, e->holes);
		uint32_t end = seq_lt(h->end, ack) ? h->end : ack;
		count_missed(m, f, dir, meter_segments(&f->dir[dir], end - h->start));
		clean = false;
		if (end != h->end) {
			h->start = end;
			break;
		}
		close_hole(m, e, &e->holes);
	}
	return clean;
}

/* The first hole that overlaps [seq, end): the link that holds it, or NULL. */
static uint32_t *find_hole(struct meter *m, struct dir_extra *e, uint32_t seq, uint32_t end)
{
	uint32_t *link = &e->holes;
	while (*link && seq_le(hole_at(m, *link)->end, seq))
		link = &hole_at(m, *link)->next;
	return *link && seq_lt(hole_at(m, *link)->start, end) ? link : NULL;
}

/* Cuts [seq, end) out of the holes from `link` on. */
static void carve(struct meter *m, struct dir_extra *e, uint32_t *link, uint32_t seq, uint32_t end)
{
	while (*link && seq_lt(hole_at(m, *link)->start, end)) {
		struct hole *h = hole_at(m, *link);
		bool left = seq_lt(h->start, seq), right = seq_gt(h->end, end);
		if (left && right) {
			uint32_t index = e->n_holes < METER_MAX_HOLES ? pool_take(&m->holes) : 0;
			if (index) {
				struct hole *rest = hole_at(m, index);
				*rest = *h;
				rest->start = end;
				h->next = index;
				e->n_holes++;
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
			close_hole(m, e, link);
		}
	}
}

/* The packets show by themselves which was sent first: timestamps, or IP-IDs that count. */
static bool tells_age(const struct flow_dir *d)
{
	return d->flags & DIR_CLOCK || d->id_score >= ID_SURE;
}

void loss_complained(struct meter *m, struct flow *f, int dir, uint32_t tick)
{
	const struct dir_extra *e = extra_dir(m, f, dir);
	if (!e || tells_age(&f->dir[dir])) /* then complaints decide nothing */
		return;
	for (uint32_t i = e->holes; i; i = hole_at(m, i)->next) {
		struct hole *h = hole_at(m, i);
		if (h->flags & HOLE_COMPLAINED)
			continue;
		h->flags |= HOLE_COMPLAINED;
		h->complaint_tick = tick;
	}
}

static uint64_t nine_tenths(uint16_t mini)
{
	return (uint64_t)mini_value(mini) * 9 / 10;
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
	if (h->flags & HOLE_COMPLAINED && since >= nine_tenths(back->min_rtt))
		return false;
	return dt < nine_tenths(d->min_rtt) + nine_tenths(back->min_rtt);
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

static void add_loss(struct meter *m, const struct flow *f, int dir, bool before, int32_t n)
{
	struct line *line = line_at(&m->lines, f->line);
	(before ? line->trouble.lost_before : line->trouble.lost_after)[flow_dir_way(f, dir)] += n;
}

static enum loss_verdict fill(struct meter *m, struct flow *f, int dir, uint32_t *link,
			      uint32_t seq, uint32_t end, const struct pkt *p, uint32_t tick)
{
	struct flow_dir *d = &f->dir[dir];
	struct dir_log *log = extra_log(m, f, dir);
	bool late = is_late(f, d, hole_at(m, *link), p, tick);
	uint32_t n = meter_segments(d, end - seq);
	carve(m, extra_dir(m, f, dir), link, seq, end);
	if (log) {
		log->hole_fill += n;
		log->reordered += late ? n : 0;
	}
	if (late)
		line_at(&m->lines, f->line)->trouble.reordered[flow_dir_way(f, dir)] += n;
	else
		add_loss(m, f, dir, true, (int32_t)n);
	return late ? LOSS_LATE : LOSS_FILL;
}

static void count_spurious(struct meter *m, struct flow *f, int dir, uint32_t n)
{
	struct dir_log *log = extra_log(m, f, dir);
	line_at(&m->lines, f->line)->trouble.spurious[flow_dir_way(f, dir)] += (int32_t)n;
	if (log)
		log->spurious += n;
}

static struct resend *resend_at(const struct meter *m, uint32_t index)
{
	return pool_at(&m->resends, index);
}

static void drop_resend(struct meter *m, struct dir_extra *e, uint32_t *link)
{
	uint32_t index = *link;
	*link = resend_at(m, index)->next;
	pool_give(&m->resends, index);
	e->n_resends--;
}

void loss_forget_resends(struct meter *m, struct dir_extra *e)
{
	while (e->resends)
		drop_resend(m, e, &e->resends);
}

static bool is_settled(const struct resend *r, uint32_t tick)
{
	return tick - r->tick >= SETTLED_TICKS;
}

bool loss_resends_are_settled(const struct dir_extra *e, uint32_t tick)
{
	return !e->resends || tick - e->resent_tick >= SETTLED_TICKS;
}

/* The list is in order of age, newest first. */
static void drop_settled(struct meter *m, struct dir_extra *e, uint32_t tick)
{
	uint32_t *link = &e->resends;
	while (*link && !is_settled(resend_at(m, *link), tick))
		link = &resend_at(m, *link)->next;
	while (*link)
		drop_resend(m, e, link);
}

/* A resend that may yet prove needless. */
static void remember(struct meter *m, struct flow *f, int dir, uint32_t seq, uint32_t end,
		     uint32_t tick, uint32_t n)
{
	struct dir_extra *e = extra_need(m, f, dir);
	uint32_t index;
	if (!e)
		return;
	if (e->n_resends >= METER_MAX_RESENDS)
		drop_settled(m, e, tick);
	if (e->n_resends >= METER_MAX_RESENDS) {
		m->resends_refused++;
		return;
	}
	index = pool_take(&m->resends);
	if (!index)
		return;
	*resend_at(m, index) = (struct resend){e->resends, seq, end, tick, n};
	e->resends = index;
	e->resent_tick = tick;
	e->n_resends++;
}

enum loss_verdict loss_old_data(struct meter *m, struct flow *f, int dir, uint32_t seq,
				uint32_t end, const struct pkt *p, uint32_t tick)
{
	struct flow_dir *d = &f->dir[dir];
	struct dir_extra *e = extra_dir(m, f, dir);
	uint32_t *link = e ? find_hole(m, e, seq, end) : NULL, n = meter_segments(d, end - seq);
	struct dir_log *log = extra_log(m, f, dir);
	bool had;
	if (link)
		return fill(m, f, dir, link, seq, end, p, tick);
	had = seq_le(end, d->una) || rtt_is_sacked(m, f, dir, seq, end);
	if (log)
		log->retransmit_seen += n;
	rtt_resent(m, f, dir, seq, end);
	if (had) {
		count_spurious(m, f, dir, n);
		return LOSS_SPURIOUS;
	}
	add_loss(m, f, dir, false, (int32_t)n);
	remember(m, f, dir, seq, end, tick, n);
	return LOSS_RESENT;
}

/* The resend was needless: what counted as lost had arrived. */
static void settle_spurious(struct meter *m, struct flow *f, int dir, uint32_t *link)
{
	uint32_t n = resend_at(m, *link)->segments;
	drop_resend(m, extra_dir(m, f, dir), link);
	count_spurious(m, f, dir, n);
	add_loss(m, f, dir, false, -(int32_t)n);
}

void loss_dsack(struct meter *m, struct flow *f, int dir, uint32_t left, uint32_t right,
		uint32_t tick)
{
	struct dir_extra *e = extra_dir(m, f, dir);
	uint32_t *oldest = NULL;
	for (uint32_t *link = e ? &e->resends : NULL; link && *link;
	     link = &resend_at(m, *link)->next) {
		const struct resend *r = resend_at(m, *link);
		if (is_settled(r, tick))
			break;
		if (seq_lt(r->start, right) && seq_gt(r->end, left))
			oldest = link;
	}
	if (oldest) /* one duplicate, one resend */
		settle_spurious(m, f, dir, oldest);
}

void loss_answered(struct meter *m, struct flow *f, int dir, uint32_t ack, uint32_t tick)
{
	struct flow_dir *d = &f->dir[dir];
	struct dir_extra *e = extra_dir(m, f, dir);
	uint32_t *link;
	if (!e || !e->resends || !(d->flags & DIR_TIMED) ||
	    tick - e->resent_tick >= nine_tenths(d->min_rtt))
		return;
	link = &e->resends;
	while (*link && tick - resend_at(m, *link)->tick < nine_tenths(d->min_rtt)) {
		if (seq_le(resend_at(m, *link)->end, ack))
			settle_spurious(m, f, dir, link);
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
static bool stamped_before(const struct flow *f, int dir, const struct pkt *p, uint32_t tick)
{
	const struct flow_dir *d = &f->dir[dir];
	uint64_t expected = tcp_clock_expect(dir ? f->clock_b : f->clock_a, tick - d->last_tick);
	if (!(p->flags & PKT_TIMESTAMPS) || !(d->flags & DIR_CLOCK))
		return false;
	return expected >= 4 && p->tsval - d->tsval < expected / 2;
}

void loss_tail(struct meter *m, struct flow *f, int dir, const struct pkt *p, uint32_t tick)
{
	struct flow_dir *d = &f->dir[dir];
	struct dir_log *log;
	uint32_t n;
	if (d->una != d->nxt || (int32_t)(tick - d->last_tick) < LOSS_TAIL_TICKS)
		return;
	n = missing_by_id(d, p);
	if (!n && stamped_before(f, dir, p, tick))
		n = 1;
	log = n ? extra_log(m, f, dir) : NULL;
	if (log)
		log->suspected_tail_loss += n;
	if (n)
		line_at(&m->lines, f->line)->trouble.tail_loss[flow_dir_way(f, dir)] += n;
}
