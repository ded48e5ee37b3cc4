/* SPDX-License-Identifier: BSD-3-Clause */
#include "collectors/pcap.h"

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>

#include "collectors/capture.h"
#include "engine/decode.h"

/* Frames are read ahead a few at a time: while these are decoded, memory brings the next. */
enum { LINKTYPE_ETHERNET = 1, READ_AHEAD = 16, PCAP_TAPS = 30 };

/* Frames at..n are read and not yet taken. */
struct file {
	struct capture capture;
	struct raw_frame frames[READ_AHEAD];
	uint32_t at, n;
	bool refill; /* to go on, its window must move */
	bool ended, link_told;
};

struct pcap_source {
	struct source source; /* first: the face */
	struct pcap_options options;
	struct file *files; /* owned */
	uint32_t n_files, open, damaged;
	struct decoder decoder;
};

static struct pcap_source *self_of(const struct source *source)
{
	return (struct pcap_source *)source;
}

/* Files beyond PCAP_TAPS share them. */
static uint8_t tap_of(const struct pcap_source *s, const struct file *f)
{
	return (uint8_t)((f - s->files) % PCAP_TAPS);
}

static const char *tap_name(const struct source *source, uint32_t tap)
{
	const struct pcap_source *s = self_of(source);
	return tap < s->n_files ? s->files[tap].capture.name : "";
}

static void end_file(struct pcap_source *s, struct file *f, enum capture_result why)
{
	if (why == CAPTURE_DAMAGED) {
		s->damaged++;
		s->options.problem(s->options.context, f->capture.message);
	}
	f->ended = true;
	s->open--;
	if (s->n_files <= PCAP_TAPS)
		s->source.taps_over |= 1ull << tap_of(s, f);
}

/* Said once a file; each of its packets is counted as unknown_link_type. `index` is that of the
 * frame among those read ahead. */
static void check_link(struct pcap_source *s, struct file *f, uint32_t index)
{
	uint32_t link = f->frames[index].link;
	char message[CAPTURE_MESSAGE];
	if (f->link_told || decode_knows_link(link))
		return;
	f->link_told = true;
	snprintf(message, sizeof message,
		 "%s: packet %llu: link type %u is unknown: such packets are counted, not decoded",
		 f->capture.name, (unsigned long long)(f->capture.records - f->n + index + 1),
		 link);
	s->options.problem(s->options.context, message);
}

/* Reads frames ahead until the window would have to move. All of a pcap are of one link type. */
static void read_ahead(struct pcap_source *s, struct file *f)
{
	enum capture_result why;
	uint32_t look;
	f->at = 0;
	f->n = capture_burst(&f->capture, f->frames, READ_AHEAD, &why);
	f->refill = why == CAPTURE_REFILL;
	look = f->capture.pcapng || f->n == 0 ? f->n : 1;
	for (uint32_t i = 0; i < look && !f->link_told; i++)
		if (f->frames[i].link != LINKTYPE_ETHERNET)
			check_link(s, f, i);
	if (why == CAPTURE_END || why == CAPTURE_DAMAGED)
		end_file(s, f, why);
}

/* Moves the windows that must move; nobody holds a frame now. */
static void refill(struct pcap_source *s)
{
	for (uint32_t i = 0; i < s->n_files; i++) {
		struct file *f = &s->files[i];
		while (!f->ended && f->at == f->n) {
			enum capture_result rc =
				f->refill ? capture_refill(&f->capture) : CAPTURE_FRAME;
			if (rc == CAPTURE_FRAME)
				read_ahead(s, f);
			else
				end_file(s, f, rc);
		}
	}
}

/* The file whose next frame is the oldest; NULL when one must be refilled first, or all are at
 * their ends. Until *limit_ns no other file has a frame. */
