/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Capture files made in memory for tests, in either byte order, and what the reader makes of them.
 */
#ifndef RASAD_TESTS_COLLECTORS_CAPTURE_FILE_H
#define RASAD_TESTS_COLLECTORS_CAPTURE_FILE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "collectors/capture.h"

struct file_image {
	uint8_t *bytes; /* owned */
	size_t len, room;
	bool big; /* big-endian from here on */
};

void image_free(struct file_image *image);
void image_put(struct file_image *image, const void *bytes, size_t n);
void image_fill(struct file_image *image, uint8_t byte, size_t n);
void image_u16(struct file_image *image, uint32_t v);
void image_u32(struct file_image *image, uint32_t v);

/* Opens a block of pcapng; image_block_end writes its lengths. */
size_t image_block(struct file_image *image, uint32_t type);
void image_block_end(struct file_image *image, size_t block);
void image_section(struct file_image *image, bool big);
/* The same compressed; `level` 0 stores. */
struct file_image image_gzip(const struct file_image *image);
struct file_image image_zstd(const struct file_image *image, bool checksum);

enum { READ_MAX = 64, READ_HEAD = 8 };

/* Every frame of a file: what the reader said, and the first bytes. */
struct reading {
	bool opened;
	enum capture_result end;
	uint64_t n, sum; /* frames; a checksum of all that was handed out */
	struct {
		uint64_t ts_ns;
		uint32_t caplen, wire_len, link;
		uint8_t head[READ_HEAD];
	} frame[READ_MAX];
	char message[CAPTURE_MESSAGE];
};

/* Reads the first `len` bytes of an image as a file, from a window and from a mapping, frame by
 * frame and in bursts, and fails unless all agree. Touches each byte of each frame. */
struct reading image_read_part(const struct file_image *image, size_t len);
struct reading image_read(const struct file_image *image);

/* What is left of an open capture, `burst` (1 to 64) frames at once. */
void capture_read_all(struct capture *capture, struct reading *reading, uint32_t burst);

/* The same for any bytes; also used by the fuzz target. */
struct reading capture_read_bytes(const uint8_t *bytes, size_t len);

#endif
