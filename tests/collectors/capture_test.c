/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Capture files against their formats (draft-ietf-opsawg-pcap, draft-ietf-opsawg-pcapng): each
 * variant, each byte order, cut at every byte, with lengths that lie, plain and compressed.
 */
#include "collectors/capture.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "tests/collectors/capture_file.h"

static struct file_image image;
static struct reading r;

static int start(void **state)
{
	(void)state;
	image = (struct file_image){0};
	return 0;
}

static int stop(void **state)
{
	(void)state;
	image_free(&image);
	return 0;
}

/* --- pcap --------------------------------------------------------------------------------------- */

enum { PCAP_US = 0xa1b2c3d4, PCAP_NS = 0xa1b23c4d, PCAP_MODIFIED = 0xa1b2cd34 };

static void pcap_header(uint32_t magic, uint32_t link)
{
	image_u32(&image, magic);
	image_u16(&image, 2);
	image_u16(&image, 4);
	image_u32(&image, 0);
	image_u32(&image, 0);
	image_u32(&image, 262144);
	image_u32(&image, link);
}

static void pcap_record(uint32_t s, uint32_t fraction, uint32_t caplen, uint32_t wire_len)
{
	image_u32(&image, s);
	image_u32(&image, fraction);
	image_u32(&image, caplen);
	image_u32(&image, wire_len);
}

static void assert_frame(uint64_t i, uint64_t ts_ns, uint32_t caplen, uint32_t wire_len,
			 uint32_t link)
{
	assert_true(i < r.n);
	assert_int_equal(r.frame[i].ts_ns, ts_ns);
	assert_int_equal(r.frame[i].caplen, caplen);
	assert_int_equal(r.frame[i].wire_len, wire_len);
	assert_int_equal(r.frame[i].link, link);
}

static void every_pcap(void **state)
{
	static const uint32_t magics[] = {PCAP_US, PCAP_NS, PCAP_MODIFIED};
	(void)state;
	for (int big = 0; big < 2; big++)
		for (int m = 0; m < 3; m++) {
			uint64_t ns = magics[m] == PCAP_NS ? 123456789 : 123456000;
			image_free(&image);
			image.big = big;
			pcap_header(magics[m], 101);
			pcap_record(1700000000, (uint32_t)(m == 1 ? ns : ns / 1000), 5, 1500);
			if (magics[m] == PCAP_MODIFIED)
				image_fill(&image, 0xee,
					   8); /* interface, protocol, type, padding */
			image_put(&image, "hello", 5);
			pcap_record(4294967295u, 0, 0, 64); /* the last second of 32 bits */
			if (magics[m] == PCAP_MODIFIED)
				image_fill(&image, 0xee, 8);
			r = image_read(&image);
			assert_true(r.opened);
			assert_int_equal(r.end, CAPTURE_END);
			assert_int_equal(r.n, 2);
			assert_frame(0, 1700000000000000000ull + ns, 5, 1500, 101);
			assert_memory_equal(r.frame[0].head, "hello", 5);
			assert_frame(1, 4294967295000000000ull, 0, 64, 101);
		}
}

static void link_type_field_has_flags(void **state)
{
	(void)state;
	pcap_header(PCAP_US, 0x54000001); /* frame check sequence of four bytes: upper half */
	pcap_record(1, 0, 0, 0);
	r = image_read(&image);
	assert_int_equal(r.n, 1);
	assert_int_equal(r.frame[0].link, 1);
}

static void pcap_cut_at_every_byte(void **state)
{
	size_t ends[4];
	(void)state;
	pcap_header(PCAP_NS, 1);
	for (int i = 0; i < 4; i++) {
		ends[i] = image.len;
		if (i == 3)
			break;
		pcap_record(7, (uint32_t)i, 10, 10);
		image_fill(&image, (uint8_t)i, 10);
	}
	for (size_t len = 0; len <= image.len; len++) {
		uint64_t whole = 0;
		bool clean = false;
		r = image_read_part(&image, len);
		for (uint64_t i = 0; i < 4; i++) {
			whole = ends[i] <= len ? i : whole;
			clean |= ends[i] == len;
		}
		assert_int_equal(r.opened, len >= 24);
		assert_int_equal(r.n, whole);
		if (r.opened)
			assert_int_equal(r.end, clean ? CAPTURE_END : CAPTURE_DAMAGED);
		assert_true(clean == (r.message[0] == '\0'));
	}
}

