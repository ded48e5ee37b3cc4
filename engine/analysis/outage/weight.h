/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What failing lines weigh as evidence (algorithms.md 2.3.3 and 2.3.4): how many were to be expected
 * by the rates that were learned, how surprising more are, and by how much that speaks for the group.
 * Nothing here keeps or changes anything. `each`: where one line of the evidence stands for so many,
 * numbers of lines are those of the evidence.
 */
#ifndef RASAD_ENGINE_ANALYSIS_OUTAGE_WEIGHT_H
#define RASAD_ENGINE_ANALYSIS_OUTAGE_WEIGHT_H

#include <stdbool.h>
#include <stdint.h>

#include "engine/analysis/outage/outage.h"

struct group;
struct outage;

/* Members of the group that could have failed in this channel. */
double weight_could(const struct group *group, enum symptom_channel channel);

/* Of them, those to be expected within BURST_NS. */
double weight_expected(const struct outage *outage, const struct group *group,
		       enum symptom_channel channel);

/* -log10 of how likely `k` are where so many are expected, or twice as many. */
double weight_unlikely(double k, double expected);

/* Are `k` lines within BURST_NS significant, and enough of the group? */
bool weight_significant(const struct outage *outage, uint32_t group, enum symptom_channel channel,
			double k, double each);

/* Did `fresh` of `k` lines go within BURST_NS, more than the others would lead to expect? */
bool weight_burst(enum symptom_channel channel, double fresh, double k);

/* How little the symptom was to be expected of a line: the logarithm, negative. */
double weight_surprise(const struct outage *outage, enum symptom_channel channel, uint32_t line);

/* The log-likelihood ratio of a fault of the group against `k` lines that failed by themselves, whose
 * surprises add up to `surprise`; 0: no more failed than usual. */
double weight_llr(const struct outage *outage, uint32_t group, enum symptom_channel channel,
		  double k, double surprise, double each);

#endif
