/* SPDX-License-Identifier: BSD-3-Clause */
#include "engine/packet/window.h"

#include <errno.h>
#include <string.h>

#include "engine/base/clock.h"
#include "engine/base/fetch.h"
#include "engine/base/mem.h"
#include "engine/packet/worker.h"

enum {
	FETCH_AHEAD = 8,
	OLD_TICKS = 1 << 30, /* 137 s: what is this old may be older */
	LATE_TICKS = (int)(CLOCK_BEHIND_NS / HIST_TICK_NS),
	WINDOW_BEATS = (int)(WINDOW_NS >> BEAT_SHIFT) + 8,
};

static size_t list_bytes(uint32_t max_lines)
{
	return (max_lines + 1ull) * sizeof(uint32_t);
}

int window_init(struct window *v, uint32_t max_lines)
{
	*v = (struct window){.mark = PULSE_EVEN};
	v->list[0] = mem_reserve(list_bytes(max_lines));
	v->list[1] = mem_reserve(list_bytes(max_lines));
	return v->list[0] && v->list[1] ? 0 : -ENOMEM;
}

void window_fini(struct window *v, uint32_t max_lines)
{
	mem_release(v->list[0], list_bytes(max_lines));
	mem_release(v->list[1], list_bytes(max_lines));
	*v = (struct window){0};
}

static uint32_t mark(uint32_t parity)
{
	return parity ? PULSE_ODD : PULSE_EVEN;
}

static bool is_listed(const struct pulse *pulse, uint32_t parity)
{
	return (pulse->state & PULSE_LISTED) == mark(parity);
}

static void set_listed(struct pulse *pulse, uint32_t list)
{
	pulse->state = (pulse->state & ~(uint32_t)PULSE_LISTED) | list;
}

/* Start of the window that counts for the line now. */
static uint64_t start_of(const struct window *v, const struct pulse *pulse)
{
	if (is_listed(pulse, v->parity) || !v->closing_end_ns)
		return v->start_ns;
	return v->closing_end_ns - WINDOW_NS;
}

/* A frame that counts in the window passed in it or, late, a little before. */
uint64_t window_last_up_ns(const struct worker *w, uint32_t line)
{
	const struct pulse *pulse = line_pulse(&w->meter.lines, line);
	uint64_t near = start_of(&w->window, pulse);
	int32_t after = (int32_t)(pulse->up_tick - meter_tick(near));
	if (!pulse->packets[UP] || after < -LATE_TICKS)
		return line_at(&w->meter.lines, line)->last_up_ns;
	return near - near % HIST_TICK_NS + (uint64_t)((int64_t)after * HIST_TICK_NS);
}

/* Beats behind the window's first, or, of a late frame, a little before it. */
uint32_t window_last_down(const struct worker *w, uint32_t line)
{
	const struct pulse *pulse = line_pulse(&w->meter.lines, line);
	uint32_t near = (uint32_t)(start_of(&w->window, pulse) >> BEAT_SHIFT);
	uint32_t after = (pulse->down_at - near) & BEAT_MASK;
	if (!pulse->down_at)
		return line_at(&w->meter.lines, line)->last_down;
	return near + after - (after > WINDOW_BEATS ? BEAT_MASK + 1 : 0);
}

void window_keep_last(struct worker *w, uint32_t index)
{
	struct line *line = line_at(&w->meter.lines, index);
	uint64_t last_up_ns = window_last_up_ns(w, index);
	uint32_t last_down = window_last_down(w, index);
	if (last_up_ns > line->last_up_ns)
		line->last_up_ns = last_up_ns;
	if (!line->last_down || (int32_t)(last_down - line->last_down) > 0)
		line->last_down = last_down;
	line_pulse(&w->meter.lines, index)->down_at = 0;
}

/* The line goes on in another window. Ticks wrap in nine minutes: a frame before it stays before it,
 * however long the line is silent, or the outbox full. */
static void age(struct pulse *pulse, uint64_t start_ns)
{
	uint32_t start = meter_tick(start_ns);
	if (pulse->packets[UP] || start - pulse->up_tick > OLD_TICKS)
		pulse->up_tick = start - OLD_TICKS;
}

