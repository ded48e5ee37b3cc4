/* SPDX-License-Identifier: BSD-3-Clause */
#include "tests/bench/save.h"

#include <stdio.h>

struct files {
	FILE *file[SAVE_MAX_FILES]; /* owned */
	uint32_t n;
};

static int open_files(struct files *f, const char *path, uint32_t n)
{
	static const uint32_t header[6] = {0xa1b23c4d, 2 | 4 << 16, 0, 0, 65535, 1};
	char name[4096];
	while (f->n < n) {
		FILE *file;
		snprintf(name, sizeof name, n > 1 ? "%s.%u" : "%s", path, f->n);
		file = fopen(name, "we");
		if (!file)
			return -1;
		f->file[f->n++] = file;
		fwrite(header, sizeof header, 1, file);
	}
	return 0;
}

static int close_files(struct files *f)
{
	int failed = 0;
	for (uint32_t i = 0; i < f->n; i++) {
		failed |= ferror(f->file[i]);
		failed |= fclose(f->file[i]);
	}
	return failed;
}

static void save(struct files *f, const struct slot *slots, uint32_t n, uint64_t start_ns)
{
	for (uint32_t i = 0; i < n; i++) {
		uint64_t ns = start_ns + i * (uint64_t)PACKET_NS;
		uint32_t header[4] = {(uint32_t)(ns / 1000000000), (uint32_t)(ns % 1000000000),
				      slots[i].caplen, slots[i].wire_len};
		FILE *file = f->file[slots[i].line % f->n];
		fwrite(header, sizeof header, 1, file);
		fwrite(slots[i].frame, slots[i].caplen, 1, file);
	}
}

static void save_round(struct files *f, struct traffic *t, struct slot *slots, uint32_t n)
{
	uint64_t start_ns = t->now_ns;
	for (uint32_t got; (got = traffic_warm(t, slots, n)) > 0; start_ns = t->now_ns)
		save(f, slots, got, start_ns);
	start_ns = traffic_lap(t, slots, n);
	save(f, slots, n, start_ns);
}

int save_course(const struct course *like, const char *path, uint32_t n_files, uint32_t n)
{
	struct files files = {0};
	struct course c = *like;
	struct slot *slots = course_slots(n);
	int failed = !slots || open_files(&files, path, n_files) || course_open(&c, NULL, 0);
	if (!failed) {
		save_round(&files, &c.traffic, slots, n);
		traffic_reopen(&c.traffic);
		save_round(&files, &c.traffic, slots, n);
	}
	failed |= close_files(&files);
	if (failed)
		fprintf(stderr, "rasad-bench: %s: could not be written\n", path);
	course_close(&c);
	course_slots_free(slots, n);
	return failed;
}
