/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What it costs to read a capture file, against libpcap in the same process:
 *
 *   capture_bench FILE [LAPS [VARIANT]]
 *
 * Variants are interleaved lap by lap, each lap reads the whole file from the page cache, and the
 * median is told in CPU time (user and system) of the process. One line a figure: name, value, unit.
 * With VARIANT only that one runs, for valgrind --tool=callgrind.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "collectors/capture.h"
#include "collectors/pcap.h"
#include "tests/collectors/libpcap.h"

enum { MAX_LAPS = 101 };

static void fail(const char *why)
{
	fprintf(stderr, "capture_bench: %s\n", why);
	exit(1);
}

static double cpu_ns(void)
{
	struct timespec t;
	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
	return (double)t.tv_sec * 1e9 + (double)t.tv_nsec;
}

static struct libpcap_count read_records(const char *path)
{
	struct raw_frame frames[64];
	enum capture_result why;
	struct libpcap_count n = {0};
	struct capture c;
	if (capture_open(&c, path))
		fail(c.message);
	do {
		uint32_t k = capture_burst(&c, frames, 64, &why);
		for (uint32_t i = 0; i < k; i++)
			n.bytes += frames[i].caplen;
		n.packets += k;
		if (why == CAPTURE_REFILL)
			why = capture_refill(&c);
	} while (why == CAPTURE_FRAME);
	capture_close(&c);
	return n;
}

static void problem(void *context, const char *message)
{
	(void)context;
	fail(message);
}

static struct libpcap_count read_and_decode(const char *path)
{
	static struct burst burst;
	const struct pcap_options options = {.files = &path, .n_files = 1, .problem = problem};
	struct libpcap_count n = {0};
	struct source *s;
	if (pcap_open(&s, &options))
		fail("cannot be opened");
	while (s->next(s, &burst) == SOURCE_MORE)
		n.packets += burst.n;
	n.bytes = s->stats(s)->bytes;
	s->close(s);
	return n;
}

static const struct variant {
	const char *name;
	struct libpcap_count (*run)(const char *path);
} variants[] = {
	{"pcap_next_ex", libpcap_read},
	{"read", read_records},
	{"read_and_decode", read_and_decode},
};

enum { N_VARIANTS = sizeof variants / sizeof *variants };

static int by_value(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;
	return (x > y) - (x < y);
}

static double median(double *values, int n)
{
	qsort(values, (size_t)n, sizeof *values, by_value);
	return values[n / 2];
}

static double lap(const struct variant *v, const char *path, uint64_t *packets)
{
	double start = cpu_ns();
	struct libpcap_count n = v->run(path);
	double spent = cpu_ns() - start;
	if (!n.packets || (*packets && *packets != n.packets))
		fail("the variants do not agree on the number of packets");
	*packets = n.packets;
	return spent / (double)n.packets;
}

int main(int argc, char **argv)
{
	static double ns[N_VARIANTS][MAX_LAPS], ratio[N_VARIANTS][MAX_LAPS];
	int laps = argc > 2 ? atoi(argv[2]) : 7;
	uint64_t packets = 0;
	if (argc < 2 || argc > 4 || laps < 1 || laps > MAX_LAPS) {
		fprintf(stderr, "Usage: capture_bench FILE [LAPS (7) [VARIANT]]\n");
		return 2;
	}
	for (int i = 0; i < laps; i++)
		for (int v = 0; v < N_VARIANTS; v++) {
			if (argc > 3 && strcmp(variants[v].name, argv[3]) != 0)
				continue;
			ns[v][i] = lap(&variants[v], argv[1], &packets);
			ratio[v][i] = ns[0][i] / ns[v][i];
		}
	for (int v = 0; v < N_VARIANTS; v++)
		if (packets && ns[v][0] > 0)
			printf("capture_%s %.2f ns/packet\n", variants[v].name,
			       median(ns[v], laps));
	for (int v = 1; v < N_VARIANTS && argc < 4; v++)
		printf("capture_%s_speedup %.2f x\n", variants[v].name, median(ratio[v], laps));
	printf("capture_packets %llu packets\n", (unsigned long long)packets);
	return packets ? 0 : 1;
}
