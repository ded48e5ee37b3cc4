/* SPDX-License-Identifier: BSD-3-Clause */
#include "collectors/capture.h"

#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "engine/base/hot.h"

enum {
	SECTION_HEADER = 0x0a0d0d0a,
	INTERFACE_BLOCK = 1,
	OBSOLETE_PACKET = 2,
	SIMPLE_PACKET = 3,
	ENHANCED_PACKET = 6,
	MAX_CAPLEN = 16 * 1024 * 1024,
	FETCH_AHEAD = 16384, /* bytes: what memory brings in some hundred nanoseconds */
};

static uint32_t u32(const struct capture *c, const uint8_t *p)
{
	uint32_t v;
	memcpy(&v, p, 4);
	return c->swapped ? __builtin_bswap32(v) : v;
}

static uint16_t u16(const struct capture *c, const uint8_t *p)
{
	uint16_t v;
	memcpy(&v, p, 2);
	return c->swapped ? __builtin_bswap16(v) : v;
}

static const char *input_error(int error)
{
	if (error == -EBADMSG)
		return "the compressed data is damaged";
	if (error == -ENODATA)
		return "the compressed file is cut off";
	if (error == -EMSGSIZE)
		return "a record is larger than 64 MiB";
	if (error == -ESTALE)
		return "the file became shorter while it was read";
	return strerror(-error);
}

__attribute__((format(printf, 2, 3))) static enum capture_result damaged(struct capture *c,
									 const char *format, ...)
{
	char why[160];
	va_list args;
	va_start(args, format);
	vsnprintf(why, sizeof why, format, args);
	va_end(args);
	snprintf(c->message, sizeof c->message, "%s: after packet %" PRIu64 ": %s", c->name,
		 c->records, input_is_torn(&c->input) ? input_error(-ESTALE) : why);
	return CAPTURE_DAMAGED;
}

static int not_a_capture(struct capture *c, const char *why)
{
	snprintf(c->message, sizeof c->message, "%s: not a capture file: %s", c->name, why);
	return -1;
}

static int open_pcap(struct capture *c)
{
	const uint8_t *h = input_at(&c->input);
	uint16_t major;
	if (input_refill(&c->input, 24) <= 0)
		return not_a_capture(c, "the pcap header is cut off");
	h = input_at(&c->input);
	major = u16(c, h + 4);
	if (major != 2 && major != 543) /* 543: written by some old tools */
		return not_a_capture(c, "this version of pcap is unknown");
	c->link = u32(c, h + 20) & 0xffff;
	c->input.at += 24;
	return 0;
}

int capture_open(struct capture *c, const char *name)
{
	static const struct {
		uint32_t magic;
		bool swapped, ns, modified;
	} magics[] = {
		{0xa1b2c3d4, false, false, false}, {0xd4c3b2a1, true, false, false},
		{0xa1b23c4d, false, true, false},  {0x4d3cb2a1, true, true, false},
		{0xa1b2cd34, false, false, true},  {0x34cdb2a1, true, false, true},
	};
	uint32_t magic;
	int rc;
	*c = (struct capture){.name = name};
	rc = input_open(&c->input, name);
	if (rc < 0) {
		snprintf(c->message, sizeof c->message, "%s: cannot be read: %s", name,
			 input_error(rc));
		return -1;
	}
	rc = input_refill(&c->input, 4);
	if (rc < 0)
		return not_a_capture(c, input_error(rc));
	if (rc == 0)
		return not_a_capture(c, input_left(&c->input) ? "it is shorter than a file header"
							      : "it is empty");
	memcpy(&magic, input_at(&c->input), 4);
	if (magic == SECTION_HEADER) {
		c->pcapng = true;
		return 0;
	}
	for (size_t i = 0; i < sizeof magics / sizeof *magics; i++)
		if (magic == magics[i].magic) {
			c->swapped = magics[i].swapped;
			c->fraction_ns = magics[i].ns;
			c->modified = magics[i].modified;
			c->usual = !c->swapped && !c->modified;
			return open_pcap(c);
		}
	return not_a_capture(c, "neither a pcap nor a pcapng file (expected one of these, plain, "
				"gzip or zstd)");
}

