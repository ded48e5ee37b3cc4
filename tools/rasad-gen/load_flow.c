/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The flows of scenario "load". A TCP flow sends data one way only: two packets, then one ACK from
 * the receiver; and it repairs what it loses.
 */
#include "tools/rasad-gen/load.h"
#include "tools/rasad-gen/load_view.h"
#include "tools/rasad-gen/mem.h"

#define TCP_BYTES      (20 + LOAD_TIMESTAMP_BYTES)
#define UDP_BYTES      8
#define RTO_NS	       200000000ull
#define FULL_IP_BYTES  1492 /* PPPoE */
#define FULL_PACKETS   205  /* of 256 data packets; the rest is shorter */
#define SHORTEST       64
#define PAUSE	       16 /* of 16 ms, from a repair to the next loss: fast flows lose seldom */
#define MOST_OWED      64
#define WINDOW_PACKETS 2048
#define TRIES	       16 /* to find a flow that may send */
#define ACKS_PER_DATA  0.5
#define FEEDBACK       0x0f /* one UDP packet of 16 goes the other way, */
#define FEEDBACK_BYTES 80
#define SMALL_UDP      400  /* half of the others are smaller, */
#define LARGE_UDP      1252 /* and half as large as that */

static uint64_t sender_rtt_ns(struct load *l, const struct load_view *v)
{
	return load_jitter(l, v->data_dir == DIR_DOWN ? v->line.internet_rtt_ns
						      : v->line.access_rtt_ns);
}

static uint64_t receiver_rtt_ns(struct load *l, const struct load_view *v)
{
	return load_jitter(l, v->data_dir == DIR_DOWN ? v->line.access_rtt_ns
						      : v->line.internet_rtt_ns);
}

static void emit_data(struct load *l, const struct load_view *v, uint32_t seq, uint32_t bytes)
{
	struct load_direction *line = load_line_sample(l, v->line.number);
	struct tcp_header tcp = {
		.seq = seq,
		.ack = (uint32_t)(v->hash >> 32),
		.flags = TCP_ACK | (v->state->flags & FLOW_HALF ? TCP_PSH : 0),
	};

	tcp.option_bytes =
		load_view_timestamps(tcp.option, v, v->data_dir, l->stamp_ms, v->state->ack_ms);
	l->total.dir[v->data_dir].data_packets++;
	if (line)
		line[v->data_dir].data_packets++;
	v->state->data_id++;
	load_view_tcp(l, v, v->data_dir, &tcp, v->state->data_id, bytes);
}

static uint32_t payload_bytes(struct load *l, const struct load_view *v, uint32_t header_bytes)
{
	uint32_t full = FULL_IP_BYTES - (uint32_t)frame_ip_bytes(v->v6) - header_bytes;
	uint64_t r;

	if (l->options->packet_bytes)
		return l->options->packet_bytes - l->overhead[v->v6] - header_bytes;
	r = rng_next(&l->rng);
	if ((r & 0xff) < FULL_PACKETS)
		return full;
	return SHORTEST + (uint32_t)((r >> 32) * (full - SHORTEST) >> 32);
}

/* Plans the receiver's answer to what it has by now. Returns when that passes the tap. */
static uint64_t plan_ack(struct load *l, const struct load_view *v, bool clean)
{
	struct load_flow *f = v->state;
	bool repair = f->flags & FLOW_REPAIR;
	uint64_t due_ns = l->stamp_ns + receiver_rtt_ns(l, v);
	uint32_t due_us = (uint32_t)(due_ns / 1000), late_us = f->ack_due_us - due_us;

	if ((int32_t)late_us > 0 && late_us < 1000000) /* the path keeps the order */
		due_ns += late_us * 1000ull;
	else
		f->ack_due_us = due_us;
	load_events_plan(&l->events, l->stamp_ns,
			 &(struct load_event){
				 .kind = EVENT_ACK,
				 .who = v->number,
				 .ack = repair ? f->missing : f->next,
				 .gap = repair ? f->missing_bytes : 0,
				 .right = f->next,
				 .echo_ms = f->first_ms,
				 .due_ns = due_ns,
				 .clean = clean,
			 });
	return due_ns;
}

