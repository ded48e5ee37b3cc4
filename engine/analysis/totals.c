/* SPDX-License-Identifier: BSD-3-Clause */
#include "engine/analysis/totals.h"

#include <stddef.h>

#include "engine/base/fetch.h"

static void fetch_hists(const struct totals *t, const struct out_window *w,
			const struct hist_pools *pools)
{
	for (uint32_t i = 0; i < w->n_samples; i++)
		hist_fetch(pools, t->hist[w->samples[i] >> SAMPLE_KIND_SHIFT]);
}

static void fetch_counters(const struct totals *t, const struct out_window *w,
			   const struct hist_pools *pools)
{
	for (uint32_t i = 0; i < w->n_samples; i++)
		hist_fetch_counter(pools, t->hist[w->samples[i] >> SAMPLE_KIND_SHIFT],
				   w->samples[i] & SAMPLE_TICKS_MASK);
}

void totals_fetch(const struct totals_news *news, uint32_t n, const struct hist_pools *pools)
{
	for (uint32_t i = 0; i < n; i++)
		if (news[i].window->only_samples)
			fetch_span(news[i].totals->hist, sizeof news[i].totals->hist);
		else
			fetch_span(news[i].totals, sizeof *news[i].totals);
	for (uint32_t i = 0; i < n; i++)
		fetch_hists(news[i].totals, news[i].window, pools);
	for (uint32_t i = 0; i < n; i++)
		fetch_counters(news[i].totals, news[i].window, pools);
}

static void add_counters(struct totals *t, const struct out_window *w)
{
	for (int way = 0; way < 2; way++) {
		t->packets[way] += w->packets[way];
		t->bytes[way] += w->bytes[way];
		t->data_packets[way] += w->data_packets[way];
		t->lost_before[way] += w->lost_before[way];
		t->lost_after[way] += w->lost_after[way];
		t->spurious[way] += w->spurious[way];
		t->reordered[way] += w->reordered[way];
		t->tail_loss[way] += w->tail_loss[way];
	}
	if (w->last_up_ns > t->last_up_ns)
		t->last_up_ns = w->last_up_ns;
}

void totals_add(struct totals *t, struct hist_pools *pools, const struct out_window *w)
{
	if (!w->only_samples)
		add_counters(t, w);
	for (uint32_t i = 0; i < w->n_samples; i++)
		hist_add(pools, &t->hist[w->samples[i] >> SAMPLE_KIND_SHIFT],
			 w->samples[i] & SAMPLE_TICKS_MASK);
}

void totals_sum(struct totals_sum *sum, const struct hist_pools *pools, const struct totals *t)
{
	struct totals *to = &sum->counts;
	for (int way = 0; way < 2; way++) {
		to->packets[way] += t->packets[way];
		to->bytes[way] += t->bytes[way];
		to->data_packets[way] += t->data_packets[way];
		to->lost_before[way] += t->lost_before[way];
		to->lost_after[way] += t->lost_after[way];
		to->spurious[way] += t->spurious[way];
		to->reordered[way] += t->reordered[way];
		to->tail_loss[way] += t->tail_loss[way];
	}
	if (t->last_up_ns > to->last_up_ns)
		to->last_up_ns = t->last_up_ns;
	for (int h = 0; h < HIST_COUNT; h++)
		hist_sum_add(&sum->hists[h], pools, t->hist[h]);
}

void totals_sum_clear(struct totals_sum *sum)
{
	for (int h = 0; h < HIST_COUNT; h++)
		hist_sum_clear(&sum->hists[h]);
	sum->counts = (struct totals){0};
}

void totals_clear(struct totals *t, struct hist_pools *pools)
{
	for (int h = 0; h < HIST_COUNT; h++)
		hist_free(pools, &t->hist[h]);
	*t = (struct totals){0};
}

/* The home network is what the subscriber's devices add to the line (algorithms 2.2.1). */
static struct dist home_of(const struct dist *access, const struct dist *line)
{
	struct dist home = *access;
	double *values[] = {&home.min_us, &home.p50_us, &home.p90_us, &home.p95_us,
			    &home.p99_us, &home.max_us, &home.mean_us};
	if (!access->n || !line->n)
		return (struct dist){0};
	for (size_t i = 0; i < sizeof values / sizeof *values; i++) {
		*values[i] -= line->p50_us;
		if (*values[i] < 0)
			*values[i] = 0;
	}
	return home;
}

struct report_rtt totals_rtt(const struct totals_sum *sum)
{
	const struct hist_sum *hists = sum->hists;
	struct report_rtt rtt = {
		.line = dist_of_hist(&hists[HIST_LINE]),
		.access = dist_of_hist(&hists[HIST_ACCESS]),
		.internet = dist_of_hist(&hists[HIST_INTERNET]),
		.dns = dist_of_hist(&hists[HIST_DNS]),
		.icmp = dist_of_hist(&hists[HIST_ICMP]),
		.host_delay = dist_of_hist(&hists[HIST_HOST_DELAY]),
	};
	rtt.home = home_of(&rtt.access, &rtt.line);
	return rtt;
}

/* Downstream data lost behind the tap, and upstream data lost before it, was lost on the access
 * side. What is lost before the tap was not seen, so it is added to what there was. */
struct report_loss_sides totals_loss(const struct totals *t)
{
	uint64_t down = totals_count(t->lost_before[DOWN]), up = totals_count(t->lost_before[UP]);
	return (struct report_loss_sides){
		.access_down = {totals_count(t->lost_after[DOWN]), t->data_packets[DOWN]},
		.access_up = {up, t->data_packets[UP] + up},
		.internet_down = {down, t->data_packets[DOWN] + down},
		.internet_up = {totals_count(t->lost_after[UP]), t->data_packets[UP]},
	};
}
