/* SPDX-License-Identifier: BSD-3-Clause */
#include "engine/packet/worker.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "engine/packet/account.h"
#include "engine/packet/line_control.h"
#include "engine/packet/spin.h"
#include "engine/packet/tcp_usual.h"

enum {
	DNS_PORT = 53,
	DHCP_CLIENT_PORT = 68,
	AGE_ROUND = (int)(60000000000ull >> FLOW_AGE_SHIFT), /* each flow is looked at that often */
	AGE_MOST = 8 * FLOW_GROUP,			     /* slots between two bursts */
};

static void tell_line(void *context, uint32_t line, const struct line_identity *appeared);
static bool may_tell_line(void *context);

int worker_init(struct worker *w, const struct worker_options *options, struct ring *outbox)
{
	*w = (struct worker){.options = *options, .outbox = outbox};
	if (meter_init(&w->meter, options->max_lines, options->max_flows, options->keep_flows) ||
	    transaction_init(&w->transactions) || window_init(&w->window, options->max_lines))
		return -ENOMEM;
	pool_init(&w->names, sizeof(struct line_names), options->max_lines);
	w->meter.lines.tell = tell_line;
	w->meter.lines.may_tell = may_tell_line;
	w->meter.lines.context = w;
	return flow_table_init(&w->flows, options->max_flows, options->full_size,
			       options->hash_seed);
}

void worker_fini(struct worker *w)
{
	meter_fini(&w->meter);
	transaction_fini(&w->transactions);
	flow_table_fini(&w->flows);
	window_fini(&w->window, w->options.max_lines);
	map_fini(&w->circuits);
	pool_fini(&w->names);
	*w = (struct worker){0};
}

/* --- the outbox ----------------------------------------------------------------------------- */

struct out worker_out(const struct worker *w, enum out_kind kind, uint32_t line)
{
	return (struct out){
		.kind = kind,
		.line = line,
		.order = worker_order(w),
		.clock_ns = worker_clock_ns(w),
	};
}

void worker_tap(struct worker *w, const struct tap_news *news, uint64_t clock_ns)
{
	struct out_tap *record = worker_tell(w, sizeof *record);
	if (!record)
		return; /* counted as told late; what comes next tells that the tap sees */
	*record = (struct out_tap){
		.out = worker_out(w, OUT_TAP, 0),
		.what = (enum tap_news_kind)news->kind,
		.tap = (uint8_t)(w->source_tap + news->tap),
	};
	record->out.clock_ns = news->kind == TAP_SPEAKS ? clock_ns : news->since_ns;
	ring_commit(w->outbox);
}

void *worker_tell(struct worker *w, size_t size)
{
	void *room = ring_reserve(w->outbox, size);
	while (!room && w->options.full) {
		w->options.full(w->options.context);
		room = ring_reserve(w->outbox, size);
	}
	w->told_late += !room;
	return room;
}

/* All that a new line has to tell, and the one whose number it takes. */
struct turnover {
	struct out_window last;
	struct out gone;
	struct out_appeared appeared;
	uint64_t headers[3];
};

/* Nobody knows whose records those are that come without it: no room, no line yet. */
static bool may_tell_line(void *context)
{
	struct worker *w = context;
	worker_pass_samples(w); /* they may be of the line that goes */
	if (worker_tell(w, sizeof(struct turnover)))
		return true;
	w->signals_lost++;
	return false;
}

static void tell_appeared(struct worker *w, uint32_t line, const struct line_identity *identity)
{
	struct out_appeared *record = worker_tell(w, sizeof *record);
	*record = (struct out_appeared){worker_out(w, OUT_APPEARED, line), *identity};
	ring_commit(w->outbox);
}

/* A line that goes leaves its last record; its pulse stays in its list for the line to come. */
static void tell_gone(struct worker *w, uint32_t line)
{
	struct pulse *pulse = line_pulse(&w->meter.lines, line);
	struct out *record;
	window_tell_line(w, line);
	*pulse = (struct pulse){.state = pulse->state & PULSE_LISTED};
	record = worker_tell(w, sizeof *record);
	*record = worker_out(w, OUT_GONE, line);
	ring_commit(w->outbox);
}

