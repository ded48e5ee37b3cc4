/* SPDX-License-Identifier: BSD-3-Clause */
#include "engine/packet/account.h"

#include <string.h>

enum {
	UNANSWERED_MIN_MS = 3000, /* nobody is suspected sooner */
	UNANSWERED_MAX_MS = 30000,
	TICKS_PER_MS = 1000000 / HIST_TICK_NS,
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
		.tap = w->tap,
	};
	return &s->signal;
}

static bool tell(struct worker *w, enum signal_kind kind, uint32_t line, const struct pkt *p)
{
	const struct signal *s = account_signal(w, kind, line, p);
	if (s)
		ring_commit(w->outbox);
	return s;
}

/* The longest pauses that the line makes upstream while something downstream waits: up at once,
 * down slowly, and forgotten when they are short; a pause that ended a suspicion is no habit. */
static void follow_gap(struct pulse *pulse, uint32_t ticks)
{
	uint32_t gap_ms = ticks / TICKS_PER_MS, envelope = pulse->gap_ms;
	if (pulse->state & PULSE_TOLD || gap_ms > UNANSWERED_MAX_MS)
		return;
	if (gap_ms > envelope)
		envelope = gap_ms;
	else
		envelope -= (envelope - gap_ms) / 128;
	pulse->gap_ms = (uint16_t)(envelope > ACCOUNT_GAP_MS ? envelope : 0);
}

void account_answered(struct worker *w, uint32_t line, const struct pkt *p)
{
	struct pulse *pulse = line_pulse(&w->meter.lines, line);
	uint32_t kept = PULSE_LISTED;
	if (pulse->state & PULSE_WATCH && !tell(w, SIGNAL_UPSTREAM, line, p))
		kept |= PULSE_WATCH; /* the next packet tells */
	if (pulse->state & PULSE_WAIT)
		follow_gap(pulse, meter_tick(p->ts_ns) - pulse->up_tick);
	pulse->state &= kept;
}

void account_turn(struct worker *w, uint32_t line)
{
	window_open_line(w, line);
}

/* Where the outbox is full the counter starts again: `told_late` shows it. */
void account_full(struct worker *w, uint32_t line, uint16_t *counter, uint16_t n)
{
	*counter = (uint16_t)(*counter - n);
	window_tell_line(w, line);
	*counter = n;
}

static uint32_t patience_ms(const struct pulse *pulse)
{
	uint32_t patience = pulse->gap_ms * 4u;
	if (patience < UNANSWERED_MIN_MS)
		return UNANSWERED_MIN_MS;
	return patience > UNANSWERED_MAX_MS ? UNANSWERED_MAX_MS : patience;
}

static uint32_t waited_ms(uint32_t state, uint64_t now_ns)
{
	uint16_t steps = (uint16_t)((uint32_t)(now_ns >> PULSE_SINCE_NS_SHIFT) -
				    (state >> PULSE_SINCE_SHIFT));
	return (uint32_t)(((uint64_t)steps << PULSE_SINCE_NS_SHIFT) / 1000000);
}

void account_overdue(struct worker *w, uint32_t line, const struct pkt *p)
{
	struct pulse *pulse = line_pulse(&w->meter.lines, line);
	if (waited_ms(pulse->state, p->ts_ns) < patience_ms(pulse))
		return;
	if (tell(w, SIGNAL_UNANSWERED, line, p))
		pulse->state |= PULSE_TOLD | PULSE_WATCH;
}

void account_session(struct worker *w, uint32_t line, const struct pkt *p,
		     const struct pkt_extra *x)
{
	struct signal *s = account_signal(w, SIGNAL_SESSION, line, p);
	if (!s) /* the next packet tells */
		return;
	line_pulse(&w->meter.lines, line)->session_id = p->session_id;
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
	s = account_signal(w, SIGNAL_ADDRESS, line, p);
	if (!s) /* the next flow tells */
		return;
	*seen = folded;
	s->ipv6 = ipv6;
	memcpy(s->address, x->src, ipv6 ? 16 : 4);
	ring_commit(w->outbox);
}
