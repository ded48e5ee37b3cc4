/* SPDX-License-Identifier: BSD-3-Clause */
/* The kernel tap without an interface: frames are played through it by BPF_PROG_TEST_RUN. */
#ifndef RASAD_TESTS_EBPF_TAP_RIG_H
#define RASAD_TESTS_EBPF_TAP_RIG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "collectors/tap_reader.h"

struct tap_bpf;

enum tap_rig_program { TAP_RIG_RECEIVED, TAP_RIG_SENT, TAP_RIG_NOTHING };

struct tap_rig {
	struct tap_bpf *bpf;
	struct tap_memory memory;
	struct tap_place *places;
	struct tap_reader reader;
	size_t bytes[3];
};

/* `plays`: a frame has the time, the lengths and the link type that are given, else those of a live
 * one. 0, or -errno: not permitted, or refused, the verifier's reason on stderr. */
int tap_rig_open(struct tap_rig *rig, uint32_t n_records, uint32_t n_frames, bool plays);
void tap_rig_close(struct tap_rig *rig);

/* One frame, once. 0 or -errno. */
int tap_rig_play(struct tap_rig *rig, const struct raw_frame *frame);

/* The same frame `times` times as a live one: nanoseconds for each, or -errno. */
int tap_rig_time(struct tap_rig *rig, enum tap_rig_program program, const struct raw_frame *frame,
		 uint32_t times);

/* The record that was written last, or NULL when none has been since it was last asked for. */
const struct tap_record *tap_rig_record(struct tap_rig *rig);

/* As if all that was written had been read. */
void tap_rig_drain(struct tap_rig *rig);

#endif
