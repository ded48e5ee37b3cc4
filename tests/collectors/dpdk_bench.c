/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * DPDK receive, the whole path and free, over captures that net_pcap plays for ever:
 *
 *   dpdk_bench LAPS PACKETS FILE...
 *
 * Each file is a port; `rasad-bench --save --files N` makes them. Laps take turns: "receive" decodes
 * and frees, "whole" is a lane of the engine. CPU time of the thread in nanoseconds per
 * packet, one line a figure: name, value, unit. Several files, because a port has room for 8,000
 * packets, and packets that come again within 2 ms would pass for copies of a mirror port.
 */
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "collectors/dpdk.h"
#include "engine/lane.h"

enum { MAX_FILES = 8, MAX_LAPS = 101, MAX_LINES = 1 << 16, MAX_FLOWS = 1 << 18 };

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

static struct source *open_source(char **paths, uint32_t n)
{
	static char vdev[MAX_FILES][4200];
	char *eal[5 + 2 * MAX_FILES] = {"--no-huge", "--no-pci", "--no-telemetry", "-m", "1024"};
	const struct dpdk_options options = {
		.ports = "",
		.eal = eal,
		.n_eal = 5 + 2 * n,
		.ac_macs = ac_mac,
		.n_ac_macs = 1,
		.n_queues = 1,
		.busy = true,
		.problem = fail,
	};
	struct source *source = NULL;
	for (uint32_t i = 0; i < n; i++) {
		snprintf(vdev[i], sizeof *vdev, "net_pcap%u,rx_pcap=%s,infinite_rx=1", i, paths[i]);
		eal[5 + 2 * i] = "--vdev";
		eal[6 + 2 * i] = vdev[i];
	}
	return dpdk_open(&source, &options) ? NULL : source;
}

/* The analysis lives on another core; here somebody has to make room. */
static void drain(void *context)
{
	struct lane *lane = context;
	while (ring_peek(&lane->outbox))
		ring_release(&lane->outbox);
}

/* Nanoseconds per packet; negative when the source fails. */
static double lap(struct lane *lane, bool whole, uint64_t packets)
{
	double start = thread_cpu_ns();
	uint64_t n = 0;
	while (n < packets) {
		int status =
			whole ? lane_step(lane) : lane->source->next(lane->source, &lane->burst);
		if (status < 0)
			return -1;
		n += lane->burst.n;
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

static int run(struct lane *lane, int laps, uint64_t packets)
{
	double receive[MAX_LAPS], whole[MAX_LAPS], ratio[MAX_LAPS];
	if (lap(lane, true, packets) < 0)
		return 1;
	for (int i = 0; i < laps; i++) {
		receive[i] = lap(lane, false, packets);
		whole[i] = lap(lane, true, packets);
		ratio[i] = whole[i] / receive[i];
		if (receive[i] < 0 || whole[i] < 0)
			return 1;
	}
	printf("dpdk_receive %.2f ns/packet\n", median(receive, laps));
	printf("dpdk_whole %.2f ns/packet\n", median(whole, laps));
	printf("dpdk_whole_by_receive %.2f x\n", median(ratio, laps));
	return 0;
}

static int measure(char **paths, uint32_t n, int laps, uint64_t packets)
{
	static struct lane lane;
	const struct lane_options options = {
		.worker = {.max_lines = MAX_LINES,
			   .max_flows = MAX_FLOWS,
			   .full_size = true,
			   .full = drain,
			   .context = &lane},
	};
	struct source *source = open_source(paths, n);
	int failed;
	if (!source)
		return 1;
	failed = lane_init(&lane, &options);
	lane.source = source;
	failed = failed || run(&lane, laps, packets);
	lane_fini(&lane);
	source->close(source);
	return failed;
}

int main(int argc, char **argv)
{
	int laps = argc > 3 ? atoi(argv[1]) : 0;
	uint64_t packets = argc > 3 ? strtoull(argv[2], NULL, 10) : 0;
	if (argc > 3 + MAX_FILES || laps < 1 || laps > MAX_LAPS || packets == 0) {
		fprintf(stderr, "Usage: dpdk_bench LAPS PACKETS FILE... (at most %d)\n", MAX_FILES);
		return 2;
	}
	return measure(argv + 3, (uint32_t)argc - 3, laps, packets);
}
