/* SPDX-License-Identifier: BSD-3-Clause */
#include "engine/packet/meter.h"

#include <errno.h>
#include <stddef.h>

#include "engine/base/fetch.h"
#include "engine/packet/loss.h"
#include "engine/packet/mini.h"
#include "engine/packet/rtt.h"
#include "engine/packet/window.h"

/* A round trip above this is no network's: a wrapped tick or a stale segment. */
enum {
	SAMPLE_MAX_TICKS = 60000000 / HIST_TICK_NS * 1000,
	MAX_SAMPLE_CHUNKS = 16 << 20, /* 1 GiB of logged samples */
	MAX_EXTRAS = (1 << 24) - 1,   /* numbered in 24 bits */
	TOLD_SHIFT = 16,	      /* periods of 8.4 ms */
};
_Static_assert((int)SAMPLE_MAX_TICKS <= (int)SAMPLE_TICKS_MASK, "a sample fits in a record");

/* Of flows that are in trouble, or have more than two segments under way, there is one in four at
 * most, and 64 k more: a small table may be one great download. */
int meter_init(struct meter *m, uint32_t max_lines, uint32_t max_flows, bool keep_logs)
{
	uint32_t few = max_flows / 4 + 65536, extras = keep_logs ? max_flows : few;
	*m = (struct meter){.keep_logs = keep_logs};
	pool_init(&m->segs, sizeof(struct seg_chunk), few);
	pool_init(&m->holes, sizeof(struct hole), few);
	pool_init(&m->resends, sizeof(struct resend), few);
	pool_init(&m->extras, sizeof(struct flow_extra), extras < MAX_EXTRAS ? extras : MAX_EXTRAS);
	pool_init(&m->logs, sizeof(struct flow_log), max_flows);
	pool_init(&m->log_samples, sizeof(struct sample_chunk), MAX_SAMPLE_CHUNKS);
	pool_init(&m->samples, sizeof(struct line_samples), max_lines);
	return line_table_init(&m->lines, max_lines);
}

void meter_fini(struct meter *m)
{
	pool_fini(&m->segs);
	pool_fini(&m->holes);
	pool_fini(&m->resends);
	pool_fini(&m->extras);
	pool_fini(&m->logs);
	pool_fini(&m->log_samples);
	pool_fini(&m->samples);
	line_table_fini(&m->lines);
}

uint32_t meter_super_segments(const struct flow_dir *d, uint32_t bytes)
{
	uint32_t mss = meter_offered_mss(d);
	if (bytes <= mss)
		return 1;
	if (!mss)
		mss = d->largest ? d->largest : 1460;
	if (mss < METER_LEAST_MSS)
		mss = METER_LEAST_MSS;
	return (bytes + mss - 1) / mss;
}

static void log_sample(struct meter *m, struct dir_log *log, uint32_t ticks,
		       enum sample_class class)
{
	struct sample_chunk *c = log->samples ? pool_at(&m->log_samples, log->samples) : NULL;
	if (!c || c->n == METER_SAMPLES_PER_CHUNK) {
		uint32_t index = pool_take(&m->log_samples);
		if (!index)
			return;
		c = pool_at(&m->log_samples, index);
		c->prev = log->samples;
		c->n = 0;
		log->samples = index;
	}
	c->value[c->n++] = ticks << 2 | class;
}

/* The upper envelope of PROMPT samples: up at once, down by a sixteenth a sample. A SINGLE
 * above it has waited for the receiver's delayed-ACK timer. */
static void follow_prompt(struct flow_dir *d, uint32_t ticks)
{
	uint32_t high = mini_value(d->prompt_hi);
	if (!(d->flags & DIR_PROMPT) || ticks >= high)
		high = ticks;
	else
		high -= (high - ticks) / 16;
	d->prompt_hi = mini_of(high);
	d->flags |= DIR_PROMPT;
}

/* The receiver may have held this ACK back: no timer is as short as 20 ms, but data may come any
 * time. Before any PROMPT sample the fastest one is the measure. */
static bool sticks_out(const struct flow_dir *d, uint32_t ticks, enum sample_class class)
{
	uint32_t least = mini_value(d->min_rtt), limit = least;
	if (d->flags & DIR_PROMPT) {
		limit = mini_value(d->prompt_hi);
		limit += limit / 8;
	}
	if (class == SAMPLE_SINGLE && limit < least + METER_SHORTEST_DELAY_TICKS)
		limit = least + METER_SHORTEST_DELAY_TICKS;
	return ticks > limit;
}

void meter_line_sample(struct meter *m, uint32_t line, enum line_hist hist, uint32_t ticks)
{
	uint32_t chunk = line_pulse(&m->lines, line)->samples;
	if (m->n_queue == METER_QUEUE) {
		m->queue_refused++;
		return;
	}
	m->queue[m->n_queue++] = (struct meter_sample){line, ticks, hist};
	if (chunk)
		fetch_line(pool_at(&m->samples, chunk));
}

void meter_sample(struct meter *m, struct flow *f, int dir, uint32_t sent, uint32_t now,
		  enum sample_class class)
{
	struct flow_dir *d = &f->dir[dir];
	enum line_hist hist = flow_dir_is_up(f, dir) ? HIST_INTERNET : HIST_ACCESS;
	uint32_t ticks = now - sent;
	uint8_t period = (uint8_t)(now >> TOLD_SHIFT);
	struct dir_log *log;
	if (ticks > SAMPLE_MAX_TICKS)
		return;
	if (!(d->flags & DIR_TIMED) || ticks < mini_value(d->min_rtt))
		d->min_rtt = mini_of(ticks);
	log = extra_log(m, f, dir);
	if (log)
		log_sample(m, log, ticks, class);
	if (class == SAMPLE_PROMPT)
		follow_prompt(d, ticks);
	if (class != SAMPLE_PROMPT && sticks_out(d, ticks, class)) {
		hist = HIST_HOST_DELAY;
		ticks -= mini_value(d->min_rtt);
	} else if (d->flags & DIR_TIMED && d->told == period) {
		return;
	} else {
		d->told = period;
	}
	d->flags |= DIR_TIMED;
	meter_line_sample(m, f->line, hist, ticks);
}
