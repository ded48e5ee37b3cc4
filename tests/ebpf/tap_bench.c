/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What a packet costs in the kernel, and what its record costs in user space:
 *
 *   tap_bench LAPS CAPTURE
 *   tap_bench hold INTERFACE
 *
 * The frames of the capture (as far as the carousel has room) go through the XDP program by
 * BPF_PROG_TEST_RUN, lap by lap in turn with an empty one; what one lap costs more is the tap.
 * Then they go through it once more, in portions, each of which is read: "read" is the reader alone,
 * "whole" with the engine's lane behind it, as thread CPU time. One line a figure: name, value,
 * unit; the median of the laps. "hold" hangs the empty program onto an interface until its input ends,
 * for tests/bench/inline.py.
 */
#include <stdio.h>
#include <stdlib.h>
#include <net/if.h>
#include <stdbool.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>

#include <bpf/bpf.h>
#include <bpf/libbpf.h>

#include "collectors/capture.h"
#include "ebpf/tap.h"
#include "ebpf/tap.skel.h"
#include "engine/lane.h"
#include "tests/ebpf/carousel.skel.h"
#include "tests/ebpf/tap_rig.h"

enum {
	HEAD = 128,
	MAX_HEADS = 1 << 20,
	FRAME = 1522, /* a full one with two tags: what says to be longer than it is, is not usual */
	RECORDS = 16384,
	FRAMES = 1024,
	PORTION = 8192,
	PORTIONS = 16,
	MAX_LAPS = 101,
};

struct bench {
	struct tap_rig rig;
	struct carousel_bpf *carousel;
	uint8_t (*heads)[HEAD]; /* owned */
	uint32_t n_heads;
	struct source source;
};

static int fail(const char *why)
{
	fprintf(stderr, "tap_bench: %s\n", why);
	return -1;
}

static double thread_cpu_ns(void)
{
	struct timespec t;
	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
	return (double)t.tv_sec * 1e9 + (double)t.tv_nsec;
}

/* --- loading --- */

static int read_heads(struct bench *b, const char *path)
{
	struct capture capture;
	struct raw_frame f;
	enum capture_result why = CAPTURE_FRAME;

	b->heads = calloc(MAX_HEADS, HEAD);
	if (!b->heads || capture_open(&capture, path))
		return fail("the capture cannot be read");
	while (why == CAPTURE_FRAME && b->n_heads < MAX_HEADS) {
		why = capture_next(&capture, &f);
		if (why == CAPTURE_REFILL)
			why = capture_refill(&capture);
		else if (why == CAPTURE_FRAME)
			memcpy(b->heads[b->n_heads++], f.bytes, f.caplen < HEAD ? f.caplen : HEAD);
	}
	capture_close(&capture);
	return b->n_heads ? 0 : fail("the capture is empty");
}

static int load_carousel(struct bench *b)
{
	struct carousel_bpf *c = b->carousel = carousel_bpf__open();
	void *heads;

	if (!c)
		return fail("no carousel");
	c->rodata->n_heads = b->n_heads;
	bpf_map__set_max_entries(c->maps.heads, b->n_heads);
	if (bpf_map__reuse_fd(c->maps.rings, bpf_map__fd(b->rig.bpf->maps.rings)) ||
	    carousel_bpf__load(c))
		return fail("the carousel cannot be loaded");
	heads = mmap(NULL, (size_t)b->n_heads * HEAD, PROT_READ | PROT_WRITE, MAP_SHARED,
		     bpf_map__fd(c->maps.heads), 0);
	if (heads == MAP_FAILED)
		return fail("the carousel cannot be mapped");
	memcpy(heads, b->heads, (size_t)b->n_heads * HEAD);
	return munmap(heads, (size_t)b->n_heads * HEAD);
}

/* Nanoseconds per packet of `n` packets through `program`. */
static double turn(struct bench *b, const struct bpf_program *program, uint32_t n)
{
	static uint8_t frame[FRAME];
	uint32_t key = 0;
	int fd = bpf_program__fd(program);
	LIBBPF_OPTS(bpf_test_run_opts, options, .data_in = frame, .data_size_in = FRAME,
		    .repeat = (int)n);

	if (bpf_map_update_elem(bpf_map__fd(b->carousel->maps.measured), &key, &fd, 0) ||
	    bpf_prog_test_run_opts(bpf_program__fd(b->carousel->progs.carousel), &options) ||
	    options.retval != 2 /* XDP_PASS */)
		return -1;
	return options.duration;
}

/* --- user space --- */

/* All that has been written is there to be read again. */
static void rewind_rings(struct bench *b)
{
	for (uint32_t i = 0; i < b->rig.memory.n_cpus; i++) {
		struct tap_ring *ring = &b->rig.memory.rings[i];
		uint64_t n = ring->head < PORTION ? ring->head : PORTION;

		ring->tail = b->rig.places[i].at = ring->head - n;
	}
}