static void tell_line(void *context, uint32_t line, const struct line_identity *appeared)
{
	if (appeared)
		tell_appeared(context, line, appeared);
	else
		tell_gone(context, line);
}

void worker_pass_samples(struct worker *w)
{
	struct meter *m = &w->meter;
	for (uint32_t i = 0; i < m->n_queue; i++)
		window_sample(w, m->queue[i].line, m->queue[i].hist, m->queue[i].ticks);
	m->n_queue = 0;
}

/* --- flows ------------------------------------------------------------------------------------ */

/* Who is the subscriber, when neither MAC nor address told: whoever opens, or has the higher
 * port. */
static bool sender_is_subscriber(const struct pkt *p, const struct pkt_extra *x)
{
	if (p->dir != DIR_UNKNOWN)
		return p->dir == DIR_UP;
	if (p->kind == KIND_TCP && p->tcp_flags & TCP_SYN)
		return !(p->tcp_flags & TCP_ACK);
	if (p->kind == KIND_DNS)
		return x->dport == DNS_PORT;
	if (p->kind == KIND_ICMP)
		return transaction_is_question(p);
	return x->sport >= x->dport;
}

/* Takes a flow out of the table; its log, if it has one, stays. */
static void retire(struct worker *w, int32_t slot)
{
	extra_forget(&w->meter, flow_at(&w->flows, slot));
	flow_remove(&w->flows, slot);
}

static void start_log(struct worker *w, struct flow *f, const struct pkt *p,
		      const struct pkt_extra *x)
{
	struct flow_extra *e;
	struct flow_log *log;
	bool src_is_b = p->flags & PKT_SRC_IS_B;
	if (!w->options.keep_flows || p->kind != KIND_TCP || !extra_need(&w->meter, f, 0))
		return;
	e = extra_of(&w->meter, f);
	e->log = pool_take(&w->meter.logs);
	if (!e->log)
		return;
	log = pool_at(&w->meter.logs, e->log);
	*log = (struct flow_log){
		.first_ns = p->ts_ns,
		.last_ns = p->ts_ns,
		.order = worker_order(w),
		.key0 = f->key[0],
		.line = f->line,
		.sub_is_b = f->sub_is_b,
	};
	log->port[src_is_b] = x->sport;
	log->port[!src_is_b] = x->dport;
	memcpy(src_is_b ? log->b : log->a, x->src, 16);
	memcpy(src_is_b ? log->a : log->b, x->dst, 16);
}

static int32_t take_record(struct worker *w, const struct pkt *p, uint32_t hash)
{
	int32_t slot = flow_create(&w->flows, p->key, hash), victim;
	if (slot != FLOW_NONE)
		return slot;
	victim = flow_victim(&w->flows, hash, flow_age(p->ts_ns));
	if (victim == FLOW_NONE) {
		w->flows_refused++;
		return FLOW_NONE;
	}
	w->flows_evicted++;
	extra_forget(&w->meter, flow_at(&w->flows, victim));
	return flow_replace(&w->flows, victim, p->key, hash);
}

static struct flow *new_flow(struct worker *w, const struct pkt *p, const struct pkt_extra *x,
			     uint32_t hash)
{
	bool sub_is_src = sender_is_subscriber(p, x), src_is_b = p->flags & PKT_SRC_IS_B;
	uint32_t line = line_of(&w->meter.lines, p, x, sub_is_src);
	int32_t slot = line ? take_record(w, p, hash) : FLOW_NONE;
	struct flow *f;
	if (slot == FLOW_NONE)
		return NULL;
	f = flow_at(&w->flows, slot);
	f->line = line & 0xffffff;
	f->sub_is_b = sub_is_src == src_is_b;
	f->last = flow_age(p->ts_ns);
	start_log(w, f, p, x);
	return f;
}

HOT_INLINE bool same_key(const struct flow *f, const struct pkt *p)
{
	uint64_t a[2], b[2];
	memcpy(a, f->key, sizeof a);
	memcpy(b, p->key, sizeof b);
	return ((a[0] ^ b[0]) | (a[1] ^ b[1])) == 0;
}

static int32_t slot_of(const struct worker *w, const struct flow *f)
{
	return (int32_t)(f - w->flows.records);
}

