/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The pcapng half of collectors/capture.c, against draft-ietf-opsawg-pcapng: sections of both byte
 * orders, several interfaces, time stamp resolutions and offsets, the three kinds of packet block,
 * unknown blocks, and what cannot be.
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

static size_t interface(uint32_t link, uint32_t snaplen)
{
	size_t block = image_block(&image, 1);
	image_u16(&image, link);
	image_u16(&image, 0);
	image_u32(&image, snaplen);
	return block;
}

static void option_resolution(uint8_t v)
{
	image_u16(&image, 9);
	image_u16(&image, 1);
	image_put(&image, (uint8_t[]){v, 0, 0, 0}, 4);
}

static void option_offset(int64_t s)
{
	uint32_t hi = (uint32_t)((uint64_t)s >> 32), lo = (uint32_t)s;
	image_u16(&image, 14);
	image_u16(&image, 8);
	image_u32(&image, image.big ? hi : lo);
	image_u32(&image, image.big ? lo : hi);
}

static void plain_interface(uint32_t link)
{
	image_block_end(&image, interface(link, 0));
}

static void enhanced(uint32_t id, uint64_t ticks, const char *data, uint32_t wire_len)
{
	size_t block = image_block(&image, 6);
	image_u32(&image, id);
	image_u32(&image, (uint32_t)(ticks >> 32));
	image_u32(&image, (uint32_t)ticks);
	image_u32(&image, (uint32_t)strlen(data));
	image_u32(&image, wire_len);
	image_put(&image, data, strlen(data));
	image_block_end(&image, block);
}

static void obsolete(uint32_t id, uint64_t ticks, const char *data)
{
	size_t block = image_block(&image, 2);
	image_u16(&image, id);
	image_u16(&image, 77); /* drops */
	image_u32(&image, (uint32_t)(ticks >> 32));
	image_u32(&image, (uint32_t)ticks);
	image_u32(&image, (uint32_t)strlen(data));
	image_u32(&image, (uint32_t)strlen(data));
	image_put(&image, data, strlen(data));
	image_block_end(&image, block);
}

static void simple(uint32_t wire_len, const char *data)
{
	size_t block = image_block(&image, 3);
	image_u32(&image, wire_len);
	image_put(&image, data, strlen(data));
	image_block_end(&image, block);
}

static void assert_frame(uint64_t i, uint64_t ts_ns, const char *data, uint32_t wire_len,
			 uint32_t link)
{
	assert_true(i < r.n);
	assert_int_equal(r.frame[i].ts_ns, ts_ns);
	assert_int_equal(r.frame[i].caplen, strlen(data));
	assert_memory_equal(r.frame[i].head, data, strlen(data));
	assert_int_equal(r.frame[i].wire_len, wire_len);
	assert_int_equal(r.frame[i].link, link);
}

static void assert_end(uint64_t n)
{
	r = image_read(&image);
	assert_true(r.opened);
	if (r.end != CAPTURE_END || r.n != n)
		fail_msg("end %d after %lu, expected %lu: %s", (int)r.end, (unsigned long)r.n,
			 (unsigned long)n, r.message);
}

static void assert_damaged(uint64_t n)
{
	r = image_read(&image);
	assert_int_equal(r.n, n);
	assert_true(!r.opened || r.end == CAPTURE_DAMAGED);
	assert_true(r.message[0]);
}

/* --- what is allowed -------------------------------------------------------------------------------- */

static void packet_blocks(void **state)
{
	(void)state;
	for (int big = 0; big < 2; big++) {
		image_free(&image);
		image_section(&image, big);
		plain_interface(1);
		plain_interface(101);
		enhanced(1, 1700000000123456ull, "enh", 60);
		obsolete(0, 1700000000000001ull, "old");
		simple(6, "simple");
		assert_end(3);
		assert_frame(0, 1700000000123456000ull, "enh", 60, 101);
		assert_frame(1, 1700000000000001000ull, "old", 3, 1);
		assert_frame(2, r.frame[2].ts_ns, "simple", 6, 1); /* it has no time of its own */
	}
}

static void sections_of_both_orders(void **state)
{
	(void)state;
	image_section(&image, false);
	plain_interface(1);
	enhanced(0, 1000000, "le", 2);
	image_section(&image, true);
	plain_interface(228);
	enhanced(0, 2000000, "be", 2);
	image_section(&image, false);
	plain_interface(9);
	enhanced(0, 3000000, "le2", 3);
	assert_end(3);
	assert_frame(0, 1000000000ull, "le", 2, 1);
	assert_frame(1, 2000000000ull, "be", 2, 228);
	assert_frame(2, 3000000000ull, "le2", 3, 9);
}