static struct file *oldest(struct pcap_source *s, uint64_t *limit_ns)
{
	struct file *best = NULL;
	uint64_t best_ns = UINT64_MAX;
	*limit_ns = UINT64_MAX;
	for (uint32_t i = 0; i < s->n_files; i++) {
		struct file *f = &s->files[i];
		uint64_t ts_ns;
		if (f->at == f->n && f->ended)
			continue;
		if (f->at == f->n)
			return NULL;
		ts_ns = f->frames[f->at].ts_ns;
		if (!best || ts_ns < best_ns) {
			*limit_ns = best_ns;
			best_ns = ts_ns;
			best = f;
		} else if (ts_ns < *limit_ns) {
			*limit_ns = ts_ns;
		}
	}
	return best;
}

/* Decodes frames of the file while it has the oldest one: the first whatever its time. */
static void take(struct pcap_source *s, struct file *f, uint64_t limit_ns, struct burst *burst)
{
	uint32_t room = BURST_MAX - burst->n, left = f->n - f->at, n = 1, from;
	if (left > room)
		left = room;
	if (s->n_files == 1)
		n = left;
	while (n < left && f->frames[f->at + n].ts_ns < limit_ns)
		n++;
	from = burst->n;
	decode_frames(&s->decoder, burst, f->frames + f->at, n);
	for (uint32_t i = from; s->n_files > 1 && i < burst->n; i++)
		burst->extra[i].tap = tap_of(s, f);
	f->at += n;
}

static int next(struct source *source, struct burst *burst)
{
	struct pcap_source *s = self_of(source);
	uint64_t limit_ns;
	struct file *f;
	burst->n = 0;
	refill(s);
	while (burst->n < BURST_MAX && (f = oldest(s, &limit_ns)) != NULL) {
		take(s, f, limit_ns, burst);
		if (f->at == f->n && !f->refill && !f->ended)
			read_ahead(s, f);
	}
	decode_burst(&s->decoder, burst);
	return burst->n || s->open ? SOURCE_MORE : SOURCE_END;
}

static const struct source_stats *stats(struct source *source)
{
	return &self_of(source)->decoder.stats;
}

static void close_source(struct source *source)
{
	struct pcap_source *s = self_of(source);
	for (uint32_t i = 0; i < s->n_files; i++)
		capture_close(&s->files[i].capture);
	free(s->files);
	free(s);
}

int pcap_open(struct source **source, const struct pcap_options *options)
{
	struct pcap_source *s = calloc(1, sizeof *s);
	int failed = 0;
	*source = NULL;
	if (!s)
		return -ENOMEM;
	s->source = (struct source){
		.next = next, .close = close_source, .stats = stats, .tap_name = tap_name};
	s->options = *options;
	for (uint32_t i = 0; i < options->n_ac_macs; i++)
		decode_add_ac(&s->decoder, options->ac_macs[i]);
	s->files = calloc(options->n_files ? options->n_files : 1, sizeof *s->files);
	if (!s->files) {
		free(s);
		return -ENOMEM;
	}
	for (uint32_t i = 0; i < options->n_files; i++) {
		struct file *f = &s->files[s->n_files];
		*f = (struct file){.refill = true};
		if (capture_open(&f->capture, options->files[i]) == 0) {
			f->capture.needed = 1;
			s->n_files++;
			continue;
		}
		options->problem(options->context, f->capture.message);
		capture_close(&f->capture);
		failed++;
	}
	s->open = s->n_files;
	s->source.n_taps = s->n_files < PCAP_TAPS ? s->n_files : PCAP_TAPS;
	if (s->n_files)
		*source = &s->source;
	else
		close_source(&s->source);
	return failed;
}

double pcap_progress(const struct source *source)
{
	const struct pcap_source *s = self_of(source);
	uint64_t size = 0, read = 0;
	for (uint32_t i = 0; i < s->n_files; i++) {
		if (!s->files[i].capture.input.size)
			return -1;
		size += s->files[i].capture.input.size;
		read += s->files[i].capture.input.read;
	}
	return size ? (double)read / (double)size : -1;
}

uint32_t pcap_damaged(const struct source *source)
{
	return self_of(source)->damaged;
}