static void fill_record(const struct worker *w, uint32_t index, struct out_window *record)
{
	const struct pulse *pulse = line_pulse(&w->meter.lines, index);
	const struct line *line = line_at(&w->meter.lines, index);
	*record = (struct out_window){
		.out = worker_out(w, OUT_WINDOW, index),
		.start_ns = start_of(&w->window, pulse),
		.last_up_ns = line->last_up_ns,
		.bytes = {pulse->bytes[UP], pulse->bytes[DOWN]},
		.packets = {pulse->packets[UP], pulse->packets[DOWN]},
		.data_packets = {pulse->data[UP], pulse->data[DOWN]},
		.lost_before = {line->trouble.lost_before[UP], line->trouble.lost_before[DOWN]},
		.lost_after = {line->trouble.lost_after[UP], line->trouble.lost_after[DOWN]},
		.spurious = {line->trouble.spurious[UP], line->trouble.spurious[DOWN]},
		.reordered = {line->trouble.reordered[UP], line->trouble.reordered[DOWN]},
		.tail_loss = {line->trouble.tail_loss[UP], line->trouble.tail_loss[DOWN]},
	};
}

static void take_samples(struct worker *w, struct pulse *pulse, struct out_window *record)
{
	struct line_samples *samples;
	if (!pulse->samples)
		return;
	samples = pool_at(&w->meter.samples, pulse->samples);
	record->n_samples = samples->n;
	memcpy(record->samples, samples->value, samples->n * sizeof *samples->value);
	pool_give(&w->meter.samples, pulse->samples);
	pulse->samples = 0;
}

static void start_again(struct pulse *pulse, struct line *line)
{
	memset(pulse->bytes, 0, sizeof pulse->bytes);
	memset(pulse->packets, 0, sizeof pulse->packets);
	memset(pulse->data, 0, sizeof pulse->data);
	line->trouble = (struct line_trouble){0};
}

/* A record of nothing but the samples, for nothing else of the line need be in a cache. False: no room. */
static bool tell_samples(struct worker *w, uint32_t index)
{
	struct pulse *pulse = line_pulse(&w->meter.lines, index);
	struct out_window *record = worker_tell(w, sizeof *record);
	if (!record)
		return false;
	*record = (struct out_window){
		.out = worker_out(w, OUT_WINDOW, index),
		.start_ns = start_of(&w->window, pulse),
		.only_samples = true,
	};
	take_samples(w, pulse, record);
	ring_commit(w->outbox);
	return true;
}

/* Everything is a difference: a ring that is full for the moment only puts the record off. */
bool window_tell_line(struct worker *w, uint32_t index)
{
	struct pulse *pulse = line_pulse(&w->meter.lines, index);
	struct line *line = line_at(&w->meter.lines, index);
	struct out_window *record;
	if (!pulse->packets[UP] && !pulse->packets[DOWN] && !pulse->samples)
		return true;
	window_keep_last(w, index);
	record = worker_tell(w, sizeof *record);
	if (!record)
		return false;
	fill_record(w, index, record);
	take_samples(w, pulse, record);
	start_again(pulse, line);
	ring_commit(w->outbox);
	return true;
}

void window_open_line(struct worker *w, uint32_t index)
{
	struct window *v = &w->window;
	struct pulse *pulse = line_pulse(&w->meter.lines, index);
	if (pulse->state & PULSE_LISTED)
		window_tell_line(w, index);
	age(pulse, v->start_ns);
	set_listed(pulse, mark(v->parity));
	v->list[v->parity][v->n[v->parity]++] = index;
}

/* Lines that were touched since have moved to the other list, and left their record then. */
static bool close_line(struct worker *w, uint32_t index, uint32_t parity)
{
	struct pulse *pulse = line_pulse(&w->meter.lines, index);
	if (!is_listed(pulse, parity))
		return true;
	if (!window_tell_line(w, index))
		return false;
	set_listed(pulse, 0);
	return true;
}

static void fetch(const struct worker *w, const struct window *v, uint32_t closing)
{
	uint32_t ahead = v->at + FETCH_AHEAD, line;
	if (ahead >= v->n[closing])
		return;
	line = v->list[closing][ahead];
	fetch_line(line_pulse(&w->meter.lines, line));
	fetch_two(line_at(&w->meter.lines, line));
}

