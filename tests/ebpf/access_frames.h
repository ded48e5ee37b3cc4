/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Frames for those who decode the usual frame of an access line in one look: such frames and the
 * whole catalogue, cut, lengthened, and changed at random in one to three places, mostly in the
 * headers. Each is given to a check, which has to find the record that the layers make of it.
 */
#ifndef RASAD_TESTS_EBPF_ACCESS_FRAMES_H
#define RASAD_TESTS_EBPF_ACCESS_FRAMES_H

#include <stdint.h>

#include "tests/ebpf/frame.h"

typedef void access_check(const struct frame *f, uint32_t caplen, uint32_t wire_len);

/* Once, before the others. */
void access_frames_build(void);

void access_frames_cut(access_check *check);
void access_frames_changed(access_check *check);

/* Both ends of the flow may be the smaller one, in each part of the comparison. */
void access_frames_ends(access_check *check);

#endif
