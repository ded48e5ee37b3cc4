/* SPDX-License-Identifier: BSD-3-Clause */
/* Frames in pieces and without their tags, made by hand: no EAL, no memory pool. */
#include "collectors/dpdk_frame.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>
#include <rte_mbuf.h>

enum { MAX_PIECES = 40 };

static uint8_t frame[300], whole[512];
static struct rte_mbuf pieces[MAX_PIECES];

/* The first `length` bytes of the frame, in pieces of `each`. */
static struct rte_mbuf *cut(uint32_t length, uint32_t each)
{
	uint32_t n = 0;

	memset(pieces, 0, sizeof pieces);
	for (uint32_t at = 0; at < length; at += each, n++) {
		assert_true(n < MAX_PIECES);
		pieces[n].buf_addr = frame + at;
		pieces[n].data_len = (uint16_t)RTE_MIN(each, length - at);
		if (n)
			pieces[n - 1].next = &pieces[n];
	}
	pieces[0].nb_segs = (uint16_t)n;
	pieces[0].pkt_len = length;
	return pieces;
}

static void joins_pieces(void **state)
{
	(void)state;
	for (uint32_t each = 8; each <= 300; each += 7) {
		struct rte_mbuf *m = cut(300, each);

		memset(whole, 0, sizeof whole);
		assert_int_equal(dpdk_frame_rebuild(m, whole, sizeof whole), 300);
		assert_memory_equal(whole, frame, 300);
		assert_int_equal(dpdk_frame_wire_len(m), 300);
		assert_false(dpdk_frame_lacks_tags(m));
	}
}

static void cuts_to_the_room(void **state)
{
	struct rte_mbuf *m = cut(300, 100);

	(void)state;
	for (uint32_t room = 0; room < 300; room += 13) {
		memset(whole, 0xee, sizeof whole);
		assert_int_equal(dpdk_frame_rebuild(m, whole, room), room);
		assert_memory_equal(whole, frame, room);
		assert_int_equal(whole[room], 0xee);
	}
}

static void puts_one_tag_back(void **state)
{
	static const uint8_t tag[] = {0x81, 0x00, 0x65, 0xed};

	(void)state;
	for (uint32_t each = 8; each <= 300; each += 73) {
		struct rte_mbuf *m = cut(300, each);

		m->ol_flags = RTE_MBUF_F_RX_VLAN | RTE_MBUF_F_RX_VLAN_STRIPPED;
		m->vlan_tci = 0x65ed;
		assert_true(dpdk_frame_lacks_tags(m));
		assert_int_equal(dpdk_frame_wire_len(m), 304);
		assert_int_equal(dpdk_frame_rebuild(m, whole, sizeof whole), 304);
		assert_memory_equal(whole, frame, 12);
		assert_memory_equal(whole + 12, tag, 4);
		assert_memory_equal(whole + 16, frame + 12, 288);
	}
}

static void puts_two_tags_back(void **state)
{
	static const uint8_t tags[] = {0x88, 0xa8, 0x01, 0x2c, 0x81, 0x00, 0x05, 0xed};
	struct rte_mbuf *m = cut(300, 64);

	(void)state;
	m->ol_flags = RTE_MBUF_F_RX_VLAN_STRIPPED | RTE_MBUF_F_RX_QINQ_STRIPPED;
	m->vlan_tci_outer = 300;
	m->vlan_tci = 1517;
	assert_int_equal(dpdk_frame_wire_len(m), 308);
	assert_int_equal(dpdk_frame_rebuild(m, whole, sizeof whole), 308);
	assert_memory_equal(whole, frame, 12);
	assert_memory_equal(whole + 12, tags, 8);
	assert_memory_equal(whole + 20, frame + 12, 288);
	assert_int_equal(dpdk_frame_rebuild(m, whole, 100), 100);
}

/* Not even two addresses: there is no place for a tag. */
static void bears_stubs(void **state)
{
	struct rte_mbuf *m = cut(11, 8);

	(void)state;
	m->ol_flags = RTE_MBUF_F_RX_VLAN_STRIPPED;
	assert_false(dpdk_frame_lacks_tags(m));
	assert_int_equal(dpdk_frame_rebuild(m, whole, sizeof whole), 11);
	m = cut(12, 12);
	m->ol_flags = RTE_MBUF_F_RX_VLAN_STRIPPED;
	assert_int_equal(dpdk_frame_rebuild(m, whole, sizeof whole), 16);
	assert_int_equal(dpdk_frame_rebuild(m, whole, 15), 12);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(joins_pieces),	     cmocka_unit_test(cuts_to_the_room),
		cmocka_unit_test(puts_one_tag_back), cmocka_unit_test(puts_two_tags_back),
		cmocka_unit_test(bears_stubs),
	};
	for (size_t i = 0; i < sizeof frame; i++)
		frame[i] = (uint8_t)(i * 7 + 1);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
