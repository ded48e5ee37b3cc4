/* SPDX-License-Identifier: BSD-3-Clause */
#include "engine/analysis/flows.h"

#include <arpa/inet.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "engine/analysis/analysis.h"
#include "engine/packet/worker.h"

enum { FEW_PROMPT = 20 };
/* No delayed-ACK timer is shorter; without PROMPT samples a SINGLE within that of the fastest
 * did not wait for one. */
static const uint32_t SHORTEST_DELAY_TICKS = 20000000 / HIST_TICK_NS;

struct samples {
	uint32_t *prompt, *single; /* owned, sorted */
	size_t n_prompt, n_single, room;
};

static int ascending(const void *a, const void *b)
{
	uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;
	return (x > y) - (x < y);
}

static bool make_room(struct samples *s, size_t n)
{
	uint32_t *prompt, *single;
	if (n <= s->room)
		return true;
	prompt = realloc(s->prompt, 2 * n * sizeof *prompt);
	if (prompt)
		s->prompt = prompt;
	single = realloc(s->single, 2 * n * sizeof *single);
	if (single)
		s->single = single;
	if (!prompt || !single)
		return false;
	s->room = 2 * n;
	return true;
}

/* Gathers and sorts the logged samples of one side. */
static bool gather(struct samples *s, const struct meter *m, uint32_t index)
{
	s->n_prompt = s->n_single = 0;
	while (index) {
		const struct sample_chunk *c = pool_at(&m->samples, index);
		if (!make_room(s, s->n_prompt + s->n_single + c->n))
			return false;
		for (uint32_t i = 0; i < c->n; i++) {
			if (c->value[i] & 1)
				s->single[s->n_single++] = c->value[i] >> 1;
			else
				s->prompt[s->n_prompt++] = c->value[i] >> 1;
		}
		index = c->prev;
	}
	if (s->n_prompt)
		qsort(s->prompt, s->n_prompt, sizeof *s->prompt, ascending);
	if (s->n_single)
		qsort(s->single, s->n_single, sizeof *s->single, ascending);
	return true;
}

/* The largest SINGLE sample that is believed. */
static uint32_t believed(const struct samples *s)
{
	uint32_t p95;
	if (!s->n_prompt)
		return s->n_single ? s->single[0] + SHORTEST_DELAY_TICKS : 0;
	p95 = s->prompt[(s->n_prompt - 1) * 95 / 100];
	return s->n_prompt < FEW_PROMPT ? s->prompt[s->n_prompt - 1] + p95 / 8 : p95;
}

/* Published samples and host delays of one side. */
static void side(struct samples *s, struct report_dist *rtt, struct report_dist *delay)
{
	uint32_t limit = believed(s), base;
	size_t kept = 0;
	while (kept < s->n_single && s->single[kept] <= limit)
		kept++;
	for (size_t i = 0; i < kept; i++)
		s->prompt[s->n_prompt + i] = s->single[i];
	s->n_prompt += kept;
	if (kept)
		qsort(s->prompt, s->n_prompt, sizeof *s->prompt, ascending);
	*rtt = dist_of_sorted(s->prompt, s->n_prompt);
	base = s->n_prompt ? s->prompt[s->n_prompt / 2] : 0;
	for (size_t i = kept; i < s->n_single; i++)
		s->single[i] -= base < s->single[i] ? base : s->single[i];
	*delay = dist_of_sorted(s->single + kept, s->n_single - kept);
}

static struct report_flow_direction direction(const struct meter *m, const struct flow *f, int dir)
{
	const struct flow_dir *d = &f->dir[dir];
	struct report_flow_direction told = {
		.packets = d->packets,
		.data_packets = d->data_packets,
		.bytes = d->bytes,
	};
	const struct flow_dir_rare *r;
	if (!f->rare[dir])
		return told;
	r = pool_at(&m->rares, f->rare[dir]);
	told.retransmit_seen = r->retransmit_seen;
	told.hole_fill = r->hole_fill;
	told.reordered = r->reordered;
	told.spurious = r->spurious;
	told.suspected_tail_loss = r->suspected_tail_loss;
	told.keepalive = r->keepalive;
	told.zero_window_probe = r->zero_window_probe;
	told.duplicate = r->duplicate;
	told.syn_retransmit = r->syn_retransmit;
	told.fin_retransmit = r->fin_retransmit;
	told.tap_missed = r->tap_missed;
	return told;
}

static void write_addresses(const struct meter *m, const struct flow *f, char a[INET6_ADDRSTRLEN],
			    char b[INET6_ADDRSTRLEN])
{
	const struct flow_addresses *v6;
	a[0] = b[0] = '\0';
	if (!(f->key[0] & 0x80)) {
		inet_ntop(AF_INET, &f->key[1], a, INET6_ADDRSTRLEN);
		inet_ntop(AF_INET, &f->key[2], b, INET6_ADDRSTRLEN);
	} else if (f->addresses) {
		v6 = pool_at(&m->addresses, f->addresses);
		inet_ntop(AF_INET6, v6->a, a, INET6_ADDRSTRLEN);
		inet_ntop(AF_INET6, v6->b, b, INET6_ADDRSTRLEN);
	}
}

static void report_flow(const struct worker *w, struct analysis *a, const struct flow *f,
			struct samples *s)
{
	bool sub_is_b = f->flags & FLOW_SUB_IS_B;
	int up = sub_is_b ? 1 : 0, down = !up;
	const struct line *line = line_at(&w->meter.lines, f->line);
	char text[2][INET6_ADDRSTRLEN];
	struct report_dist delays[2] = { 0 };
	struct report_flow told = {
		.line = subject_name(&a->subjects[f->line]),
		.svlan = line->svlan,
		.cvlan = line->cvlan,
		.client = text[up],
		.server = text[down],
		.client_port = f->port[up],
		.server_port = f->port[down],
		.first_unix_ns = (int64_t)f->first_ns,
		.last_unix_ns = (int64_t)f->last_ns,
		.down = direction(&w->meter, f, down),
		.up = direction(&w->meter, f, up),
	};
	const struct report report = { REPORT_FLOW, { .flow = &told } };
	write_addresses(&w->meter, f, text[0], text[1]);
	if (gather(s, &w->meter, f->samples[down]))
		side(s, &told.rtt_access, &delays[0]);
	if (gather(s, &w->meter, f->samples[up]))
		side(s, &told.rtt_internet, &delays[1]);
	told.host_delay = delays[0].n ? delays[0] : delays[1];
	a->sink.take(a->sink.context, &report);
}

void flows_report(const struct worker *w, struct analysis *a)
{
	struct samples s = { 0 };
	if (!w->options.keep_flows)
		return;
	for (uint32_t i = 1; i <= flow_count(&w->flows); i++) {
		const struct flow *f = flow_at(&w->flows, i);
		if (f->flags & FLOW_USED && f->kind == KIND_TCP && analysis_knows(a, f->line))
			report_flow(w, a, f, &s);
	}
	free(s.prompt);
	free(s.single);
}
