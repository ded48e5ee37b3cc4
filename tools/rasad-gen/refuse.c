/* SPDX-License-Identifier: BSD-3-Clause */
#include "tools/rasad-gen/refuse.h"

#include <stdlib.h>
#include <string.h>

#include "tools/rasad-gen/mem.h"

#define REFUSE_NS (120 * NS_PER_US)

struct refusal {
	struct world *world;
	struct l2 l2;
	struct ip_addr client;
	size_t n;
	uint8_t payload[8 + 48]; /* ICMP header, the packet's IP header and 8 bytes more */
};

static void at_tap(void *arg)
{
	struct refusal *r = arg;
	struct frame *f = world_frame(r->world);
	bool v6 = r->client.v6;
	struct ip_header ip = {
		.source = v6 ? (struct ip_addr){.v6 = true, .byte = {0x20, 1, 0x0d, 0xb8, [15] = 1}}
			     : (struct ip_addr){.byte = {100, 64, 0, 1}},
		.destination = r->client,
		.protocol = v6 ? IP_ICMPV6 : IP_ICMP,
		.ttl = 64,
	};

	frame_begin_ip(f, &r->l2, DIR_DOWN, v6, frame_ip_bytes(v6) + r->n);
	frame_icmp(f, &ip, r->payload, r->n);
	world_emit(r->world, DIR_DOWN);
	free(r);
}

bool refuse(struct world *w, const struct l2 *l2, const struct ip_addr *client)
{
	struct refusal *r;

	if (!outage_is(&w->outage, OUTAGE_UPLINK))
		return false;
	r = mem_new(1, sizeof(*r));
	*r = (struct refusal){.world = w, .l2 = *l2, .client = *client};
	r->payload[0] = client->v6 ? 1 : 3; /* unreachable: no route, network */
	r->n = 8 + frame_ip_bytes(client->v6) + 8;
	memcpy(r->payload + 8, w->frame.byte + w->frame.ip_at, r->n - 8);
	sim_at_owned(&w->sim, w->sim.now_ns + REFUSE_NS, at_tap, r);
	return true;
}
