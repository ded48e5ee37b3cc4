/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The interfaces of the kernel tap, and what hangs on them.
 *
 * Everything that is attached is a bpf_link, held by a file descriptor of this process alone. The
 * links of TC are those of TCX (Linux 6.6); an older kernel's filters would outlive the process, so
 * there a tracepoint sees what all interfaces send, and takes what ours do.
 */
#include "collectors/xdp_tap.h"

#include <errno.h>
#include <net/if_arp.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <linux/ethtool.h>
#include <linux/if_link.h>
#include <linux/sockios.h>

#include "collectors/eal_args.h"
#include "ebpf/tap.skel.h"

/* Of enum bpf_attach_type, since Linux 6.6. */
#define TCX_EGRESS ((enum bpf_attach_type)47)

/* --- the interfaces --- */

/* Is it there, and up? */
static bool is_up(const struct tap *tap, const struct port *port)
{
	struct ifreq request = {0};

	memcpy(request.ifr_name, port->name, sizeof port->name);
	return ioctl(tap->socket, SIOCGIFFLAGS, &request) == 0 && request.ifr_flags & IFF_UP;
}

/* Interfaces that come back bring back their links, unless they were destroyed. */
int xdp_look_at_ports(struct tap *tap)
{
	bool any = false;

	for (struct port *port = tap->ports; port < tap->ports + tap->n_ports; port++) {
		bool gone = !is_up(tap, port);

		if (gone != port->gone)
			xdp_tell(tap, "xdp: %s: the interface %s", port->name,
				 !gone			      ? "is up"
				 : if_nametoindex(port->name) ? "went down; waiting for it"
							      : "is gone");
		port->gone = gone;
		any = any || if_nametoindex(port->name);
	}
	return any ? 0 : -EIO;
}

static bool is_ethernet(const struct tap *tap, const struct port *port)
{
	struct ifreq request = {0};

	memcpy(request.ifr_name, port->name, sizeof port->name);
	return ioctl(tap->socket, SIOCGIFHWADDR, &request) == 0 &&
	       request.ifr_hwaddr.sa_family == ARPHRD_ETHER;
}

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
		xdp_tell(tap, "xdp: %s: %s", named->name,
			 ifindex ? "is no Ethernet interface" : "no such interface");
		return ifindex ? -EINVAL : -ENODEV;
	}
	for (uint32_t i = 0; i < tap->n_ports; i++)
		if (tap->sides[i].index == ifindex) {
			xdp_tell(tap, "xdp: %s: given twice", port->name);
			return -EINVAL;
		}
	tap->sides[tap->n_ports++] = (struct tap_port){ifindex, side, opposite(side)};
	return 0;
}

int xdp_add_ports(struct tap *tap)
{
	const char *text = tap->options.interfaces;
	struct eal_port named;
	int status = 0, more;

	while (!status && (more = eal_next_port(&text, &named)) > 0) {
		if (tap->n_ports == TAP_MAX_PORTS) {
			xdp_tell(tap, "xdp: more than %d interfaces", TAP_MAX_PORTS);
			return -E2BIG;
		}
		status = add_port(tap, &named);
	}
	if (!status && (more < 0 || !tap->n_ports)) {
		xdp_tell(tap, "xdp: \"%s\": expected interfaces, like eth1 or eth1,eth2:core",
			 tap->options.interfaces);
		return -EINVAL;
	}
	return status;
}

/* --- the hooks --- */

static int attach(const struct bpf_program *program, uint32_t ifindex, enum bpf_attach_type type,
		  uint32_t flags)
{
	LIBBPF_OPTS(bpf_link_create_opts, options, .flags = flags);

	return bpf_link_create(bpf_program__fd(program), (int)ifindex, type, &options);
}

static int refuse(const struct tap *tap, const struct port *port, int status)
{
	if (status == -EBUSY || status == -EEXIST)
		xdp_tell(tap,
			 "xdp: %s: another XDP program is there: expected none (ip link set %s xdp "
			 "off)",
			 port->name, port->name);
	else if (status == -EPERM)
		xdp_tell(tap, "xdp: %s: no right to attach: expected root, or CAP_NET_ADMIN",
			 port->name);
	else
		xdp_tell(tap, "xdp: %s: XDP cannot be attached: %s", port->name, strerror(-status));
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
	xdp_tell(tap, "xdp: %s: its driver takes no program (%s); generic XDP, which costs more",
		 port->name, strerror(-status));
	return 0;
}

static int attach_sent(struct tap *tap, struct port *port, uint32_t ifindex)
{
	port->sent = attach(tap->bpf->progs.tap_sent, ifindex, TCX_EGRESS, 0);
	if (port->sent >= 0)
		return 0;
	xdp_tell(tap, "xdp: %s: TC cannot be attached: %s", port->name, strerror(-port->sent));
	return port->sent;
}

/* For all interfaces at once. */
static int attach_queued(struct tap *tap)
{
	int link = bpf_raw_tracepoint_open(NULL, bpf_program__fd(tap->bpf->progs.tap_queued));

	if (link < 0) {
		xdp_tell(tap, "xdp: the tracepoint net_dev_queue cannot be attached: %s",
			 strerror(-link));
		return link;
	}
	tap->ports[0].sent = link;
	xdp_tell(tap, "xdp: this kernel has no links of TC (Linux 6.6): what is sent is seen at a "
		      "tracepoint, which costs more");
	return 0;
}

/* A NIC that takes tags out of frames: whether its driver leaves them in for XDP, it does not say. */
static void look_for_stripping(const struct tap *tap, const struct port *port)
{
	struct ethtool_value flags = {.cmd = ETHTOOL_GFLAGS};
	struct ifreq request = {.ifr_data = (char *)&flags};

	memcpy(request.ifr_name, port->name, sizeof port->name);
	if (ioctl(tap->socket, SIOCETHTOOL, &request) == 0 && flags.data & ETH_FLAG_RXVLAN)
		xdp_tell(
			tap,
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

int xdp_attach(struct tap *tap)
{
	int status = 0;

	for (uint32_t i = 0; !status && i < tap->n_ports; i++)
		status = attach_port(tap, &tap->ports[i], tap->sides[i].index);
	return status || tap->tcx ? status : attach_queued(tap);
}

void xdp_detach(struct tap *tap)
{
	for (struct port *port = tap->ports; port < tap->ports + tap->n_ports; port++) {
		xdp_close_fd(&port->received);
		xdp_close_fd(&port->sent);
	}
}
