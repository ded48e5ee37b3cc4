/* SPDX-License-Identifier: BSD-3-Clause */
#include "engine/packet/worker.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "engine/packet/spin.h"
#include "engine/packet/tcp.h"

enum {
	UNANSWERED_MIN = 4,	/* downstream packets that owe an answer */
	UNANSWERED_RESENDS = 3, /* of one flow, when it is the only one */
	UNANSWERED_MIN_US = 3000000,
	UNANSWERED_MAX_US = 30000000,
	DNS_PORT = 53,
};

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

static struct signal *add_signal(struct worker *w, enum signal_kind kind, uint32_t line,
				 const struct pkt *p)
{
	struct signal *s;
	if (w->n_signals == w->signals_room) {
		uint32_t room = w->signals_room ? 2 * w->signals_room : 64;
		s = realloc(w->signals, room * sizeof *s);
		if (!s) {
			w->signals_lost++;
			return NULL;
		}
		w->signals = s;
		w->signals_room = room;
	}
	s = &w->signals[w->n_signals++];
	*s = (struct signal){
		.ts_ns = p->ts_ns,
		.clock_ns = w->clock.now_ns,
		.last_up_ns = line_at(&w->meter.lines, line)->last_ns[UP],
		.line = line,
		.kind = kind,
	};
	return s;
}

/* The longest pauses that the line makes upstream while something downstream waits: up at once,
 * down slowly; a pause that ended a suspicion is no habit. */
static void follow_gap(struct line *line, uint64_t now_ns)
{
	uint64_t gap_us = (now_ns - line->last_ns[UP]) / 1000;
	if (!line->unanswered || line->unanswered_told || gap_us > UNANSWERED_MAX_US)
		return;
	if (gap_us > line->gap_us)
		line->gap_us = (uint32_t)gap_us;
	else
		line->gap_us -= (line->gap_us - (uint32_t)gap_us) / 128;
}

static void upstream(struct worker *w, uint32_t index, struct line *line, const struct pkt *p)
{
	if (line->last_ns[UP] && p->ts_ns > line->last_ns[UP])
		follow_gap(line, p->ts_ns);
	if (line->watch) {
		add_signal(w, SIGNAL_UPSTREAM, index, p);
		line->watch = false;
	}
	if (line->unanswered) {
		line->unanswered = line->unanswered_resends = 0;
		line->unanswered_flows = 0;
		line->unanswered_told = false;
	}
}

/* Counts the packet to its line. `dir` is the direction, not unknown. */
static void account(struct worker *w, uint32_t index, uint8_t dir, const struct pkt *p)
{
	struct line *line = line_at(&w->meter.lines, index);
	int way = dir == DIR_UP ? UP : DOWN;
	if (way == UP)
		upstream(w, index, line, p);
	line->packets[way]++;
	line->bytes[way] += p->wire_len;
	if (p->ts_ns > line->last_ns[way])
		line->last_ns[way] = p->ts_ns;
}

/* Downstream traffic that owes an answer, none of which came (algorithms 2.1.1). */
static void unanswered(struct worker *w, uint32_t index, const struct pkt *p, bool resent)
{
	struct line *line = line_at(&w->meter.lines, index);
	uint64_t patience_us = (uint64_t)line->gap_us * 4;
	if (patience_us < UNANSWERED_MIN_US)
		patience_us = UNANSWERED_MIN_US;
	if (patience_us > UNANSWERED_MAX_US)
		patience_us = UNANSWERED_MAX_US;
	if (!line->unanswered++)
		line->demand_ns = p->ts_ns;
	line->unanswered_flows |= 1ull << (map_hash(p->key[3] ^ (uint64_t)p->key[1] << 32) & 63);
	line->unanswered_resends += resent;
	if (line->unanswered_told || line->unanswered < UNANSWERED_MIN ||
	    p->ts_ns < line->demand_ns + patience_us * 1000 ||
	    (__builtin_popcountll(line->unanswered_flows) < 2 &&
	     line->unanswered_resends < UNANSWERED_RESENDS))
		return;
	line->unanswered_told = line->watch = true;
	add_signal(w, SIGNAL_UNANSWERED, index, p);
}

static void tell_session(struct worker *w, uint32_t index, const struct pkt *p,
			 const struct pkt_extra *x)
{
	struct line *line = line_at(&w->meter.lines, index);
	struct signal *s;
	if (line->session_id == p->session_id)
		return;
	line->session_id = p->session_id;
	s = add_signal(w, SIGNAL_SESSION, index, p);
	if (!s)
		return;
	s->control.session_id = p->session_id;
	s->control.dir = DIR_UP;
	memcpy(s->control.cpe_mac, x->smac, 6);
	memcpy(s->control.ac_mac, x->dmac, 6);
}

static void tell_address(struct worker *w, uint32_t index, const struct pkt *p,
			 const struct pkt_extra *x)
{
	struct line *line = line_at(&w->meter.lines, index);
	bool ipv6 = p->flags & PKT_IPV6;
	uint32_t folded, words[4], *seen = ipv6 ? &line->seen_ipv6 : &line->seen_ipv4;
	struct signal *s;
	memcpy(words, x->src, 16);
	folded = ipv6 ? words[0] ^ words[1] * 31 ^ words[2] * 37 ^ words[3] * 41 : words[0];
	if (*seen == folded || folded == 0)
		return;
	*seen = folded;
	s = add_signal(w, SIGNAL_ADDRESS, index, p);
	if (!s)
		return;
	s->ipv6 = ipv6;
	memcpy(s->address, x->src, ipv6 ? 16 : 4);
}

/* Everything that an upstream packet tells about its line beyond the counters. */
static void account_packet(struct worker *w, uint32_t index, uint8_t dir, const struct pkt *p,
			   const struct pkt_extra *x)
{
	account(w, index, dir, p);
	if (dir != DIR_UP)
		return;
	if (p->flags & PKT_PPPOE && p->kind != KIND_PPPOE)
		tell_session(w, index, p, x);
	if (p->flags & PKT_IP)
		tell_address(w, index, p, x);
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
		unanswered(w, index, p, false);
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
	account_packet(w, line, dir, p, x);
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
	account_packet(w, f->line, way, p, x);
	if (p->kind == KIND_TCP)
		resent = tcp_packet(&w->meter, f, dir, p, x);
	else
		spin_packet(&w->meter, f, dir, p);
	if (p->ts_ns > f->last_ns)
		f->last_ns = p->ts_ns;
	if (p->kind == KIND_TCP && way == DIR_DOWN && (p->payload_len || p->tcp_flags & TCP_SYN) &&
	    !(p->tcp_flags & TCP_RST))
		unanswered(w, f->line, p, resent);
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
	s = add_signal(w, SIGNAL_CONTROL, line, p);
	if (s)
		s->control = c;
	if (c.dir != DIR_UNKNOWN)
		account(w, line, c.dir, p);
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
