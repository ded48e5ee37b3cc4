/* SPDX-License-Identifier: BSD-3-Clause */
/* How surprising a count is. Pure functions. */
#ifndef RASAD_ENGINE_ANALYSIS_OUTAGE_TAIL_H
#define RASAD_ENGINE_ANALYSIS_OUTAGE_TAIL_H

/* -log10 P[Poisson(mu) >= k]; k need not be whole (weights), 0 when k <= mu. */
double tail_neg_log10(double k, double mu);

/* Log-likelihood ratio of "k of n, each with probability k/n" against probability p; 0 when
 * k/n <= p. */
double tail_llr(double k, double n, double p);

#endif
