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
		const struct sample_chunk *c = pool_at(&m->log_samples, index);
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

static struct report_flow_direction direction(const struct dir_log *d)
{
	return (struct report_flow_direction){
		.packets = d->packets,
		.data_packets = d->data_packets,
		.bytes = d->bytes,
		.retransmit_seen = d->retransmit_seen,
		.hole_fill = d->hole_fill,
		.reordered = d->reordered,
		.spurious = d->spurious,
		.suspected_tail_loss = d->suspected_tail_loss,
		.keepalive = d->keepalive,
		.zero_window_probe = d->zero_window_probe,
		.duplicate = d->duplicate,
		.syn_retransmit = d->syn_retransmit,
		.fin_retransmit = d->fin_retransmit,
		.tap_missed = d->tap_missed,
	};
}

static void report_flow(const struct worker *w, const struct subject *who, struct analysis *a,
			const struct flow_log *f, struct samples *s)
{
	int up = f->sub_is_b ? 1 : 0, down = !up, family = f->key0 & 0x80 ? AF_INET6 : AF_INET;
	char text[2][INET6_ADDRSTRLEN];
	struct dist delays[2] = {0};
	struct report_flow told = {
		.line = subject_name(who),
		.svlan = who->svlan,
		.cvlan = who->cvlan,
		.client = text[up],
		.server = text[down],
		.client_port = f->port[up],
		.server_port = f->port[down],
		.first_unix_ns = (int64_t)f->first_ns,
		.last_unix_ns = (int64_t)f->last_ns,
		.down = direction(&f->dir[down]),
		.up = direction(&f->dir[up]),
	};
	const struct report report = {REPORT_FLOW, {.flow = &told}};
	inet_ntop(family, f->a, text[0], INET6_ADDRSTRLEN);
	inet_ntop(family, f->b, text[1], INET6_ADDRSTRLEN);
	if (gather(s, &w->meter, f->dir[down].samples))
		told.rtt_access = side(s, &delays[0]);
	if (gather(s, &w->meter, f->dir[up].samples))
		told.rtt_internet = side(s, &delays[1]);
	told.host_delay = delays[0].n ? delays[0] : delays[1];
	a->sink.take(a->sink.context, &report);
}

static const struct flow_log *log_at(const struct worker *w, uint32_t index)
{
	return index <= w->meter.logs.used ? pool_at(&w->meter.logs, index) : NULL;
}

/* The worker whose next log (they are numbered from 1, and none is ever freed) is the oldest. */
static uint32_t oldest(const struct worker *const *workers, uint32_t n, const uint32_t *next)
{
	uint32_t best = n;
	for (uint32_t i = 0; i < n; i++) {
		const struct flow_log *f = log_at(workers[i], next[i]);
		if (f && (best == n || f->order < log_at(workers[best], next[best])->order))
			best = i;
	}
	return best;
}

void flows_report(const struct worker *const *workers, uint32_t n, struct analysis *a)
{
	uint32_t next[ANALYSIS_MAX_WORKERS], i;
	struct samples s = {0};
	for (i = 0; i < n; i++)
		next[i] = 1;
	while ((i = oldest(workers, n, next)) < n) {
		const struct flow_log *f = log_at(workers[i], next[i]++);
		const struct subject *who = analysis_subject(a, i, f->line);
		if (who)
			report_flow(workers[i], who, a, f, &s);
	}
	for (int class = 0; class < 3; class ++)
		free(s.of[class]);
	free(s.kept);
}
