/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Loads the programs of the kernel tap and maps their rings. What libbpf and the verifier say is
 * kept while that lasts, and told when it fails.
 */
#include "collectors/xdp_tap.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>

#include <bpf/bpf.h>
#include <bpf/btf.h>
#include <bpf/libbpf.h>

#include "ebpf/tap.skel.h"

enum {
	MIN_RECORDS = 1024,
	MAX_RECORDS = 1 << 22,
	FRAMES_PER_RECORD = 16, /* one record in so many may be a control message */
	SAID_BYTES = 64 << 10,
};

/* What libbpf says while a tap is being opened: the verifier's log, if it comes to that. */
static _Thread_local char said[SAID_BYTES];

static int listen_to_libbpf(enum libbpf_print_level level, const char *format, va_list arguments)
{
	size_t used = strlen(said);

	if (level == LIBBPF_DEBUG)
		return 0;
	return vsnprintf(said + used, sizeof said - used, format, arguments);
}

/* The largest power of two that is not more, within limits. */
static uint32_t floor_power(uint64_t n)
{
	uint32_t power = MIN_RECORDS;

	while (power < MAX_RECORDS && power * 2ull <= n)
		power *= 2;
	return power;
}

static void set_sizes(struct tap *tap)
{
	struct tap_memory *m = &tap->memory;
	struct tap_bpf *bpf = tap->bpf;
	size_t each = sizeof(struct tap_record) + sizeof(struct tap_frame) / FRAMES_PER_RECORD;

	m->n_cpus = (uint32_t)libbpf_num_possible_cpus();
	m->n_records = floor_power(tap->options.buffer_bytes / m->n_cpus / each);
	m->n_frames = m->n_records / FRAMES_PER_RECORD;
	bpf->rodata->tap_records = m->n_records;
	bpf->rodata->tap_frames = m->n_frames;
	bpf->rodata->tap_action = tap->options.drop ? XDP_DROP : XDP_PASS;
	bpf_map__set_max_entries(bpf->maps.rings, m->n_cpus);
	bpf_map__set_max_entries(bpf->maps.records, m->n_cpus * m->n_records);
	bpf_map__set_max_entries(bpf->maps.frames, m->n_cpus * m->n_frames);
}

/* The last lines of what libbpf and the verifier have said, one problem each. */
static void tell_said(const struct tap *tap)
{
	const char *line = said, *end = said + strlen(said);

	for (int lines = 0; end > said && lines < 25; end--)
		lines += end[-1] == '\n';
	for (line = end > said ? end + 1 : said; *line;
	     line += strcspn(line, "\n"), line += !!*line)
		if (*line != '\n')
			xdp_tell(tap, "xdp: %.*s", (int)strcspn(line, "\n"), line);
}

static int load(struct tap *tap)
{
	int status = tap_bpf__load(tap->bpf);

	if (status == -EPERM)
		xdp_tell(
			tap,
			"xdp: no right to load programs into the kernel: expected root, or CAP_BPF, "
			"CAP_PERFMON and CAP_NET_ADMIN");
	else if (status &&
		 libbpf_probe_bpf_helper(BPF_PROG_TYPE_XDP, BPF_FUNC_xdp_load_bytes, NULL) == 0)
		xdp_tell(tap,
			 "xdp: this kernel lacks bpf_xdp_load_bytes; expected Linux 6.1 or later");
	else if (status == -ENOMEM || status == -E2BIG)
		xdp_tell(tap,
			 "xdp: no memory for %u records on each of %u CPUs: expected less --buffer",
			 tap->memory.n_records, tap->memory.n_cpus);
	else if (status) {
		tell_said(tap);
		xdp_tell(tap, "xdp: the kernel refused the program: %s", strerror(-status));
	}
	return status;
}

static void *map(const struct bpf_map *bpf_map, size_t bytes, int access)
{
	void *at = mmap(NULL, bytes, access, MAP_SHARED, bpf_map__fd(bpf_map), 0);

	return at == MAP_FAILED ? NULL : at;
}

