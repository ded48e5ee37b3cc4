/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What a packet costs in the kernel, and what its record costs in user space:
 *
 *   tap_bench LAPS CAPTURE
 *
 * Every frame of the capture goes through the XDP program by BPF_PROG_TEST_RUN, and through an
 * empty one in turn; the difference is what the tap costs. "read" is the reader alone, "whole"
 * the engine's lane behind it, thread CPU time. One line a figure: name, value, unit.
 */
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "collectors/capture.h"
#include "engine/lane.h"
#include "tests/ebpf/tap_rig.h"

enum { TIMES = 32, RECORDS = 16384, FRAMES = 1024, MAX_LAPS = 101 };

struct cost {
	double tap_ns, empty_ns, sent_ns;
	uint64_t n;
};

static int add(struct tap_rig *rig, const struct raw_frame *frame, struct cost *cost)
{
	int tap = tap_rig_time(rig, TAP_RIG_RECEIVED, frame, TIMES);
	int empty = tap_rig_time(rig, TAP_RIG_NOTHING, frame, TIMES);

	if (tap < 0 || empty < 0)
		return -1;
	cost->tap_ns += tap;
	cost->empty_ns += empty;
	cost->n++;
	tap_rig_drain(rig);
	return 0;
}

int main(int argc, char **argv)
{
	struct tap_rig rig;
	struct capture capture;
	struct raw_frame frame;
	struct cost cost = {0};
	enum capture_result why;
	if (argc < 2 || tap_rig_open(&rig, RECORDS, FRAMES, false))
		return 1;
	if (capture_open(&capture, argv[1]))
		return 1;
	for (why = CAPTURE_FRAME; why != CAPTURE_END && why != CAPTURE_DAMAGED;) {
		why = capture_next(&capture, &frame);
		if (why == CAPTURE_REFILL) why = capture_refill(&capture);
		else if (why == CAPTURE_FRAME)
		if (add(&rig, &frame, &cost)) return 1;
	}
	printf("tap %.1f empty %.1f over %.1f n %lu\n", cost.tap_ns / cost.n, cost.empty_ns / cost.n, (cost.tap_ns-cost.empty_ns) / cost.n, cost.n);
}
