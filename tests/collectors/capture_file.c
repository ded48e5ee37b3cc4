/* SPDX-License-Identifier: BSD-3-Clause */
#include "tests/collectors/capture_file.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>
#include <zlib.h>
#include <zstd.h>

void image_free(struct file_image *image)
{
	free(image->bytes);
	*image = (struct file_image){0};
}

static void make_room(struct file_image *image, size_t n)
{
	if (image->len + n <= image->room)
		return;
	image->room = (image->len + n) * 2;
	image->bytes = realloc(image->bytes, image->room);
	assert(image->bytes);
}

void image_put(struct file_image *image, const void *bytes, size_t n)
{
	make_room(image, n);
	if (n)
		memcpy(image->bytes + image->len, bytes, n);
	image->len += n;
}

void image_fill(struct file_image *image, uint8_t byte, size_t n)
{
	make_room(image, n);
	memset(image->bytes + image->len, byte, n);
	image->len += n;
}

void image_u16(struct file_image *image, uint32_t v)
{
	uint8_t b[2] = {(uint8_t)v, (uint8_t)(v >> 8)};
	if (image->big)
		image_put(image, (uint8_t[]){b[1], b[0]}, 2);
	else
		image_put(image, b, 2);
}

void image_u32(struct file_image *image, uint32_t v)
{
	image_u16(image, image->big ? v >> 16 : v);
	image_u16(image, image->big ? v : v >> 16);
}

size_t image_block(struct file_image *image, uint32_t type)
{
	size_t at = image->len;
	image_u32(image, type);
	image_u32(image, 0);
	return at;
}

void image_block_end(struct file_image *image, size_t block)
{
	struct file_image length = {.big = image->big};
	image_fill(image, 0, -image->len & 3);
	image_u32(&length, (uint32_t)(image->len + 4 - block));
	memcpy(image->bytes + block + 4, length.bytes, 4);
	image_put(image, length.bytes, 4);
	image_free(&length);
}

void image_section(struct file_image *image, bool big)
{
	size_t block;
	image->big = big;
	block = image_block(image, 0x0a0d0d0a);
	image_u32(image, 0x1a2b3c4d);
	image_u16(image, 1);
	image_u16(image, 0);
	image_u32(image, 0xffffffff);
	image_u32(image, 0xffffffff);
	image_block_end(image, block);
}

struct file_image image_gzip(const struct file_image *image)
{
	struct file_image out = {0};
	z_stream z = {0};
	assert(deflateInit2(&z, 6, Z_DEFLATED, 15 + 16, 8, Z_DEFAULT_STRATEGY) == Z_OK);
	make_room(&out, deflateBound(&z, image->len) + 64);
	z.next_in = image->bytes;
	z.avail_in = (uInt)image->len;
	z.next_out = out.bytes;
	z.avail_out = (uInt)out.room;
	assert(deflate(&z, Z_FINISH) == Z_STREAM_END);
	out.len = out.room - z.avail_out;
	deflateEnd(&z);
	return out;
}

struct file_image image_zstd(const struct file_image *image, bool checksum)
{
	struct file_image out = {0};
	ZSTD_CCtx *codec = ZSTD_createCCtx();
	assert(codec);
	ZSTD_CCtx_setParameter(codec, ZSTD_c_checksumFlag, checksum);
	make_room(&out, ZSTD_compressBound(image->len));
	out.len = ZSTD_compress2(codec, out.bytes, out.room, image->bytes, image->len);
	assert(!ZSTD_isError(out.len));
	ZSTD_freeCCtx(codec);
	return out;
}

static void add(struct reading *r, uint64_t v)
{
	r->sum = (r->sum ^ v) * 0x9fb21c651e98df25ull;
	r->sum ^= r->sum >> 32;
}

static void take(struct reading *r, const struct raw_frame *f)
{
	add(r, f->ts_ns);
	add(r, (uint64_t)f->caplen << 32 | f->wire_len);
	add(r, f->link);
	for (uint32_t i = 0; i < f->caplen; i++)
		add(r, f->bytes[i]);
	if (r->n < READ_MAX) {
		r->frame[r->n].ts_ns = f->ts_ns;
		r->frame[r->n].caplen = f->caplen;
		r->frame[r->n].wire_len = f->wire_len;
		r->frame[r->n].link = f->link;
		memset(r->frame[r->n].head, 0, READ_HEAD);
		memcpy(r->frame[r->n].head, f->bytes,
		       f->caplen < READ_HEAD ? f->caplen : READ_HEAD);
	}
	r->n++;
}

/* `burst` frames at once; 1: with capture_next. */
void capture_read_all(struct capture *c, struct reading *r, uint32_t burst)
{
	struct raw_frame frames[64];
	enum capture_result why = CAPTURE_FRAME;
	while (why == CAPTURE_FRAME) {
		uint32_t n = 1;
		if (burst == 1)
			n = (why = capture_next(c, frames)) == CAPTURE_FRAME;
		else
			n = capture_burst(c, frames, burst, &why);
		assert(n <= burst && (n == burst) == (why == CAPTURE_FRAME));
		for (uint32_t i = 0; i < n; i++)
			take(r, &frames[i]);
		if (why == CAPTURE_REFILL)
			why = capture_refill(c);
	}
	r->end = why;
}

static struct reading read_file(const char *path, bool map, uint32_t burst)
{
	struct reading r = {.end = CAPTURE_DAMAGED};
	struct capture c;
	r.opened = capture_open(&c, path) == 0;
	if (r.opened && map)
		input_map(&c.input);
	if (r.opened)
		capture_read_all(&c, &r, burst);
	memcpy(r.message, c.message, sizeof r.message);
	capture_close(&c);
	return r;
}

struct reading capture_read_bytes(const uint8_t *bytes, size_t len)
{
	static int fd = -1; /* one file, written anew each time */
	struct reading r, other;
	char path[64];
	if (fd < 0)
		fd = memfd_create("capture", MFD_CLOEXEC);
	assert(fd >= 0 && ftruncate(fd, 0) == 0);
	assert(pwrite(fd, bytes, len, 0) == (ssize_t)len);
	snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
	r = read_file(path, false, 1);
	for (int way = 1; way < 4; way++) {
		other = read_file(path, way & 1, way & 2 ? 64 : 1);
		assert(r.opened == other.opened && r.end == other.end && r.n == other.n);
		assert(r.sum == other.sum && strcmp(r.message, other.message) == 0);
	}
	return r;
}

struct reading image_read_part(const struct file_image *image, size_t len)
{
	return capture_read_bytes(image->bytes, len);
}

struct reading image_read(const struct file_image *image)
{
	return image_read_part(image, image->len);
}
