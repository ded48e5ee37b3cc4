/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The truth at the tap. The simulation knows which copy of which segment it is looking at, so
 * nothing here is inferred.
 *
 * A segment that has left the sender's scoreboard was acknowledged; a copy of it must have passed
 * the tap and reached the receiver, so a later copy is both seen before and spurious.
 */
#include "tools/rasad-gen/tcp.h"

static bool is_data(const struct tcp_pkt *p)
{
	return p->kind == KIND_DATA && p->length;
}

static struct tcp_segment *segment_of(const struct tcp_pkt *p)
{
	return p->kind == KIND_DATA ? tcp_segment_find(&p->flow->end[p->dir], p->segment) : NULL;
}

static void see_first(struct tcp_tap *t, struct tcp_pkt *p, struct tcp_segment *s)
{
	bool lost = s->flags & SEG_LOST_BEFORE;

	s->flags |= SEG_AT_TAP;
	p->first_at_tap = true;
	if (p->seq + p->length <= t->end_seq) {
		t->hole_fill++;
		if (p->transmission == 1)
			t->reordered++;
		else if (lost)
			t->lost_before_tap++;
	} else if (lost) {
		t->tail_loss_before_tap++;
	}
}

static void see_data(struct tcp_tap *t, struct tcp_pkt *p)
{
	struct tcp_segment *s = segment_of(p);

	t->data_packets++;
	t->bytes += p->length;
	if (s && !(s->flags & SEG_AT_TAP)) {
		see_first(t, p, s);
		return;
	}
	t->retransmit_seen++;
	if (!s || s->flags & SEG_PASSED)
		t->spurious++;
}

void tcp_tap_see(struct tcp_pkt *p)
{
	struct tcp_tap *t = &p->flow->tap[p->dir];
	bool fin = p->flags & TCP_FIN, syn = p->flags & TCP_SYN;
	uint64_t end = p->seq + p->length + fin + syn;

	t->packets++;
	t->ip_bytes += tcp_wire_bytes(p);
	if (p->kind == KIND_KEEPALIVE || p->kind == KIND_WINDOW_PROBE) {
		*(p->kind == KIND_KEEPALIVE ? &t->keepalive : &t->zero_window_probe) += 1;
		return;
	}
	if (is_data(p))
		see_data(t, p);
	t->syn_retransmit += syn && t->syn_seen;
	t->fin_retransmit += fin && t->fin_seen;
	t->syn_seen |= syn;
	t->fin_seen |= fin;
	if ((p->length || fin || syn) && end > t->end_seq)
		t->end_seq = end;
}

void tcp_tap_lost_before(const struct tcp_pkt *p)
{
	struct tcp_segment *s = segment_of(p);

	if (!is_data(p))
		return;
	p->flow->tap[p->dir].lost_before_tap_all++;
	if (s)
		s->flags |= SEG_LOST_BEFORE;
}

void tcp_tap_lost_after(const struct tcp_pkt *p)
{
	if (is_data(p))
		p->flow->tap[p->dir].lost_after_tap_all++;
}

void tcp_tap_passed(const struct tcp_pkt *p)
{
	struct tcp_segment *s = segment_of(p);

	if (s)
		s->flags |= SEG_PASSED;
}
