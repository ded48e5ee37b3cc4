/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What a worker tells the analysis, as records in a ring of bytes, and the windows that produce
 * most of them.
 *
 * A line counts in its pulse for one window of packet time (WINDOW_NS). Lines that were touched
 * are listed; when the window is over the next one begins at once, with a list of its own, and the
 * old list is walked in slices between bursts, each line leaving one record. A line that is touched
 * before its turn leaves its record then. All that a record says is a difference, so a line whose
 * counters run full leaves one early, and one whose samples do leaves them alone, often, without a
 * touch of its other memory. No cost depends on how much time has passed.
 *
 * Records carry the place of the packet that caused them in the stream (`order`), by which the
 * analysis merges what several workers say into what one would have said.
 */
#ifndef RASAD_ENGINE_PACKET_WINDOW_H
#define RASAD_ENGINE_PACKET_WINDOW_H

#include <stdbool.h>
#include <stdint.h>

#include "engine/packet/line.h"
#include "engine/source.h"

struct worker;

#define WINDOW_NS 10000000000ull
#define SECOND_NS 1000000000ull

enum { WINDOW_SAMPLES = 14 };
enum { WINDOW_SLICE = 32 }; /* lines closed at a time, between as many packets */

/* One sample: its kind (enum line_hist) in the top three bits, ticks below. */
enum { SAMPLE_KIND_SHIFT = 29, SAMPLE_TICKS_MASK = (1 << SAMPLE_KIND_SHIFT) - 1 };

/* Samples of a line in this window. 64 bytes. */
struct line_samples {
	uint32_t n, unused;
	uint32_t value[WINDOW_SAMPLES];
};

enum out_kind {
	OUT_APPEARED, /* struct out_appeared */
	OUT_GONE,     /* struct out: a provisional line; its number is free */
	OUT_SIGNAL,   /* struct out_signal (worker.h) */
	OUT_WINDOW,   /* struct out_window */
	OUT_SECOND,   /* struct out_second */
	OUT_CLOSED,   /* struct out_closed: every line of the window has left its record */
	OUT_TAP,      /* struct out_tap */
};

/* How every record begins. */
struct out {
	uint32_t kind, line;
	uint64_t order;	   /* of the packet that caused it */
	uint64_t clock_ns; /* packet time then */
};

struct out_appeared {
	struct out out;
	struct line_identity identity;
};

/* What a line has done since its last record. */
struct out_window {
	struct out out;
	uint64_t start_ns;   /* of the window */
	uint64_t last_up_ns; /* last upstream frame; 0: never, or only samples are told */
	uint32_t bytes[2];
	uint16_t packets[2], data_packets[2];
	int32_t lost_before[2], lost_after[2], spurious[2];
	uint32_t reordered[2], tail_loss[2];
	bool only_samples; /* they ran full: nothing else is told */
	uint32_t n_samples;
	uint32_t samples[WINDOW_SAMPLES];
};

/* What a worker has done in a second of packet time that had packets. */
struct out_second {
	struct out out;
	uint64_t start_ns;
	uint64_t packets;
	uint64_t lines_heard; /* of which an upstream frame was the first in this second */
};

struct out_closed {
	struct out out;
	uint64_t end_ns; /* of the window */
};

/* A tap saw nothing, or sees again. Of a silence, the clock is that of its beginning. */
struct out_tap {
	struct out out;
	enum tap_news_kind what;
	uint8_t tap;
};

/* The windows of one worker. */
struct window {
	uint64_t start_ns, second_ns; /* of the current ones */
	uint32_t second_tick;
	bool running;		 /* a packet was seen */
	uint64_t closing_end_ns; /* 0: the last window is wholly closed */
	uint32_t *list[2];	 /* owned: lines touched, by parity of the window */
	uint32_t n[2], at;	 /* at: next to close in the closing list */
	uint32_t mark;		 /* pulse.state & PULSE_LISTED of a line of the current one */
	uint32_t parity;	 /* of the current window */
	uint64_t packets, heard; /* of this second */
};

int window_init(struct window *window, uint32_t max_lines);
void window_fini(struct window *window, uint32_t max_lines);

/* Packet time has come to `clock_ns`: ends seconds and windows that are over. */
void window_advance(struct worker *w, uint64_t clock_ns);

/* Closes up to `lines` lines of the window that is over, if one is. */
void window_slice(struct worker *w, uint32_t lines);

/* First packet of a line in this window: lists it. */
void window_open_line(struct worker *w, uint32_t line);

/* Tells now what the line has counted; false: the outbox is full, it goes on counting. */
bool window_tell_line(struct worker *w, uint32_t line);

/* Ends the current window whatever the time, and tells all; false: not yet, the outbox is full. */
bool window_flush(struct worker *w);

/* The line's last upstream frame; 0: never. */
uint64_t window_last_up_ns(const struct worker *w, uint32_t line);

/* The line remembers when it last spoke, and when it heard something. */
void window_keep_last(struct worker *w, uint32_t line);

/* The beat of the line's last frame from the Internet; 0: never. */
uint32_t window_last_down(const struct worker *w, uint32_t line);

/* One sample of a line; a refusal of the pool is counted there. */
void window_sample(struct worker *w, uint32_t line, enum line_hist hist, uint32_t ticks);

#endif
