/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Records of one capture file: pcap (microseconds, nanoseconds, both byte orders, the "modified"
 * variant) and pcapng (draft-ietf-opsawg-pcapng: section, interface, enhanced, simple and the
 * obsolete packet block). A record that cannot be is the end of the file, with a message that
 * says where; what was read before stays. The bytes of a frame lie in the window of the input. One
 * thread.
 */
#ifndef RASAD_COLLECTORS_CAPTURE_H
#define RASAD_COLLECTORS_CAPTURE_H

#include <stdbool.h>
#include <stdint.h>

#include "collectors/input.h"
#include "collectors/scout.h"
#include "engine/decode.h"

enum { CAPTURE_MAX_INTERFACES = 1024, CAPTURE_MESSAGE = 256 };

struct capture_interface {
	uint32_t link, snaplen;
	uint64_t ticks_per_s; /* of its time stamps */
	int64_t offset_s;
};

enum capture_result {
	CAPTURE_FRAME,
	CAPTURE_REFILL, /* the window must move: let go of frames, then call capture_refill */
	CAPTURE_END,
	CAPTURE_DAMAGED, /* ended early: capture->message says why */
};

struct capture {
	struct input input;
	const char *name;
	bool swapped, pcapng, fraction_ns, modified;
	bool usual; /* the pcap of today: own byte order, not modified */
	uint32_t link;
	uint64_t records;
	size_t needed;		/* by CAPTURE_REFILL */
	const uint8_t *fetched; /* prefetched up to here */
	struct scouts scouts;
	struct capture_interface *interfaces; /* owned */
	uint32_t n_interfaces;
	char message[CAPTURE_MESSAGE];
};

/* 0, or -1 with capture->message set. `name` is kept, not copied. */
int capture_open(struct capture *capture, const char *name);
void capture_close(struct capture *capture);

/*
 * The next frames, at most `max`; they are good until a refill. Returns how many; when these are
 * fewer than `max`, *why says what stands in the way.
 */
uint32_t capture_burst(struct capture *capture, struct raw_frame *frames, uint32_t max,
		       enum capture_result *why);

/* The same for one frame. */
enum capture_result capture_next(struct capture *capture, struct raw_frame *frame);

/* After CAPTURE_REFILL: CAPTURE_FRAME when there may be more frames now. */
enum capture_result capture_refill(struct capture *capture);

#endif
