/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The sources of the kernel tap: one reader of some CPUs' rings each.
 */
#include "collectors/xdp.h"

#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>

#include <linux/membarrier.h>

#include "collectors/xdp_tap.h"

enum {
	NAP_MS = 4,   /* between two looks at the rings; */
	IDLE_MS = 16, /* when nothing came; */
	SHORT_MS = 1, /* where other sources must be told that nothing has come */
	NICER = 10,
	LOOK_MS = 1000,
	STEP_NS = 1000000, /* the system's clock was set, not just slewed */
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

/* --- running --- */

/* Slewing moves both clocks alike, so the offset changes only when the system's clock is set. */
static void follow_clock(struct tap_reader *r)
{
	uint64_t before = clock_ns(CLOCK_MONOTONIC), now = clock_ns(CLOCK_REALTIME),
		 after = clock_ns(CLOCK_MONOTONIC), offset = now - before - (after - before) / 2;

	if (offset - r->offset_ns + STEP_NS > 2ull * STEP_NS)
		r->offset_ns = offset;
}

/* Once a second. */
static int look_around(struct xdp_source *s)
{
	uint64_t now_ms = clock_ns(CLOCK_MONOTONIC) / 1000000;

	if (now_ms < s->look_ms)
		return 0;
	s->look_ms = now_ms + LOOK_MS;
	follow_clock(&s->reader);
	return s->index == 0 ? xdp_look_at_ports(s->tap) : 0;
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

/* Whichever source is told first, none goes on before the programs have ended on all CPUs: this
 * membarrier waits for the kernel's readers (RCU). */
static void stop(struct source *source)
{
	static pthread_mutex_t one = PTHREAD_MUTEX_INITIALIZER;
	struct xdp_source *s = (struct xdp_source *)source;

	pthread_mutex_lock(&one);
	xdp_detach(s->tap);
	syscall(SYS_membarrier, MEMBARRIER_CMD_GLOBAL, 0, 0);
	pthread_mutex_unlock(&one);
	s->stopped = true;
}

static void free_tap(struct tap *tap)
{
	xdp_detach(tap);
	xdp_unload(tap);
	xdp_close_fd(&tap->socket);
	free(tap);
}

static void free_source(struct xdp_source *s)
{
	xdp_close_fd(&s->epoll);
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

/* --- opening --- */

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
	return epoll_ctl(s->epoll, EPOLL_CTL_ADD, s->tap->bell_fd, &event) ? -errno : 0;
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
	int status = xdp_add_ports(tap);

	if (!status)
		status = xdp_load(tap);
	for (uint32_t i = 0; !status && i < tap->options.n_sources; i++)
		status = open_source(tap, i, &sources[i]);
	return status ? status : xdp_attach(tap);
}

int xdp_open(struct source **sources, const struct xdp_options *options)
{
	struct tap *tap = calloc(1, sizeof *tap);
	int status;

	if (!tap)
		return -ENOMEM;
	tap->options = *options;
	tap->socket = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	status = open_all(tap, sources);
	if (!status)
		return 0;
	for (uint32_t i = 0; i < tap->n_sources; i++)
		free_source((struct xdp_source *)sources[i]);
	free_tap(tap);
	return status;
}
