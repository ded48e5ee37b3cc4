/* SPDX-License-Identifier: BSD-3-Clause */
#include "engine/packet/account.h"

#include <string.h>

enum {
	UNANSWERED_MIN = 4,	/* downstream packets that owe an answer */
	UNANSWERED_RESENDS = 3, /* of one flow, when it is the only one */
	UNANSWERED_MIN_MS = 3000,
	UNANSWERED_MAX_MS = 30000,
	TICKS_PER_MS = 1000000 / HIST_TICK_NS,
	DEMAND_SHIFT = 24,	 /* struct pulse.demand */
	DATA_FULL = 0xffff - 64, /* one packet adds no more than 64 segments */
};

struct signal *account_signal(struct worker *w, enum signal_kind kind, uint32_t line,
			      const struct pkt *p)
{
	struct out_signal *s = worker_tell(w, sizeof *s);
	if (!s) {
		w->signals_lost++;
		return NULL;
	}
	s->out = worker_out(w, OUT_SIGNAL, line);
	s->signal = (struct signal){
		.ts_ns = p->ts_ns,
		.last_up_ns = window_last_up_ns(w, line),
		.kind = kind,
	};
	return &s->signal;
}

static void tell(struct worker *w, enum signal_kind kind, uint32_t line, const struct pkt *p)
{
	if (account_signal(w, kind, line, p))
		ring_commit(w->outbox);
}

/* The longest pauses that the line makes upstream while something downstream waits: up at once,
 * down slowly; a pause that ended a suspicion is no habit. */
static void follow_gap(struct pulse *pulse, uint32_t tick)
{
	uint32_t gap_ms = (tick - pulse->up_tick) / TICKS_PER_MS;
	if (pulse->told || gap_ms > UNANSWERED_MAX_MS)
		return;
	if (gap_ms > pulse->gap_ms)
		pulse->gap_ms = (uint16_t)gap_ms;
	else
		pulse->gap_ms -= (uint16_t)((pulse->gap_ms - gap_ms) / 128);
}

/* The line speaks: nobody waits for it any longer. */
static void answered(struct worker *w, uint32_t line, struct pulse *pulse, const struct pkt *p)
{
	if (pulse->watch) {
		tell(w, SIGNAL_UPSTREAM, line, p);
		pulse->watch = 0;
	}
	if (!pulse->unanswered)
		return;
	follow_gap(pulse, meter_tick(p->ts_ns));
	pulse->unanswered = pulse->resends = pulse->many = pulse->told = 0;
}

static void upstream(struct worker *w, uint32_t line, struct pulse *pulse, const struct pkt *p)
{
	uint32_t tick = meter_tick(p->ts_ns);
	answered(w, line, pulse, p);
	if ((int32_t)(pulse->up_tick - meter_tick(w->window.second_ns)) < 0)
		w->window.heard++;
	/* first of its window, or not older than the last */
	if (!pulse->packets[UP] || (int32_t)(tick - pulse->up_tick) > 0)
		pulse->up_tick = tick;
}

void account_packet(struct worker *w, uint32_t line, uint8_t dir, const struct pkt *p)
{
	struct pulse *pulse = line_pulse(&w->meter.lines, line);
	int way = dir == DIR_UP ? UP : DOWN;
	if (pulse->listed != (w->window.parity ? PULSE_ODD : PULSE_EVEN))
		window_open_line(w, line);
	if (pulse->packets[way] == UINT16_MAX || pulse->data[way] > DATA_FULL)
		window_tell_line(w, line);
	if (way == UP)
		upstream(w, line, pulse, p);
	pulse->packets[way] += pulse->packets[way] < UINT16_MAX;
	pulse->bytes[way] += p->wire_len;
	w->window.packets++;
	w->window.bytes += p->wire_len;
}

static uint32_t patience_ms(const struct pulse *pulse)
{
	uint32_t patience = pulse->gap_ms * 4u;
	if (patience < UNANSWERED_MIN_MS)
		return UNANSWERED_MIN_MS;
	return patience > UNANSWERED_MAX_MS ? UNANSWERED_MAX_MS : patience;
}

static uint32_t waited_ms(const struct pulse *pulse, uint64_t now_ns)
{
	uint16_t steps = (uint16_t)((uint16_t)(now_ns >> DEMAND_SHIFT) - pulse->demand);
	return (uint32_t)(((uint64_t)steps << DEMAND_SHIFT) / 1000000);
}

/* Downstream traffic that owes an answer, none of which came (algorithms 2.1.1). */
void account_unanswered(struct worker *w, uint32_t line, const struct pkt *p, bool resent)
{
	struct pulse *pulse = line_pulse(&w->meter.lines, line);
	uint16_t flow = map_hash(p->key[3] ^ (uint64_t)p->key[1] << 32) & 63;
	if (!pulse->unanswered) {
		pulse->demand = (uint16_t)(p->ts_ns >> DEMAND_SHIFT);
		pulse->demand_flow = flow & 63;
	}
	pulse->unanswered += pulse->unanswered < UNANSWERED_MIN;
	pulse->many |= flow != pulse->demand_flow;
	pulse->resends += resent && pulse->resends < UNANSWERED_RESENDS;
	if (pulse->told || pulse->unanswered < UNANSWERED_MIN ||
	    (!pulse->many && pulse->resends < UNANSWERED_RESENDS) ||
	    waited_ms(pulse, p->ts_ns) < patience_ms(pulse))
		return;
	pulse->told = pulse->watch = 1;
	tell(w, SIGNAL_UNANSWERED, line, p);
}

static void tell_session(struct worker *w, uint32_t line, const struct pkt *p,
			 const struct pkt_extra *x)
{
	struct signal *s;
	line_pulse(&w->meter.lines, line)->session_id = p->session_id;
	s = account_signal(w, SIGNAL_SESSION, line, p);
	if (!s)
		return;
	s->control.session_id = p->session_id;
	s->control.dir = DIR_UP;
	memcpy(s->control.cpe_mac, x->smac, 6);
	memcpy(s->control.ac_mac, x->dmac, 6);
	ring_commit(w->outbox);
}

void account_address(struct worker *w, uint32_t line, const struct pkt *p,
		     const struct pkt_extra *x)
{
	struct line *l = line_at(&w->meter.lines, line);
	bool ipv6 = p->flags & PKT_IPV6;
	uint32_t folded, words[4], *seen = ipv6 ? &l->seen_ipv6 : &l->seen_ipv4;
	struct signal *s;
	memcpy(words, x->src, ipv6 ? 16 : 4);
	folded = ipv6 ? words[0] ^ words[1] * 31 ^ words[2] * 37 ^ words[3] * 41 : words[0];
	if (*seen == folded || folded == 0)
		return;
	*seen = folded;
	s = account_signal(w, SIGNAL_ADDRESS, line, p);
	if (!s)
		return;
	s->ipv6 = ipv6;
	memcpy(s->address, x->src, ipv6 ? 16 : 4);
	ring_commit(w->outbox);
}

void account_traffic(struct worker *w, uint32_t line, uint8_t dir, const struct pkt *p,
		     const struct pkt_extra *x)
{
	account_packet(w, line, dir, p);
	if (dir == DIR_UP && p->flags & PKT_PPPOE && p->kind != KIND_PPPOE &&
	    line_pulse(&w->meter.lines, line)->session_id != p->session_id)
		tell_session(w, line, p, x);
}
