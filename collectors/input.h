/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Bytes of a capture file, plain, gzip or zstd, from a path or from standard input ("-").
 *
 * A window over the stream: input_left says how many bytes lie in the window, input_refill moves
 * it on. Pointers into the window die with a refill, so whoever holds some lets go first.
 *
 * A plain file that is larger than one window is mapped, and the window is a part of the mapping:
 * nothing is copied. Everything else is read into a window that is small enough to stay in the
 * second-level cache, where the kernel's copy or the codec has just put it; it grows only for a
 * record that is larger. Bytes appended to a mapped file are read at its end. One thread.
 */
#ifndef RASAD_COLLECTORS_INPUT_H
#define RASAD_COLLECTORS_INPUT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "collectors/mapping.h"

enum {
	INPUT_WINDOW = 256 * 1024,
	INPUT_MAX_WINDOW = 64 * 1024 * 1024,
	INPUT_MAPPED_STEP = 16 * 1024 * 1024, /* a window of a mapping */
};

struct input {
	const uint8_t *window; /* `buffer`, or the mapping from its first byte on */
	size_t at, end, room;
	uint8_t *buffer; /* owned; NULL while mapped */
	struct mapping mapping;
	int fd;
	void *codec; /* z_stream or ZSTD_DStream, owned */
	int (*decode)(struct input *input, uint8_t *to, size_t room, size_t *got);
	uint8_t *packed; /* owned: compressed bytes */
	size_t packed_at, packed_end;
	uint64_t read, size; /* bytes read from the file, and its size (0: unknown) */
	int eof, error;	     /* error: -errno, sticky */
	int in_stream;	     /* a compressed stream has begun and not ended */
};

/* 0 or -errno. */
int input_open(struct input *input, const char *path);
void input_close(struct input *input);

/*
 * Maps the rest of a plain regular file; input_open does so where it pays. False leaves everything
 * as it was (not a file, compressed, at its end, no mapping to be had). Invalidates pointers into
 * the window.
 */
bool input_map(struct input *input);

/* The file became shorter under the window: what was read last may be zeroes that never were. */
static inline bool input_is_torn(const struct input *input)
{
	return mapping_is_torn(&input->mapping);
}

static inline size_t input_left(const struct input *input)
{
	return input->end - input->at;
}

static inline const uint8_t *input_at(const struct input *input)
{
	return input->window + input->at;
}

/*
 * Makes at least `n` bytes available if the file still has them: 1 when they are there, 0 at the
 * end of the file, -errno on failure (-EMSGSIZE above INPUT_MAX_WINDOW, -EBADMSG for damaged
 * compression, -ENODATA for a compressed file that is cut off, -ESTALE for one that became shorter). Invalidates pointers into the window.
 */
int input_refill(struct input *input, size_t n);

#endif
