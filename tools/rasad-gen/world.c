/* SPDX-License-Identifier: BSD-3-Clause */
#include "tools/rasad-gen/world.h"

#include <stdlib.h>

#include "tools/rasad-gen/mem.h"
#include "tools/rasad-gen/tcp.h"

void world_init(struct world *w, const struct options *o)
{
	*w = (struct world){.options = o, .n_lines = o->lines};
	w->lines = mem_new(w->n_lines, sizeof(*w->lines));
	pcap_out_open(&w->out, o->output, o->snaplen);
}

void world_fini(struct world *w)
{
	for (uint32_t i = 0; i < w->n_flows; i++)
		w->flows[i] = tcp_flow_free(w->flows[i]);
	for (uint32_t i = 0; i < w->n_lines; i++) {
		samples_fini(&w->lines[i].rtt_access);
		samples_fini(&w->lines[i].rtt_internet);
	}
	tcp_pkts_fini(w);
	free(w->flows);
	free(w->lines);
	sim_fini(&w->sim);
	pcap_out_close(&w->out);
	*w = (struct world){0};
}

struct frame *world_frame(struct world *w)
{
	w->frame.n = 0;
	w->frame.cut = w->out.snaplen;
	return &w->frame;
}

static bool tap_sees(const struct world *w, enum dir dir)
{
	if (w->outage.kind == OUTAGE_UPSTREAM)
		return dir == DIR_UP;
	return !outage_is(&w->outage, OUTAGE_BLIND);
}

void world_emit(struct world *w, enum dir dir)
{
	uint32_t wire_len = frame_end(&w->frame);

	if (!tap_sees(w, dir))
		return;
	pcap_out_write(&w->out, WORLD_EPOCH_UNIX_NS + w->sim.now_ns, w->frame.byte, wire_len);
	if (w->options->packets && w->out.packets >= w->options->packets)
		w->sim.stopped = true;
}

double world_unix_s(uint64_t sim_ns)
{
	return (double)(WORLD_EPOCH_UNIX_NS / NS_PER_S) + (double)sim_ns / 1e9;
}

void world_summary(const struct world *w)
{
	fprintf(stderr, "%s: %llu packets, %u flows, %u lines, %.1f s\n", w->options->output,
		(unsigned long long)w->out.packets, w->n_flows, w->n_lines,
		(double)w->sim.now_ns / 1e9);
}