/* The sender resends what is missing now, unless something was sooner. */
static void plan_resend(struct load *l, const struct load_view *v, uint64_t due_ns)
{
	load_events_plan(&l->events, l->stamp_ns,
			 &(struct load_event){
				 .kind = EVENT_RESEND,
				 .who = v->number,
				 .ack = v->state->missing,
				 .due_ns = due_ns,
			 });
}

/* The receiver complains about what is missing; the first complaint makes the sender resend it. */
static void complain(struct load *l, const struct load_view *v)
{
	uint64_t complaint_ns = plan_ack(l, v, false);

	if (!(v->state->flags & FLOW_ASKED))
		plan_resend(l, v, complaint_ns + sender_rtt_ns(l, v));
	v->state->flags |= FLOW_ASKED;
}

static void start(struct load *l, const struct load_view *v)
{
	*v->state = (struct load_flow){
		.flags = FLOW_STARTED,
		.next = (uint32_t)v->hash,
		.una = (uint32_t)v->hash,
		.first_ms = l->stamp_ms,
		.ack_ms = l->stamp_ms - 20,
		.data_id = (uint16_t)(v->hash >> 40),
	};
	v->state->repaired = (uint16_t)((l->stamp_ms >> 4) - PAUSE);
	l->total.flows++;
	l->total.tcp_flows += !v->udp;
}

/* Is this data packet one of those to lose? Four times the chance while any are owed, since flows
 * that repair or have just repaired something lose none. */
static bool lose(struct load *l, const struct load_flow *f, double *owed, double share)
{
	*owed += *owed < MOST_OWED ? share : 0;
	if (*owed < 1 || (uint16_t)((l->stamp_ms >> 4) - f->repaired) < PAUSE ||
	    !rng_chance(&l->rng, 4 * share))
		return false;
	*owed -= 1;
	return true;
}

static void begin_repair(const struct load_view *v, uint32_t bytes)
{
	struct load_flow *f = v->state;

	f->flags |= FLOW_REPAIR;
	f->missing = f->next;
	f->missing_bytes = (uint16_t)bytes;
	f->next += bytes;
}

/* Lost behind the tap: the sender resends after its timeout, or when data behind it made the
 * receiver complain. */
static void lose_after(struct load *l, const struct load_view *v, uint32_t bytes)
{
	uint32_t seq = v->state->next;

	l->total.lost_after_tap_all++;
	begin_repair(v, bytes);
	emit_data(l, v, seq, bytes);
	plan_resend(l, v, l->stamp_ns + RTO_NS + receiver_rtt_ns(l, v) + sender_rtt_ns(l, v));
}

/* Lost before the tap: the packet behind it shows the hole, and the receiver complains. */
static void lose_before(struct load *l, const struct load_view *v, uint32_t bytes)
{
	struct load_flow *f = v->state;
	uint32_t seq, behind = payload_bytes(l, v, TCP_BYTES);

	l->total.lost_before_tap_all++;
	begin_repair(v, bytes);
	f->flags |= FLOW_HOLE;
	seq = f->next;
	f->next += behind;
	f->data_id++; /* of the lost one */
	emit_data(l, v, seq, behind);
	complain(l, v);
}

static void send_in_order(struct load *l, const struct load_view *v, uint32_t bytes)
{
	struct load_flow *f = v->state;
	bool second = f->flags & FLOW_HALF;
	uint32_t seq = f->next;

	if (!second)
		f->first_ms = l->stamp_ms;
	f->next += bytes;
	emit_data(l, v, seq, bytes);
	f->flags ^= FLOW_HALF;
	if (second)
		plan_ack(l, v, true);
}

static void send_tcp(struct load *l, const struct load_view *v)
{
	struct load_flow *f = v->state;
	uint32_t bytes = payload_bytes(l, v, TCP_BYTES), seq = f->next;

	if (f->flags & FLOW_REPAIR) { /* each packet behind the missing one makes a complaint */
		f->next += bytes;
		emit_data(l, v, seq, bytes);
		complain(l, v);
	} else if (lose(l, f, &l->owed_after, l->loss_after)) {
		lose_after(l, v, bytes);
	} else if (lose(l, f, &l->owed_before, l->loss_before)) {
		lose_before(l, v, bytes);
	} else {
		send_in_order(l, v, bytes);
	}
}