static void pcap_lengths_that_lie(void **state)
{
	static const uint32_t lies[] = {11, 0x7fffffff, 0x80000000, 0xffffffff, 0xfffffff0};
	(void)state;
	for (size_t i = 0; i < sizeof lies / sizeof *lies; i++) {
		image_free(&image);
		pcap_header(PCAP_US, 1);
		pcap_record(1, 0, 4, 4);
		image_put(&image, "abcd", 4);
		pcap_record(2, 0, lies[i], 10);
		image_fill(&image, 0, 10);
		r = image_read(&image);
		assert_int_equal(r.n, 1); /* what was read before stays */
		assert_int_equal(r.end, CAPTURE_DAMAGED);
		assert_non_null(strstr(r.message, "packet 1"));
	}
}

static void no_capture_at_all(void **state)
{
	static const char *const texts[] = {"",
					    "x",
					    "GIF89a and so on and so forth",
					    "\x1f\x8b",
					    "\x28\xb5\x2f\xfd",
					    "\xd4\xc3\xb2"};
	(void)state;
	for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
		r = capture_read_bytes((const uint8_t *)texts[i], strlen(texts[i]));
		assert_false(r.opened);
		assert_non_null(strstr(r.message, "/proc/self/fd/"));
	}
	struct capture c;
	assert_int_equal(capture_open(&c, "/nonexistent/file"), -1);
	assert_non_null(strstr(c.message, "No such file"));
	capture_close(&c);
	assert_int_equal(capture_open(&c, "/"), -1);
	assert_non_null(strstr(c.message, "directory"));
	capture_close(&c);
}

/* A record larger than the window, and many that cross its edge. */
static void records_of_all_sizes(void **state)
{
	uint32_t sizes[] = {1, 70000, 300000, 1, 262144, 16, 262128, 100, 900000, 3};
	(void)state;
	pcap_header(PCAP_US, 1);
	for (uint32_t i = 0; i < 10; i++) {
		pcap_record(i, 0, sizes[i], sizes[i]);
		image_fill(&image, (uint8_t)i, sizes[i]);
	}
	r = image_read(&image);
	assert_int_equal(r.end, CAPTURE_END);
	assert_int_equal(r.n, 10);
	for (uint32_t i = 0; i < 10; i++) {
		assert_frame(i, i * 1000000000ull, sizes[i], sizes[i], 1);
		assert_int_equal(r.frame[i].head[0], i);
	}
}

/* Large enough for the scouts of a mapped file, which the payload leads astray: it is made of
 * record headers, true ones but for their place, and some with lengths beyond the file. */
static void payload_that_looks_like_records(void **state)
{
	uint32_t seed = 1, n = 0;
	(void)state;
	pcap_header(PCAP_US, 1);
	for (; image.len < 6 * 1024 * 1024; n++) {
		uint32_t size = (seed = seed * 1664525 + 1013904223) >> 16, left;
		size = size % 8 == 0 ? 40 : 400 + size % 2000;
		pcap_record(1700000000 + n / 1000, 0, size, 3000);
		for (left = size; left > 20; left -= 16)
			pcap_record(1700000000 + n / 1000, 0, left % 32 ? 200000 : left, 250000);
		image_fill(&image, (uint8_t)n, left);
	}
	r = image_read(&image);
	assert_int_equal(r.end, CAPTURE_END);
	assert_int_equal(r.n, n);
	image_free(&image);
	pcap_header(PCAP_US, 1);
	for (n = 0; n < 3000; n++) { /* and payload in which there is nothing to find */
		pcap_record(1700000000, 0, 1400, 1400);
		image_fill(&image, 0, 1400);
	}
	r = image_read(&image);
	assert_int_equal(r.n, n);
}

/* --- compression --------------------------------------------------------------------------------- */