void capture_close(struct capture *c)
{
	input_close(&c->input);
	free(c->interfaces);
	c->interfaces = NULL;
}

/* Says whether `n` bytes lie in the window, and remembers it for the refill. */
static bool have(struct capture *c, size_t n)
{
	c->needed = n;
	return input_left(&c->input) >= n;
}

enum capture_result capture_refill(struct capture *c)
{
	size_t left = input_left(&c->input);
	int rc = input_refill(&c->input, c->needed);
	if (rc > 0)
		return CAPTURE_FRAME;
	if (rc < 0)
		return damaged(c, "%s", input_error(rc));
	if (left == 0 && input_left(&c->input) == 0)
		return CAPTURE_END;
	return damaged(c, "the file is cut off: a record needs %zu bytes, %zu are there", c->needed,
		       input_left(&c->input));
}

/* The next record is known only by the length of this one: without help each would be a miss of
 * the caches. All lines are fetched well ahead, into the second level: two with each record, which
 * costs no branch, and before each burst those of records that are longer. */
static inline const uint8_t *fetch_lines(const uint8_t *fetched, const uint8_t *at)
{
	if (fetched < at || fetched > at + 2 * FETCH_AHEAD)
		fetched = at;
	for (; fetched < at + FETCH_AHEAD; fetched += 64)
		__builtin_prefetch(fetched, 0, 2);
	return fetched;
}

static inline const uint8_t *fetch_two_lines(const uint8_t *fetched)
{
	__builtin_prefetch(fetched, 0, 2);
	__builtin_prefetch(fetched + 64, 0, 2);
	return fetched + 128;
}

/* The records that every pcap of today holds, own byte order and wholly in the window, as long as
 * they begin before `stop`. An empty one is not usual; see next_pcap. Inlined for each case. */
HOT_INLINE uint32_t walk(struct capture *c, struct raw_frame *frames, uint32_t max,
			 const uint8_t *stop, bool lines, bool scouts)
{
	struct input *in = &c->input;
	const uint8_t *at = input_at(in), *fetched, *end;
	const uint32_t unit_ns = c->fraction_ns ? 1 : 1000, link = c->link;
	struct raw_frame *f = frames, *full = frames + max;
	size_t left = input_left(in) < MAX_CAPLEN ? input_left(in) : MAX_CAPLEN;
	if (left < 16)
		return 0;
	fetched = lines ? fetch_lines(c->fetched, at) : NULL;
	end = at + left;
	stop = stop < end - 15 ? stop : end - 15;
	for (; f < full && at < stop; f++) {
		uint32_t h[4];
		memcpy(h, at, 16);
		if (h[2] - 1 >= (uint32_t)(end - at) - 16)
			break;
		*f = (struct raw_frame){
			.ts_ns = (uint64_t)h[0] * 1000000000u + (uint64_t)h[1] * unit_ns,
			.bytes = at + 16,
			.caplen = h[2],
			.wire_len = h[3] < h[2] ? h[2] : h[3],
			.link = link,
		};
		at += 16 + h[2];
		if (lines)
			fetched = fetch_two_lines(fetched);
		for (int i = 0; scouts && i < SCOUT_STEPS; i++)
			scouts_step(&c->scouts);
	}
	c->fetched = fetched;
	in->at = (size_t)(at - in->window);
	c->records += (uint64_t)(f - frames);
	return (uint32_t)(f - frames);
}

/* Of a mapping, region by region: what a scout has fetched is not fetched again. */
static uint32_t mapped_records(struct capture *c, struct raw_frame *frames, uint32_t max)
{
	struct scouts *s = &c->scouts;
	uint32_t n = 0, got = 1;
	while (got && n < max) {
		scouts_follow(s, input_at(&c->input), c->input.window + c->input.mapping.size,
			      c->records);
		mapping_touch(&c->input.mapping, c->input.at);
		if (s->covered || s->sent)
			got = walk(c, frames + n, max - n, s->region_end, !s->covered, s->sent);
		else
			got = walk(c, frames + n, max - n, s->region_end, true, false);
		n += got;
	}
	return n;
}

