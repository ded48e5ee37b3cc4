/* SPDX-License-Identifier: BSD-3-Clause */
#include "tools/rasad-gen/load_send.h"

#include <errno.h>
#include <linux/if_packet.h>
#include <net/if.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "tools/rasad-gen/mem.h"

#define ETHERNET_BYTES 14
#define VLAN_BYTES     4 /* the kernel allows one tag beyond the MTU */
#define TRIES	       1000
#define SEND_BUFFER    (8 << 20)

struct load_burst {
	struct mmsghdr message[LOAD_BURST];
	struct iovec part[LOAD_BURST];
	struct frame frame[LOAD_BURST];
};

/* Frames need room beyond the usual MTU for their tags and PPPoE. */
static void check_mtu(const struct load_send *s, uint32_t bytes)
{
	struct ifreq r = {0};

	strncpy(r.ifr_name, s->name, sizeof(r.ifr_name) - 1);
	if (ioctl(s->fd, SIOCGIFMTU, &r))
		die("%s: cannot ask for its MTU: %s", s->name, strerror(errno));
	if (bytes > (uint32_t)r.ifr_mtu + ETHERNET_BYTES + VLAN_BYTES)
		die("%s: frames of %u bytes need an MTU of %u, it has %d (or use --packet-bytes)",
		    s->name, bytes, bytes - ETHERNET_BYTES, r.ifr_mtu);
}

static void bind_to(struct load_send *s)
{
	struct sockaddr_ll a = {.sll_family = AF_PACKET};
	int on = 1, size = SEND_BUFFER;

	a.sll_ifindex = (int)if_nametoindex(s->name);
	if (!a.sll_ifindex)
		die("%s: no such interface", s->name);
	if (bind(s->fd, (struct sockaddr *)&a, sizeof(a)))
		die("%s: cannot bind to it: %s", s->name, strerror(errno));
	if (setsockopt(s->fd, SOL_PACKET, PACKET_QDISC_BYPASS, &on, sizeof(on)))
		die("%s: cannot go past its queues: %s", s->name, strerror(errno));
	if (setsockopt(s->fd, SOL_SOCKET, SO_SNDBUFFORCE, &size, sizeof(size)))
		setsockopt(s->fd, SOL_SOCKET, SO_SNDBUF, &size, sizeof(size)); /* less will do */
}

void load_send_open(struct load_send *s, const char *interface, uint32_t bytes)
{
	*s = (struct load_send){.name = interface};
	s->fd = socket(AF_PACKET, SOCK_RAW, 0);
	if (s->fd < 0)
		die("%s: cannot open a packet socket: %s%s", interface, strerror(errno),
		    errno == EPERM ? " (needs CAP_NET_RAW)" : "");
	bind_to(s);
	check_mtu(s, bytes);
	s->burst = mem_new(1, sizeof(*s->burst));
	for (int i = 0; i < LOAD_BURST; i++) {
		s->burst->frame[i].cut = FRAME_MAX;
		s->burst->part[i].iov_base = s->burst->frame[i].byte;
		s->burst->message[i].msg_hdr = (struct msghdr){
			.msg_iov = &s->burst->part[i],
			.msg_iovlen = 1,
		};
	}
}

struct frame *load_send_frame(struct load_send *s)
{
	return &s->burst->frame[s->n];
}

void load_send_add(struct load_send *s)
{
	s->burst->part[s->n].iov_len = s->burst->frame[s->n].n;
	if (++s->n == LOAD_BURST)
		load_send_flush(s);
}

/* Of the frame that the interface did not take. True: try again. */
static bool again(struct load_send *s, uint32_t *tries)
{
	if (errno == EINTR)
		return true;
	if (errno != ENOBUFS && errno != EAGAIN)
		die("%s: cannot send: %s", s->name, strerror(errno));
	sched_yield();
	return ++*tries < TRIES;
}

void load_send_flush(struct load_send *s)
{
	uint32_t done = 0, tries = 0;

	while (done < s->n) {
		int n = sendmmsg(s->fd, s->burst->message + done, s->n - done, 0);

		if (n < 0 && again(s, &tries))
			continue;
		tries = 0;
		if (n < 0) {
			s->refused++;
			done++;
			continue;
		}
		for (int i = 0; i < n; i++)
			s->bytes += s->burst->part[done + (uint32_t)i].iov_len;
		s->packets += (uint32_t)n;
		done += (uint32_t)n;
	}
	s->n = 0;
}

void load_send_close(struct load_send *s)
{
	if (!s->name)
		return;
	close(s->fd);
	free(s->burst);
	s->burst = NULL;
}