static void many_records(uint32_t n, uint32_t size)
{
	pcap_header(PCAP_US, 1);
	for (uint32_t i = 0; i < n; i++) {
		pcap_record(i, 0, size, size);
		image_fill(&image, (uint8_t)i, size);
	}
}

static void assert_many(const struct file_image *packed, uint32_t n, uint32_t size)
{
	r = image_read(packed);
	assert_true(r.opened);
	if (r.end != CAPTURE_END || r.n != n)
		fail_msg("%u records of %u: end %d after %lu: %s", n, size, (int)r.end,
			 (unsigned long)r.n, r.message);
}

/* Sizes around multiples of the window and of the codecs' blocks. */
static void compressed(void **state)
{
	static const uint32_t sizes[] = {10,	 1000,	 65536,	 131000, 131072,
					 200000, 262000, 262200, 393300};
	(void)state;
	for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++)
		for (uint32_t n = 1; n <= 9; n += 2) {
			struct file_image packed[3];
			image_free(&image);
			many_records(n, sizes[i]);
			packed[0] = image_gzip(&image);
			packed[1] = image_zstd(&image, true);
			packed[2] = image_zstd(&image, false);
			for (int k = 0; k < 3; k++) {
				assert_many(&packed[k], n, sizes[i]);
				image_free(&packed[k]);
			}
		}
}

static void several_members(void **state)
{
	(void)state;
	for (int zstd = 0; zstd < 2; zstd++) {
		struct file_image all = {0};
		image_free(&image);
		many_records(6, 50);
		for (size_t at = 0; at < image.len; at += 100) {
			size_t n = image.len - at < 100 ? image.len - at : 100;
			struct file_image part = {0}, packed;
			image_put(&part, image.bytes + at, n);
			packed = zstd ? image_zstd(&part, true) : image_gzip(&part);
			image_put(&all, packed.bytes, packed.len);
			image_free(&part);
			image_free(&packed);
		}
		assert_many(&all, 6, 50);
		image_free(&all);
	}
}

/* A compressed file that ends early is damaged, even where the records happen to come out even. */
static void compressed_and_cut(void **state)
{
	(void)state;
	many_records(3, 40);
	for (int zstd = 0; zstd < 2; zstd++) {
		struct file_image packed = zstd ? image_zstd(&image, true) : image_gzip(&image);
		for (size_t len = 0; len < packed.len; len++) {
			r = image_read_part(&packed, len);
			if (r.opened && r.end == CAPTURE_END)
				fail_msg("%s cut at %zu of %zu: %lu records and no complaint",
					 zstd ? "zstd" : "gzip", len, packed.len,
					 (unsigned long)r.n);
			assert_true(r.message[0]);
		}
		image_free(&packed);
	}
}

static void compressed_and_damaged(void **state)
{
	(void)state;
	many_records(3, 40);
	for (int zstd = 0; zstd < 2; zstd++) {
		struct file_image packed = zstd ? image_zstd(&image, true) : image_gzip(&image);
		packed.bytes[packed.len - 6] ^= 0xff; /* the end of the data, or its checksum */
		r = image_read(&packed);
		assert_true(!r.opened || r.end == CAPTURE_DAMAGED);
		image_free(&packed);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(every_pcap, start, stop),
		cmocka_unit_test_setup_teardown(link_type_field_has_flags, start, stop),
		cmocka_unit_test_setup_teardown(pcap_cut_at_every_byte, start, stop),
		cmocka_unit_test_setup_teardown(pcap_lengths_that_lie, start, stop),
		cmocka_unit_test_setup_teardown(no_capture_at_all, start, stop),
		cmocka_unit_test_setup_teardown(records_of_all_sizes, start, stop),
		cmocka_unit_test_setup_teardown(payload_that_looks_like_records, start, stop),
		cmocka_unit_test_setup_teardown(compressed, start, stop),
		cmocka_unit_test_setup_teardown(several_members, start, stop),
		cmocka_unit_test_setup_teardown(compressed_and_cut, start, stop),
		cmocka_unit_test_setup_teardown(compressed_and_damaged, start, stop),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
