/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Loads the kernel tap, hangs it onto interfaces, maps its rings.
 *
 * Everything that is attached is a bpf_link, held by a file descriptor of this process alone. The
 * links of TC are those of TCX (Linux 6.6); an older kernel's filters would outlive the process, so
 * there a tracepoint sees what all interfaces send, and takes what ours do.
 */
#include "collectors/xdp.h"

#include <errno.h>
#include <net/if.h>
#include <net/if_arp.h>
#include <pthread.h>
#include <sched.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include <bpf/bpf.h>
#include <bpf/btf.h>
#include <bpf/libbpf.h>
#include <linux/ethtool.h>
#include <linux/if_link.h>
#include <linux/membarrier.h>
#include <linux/sockios.h>

#include "collectors/eal_args.h"
#include "collectors/tap_reader.h"
#include "ebpf/tap.skel.h"

enum {
	MIN_RECORDS = 1024,
	MAX_RECORDS = 1 << 22,
	FRAMES_PER_RECORD = 16, /* one record in so many may be a control message */
	NAP_MS = 4,		/* between two looks at the rings; */
	IDLE_MS = 16,		/* when nothing came; */
	SHORT_MS = 1,		/* where other sources must be told that nothing has come */
	NICER = 10,
	LOOK_MS = 1000,
	STEP_NS = 1000000, /* the system's clock was set, not just slewed */
	SAID_BYTES = 64 << 10,
};

/* Of enum bpf_attach_type, since Linux 6.6. */
#define TCX_EGRESS ((enum bpf_attach_type)47)

struct port {
	char name[IF_NAMESIZE];
	int received, sent; /* links; -1: none */
	bool gone;
};

/* What the sources have in common; read only once they run, but for `gone`, which is source 0's. */
struct tap {
	struct xdp_options options;
	struct tap_bpf *bpf;
	struct tap_memory memory;
	struct tap_port sides[TAP_MAX_PORTS];
	struct port ports[TAP_MAX_PORTS];
	uint32_t n_ports;
	size_t map_bytes[3];
	uint64_t *bell;	      /* its consumer's position; */
	const uint64_t *rung; /* and the producer's */
	uint32_t n_sources;
	int socket; /* to ask the kernel about interfaces */
	bool tcx;   /* the kernel knows links of TC */
};

