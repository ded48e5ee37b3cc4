/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * EAL, and the way of a burst: receive, decode, free, or wait.
 *
 * While a collector is being opened DPDK talks to the user in pages; that is kept (hush.h), and
 * its reasons end up behind our own sentence.
 */
#include "collectors/dpdk.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <unistd.h>

#include <rte_epoll.h>
#include <rte_ethdev.h>
#include <rte_interrupts.h>
#include <rte_mbuf.h>
#include <rte_mbuf_dyn.h>
#include <rte_pause.h>

#include "collectors/dpdk_eal.h"
#include "collectors/dpdk_frame.h"
#include "collectors/dpdk_port.h"
#include "collectors/eal_args.h"
#include "collectors/hush.h"
#include "collectors/nic_clock.h"
#include "collectors/tell.h"
#include "engine/decode.h"

enum {
	ETHERNET = 1, /* LINKTYPE_ */
	SLOT = RTE_MBUF_DEFAULT_DATAROOM,
	SPINS = 200,
	IDLE_MS = 20,
	BUSY_MS = 1,
	NAP_MIN_US = 50,
	NAP_MAX_US = 1000,
	LOOK_MS = 1000,
	LOOK_BURSTS = 1024,
	CALIBRATE_US = 10000,
	MAX_WAKES = DPDK_MAX_PORTS * KERNEL_SOCKETS_MAX,
	MAX_EVENTS = 16, /* one would do: whatever wakes, all ports are looked at */
};

/* One queue of one port. */
struct rx {
	struct dpdk_port *port;
	uint16_t queue;
	bool ended;
	struct nic_clock clock;
};

struct nic;

struct dpdk_source {
	struct source source; /* first: the face */
	struct nic *nic;
	uint32_t index;
	struct decoder decoder;
	struct rx rx[DPDK_MAX_PORTS];
	uint32_t n_rx, turn;
	int epoll; /* wakes for every queue; -1: naps instead */
	struct rte_epoll_event wake[MAX_WAKES];
	uint32_t n_wake;
	bool in_thread, damaged;
	uint32_t nap_us, bursts;
	uint64_t look_ms;
	uint64_t joined, retagged;
	uint8_t kept[BURST_MAX][SLOT]; /* control messages; frames that were in pieces */
};

/* What the sources have in common: read only, but for the ports, which are source 0's to watch. */
struct nic {
	struct dpdk_options options;
	struct dpdk_ports ports;
	struct dpdk_source *sources[DPDK_MAX_QUEUES];
	uint32_t n_sources;
	bool eal; /* is up */
	uint64_t stamp_flag;
	int stamp_offset;
};

#define nic_tell(nic, ...) tell((nic)->options.problem, (nic)->options.context, __VA_ARGS__)

/* --- receiving --- */

static inline uint64_t stamp_ns(const struct nic *nic, const struct rx *rx, struct rte_mbuf *m,
				uint64_t now_ns)
{
	uint64_t stamp;

	if (!(m->ol_flags & nic->stamp_flag) || rx->port->stamp == STAMP_NONE)
		return now_ns;
	stamp = *RTE_MBUF_DYNFIELD(m, nic->stamp_offset, rte_mbuf_timestamp_t *);
	return rx->port->stamp == STAMP_UNIX_US ? stamp * 1000 : nic_clock_ns(&rx->clock, stamp);
}

/* Not as on the wire, or its first piece is too short. */
static inline bool is_odd(const struct rte_mbuf *m)
{
	return m->ol_flags & (RTE_MBUF_F_RX_VLAN_STRIPPED | RTE_MBUF_F_RX_QINQ_STRIPPED) ||
	       (m->nb_segs > 1 && m->data_len < DPDK_MTU);
}

static void rebuild(struct dpdk_source *s, const struct rte_mbuf *m, struct raw_frame *f,
		    uint8_t *room)
{
	s->retagged += dpdk_frame_lacks_tags(m);
	s->joined += m->nb_segs > 1;
	f->bytes = room;
	f->caplen = dpdk_frame_rebuild(m, room, SLOT);
	f->wire_len = dpdk_frame_wire_len(m);
}

static inline struct raw_frame frame_of(struct dpdk_source *s, const struct rx *rx,
					struct rte_mbuf *m, uint64_t now_ns, uint8_t *room)
{
	struct raw_frame f = {.ts_ns = stamp_ns(s->nic, rx, m, now_ns),
			      .bytes = rte_pktmbuf_mtod(m, const uint8_t *),
			      .caplen = RTE_MIN(m->data_len, SLOT),
			      .wire_len = m->pkt_len,
			      .link = ETHERNET};

	if (unlikely(is_odd(m)))
		rebuild(s, m, &f, room);
	return f;
}

