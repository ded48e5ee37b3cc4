/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Two ports of two queues each, playing four captures: which source gets which packets, with which
 * direction, time, length and bytes. EAL starts once in a process, so all is one run.
 */
#include "collectors/dpdk.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "tests/collectors/capture_file.h"
#include "tests/ebpf/frame.h"

enum { QUEUES = 2, PORTS = 2, FRAMES = 150, LONG = 2500, SEEN = 2048 };

static char folder[] = "/tmp/rasad-dpdk-XXXXXX", said[2048];
static struct source *sources[QUEUES];

static void hear(void *context, const char *message)
{
	(void)context;
	snprintf(said + strlen(said), sizeof said - strlen(said), "%s\n", message);
}

/* Port p, queue q: UDP from one public address to another, but for a PADI first and, at the end,
 * a frame that fills more than one buffer. Nothing but the port tells its direction. */
static void build(struct frame *f, uint32_t i)
{
	*f = (struct frame){0};
	if (i == 0) {
		frame_qinq(f, 0x8863);
		frame_pppoe(f, 0x09, 0, 4);
		FRAME_BYTES(f, 0x01, 0x01, 0, 0);
		return;
	}
	frame_macs(f);
	frame_u16(f, 0x0800);
	f->len = 14;
	FRAME_BYTES(f, 0x45, 0, 0, 0, 0, 0, 0x40, 0, 64, 17, 0, 0, 8, 8, 8, 8, 9, 9, 9, 9);
	frame_set16(f, 16, i == FRAMES - 1 ? LONG - 14 : 60);
	frame_udp(f, 5000, 6000, 32);
	frame_fill(f, 0xaa, (i == FRAMES - 1 ? LONG : 74) - f->len);
}

static uint64_t time_us(uint32_t port, uint32_t queue, uint32_t i)
{
	return 1700000000000000ull + port * 1000000u + queue * 10000000u + i * 1001u;
}

static void write_capture(const char *path, uint32_t port, uint32_t queue)
{
	struct file_image image = {0};
	struct frame f;
	FILE *file = fopen(path, "w");

	image_u32(&image, 0xa1b2c3d4);
	image_u16(&image, 2);
	image_u16(&image, 4);
	image_fill(&image, 0, 8);
	image_u32(&image, 65535);
	image_u32(&image, 1);
	for (uint32_t i = 0; i < FRAMES; i++) {
		build(&f, i);
		image_u32(&image, (uint32_t)(time_us(port, queue, i) / 1000000));
		image_u32(&image, (uint32_t)(time_us(port, queue, i) % 1000000));
		image_u32(&image, f.len);
		image_u32(&image, f.len);
		image_put(&image, f.bytes, f.len);
	}
	assert_non_null(file);
	assert_int_equal(fwrite(image.bytes, 1, image.len, file), image.len);
	fclose(file);
	image_free(&image);
}

static int open_ports(void)
{
	char vdev[PORTS][256], path[128];
	char *eal[] = {"--no-huge", "--no-pci", "-m", "256", "--vdev", vdev[0], "--vdev", vdev[1]};
	const struct dpdk_options options = {.ports = "net_pcap0:access,net_pcap1:core",
					     .eal = eal,
					     .n_eal = sizeof eal / sizeof *eal,
					     .n_queues = QUEUES,
					     .problem = hear};

	for (uint32_t p = 0; p < PORTS; p++) {
		snprintf(vdev[p], sizeof vdev[p], "net_pcap%u", p);
		for (uint32_t q = 0; q < QUEUES; q++) {
			snprintf(path, sizeof path, "%s/%u%u.pcap", folder, p, q);
			write_capture(path, p, q);
			snprintf(vdev[p] + strlen(vdev[p]), sizeof vdev[p] - strlen(vdev[p]),
				 ",rx_pcap=%s", path);
		}
	}
	return dpdk_open(sources, &options);
}

