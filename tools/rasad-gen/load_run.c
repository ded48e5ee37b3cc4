/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The slots of scenario "load". In a file they follow each other at the rate asked for. On an
 * interface a slot is made when the monotonic clock has reached it, so virtual and real time stay
 * together: the clocks in the TCP options are right, and round trips measured by a receiver are
 * those of the truth.
 */
#include <signal.h>
#include <time.h>

#include "tools/rasad-gen/load.h"

#define NAP_NS	  (100 * NS_PER_US) /* how much traffic a burst gathers when there is time */
#define BEHIND_NS (50 * NS_PER_MS)  /* later than that, slots are left out */

static volatile sig_atomic_t stopping;

static void stop(int signal_number)
{
	(void)signal_number;
	stopping = 1;
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

void load_run(struct load *l)
{
	struct sigaction action = {.sa_handler = stop};

	sigaction(SIGINT, &action, NULL);
	sigaction(SIGTERM, &action, NULL);
	if (l->send.name)
		run_live(l);
	else
		run_file(l);
}