/* Only of a control message the bytes outlive the buffer. */
static void keep_control(struct dpdk_source *s, struct burst *burst, const struct raw_frame *frames)
{
	for (uint32_t i = 0; i < burst->n; i++) {
		burst->frame[i] = NULL;
		if (!pkt_is_control(&burst->pkt[i]))
			continue;
		if (frames[i].bytes != s->kept[i])
			memcpy(s->kept[i], frames[i].bytes, frames[i].caplen);
		burst->frame[i] = s->kept[i];
	}
}

static void take_all(struct dpdk_source *s, const struct rx *rx, struct rte_mbuf **mbufs,
		     uint32_t n, struct burst *burst)
{
	uint64_t now_ns = clock_ns(CLOCK_REALTIME);
	struct raw_frame frames[BURST_MAX];

	for (uint32_t i = 0; i < n; i++)
		rte_prefetch0(rte_pktmbuf_mtod(mbufs[i], void *));
	for (uint32_t i = 0; i < n; i++)
		frames[i] = frame_of(s, rx, mbufs[i], now_ns, s->kept[i]);
	s->decoder.side = rx->port->side;
	decode_frames(&s->decoder, burst, frames, n);
	decode_burst(&s->decoder, burst);
	burst_fill_all(burst);
	keep_control(s, burst, frames);
	rte_pktmbuf_free_bulk(mbufs, n);
}

/* A capture file that gives nothing has ended; or it cannot be read on, which the driver counts. */
static void end_file(struct dpdk_source *s, struct rx *rx)
{
	struct rte_eth_stats stats;

	rx->ended = true;
	if (rte_eth_stats_get(rx->port->id, &stats) || !stats.ierrors)
		return;
	s->damaged = true;
	nic_tell(s->nic, "dpdk: %s: the capture is damaged or cut after packet %llu",
		 rx->port->name, (unsigned long long)stats.ipackets);
}

/* One burst, of the next port that has any. */
static uint32_t receive(struct dpdk_source *s, struct burst *burst)
{
	struct rte_mbuf *mbufs[BURST_MAX];

	for (uint32_t i = 0; i < s->n_rx; i++) {
		struct rx *rx = &s->rx[s->turn];
		uint16_t n;

		s->turn = s->turn + 1 < s->n_rx ? s->turn + 1 : 0;
		if (rx->ended)
			continue;
		n = rte_eth_rx_burst(rx->port->id, rx->queue, mbufs, BURST_MAX);
		if (n) {
			take_all(s, rx, mbufs, n, burst);
			return n;
		}
		if (rx->port->file)
			end_file(s, rx);
	}
	return 0;
}

static bool has_ended(const struct dpdk_source *s)
{
	for (uint32_t i = 0; i < s->n_rx; i++)
		if (!s->rx[i].ended)
			return false;
	return true;
}

/* --- waiting --- */

static void look_at_port(struct dpdk_source *s, struct rx *rx)
{
	struct dpdk_port *port = rx->port;
	uint64_t ticks;

	if (s->index == 0 && dpdk_port_link_changed(port))
		nic_tell(s->nic, "dpdk: %s: the link is %s", port->name,
			 port->link_down ? "down; waiting for it" : "up");
	if (port->stamp == STAMP_TICKS && dpdk_port_read_clock(port, &ticks))
		nic_clock_sync(&rx->clock, ticks, clock_ns(CLOCK_REALTIME));
}

/* Once a second. */
static void look_around(struct dpdk_source *s)
{
	uint64_t now_ms = clock_ns(CLOCK_MONOTONIC) / 1000000;

	s->bursts = 0;
	if (now_ms < s->look_ms)
		return;
	s->look_ms = now_ms + LOOK_MS;
	for (uint32_t i = 0; i < s->n_rx; i++)
		look_at_port(s, &s->rx[i]);
}

static void nap(struct dpdk_source *s)
{
	s->nap_us = s->nap_us ? RTE_MIN(s->nap_us * 2, (uint32_t)NAP_MAX_US) : NAP_MIN_US;
	usleep(s->nap_us);
}

static void arm(struct dpdk_source *s, bool on)
{
	for (uint32_t i = 0; i < s->n_rx; i++) {
		struct rx *rx = &s->rx[i];

		if (rx->port->sockets.n)
			continue;
		if (on)
			rte_eth_dev_rx_intr_enable(rx->port->id, rx->queue);
		else
			rte_eth_dev_rx_intr_disable(rx->port->id, rx->queue);
	}
}