/* An interface belongs to its section. */
static void a_section_forgets_interfaces(void **state)
{
	(void)state;
	image_section(&image, false);
	plain_interface(1);
	image_section(&image, false);
	enhanced(0, 1, "x", 1);
	assert_damaged(0);
}

static void resolutions(void **state)
{
	static const struct {
		uint8_t v;
		uint64_t ticks, ns;
	} cases[] = {
		{0, 5, 5000000000ull},
		{3, 5123, 5123000000ull},
		{6, 1700000000123456ull, 1700000000123456000ull},
		{7, 17000000001234567ull, 1700000000123456700ull},
		{9, 1700000000123456789ull, 1700000000123456789ull},
		{12, 5000000000999ull, 5000000000ull}, /* picoseconds */
		{0x80, 7, 7000000000ull},	       /* 2^-0 */
		{0x8a, 1536, 1500000000ull},	       /* 2^-10 */
		{0xa0, 0x180000000ull, 1500000000ull}, /* 2^-32, as NTP counts */
	};
	(void)state;
	for (int big = 0; big < 2; big++) {
		image_free(&image);
		image_section(&image, big);
		for (uint32_t i = 0; i < sizeof cases / sizeof *cases; i++) {
			size_t block = interface(1, 0);
			option_resolution(cases[i].v);
			image_block_end(&image, block);
			enhanced(i, cases[i].ticks, "t", 1);
		}
		assert_end(sizeof cases / sizeof *cases);
		for (uint32_t i = 0; i < sizeof cases / sizeof *cases; i++)
			if (r.frame[i].ts_ns != cases[i].ns)
				fail_msg("resolution %#x: %lu ns, expected %lu", cases[i].v,
					 (unsigned long)r.frame[i].ts_ns,
					 (unsigned long)cases[i].ns);
	}
}

static void offsets(void **state)
{
	(void)state;
	for (int big = 0; big < 2; big++) {
		image_free(&image);
		image_section(&image, big);
		size_t block = interface(1, 0);
		option_resolution(9);
		option_offset(1700000000);
		image_block_end(&image, block);
		block = interface(1, 0);
		option_offset(-10);
		image_u32(&image, 0); /* end of options */
		image_block_end(&image, block);
		enhanced(0, 250, "plus", 4);
		enhanced(1, 30000000, "minus", 5);
		assert_end(2);
		assert_int_equal(r.frame[0].ts_ns, 1700000000000000250ull);
		assert_int_equal(r.frame[1].ts_ns, 20000000000ull);
	}
}

/* An option in front (if_name) and a comment on the packet must not matter. */
static void other_options_and_blocks(void **state)
{
	size_t block;
	(void)state;
	image_section(&image, false);
	block = interface(1, 0);
	image_u16(&image, 2);
	image_u16(&image, 5);
	image_put(&image, "enp3s\0\0\0", 8);
	option_resolution(3);
	image_u32(&image, 0);
	image_block_end(&image, block);
	block = image_block(&image, 4); /* name resolution */
	image_fill(&image, 0, 8);
	image_block_end(&image, block);
	block = image_block(&image, 0x80000bad); /* somebody's own */
	image_fill(&image, 0xff, 20);
	image_block_end(&image, block);
	block = image_block(&image, 6);
	image_u32(&image, 0);
	image_u32(&image, 0);
	image_u32(&image, 1500);
	image_u32(&image, 2);
	image_u32(&image, 2);
	image_put(&image, "ab\0\0", 4);
	image_u16(&image, 1);
	image_u16(&image, 3);
	image_put(&image, "why\0", 4);
	image_u32(&image, 0);
	image_block_end(&image, block);
	assert_end(1);
	assert_frame(0, 1500000000ull, "ab", 2, 1);
}

/* A simple packet is cut at the interface's snaplen, and 0 there means no limit. */
static void simple_packets(void **state)
{
	(void)state;
	image_section(&image, false);
	image_block_end(&image, interface(1, 4));
	simple(6, "abcd");
	image_section(&image, false);
	image_block_end(&image, interface(1, 0));
	simple(5, "abcde");
	assert_end(2);
	assert_int_equal(r.frame[0].caplen, 4);
	assert_int_equal(r.frame[0].wire_len, 6);
	assert_int_equal(r.frame[1].caplen, 5);
}