static uint32_t udp_bytes(struct load *l, const struct load_view *v, bool feedback)
{
	uint64_t r;

	if (l->options->packet_bytes)
		return payload_bytes(l, v, UDP_BYTES);
	r = rng_next(&l->rng);
	return feedback ? FEEDBACK_BYTES : r & 1 ? LARGE_UDP : 40 + (r >> 32) % SMALL_UDP;
}

static void send_udp(struct load *l, const struct load_view *v)
{
	bool feedback = (++v->state->data_id & FEEDBACK) == 0;
	enum dir dir = feedback ? (v->data_dir == DIR_DOWN ? DIR_UP : DIR_DOWN) : v->data_dir;
	uint32_t bytes = udp_bytes(l, v, feedback);

	load_view_udp(l, v, dir, bytes);
}

bool load_data(struct load *l)
{
	for (int i = 0; i < TRIES; i++) {
		uint32_t flow = load_pick_next(&l->pick);
		struct load_flow *f = &l->flow[flow];
		struct load_view v;

		if (f->next - f->una > l->window_bytes)
			continue;
		v = load_view(l, flow);
		if (!(f->flags & FLOW_STARTED))
			start(l, &v);
		if (v.udp)
			send_udp(l, &v);
		else
			send_tcp(l, &v);
		return true;
	}
	return false;
}

void load_ack(struct load *l, const struct load_event *e)
{
	struct load_view v = load_view(l, e->who);
	struct load_direction *line = load_line_sample(l, v.line.number);
	enum dir dir = v.data_dir == DIR_DOWN ? DIR_UP : DIR_DOWN;
	struct tcp_header tcp = {.seq = (uint32_t)(v.hash >> 32), .ack = e->ack, .flags = TCP_ACK};

	tcp.option_bytes = load_view_timestamps(tcp.option, &v, dir, l->stamp_ms, e->echo_ms);
	if (e->gap)
		tcp.option_bytes += load_view_sack(tcp.option + LOAD_TIMESTAMP_BYTES,
						   e->ack + e->gap, e->right);
	v.state->una = e->ack;
	v.state->ack_ms = l->stamp_ms;
	l->total.dir[v.data_dir].acks += e->clean;
	if (line)
		line[v.data_dir].acks += e->clean;
	load_view_tcp(l, &v, dir, &tcp, (uint16_t)(l->stamp_ns >> 17), 0);
}

static void count_resend(struct load_direction *d, bool hole)
{
	d->hole_fill += hole;
	d->retransmit_seen += !hole;
}

bool load_resend(struct load *l, const struct load_event *e)
{
	struct load_view v = load_view(l, e->who);
	struct load_direction *line = load_line_sample(l, v.line.number);
	struct load_flow *f = v.state;
	bool hole = f->flags & FLOW_HOLE;

	if (!(f->flags & FLOW_REPAIR) || f->missing != e->ack)
		return false;
	count_resend(&l->total.dir[v.data_dir], hole);
	if (line)
		count_resend(&line[v.data_dir], hole);
	emit_data(l, &v, f->missing, f->missing_bytes);
	if (f->next ==
	    f->missing + f->missing_bytes) /* else the clock of the last in order stays */
		f->first_ms = l->stamp_ms;
	f->flags = FLOW_STARTED;
	f->repaired = (uint16_t)(l->stamp_ms >> 4);
	plan_ack(l, &v, false);
	return true;
}

void load_flows_init(struct load *l)
{
	const struct options *o = l->options;
	double udp = o->udp_share, ipv6 = o->ipv6_share;

	/* A TCP flow that is picked makes one packet and half an ACK, a UDP flow makes one. */
	udp = udp * (1 + ACKS_PER_DATA) / (1 + udp * ACKS_PER_DATA);
	l->udp_below = (uint32_t)(udp * UINT32_MAX);
	l->ipv6_below = (uint32_t)(ipv6 * UINT32_MAX);
	l->window_bytes = WINDOW_PACKETS * (o->packet_bytes ? o->packet_bytes : FULL_IP_BYTES);
	l->flow = mem_new_large(l->flows, sizeof(*l->flow));
}