/* What comes between the last look and arming wakes nobody, so there is one more look. */
static uint32_t doze(struct dpdk_source *s, struct burst *burst)
{
	struct rte_epoll_event events[MAX_EVENTS];
	uint32_t n;
	int woken = 0;

	arm(s, true);
	n = receive(s, burst);
	if (!n)
		woken = rte_epoll_wait(s->epoll, events, MAX_EVENTS, IDLE_MS);
	arm(s, false);
	if (!n)
		n = receive(s, burst);
	if (n || woken <= 0)
		return n;
	for (uint32_t i = 0; i < s->n_rx; i++) /* it was an error that woke us, not a packet */
		kernel_sockets_calm(&s->rx[i].port->sockets);
	nap(s);
	return 0;
}

static uint32_t await(struct dpdk_source *s, struct burst *burst)
{
	bool busy = s->nic->options.busy;
	uint64_t end_ns = clock_ns(CLOCK_MONOTONIC) + (busy ? BUSY_MS : IDLE_MS) * 1000000ull;
	uint32_t n = 0;

	for (uint32_t i = 0; !n && !has_ended(s) && clock_ns(CLOCK_MONOTONIC) < end_ns; i++) {
		if (busy || i < SPINS)
			rte_pause();
		else if (s->epoll >= 0)
			n = doze(s, burst);
		else
			nap(s);
		if (!n)
			n = receive(s, burst);
	}
	return n;
}

/* Buffers are cached by lcore: a thread of the engine becomes one when it first comes here. */
static void enter_thread(struct dpdk_source *s)
{
	s->in_thread = true;
	if (rte_lcore_id() == LCORE_ID_ANY)
		rte_thread_register();
}

static int next(struct source *source, struct burst *burst)
{
	struct dpdk_source *s = (struct dpdk_source *)source;

	burst->n = 0;
	if (unlikely(!s->in_thread))
		enter_thread(s);
	if (++s->bursts >= LOOK_BURSTS)
		look_around(s);
	if (receive(s, burst))
		return SOURCE_MORE;
	if (await(s, burst)) {
		s->nap_us = 0;
		return SOURCE_MORE;
	}
	if (has_ended(s))
		return s->damaged ? -EIO : SOURCE_END;
	look_around(s);
	return SOURCE_IDLE;
}

static const struct source_stats *stats(struct source *source)
{
	struct dpdk_source *s = (struct dpdk_source *)source;
	struct source_stats *own = &s->decoder.stats;
	char queue[16];

	own->n_counters = 0;
	own->dropped = 0;
	for (uint32_t i = 0; s->index == 0 && i < s->nic->ports.n; i++)
		dpdk_count_port(own, &s->nic->ports.list[i]);
	snprintf(queue, sizeof queue, "queue%u", s->index);
	dpdk_count(own, queue, "frames_joined", s->joined);
	dpdk_count(own, queue, "tags_put_back", s->retagged);
	return own;
}

bool dpdk_plays_files(const struct source *source)
{
	const struct dpdk_source *s = (const struct dpdk_source *)source;

	for (uint32_t i = 0; i < s->n_rx; i++)
		if (!s->rx[i].port->file)
			return false;
	return true;
}

/* --- closing --- */

static void free_nic(struct nic *nic)
{
	struct hush hush = HUSH_NONE;

	if (nic->eal) {
		hush_begin(&hush);
		dpdk_ports_close(&nic->ports);
		dpdk_eal_stop();
		free(hush_end(&hush));
	}
	free(nic);
}

static void free_source(struct dpdk_source *s)
{
	if (s->epoll >= 0)
		close(s->epoll);
	free(s);
}

static void close_source(struct source *source)
{
	struct nic *nic = ((struct dpdk_source *)source)->nic;

	free_source((struct dpdk_source *)source);
	if (--nic->n_sources == 0)
		free_nic(nic);
}

/* --- opening --- */

static int add_socket(struct dpdk_source *s, int fd)
{
	struct rte_epoll_event *event = &s->wake[s->n_wake++];

	event->epdata.event = EPOLLIN;
	return rte_epoll_ctl(s->epoll, EPOLL_CTL_ADD, fd, event);
}

/* Interrupts of a device, or the socket of a virtual one; -errno when there is neither. Sockets
 * are opened queue by queue: if there are as many, they are in that order. */
static int add_wake(struct dpdk_source *s, const struct rx *rx)
{
	const struct kernel_sockets *sockets = &rx->port->sockets;
	int status = 0;

	if (sockets->n == s->nic->ports.queues)
		return add_socket(s, sockets->fds[rx->queue]);
	for (uint32_t i = 0; !status && i < sockets->n; i++)
		status = add_socket(s, sockets->fds[i]);
	if (sockets->n)
		return status;
	return rx->port->interrupts ? rte_eth_dev_rx_intr_ctl_q(rx->port->id, rx->queue, s->epoll,
								RTE_INTR_EVENT_ADD, NULL)
				    : -ENOTSUP;
}

