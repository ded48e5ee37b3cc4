/* SPDX-License-Identifier: BSD-3-Clause */
#include "collectors/kernel_socket.h"

#include <dirent.h>
#include <linux/if_packet.h>
#include <linux/if_xdp.h>
#include <net/if.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

static bool is_bound(int fd, int family, int if_index)
{
	struct sockaddr_ll address = {0};
	socklen_t size = sizeof address;
	int found = 0;
	socklen_t found_size = sizeof found;

	if (getsockopt(fd, SOL_SOCKET, SO_DOMAIN, &found, &found_size) || found != family)
		return false;
	if (family != AF_PACKET)
		return true;
	return getsockname(fd, (struct sockaddr *)&address, &size) == 0 &&
	       address.sll_ifindex == if_index;
}

static bool is_among(const struct kernel_sockets *sockets, int fd)
{
	for (uint32_t i = 0; sockets && i < sockets->n; i++)
		if (sockets->fds[i] == fd)
			return true;
	return false;
}

void kernel_sockets_find(struct kernel_sockets *s, int family, int if_index,
			 const struct kernel_sockets *known)
{
	DIR *files = opendir("/proc/self/fd");
	struct dirent *file;

	*s = (struct kernel_sockets){.family = family};
	while (files && s->n < KERNEL_SOCKETS_MAX && (file = readdir(files))) {
		int fd = atoi(file->d_name);

		if (*file->d_name != '.' && fd != dirfd(files) && !is_among(known, fd) &&
		    is_bound(fd, family, if_index))
			s->fds[s->n++] = fd;
	}
	if (files)
		closedir(files);
}

static uint64_t packet_dropped(int fd)
{
	struct tpacket_stats stats;
	socklen_t size = sizeof stats;

	return getsockopt(fd, SOL_PACKET, PACKET_STATISTICS, &stats, &size) ? 0 : stats.tp_drops;
}

static uint64_t xdp_dropped(int fd)
{
	struct xdp_statistics stats = {0};
	socklen_t size = sizeof stats;

	return getsockopt(fd, SOL_XDP, XDP_STATISTICS, &stats, &size) ? 0 : stats.rx_ring_full;
}

uint64_t kernel_sockets_dropped(struct kernel_sockets *s)
{
	uint64_t sum = 0;

	for (uint32_t i = 0; i < s->n; i++)
		sum += s->family == AF_PACKET ? packet_dropped(s->fds[i]) : xdp_dropped(s->fds[i]);
	s->dropped = s->family == AF_PACKET ? s->dropped + sum : sum;
	return s->dropped;
}

void kernel_sockets_calm(const struct kernel_sockets *s)
{
	int error;
	socklen_t size;

	for (uint32_t i = 0; i < s->n; i++) {
		size = sizeof error;
		getsockopt(s->fds[i], SOL_SOCKET, SO_ERROR, &error, &size);
	}
}

bool kernel_link_is_up(int if_index)
{
	struct ifreq request = {0};
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	bool up = fd >= 0 && if_indextoname((unsigned)if_index, request.ifr_name) &&
		  ioctl(fd, SIOCGIFFLAGS, &request) == 0 &&
		  (request.ifr_flags & (IFF_UP | IFF_RUNNING)) == (IFF_UP | IFF_RUNNING);

	if (fd >= 0)
		close(fd);
	return up;
}