/* --- what cannot be ----------------------------------------------------------------------------------- */

static void cut_at_every_byte(void **state)
{
	(void)state;
	for (int big = 0; big < 2; big++) {
		size_t ends[6];
		image_free(&image);
		image_section(&image, big);
		ends[0] = image.len;
		plain_interface(1);
		ends[1] = image.len;
		enhanced(0, 1, "one", 3);
		ends[2] = image.len;
		obsolete(0, 2, "two");
		ends[3] = image.len;
		simple(5, "three");
		ends[4] = image.len;
		image_section(&image, !big);
		ends[5] = image.len;
		for (size_t len = 0; len <= image.len; len++) {
			uint64_t whole = 0;
			bool clean = false;
			for (int i = 0; i < 6; i++)
				clean |= ends[i] == len;
			for (int i = 2; i < 5; i++)
				whole += ends[i] <= len;
			r = image_read_part(&image, len);
			assert_int_equal(r.n, whole);
			assert_true((r.opened && r.end == CAPTURE_END) == clean);
			assert_true(clean == (r.message[0] == '\0'));
		}
	}
}

static void set_u32(size_t at, uint32_t v)
{
	memcpy(image.bytes + at, &v, 4);
}

static void lengths_that_lie(void **state)
{
	static const uint32_t blocks[] = {0, 4, 8, 11, 13, 0x7fffffff, 0xfffffffc, 0xffffffff};
	(void)state;
	for (size_t i = 0; i < sizeof blocks / sizeof *blocks; i++) {
		image_free(&image);
		image_section(&image, false);
		plain_interface(1);
		enhanced(0, 1, "one", 3);
		size_t at = image.len;
		enhanced(0, 2, "two", 3);
		set_u32(at + 4, blocks[i]);
		assert_damaged(1);
		set_u32(at + 4, 36); /* right again, but the packet is longer than its block */
		set_u32(at + 20, 5);
		assert_damaged(1);
		set_u32(at + 20, 0xffffffff);
		assert_damaged(1);
		set_u32(at + 20, 4);
		assert_end(2);
	}
}

static void blocks_too_short_for_their_kind(void **state)
{
	static const uint32_t kinds[] = {1, 2, 3, 6};
	(void)state;
	for (int i = 0; i < 4; i++) {
		image_free(&image);
		image_section(&image, false);
		plain_interface(1);
		image_block_end(&image, image_block(&image, kinds[i]));
		assert_damaged(0);
	}
}

static void packets_without_an_interface(void **state)
{
	(void)state;
	image_section(&image, false);
	simple(1, "x");
	assert_damaged(0);
	image_free(&image);
	image_section(&image, false);
	plain_interface(1);
	enhanced(0xffffffff, 1, "x", 1);
	assert_damaged(0);
}

static void a_section_without_its_magic(void **state)
{
	(void)state;
	image_section(&image, false);
	set_u32(8, 0x11223344);
	assert_damaged(0);
}

static void too_many_interfaces(void **state)
{
	(void)state;
	image_section(&image, false);
	for (int i = 0; i <= CAPTURE_MAX_INTERFACES; i++)
		plain_interface(1);
	assert_damaged(0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(packet_blocks, start, stop),
		cmocka_unit_test_setup_teardown(sections_of_both_orders, start, stop),
		cmocka_unit_test_setup_teardown(a_section_forgets_interfaces, start, stop),
		cmocka_unit_test_setup_teardown(resolutions, start, stop),
		cmocka_unit_test_setup_teardown(offsets, start, stop),
		cmocka_unit_test_setup_teardown(other_options_and_blocks, start, stop),
		cmocka_unit_test_setup_teardown(simple_packets, start, stop),
		cmocka_unit_test_setup_teardown(cut_at_every_byte, start, stop),
		cmocka_unit_test_setup_teardown(lengths_that_lie, start, stop),
		cmocka_unit_test_setup_teardown(blocks_too_short_for_their_kind, start, stop),
		cmocka_unit_test_setup_teardown(packets_without_an_interface, start, stop),
		cmocka_unit_test_setup_teardown(a_section_without_its_magic, start, stop),
		cmocka_unit_test_setup_teardown(too_many_interfaces, start, stop),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