static uint32_t usual_records(struct capture *c, struct raw_frame *frames, uint32_t max)
{
	if (c->input.mapping.bytes)
		return mapped_records(c, frames, max);
	return walk(c, frames, max, c->input.window + c->input.end, false, false);
}

static bool is_zero(const uint8_t *p, size_t n)
{
	uint8_t any = 0;
	for (size_t i = 0; i < n; i++)
		any |= p[i];
	return !any;
}

static enum capture_result next_pcap(struct capture *c, struct raw_frame *f)
{
	size_t header = c->modified ? 24 : 16;
	const uint8_t *h;
	uint32_t fraction;
	if (!have(c, header))
		return CAPTURE_REFILL;
	h = input_at(&c->input);
	f->caplen = u32(c, h + 8);
	f->wire_len = u32(c, h + 12);
	if (f->caplen > MAX_CAPLEN)
		return damaged(c, "a record claims %u captured bytes", f->caplen);
	if (f->caplen == 0 && is_zero(h, header) && input_is_torn(&c->input))
		return damaged(c, "%s", input_error(-ESTALE));
	if (!have(c, header + f->caplen))
		return CAPTURE_REFILL;
	h = input_at(&c->input);
	fraction = u32(c, h + 4);
	f->ts_ns = (uint64_t)u32(c, h) * 1000000000u +
		   (c->fraction_ns ? fraction : fraction * 1000ull);
	f->bytes = h + header;
	f->link = c->link;
	if (f->wire_len < f->caplen)
		f->wire_len = f->caplen;
	c->input.at += header + f->caplen;
	c->records++;
	return CAPTURE_FRAME;
}

static uint64_t resolution(uint8_t v)
{
	uint64_t ticks = 1;
	if (v & 0x80)
		return (v & 0x7f) < 63 ? 1ull << (v & 0x7f) : 1000000;
	for (int i = 0; i < v && i < 19; i++)
		ticks *= 10;
	return ticks;
}

static void interface_options(struct capture *c, struct capture_interface *face, const uint8_t *p,
			      const uint8_t *end)
{
	while (end - p >= 4) {
		uint16_t code = u16(c, p), len = u16(c, p + 2);
		size_t step = 4 + ((len + 3u) & ~3u);
		if (code == 0 || (size_t)(end - p) < step)
			return;
		if (code == 9 && len >= 1) {
			face->ticks_per_s = resolution(p[4]);
		} else if (code == 14 && len >= 8) {
			uint64_t hi = u32(c, p + 4), lo = u32(c, p + 8);
			face->offset_s = (int64_t)(c->swapped ? hi << 32 | lo : lo << 32 | hi);
		}
		p += step;
	}
}

static enum capture_result add_interface(struct capture *c, const uint8_t *b, uint32_t len)
{
	struct capture_interface *grown, face = {.ticks_per_s = 1000000};
	if (len < 20)
		return damaged(c, "an interface block of %u bytes is too short", len);
	if (c->n_interfaces >= CAPTURE_MAX_INTERFACES)
		return damaged(c, "more than %d interfaces", CAPTURE_MAX_INTERFACES);
	face.link = u16(c, b + 8);
	face.snaplen = u32(c, b + 12);
	interface_options(c, &face, b + 16, b + len - 4);
	grown = realloc(c->interfaces, (c->n_interfaces + 1) * sizeof *grown);
	if (!grown)
		return damaged(c, "no memory");
	c->interfaces = grown;
	c->interfaces[c->n_interfaces++] = face;
	return CAPTURE_FRAME;
}

static uint64_t to_ns(const struct capture_interface *face, uint64_t ticks)
{
	uint64_t s = ticks / face->ticks_per_s, rest = ticks % face->ticks_per_s;
	return (s + (uint64_t)face->offset_s) * 1000000000ull +
	       (uint64_t)((unsigned __int128)rest * 1000000000u / face->ticks_per_s);
}

