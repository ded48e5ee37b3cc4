/* SPDX-License-Identifier: BSD-3-Clause */
#include "collectors/input.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zlib.h>
#include <zstd.h>

enum { PACKED_ROOM = 128 * 1024, FIRST_READ = 4096 };

static int read_some(struct input *in, uint8_t *to, size_t room, size_t *got)
{
	ssize_t n;
	do
		n = read(in->fd, to, room);
	while (n < 0 && errno == EINTR);
	if (n < 0)
		return -errno;
	*got = (size_t)n;
	in->read += (uint64_t)n;
	return 0;
}

/* More compressed bytes; 0 at the end of the file leaves packed_at == packed_end. */
static int read_packed(struct input *in)
{
	size_t got = 0;
	int rc;
	if (in->packed_at < in->packed_end)
		return 0;
	rc = read_some(in, in->packed, PACKED_ROOM, &got);
	in->packed_at = 0;
	in->packed_end = got;
	return rc;
}

static int decode_gzip(struct input *in, uint8_t *to, size_t room, size_t *got)
{
	z_stream *z = in->codec;
	int rc, err;
	z->next_out = to;
	z->avail_out = (uInt)room;
	while (z->avail_out == room) {
		err = read_packed(in);
		if (err)
			return err;
		if (in->packed_at == in->packed_end)
			return in->in_stream ? -ENODATA : 0;
		z->next_in = in->packed + in->packed_at;
		z->avail_in = (uInt)(in->packed_end - in->packed_at);
		rc = inflate(z, Z_NO_FLUSH);
		in->in_stream = rc != Z_STREAM_END;
		in->packed_at = in->packed_end - z->avail_in;
		if (rc == Z_STREAM_END && inflateReset(z) != Z_OK) /* members may follow */
			return -EBADMSG;
		if (rc != Z_OK && rc != Z_STREAM_END && rc != Z_BUF_ERROR) {
			*got = room - z->avail_out;
			return *got ? 0 : -EBADMSG;
		}
	}
	*got = room - z->avail_out;
	return 0;
}

static int decode_zstd(struct input *in, uint8_t *to, size_t room, size_t *got)
{
	ZSTD_outBuffer out = {to, room, 0};
	while (out.pos == 0) {
		ZSTD_inBuffer from;
		size_t rc;
		int err = read_packed(in);
		if (err)
			return err;
		from = (ZSTD_inBuffer){in->packed, in->packed_end, in->packed_at};
		if (in->packed_at == in->packed_end)
			return in->in_stream ? -ENODATA : 0;
		rc = ZSTD_decompressStream(in->codec, &out, &from);
		if (ZSTD_isError(rc))
			return -EBADMSG;
		in->in_stream = rc != 0;
		in->packed_at = from.pos;
	}
	*got = out.pos;
	return 0;
}

/* The first bytes tell the compression; they were read as plain bytes into the window. */
static int choose_codec(struct input *in)
{
	const uint8_t *w = in->window;
	int gzip = in->end >= 2 && w[0] == 0x1f && w[1] == 0x8b;
	int zstd = in->end >= 4 && memcmp(w, "\x28\xb5\x2f\xfd", 4) == 0;
	if (!gzip && !zstd)
		return 0;
	in->packed = malloc(INPUT_WINDOW);
	if (!in->packed)
		return -ENOMEM;
	memcpy(in->packed, w, in->end);
	in->packed_end = in->end;
	in->end = 0;
	in->eof = 0;
	if (gzip) {
		z_stream *z = calloc(1, sizeof *z);
		in->codec = z;
		in->decode = decode_gzip;
		return z && inflateInit2(z, 15 + 32) == Z_OK ? 0 : -ENOMEM;
	}
	in->codec = ZSTD_createDStream();
	in->decode = decode_zstd;
	return in->codec ? 0 : -ENOMEM;
}

static bool is_plain(const struct input *in)
{
	return in->decode == read_some;
}

/* The first bytes are read small: a file that is mapped then needs no more of them. */
static int read_first(struct input *in)
{
	int rc;
	in->buffer = malloc(INPUT_WINDOW);
	if (!in->buffer)
		return -ENOMEM;
	in->window = in->buffer;
	in->room = FIRST_READ;
	rc = input_refill(in, 4);
	in->room = INPUT_WINDOW;
	return rc < 0 ? rc : 0;
}

