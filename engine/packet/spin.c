/* SPDX-License-Identifier: BSD-3-Clause */
#include "engine/packet/spin.h"

#include "engine/packet/meter.h"

enum { LONG_HEADER = 0x80, FIXED = 0x40, SPIN = 0x20 };
enum { MIN_PERIOD = 2000000 / HIST_TICK_NS, MAX_PERIOD = 1000000000 / HIST_TICK_NS * 10 };

/* In a QUIC flow a direction keeps its last spin value in `nxt`, and in `una` the time of its last
 * edge, which is valid with DIR_ACKED. */
void spin_packet(struct meter *m, struct flow *f, int dir, const struct pkt *p)
{
	struct flow_dir *d = &f->dir[dir], *peer = &f->dir[!dir];
	uint32_t spin = p->seq & SPIN ? 1 : 0, tick = meter_tick(p->ts_ns), period;
	bool up = flow_dir_is_up(f, dir), first;
	if ((p->seq & (LONG_HEADER | FIXED)) != FIXED)
		return;
	first = !(d->flags & DIR_SPIN);
	if (!first && d->nxt == spin)
		return;
	d->flags |= DIR_SPIN;
	d->nxt = spin;
	if (first)
		return;
	period = d->flags & DIR_ACKED ? tick - d->una : 0;
	d->una = tick;
	d->flags |= DIR_ACKED;
	/* The edge answers the peer's last one when it carries the value that follows from it. */
	if (period >= MIN_PERIOD && period <= MAX_PERIOD && peer->flags & DIR_ACKED &&
	    peer->nxt == (up ? !spin : spin) && tick - peer->una < period)
		meter_sample(m, f, !dir, peer->una, tick, SAMPLE_PROMPT);
}
