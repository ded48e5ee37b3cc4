/* SPDX-License-Identifier: BSD-3-Clause */
#include "engine/packet/meter.h"

#include <stddef.h>

#include "engine/packet/loss.h"
#include "engine/packet/rtt.h"

/* A round trip above this is no network's: a wrapped tick or a stale segment. */
enum {
	SAMPLE_MAX_TICKS = 60000000 / HIST_TICK_NS * 1000,
	MAX_SAMPLE_CHUNKS = 16 << 20, /* 1 GiB of logged samples */
	LINE_SAMPLE_TICKS = 10000000 / HIST_TICK_NS,
};

void meter_init(struct meter *m, uint32_t max_lines, uint32_t max_flows, bool log_samples)
{
	pool_init(&m->segs, sizeof(struct seg_chunk), 2 * max_flows + 4096);
	pool_init(&m->holes, sizeof(struct hole), max_flows + 65536);
	pool_init(&m->resends, sizeof(struct resend), max_flows + 65536);
	pool_init(&m->rares, sizeof(struct flow_dir_rare), 2 * max_flows);
	pool_init(&m->addresses, sizeof(struct flow_addresses), max_flows);
	pool_init(&m->samples, sizeof(struct sample_chunk), MAX_SAMPLE_CHUNKS);
	hist_pools_init(&m->hists, HIST_COUNT * max_lines);
	line_table_init(&m->lines, max_lines);
	m->log_samples = log_samples;
}

void meter_fini(struct meter *m)
{
	pool_fini(&m->segs);
	pool_fini(&m->holes);
	pool_fini(&m->resends);
	pool_fini(&m->rares);
	pool_fini(&m->addresses);
	pool_fini(&m->samples);
	hist_pools_fini(&m->hists);
	line_table_fini(&m->lines);
}

void meter_close(struct meter *m, struct flow *f)
{
	for (int dir = 0; dir < 2; dir++) {
		rtt_forget(m, &f->dir[dir]);
		loss_forget(m, &f->dir[dir]);
		if (f->rare[dir])
			loss_forget_resends(m, pool_at(&m->rares, f->rare[dir]));
	}
}

static void forget_samples(struct meter *m, uint32_t index)
{
	while (index) {
		uint32_t prev = ((struct sample_chunk *)pool_at(&m->samples, index))->prev;
		pool_give(&m->samples, index);
		index = prev;
	}
}

void meter_forget(struct meter *m, struct flow *f)
{
	for (int dir = 0; dir < 2; dir++) {
		if (f->rare[dir])
			pool_give(&m->rares, f->rare[dir]);
		forget_samples(m, f->samples[dir]);
		f->rare[dir] = f->samples[dir] = 0;
	}
	if (f->addresses)
		pool_give(&m->addresses, f->addresses);
	f->addresses = 0;
}

struct flow_dir_rare *meter_rare(struct meter *m, struct flow *f, int dir)
{
	struct flow_dir_rare *rare;
	if (f->rare[dir])
		return pool_at(&m->rares, f->rare[dir]);
	f->rare[dir] = pool_take(&m->rares);
	if (!f->rare[dir])
		return NULL;
	rare = pool_at(&m->rares, f->rare[dir]);
	*rare = (struct flow_dir_rare){0};
	return rare;
}

uint32_t meter_segments(const struct flow_dir *d, uint32_t bytes)
{
	uint32_t mss = d->mss ? d->mss : d->largest ? d->largest : 1460;
	if (bytes <= mss || bytes <= 1460)
		return 1;
	return (bytes + mss - 1) / mss;
}

static void log_sample(struct meter *m, struct flow *f, int dir, uint32_t ticks,
		       enum sample_class class)
{
	struct sample_chunk *c = f->samples[dir] ? pool_at(&m->samples, f->samples[dir]) : NULL;
	if (!c || c->n == METER_SAMPLES_PER_CHUNK) {
		uint32_t index = pool_take(&m->samples);
		if (!index)
			return;
		c = pool_at(&m->samples, index);
		c->prev = f->samples[dir];
		c->n = 0;
		f->samples[dir] = index;
	}
	c->value[c->n++] = ticks << 2 | class;
}

/* The upper envelope of PROMPT samples: up at once, down by a sixteenth a sample. A SINGLE
 * above it has waited for the receiver's delayed-ACK timer. */
static void follow_prompt(struct flow_dir *d, uint32_t ticks)
{
	if (!(d->flags & DIR_PROMPT) || ticks >= d->prompt_hi)
		d->prompt_hi = ticks;
	else
		d->prompt_hi -= (d->prompt_hi - ticks) / 16;
	d->flags |= DIR_PROMPT;
}

/* The receiver may have held this ACK back: no timer is as short as 20 ms, but data may come any
 * time. Before any PROMPT sample the fastest one
 * is the measure. */
static bool sticks_out(const struct flow_dir *d, uint32_t ticks, enum sample_class class)
{
	uint32_t limit = d->prompt_hi + d->prompt_hi / 8;
	if (!(d->flags & DIR_PROMPT))
		limit = d->min_rtt;
	if (class == SAMPLE_SINGLE && limit < d->min_rtt + METER_SHORTEST_DELAY_TICKS)
		limit = d->min_rtt + METER_SHORTEST_DELAY_TICKS;
	return ticks > limit;
}

void meter_sample(struct meter *m, struct flow *f, int dir, uint32_t sent, uint32_t now,
		  enum sample_class class)
{
	struct flow_dir *d = &f->dir[dir];
	struct line *line = line_at(&m->lines, f->line);
	enum line_hist hist = flow_dir_is_up(f, dir) ? HIST_INTERNET : HIST_ACCESS;
	uint32_t ticks = now - sent;
	if (ticks > SAMPLE_MAX_TICKS)
		return;
	if (!(d->flags & DIR_TIMED) || ticks < d->min_rtt)
		d->min_rtt = ticks;
	if (m->log_samples)
		log_sample(m, f, dir, ticks, class);
	if (class == SAMPLE_PROMPT)
		follow_prompt(d, ticks);
	if (class != SAMPLE_PROMPT && sticks_out(d, ticks, class)) {
		hist = HIST_HOST_DELAY;
		ticks -= d->min_rtt;
	} else if (d->flags & DIR_TIMED && now - d->told_tick < LINE_SAMPLE_TICKS) {
		return;
	} else {
		d->told_tick = now;
	}
	d->flags |= DIR_TIMED;
	hist_add(&m->hists, &line->hist[hist], ticks);
}