int input_open(struct input *in, const char *path)
{
	struct stat st;
	int rc;
	*in = (struct input){.fd = -1, .decode = read_some};
	in->fd = strcmp(path, "-") == 0 ? dup(STDIN_FILENO) : open(path, O_RDONLY | O_CLOEXEC);
	if (in->fd < 0)
		return -errno;
	if (fstat(in->fd, &st) == 0) {
		if (S_ISDIR(st.st_mode))
			return -EISDIR;
		if (S_ISREG(st.st_mode))
			in->size = (uint64_t)st.st_size;
	}
	rc = read_first(in);
	if (rc == 0)
		rc = choose_codec(in);
	if (rc == 0 && in->size > INPUT_WINDOW)
		input_map(in);
	return rc;
}

bool input_map(struct input *in)
{
	off_t at = lseek(in->fd, 0, SEEK_CUR);
	struct stat st;
	if (!is_plain(in) || in->mapping.bytes || in->error || at < (off_t)input_left(in) ||
	    fstat(in->fd, &st) || !S_ISREG(st.st_mode) || st.st_size <= at ||
	    mapping_open(&in->mapping, in->fd, (size_t)st.st_size))
		return false;
	in->at = (size_t)at - input_left(in);
	in->end = (size_t)at;
	in->window = in->mapping.bytes;
	free(in->buffer);
	in->buffer = NULL;
	return true;
}

void input_close(struct input *in)
{
	if (in->decode == decode_gzip && in->codec) {
		inflateEnd(in->codec);
		free(in->codec);
	} else if (in->decode == decode_zstd) {
		ZSTD_freeDStream(in->codec);
	}
	mapping_close(&in->mapping);
	if (in->decode && in->fd >= 0)
		close(in->fd);
	free(in->buffer);
	free(in->packed);
	*in = (struct input){.fd = -1};
}

static int make_room(struct input *in, size_t n)
{
	if (in->at) {
		memmove(in->buffer, in->buffer + in->at, input_left(in));
		in->end -= in->at;
		in->at = 0;
	}
	if (n > INPUT_MAX_WINDOW)
		return -EMSGSIZE;
	if (n > in->room) {
		uint8_t *bigger = realloc(in->buffer, n);
		if (!bigger)
			return -ENOMEM;
		in->buffer = bigger;
		in->window = bigger;
		in->room = n;
	}
	return 0;
}

/* What was appended since is read: the begin of a record moves into a buffer. */
static int leave_mapping(struct input *in)
{
	size_t left = input_left(in), room = left > INPUT_WINDOW ? left : INPUT_WINDOW;
	if (lseek(in->fd, (off_t)in->mapping.size, SEEK_SET) < 0)
		return -errno;
	in->buffer = malloc(room);
	if (!in->buffer)
		return -ENOMEM;
	memcpy(in->buffer, input_at(in), left);
	mapping_close(&in->mapping);
	in->window = in->buffer;
	in->room = room;
	in->at = 0;
	in->end = left;
	return 0;
}

/* The window moves on in the mapping, until at least `n` bytes lie in it if it has them. */
static int map_more(struct input *in, size_t n)
{
	size_t size = in->mapping.size, end;
	if (n > INPUT_MAX_WINDOW)
		return -EMSGSIZE;
	if (input_is_torn(in))
		return -ESTALE;
	if (in->end == size)
		return leave_mapping(in);
	mapping_release(&in->mapping, in->at);
	end = (in->at + n + INPUT_MAPPED_STEP) & ~(size_t)(INPUT_MAPPED_STEP - 1);
	in->end = end < size ? end : size;
	in->read = in->end;
	return 0;
}

static int read_more(struct input *in, size_t n)
{
	int rc = make_room(in, n);
	while (rc == 0 && !in->eof && input_left(in) < n) {
		size_t got = 0;
		rc = in->decode(in, in->buffer + in->end, in->room - in->end, &got);
		in->end += got;
		in->eof = rc == 0 && got == 0;
	}
	return rc;
}

int input_refill(struct input *in, size_t n)
{
	int rc = 0;
	if (input_left(in) >= n)
		return 1;
	if (in->error)
		return in->error;
	while (rc == 0 && in->mapping.bytes && input_left(in) < n)
		rc = map_more(in, n);
	if (rc == 0 && input_left(in) < n)
		rc = read_more(in, n);
	if (rc)
		in->error = rc;
	return rc ? rc : input_left(in) >= n;
}
