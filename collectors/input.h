/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Bytes of a capture file, plain, gzip or zstd, from a path or from standard input ("-").
 *
 * A window over the stream: input_left says how many bytes lie in the window, input_refill moves
 * it on. Pointers into the window die with a refill, so whoever holds some lets go first.
 * The window is small enough to stay in the second-level cache, where the kernel's copy has just
 * put it; it grows only for a record that is larger. One thread.
 */
#ifndef RASAD_COLLECTORS_INPUT_H
#define RASAD_COLLECTORS_INPUT_H

#include <stddef.h>
#include <stdint.h>

enum { INPUT_WINDOW = 256 * 1024, INPUT_MAX_WINDOW = 64 * 1024 * 1024 };

struct input {
	uint8_t *window; /* owned */
	size_t at, end, room;
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
 * compression, -ENODATA for a compressed file that is cut off). Invalidates pointers into the window.
 */
int input_refill(struct input *input, size_t n);

#endif