/* The flow is over: it was silent for too long, or this packet opens another. */
static bool is_over(const struct worker *w, const struct flow *f, const struct pkt *p)
{
	return ((int32_t)(flow_age(p->ts_ns) - f->last) > FLOW_IDLE_AGE &&
		!w->options.keep_flows) ||
	       (p->tcp_flags & TCP_SYN && p->kind == KIND_TCP &&
		tcp_is_new_connection(f, p->flags & PKT_SRC_IS_B ? 1 : 0, p));
}

/* The record of the packet's flow, if it is known and this packet does not begin another one. */
static struct flow *known_flow(struct worker *w, const struct pkt *p, const struct flow_hint *hint)
{
	struct flow *f = hint->flow;
	if (!f || !same_key(f, p)) {
		int32_t slot = flow_find(&w->flows, p->key, hint->hash);
		if (slot == FLOW_NONE)
			return NULL;
		f = flow_at(&w->flows, slot);
	}
	if (!is_over(w, f, p))
		return f;
	retire(w, slot_of(w, f));
	return NULL;
}

static void follow_log(struct worker *w, const struct flow *f, const struct pkt *p)
{
	const struct flow_extra *e = extra_of(&w->meter, f);
	struct flow_log *log = e && e->log ? pool_at(&w->meter.logs, e->log) : NULL;
	if (log && p->ts_ns > log->last_ns)
		log->last_ns = p->ts_ns;
}

HOT_INLINE void follow_flow(struct flow *f, const struct pkt *p)
{
	int32_t silence = flow_silence(f, p->ts_ns);
	f->last += (uint32_t)(silence & ~(silence >> 31)); /* a late packet changes nothing */
}

static bool owes_an_answer(const struct pkt *p)
{
	return p->kind == KIND_TCP && (p->payload_len || p->tcp_flags & TCP_SYN) &&
	       !(p->tcp_flags & TCP_RST);
}

/* --- packets ---------------------------------------------------------------------------------- */

static void echo_packet(struct worker *w, uint32_t line, int way, const struct pkt *p,
			const struct pkt_extra *x)
{
	uint64_t ns;
	bool question = transaction_is_question(p), asked_by_sub = question == (way == UP);
	if (transaction_packet(&w->transactions, p, &ns) == TRANSACTION_TIMED && asked_by_sub)
		meter_line_sample(&w->meter, line, p->kind == KIND_DNS ? HIST_DNS : HIST_ICMP,
				  (uint32_t)(ns / HIST_TICK_NS));
	if (p->kind == KIND_DNS && asked_by_sub)
		demand_names(w, line, p, x, question);
	if (p->kind != KIND_ICMP || !question)
		return;
	if (way == DOWN)
		account_unanswered(w, line, line_pulse(&w->meter.lines, line), p,
				   flow_hash(p->key, 0), false);
	else
		demand_asked(w, line, p, x, p->seq >> 16);
}

/* Packets without a flow: counted to their line, questions timed. */
static void other_packet(struct worker *w, const struct pkt *p, const struct pkt_extra *x)
{
	bool sub_is_src;
	struct pulse *pulse;
	uint32_t line;
	int way;
	if (!(p->flags & (PKT_IP | PKT_PPPOE)))
		return;
	sub_is_src = sender_is_subscriber(p, x);
	line = line_of(&w->meter.lines, p, x, sub_is_src);
	if (!line)
		return;
	way = sub_is_src ? UP : DOWN;
	pulse = line_pulse(&w->meter.lines, line);
	account_packet(w, line, pulse, way, p);
	if (sub_is_src && account_is_other_session(pulse, p))
		account_session(w, line, p, x);
	if (!sub_is_src && p->flags & PKT_IP && p->kind != KIND_DNS && !demand_is_refusal(p))
		account_heard(w, line, pulse, p);
	if (sub_is_src && p->flags & PKT_IP)
		account_address(w, line, p, x);
	if (p->kind == KIND_DNS || p->kind == KIND_ICMP)
		echo_packet(w, line, way, p, x);
}