static void tell_closed(struct worker *w)
{
	struct out_closed *record = worker_tell(w, sizeof *record);
	if (!record)
		return; /* at the next slice */
	*record = (struct out_closed){
		.out = worker_out(w, OUT_CLOSED, 0),
		.end_ns = w->window.closing_end_ns,
	};
	w->window.closing_end_ns = 0;
	ring_commit(w->outbox);
}

void window_slice(struct worker *w, uint32_t lines)
{
	struct window *v = &w->window;
	uint32_t closing = !v->parity;
	if (!v->closing_end_ns)
		return;
	for (; lines && v->at < v->n[closing]; lines--, v->at++) {
		fetch(w, v, closing);
		if (!close_line(w, v->list[closing][v->at], closing))
			return;
	}
	if (v->at < v->n[closing])
		return;
	v->n[closing] = v->at = 0;
	tell_closed(w);
}

/* The outbox is full, and time goes on: lines that have not left their record yet count on in the
 * window that ends now. */
static void put_off(struct worker *w)
{
	struct window *v = &w->window;
	uint32_t closing = !v->parity;
	for (; v->at < v->n[closing]; v->at++) {
		uint32_t line = v->list[closing][v->at];
		struct pulse *pulse = line_pulse(&w->meter.lines, line);
		if (!is_listed(pulse, closing))
			continue;
		window_keep_last(w, line);
		age(pulse, v->start_ns);
		set_listed(pulse, mark(v->parity));
		v->list[v->parity][v->n[v->parity]++] = line;
	}
	v->n[closing] = 0;
}

/* The lines of the window before it have gone by now as a rule: there were no more of them than
 * packets. */
static void end_window(struct worker *w, uint64_t end_ns)
{
	struct window *v = &w->window;
	window_slice(w, UINT32_MAX);
	put_off(w);
	v->closing_end_ns = end_ns;
	v->parity = !v->parity;
	v->mark = mark(v->parity);
	v->at = 0;
}

static void end_second(struct worker *w)
{
	struct window *v = &w->window;
	struct out_second *record = v->packets ? worker_tell(w, sizeof *record) : NULL;
	if (!record)
		return;
	*record = (struct out_second){
		.out = worker_out(w, OUT_SECOND, 0),
		.start_ns = v->second_ns,
		.packets = v->packets,
		.lines_heard = v->heard,
	};
	v->packets = v->heard = 0;
	ring_commit(w->outbox);
}

void window_advance(struct worker *w, uint64_t clock_ns)
{
	struct window *v = &w->window;
	uint64_t second = clock_ns - clock_ns % SECOND_NS, start = clock_ns - clock_ns % WINDOW_NS;
	worker_pass_samples(w); /* they belong to the time that ends */
	if (v->running && second != v->second_ns)
		end_second(w);
	if (v->running && start != v->start_ns)
		end_window(w, v->start_ns + WINDOW_NS);
	v->running = true;
	v->second_ns = second;
	v->second_tick = meter_tick(second);
	v->start_ns = start;
	w->clock_ns = clock_ns;
}

bool window_flush(struct worker *w)
{
	struct window *v = &w->window;
	worker_pass_samples(w);
	if (!v->running)
		return true;
	end_second(w);
	window_slice(w, UINT32_MAX);
	if (!v->closing_end_ns && v->n[v->parity]) {
		end_window(w, v->start_ns + WINDOW_NS);
		window_slice(w, UINT32_MAX);
	}
	return !v->closing_end_ns && !v->n[v->parity];
}

void window_sample(struct worker *w, uint32_t line, enum line_hist hist, uint32_t ticks)
{
	struct pulse *pulse = line_pulse(&w->meter.lines, line);
	struct line_samples *samples;
	if (pulse->samples &&
	    ((struct line_samples *)pool_at(&w->meter.samples, pulse->samples))->n ==
		    WINDOW_SAMPLES)
		tell_samples(w, line);
	if (!pulse->samples) {
		pulse->samples = pool_take(&w->meter.samples);
		if (!pulse->samples)
			return;
		samples = pool_at(&w->meter.samples, pulse->samples);
		samples->n = 0;
	}
	samples = pool_at(&w->meter.samples, pulse->samples);
	if (samples->n == WINDOW_SAMPLES)
		w->samples_lost++; /* the ring is full */
	else
		samples->value[samples->n++] = (uint32_t)hist << SAMPLE_KIND_SHIFT | ticks;
}
