/* SPDX-License-Identifier: BSD-3-Clause */
#include "tests/ebpf/tap_rig.h"

#include <errno.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include <bpf/bpf.h>
#include <bpf/libbpf.h>

#include "ebpf/tap.skel.h"

enum { LEAST = 14, MOST = 2048 };

static int only_errors(enum libbpf_print_level level, const char *format, va_list arguments)
{
	return level == LIBBPF_DEBUG ? 0 : vfprintf(stderr, format, arguments);
}

static void *map(const struct bpf_map *of, size_t bytes)
{
	void *at = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_SHARED, bpf_map__fd(of), 0);

	return at == MAP_FAILED ? NULL : at;
}

/* One reader for all CPUs, though only one will ever be used. */
static int map_all(struct tap_rig *rig)
{
	struct tap_memory *m = &rig->memory;

	rig->bytes[0] = m->n_cpus * sizeof *m->rings;
	rig->bytes[1] = m->n_cpus * (size_t)m->n_records * sizeof *m->records;
	rig->bytes[2] = m->n_cpus * (size_t)m->n_frames * sizeof *m->frames;
	m->rings = map(rig->bpf->maps.rings, rig->bytes[0]);
	m->records = map(rig->bpf->maps.records, rig->bytes[1]);
	m->frames = map(rig->bpf->maps.frames, rig->bytes[2]);
	rig->places = calloc(m->n_cpus, sizeof *rig->places);
	rig->reader.memory = m;
	rig->reader.places = rig->places;
	rig->reader.n_places = m->n_cpus;
	for (uint32_t i = 0; rig->places && i < m->n_cpus; i++)
		rig->places[i].cpu = i;
	return m->rings && m->records && m->frames && rig->places ? 0 : -ENOMEM;
}

/* Frames of one capture shall come out in the order in which they went in. */
static void stay_on_this_cpu(void)
{
	cpu_set_t one;

	CPU_ZERO(&one);
	CPU_SET(sched_getcpu(), &one);
	sched_setaffinity(0, sizeof one, &one);
}

int tap_rig_open(struct tap_rig *rig, uint32_t n_records, uint32_t n_frames, bool plays)
{
	struct tap_memory *m = &rig->memory;
	int status;

	*rig = (struct tap_rig){0};
	libbpf_set_print(only_errors);
	rig->bpf = tap_bpf__open();
	if (!rig->bpf)
		return -errno;
	m->n_cpus = (uint32_t)libbpf_num_possible_cpus();
	rig->bpf->rodata->tap_records = m->n_records = n_records;
	rig->bpf->rodata->tap_frames = m->n_frames = n_frames;
	rig->bpf->rodata->tap_plays = plays;
	bpf_map__set_max_entries(rig->bpf->maps.rings, m->n_cpus);
	bpf_map__set_max_entries(rig->bpf->maps.records, m->n_cpus * n_records);
	bpf_map__set_max_entries(rig->bpf->maps.frames, m->n_cpus * n_frames);
	status = tap_bpf__load(rig->bpf);
	stay_on_this_cpu();
	return status ? status : map_all(rig);
}

static void unmap(const void *at, size_t bytes)
{
	if (at)
		munmap((void *)at, bytes);
}

void tap_rig_close(struct tap_rig *rig)
{
	unmap(rig->memory.rings, rig->bytes[0]);
	unmap(rig->memory.records, rig->bytes[1]);
	unmap(rig->memory.frames, rig->bytes[2]);
	free(rig->places);
	tap_bpf__destroy(rig->bpf);
	*rig = (struct tap_rig){0};
}

static int run(const struct bpf_program *program, const uint8_t *bytes, uint32_t n, uint32_t times,
	       uint32_t *duration_ns)
{
	uint8_t padded[LEAST] = {0};
	LIBBPF_OPTS(bpf_test_run_opts, options, .repeat = (int)times);
	int status;

	if (n < LEAST)
		bytes = memcpy(padded, bytes, n);
	options.data_in = bytes;
	options.data_size_in = n < LEAST ? LEAST : n < MOST ? n : MOST;
	status = bpf_prog_test_run_opts(bpf_program__fd(program), &options);
	*duration_ns = options.duration;
	return status;
}

int tap_rig_play(struct tap_rig *rig, const struct raw_frame *frame)
{
	uint32_t duration_ns;

	rig->bpf->bss->tap_play = (struct tap_play){
		.clock_ns = frame->ts_ns,
		.caplen = frame->caplen,
		.wire_len = frame->wire_len,
		.link = frame->link,
	};
	return run(rig->bpf->progs.tap_received, frame->bytes, frame->caplen, 1, &duration_ns);
}

int tap_rig_time(struct tap_rig *rig, enum tap_rig_program program, const struct raw_frame *frame,
		 uint32_t times)
{
	const struct bpf_program *programs[] = {
		[TAP_RIG_RECEIVED] = rig->bpf->progs.tap_received,
		[TAP_RIG_SENT] = rig->bpf->progs.tap_sent,
		[TAP_RIG_NOTHING] = rig->bpf->progs.tap_nothing,
	};
	uint32_t duration_ns;
	int status = run(programs[program], frame->bytes, frame->caplen, times, &duration_ns);

	return status ? status : (int)duration_ns;
}

const struct tap_record *tap_rig_record(struct tap_rig *rig)
{
	const struct tap_memory *m = &rig->memory;
	const struct tap_record *record = NULL;

	for (uint32_t i = 0; i < m->n_cpus; i++)
		if (m->rings[i].head != m->rings[i].tail)
			record = &m->records[i * (size_t)m->n_records +
					     ((m->rings[i].head - 1) & (m->n_records - 1))];
	tap_rig_drain(rig);
	return record;
}

void tap_rig_drain(struct tap_rig *rig)
{
	for (uint32_t i = 0; i < rig->memory.n_cpus; i++) {
		struct tap_ring *ring = &rig->memory.rings[i];

		ring->tail = ring->head;
		ring->frame_tail = ring->frame_head;
		rig->places[i].at = rig->places[i].head = ring->head;
		rig->places[i].frame = ring->frame_head;
	}
}
