/* SPDX-License-Identifier: BSD-3-Clause */
#include "engine/analysis/outage/tail.h"

#include <math.h>

#define TERMS_MAX 10000
#define ENOUGH	  1e-12

double tail_neg_log10(double k, double mu)
{
	double sum = 1, term = 1, log_first;
	int sign;
	if (k <= mu || k <= 0)
		return 0;
	if (mu <= 0)
		return INFINITY;
	for (int i = 1; i < TERMS_MAX && term > ENOUGH * sum; i++) {
		term *= mu / (k + i);
		sum += term;
	}
	log_first = k * log(mu) - mu - lgamma_r(k + 1, &sign);
	return -(log_first + log(sum)) / M_LN10;
}

double tail_llr(double k, double n, double p)
{
	double f = k < n ? k / n : 1, llr;
	if (n <= 0 || f <= p)
		return 0;
	llr = k * log(f / p);
	if (f < 1)
		llr += (n - k) * log((1 - f) / (1 - p));
	return llr;
}
