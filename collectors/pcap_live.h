/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A live interface as a source, through libpcap: a memory-mapped packet socket on Linux. One
 * thread.
 *
 * The kernel hands over packets in blocks, a full one at once and any other after 10 ms, so a
 * busy link costs few wake-ups and a quiet one little delay. Time stamps are the kernel's, in
 * nanoseconds where it offers them. The first 1600 bytes of each frame are taken: a control
 * message is never cut, and neither is a full frame of 1500 with all its tags.
 *
 * VLAN: Linux takes the outer tag out of the frame before anybody sees it and keeps it beside;
 * libpcap puts it back with its TPID (802.1Q or 802.1ad), so frames look as on the wire. A NIC
 * that removes a second tag too, or drops tags without telling, must be told not to
 * (ethtool -K IF rxvlan off). Receive offloads join segments (ethtool -K IF gro off lro off): what
 * is measured of TCP is only exact without them.
 *
 * Sent and received packets are both taken; on a mirror port all are received.
 */
#ifndef RASAD_COLLECTORS_PCAP_LIVE_H
#define RASAD_COLLECTORS_PCAP_LIVE_H

#include <stdint.h>

#include "engine/source.h"

enum { PCAP_LIVE_BUFFER = 32 << 20 };

struct pcap_live_options {
	const char *interface;
	const uint8_t (*ac_macs)[6]; /* configured concentrators; the rest is learned */
	uint32_t n_ac_macs;
	uint32_t buffer_bytes; /* in the kernel, for bursts; 0: PCAP_LIVE_BUFFER */
	/* Told what went wrong, "eth9: no such interface"; also what is only a warning. */
	void (*problem)(void *context, const char *message);
	void *context;
};

/*
 * Opens the interface, promiscuous. Returns 0; or -errno after telling the problem. `next` waits
 * for at most 100 ms, and returns -EIO, the problem told, once the interface is down or gone.
 */
int pcap_live_open(struct source **source, const struct pcap_live_options *options);

#endif