/* A queue that wakes nobody makes the others' calls worthless. */
static void open_epoll(struct dpdk_source *s)
{
	int status = 0;

	s->epoll = s->nic->options.busy ? -1 : epoll_create1(EPOLL_CLOEXEC);
	for (uint32_t i = 0; s->epoll >= 0 && !status && i < s->n_rx; i++)
		status = add_wake(s, &s->rx[i]);
	if (status) {
		close(s->epoll);
		s->epoll = -1;
	}
}

static void set_clock(struct rx *rx)
{
	uint64_t ticks[2] = {0}, ns[2];

	if (rx->port->stamp != STAMP_TICKS)
		return;
	for (int i = 0; i < 2; i++) {
		dpdk_port_read_clock(rx->port, &ticks[i]);
		ns[i] = clock_ns(CLOCK_REALTIME);
		usleep(i ? 0 : CALIBRATE_US);
	}
	nic_clock_start(&rx->clock, ticks, ns);
}

static bool is_sharded(const struct dpdk_ports *ports)
{
	for (uint32_t i = 0; i < ports->n; i++)
		if (ports->queues > 1 && !ports->list[i].by_line)
			return false;
	return true;
}

static int open_source(struct nic *nic, uint32_t index)
{
	struct dpdk_source *s = calloc(1, sizeof *s);

	if (!s)
		return -ENOMEM;
	s->source = (struct source){.next = next,
				    .close = close_source,
				    .stats = stats,
				    .part = nic->ports.queues > 1,
				    .sharded = is_sharded(&nic->ports)};
	s->nic = nic;
	s->index = index;
	for (uint32_t i = 0; i < nic->options.n_ac_macs; i++)
		decode_add_ac(&s->decoder, nic->options.ac_macs[i]);
	for (uint32_t i = 0; i < nic->ports.n; i++) {
		s->rx[s->n_rx++] =
			(struct rx){.port = &nic->ports.list[i], .queue = (uint16_t)index};
		set_clock(&s->rx[i]);
	}
	open_epoll(s);
	nic->sources[nic->n_sources++] = s;
	return 0;
}

static int open_all(struct nic *nic, struct hush *hush)
{
	int flag, status = dpdk_eal_start(&nic->options, hush);

	if (status)
		return status;
	nic->eal = true;
	hush_begin(hush);
	status = dpdk_ports_open(&nic->ports, nic->options.ports, hush);
	flag = rte_mbuf_dynflag_lookup(RTE_MBUF_DYNFLAG_RX_TIMESTAMP_NAME, NULL);
	nic->stamp_offset = rte_mbuf_dynfield_lookup(RTE_MBUF_DYNFIELD_TIMESTAMP_NAME, NULL);
	if (flag >= 0 && nic->stamp_offset >= 0)
		nic->stamp_flag = 1ull << flag;
	for (uint32_t i = 0; !status && i < nic->ports.queues; i++)
		status = open_source(nic, i);
	if (!status && !is_sharded(&nic->ports))
		hush_note(hush, "the queues do not keep a line together: rasad parts the lines "
				"itself");
	return status;
}

/* What a driver says belongs to the last note, which is that of the failure. */
static void tell_notes(const struct nic *nic, const char *notes, const char *reason)
{
	while (*notes) {
		size_t length = strcspn(notes, "\n");
		bool more = notes[length];

		nic_tell(nic, "dpdk: %.*s%s%s", (int)length, notes, more || !*reason ? "" : ": ",
			 more ? "" : reason);
		notes += length + more;
	}
}

static void tell_all(const struct nic *nic, int status, struct hush *hush)
{
	char *said = hush_end(hush), reason[200] = "";

	if (said && eal_has_arg(nic->options.eal, nic->options.n_eal, "--log-level"))
		fputs(said, stderr);
	else if (status && said)
		eal_reason(said, reason, sizeof reason);
	tell_notes(nic, hush->notes, reason);
	free(said);
}

int dpdk_open(struct source **sources, const struct dpdk_options *options)
{
	struct nic *nic = calloc(1, sizeof *nic);
	struct hush hush = HUSH_NONE;
	int status;

	if (!nic)
		return -ENOMEM;
	nic->options = *options;
	nic->ports = (struct dpdk_ports){.queues = options->n_queues, .busy = options->busy};
	status = open_all(nic, &hush);
	tell_all(nic, status, &hush);
	for (uint32_t i = 0; i < nic->n_sources; i++)
		if (status)
			free_source(nic->sources[i]);
		else
			sources[i] = &nic->sources[i]->source;
	if (status)
		free_nic(nic);
	return status;
}