static enum capture_result packet_block(struct capture *c, uint32_t type, const uint8_t *b,
					uint32_t len, struct raw_frame *f)
{
	uint32_t header = type == SIMPLE_PACKET ? 12 : 28, id = 0;
	const struct capture_interface *face;
	if (len < header + 4)
		return damaged(c, "a packet block of %u bytes is too short", len);
	if (type != SIMPLE_PACKET)
		id = type == ENHANCED_PACKET ? u32(c, b + 8) : u16(c, b + 8);
	if (id >= c->n_interfaces)
		return damaged(c, "a packet of interface %u, which was never described", id);
	face = &c->interfaces[id];
	if (type == SIMPLE_PACKET) {
		f->wire_len = u32(c, b + 8);
		f->caplen = f->wire_len;
		if (face->snaplen && f->caplen > face->snaplen)
			f->caplen = face->snaplen;
		if (f->caplen > len - header - 4)
			f->caplen = len - header - 4;
		f->ts_ns = 0;
	} else {
		f->caplen = u32(c, b + 20);
		f->wire_len = u32(c, b + 24);
		f->ts_ns = to_ns(face, (uint64_t)u32(c, b + 12) << 32 | u32(c, b + 16));
	}
	if (f->caplen > len - header - 4)
		return damaged(c, "a packet of %u bytes in a block of %u", f->caplen, len);
	if (f->wire_len < f->caplen)
		f->wire_len = f->caplen;
	f->bytes = b + header;
	f->link = face->link;
	c->records++;
	return CAPTURE_FRAME;
}

/* The byte-order magic of a section rules all that follows, its own length first. */
static enum capture_result section(struct capture *c)
{
	uint32_t magic;
	if (!have(c, 12))
		return CAPTURE_REFILL;
	memcpy(&magic, input_at(&c->input) + 8, 4);
	if (magic != 0x1a2b3c4d && magic != 0x4d3c2b1a)
		return damaged(c, "a section without a byte-order magic");
	c->swapped = magic != 0x1a2b3c4d;
	c->n_interfaces = 0;
	return CAPTURE_FRAME;
}

static enum capture_result next_pcapng(struct capture *c, struct raw_frame *f)
{
	for (;;) {
		enum capture_result rc = CAPTURE_FRAME;
		const uint8_t *b;
		uint32_t type, len;
		if (!have(c, 8))
			return CAPTURE_REFILL;
		type = u32(c, input_at(&c->input));
		if (type == SECTION_HEADER && (rc = section(c)) != CAPTURE_FRAME)
			return rc;
		len = u32(c, input_at(&c->input) + 4);
		if (len < 12 || len % 4 || len > INPUT_MAX_WINDOW)
			return damaged(c, "a block of %u bytes cannot be", len);
		if (!have(c, len))
			return CAPTURE_REFILL;
		b = input_at(&c->input);
		if (type == INTERFACE_BLOCK)
			rc = add_interface(c, b, len);
		c->input.at += len;
		if (rc != CAPTURE_FRAME)
			return rc;
		if (type == ENHANCED_PACKET || type == SIMPLE_PACKET || type == OBSOLETE_PACKET)
			return packet_block(c, type, b, len, f);
	}
}

static enum capture_result next_record(struct capture *c, struct raw_frame *f)
{
	return c->pcapng ? next_pcapng(c, f) : next_pcap(c, f);
}

enum capture_result capture_next(struct capture *c, struct raw_frame *f)
{
	return c->usual && usual_records(c, f, 1) ? CAPTURE_FRAME : next_record(c, f);
}

uint32_t capture_burst(struct capture *c, struct raw_frame *frames, uint32_t max,
		       enum capture_result *why)
{
	uint32_t n = 0;
	for (;;) {
		if (c->usual)
			n += usual_records(c, frames + n, max - n);
		*why = CAPTURE_FRAME;
		if (n == max)
			return n;
		*why = next_record(c, &frames[n]);
		if (*why != CAPTURE_FRAME)
			return n;
		n++;
	}
}