static int next(struct source *source, struct burst *burst)
{
	struct bench *b = (struct bench *)((char *)source - offsetof(struct bench, source));

	tap_read(&b->rig.reader, burst);
	return burst->n ? SOURCE_MORE : SOURCE_IDLE;
}

static const struct source_stats *stats(struct source *source)
{
	struct bench *b = (struct bench *)((char *)source - offsetof(struct bench, source));

	return tap_stats(&b->rig.reader);
}

/* The analysis lives on another core; here somebody has to make room. */
static void drain(void *context)
{
	struct lane *lane = context;

	while (ring_peek(&lane->outbox))
		ring_release(&lane->outbox);
}

static int read_all(struct bench *b, struct lane *lane, bool whole, uint64_t *n)
{
	int status = SOURCE_MORE;

	while (status == SOURCE_MORE) {
		status = whole ? lane_step(lane) : next(&b->source, &lane->burst);
		*n += lane->burst.n;
	}
	return status;
}

/* Nanoseconds per packet; records are read a portion at a time. */
static double read_lap(struct bench *b, struct lane *lane, bool whole)
{
	double ns = 0;
	uint64_t n = 0;

	for (int portion = 0; portion < PORTIONS; portion++) {
		double start;

		if (turn(b, b->rig.bpf->progs.tap_received, PORTION) < 0)
			return -1;
		rewind_rings(b);
		start = thread_cpu_ns();
		if (read_all(b, lane, whole, &n) < 0)
			return -1;
		ns += thread_cpu_ns() - start;
		drain(lane);
	}
	return ns / (double)n;
}

/* --- measuring --- */

static int by_value(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;
	return (x > y) - (x < y);
}

static double median(double *values, int n)
{
	qsort(values, (size_t)n, sizeof *values, by_value);
	return values[n / 2];
}

/* Laps of a tenth of a second or so; each figure is of the whole capture. */
static int measure_kernel(struct bench *b, int laps)
{
	double with[MAX_LAPS], without[MAX_LAPS], more[MAX_LAPS];
	uint32_t n = b->n_heads < 1000000 ? 1000000 / b->n_heads * b->n_heads : b->n_heads;

	for (int i = 0; i < laps; i++) {
		without[i] = turn(b, b->rig.bpf->progs.tap_nothing, n);
		with[i] = turn(b, b->rig.bpf->progs.tap_received, n);
		more[i] = with[i] - without[i];
		if (with[i] < 0 || without[i] < 0)
			return fail("a program failed");
	}
	printf("tap_empty %.1f ns/packet\n", median(without, laps));
	printf("tap_whole_program %.1f ns/packet\n", median(with, laps));
	printf("tap_kernel %.1f ns/packet\n", median(more, laps));
	return 0;
}

static int measure_user(struct bench *b, int laps)
{
	static struct lane lane;
	const struct lane_options options = {
		.worker = {.max_lines = 1 << 16,
			   .max_flows = 1 << 18,
			   .full_size = true,
			   .full = drain,
			   .context = &lane},
	};
	double plain[MAX_LAPS], whole[MAX_LAPS];

	b->source = (struct source){.next = next, .stats = stats};
	if (lane_init(&lane, &options))
		return fail("no memory");
	lane.source = &b->source;
	for (int i = 0; i < laps; i++) {
		plain[i] = read_lap(b, &lane, false);
		whole[i] = read_lap(b, &lane, true);
		if (plain[i] < 0 || whole[i] < 0)
			return fail("a program failed");
	}
	printf("tap_read %.1f ns/packet\n", median(plain, laps));
	printf("tap_user %.1f ns/packet\n", median(whole, laps));
	lane_fini(&lane);
	return 0;
}

static int hold(struct bench *b, const char *interface)
{
	struct bpf_link *link = bpf_program__attach_xdp(b->rig.bpf->progs.tap_nothing,
							(int)if_nametoindex(interface));

	if (!link)
		return fail("the empty program cannot be attached");
	puts("attached");
	while (getchar() != EOF)
		continue;
	return bpf_link__destroy(link);
}

static int measure(struct bench *b, int laps, const char *path)
{
	return read_heads(b, path) || load_carousel(b) || measure_kernel(b, laps) ||
	       measure_user(b, laps);
}

int main(int argc, char **argv)
{
	static struct bench b;
	setvbuf(stdout, NULL, _IOLBF, 0);
	bool holds = argc == 3 && strcmp(argv[1], "hold") == 0;
	int laps = argc == 3 ? atoi(argv[1]) : 0, failed;

	if (!holds && (laps < 1 || laps > MAX_LAPS)) {
		fprintf(stderr, "Usage: tap_bench LAPS CAPTURE\n       tap_bench hold INTERFACE\n");
		return 2;
	}
	if (tap_rig_open(&b.rig, RECORDS, FRAMES, false))
		failed = fail("the tap cannot be loaded");
	else
		failed = holds ? hold(&b, argv[2]) : measure(&b, laps, argv[2]);
	carousel_bpf__destroy(b.carousel);
	tap_rig_close(&b.rig);
	free(b.heads);
	return failed ? 1 : 0;
}
