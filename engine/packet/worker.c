/* SPDX-License-Identifier: BSD-3-Clause */
#include "engine/packet/worker.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "engine/packet/account.h"
#include "engine/packet/spin.h"
#include "engine/packet/tcp.h"

enum { DNS_PORT = 53 };

int worker_init(struct worker *w, const struct worker_options *options)
{
	*w = (struct worker){.options = *options};
	meter_init(&w->meter, options->max_lines, options->max_flows, options->keep_flows);
	if (transaction_init(&w->transactions))
		return -ENOMEM;
	return flow_table_init(&w->flows, options->max_flows, options->hash_seed);
}

void worker_fini(struct worker *w)
{
	meter_fini(&w->meter);
	transaction_fini(&w->transactions);
	flow_table_fini(&w->flows);
	map_fini(&w->circuits);
	free(w->signals);
	*w = (struct worker){0};
}

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

/* Takes a flow out of the table; when flows are reported its record stays until then. */
static void retire(struct worker *w, uint32_t index)
{
	struct flow *f = flow_at(&w->flows, index);
	flow_unlink(&w->flows, index);
	meter_close(&w->meter, f);
	if (w->options.keep_flows)
		return;
	meter_forget(&w->meter, f);
	flow_free(&w->flows, index);
}

static void keep_addresses(struct worker *w, struct flow *f, const struct pkt *p,
			   const struct pkt_extra *x)
{
	struct flow_addresses *a;
	bool src_is_b = p->flags & PKT_SRC_IS_B;
	if (!w->options.keep_flows || !(p->flags & PKT_IPV6))
		return;
	f->addresses = pool_take(&w->meter.addresses);
	if (!f->addresses)
		return;
	a = pool_at(&w->meter.addresses, f->addresses);
	memcpy(src_is_b ? a->b : a->a, x->src, 16);
	memcpy(src_is_b ? a->a : a->b, x->dst, 16);
}

static struct flow *new_flow(struct worker *w, const struct pkt *p, const struct pkt_extra *x,
			     uint32_t hash)
{
	bool sub_is_src = sender_is_subscriber(p, x), src_is_b = p->flags & PKT_SRC_IS_B;
	uint32_t line = line_of(&w->meter.lines, p, x, sub_is_src), index;
	struct flow *f;
	if (!line)
		return NULL;
	index = flow_create(&w->flows, p->key, hash);
	if (!index && !w->options.keep_flows) {
		uint32_t victim = flow_victim(&w->flows, hash);
		if (victim) {
			retire(w, victim);
			index = flow_create(&w->flows, p->key, hash);
		}
	}
	if (!index)
		return NULL;
	f = flow_at(&w->flows, index);
	f->line = line;
	f->kind = p->kind;
	f->port[src_is_b] = x->sport;
	f->port[!src_is_b] = x->dport;
	f->flags |= sub_is_src == src_is_b ? FLOW_SUB_IS_B : 0;
	f->first_ns = f->last_ns = p->ts_ns;
	keep_addresses(w, f, p, x);
	return f;
}

static struct flow *flow_of(struct worker *w, const struct pkt *p, const struct pkt_extra *x,
			    uint32_t hash)
{
	uint32_t index = flow_find(&w->flows, p->key, hash);
	int dir = p->flags & PKT_SRC_IS_B ? 1 : 0;
	if (!index)
		return new_flow(w, p, x, hash);
	if (p->kind == KIND_TCP && tcp_is_new_connection(flow_at(&w->flows, index), dir, p)) {
		retire(w, index);
		return new_flow(w, p, x, hash);
	}
	return flow_at(&w->flows, index);
}

static void echo_packet(struct worker *w, uint32_t index, uint8_t dir, const struct pkt *p)
{
	uint64_t ns;
	bool question = transaction_is_question(p), asked_by_sub = question == (dir == DIR_UP);
	struct line *line = line_at(&w->meter.lines, index);
	if (transaction_packet(&w->transactions, p, &ns) == TRANSACTION_TIMED && asked_by_sub)
		hist_add(&w->meter.hists, &line->hist[p->kind == KIND_DNS ? HIST_DNS : HIST_ICMP],
			 (uint32_t)(ns / HIST_TICK_NS));
	if (p->kind == KIND_ICMP && question && dir == DIR_DOWN)
		account_unanswered(w, index, p, false);
}