static void remove_captures(void)
{
	char path[128];

	for (uint32_t p = 0; p < PORTS; p++)
		for (uint32_t q = 0; q < QUEUES; q++) {
			snprintf(path, sizeof path, "%s/%u%u.pcap", folder, p, q);
			unlink(path);
		}
	rmdir(folder);
}

/* Which port and which of its frames a packet is, by its time. */
static void check_packet(const struct burst *burst, uint32_t n, uint32_t queue,
			 uint32_t seen[PORTS])
{
	const struct pkt *p = &burst->pkt[n];
	uint32_t port = p->ts_ns / 1000 >= time_us(1, queue, 0);
	uint32_t i = seen[port]++;
	struct frame f;

	build(&f, i);
	assert_int_equal(p->ts_ns, time_us(port, queue, i) * 1000);
	assert_int_equal(p->verdict, VERDICT_OK);
	assert_int_equal(p->dir, i == 0 ? DIR_UP : port ? DIR_DOWN : DIR_UP);
	assert_memory_equal(burst->frame[n], f.bytes, f.len < SEEN ? f.len : SEEN);
}

static uint64_t counter(const struct source_stats *stats, const char *name)
{
	for (uint32_t i = 0; i < stats->n_counters; i++)
		if (strcmp(stats->counters[i].name, name) == 0)
			return stats->counters[i].value;
	fail_msg("no counter %s", name);
	return 0;
}

static void read_all(uint32_t queue)
{
	static struct burst burst;
	uint32_t seen[PORTS] = {0};
	int status;

	assert_true(dpdk_plays_files(sources[queue]));
	assert_false(sources[queue]->sharded); /* net_pcap has no hash */
	while ((status = sources[queue]->next(sources[queue], &burst)) == SOURCE_MORE)
		for (uint32_t i = 0; i < burst.n; i++)
			check_packet(&burst, i, queue, seen);
	assert_int_equal(status, SOURCE_END);
	assert_int_equal(seen[0], FRAMES);
	assert_int_equal(seen[1], FRAMES);
}

static void check_counters(uint32_t queue)
{
	const struct source_stats *stats = sources[queue]->stats(sources[queue]);

	assert_int_equal(stats->packets, PORTS * FRAMES);
	assert_int_equal(stats->bytes, PORTS * (LONG + 74 * (FRAMES - 2) + 32));
	assert_int_equal(stats->dropped, 0);
	assert_int_equal(stats->control[0], PORTS);
	if (queue) {
		assert_int_equal(stats->n_counters, 2);
		return;
	}
	assert_int_equal(counter(stats, "net_pcap0_rx_packets"), QUEUES * FRAMES);
	assert_int_equal(counter(stats, "net_pcap1_rx_packets"), QUEUES * FRAMES);
	assert_int_equal(counter(stats, "net_pcap1_imissed"), 0);
	assert_int_equal(counter(stats, "net_pcap1_ierrors"), 0);
	assert_int_equal(counter(stats, "net_pcap1_link_up"), 1);
	assert_int_equal(counter(stats, "queue0_tags_put_back"), 0);
}

static void queues_become_sources(void **state)
{
	int status = open_ports();

	(void)state;
	if (status == -ENOSYS) {
		assert_non_null(strstr(said, "built without DPDK"));
		skip();
	}
	assert_int_equal(status, 0);
	assert_non_null(strstr(said, "no huge pages"));
	assert_non_null(strstr(said, "do not keep a line together"));
	for (uint32_t q = 0; q < QUEUES; q++)
		read_all(q);
	for (uint32_t q = 0; q < QUEUES; q++)
		check_counters(q);
	for (uint32_t q = 0; q < QUEUES; q++)
		sources[q]->close(sources[q]);
	assert_int_equal(open_ports(), -EALREADY);
	assert_non_null(strstr(said, "opened before"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(queues_become_sources)};
	int failed;

	if (!mkdtemp(folder))
		return 1;
	failed = cmocka_run_group_tests(tests, NULL, NULL);
	remove_captures();
	return failed;
}