static int map_rings(struct tap *tap)
{
	struct tap_memory *m = &tap->memory;
	size_t *bytes = tap->map_bytes, page = (size_t)sysconf(_SC_PAGESIZE);
	uint8_t *rung;

	bytes[0] = m->n_cpus * sizeof(struct tap_ring);
	bytes[1] = m->n_cpus * (size_t)m->n_records * sizeof(struct tap_record);
	bytes[2] = m->n_cpus * (size_t)m->n_frames * sizeof(struct tap_frame);
	m->rings = map(tap->bpf->maps.rings, bytes[0], PROT_READ | PROT_WRITE);
	m->records = map(tap->bpf->maps.records, bytes[1], PROT_READ);
	m->frames = map(tap->bpf->maps.frames, bytes[2], PROT_READ);
	tap->bell_fd = bpf_map__fd(tap->bpf->maps.bell);
	tap->bell = map(tap->bpf->maps.bell, page, PROT_READ | PROT_WRITE);
	rung = mmap(NULL, page, PROT_READ, MAP_SHARED, bpf_map__fd(tap->bpf->maps.bell),
		    (off_t)page);
	tap->rung = rung == MAP_FAILED ? NULL : (const uint64_t *)rung;
	if (m->rings && m->records && m->frames && tap->bell && tap->rung)
		return 0;
	xdp_tell(tap, "xdp: the rings cannot be mapped: %s", strerror(errno));
	return -errno;
}

/* Without BTF there is no other way, and attaching will tell. */
static bool knows_tcx(void)
{
	struct btf *kernel = btf__load_vmlinux_btf();
	bool known = !kernel || btf__find_by_name_kind(kernel, "tcx_link", BTF_KIND_STRUCT) > 0;

	btf__free(kernel);
	return known;
}

static int choose_programs(struct tap *tap)
{
	struct tap_bpf *bpf = tap->bpf;
	struct stat net;

	tap->tcx = tap->options.drop || knows_tcx();
	bpf_program__set_autoload(bpf->progs.tap_nothing, false);
	bpf_program__set_autoload(bpf->progs.tap_sent, !tap->options.drop && tap->tcx);
	bpf_program__set_autoload(bpf->progs.tap_queued, !tap->tcx);
	if (stat("/proc/self/ns/net", &net))
		return -errno;
	bpf->rodata->tap_net = (uint32_t)net.st_ino;
	for (uint32_t i = 0; i < tap->n_ports; i++)
		bpf->rodata->tap_ports[i] = tap->sides[i].index;
	return 0;
}

static int open_and_load(struct tap *tap)
{
	int status;

	tap->bpf = tap_bpf__open();
	if (!tap->bpf)
		return -errno;
	status = choose_programs(tap);
	if (status) {
		xdp_tell(tap, "xdp: /proc/self/ns/net: %s", strerror(-status));
		return status;
	}
	set_sizes(tap);
	status = load(tap);
	return status ? status : map_rings(tap);
}

int xdp_load(struct tap *tap)
{
	libbpf_print_fn_t print = libbpf_set_print(listen_to_libbpf);
	int status;

	*said = 0;
	status = open_and_load(tap);
	libbpf_set_print(print);
	return status;
}

static void unmap(void *at, size_t bytes)
{
	if (at)
		munmap(at, bytes);
}

void xdp_unload(struct tap *tap)
{
	size_t page = (size_t)sysconf(_SC_PAGESIZE);

	unmap(tap->memory.rings, tap->map_bytes[0]);
	unmap((void *)tap->memory.records, tap->map_bytes[1]);
	unmap((void *)tap->memory.frames, tap->map_bytes[2]);
	unmap(tap->bell, page);
	unmap((void *)tap->rung, page);
	tap_bpf__destroy(tap->bpf);
}