/* Packets without a flow: counted to their line, questions timed. */
static void other_packet(struct worker *w, const struct pkt *p, const struct pkt_extra *x)
{
	bool sub_is_src;
	uint32_t line;
	uint8_t dir;
	if (!(p->flags & (PKT_IP | PKT_PPPOE)))
		return;
	sub_is_src = sender_is_subscriber(p, x);
	line = line_of(&w->meter.lines, p, x, sub_is_src);
	if (!line)
		return;
	dir = sub_is_src ? DIR_UP : DIR_DOWN;
	account_traffic(w, line, dir, p, x);
	if (p->kind == KIND_DNS || p->kind == KIND_ICMP)
		echo_packet(w, line, dir, p);
}

static void flow_packet(struct worker *w, const struct pkt *p, const struct pkt_extra *x,
			uint32_t hash)
{
	struct flow *f = flow_of(w, p, x, hash);
	int dir = p->flags & PKT_SRC_IS_B ? 1 : 0;
	bool resent = false;
	uint8_t way;
	if (!f) { /* the tables are full; its line still gets the packet */
		other_packet(w, p, x);
		return;
	}
	way = flow_dir_is_up(f, dir) ? DIR_UP : DIR_DOWN;
	account_traffic(w, f->line, way, p, x);
	if (p->kind == KIND_TCP)
		resent = tcp_packet(&w->meter, f, dir, p, x);
	else
		spin_packet(&w->meter, f, dir, p);
	if (p->ts_ns > f->last_ns)
		f->last_ns = p->ts_ns;
	if (p->kind == KIND_TCP && way == DIR_DOWN && (p->payload_len || p->tcp_flags & TCP_SYN) &&
	    !(p->tcp_flags & TCP_RST))
		account_unanswered(w, f->line, p, resent);
}

/* The round trip of the line itself: the CPE answers the BRAS's LCP echo. */
static void lcp_echo(struct worker *w, uint32_t index, const struct control *c, uint64_t now_ns)
{
	struct line *line = line_at(&w->meter.lines, index);
	if (c->code == PPP_ECHO_REQ && c->dir == DIR_DOWN) {
		line->echo_id = c->id;
		line->echo_ns = now_ns;
		line->watch = true;
	} else if (c->code == PPP_ECHO_REP && c->dir == DIR_UP && line->echo_ns &&
		   line->echo_id == c->id && now_ns >= line->echo_ns) {
		hist_add(&w->meter.hists, &line->hist[HIST_LINE],
			 (uint32_t)((now_ns - line->echo_ns) / HIST_TICK_NS));
		line->echo_ns = 0;
	}
}

static uint64_t circuit_key(const char *circuit, uint16_t svlan)
{
	uint64_t h = svlan + 1u;
	for (; *circuit; circuit++)
		h = map_hash(h ^ (uint8_t)*circuit);
	return h | 1;
}

/* In a shared VLAN the circuit-id names the line, whatever MAC the CPE has today. */
static uint32_t line_of_control(struct worker *w, const struct pkt *p, const struct pkt_extra *x,
				const struct control *c, bool sub_is_src)
{
	uint32_t *known, line;
	if (p->flags & PKT_TWO_TAGS || p->kind != KIND_PPPOE || !c->circuit_id[0] ||
	    c->dir != DIR_UP)
		return line_of(&w->meter.lines, p, x, sub_is_src);
	known = map_find(&w->circuits, circuit_key(c->circuit_id, x->svlan));
	if (known) {
		line_bind(&w->meter.lines, p, x, *known);
		return *known;
	}
	line = line_of(&w->meter.lines, p, x, sub_is_src);
	if (line && w->circuits.used >= w->options.max_lines)
		w->circuits_refused++;
	else if (line)
		map_put(&w->circuits, circuit_key(c->circuit_id, x->svlan), line);
	return line;
}

