/* SPDX-License-Identifier: BSD-3-Clause */
#define ALLOW_EXPERIMENTAL_API /* rte_eth_read_clock, since 2019 */
#include "collectors/dpdk_port.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include <rte_dev.h>
#include <rte_ethdev.h>
#include <rte_flow.h>
#include <rte_mbuf.h>

#include "collectors/hush.h"

enum {
	MBUFS = 8191, /* of each queue: its ring, what waits in caches, and then some */
	MBUF_CACHE = 256,
	RX_RING = 2048,
	TX_RING = 64, /* nothing is sent; some drivers want as many queues out as in */
	KEY_MAX = 64,
};

_Static_assert((int)EAL_PORT_NAME >= (int)RTE_ETH_NAME_MAX_LEN, "a port's name fits");

/* --- finding --- */

static int add_port(struct dpdk_ports *ports, uint16_t id, uint8_t side, struct hush *hush)
{
	struct dpdk_port *port = &ports->list[ports->n];

	if (ports->n == DPDK_MAX_PORTS) {
		hush_note(hush, "there are more than %d ports; name those to listen to",
			  DPDK_MAX_PORTS);
		return -E2BIG;
	}
	*port = (struct dpdk_port){.id = id, .side = side};
	rte_eth_dev_get_name_by_port(id, port->name);
	for (uint32_t i = 0; i < ports->n; i++)
		if (ports->list[i].id == id) {
			hush_note(hush, "%s: given twice", port->name);
			return -EINVAL;
		}
	ports->n++;
	return 0;
}

static int add_all_ports(struct dpdk_ports *ports, struct hush *hush)
{
	uint16_t id;
	int status = 0;

	RTE_ETH_FOREACH_DEV(id)
	if (!status)
		status = add_port(ports, id, DIR_UNKNOWN, hush);
	if (!status && !ports->n) {
		hush_note(hush, "there are no ports; expected a device bound to a driver of DPDK, "
				"or one made by -- --vdev=...");
		status = -ENODEV;
	}
	return status;
}

static int find_port(const char *name, uint16_t *id)
{
	char *end;
	unsigned long number = strtoul(name, &end, 10);

	if (!*end && number < RTE_MAX_ETHPORTS && rte_eth_dev_is_valid_port((uint16_t)number)) {
		*id = (uint16_t)number;
		return 0;
	}
	return rte_eth_dev_get_port_by_name(name, id);
}

static int no_such_port(const char *name, struct hush *hush)
{
	char names[512] = "", one[RTE_ETH_NAME_MAX_LEN];
	uint16_t id;

	RTE_ETH_FOREACH_DEV(id)
	if (rte_eth_dev_get_name_by_port(id, one) == 0)
		snprintf(names + strlen(names), sizeof names - strlen(names), " %s", one);
	hush_note(hush, "no port '%s'; there are:%s", name, *names ? names : " none");
	return -ENODEV;
}

static int add_ports(struct dpdk_ports *ports, const char *spec, struct hush *hush)
{
	const char *text = spec;
	struct eal_port one;
	uint16_t id;
	int found, status = 0;

	if (!*spec)
		return add_all_ports(ports, hush);
	while (!status && (found = eal_next_port(&text, &one)) != 0) {
		if (found < 0) {
			hush_note(hush, "'%s': expected PORT[:access|:core][,...]", spec);
			return found;
		}
		status = find_port(one.name, &id) ? no_such_port(one.name, hush)
						  : add_port(ports, id, one.side, hush);
	}
	return status;
}

/*
 * net_pcap stamps in microseconds of Unix time whatever the file says. net_af_xdp counts every
 * try to find a buffer, for packets that it keeps and hands over later. Both net_af_* are always
 * "up": the kernel knows better.
 */