struct xdp_source {
	struct source source; /* first: the face */
	struct tap *tap;
	uint32_t index;
	struct tap_reader reader;
	int epoll;
	uint64_t look_ms;
	bool in_thread, drained, stopped;
	int nap_ms;
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

__attribute__((format(printf, 2, 3))) static void tell(const struct tap *tap, const char *format,
						       ...)
{
	char message[512];
	va_list arguments;

	va_start(arguments, format);
	vsnprintf(message, sizeof message, format, arguments);
	va_end(arguments);
	tap->options.problem(tap->options.context, message);
}

static uint64_t clock_ns(clockid_t clock)
{
	struct timespec now;

	clock_gettime(clock, &now);
	return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

/* --- running --- */

/* Slewing moves both clocks alike, so the offset changes only when the system's clock is set. */
static void follow_clock(struct tap_reader *r)
{
	uint64_t before = clock_ns(CLOCK_MONOTONIC), now = clock_ns(CLOCK_REALTIME),
		 after = clock_ns(CLOCK_MONOTONIC), offset = now - before - (after - before) / 2;

	if (offset - r->offset_ns + STEP_NS > 2ull * STEP_NS)
		r->offset_ns = offset;
}

/* Is it there, and up? */
static bool is_up(const struct tap *tap, const struct port *port)
{
	struct ifreq request = {0};

	memcpy(request.ifr_name, port->name, sizeof port->name);
	return ioctl(tap->socket, SIOCGIFFLAGS, &request) == 0 && request.ifr_flags & IFF_UP;
}

/* Interfaces that come back bring back their links, unless they were destroyed. */
static int look_at_ports(struct tap *tap)
{
	bool any = false;

	for (struct port *port = tap->ports; port < tap->ports + tap->n_ports; port++) {
		bool gone = !is_up(tap, port);

		if (gone != port->gone)
			tell(tap, "xdp: %s: the interface %s", port->name,
			     !gone			  ? "is up"
			     : if_nametoindex(port->name) ? "went down; waiting for it"
							  : "is gone");
		port->gone = gone;
		any = any || if_nametoindex(port->name);
	}
	return any ? 0 : -EIO;
}

/* Once a second. */
static int look_around(struct xdp_source *s)
{
	uint64_t now_ms = clock_ns(CLOCK_MONOTONIC) / 1000000;

	if (now_ms < s->look_ms)
		return 0;
	s->look_ms = now_ms + LOOK_MS;
	follow_clock(&s->reader);
	return s->index == 0 ? look_at_ports(s->tap) : 0;
}

/*
 * To be woken is dear: the kernel does it on a packet's way. So the reader looks every few
 * milliseconds by itself, and the bell is only for rings that fill up sooner. The words in the bell
 * say nothing; whoever wakes makes room for more.
 */
static void nap(struct xdp_source *s)
{
	struct epoll_event event;

	if (!tap_sleep(&s->reader, true))
		epoll_wait(s->epoll, &event, 1, s->source.sharded ? s->nap_ms : SHORT_MS);
	tap_sleep(&s->reader, false);
	__atomic_store_n(s->tap->bell, __atomic_load_n(s->tap->rung, __ATOMIC_ACQUIRE),
			 __ATOMIC_RELEASE);
}

/* Inline the packets of others come first: the thread that reads does not pre-empt who works for
 * them, and of a CPU that is wanted it takes about a tenth. The rings hold what comes meanwhile. */
static void make_way(struct xdp_source *s)
{
	const struct sched_param none = {0};
	pid_t thread = gettid();

	s->in_thread = true;
	if (s->tap->options.drop)
		return;
	sched_setscheduler(thread, SCHED_BATCH, &none);
	setpriority(PRIO_PROCESS, (id_t)thread, getpriority(PRIO_PROCESS, (id_t)thread) + NICER);
}

/* A burst that is not full has emptied the rings: what has come since can wait for more. */
static int next(struct source *source, struct burst *burst)
{
	struct xdp_source *s = (struct xdp_source *)source;
	int status;

	burst->n = 0;
	if (!s->in_thread)
		make_way(s);
	if (s->drained && !s->stopped) {
		status = look_around(s);
		if (status)
			return status;
		nap(s);
	}
	tap_read(&s->reader, burst);
	s->drained = burst->n < BURST_MAX;
	s->nap_ms = burst->n ? NAP_MS : IDLE_MS;
	return burst->n ? SOURCE_MORE : s->stopped ? SOURCE_END : SOURCE_IDLE;
}

static const struct source_stats *stats(struct source *source)
{
	return tap_stats(&((struct xdp_source *)source)->reader);
}

/* --- closing --- */

static void close_fd(int *fd)
{
	if (*fd >= 0)
		close(*fd);
	*fd = -1;
}

static void detach(struct tap *tap)
{
	for (struct port *port = tap->ports; port < tap->ports + tap->n_ports; port++) {
		close_fd(&port->received);
		close_fd(&port->sent);
	}
}

/* Whichever source is told first, none goes on before the programs have ended on all CPUs: this
 * membarrier waits for the kernel's readers (RCU). */
static void stop(struct source *source)
{
	static pthread_mutex_t one = PTHREAD_MUTEX_INITIALIZER;
	struct xdp_source *s = (struct xdp_source *)source;

	pthread_mutex_lock(&one);
	detach(s->tap);
	syscall(SYS_membarrier, MEMBARRIER_CMD_GLOBAL, 0, 0);
	pthread_mutex_unlock(&one);
	s->stopped = true;
}

static void unmap(void *at, size_t bytes)
{
	if (at)
		munmap(at, bytes);
}

static void free_tap(struct tap *tap)
{
	size_t page = (size_t)sysconf(_SC_PAGESIZE);

	detach(tap);
	unmap(tap->memory.rings, tap->map_bytes[0]);
	unmap((void *)tap->memory.records, tap->map_bytes[1]);
	unmap((void *)tap->memory.frames, tap->map_bytes[2]);
	unmap(tap->bell, page);
	unmap((void *)tap->rung, page);
	tap_bpf__destroy(tap->bpf);
	close_fd(&tap->socket);
	free(tap);
}

static void free_source(struct xdp_source *s)
{
	close_fd(&s->epoll);
	free(s->reader.places);
	free(s);
}

static void close_source(struct source *source)
{
	struct tap *tap = ((struct xdp_source *)source)->tap;

	free_source((struct xdp_source *)source);
	if (--tap->n_sources == 0)
		free_tap(tap);
}

/* --- loading --- */

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
			tell(tap, "xdp: %.*s", (int)strcspn(line, "\n"), line);
}

static int load(struct tap *tap)
{
	int status = tap_bpf__load(tap->bpf);

	if (status == -EPERM)
		tell(tap,
		     "xdp: no right to load programs into the kernel: expected root, or CAP_BPF, "
		     "CAP_PERFMON and CAP_NET_ADMIN");
	else if (status &&
		 libbpf_probe_bpf_helper(BPF_PROG_TYPE_XDP, BPF_FUNC_xdp_load_bytes, NULL) == 0)
		tell(tap, "xdp: this kernel lacks bpf_xdp_load_bytes; expected Linux 6.1 or later");
	else if (status == -ENOMEM || status == -E2BIG)
		tell(tap,
		     "xdp: no memory for %u records on each of %u CPUs: expected less --buffer",
		     tap->memory.n_records, tap->memory.n_cpus);
	else if (status) {
		tell_said(tap);
		tell(tap, "xdp: the kernel refused the program: %s", strerror(-status));
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
	tap->bell = map(tap->bpf->maps.bell, page, PROT_READ | PROT_WRITE);
	rung = mmap(NULL, page, PROT_READ, MAP_SHARED, bpf_map__fd(tap->bpf->maps.bell),
		    (off_t)page);
	tap->rung = rung == MAP_FAILED ? NULL : (const uint64_t *)rung;
	if (m->rings && m->records && m->frames && tap->bell && tap->rung)
		return 0;
	tell(tap, "xdp: the rings cannot be mapped: %s", strerror(errno));
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

static int load_and_map(struct tap *tap)
{
	int status;

	tap->bpf = tap_bpf__open();
	if (!tap->bpf)
		return -errno;
	status = choose_programs(tap);
	if (status) {
		tell(tap, "xdp: /proc/self/ns/net: %s", strerror(-status));
		return status;
	}
	set_sizes(tap);
	status = load(tap);
	return status ? status : map_rings(tap);
}

/* --- attaching --- */

static int attach(const struct bpf_program *program, uint32_t ifindex, enum bpf_attach_type type,
		  uint32_t flags)
{
	LIBBPF_OPTS(bpf_link_create_opts, options, .flags = flags);

	return bpf_link_create(bpf_program__fd(program), (int)ifindex, type, &options);
}

static int refuse(const struct tap *tap, const struct port *port, int status)
{
	if (status == -EBUSY || status == -EEXIST)
		tell(tap,
		     "xdp: %s: another XDP program is there: expected none (ip link set %s xdp "
		     "off)",
		     port->name, port->name);
	else if (status == -EPERM)
		tell(tap, "xdp: %s: no right to attach: expected root, or CAP_NET_ADMIN",
		     port->name);
	else
		tell(tap, "xdp: %s: XDP cannot be attached: %s", port->name, strerror(-status));
	return status;
}

/* In the driver; else behind it, on every packet's way through the kernel. */
static int attach_received(struct tap *tap, struct port *port, uint32_t ifindex)
{
	const struct bpf_program *program = tap->bpf->progs.tap_received;
	int status;

	port->received = attach(program, ifindex, BPF_XDP, XDP_FLAGS_DRV_MODE);
	if (port->received >= 0)
		return 0;
	status = port->received;
	if (status == -EBUSY || status == -EEXIST || status == -EPERM)
		return refuse(tap, port, status);
	port->received = attach(program, ifindex, BPF_XDP, XDP_FLAGS_SKB_MODE);
	if (port->received < 0)
		return refuse(tap, port, port->received);
	tell(tap, "xdp: %s: its driver takes no program (%s); generic XDP, which costs more",
	     port->name, strerror(-status));
	return 0;
}

static int attach_sent(struct tap *tap, struct port *port, uint32_t ifindex)
{
	port->sent = attach(tap->bpf->progs.tap_sent, ifindex, TCX_EGRESS, 0);
	if (port->sent >= 0)
		return 0;
	tell(tap, "xdp: %s: TC cannot be attached: %s", port->name, strerror(-port->sent));
	return port->sent;
}

/* For all interfaces at once. */
static int attach_queued(struct tap *tap)
{
	int link = bpf_raw_tracepoint_open(NULL, bpf_program__fd(tap->bpf->progs.tap_queued));

	if (link < 0) {
		tell(tap, "xdp: the tracepoint net_dev_queue cannot be attached: %s",
		     strerror(-link));
		return link;
	}
	tap->ports[0].sent = link;
	tell(tap, "xdp: this kernel has no links of TC (Linux 6.6): what is sent is seen at a "
		  "tracepoint, which costs more");
	return 0;
}

static bool is_ethernet(const struct tap *tap, const struct port *port)
{
	struct ifreq request = {0};

	memcpy(request.ifr_name, port->name, sizeof port->name);
	return ioctl(tap->socket, SIOCGIFHWADDR, &request) == 0 &&
	       request.ifr_hwaddr.sa_family == ARPHRD_ETHER;
}

/* A NIC that takes tags out of frames: whether its driver leaves them in for XDP, it does not say. */
static void look_for_stripping(const struct tap *tap, const struct port *port)
{
	struct ethtool_value flags = {.cmd = ETHTOOL_GFLAGS};
	struct ifreq request = {.ifr_data = (char *)&flags};

	memcpy(request.ifr_name, port->name, sizeof port->name);
	if (ioctl(tap->socket, SIOCETHTOOL, &request) == 0 && flags.data & ETH_FLAG_RXVLAN)
		tell(tap,
		     "xdp: %s: the NIC may take VLAN tags away before XDP sees them: turn that off "
		     "(ethtool -K %s rxvlan off)",
		     port->name, port->name);
}

static int attach_port(struct tap *tap, struct port *port, uint32_t ifindex)
{
	int status;

	look_for_stripping(tap, port);
	status = attach_received(tap, port, ifindex);
	if (status || tap->options.drop || !tap->tcx)
		return status;
	return attach_sent(tap, port, ifindex);
}

/* --- opening --- */

static uint8_t opposite(uint8_t side)
{
	return side == DIR_UP ? DIR_DOWN : side == DIR_DOWN ? DIR_UP : DIR_UNKNOWN;
}

/* Inline an interface is on the access side unless it is said that it is not. */
static int add_port(struct tap *tap, const struct eal_port *named)
{
	struct port *port = &tap->ports[tap->n_ports];
	uint8_t side = named->side == DIR_UNKNOWN && !tap->options.drop ? DIR_UP : named->side;
	uint32_t ifindex = if_nametoindex(named->name);

	*port = (struct port){.received = -1, .sent = -1};
	snprintf(port->name, sizeof port->name, "%.*s", IF_NAMESIZE - 1, named->name);
	if (!ifindex || !is_ethernet(tap, port)) {
		tell(tap, "xdp: %s: %s", named->name,
		     ifindex ? "is no Ethernet interface" : "no such interface");
		return ifindex ? -EINVAL : -ENODEV;
	}
	for (uint32_t i = 0; i < tap->n_ports; i++)
		if (tap->sides[i].index == ifindex) {
			tell(tap, "xdp: %s: given twice", port->name);
			return -EINVAL;
		}
	tap->sides[tap->n_ports++] = (struct tap_port){ifindex, side, opposite(side)};
	return 0;
}

static int add_ports(struct tap *tap)
{
	const char *text = tap->options.interfaces;
	struct eal_port named;
	int status = 0, more;

	while (!status && (more = eal_next_port(&text, &named)) > 0) {
		if (tap->n_ports == TAP_MAX_PORTS) {
			tell(tap, "xdp: more than %d interfaces", TAP_MAX_PORTS);
			return -E2BIG;
		}
		status = add_port(tap, &named);
	}
	if (!status && (more < 0 || !tap->n_ports)) {
		tell(tap, "xdp: \"%s\": expected interfaces, like eth1 or eth1,eth2:core",
		     tap->options.interfaces);
		return -EINVAL;
	}
	return status;
}

/* Which CPUs it reads: every n-th. */
static int choose_cpus(struct xdp_source *s, uint32_t n_sources)
{
	const struct tap_memory *m = &s->tap->memory;

	s->reader.places = calloc(m->n_cpus, sizeof *s->reader.places);
	if (!s->reader.places)
		return -ENOMEM;
	for (uint32_t cpu = s->index; cpu < m->n_cpus; cpu += n_sources)
		s->reader.places[s->reader.n_places++].cpu = cpu;
	return 0;
}

static int wake_by_bell(struct xdp_source *s)
{
	struct epoll_event event = {.events = EPOLLIN | EPOLLET};

	s->epoll = epoll_create1(EPOLL_CLOEXEC);
	if (s->epoll < 0)
		return -errno;
	return epoll_ctl(s->epoll, EPOLL_CTL_ADD, bpf_map__fd(s->tap->bpf->maps.bell), &event)
		       ? -errno
		       : 0;
}

static int open_source(struct tap *tap, uint32_t index, struct source **source)
{
	uint32_t n = tap->options.n_sources;
	struct xdp_source *s = calloc(1, sizeof *s);

	if (!s)
		return -ENOMEM;
	*source = &s->source;
	s->source = (struct source){.next = next,
				    .close = close_source,
				    .stop = stop,
				    .stats = stats,
				    .sharded = n == 1};
	s->tap = tap;
	s->index = index;
	s->epoll = -1;
	s->nap_ms = NAP_MS;
	s->reader.memory = &tap->memory;
	s->reader.ports = tap->sides;
	s->reader.n_ports = tap->n_ports;
	for (uint32_t i = 0; i < tap->options.n_ac_macs; i++)
		decode_add_ac(&s->reader.decoder, tap->options.ac_macs[i]);
	tap->n_sources++;
	follow_clock(&s->reader);
	return choose_cpus(s, n) || wake_by_bell(s) ? -ENOMEM : 0;
}

static int open_all(struct tap *tap, struct source **sources)
{
	int status = add_ports(tap);

	if (!status)
		status = load_and_map(tap);
	for (uint32_t i = 0; !status && i < tap->options.n_sources; i++)
		status = open_source(tap, i, &sources[i]);
	for (uint32_t i = 0; !status && i < tap->n_ports; i++)
		status = attach_port(tap, &tap->ports[i], tap->sides[i].index);
	return status || tap->tcx ? status : attach_queued(tap);
}

int xdp_open(struct source **sources, const struct xdp_options *options)
{
	struct tap *tap = calloc(1, sizeof *tap);
	libbpf_print_fn_t print = libbpf_set_print(listen_to_libbpf);
	int status;

	if (!tap)
		return -ENOMEM;
	tap->options = *options;
	tap->socket = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	*said = 0;
	status = open_all(tap, sources);
	libbpf_set_print(print);
	if (!status)
		return 0;
	for (uint32_t i = 0; i < tap->n_sources; i++)
		free_source((struct xdp_source *)sources[i]);
	free_tap(tap);
	return status;
}
