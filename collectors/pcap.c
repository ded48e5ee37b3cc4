/* SPDX-License-Identifier: BSD-3-Clause */
#include "collectors/pcap.h"

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>

#include "collectors/capture.h"
#include "engine/decode.h"

enum { LINKTYPE_ETHERNET = 1 };

struct file {
	struct capture capture;
	struct capture_frame frame; /* the next one, when `ready` */
	bool ready, refill, ended, link_told;
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

static void end_file(struct pcap_source *s, struct file *f, enum capture_result why)
{
	if (why == CAPTURE_DAMAGED) {
		s->damaged++;
		s->options.problem(s->options.context, f->capture.message);
	}
	f->ended = true;
	s->open--;
}

/* Said once a file; each of its packets is counted as unknown_link_type. */
static void check_link(struct pcap_source *s, struct file *f)
{
	char message[CAPTURE_MESSAGE];
	if (f->link_told || decode_knows_link(f->frame.link))
		return;
	f->link_told = true;
	snprintf(message, sizeof message,
		 "%s: packet %llu: link type %u is unknown: such packets are counted, not decoded",
		 f->capture.name, (unsigned long long)f->capture.records, f->frame.link);
	s->options.problem(s->options.context, message);
}

/* Reads the next frame of the file unless the window would have to move. */
static void advance(struct pcap_source *s, struct file *f)
{
	enum capture_result rc = capture_next(&f->capture, &f->frame);
	f->ready = rc == CAPTURE_FRAME;
	f->refill = rc == CAPTURE_REFILL;
	if (f->ready && f->frame.link != LINKTYPE_ETHERNET)
		check_link(s, f);
	if (!f->ready && !f->refill)
		end_file(s, f, rc);
}

/* Moves the windows that must move; nobody holds a frame now. */
static void refill(struct pcap_source *s)
{
	for (uint32_t i = 0; i < s->n_files; i++) {
		struct file *f = &s->files[i];
		while (!f->ended && f->refill) {
			enum capture_result rc = capture_refill(&f->capture);
			f->refill = false;
			if (rc == CAPTURE_FRAME)
				advance(s, f);
			else
				end_file(s, f, rc);
		}
	}
}

/* The open file whose next frame is the oldest; NULL when one must be refilled first. Until
 * *limit_ns no other file has a frame. */
static struct file *oldest(struct pcap_source *s, uint64_t *limit_ns)
{
	struct file *best = NULL;
	*limit_ns = UINT64_MAX;
	for (uint32_t i = 0; i < s->n_files; i++) {
		struct file *f = &s->files[i];
		if (f->ended)
			continue;
		if (f->refill)
			return NULL;
		if (!best || f->frame.ts_ns < best->frame.ts_ns) {
			*limit_ns = best ? best->frame.ts_ns : UINT64_MAX;
			best = f;
		} else if (f->frame.ts_ns < *limit_ns) {
			*limit_ns = f->frame.ts_ns;
		}
	}
	return best;
}

static void take(struct pcap_source *s, struct file *f, struct burst *burst)
{
	decode_frame(&s->decoder, burst, f->frame.bytes, f->frame.caplen, f->frame.wire_len,
		     f->frame.link, f->frame.ts_ns);
	advance(s, f);
}

static int next(struct source *source, struct burst *burst)
{
	struct pcap_source *s = self_of(source);
	uint64_t limit_ns;
	struct file *f;
	burst->n = 0;
	refill(s);
	while (burst->n < BURST_MAX && (f = oldest(s, &limit_ns)) != NULL)
		do
			take(s, f, burst);
		while (burst->n < BURST_MAX && f->ready && f->frame.ts_ns < limit_ns);
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
	s->source = (struct source){.next = next, .close = close_source, .stats = stats};
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
