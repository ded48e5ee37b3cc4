/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What a source does when no packet comes: it spins for some microseconds, then sleeps until an
 * interrupt or a socket wakes it, or naps; and once a second it looks at links and clocks.
 */
#include <errno.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <unistd.h>

#include <rte_epoll.h>
#include <rte_ethdev.h>
#include <rte_interrupts.h>
#include <rte_pause.h>

#include "collectors/dpdk_source.h"

enum {
	SPINS = 200,
	IDLE_MS = 20,
	BUSY_MS = 1,
	NAP_MIN_US = 50,
	NAP_MAX_US = 1000,
	LOOK_MS = 1000,
	MAX_WAKES = DPDK_MAX_PORTS * KERNEL_SOCKETS_MAX,
	MAX_EVENTS = 16, /* one would do: whatever wakes, all ports are looked at */
};

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

void dpdk_look_around(struct dpdk_source *s)
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
	n = dpdk_receive(s, burst);
	if (!n)
		woken = rte_epoll_wait(s->epoll, events, MAX_EVENTS, IDLE_MS);
	arm(s, false);
	if (!n)
		n = dpdk_receive(s, burst);
	if (n || woken <= 0)
		return n;
	for (uint32_t i = 0; i < s->n_rx; i++) /* it was an error that woke us, not a packet */
		kernel_sockets_calm(&s->rx[i].port->sockets);
	nap(s);
	return 0;
}

uint32_t dpdk_await(struct dpdk_source *s, struct burst *burst)
{
	bool busy = s->nic->options.busy;
	uint64_t end_ns = clock_ns(CLOCK_MONOTONIC) + (busy ? BUSY_MS : IDLE_MS) * 1000000ull;
	uint32_t n = 0;

	for (uint32_t i = 0; !n && !dpdk_has_ended(s) && clock_ns(CLOCK_MONOTONIC) < end_ns; i++) {
		if (busy || i < SPINS)
			rte_pause();
		else if (s->epoll >= 0)
			n = doze(s, burst);
		else
			nap(s);
		if (!n)
			n = dpdk_receive(s, burst);
	}
	return n;
}

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
void dpdk_open_wakes(struct dpdk_source *s)
{
	int status = 0;

	s->epoll = s->nic->options.busy ? -1 : epoll_create1(EPOLL_CLOEXEC);
	if (s->epoll < 0)
		return;
	s->wake = calloc(MAX_WAKES, sizeof *s->wake);
	status = s->wake ? 0 : -ENOMEM;
	for (uint32_t i = 0; !status && i < s->n_rx; i++)
		status = add_wake(s, &s->rx[i]);
	if (status)
		dpdk_close_wakes(s);
}

void dpdk_close_wakes(struct dpdk_source *s)
{
	if (s->epoll >= 0)
		close(s->epoll);
	s->epoll = -1;
	free(s->wake);
	s->wake = NULL;
}
