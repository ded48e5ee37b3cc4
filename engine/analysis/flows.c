/* SPDX-License-Identifier: BSD-3-Clause */
#include "engine/analysis/flows.h"

#include <arpa/inet.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "engine/analysis/analysis.h"
#include "engine/packet/worker.h"

struct samples {
	uint32_t *of[3]; /* owned, sorted, by enum sample_class */
	uint32_t *kept;	 /* owned */
	size_t n[3], n_kept, room;
};

static int ascending(const void *a, const void *b)
{
	uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;
	return (x > y) - (x < y);
}

static bool grow(uint32_t **list, size_t n)
{
	uint32_t *grown = realloc(*list, n * sizeof *grown);
	if (grown)
		*list = grown;
	return grown;
}

static bool make_room(struct samples *s, size_t n)
{
	if (n <= s->room)
		return true;
	if (!grow(&s->of[0], 2 * n) || !grow(&s->of[1], 2 * n) || !grow(&s->of[2], 2 * n) ||
	    !grow(&s->kept, 2 * n))
		return false;
	s->room = 2 * n;
	return true;
}

/* Gathers and sorts the logged samples of one side. */
static bool gather(struct samples *s, const struct meter *m, uint32_t index)
{
	s->n[0] = s->n[1] = s->n[2] = s->n_kept = 0;
	while (index) {
		const struct sample_chunk *c = pool_at(&m->samples, index);
		if (!make_room(s, s->n[0] + s->n[1] + s->n[2] + c->n))
			return false;
		for (uint32_t i = 0; i < c->n; i++) {
			uint32_t class = c->value[i] & 3;
			s->of[class][s->n[class]++] = c->value[i] >> 2;
		}
		index = c->prev;
	}
	for (int class = 0; class < 3; class ++)
		if (s->n[class])
			qsort(s->of[class], s->n[class], sizeof **s->of, ascending);
	return true;
}

static uint32_t least(const struct samples *s)
{
	uint32_t min = UINT32_MAX;
	for (int class = 0; class < 3; class ++)
		if (s->n[class] && s->of[class][0] < min)
			min = s->of[class][0];
	return min;
}

/* Takes the samples of a class up to `limit` into the published ones; the rest stays. */
static void keep(struct samples *s, enum sample_class class, uint32_t limit)
{
	size_t n = 0;
	while (n < s->n[class] && s->of[class][n] <= limit)
		s->kept[s->n_kept++] = s->of[class][n++];
	s->n[class] -= n;
	memmove(s->of[class], s->of[class] + n, s->n[class] * sizeof **s->of);
}

/* Published samples of one side; what is left of SINGLE are host delays. */
static struct dist side(struct samples *s, struct dist *delay)
{
	uint32_t single = least(s), riding = single, base;
	size_t n = s->n[SAMPLE_PROMPT];
	if (s->n[0] + s->n[1] + s->n[2] == 0)
		return (struct dist){0};
	single += METER_SHORTEST_DELAY_TICKS;
	if (n) {
		riding = s->of[SAMPLE_PROMPT][(n - 1) * 95 / 100];
		single = riding > single ? riding : single;
	} else {
		riding = single;
	}
	keep(s, SAMPLE_PROMPT, UINT32_MAX);
	keep(s, SAMPLE_SINGLE, single);
	keep(s, SAMPLE_RIDING, riding);
	qsort(s->kept, s->n_kept, sizeof *s->kept, ascending);
	base = s->kept[0];
	for (size_t i = 0; i < s->n[SAMPLE_SINGLE]; i++)
		s->of[SAMPLE_SINGLE][i] -= base;
	*delay = dist_of_sorted(s->of[SAMPLE_SINGLE], s->n[SAMPLE_SINGLE]);
	return dist_of_sorted(s->kept, s->n_kept);
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
	struct dist delays[2] = {0};
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
	const struct report report = {REPORT_FLOW, {.flow = &told}};
	write_addresses(&w->meter, f, text[0], text[1]);
	if (gather(s, &w->meter, f->samples[down]))
		told.rtt_access = side(s, &delays[0]);
	if (gather(s, &w->meter, f->samples[up]))
		told.rtt_internet = side(s, &delays[1]);
	told.host_delay = delays[0].n ? delays[0] : delays[1];
	a->sink.take(a->sink.context, &report);
}

void flows_report(const struct worker *w, struct analysis *a)
{
	struct samples s = {0};
	if (!w->options.keep_flows)
		return;
	for (uint32_t i = 1; i <= flow_count(&w->flows); i++) {
		const struct flow *f = flow_at(&w->flows, i);
		if (f->flags & FLOW_USED && f->kind == KIND_TCP && analysis_knows(a, f->line))
			report_flow(w, a, f, &s);
	}
	for (int class = 0; class < 3; class ++)
		free(s.of[class]);
	free(s.kept);
}
