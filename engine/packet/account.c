/* SPDX-License-Identifier: BSD-3-Clause */
#include "engine/packet/account.h"

#include <stdlib.h>
#include <string.h>

enum {
	UNANSWERED_MIN = 4,	/* downstream packets that owe an answer */
	UNANSWERED_RESENDS = 3, /* of one flow, when it is the only one */
	UNANSWERED_MIN_US = 3000000,
	UNANSWERED_MAX_US = 30000000,
};

struct signal *account_signal(struct worker *w, enum signal_kind kind, uint32_t line,
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
		account_signal(w, SIGNAL_UPSTREAM, index, p);
		line->watch = false;
	}
	if (line->unanswered) {
		line->unanswered = line->unanswered_resends = 0;
		line->unanswered_flows = 0;
		line->unanswered_told = false;
	}
}

/* Counts the packet to its line. `dir` is the direction, not unknown. */
void account_packet(struct worker *w, uint32_t index, uint8_t dir, const struct pkt *p)
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
void account_unanswered(struct worker *w, uint32_t index, const struct pkt *p, bool resent)
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
	account_signal(w, SIGNAL_UNANSWERED, index, p);
}

static void tell_session(struct worker *w, uint32_t index, const struct pkt *p,
			 const struct pkt_extra *x)
{
	struct line *line = line_at(&w->meter.lines, index);
	struct signal *s;
	if (line->session_id == p->session_id)
		return;
	line->session_id = p->session_id;
	s = account_signal(w, SIGNAL_SESSION, index, p);
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
	s = account_signal(w, SIGNAL_ADDRESS, index, p);
	if (!s)
		return;
	s->ipv6 = ipv6;
	memcpy(s->address, x->src, ipv6 ? 16 : 4);
}

/* Everything that an upstream packet tells about its line beyond the counters. */
void account_traffic(struct worker *w, uint32_t index, uint8_t dir, const struct pkt *p,
		     const struct pkt_extra *x)
{
	account_packet(w, index, dir, p);
	if (dir != DIR_UP)
		return;
	if (p->flags & PKT_PPPOE && p->kind != KIND_PPPOE)
		tell_session(w, index, p, x);
	if (p->flags & PKT_IP)
		tell_address(w, index, p, x);
}
