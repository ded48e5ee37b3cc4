/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Scenario "load": the slots, and where the packets go (load.h says what they are).
 *
 * In a file the slots follow each other at the rate asked for. On an interface a slot is made when
 * the monotonic clock has reached it, so virtual and real time stay together: the clocks in the TCP
 * options are right, and round trips measured by a receiver are those of the truth.
 */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

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
#define NAP_NS		  (100 * NS_PER_US) /* how much traffic a burst gathers when there is time */
#define BEHIND_NS	  (50 * NS_PER_MS)  /* later than that, slots are left out */

static volatile sig_atomic_t stopping;

static void stop(int signal_number)
{
	(void)signal_number;
	stopping = 1;
}

void load_emit(struct load *l, uint32_t line, enum dir dir)
{
	uint32_t wire_len = frame_end(l->frame);
	struct load_direction *sample = line == UINT32_MAX ? NULL : load_line_sample(l, line);

	l->wire_packets++;
	l->wire_bytes += wire_len;
	l->total.dir[dir].packets++;
	if (sample)
		sample[dir].packets++;
	if (l->send.name) {
		load_send_add(&l->send);
		l->frame = load_send_frame(&l->send);
	} else {
		pcap_out_write(&l->out, l->epoch_ns + l->stamp_ns, l->frame->byte, wire_len);
	}
}

static void stamp(struct load *l, uint64_t at_ns)
{
	l->stamp_ns = at_ns > l->stamp_ns ? at_ns : l->stamp_ns;
	l->stamp_ms = (uint32_t)(l->stamp_ns / NS_PER_MS);
}

static bool act(struct load *l, const struct load_event *e)
{
	switch ((enum load_event_kind)e->kind) {
	case EVENT_ACK:
		load_ack(l, e);
		return true;
	case EVENT_RESEND:
		return load_resend(l, e);
	case EVENT_ECHO_REPLY:
		load_echo_reply(l, e);
		return true;
	case EVENT_DIAL:
		load_dial_step(l, e);
		return true;
	}
	return false;
}

static bool make_due(struct load *l)
{
	struct load_event e;

	while (load_events_due(&l->events, l->slot_ns, &e, l->flow, sizeof(*l->flow))) {
		stamp(l, e.due_ns);
		if (act(l, &e))
			return true;
	}
	return false;
}

/* The lines come up before there is traffic. */
static void make_session(struct load *l)
{
	if (make_due(l) || l->dialed == l->lines)
		return;
	stamp(l, l->slot_ns);
	load_dial(l, l->dialed++);
	l->echo_due_ns = l->slot_ns;
}

static void make_traffic(struct load *l)
{
	if (make_due(l))
		return;
	stamp(l, l->slot_ns);
	if (l->offer_due) {
		l->offer_due = false;
		load_offer(l);
	} else if (load_echo_is_due(l)) {
		load_echo_request(l);
	} else {
		load_data(l);
	}
}

/* One packet, or none when nothing may be sent. */
static void make_packet(struct load *l)
{
	const struct options *o = l->options;
	double u = o->new_flows + o->padi > 0 ? rng_unit(&l->rng) : 1;

	if (u < o->new_flows + o->padi) {
		stamp(l, l->slot_ns);
		if (u < o->new_flows)
			load_syn_flood(l);
		else
			load_padi_flood(l);
	} else if (o->sessions && l->up < l->lines) {
		make_session(l);
	} else {
		make_traffic(l);
	}
}

static bool at_end(const struct load *l, double slot_ns)
{
	const struct options *o = l->options;

	return stopping || (o->packets && l->wire_packets >= o->packets) ||
	       (o->duration_s > 0 && slot_ns >= o->duration_s * 1e9);
}

/* The slot before the next event, when nothing can be sent until then. */
static uint64_t skip(const struct load *l, uint64_t slot, double gap_ns)
{
	uint64_t next_ns = load_events_next_ns(&l->events);
	double at = next_ns == UINT64_MAX ? 0 : (double)next_ns / gap_ns;

	return at > (double)slot ? (uint64_t)at : slot;
}

static void run_file(struct load *l)
{
	double gap_ns = 1e9 / l->options->rate_pps, slot_ns = 0;

	for (uint64_t i = 0; !at_end(l, slot_ns); slot_ns = (double)++i * gap_ns) {
		uint64_t before = l->wire_packets;

		l->slot_ns = (uint64_t)slot_ns;
		make_packet(l);
		if (l->wire_packets == before)
			i = skip(l, i, gap_ns);
	}
}

static uint64_t since(const struct timespec *start)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)(t.tv_sec - start->tv_sec) * NS_PER_S + (uint64_t)t.tv_nsec -
	       (uint64_t)start->tv_nsec;
}

static void nap(uint64_t ns)
{
	struct timespec t = {.tv_sec = (time_t)(ns / NS_PER_S), .tv_nsec = (long)(ns % NS_PER_S)};

	nanosleep(&t, NULL); /* a signal ends it, as it should */
}

/* Makes what is due by now, a burst at most. */
static void burst(struct load *l, uint64_t now_ns, double gap_ns, double *slot_ns)
{
	for (int i = 0; i < LOAD_BURST && *slot_ns <= (double)now_ns && !at_end(l, *slot_ns); i++) {
		l->slot_ns = (uint64_t)*slot_ns;
		*slot_ns += gap_ns;
		make_packet(l);
	}
	load_send_flush(&l->send);
	l->frame = load_send_frame(&l->send);
}

/* The next slot: without a rate the clock is all there is, and what is too late is left out. */
static double next_slot(struct load *l, double slot_ns, double now_ns, double gap_ns)
{
	if (l->options->rate_pps == 0)
		return now_ns - LOAD_BURST > slot_ns ? now_ns - LOAD_BURST : slot_ns;
	if (slot_ns + BEHIND_NS > now_ns)
		return slot_ns;
	l->left_out += (uint64_t)((now_ns - slot_ns) / gap_ns);
	return now_ns;
}

static void run_live(struct load *l)
{
	double gap_ns = l->options->rate_pps > 0 ? 1e9 / l->options->rate_pps : 1, slot_ns = 0;
	struct timespec start;

	clock_gettime(CLOCK_REALTIME, &start);
	l->epoch_ns = (uint64_t)start.tv_sec * NS_PER_S + (uint64_t)start.tv_nsec;
	clock_gettime(CLOCK_MONOTONIC, &start);
	while (!at_end(l, slot_ns)) {
		uint64_t now_ns = since(&start);

		if (slot_ns > (double)now_ns) {
			nap((uint64_t)(slot_ns - (double)now_ns) + NAP_NS);
			continue;
		}
		slot_ns = next_slot(l, slot_ns, (double)now_ns, gap_ns);
		burst(l, now_ns, gap_ns, &slot_ns);
	}
	l->elapsed_ns = since(&start);
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
	free(l);
}

void scenario_load(const struct options *o)
{
	struct options mine = *o;
	struct load *l = mem_new(1, sizeof(*l));
	struct sigaction action = {.sa_handler = stop};

	sigaction(SIGINT, &action, NULL);
	sigaction(SIGTERM, &action, NULL);
	set_rates(&mine);
	load_init(l, &mine);
	if (l->send.name)
		run_live(l);
	else
		run_file(l);
	pcap_out_close(&l->out);
	if (mine.truth)
		load_truth(l);
	summary(l);
	load_fini(l);
}
