/* SPDX-License-Identifier: BSD-3-Clause */
#include "engine/analysis/outage/weight.h"

#include <math.h>

#include "engine/analysis/outage/state.h"
#include "engine/analysis/outage/tail.h"

#define SURPRISE_MIN   7.0 /* -log10 p */
#define OVERDISPERSION 1.0 /* twice what is expected is no surprise yet */
#define P_MIN	       1e-6
#define P_MAX	       0.9

/* Lines with trouble of their own in the other channels, and set-ups that fail by themselves. */
#define QUIET_SHARE 1e-4
#define SETUP_SHARE 2e-3
#define SETUP_MIN   0.2

double weight_could(const struct group *g, enum symptom_channel channel)
{
	return channel == CHANNEL_SETUP ? g->tried : g->eligible;
}

double weight_expected(const struct outage *o, const struct group *g, enum symptom_channel channel)
{
	if (channel == CHANNEL_DROP)
		return rates_expected(&o->rates, g->rate) * BURST_NS / EVIDENCE_NS;
	return weight_could(g, channel) * (channel == CHANNEL_SETUP ? SETUP_SHARE : QUIET_SHARE);
}

static double least_share(const struct group *g, enum symptom_channel channel)
{
	return channel == CHANNEL_SETUP ? SETUP_MIN : kind_of(g->kind)->share_min;
}

double weight_unlikely(double k, double expected)
{
	return tail_neg_log10(k, expected * (1 + OVERDISPERSION));
}

bool weight_significant(const struct outage *o, uint32_t group, enum symptom_channel channel,
			double k, double each)
{
	const struct group *g = &o->groups.at[group];
	if (k < kind_of(g->kind)->k_min ||
	    k < least_share(g, channel) * weight_could(g, channel) / each)
		return false;
	return weight_unlikely(k, weight_expected(o, g, channel) / each) >= SURPRISE_MIN;
}

bool weight_burst(enum symptom_channel channel, double fresh, double k)
{
	double part = (double)BURST_NS / EVIDENCE_NS;
	double rest = (k - fresh) * part / (1 - part);
	if (channel != CHANNEL_DROP && channel != CHANNEL_INTERNET)
		return true;
	return weight_unlikely(fresh, rest) >= SURPRISE_MIN;
}

static double bounded(double p)
{
	return fmin(P_MAX, fmax(P_MIN, p));
}

double weight_surprise(const struct outage *o, enum symptom_channel channel, uint32_t line)
{
	const struct group alone = {.rate = o->lines[line].rate.units, .eligible = 1, .tried = 1};
	return -log(bounded(weight_expected(o, &alone, channel) * (1 + OVERDISPERSION)));
}

double weight_llr(const struct outage *o, uint32_t group, enum symptom_channel channel, double k,
		  double surprise, double each)
{
	const struct group *g = &o->groups.at[group];
	double n = fmax(weight_could(g, channel) / each, k);
	double mu = weight_expected(o, g, channel) / each;
	double p = bounded(n > 0 ? mu * (1 + OVERDISPERSION) / n : 0);
	double average = tail_llr(k, n, p);
	return average > 0 ? average + surprise + k * log(p) : 0;
}
