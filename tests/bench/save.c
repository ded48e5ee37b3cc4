/* SPDX-License-Identifier: BSD-3-Clause */
#include "tests/bench/save.h"

#include <stdio.h>

static void save(FILE *f, const struct slot *slots, uint32_t n, uint64_t start_ns)
{
	for (uint32_t i = 0; i < n; i++) {
		uint64_t ns = start_ns + i * (uint64_t)PACKET_NS;
		uint32_t header[4] = {(uint32_t)(ns / 1000000000), (uint32_t)(ns % 1000000000),
				      slots[i].caplen, slots[i].wire_len};
		fwrite(header, sizeof header, 1, f);
		fwrite(slots[i].frame, slots[i].caplen, 1, f);
	}
}

static void save_round(FILE *f, struct traffic *t, struct slot *slots, uint32_t n)
{
	uint64_t start_ns = t->now_ns;
	for (uint32_t got; (got = traffic_warm(t, slots, n)) > 0; start_ns = t->now_ns)
		save(f, slots, got, start_ns);
	start_ns = traffic_lap(t, slots, n);
	save(f, slots, n, start_ns);
}

int save_course(const struct course *like, const char *path, uint32_t n)
{
	static const uint32_t header[6] = {0xa1b23c4d, 2 | 4 << 16, 0, 0, 65535, 1};
	struct course c = *like;
	struct slot *slots = course_slots(n);
	FILE *f = fopen(path, "we");
	int failed = !slots || !f || course_open(&c, NULL, 0);
	if (!failed) {
		fwrite(header, sizeof header, 1, f);
		save_round(f, &c.traffic, slots, n);
		traffic_reopen(&c.traffic);
		save_round(f, &c.traffic, slots, n);
	}
	failed |= f && ferror(f);
	failed |= f && fclose(f);
	if (failed)
		fprintf(stderr, "rasad-bench: %s: could not be written\n", path);
	course_close(&c);
	course_slots_free(slots, n);
	return failed;
}