static void control_packet(struct worker *w, const struct pkt *p, const struct pkt_extra *x,
			   const uint8_t *frame)
{
	struct control c;
	struct signal *s;
	bool sub_is_src = sender_is_subscriber(p, x);
	uint32_t line;
	control_read(&c, p, x, frame);
	if (p->kind == KIND_DHCP && p->dir == DIR_UNKNOWN)
		sub_is_src = x->sport == DHCP_CLIENT_PORT;
	line = line_control_of(w, p, x, &c, sub_is_src);
	if (!line)
		return;
	if (p->dir == DIR_UNKNOWN && p->flags & PKT_IP)
		c.dir = sub_is_src ? DIR_UP : DIR_DOWN;
	line_control_follow(w, line, p, &c);
	s = account_signal(w, SIGNAL_CONTROL, line, p);
	if (s) {
		s->control = c;
		ring_commit(w->outbox);
	}
	if (c.dir != DIR_UNKNOWN)
		account_packet(w, line, line_pulse(&w->meter.lines, line),
			       c.dir == DIR_UP ? UP : DOWN, p);
}

/* What the source has found comes first, before time goes on. */
static void tell_news(struct worker *w, const struct burst *burst, uint32_t i)
{
	for (uint32_t n = 0; n < burst->n_news; n++)
		if (burst->news[n].at == i)
			worker_tap(w, &burst->news[n], burst_clock_ns(burst, i));
}

/* A second may end here; and packets are counted one by one, else they are all at once. */
static __attribute__((noinline)) void turn(struct worker *w, const struct burst *burst, uint32_t i)
{
	if (burst->n_news)
		tell_news(w, burst, i);
	w->tap = w->source_tap + (w->many_taps ? 1 + burst->extra[i].tap : 0);
	if (worker_clock_ns(w) - w->window.second_ns >= SECOND_NS)
		window_advance(w, worker_clock_ns(w));
	w->window.packets++;
}

/* One packet of a flow, whatever it is. */
static void work_any(struct worker *w, struct flow *f, struct burst *burst, uint32_t i,
		     uint32_t hash)
{
	const struct pkt *p = &burst->pkt[i];
	int dir = p->flags & PKT_SRC_IS_B ? 1 : 0, way = flow_dir_way(f, dir);
	uint32_t line = f->line;
	struct pulse *pulse = line_pulse(&w->meter.lines, line);
	bool resent = false;
	account_packet(w, line, pulse, way, p);
	if (way == DOWN)
		account_heard(w, line, pulse, p);
	else if (account_is_other_session(pulse, p))
		account_session(w, line, p, burst_extra(burst, i));
	if (p->kind == KIND_TCP) {
		const struct pkt_extra *x = burst_extra(burst, i);
		if (pulse->data[way] > ACCOUNT_DATA_FULL)
			window_tell_line(w, line);
		resent = tcp_packet(&w->meter, f, dir, p, x, mirror_identity(p, hash));
		if (way == UP && (resent || (p->tcp_flags & (TCP_SYN | TCP_ACK)) == TCP_SYN))
			demand_asked(w, line, p, x, hash);
	} else {
		spin_packet(&w->meter, f, dir, p);
	}
	follow_flow(f, p);
	if (w->options.keep_flows)
		follow_log(w, f, p);
	if (way == DOWN && owes_an_answer(p))
		account_unanswered(w, line, pulse, p, hash, resent);
}

/* No flow of that key, or one that is over. */
static void first_packet(struct worker *w, struct burst *burst, uint32_t i, uint32_t hash)
{
	const struct pkt *p = &burst->pkt[i];
	const struct pkt_extra *x = burst_extra(burst, i);
	struct flow *f = new_flow(w, p, x, hash);
	if (!f) { /* the tables are full; its line still gets the packet */
		other_packet(w, p, x);
		return;
	}
	work_any(w, f, burst, i, hash);
	if (flow_dir_way(f, p->flags & PKT_SRC_IS_B ? 1 : 0) == UP)
		account_address(w, f->line, p, x);
}

static __attribute__((noinline)) void unusual_packet(struct worker *w, struct burst *burst,
						     uint32_t i, const struct flow_hint *hint)
{
	const struct pkt *p = &burst->pkt[i];
	struct flow *f;
	if (pkt_is_control(p)) {
		control_packet(w, p, burst_extra(burst, i), burst->frame[i]);
	} else if (p->kind != KIND_TCP && p->kind != KIND_QUIC) {
		other_packet(w, p, burst_extra(burst, i));
	} else {
		f = known_flow(w, p, hint);
		if (f)
			work_any(w, f, burst, i, hint->hash);
		else
			first_packet(w, burst, i, hint->hash);
	}
}

