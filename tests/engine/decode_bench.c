/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What it costs to decode a frame, by kind, from the first-level cache:
 *
 *   decode_bench [KIND]
 *
 * Best of interleaved laps, in CPU time of the process. One line a figure: name, value, unit. With
 * KIND only that one runs: valgrind --tool=callgrind --toggle-collect=decode_frames counts its
 * instructions, in a build without link-time optimisation (LTO=).
 */
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "ebpf/parse.h"
#include "engine/decode.h"
#include "tests/ebpf/frame.h"

enum { LAPS = 3, BURSTS = 2000 };

static void access_frame(struct frame *f, uint32_t ppp, uint32_t len)
{
	frame_qinq(f, 0x8864);
	frame_pppoe(f, 0, 0x77, len + 2);
	frame_u16(f, ppp);
}

static void timestamps(struct frame *f)
{
	frame_tcp(f, TCP_ACK, 12);
	frame_hex(f, "0101 080a 00000001 00000002");
	frame_fill(f, 0, 20);
}

static void tcp4_timestamps(struct frame *f)
{
	access_frame(f, 0x0021, 20 + 52);
	frame_ipv4(f, 6, 52);
	timestamps(f);
}

static void tcp4(struct frame *f)
{
	access_frame(f, 0x0021, 20 + 20);
	frame_ipv4(f, 6, 20);
	frame_tcp(f, TCP_ACK, 0);
}

static void tcp4_sack(struct frame *f)
{
	access_frame(f, 0x0021, 20 + 44);
	frame_ipv4(f, 6, 44);
	frame_tcp(f, TCP_ACK, 24);
	frame_hex(f, "0101 080a 00000001 00000002 0101 050a 00000001 00000002");
}

static void tcp6_timestamps(struct frame *f)
{
	access_frame(f, 0x0057, 40 + 52);
	frame_ipv6(f, 6, 52);
	timestamps(f);
}

static void udp4(struct frame *f)
{
	access_frame(f, 0x0021, 20 + 28);
	frame_ipv4(f, 17, 28);
	frame_udp(f, 40000, 443, 20);
	frame_fill(f, 0x40, 20);
}

static void udp6(struct frame *f)
{
	access_frame(f, 0x0057, 40 + 28);
	frame_ipv6(f, 17, 28);
	frame_udp(f, 40000, 443, 20);
	frame_fill(f, 0x40, 20);
}

static void plain_tcp4(struct frame *f)
{
	frame_macs(f);
	frame_u16(f, 0x0800);
	frame_ipv4(f, 6, 52);
	timestamps(f);
}

static const struct kind {
	const char *name;
	void (*build)(struct frame *f);
} kinds[] = {
	{"tcp4_timestamps", tcp4_timestamps}, {"tcp4", tcp4}, {"tcp4_sack", tcp4_sack},
	{"tcp6_timestamps", tcp6_timestamps}, {"udp4", udp4}, {"udp6", udp6},
	{"plain_tcp4", plain_tcp4},
};

enum { N_KINDS = sizeof kinds / sizeof *kinds };

static double cpu_ns(void)
{
	struct timespec t;
	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
	return (double)t.tv_sec * 1e9 + (double)t.tv_nsec;
}

static double lap(struct decoder *d, const struct frame *f)
{
	static struct burst burst;
	struct raw_frame raw[BURST_MAX];
	double start;
	for (int i = 0; i < BURST_MAX; i++)
		raw[i] = (struct raw_frame){0, f->bytes, f->len, f->len, LINK_ETHERNET};
	start = cpu_ns();
	for (int i = 0; i < BURSTS; i++) {
		burst.n = 0;
		decode_frames(d, &burst, raw, BURST_MAX);
		decode_burst(d, &burst);
	}
	return (cpu_ns() - start) / (BURSTS * BURST_MAX);
}

int main(int argc, char **argv)
{
	static struct frame frames[N_KINDS];
	static struct decoder decoder;
	double best[N_KINDS];
	decode_add_ac(&decoder, frame_ac);
	for (int k = 0; k < N_KINDS; k++) {
		kinds[k].build(&frames[k]);
		best[k] = 1e9;
	}
	for (int i = 0; i < LAPS; i++)
		for (int k = 0; k < N_KINDS; k++) {
			double ns;
			if (argc > 1 && strcmp(argv[1], kinds[k].name) != 0)
				continue;
			ns = lap(&decoder, &frames[k]);
			best[k] = ns < best[k] ? ns : best[k];
		}
	for (int k = 0; k < N_KINDS; k++)
		if (best[k] < 1e9)
			printf("decode_%s %.2f ns/packet\n", kinds[k].name, best[k]);
	return 0;
}
