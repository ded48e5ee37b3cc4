/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * DPDK receive, the whole path and free, over a capture that net_pcap plays for ever:
 *
 *   dpdk_bench FILE [LAPS [PACKETS]]
 *
 * Laps take turns: "receive" decodes and frees, "whole" gives the bursts to a worker too. CPU time
 * of the thread in nanoseconds per packet, one line a figure: name, value, unit. Both variants see
 * a stream without gaps, as the capture has no beginning for them.
 */
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "collectors/dpdk.h"
#include "engine/packet/worker.h"

enum { MAX_LAPS = 101, MAX_LINES = 1 << 16, MAX_FLOWS = 1 << 18 };

static const uint8_t ac_mac[1][6] = {{0x02, 0xac, 0, 0, 0, 1}}; /* of the bench's traffic */

static void fail(void *context, const char *why)
{
	(void)context;
	fprintf(stderr, "dpdk_bench: %s\n", why);
}

static double thread_cpu_ns(void)
{
	struct timespec t;
	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
	return (double)t.tv_sec * 1e9 + (double)t.tv_nsec;
}

static struct source *open_source(const char *path)
{
	static char vdev[4200];
	char *eal[] = {"--no-huge", "--no-pci", "--no-telemetry", "-m", "1024", "--vdev", vdev};
	const struct dpdk_options options = {
		.ports = "",
		.eal = eal,
		.n_eal = sizeof eal / sizeof *eal,
		.ac_macs = ac_mac,
		.n_ac_macs = 1,
		.n_queues = 1,
		.busy = true,
		.problem = fail,
	};
	struct source *source = NULL;
	snprintf(vdev, sizeof vdev, "net_pcap0,rx_pcap=%s,infinite_rx=1", path);
	return dpdk_open(&source, &options) ? NULL : source;
}

/* Nanoseconds per packet; negative when the source fails. */
static double lap(struct source *source, struct worker *worker, uint64_t packets)
{
	static struct burst burst;
	double start = thread_cpu_ns();
	uint64_t n = 0;
	while (n < packets) {
		if (source->next(source, &burst) < 0)
			return -1;
		if (worker)
			worker_burst(worker, &burst);
		n += burst.n;
	}
	return (thread_cpu_ns() - start) / (double)n;
}

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

static int run(struct source *source, struct worker *worker, int laps, uint64_t packets)
{
	double receive[MAX_LAPS], whole[MAX_LAPS], ratio[MAX_LAPS];
	if (lap(source, worker, packets) < 0)
		return 1;
	for (int i = 0; i < laps; i++) {
		receive[i] = lap(source, NULL, packets);
		whole[i] = lap(source, worker, packets);
		ratio[i] = whole[i] / receive[i];
		if (receive[i] < 0 || whole[i] < 0)
			return 1;
	}
	printf("dpdk_receive %.2f ns/packet\n", median(receive, laps));
	printf("dpdk_whole %.2f ns/packet\n", median(whole, laps));
	printf("dpdk_whole_by_receive %.2f x\n", median(ratio, laps));
	return 0;
}

int main(int argc, char **argv)
{
	const struct worker_options options = {.max_lines = MAX_LINES, .max_flows = MAX_FLOWS};
	int laps = argc > 2 ? atoi(argv[2]) : 7, failed;
	uint64_t packets = argc > 3 ? strtoull(argv[3], NULL, 10) : 4000000;
	struct source *source;
	struct worker worker;
	if (argc < 2 || argc > 4 || laps < 1 || laps > MAX_LAPS || packets == 0) {
		fprintf(stderr, "Usage: dpdk_bench FILE [LAPS (7) [PACKETS (4000000)]]\n");
		return 2;
	}
	source = open_source(argv[1]);
	if (!source)
		return 1;
	failed = worker_init(&worker, &options) || run(source, &worker, laps, packets);
	worker_fini(&worker);
	source->close(source);
	return failed;
}