/*
 * The usual packet of a TCP flow. Which way it goes and whether it has data are constants here: made
 * four times over, the code asks once for what no CPU can predict.
 */
HOT_INLINE void usual_packet(struct worker *w, struct flow *f, struct burst *burst, uint32_t i,
			     uint32_t hash, int way, bool has_data)
{
	const struct pkt *p = &burst->pkt[i];
	int dir = p->flags & PKT_SRC_IS_B ? 1 : 0;
	uint32_t line = f->line;
	struct pulse *pulse = line_pulse(&w->meter.lines, line);
	account_packet(w, line, pulse, way, p);
	if (way == DOWN)
		account_heard(w, line, pulse, p);
	else if (account_is_other_session(pulse, p))
		account_session(w, line, p, burst_extra(burst, i));
	tcp_usual(&w->meter, f, dir, p, hash, has_data);
	if (has_data)
		account_data(w, line, pulse, way, meter_segments(&f->dir[dir], p->payload_len));
	follow_flow(f, p);
	if (way == DOWN && has_data)
		account_unanswered(w, line, pulse, p, hash, false);
}

HOT_INLINE void work_packet(struct worker *w, struct burst *burst, uint32_t i,
			    const struct flow_hint *hint, bool logs)
{
	const struct pkt *p = &burst->pkt[i];
	struct flow *f = hint->flow;
	bool src_is_b = p->flags & PKT_SRC_IS_B, up;
	if (logs || !f || !same_key(f, p) || !tcp_is_usual(&w->meter, f, src_is_b ? 1 : 0, p)) {
		unusual_packet(w, burst, i, hint);
		return;
	}
	up = src_is_b == f->sub_is_b;
	if (p->payload_len && up)
		usual_packet(w, f, burst, i, hint->hash, UP, true);
	else if (p->payload_len)
		usual_packet(w, f, burst, i, hint->hash, DOWN, true);
	else if (up)
		usual_packet(w, f, burst, i, hint->hash, UP, false);
	else
		usual_packet(w, f, burst, i, hint->hash, DOWN, false);
}

void worker_packets(struct worker *w, struct burst *burst, const struct flow_hint *hints,
		    uint32_t from, uint32_t end, bool turns)
{
	bool logs = w->options.keep_flows;
	for (uint32_t i = from; i < end; i++) {
		w->at = i;
		if (__builtin_expect(turns, 0))
			turn(w, burst, i);
		work_packet(w, burst, i, &hints[i], logs);
	}
}

/* --- time ------------------------------------------------------------------------------------- */

/* Ends flows that have been silent for long, a few slots at a time; whoever comes back later begins
 * anew in any case (known_flow), so results do not depend on when this looks. */
static void age_flows(struct worker *w)
{
	uint32_t now = flow_age(w->clock_ns), passed = now - w->aged_at;
	int32_t slots = flow_slots(&w->flows), end, slot;
	uint64_t n = (uint64_t)slots * passed / AGE_ROUND;
	if (w->options.keep_flows || n == 0)
		return;
	w->aged_at = now;
	if (w->aged >= slots)
		w->aged = 0;
	end = w->aged + (n < AGE_MOST ? (int32_t)n : AGE_MOST);
	if (end > slots)
		end = slots;
	for (slot = flow_next(&w->flows, w->aged, end); slot != FLOW_NONE;
	     slot = flow_next(&w->flows, slot + 1, end))
		if ((int32_t)(now - flow_at(&w->flows, slot)->last) > FLOW_IDLE_AGE)
			retire(w, slot);
	w->aged = end;
}

void worker_after_burst(struct worker *w)
{
	worker_pass_samples(w);
	window_slice(w, WINDOW_SLICE);
	age_flows(w);
}

void worker_idle(struct worker *w, uint64_t clock_ns)
{
	if (w->window.running && clock_ns > w->clock_ns &&
	    clock_ns - w->window.second_ns >= SECOND_NS)
		window_advance(w, clock_ns);
	worker_after_burst(w);
}

bool worker_flush(struct worker *w)
{
	return window_flush(w);
}
