/* SPDX-License-Identifier: BSD-3-Clause */
#include "tools/rasadd/tap.h"

#include <net/if.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "collectors/pcap.h"
#include "collectors/pcap_live.h"
#include "tools/rasadd/options.h"
#include "tools/rasadd/pace.h"

/* A packet reaches us some 10 ms after its time stamp: its timers must not run before it. */
#define LIVE_MARGIN_NS 100000000ull

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

/* "pcap:a.pcap,b.pcap": no folders, and as many as fit. */
static void name_collector(struct tap *tap, const struct options *o)
{
	size_t room = sizeof tap->collector, used = 0;

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
	return pcap_live_open(&tap->source, &live) ? -1 : 0;
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
	tap->source = tap->files;
	if (!tap->source || !o->speed)
		return tap->source ? 0 : -1;
	tap->kind = TAP_PACED;
	tap->source = pace_new(tap->files, o->speed);
	return tap->source ? 0 : -1;
}

int tap_open(struct tap *tap, const struct options *o)
{
	*tap = (struct tap){.kind = TAP_FILES};
	if (check_names(o))
		return -1;
	name_collector(tap, o);
	return is_interface(o->inputs[0]) ? open_interface(tap, o) : open_files(tap, o);
}

void tap_close(struct tap *tap)
{
	if (tap->source)
		tap->source->close(tap->source);
	*tap = (struct tap){0};
}

static uint64_t live_now_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_REALTIME, &now);
	return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec - LIVE_MARGIN_NS;
}

uint64_t tap_now_ns(const struct tap *tap)
{
	switch (tap->kind) {
	case TAP_LIVE:
		return live_now_ns();
	case TAP_PACED:
		return pace_now_ns(tap->source);
	case TAP_FILES:
		break;
	}
	return 0;
}

bool tap_is_good(const struct tap *tap)
{
	return !tap->failed && (!tap->files || !pcap_damaged(tap->files));
}
