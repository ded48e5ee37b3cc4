/* SPDX-License-Identifier: BSD-3-Clause */
#include "tools/rasadd/tap.h"

#include <net/if.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "collectors/dpdk.h"
#include "collectors/pcap.h"
#include "collectors/pcap_live.h"
#include "collectors/xdp.h"
#include "tools/rasadd/options.h"
#include "tools/rasadd/pace.h"

/* A packet reaches us some 10 ms after its time stamp: its timers must not run before it. */
#define LIVE_MARGIN_NS 100000000ull
/* One of the kernel tap is there at once. */
#define XDP_MARGIN_NS 5000000ull

static void problem(void *context, const char *message)
{
	(void)context;
	fprintf(stderr, "rasadd: %s\n", message);
}

/* A file goes before an interface of the same name. */
static bool is_interface(const char *name)
{
	return access(name, F_OK) != 0 && if_nametoindex(name) != 0;
}

/* Something like "eth9", which could have been either. */
static bool is_nothing(const char *name)
{
	return strcmp(name, "-") != 0 && !strchr(name, '/') && access(name, F_OK) != 0 &&
	       if_nametoindex(name) == 0;
}

static int check_names(const struct options *o)
{
	for (uint32_t i = 0; i < o->n_inputs; i++) {
		if (is_nothing(o->inputs[i])) {
			fprintf(stderr, "rasadd: %s: no such file and no such interface\n",
				o->inputs[i]);
			return -1;
		}
		if (is_interface(o->inputs[i]) && o->n_inputs > 1) {
			fprintf(stderr,
				"rasadd: %s: is an interface; expected one interface, or files only\n",
				o->inputs[i]);
			return -1;
		}
	}
	return 0;
}

_Static_assert((int)ENGINE_MAX_SOURCES >= (int)DPDK_MAX_QUEUES, "every queue has a place");
_Static_assert((int)ENGINE_MAX_SOURCES >= (int)XDP_MAX_SOURCES, "every reader has a place");

/* "pcap:a.pcap,b.pcap": no folders, and as many as fit; "dpdk:net_pcap0". */
static void name_collector(struct tap *tap, const struct options *o)
{
	size_t room = sizeof tap->collector, used = 0;

	if (o->dpdk)
		snprintf(tap->collector, room, "dpdk:%s", *o->dpdk ? o->dpdk : "all");
	if (o->xdp)
		snprintf(tap->collector, room, "xdp:%s", o->xdp);
	for (uint32_t i = 0; i < o->n_inputs && used < room; i++) {
		const char *slash = strrchr(o->inputs[i], '/');
		used += (size_t)snprintf(tap->collector + used, room - used, "%s%s",
					 i ? "," : "pcap:", slash ? slash + 1 : o->inputs[i]);
	}
}

static int open_interface(struct tap *tap, const struct options *o)
{
	const struct pcap_live_options live = {
		.interface = o->inputs[0],
		.ac_macs = o->ac_macs,
		.n_ac_macs = o->n_ac_macs,
		.buffer_bytes = o->buffer_mib << 20,
		.problem = problem,
	};

	tap->kind = TAP_LIVE;
	tap->n_sources = 1;
	return pcap_live_open(&tap->sources[0], &live) ? -1 : 0;
}

static int open_files(struct tap *tap, const struct options *o)
{
	const struct pcap_options files = {
		.files = o->inputs,
		.n_files = o->n_inputs,
		.ac_macs = o->ac_macs,
		.n_ac_macs = o->n_ac_macs,
		.problem = problem,
	};

	tap->failed = pcap_open(&tap->files, &files) != 0;
	tap->sources[0] = tap->files;
	tap->n_sources = 1;
	if (tap->files && o->speed) {
		tap->kind = TAP_PACED;
		tap->sources[0] = pace_new(tap->files, o->speed);
	}
	return tap->sources[0] ? 0 : -1;
}

static int open_dpdk(struct tap *tap, const struct options *o)
{
	const struct dpdk_options ports = {
		.ports = o->dpdk,
		.eal = o->eal,
		.n_eal = o->n_eal,
		.ac_macs = o->ac_macs,
		.n_ac_macs = o->n_ac_macs,
		.n_queues = o->queues,
		.busy = o->busy,
		.problem = problem,
	};

	if (dpdk_open(tap->sources, &ports))
		return -1;
	tap->n_sources = o->queues;
	tap->kind = dpdk_plays_files(tap->sources[0]) ? TAP_FILES : TAP_LIVE;
	return 0;
}

static int open_xdp(struct tap *tap, const struct options *o)
{
	const struct xdp_options interfaces = {
		.interfaces = o->xdp,
		.drop = o->drop,
		.ac_macs = o->ac_macs,
		.n_ac_macs = o->n_ac_macs,
		.n_sources = o->queues,
		.buffer_bytes = (uint64_t)o->buffer_mib << 20,
		.problem = problem,
	};

	if (xdp_open(tap->sources, &interfaces))
		return -1;
	tap->n_sources = o->queues;
	tap->kind = TAP_LIVE;
	tap->margin_ns = XDP_MARGIN_NS;
	return 0;
}

int tap_open(struct tap *tap, const struct options *o)
{
	*tap = (struct tap){.kind = TAP_FILES, .margin_ns = LIVE_MARGIN_NS};
	name_collector(tap, o);
	if (o->dpdk)
		return open_dpdk(tap, o);
	if (o->xdp)
		return open_xdp(tap, o);
	if (check_names(o))
		return -1;
	return is_interface(o->inputs[0]) ? open_interface(tap, o) : open_files(tap, o);
}

void tap_close(struct tap *tap)
{
	for (uint32_t i = 0; i < tap->n_sources; i++)
		if (tap->sources[i])
			tap->sources[i]->close(tap->sources[i]);
	*tap = (struct tap){0};
}

static uint64_t live_now_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_REALTIME, &now);
	return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

uint64_t tap_now_ns(const struct tap *tap)
{
	switch (tap->kind) {
	case TAP_LIVE:
		return live_now_ns() - tap->margin_ns;
	case TAP_PACED:
		return pace_now_ns(tap->sources[0]);
	case TAP_FILES:
		break;
	}
	return 0;
}

bool tap_is_good(const struct tap *tap)
{
	return !tap->failed && (!tap->files || !pcap_damaged(tap->files));
}
