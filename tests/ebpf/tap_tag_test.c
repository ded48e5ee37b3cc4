/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What is sent with its outer VLAN tag beside it, for the NIC to put in: the TC program must see the
 * frame that will be on the wire. Each tagged frame of the catalogue goes through it without its
 * tag; the record must be that of the whole frame.
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include <bpf/bpf.h>
#include <bpf/libbpf.h>

#include "ebpf/parse.h"
#include "ebpf/tap.h"
#include "ebpf/tap.skel.h"
#include "tests/ebpf/frame.h"
#include "tests/ebpf/tagger.skel.h"
#include "tests/ebpf/tap_rig.h"

enum { RECORDS = 64, FRAMES = 16, TAG = 4, MACS = 12 };

static struct tap_rig rig;
static struct tagger_bpf *tagger;

static void send_untagged(const struct frame *f)
{
	uint8_t bytes[sizeof f->bytes];
	LIBBPF_OPTS(bpf_test_run_opts, options, .data_in = bytes, .data_size_in = f->len - TAG);

	memcpy(bytes, f->bytes, MACS);
	memcpy(bytes + MACS, f->bytes + MACS + TAG, f->len - MACS - TAG);
	memcpy(&tagger->bss->tag_proto, f->bytes + MACS, 2);
	tagger->bss->tag_tci = parse_u16(f->bytes + MACS + 2);
	assert_int_equal(bpf_prog_test_run_opts(bpf_program__fd(tagger->progs.tagger), &options),
			 0);
	assert_int_equal((int)options.retval, -1 /* TC_ACT_UNSPEC */);
}

static void compare(const struct frame *f)
{
	const struct tap_record *record;
	struct pkt p, ours;
	struct pkt_extra x = {0};

	parse_frame(f->bytes, f->bytes + f->len, f->len, LINK_ETHERNET, &p, &x);
	send_untagged(f);
	record = tap_rig_record(&rig);
	assert_non_null(record);
	ours = record->pkt;
	ours.ts_ns = p.ts_ns;
	assert_memory_equal(&ours, &p, sizeof p);
	assert_memory_equal(record->extra.dmac, x.dmac, sizeof x.dmac);
	assert_memory_equal(record->extra.smac, x.smac, sizeof x.smac);
	assert_int_equal(record->extra.svlan, x.svlan);
	assert_int_equal(record->extra.cvlan, x.cvlan);
	assert_int_equal(record->extra.port & 1, 1);
}

static uint64_t put_back(void)
{
	uint64_t n = 0;

	for (uint32_t i = 0; i < rig.memory.n_cpus; i++)
		n += rig.memory.rings[i].retagged;
	return n;
}

/* The kernel puts only these two types beside a frame. */
static bool has_tag(const struct frame *f)
{
	uint16_t type = f->len < 2 * MACS ? 0 : parse_u16(f->bytes + MACS);

	return type == 0x8100 || type == 0x88a8;
}

static void every_tagged_frame(void **state)
{
	uint64_t n = 0;

	(void)state;
	for (size_t i = 0; i < frame_n_cases; i++) {
		struct frame f = {0};

		frame_cases[i].build(&f);
		if (frame_cases[i].link != LINK_ETHERNET || !has_tag(&f))
			continue;
		compare(&f);
		n++;
	}
	assert_true(n > 10);
	assert_int_equal(put_back(), n);
}

static int open_both(void)
{
	uint32_t key = 0;
	int fd, status = tap_rig_open(&rig, RECORDS, FRAMES, false);

	if (status)
		return status;
	tagger = tagger_bpf__open_and_load();
	if (!tagger)
		return -errno;
	fd = bpf_program__fd(rig.bpf->progs.tap_sent);
	return bpf_map_update_elem(bpf_map__fd(tagger->maps.tap), &key, &fd, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_tagged_frame),
	};
	int status = open_both();

	if (status == -EPERM)
		printf("no right to load programs into the kernel\n0 passed, 0 failed, 1 skipped\n");
	else
		status = status ? 1 : cmocka_run_group_tests(tests, NULL, NULL);
	tagger_bpf__destroy(tagger);
	tap_rig_close(&rig);
	return status == -EPERM ? 0 : status;
}