static void control_packet(struct worker *w, const struct pkt *p, const struct pkt_extra *x,
			   const uint8_t *frame)
{
	struct control c;
	struct signal *s;
	bool sub_is_src;
	uint32_t line;
	control_read(&c, p, x, frame);
	sub_is_src = sender_is_subscriber(p, x);
	if (p->kind == KIND_DHCP && p->dir == DIR_UNKNOWN)
		sub_is_src = x->sport == 68;
	line = line_of_control(w, p, x, &c, sub_is_src);
	if (!line)
		return;
	if (p->dir == DIR_UNKNOWN && p->flags & PKT_IP)
		c.dir = sub_is_src ? DIR_UP : DIR_DOWN;
	if (p->kind == KIND_LCP)
		lcp_echo(w, line, &c, p->ts_ns);
	else if (p->kind == KIND_PPPOE && c.code == PADI)
		line_at(&w->meter.lines, line)->session_id = 0; /* tell of the next data */
	s = account_signal(w, SIGNAL_CONTROL, line, p);
	if (s)
		s->control = c;
	if (c.dir != DIR_UNKNOWN)
		account_packet(w, line, c.dir, p);
}

static bool has_flow(const struct pkt *p)
{
	return p->kind == KIND_TCP || p->kind == KIND_QUIC;
}

static void fetch_record(const struct worker *w, uint32_t guess)
{
	const char *record = (const char *)flow_at(&w->flows, guess);
	for (int line = 0; line < 4; line++)
		__builtin_prefetch(record + 64 * line, 1);
}

/* What the record points at: its line, and the segments that this packet adds to or takes from. */
static void fetch_around(const struct worker *w, uint32_t guess, const struct pkt *p)
{
	const struct flow *f = flow_at(&w->flows, guess);
	const struct flow_dir *d = &f->dir[p->flags & PKT_SRC_IS_B ? 1 : 0];
	const struct flow_dir *peer = &f->dir[p->flags & PKT_SRC_IS_B ? 0 : 1];
	const char *line = (const char *)line_at(&w->meter.lines, f->line);
	__builtin_prefetch(line, 1);
	__builtin_prefetch(line + 64, 1);
	if (d->segs_tail && p->payload_len)
		__builtin_prefetch(pool_at(&w->meter.segs, d->segs_tail), 1);
	if (peer->segs_head)
		__builtin_prefetch(pool_at(&w->meter.segs, peer->segs_head), 1);
}

static void handle(struct worker *w, const struct burst *burst, uint32_t i, uint32_t hash)
{
	const struct pkt *p = &burst->pkt[i];
	clock_follow(&w->clock, p->ts_ns);
	if (has_flow(p))
		flow_packet(w, p, &burst->extra[i], hash);
	else if (pkt_is_control(p))
		control_packet(w, p, &burst->extra[i], burst->frame[i]);
	else
		other_packet(w, p, &burst->extra[i]);
}

void worker_burst(struct worker *w, const struct burst *burst)
{
	uint32_t hash[BURST_MAX], guess[BURST_MAX];
	w->n_signals = 0;
	for (uint32_t i = 0; i < burst->n; i++)
		if (!has_flow(&burst->pkt[i])) {
			hash[i] = 0;
		} else {
			hash[i] = flow_hash(burst->pkt[i].key, w->flows.seed);
			flow_prefetch_bucket(&w->flows, hash[i]);
			mirror_prefetch(&w->meter.mirror, &burst->pkt[i]);
		}
	for (uint32_t i = 0; i < burst->n; i++) {
		guess[i] = has_flow(&burst->pkt[i]) ? flow_guess(&w->flows, hash[i]) : 0;
		if (guess[i])
			fetch_record(w, guess[i]);
	}
	for (uint32_t i = 0; i < burst->n; i++)
		if (guess[i])
			fetch_around(w, guess[i], &burst->pkt[i]);
	for (uint32_t i = 0; i < burst->n; i++)
		handle(w, burst, i, hash[i]);
}

void worker_add_line(const struct worker *w, uint32_t index, struct line_metrics *sum,
		     struct hist_sum *hists)
{
	const struct line *line = line_at(&w->meter.lines, index);
	for (int way = 0; way < 2; way++) {
		sum->packets[way] += line->packets[way];
		sum->bytes[way] += line->bytes[way];
		sum->data_packets[way] += line->data_packets[way];
		sum->lost_before[way] += line->lost_before[way];
		sum->lost_after[way] += line->lost_after[way];
		sum->reordered[way] += line->reordered[way];
		sum->spurious[way] += line->spurious[way];
		sum->tail_loss[way] += line->tail_loss[way];
		if (line->last_ns[way] > sum->last_ns[way])
			sum->last_ns[way] = line->last_ns[way];
	}
	for (int h = 0; hists && h < HIST_COUNT; h++)
		hist_sum_add(&hists[h], &w->meter.hists, line->hist[h]);
}