static void know_driver(struct dpdk_port *port, const struct rte_eth_dev_info *info)
{
	const struct rte_devargs *devargs = rte_dev_devargs(info->device);
	const char *args = devargs && devargs->args ? devargs->args : "";

	if (strcmp(info->driver_name, "net_pcap") == 0) {
		port->stamp = STAMP_UNIX_US;
		port->file = strstr(args, "rx_pcap=") && !strstr(args, "infinite_rx=1");
	} else if (strcmp(info->driver_name, "net_af_packet") == 0) {
		port->if_index = (int)info->if_index;
		kernel_sockets_find(&port->sockets, AF_PACKET, port->if_index, NULL);
	} else if (strcmp(info->driver_name, "net_af_xdp") == 0) {
		port->if_index = (int)info->if_index;
		port->keeps = true;
	}
}

/* --- queues --- */

static int configure(const struct dpdk_port *port, const struct rte_eth_dev_info *info,
		     uint32_t queues, bool spread)
{
	uint32_t room = info->max_rx_pktlen - RTE_ETHER_HDR_LEN - RTE_ETHER_CRC_LEN;
	struct rte_eth_conf conf = {
		.rxmode = {.mtu = RTE_MIN(RTE_MIN((uint32_t)DPDK_MTU, room), info->max_mtu),
			   .offloads = info->rx_offload_capa & RTE_ETH_RX_OFFLOAD_TIMESTAMP},
		.intr_conf = {.rxq = port->interrupts},
	};
	uint32_t tx = RTE_MIN(queues, info->max_tx_queues);

	if (spread && info->flow_type_rss_offloads) {
		conf.rxmode.mq_mode = RTE_ETH_MQ_RX_RSS;
		conf.rx_adv_conf.rss_conf.rss_hf =
			info->flow_type_rss_offloads &
			(RTE_ETH_RSS_IP | RTE_ETH_RSS_TCP | RTE_ETH_RSS_UDP);
	}
	return rte_eth_dev_configure(port->id, (uint16_t)queues, (uint16_t)tx, &conf);
}

/* Every frame that has a tag, or two, to a queue by its tags: 0 when the device takes the rules. */
static int apply_rules(uint16_t port, const struct rte_flow_action *actions, bool create)
{
	const struct rte_flow_attr ingress = {.ingress = 1};
	const struct rte_flow_item frame[] = {{.type = RTE_FLOW_ITEM_TYPE_ETH},
					      {.type = RTE_FLOW_ITEM_TYPE_VLAN},
					      {.type = RTE_FLOW_ITEM_TYPE_VLAN},
					      {.type = RTE_FLOW_ITEM_TYPE_END}};
	const struct rte_flow_item one[] = {frame[0], frame[1], frame[3]};
	const struct rte_flow_item *const patterns[] = {frame, one};
	struct rte_flow_error error;

	for (int i = 0; i < 2; i++) {
		if (create && !rte_flow_create(port, &ingress, patterns[i], actions, &error))
			return -ENOTSUP;
		if (!create && rte_flow_validate(port, &ingress, patterns[i], actions, &error))
			return -ENOTSUP;
	}
	return 0;
}

/*
 * A line in one queue: spread on the VLAN tags alone, with one key for all ports, and leave what
 * has no tags to queue 0. Hashes over what is inside PPPoE would part the flows of a line.
 */
