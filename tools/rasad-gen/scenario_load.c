/* SPDX-License-Identifier: BSD-3-Clause */
/* Scenario "load": its defaults, where the packets go, and what is said at the end. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tools/rasad-gen/load.h"
#include "tools/rasad-gen/mem.h"
#include "tools/rasad-gen/scenario.h"

#define DEFAULT_LINES	  1000
#define FLOWS_PER_LINE	  4
#define DEFAULT_PACKETS	  1000000
#define DEFAULT_SNAPLEN	  128
#define DEFAULT_RATE	  1e6
#define DEFAULT_RATE_LIVE 1e5
#define DEFAULT_LOSS	  0.005
#define DEFAULT_IPV6	  0.20
#define ECHO_S		  10
#define ECHO_SHARE	  0.05 /* of the packets, at most */
#define FRAME_BYTES_MAX	  1522

static void count(struct load *l, uint32_t line, enum dir dir)
{
	struct load_direction *sample = load_line_sample(l, line);
	uint8_t *seen = &l->line_seen[line / 8], bit = (uint8_t)(1u << line % 8);

	if (!(*seen & bit))
		l->total.lines++;
	*seen |= bit;
	if (sample)
		sample[dir].packets++;
}

void load_emit(struct load *l, uint32_t line, enum dir dir)
{
	uint32_t wire_len = frame_end(l->frame);

	l->wire_packets++;
	l->wire_bytes += wire_len;
	l->total.dir[dir].packets++;
	if (line != UINT32_MAX)
		count(l, line, dir);
	if (l->send.name) {
		load_send_add(&l->send);
		l->frame = load_send_frame(&l->send);
	} else {
		pcap_out_write(&l->out, l->epoch_ns + l->stamp_ns, l->frame->byte, wire_len);
	}
}

static void set_rates(struct options *o)
{
	bool live = o->interface;

	o->lines = o->lines ? o->lines : DEFAULT_LINES;
	if (!o->flows)
		o->flows = o->lines * FLOWS_PER_LINE;
	if (!o->packets && o->duration_s == 0 && !live)
		o->packets = DEFAULT_PACKETS;
	if (!o->snaplen)
		o->snaplen = live ? PCAP_OUT_SNAPLEN_FULL : DEFAULT_SNAPLEN;
	if (o->rate_pps < 0)
		o->rate_pps = live ? DEFAULT_RATE_LIVE : DEFAULT_RATE;
	o->loss_before_tap = o->loss_before_tap < 0 ? DEFAULT_LOSS : o->loss_before_tap;
	o->loss_after_tap = o->loss_after_tap < 0 ? DEFAULT_LOSS : o->loss_after_tap;
	o->ipv6_share = o->ipv6_share < 0 ? DEFAULT_IPV6 : o->ipv6_share;
	o->reorder = 0;
}

/* What only PPPoE has. Where echoes of all lines would be more than their share, they are rarer. */
static void set_pppoe(struct load *l, const struct options *o)
{
	double rate = o->rate_pps > 0 ? o->rate_pps : DEFAULT_RATE, s = o->echo_s;

	if (o->encap != ENCAP_PPPOE && o->encap != ENCAP_QINQ_PPPOE)
		return;
	l->offer_due = !o->sessions;
	if (s < 0) {
		s = 2.0 * o->lines / (ECHO_SHARE * rate);
		s = s < ECHO_S ? ECHO_S : s;
	}
	l->echo_ns = (uint64_t)(s * 1e9);
}

static void set_samples(struct load *l)
{
	while ((l->lines - 1) >> l->sample_shift >= LOAD_SAMPLED_LINES)
		l->sample_shift++;
	l->sample_mask = (1u << l->sample_shift) - 1;
}

static void measure_overhead(struct load *l)
{
	for (int v6 = 0; v6 < 2; v6++) {
		struct load_line line = load_line(l, 0);

		frame_begin_ip(l->frame, &line.l2, DIR_DOWN, v6, 0);
		l->overhead[v6] = l->frame->n + (uint32_t)frame_ip_bytes(v6);
	}
}

static void open_output(struct load *l, const struct options *o)
{
	if (o->interface) {
		load_send_open(&l->send, o->interface,
			       o->packet_bytes ? o->packet_bytes : FRAME_BYTES_MAX);
		l->frame = load_send_frame(&l->send);
	} else {
		pcap_out_open(&l->out, o->output, o->snaplen);
		l->own_frame.cut = o->snaplen;
		l->frame = &l->own_frame;
	}
}

static void load_init(struct load *l, const struct options *o)
{
	*l = (struct load){
		.options = o,
		.epoch_ns = WORLD_EPOCH_UNIX_NS,
		.rng = rng_make(o->seed, RNG_PLAN, 0),
		.lines = o->lines,
		.flows = o->flows,
		.loss_before = o->loss_before_tap,
		.loss_after = o->loss_after_tap,
	};
	set_pppoe(l, o);
	set_samples(l);
	open_output(l, o);
	measure_overhead(l);
	load_flows_init(l);
	l->line_seen = mem_new(l->lines / 8 + 1, 1);
	load_events_init(&l->events);
	load_pick_init(&l->pick, rng_make(o->seed, RNG_PLAN, 1), l->flows, o->zipf, o->train);
	load_pick_flows(&l->pick, l->flow, sizeof(*l->flow));
}

static void summary(const struct load *l)
{
	double s = (double)l->elapsed_ns / 1e9;

	if (!l->send.name) {
		fprintf(stderr, "%s: %llu packets, %llu flows, %u lines, %.1f s\n",
			l->options->output, (unsigned long long)l->wire_packets,
			(unsigned long long)(l->total.flows + l->total.syn_flood), l->lines,
			(double)l->stamp_ns / 1e9);
		return;
	}
	fprintf(stderr, "sent %llu packets, %llu bytes in %.3f s (%.0f pps)",
		(unsigned long long)l->send.packets, (unsigned long long)l->send.bytes, s,
		s > 0 ? (double)l->send.packets / s : 0);
	if (l->send.refused)
		fprintf(stderr, ", %llu refused by %s", (unsigned long long)l->send.refused,
			l->send.name);
	if (l->left_out)
		fprintf(stderr, ", %llu left out, too late", (unsigned long long)l->left_out);
	fputc('\n', stderr);
}

static void load_fini(struct load *l)
{
	load_send_close(&l->send);
	load_events_fini(&l->events);
	free(l->flow);
	free(l->line_seen);
	free(l);
}

void scenario_load(const struct options *o)
{
	struct options mine = *o;
	struct load *l = mem_new(1, sizeof(*l));

	set_rates(&mine);
	load_init(l, &mine);
	load_run(l);
	pcap_out_close(&l->out);
	if (mine.truth)
		load_truth(l);
	summary(l);
	load_fini(l);
}
