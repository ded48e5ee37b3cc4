/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The one look at the usual frame against the layers: the record must be the same, bit for bit,
 * whatever the frame.
 */
#include "ebpf/parse.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "tests/ebpf/access_frames.h"

static uint64_t looks;

/* From a heap block of just that size: AddressSanitizer sees a read beyond it. */
static void check(const struct frame *f, uint32_t caplen, uint32_t wire_len)
{
	struct parsed look, layers;
	struct access a = {.pkt = &look.pkt, .extra = &look.extra};
	uint8_t *copy = malloc(caplen ? caplen : 1), *start = caplen ? copy : copy + 1;
	assert_non_null(copy);
	if (caplen)
		memcpy(start, f->bytes, caplen);
	a.h = start;
	a.end = start + caplen;
	memset(&look, 0x5a, sizeof look);
	memset(&layers, 0x5a, sizeof layers);
	looks += (uint64_t)parse_access(&a, wire_len);
	memset(&look, 0x5a, sizeof look);
	parse_frame(start, start + caplen, wire_len, LINK_ETHERNET, &look.pkt, &look.extra);
	parse_frame_layers(start, start + caplen, wire_len, LINK_ETHERNET, &layers.pkt,
			   &layers.extra);
	free(copy);
	assert_memory_equal(&look.pkt, &layers.pkt, sizeof look.pkt);
	assert_memory_equal(&look.extra, &layers.extra, sizeof look.extra);
}

static int build(void **state)
{
	(void)state;
	access_frames_build();
	return 0;
}

static void unchanged_and_cut(void **state)
{
	(void)state;
	access_frames_cut(check);
}

static void changed(void **state)
{
	(void)state;
	access_frames_changed(check);
}

static void endpoints_in_any_order(void **state)
{
	(void)state;
	access_frames_ends(check);
}

/* Or the tests above have compared the layers with themselves. */
static void most_were_taken(void **state)
{
	(void)state;
	assert_true(looks > 200000);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(unchanged_and_cut),
		cmocka_unit_test(changed),
		cmocka_unit_test(endpoints_in_any_order),
		cmocka_unit_test(most_were_taken),
	};
	return cmocka_run_group_tests(tests, build, NULL);
}