static int hash_on_tags(const struct dpdk_port *port, const struct rte_eth_dev_info *info,
			uint32_t queues, bool create)
{
	static const uint8_t key[KEY_MAX] = {
		0x6d, 0x5a, 0x56, 0xda, 0x25, 0x5b, 0x0e, 0xc2, 0x41, 0x67, 0x25, 0x3d, 0x43,
		0xa3, 0x8f, 0xb0, 0xd0, 0xca, 0x2b, 0xcb, 0xae, 0x7b, 0x30, 0xb4, 0x77, 0xcb,
		0x2d, 0xa3, 0x80, 0x30, 0xf2, 0x0c, 0x6a, 0x42, 0xb7, 0x3b, 0xbe, 0xac, 0x01,
		0xfa, 0x6d, 0x5a, 0x56, 0xda, 0x25, 0x5b, 0x0e, 0xc2, 0x41, 0x67, 0x25, 0x3d};
	uint16_t list[DPDK_MAX_QUEUES];
	const struct rte_flow_action_rss rss = {
		.types = RTE_ETH_RSS_S_VLAN | RTE_ETH_RSS_C_VLAN,
		.key_len = RTE_MIN(info->hash_key_size, KEY_MAX),
		.key = info->hash_key_size ? key : NULL,
		.queue_num = queues,
		.queue = list,
	};
	const struct rte_flow_action actions[] = {{RTE_FLOW_ACTION_TYPE_RSS, &rss},
						  {.type = RTE_FLOW_ACTION_TYPE_END}};

	for (uint32_t i = 0; i < queues; i++)
		list[i] = (uint16_t)i;
	return apply_rules(port->id, actions, create);
}

static int configure_queues(struct dpdk_port *port, const struct rte_eth_dev_info *info,
			    uint32_t queues)
{
	int status = configure(port, info, queues, false);

	if (status || queues == 1)
		return status;
	port->by_line = hash_on_tags(port, info, queues, false) == 0;
	return port->by_line ? 0 : configure(port, info, queues, true);
}

static int set_up_queue(const struct dpdk_port *port, uint16_t queue, uint16_t ring)
{
	int socket = rte_eth_dev_socket_id(port->id);
	struct rte_mempool *pool;
	char name[RTE_MEMPOOL_NAMESIZE];

	snprintf(name, sizeof name, "rasad_%u_%u", port->id, queue);
	pool = rte_mempool_lookup(name);
	if (!pool)
		pool = rte_pktmbuf_pool_create(name, MBUFS, MBUF_CACHE, 0,
					       RTE_MBUF_DEFAULT_BUF_SIZE, socket);
	if (!pool)
		return -ENOMEM;
	return rte_eth_rx_queue_setup(port->id, queue, ring, (unsigned)socket, NULL, pool);
}

static int set_up_queues(struct dpdk_port *port, uint32_t queues, uint32_t tx_queues)
{
	uint16_t rx_ring = RX_RING, tx_ring = TX_RING, q;
	int socket = rte_eth_dev_socket_id(port->id);
	int status = rte_eth_dev_adjust_nb_rx_tx_desc(port->id, &rx_ring, &tx_ring);
	struct kernel_sockets before;

	kernel_sockets_find(&before, AF_XDP, 0, NULL);
	for (q = 0; !status && q < queues; q++)
		status = set_up_queue(port, q, rx_ring);
	for (q = 0; !status && q < tx_queues; q++)
		status = rte_eth_tx_queue_setup(port->id, q, tx_ring, (unsigned)socket, NULL);
	if (!port->sockets.n && port->if_index)
		kernel_sockets_find(&port->sockets, AF_XDP, 0, &before);
	return status;
}

/* --- starting --- */

bool dpdk_port_read_clock(const struct dpdk_port *port, uint64_t *ticks)
{
	return rte_eth_read_clock(port->id, ticks) == 0;
}

static int start(struct dpdk_port *port, const struct rte_eth_dev_info *info, uint32_t queues)
{
	int status = configure_queues(port, info, queues);

	if (!status)
		status = set_up_queues(port, queues, RTE_MIN(queues, info->max_tx_queues));
	return status ? status : rte_eth_dev_start(port->id);
}

/* Not every driver that starts at all starts with interrupts. */
static int start_somehow(struct dpdk_port *port, const struct rte_eth_dev_info *info,
			 uint32_t queues, bool interrupts)
{
	int status;

	port->interrupts = interrupts;
	status = start(port, info, queues);
	if (status && interrupts && !port->if_index)
		return start_somehow(port, info, queues, false);
	return status;
}

