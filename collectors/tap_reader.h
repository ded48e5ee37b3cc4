/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Reads the rings of the kernel tap (ebpf/tap.h): those of one CPU, or of several merged by time.
 * Plain memory; knows nothing of how it came to be. Belongs to one thread.
 *
 * Bytes of control messages stay where the kernel has put them until the next burst is asked for.
 */
#ifndef RASAD_COLLECTORS_TAP_READER_H
#define RASAD_COLLECTORS_TAP_READER_H

#include <stdbool.h>
#include <stdint.h>

#include "ebpf/tap.h"
#include "engine/decode.h"

/* The rings of all CPUs, one behind the other. */
struct tap_memory {
	struct tap_ring *rings;
	const struct tap_record *records;
	const struct tap_frame *frames;
	uint32_t n_cpus;
	uint32_t n_records, n_frames; /* of each CPU: powers of two */
};

/* An interface: what it receives, and what it sends, comes from which side of the BRAS. */
struct tap_port {
	uint32_t index;
	uint8_t received, sent; /* enum pkt_dir */
};

/* How far one CPU's rings have been read. */
struct tap_place {
	uint32_t cpu;
	uint64_t at, head; /* next record; records that were there when last looked */
	uint64_t frame;	   /* frames that are not needed after this burst */
};

struct tap_reader {
	const struct tap_memory *memory;
	const struct tap_port *ports;
	uint32_t n_ports;
	struct tap_place *places; /* not owned: of the CPUs that this one reads */
	uint32_t n_places;
	uint64_t offset_ns; /* from the clock of the records to Unix time */
	struct decoder decoder;
};

/* Some records, decoded to the end; burst->n is 0 when there are none. */
void tap_read(struct tap_reader *reader, struct burst *burst);

/* From now on the kernel wakes who waits when a quarter of a ring is full, or no more. Returns
 * whether as much is there already. */
bool tap_sleep(const struct tap_reader *reader, bool asleep);

/* The decoder's counters, and those of the rings. */
const struct source_stats *tap_stats(struct tap_reader *reader);

#endif
