/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Frames out of an interface, through a packet socket past the queueing discipline. They are built in
 * a burst's own buffers and handed to the kernel with one call a burst. What the interface refuses
 * for want of room is tried again for a while, then counted.
 */
#ifndef RASAD_GEN_LOAD_SEND_H
#define RASAD_GEN_LOAD_SEND_H

#include <stdint.h>

#include "tools/rasad-gen/frame.h"

#define LOAD_BURST 64

struct load_burst;

struct load_send {
	const char *name; /* of the interface; NULL: there is none */
	int fd;
	uint32_t n; /* frames in the burst */
	struct load_burst *burst;
	uint64_t packets, bytes; /* that the interface took */
	uint64_t refused;
};

/* Ends the program with a message if the interface is not there or cannot take `bytes`. */
void load_send_open(struct load_send *s, const char *interface, uint32_t bytes);
/* Where to make the next frame, and that it is there. */
struct frame *load_send_frame(struct load_send *s);
void load_send_add(struct load_send *s);
void load_send_flush(struct load_send *s);
void load_send_close(struct load_send *s);

#endif