static void finish(struct dpdk_port *port, const struct rte_eth_dev_info *info, uint32_t queues,
		   struct hush *hush)
{
	uint64_t ticks;
	int status = rte_eth_promiscuous_enable(port->id);

	if (status && status != -ENOTSUP)
		hush_note(hush, "%s: only packets to its own address are seen: %s", port->name,
			  strerror(-status));
	if (port->by_line)
		port->by_line = hash_on_tags(port, info, queues, true) == 0;
	if (port->stamp == STAMP_NONE && info->rx_offload_capa & RTE_ETH_RX_OFFLOAD_TIMESTAMP &&
	    dpdk_port_read_clock(port, &ticks))
		port->stamp = STAMP_TICKS;
}

static int start_port(struct dpdk_ports *ports, struct dpdk_port *port, struct hush *hush)
{
	struct rte_eth_dev_info info;
	int status = rte_eth_dev_info_get(port->id, &info);

	if (!status && ports->queues > info.max_rx_queues) {
		hush_note(hush, "%s: has %u receive queues, not the %u of --queues", port->name,
			  info.max_rx_queues, ports->queues);
		return -EINVAL;
	}
	if (!status) {
		know_driver(port, &info);
		status = start_somehow(port, &info, ports->queues, !ports->busy);
	}
	if (status)
		hush_note(hush, "%s: cannot be started: %s%s", port->name, strerror(-status),
			  status == -ENOMEM ? " (more of it: -- -m MEGABYTES)" : "");
	else
		finish(port, &info, ports->queues, hush);
	return status;
}

int dpdk_ports_open(struct dpdk_ports *ports, const char *spec, struct hush *hush)
{
	int status = add_ports(ports, spec, hush);

	for (uint32_t i = 0; !status && i < ports->n; i++)
		status = start_port(ports, &ports->list[i], hush);
	return status;
}

void dpdk_ports_close(struct dpdk_ports *ports)
{
	for (uint32_t i = 0; i < ports->n; i++) {
		rte_eth_dev_stop(ports->list[i].id);
		rte_eth_dev_close(ports->list[i].id);
	}
	ports->n = 0;
}

/* --- watching --- */

static bool link_is_up(const struct dpdk_port *port)
{
	struct rte_eth_link link;

	if (port->if_index)
		return kernel_link_is_up(port->if_index);
	return rte_eth_link_get_nowait(port->id, &link) || link.link_status == RTE_ETH_LINK_UP;
}

bool dpdk_port_link_changed(struct dpdk_port *port)
{
	bool was_down = port->link_down;

	port->link_down = !link_is_up(port);
	port->link_downs += port->link_down && !was_down;
	return port->link_down != was_down;
}

void dpdk_count(struct source_stats *stats, const char *whose, const char *what, uint64_t value)
{
	struct source_counter *counter = &stats->counters[stats->n_counters++];
	int room = (int)(sizeof counter->name - strlen(what) - 2);

	snprintf(counter->name, sizeof counter->name, "%.*s_%s", room, whose, what);
	counter->value = value;
}

void dpdk_count_port(struct source_stats *stats, struct dpdk_port *port)
{
	struct rte_eth_stats now = {0};
	uint64_t missed;

	rte_eth_stats_get(port->id, &now);
	missed = now.imissed + kernel_sockets_dropped(&port->sockets);
	dpdk_count(stats, port->name, "rx_packets", now.ipackets);
	dpdk_count(stats, port->name, "imissed", missed);
	dpdk_count(stats, port->name, "rx_nombuf", now.rx_nombuf);
	dpdk_count(stats, port->name, "ierrors", now.ierrors);
	dpdk_count(stats, port->name, "link_up", !port->link_down);
	dpdk_count(stats, port->name, "link_downs", port->link_downs);
	stats->dropped += missed + (port->keeps ? 0 : now.rx_nombuf);
}
